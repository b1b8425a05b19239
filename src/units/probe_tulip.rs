//! 21142 and 21143: the probe unit.
#![no_std]
#![no_main]

use compkt::probe::tulip::TulipProbe;

compkt::probe_unit!(TulipProbe);
