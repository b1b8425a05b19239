//! 82577 to I219 in chipsets: the find unit.
#![no_std]
#![no_main]

use compkt::probe::pch::PchProbe;

compkt::find_unit!(PchProbe);
