//! 3C515-TX with rings in extended memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::corkscrew::CorkscrewLists;

compkt::driver_unit!(CorkscrewLists<Flat>);
