//! NE2000 compatibles on the PCI bus: the find unit.
#![no_std]
#![no_main]

use compkt::probe::ne2k_pci::Ne2kPciProbe;

compkt::find_unit!(Ne2kPciProbe);
