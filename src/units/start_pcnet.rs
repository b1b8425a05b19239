//! PCnet-PCI: the start unit.
#![no_std]
#![no_main]

use compkt::probe::pcnet::PcnetProbe;

compkt::start_unit!(PcnetProbe);
