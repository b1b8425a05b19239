//! 21142 and 21143: the find unit.
#![no_std]
#![no_main]

use compkt::probe::tulip::TulipProbe;

compkt::find_unit!(TulipProbe);
