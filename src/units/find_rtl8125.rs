//! RTL8125: the find unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8169::Rtl8125Probe;

compkt::find_unit!(Rtl8125Probe);
