//! A card by its own ROM (UNDI): the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::undi::Undi;

compkt::driver_unit!(Undi<Machine>);
