//! 82557 and its successors: the find unit.
#![no_std]
#![no_main]

use compkt::probe::i8255x::I8255xProbe;

compkt::find_unit!(I8255xProbe);
