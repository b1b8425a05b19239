//! 3C590 and 3C595: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::vortex::VortexProbe;

compkt::probe_unit!(VortexProbe);
