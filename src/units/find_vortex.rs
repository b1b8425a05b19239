//! 3C590 and 3C595: the find unit.
#![no_std]
#![no_main]

use compkt::probe::vortex::VortexProbe;

compkt::find_unit!(VortexProbe);
