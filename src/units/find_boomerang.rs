//! 3C900 and 3C905: the find unit.
#![no_std]
#![no_main]

use compkt::probe::boomerang::BoomerangProbe;

compkt::find_unit!(BoomerangProbe);
