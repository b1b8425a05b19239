//! A card by its own ROM (UNDI): the start unit.
#![no_std]
#![no_main]

use compkt::probe::undi::UndiProbe;

compkt::start_unit!(UndiProbe);
