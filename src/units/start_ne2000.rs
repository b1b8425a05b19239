//! NE2000: the start unit.
#![no_std]
#![no_main]

use compkt::probe::ne2000::Ne2000Probe;

compkt::start_unit!(Ne2000Probe);
