//! RTL8125: the start unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8169::Rtl8125Probe;

compkt::start_unit!(Rtl8125Probe);
