//! Finds and starts the 82540, 82544 and 82545.

use super::intel_rings::{self, Eeprom};
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::Bus;
use crate::drivers::intel_rings::{Both, Gigabit, PCI};

/// The probe of these cards.
pub struct E1000Probe;

impl<B: Bus> Probe<B> for E1000Probe {
    type Device = Gigabit<B, Both, PCI>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &[
        0x1008_8086, // 82544EI
        0x100C_8086, // 82544GC
        0x100D_8086, // 82544GC on a mainboard
        0x100E_8086, // 82540EM
        0x100F_8086, // 82545EM
        0x1015_8086, // 82540EM on a mainboard
        0x1016_8086, // 82540EP on a mainboard
        0x1017_8086, // 82540EP
        0x101E_8086, // 82540EP, low power
        0x1026_8086, // 82545GM
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let eeprom = |id: u32| if id < 0x100E_0000 { Eeprom::Wires } else { Eeprom::Register(8, 4) };
        intel_rings::find::<B, PCI>(bus, ask, <Self as Probe<B>>::IDS, eeprom)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        intel_rings::start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        intel_rings::line(bus, found, device)
    }
}
