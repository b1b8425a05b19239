//! 3C515-TX: the start unit.
#![no_std]
#![no_main]

use compkt::probe::corkscrew::CorkscrewProbe;

compkt::start_unit!(CorkscrewProbe);
