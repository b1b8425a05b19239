//! 82557 and its successors: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::i8255x::I8255xProbe;

compkt::probe_unit!(I8255xProbe);
