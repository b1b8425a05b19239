//! 21142 and 21143: the start unit.
#![no_std]
#![no_main]

use compkt::probe::tulip::TulipProbe;

compkt::start_unit!(TulipProbe);
