//! RTL8139: the start unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8139::Rtl8139Probe;

compkt::start_unit!(Rtl8139Probe);
