//! NE2000 compatibles on the PCI bus: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::ne2k_pci::Ne2kPciProbe;

compkt::probe_unit!(Ne2kPciProbe);
