//! 3C590 and 3C595: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::vortex::Vortex;

compkt::driver_unit!(Vortex<Machine>);
