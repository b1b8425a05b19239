//! PCnet-PCI: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::pcnet::PcnetProbe;

compkt::probe_unit!(PcnetProbe);
