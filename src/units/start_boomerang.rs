//! 3C900 and 3C905: the start unit.
#![no_std]
#![no_main]

use compkt::probe::boomerang::BoomerangProbe;

compkt::start_unit!(BoomerangProbe);
