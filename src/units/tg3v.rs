//! BCM57xx: the resident unit for V86 mode.
#![no_std]
#![no_main]

use compkt::bus::real::Machine;
use compkt::drivers::tg3::{Config, Tg3};

compkt::driver_unit!(Tg3<Machine, Config>);
