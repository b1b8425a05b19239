//! BCM57xx: the start unit.
#![no_std]
#![no_main]

use compkt::probe::tg3::Tg3Probe;

compkt::start_unit!(Tg3Probe);
