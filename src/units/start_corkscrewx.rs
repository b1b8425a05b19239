//! 3C515-TX with rings: the unit that starts it.
#![no_std]
#![no_main]

use compkt::probe::corkscrew::lists::CorkscrewListsProbe;

compkt::start_unit!(CorkscrewListsProbe);
