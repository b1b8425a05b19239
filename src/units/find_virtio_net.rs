//! virtio network cards: the find unit.
#![no_std]
#![no_main]

use compkt::probe::virtio_net::VirtioNetProbe;

compkt::find_unit!(VirtioNetProbe);
