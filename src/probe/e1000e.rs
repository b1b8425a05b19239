//! Finds and starts the 82574 and 82583.

use super::intel_rings::{self, Eeprom};
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::Bus;
use crate::drivers::intel_rings::{Both, EXPRESS, Gigabit};

/// The probe of these cards.
pub struct E1000eProbe;

impl<B: Bus> Probe<B> for E1000eProbe {
    type Device = Gigabit<B, Both, EXPRESS>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &[
        0x10D3_8086, // 82574L
        0x10F6_8086, // 82574LA
        0x150C_8086, // 82583V
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        intel_rings::find::<B, EXPRESS>(bus, ask, <Self as Probe<B>>::IDS, |_| Eeprom::Register(2, 1))
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        intel_rings::start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        intel_rings::line(bus, found, device)
    }
}
