//! 3C509 and 3C509B: the find unit.
#![no_std]
#![no_main]

use compkt::probe::el3::El3Probe;

compkt::find_unit!(El3Probe);
