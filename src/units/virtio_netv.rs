//! virtio network cards, in V86 mode: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::virtio_net::VirtioNet;

compkt::driver_unit!(VirtioNet<Machine>);
