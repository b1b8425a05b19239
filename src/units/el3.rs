//! 3C509 and 3C509B: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::el3::El3;

compkt::driver_unit!(El3<Machine, false>);
