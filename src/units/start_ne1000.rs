//! NE1000, and NE2000 in an 8-bit slot: the start unit.
#![no_std]
#![no_main]

use compkt::probe::ne2000::Ne2000Probe;

compkt::start_unit!(Ne2000Probe<false>);
