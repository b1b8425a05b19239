//! 82574 and 82583: the find unit.
#![no_std]
#![no_main]

use compkt::probe::e1000e::E1000eProbe;

compkt::find_unit!(E1000eProbe);
