//! NE1000, and NE2000 in an 8-bit slot: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::ne2000::Ne2000;

compkt::driver_unit!(Ne2000<Machine, false>);
