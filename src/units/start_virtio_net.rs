//! virtio network cards: the start unit.
#![no_std]
#![no_main]

use compkt::probe::virtio_net::VirtioNetProbe;

compkt::start_unit!(VirtioNetProbe);
