//! 82557 and its successors: the start unit.
#![no_std]
#![no_main]

use compkt::probe::i8255x::I8255xProbe;

compkt::start_unit!(I8255xProbe);
