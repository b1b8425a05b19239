//! RTL8125 with rings in conventional memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::rtl8169::Rtl8169;

compkt::driver_unit!(Rtl8169<Machine, false, true>);
