//! 82574 and 82583: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::e1000e::E1000ePorts;

compkt::driver_unit!(E1000ePorts<Machine>);
