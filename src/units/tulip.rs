//! 21142 and 21143: the resident unit.
#![no_std]
#![no_main]

use compkt::bus::flat::Flat;
use compkt::drivers::tulip::Tulip;

compkt::driver_unit!(Tulip<Flat>);
