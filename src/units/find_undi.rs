//! A card by its own ROM (UNDI): the find unit.
#![no_std]
#![no_main]

use compkt::probe::undi::UndiProbe;

compkt::find_unit!(UndiProbe);
