//! 82574 and 82583: the start unit.
#![no_std]
#![no_main]

use compkt::probe::e1000e::E1000eProbe;

compkt::start_unit!(E1000eProbe);
