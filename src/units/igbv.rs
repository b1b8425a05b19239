//! 82575 to I226: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::igb::IgbPorts;

compkt::driver_unit!(IgbPorts<Machine>);
