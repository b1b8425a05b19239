//! 3C900 and 3C905 with rings in conventional memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::boomerang::Boomerang;

compkt::driver_unit!(Boomerang<Machine>);
