//! 3C515-TX by programmed I/O: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::corkscrew::Corkscrew;

compkt::driver_unit!(Corkscrew<Machine>);
