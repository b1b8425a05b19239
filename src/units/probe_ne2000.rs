//! NE2000: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::ne2000::Ne2000Probe;

compkt::probe_unit!(Ne2000Probe);
