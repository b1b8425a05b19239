//! 82540, 82544 and 82545: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::e1000::E1000;

compkt::driver_unit!(E1000<Flat>);
