//! BCM57xx: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::tg3::{Memory, Tg3};

compkt::driver_unit!(Tg3<Flat, Memory>);
