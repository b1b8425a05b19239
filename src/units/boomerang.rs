//! 3C900 and 3C905 with rings in extended memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::boomerang::Boomerang;

compkt::driver_unit!(Boomerang<Flat>);
