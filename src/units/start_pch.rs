//! 82577 to I219 in chipsets: the start unit.
#![no_std]
#![no_main]

use compkt::probe::pch::PchProbe;

compkt::start_unit!(PchProbe);
