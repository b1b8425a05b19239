//! 3C509 and 3C509B: the start unit.
#![no_std]
#![no_main]

use compkt::probe::el3::El3Probe;

compkt::start_unit!(El3Probe);
