//! virtio network cards, in real mode: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::virtio_net::VirtioNet;

compkt::driver_unit!(VirtioNet<Flat>);
