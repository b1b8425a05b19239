//! RTL8139 with rings in extended memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::rtl8139::Rtl8139;

compkt::driver_unit!(Rtl8139<Flat, true>);
