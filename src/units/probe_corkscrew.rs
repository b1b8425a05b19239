//! 3C515-TX: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::corkscrew::CorkscrewProbe;

compkt::probe_unit!(CorkscrewProbe);
