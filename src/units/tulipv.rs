//! 21142 and 21143: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::tulip::Tulip;

compkt::driver_unit!(Tulip<Machine>);
