//! The stage `handover` of the installation.
#![no_std]
#![no_main]

compkt::stage_unit!(handover);
