//! 82574 and 82583: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::e1000e::E1000e;

compkt::driver_unit!(E1000e<Flat>);
