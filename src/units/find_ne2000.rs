//! NE2000: the find unit.
#![no_std]
#![no_main]

use compkt::probe::ne2000::Ne2000Probe;

compkt::find_unit!(Ne2000Probe);
