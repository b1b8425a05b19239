//! vmxnet3: the find unit.
#![no_std]
#![no_main]

use compkt::probe::vmxnet3::Vmxnet3Probe;

compkt::find_unit!(Vmxnet3Probe);
