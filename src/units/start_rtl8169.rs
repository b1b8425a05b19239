//! RTL8169, RTL8168 and their relatives: the start unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8169::Rtl8169Probe;

compkt::start_unit!(Rtl8169Probe);
