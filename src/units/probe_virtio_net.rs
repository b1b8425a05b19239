//! virtio network cards: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::virtio_net::VirtioNetProbe;

compkt::probe_unit!(VirtioNetProbe);
