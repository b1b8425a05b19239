//! 3C900 and 3C905: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::boomerang::BoomerangProbe;

compkt::probe_unit!(BoomerangProbe);
