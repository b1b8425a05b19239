//! 82557 and its successors: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::i8255x::I8255x;

compkt::driver_unit!(I8255x<Flat>);
