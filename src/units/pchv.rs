//! 82577 to I219 in chipsets: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::pch::PchPorts;

compkt::driver_unit!(PchPorts<Machine>);
