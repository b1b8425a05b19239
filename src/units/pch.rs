//! 82577 to I219 in chipsets: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::pch::Pch;

compkt::driver_unit!(Pch<Flat>);
