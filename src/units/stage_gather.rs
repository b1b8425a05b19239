//! The stage `gather` of the installation.
#![no_std]
#![no_main]

compkt::stage_unit!(gather);
