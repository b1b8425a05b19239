//! PCnet-PCI with rings in extended memory: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::pcnet::Pcnet;

compkt::driver_unit!(Pcnet<Flat, true>);
