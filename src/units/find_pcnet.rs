//! PCnet-PCI: the find unit.
#![no_std]
#![no_main]

use compkt::probe::pcnet::PcnetProbe;

compkt::find_unit!(PcnetProbe);
