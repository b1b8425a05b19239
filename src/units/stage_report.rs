//! The stage `report` of the installation.
#![no_std]
#![no_main]

compkt::stage_unit!(report);
