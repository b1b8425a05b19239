//! 3C515-TX: the find unit.
#![no_std]
#![no_main]

use compkt::probe::corkscrew::CorkscrewProbe;

compkt::find_unit!(CorkscrewProbe);
