//! The stage `keep` of the installation.
#![no_std]
#![no_main]

compkt::stage_unit!(keep);
