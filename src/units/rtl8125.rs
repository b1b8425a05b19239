//! RTL8125 with rings in extended memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::rtl8169::Rtl8169;

compkt::driver_unit!(Rtl8169<Flat, true, true>);
