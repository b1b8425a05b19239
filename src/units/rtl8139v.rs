//! RTL8139 with rings in conventional memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::rtl8139::Rtl8139;

compkt::driver_unit!(Rtl8139<Machine, false>);
