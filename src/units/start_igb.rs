//! 82575 to I226: the start unit.
#![no_std]
#![no_main]

use compkt::probe::igb::IgbProbe;

compkt::start_unit!(IgbProbe);
