//! vmxnet3: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::vmxnet3::Vmxnet3;

compkt::driver_unit!(Vmxnet3<Flat>);
