//! 82575 to I226: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::igb::Igb;

compkt::driver_unit!(Igb<Flat>);
