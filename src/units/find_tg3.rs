//! BCM57xx: the find unit.
#![no_std]
#![no_main]

use compkt::probe::tg3::Tg3Probe;

compkt::find_unit!(Tg3Probe);
