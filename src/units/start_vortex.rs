//! 3C590 and 3C595: the start unit.
#![no_std]
#![no_main]

use compkt::probe::vortex::VortexProbe;

compkt::start_unit!(VortexProbe);
