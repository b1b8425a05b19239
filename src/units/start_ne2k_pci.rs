//! NE2000 compatibles on the PCI bus: the start unit.
#![no_std]
#![no_main]

use compkt::probe::ne2k_pci::Ne2kPciProbe;

compkt::start_unit!(Ne2kPciProbe);
