//! NE2000 compatibles on the PCI bus: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::ne2k_pci::Ne2kPci;

compkt::driver_unit!(Ne2kPci<Machine>);
