//! PCnet-PCI with rings in conventional memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::pcnet::Pcnet;

compkt::driver_unit!(Pcnet<Machine, false>);
