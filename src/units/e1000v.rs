//! 82540, 82544 and 82545: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::e1000::E1000Ports;

compkt::driver_unit!(E1000Ports<Machine>);
