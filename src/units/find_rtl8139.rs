//! RTL8139: the find unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8139::Rtl8139Probe;

compkt::find_unit!(Rtl8139Probe);
