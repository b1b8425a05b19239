//! 82540, 82544 and 82545: the find unit.
#![no_std]
#![no_main]

use compkt::probe::e1000::E1000Probe;

compkt::find_unit!(E1000Probe);
