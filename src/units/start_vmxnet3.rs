//! vmxnet3: the start unit.
#![no_std]
#![no_main]

use compkt::probe::vmxnet3::Vmxnet3Probe;

compkt::start_unit!(Vmxnet3Probe);
