//! RTL8139: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::rtl8139::Rtl8139Probe;

compkt::probe_unit!(Rtl8139Probe);
