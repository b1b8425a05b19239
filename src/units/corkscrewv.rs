//! 3C515-TX with rings in conventional memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::corkscrew::CorkscrewLists;

compkt::driver_unit!(CorkscrewLists<Machine>);
