//! 82557 and its successors: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::i8255x::I8255x;

compkt::driver_unit!(I8255x<Machine>);
