//! vmxnet3: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::vmxnet3::Vmxnet3Probe;

compkt::probe_unit!(Vmxnet3Probe);
