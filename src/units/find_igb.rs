//! 82575 to I226: the find unit.
#![no_std]
#![no_main]

use compkt::probe::igb::IgbProbe;

compkt::find_unit!(IgbProbe);
