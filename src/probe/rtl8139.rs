//! Finds and starts the RTL8139 and its compatibles.

use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, line};
use crate::bus::Bus;
use crate::device::MacAddr;
use crate::drivers::rtl8139::*;

/// ISR and IMR: the timer has reached [`TIMER_INT`].
const   ISR_TIMEOUT: u16 = 1 << 14;
/// Timer (32 bits): counts clocks of the PCI bus; any write sets it to 0.
const TCTR: u8 = 0x48;
/// Configuration 1 (8 bits), writable with [`CR9346_CONFIG`].
const CONFIG1: u8 = 0x52;
/// Sleep and power down, in chips without PCI power management.
const   CONFIG1_OLD_POWER: u8 = 3 << 0;
/// Value of the timer at which it interrupts (32 bits), 0: none.
const TIMER_INT: u8 = 0x54;
/// 8 microseconds.
const   TIMER_SOON: u32 = 0x100;
/// Clock (8 bits; chips without PCI power management): `R` starts it.
const HLTCLK: u8 = 0x5B;
/// Multiple interrupt select (16 bits): with bits 11:0 not 0, interrupts come before a frame is complete.
const MULINT: u8 = 0x5C;
/// Basic mode control of the PHY (16 bits).
const BMCR: u8 = 0x62;
/// Loopback, power down, isolate.
const   BMCR_AWAY: u16 = 1 << 14 | 1 << 11 | 1 << 10;
const   BMCR_AUTONEGOTIATE: u16 = 1 << 12 | 1 << 9;

/// Bits of TCR with the version of the chip.
const HWVERID: u32 = 0x7CC0_0000;
/// RTL8139, 8139K, 8139A, 8139A-G: chips without PCI power management.
const OLD_PARTS: [u32; 4] = [0x4000_0000, 0x6000_0000, 0x7000_0000, 0x7080_0000];

/// Limit of a reset, in microseconds.
const RESET_LIMIT: u16 = 10_000;
/// Limit in microseconds for the chip to read the EEPROM; by the data sheet that takes 2 ms.
const EEPROM_LIMIT: u16 = 20_000;

/// Receive configuration of a NIC that has just been started: the own address and broadcasts.
const RCR_START: u32 = RCR_RXFTH_WHOLE | RCR_MXDMA_UNLIMITED | RCR_APM | RCR_AB;

/// The probe of these cards.
pub struct Rtl8139Probe;

impl<B: Bus> Probe<B> for Rtl8139Probe {
    // One layout for both units of the driver; the installer loads the one for the rings' memory.
    type Device = Rtl8139<B, false>;

    const IDS: &'static [u32] = &[
        0x8139_10EC, // Realtek RTL8139, 8100, 8101L, 8130
        0x8138_10EC, // Realtek RTL8139 (CardBus)
        0x1211_1113, // Accton EN-1207D, MPX5030
        0x1360_1500, // Delta 8139
        0x1360_4033, // Addtron 8139
        0x1300_1186, // D-Link DFE-530TX+, DFE-538TX
        0x1340_1186, // D-Link DFE-690TXD
        0xAB06_13D1, // AboCom FE2000VX
        0xA117_1259, // Allied Telesyn 8139
        0xA11E_1259, // Allied Telesyn 8139 (CardBus)
        0xAB06_14EA, // Planex FNW-3603-TX
        0xAB07_14EA, // Planex FNW-3800-TX
        0x1234_11DB, // Sega Broadband Adapter
        0x9130_1432, // Edimax EN-9130TX
        0x1012_02AC, // SpeedStream 1012
        0x0106_018A, // LevelOne FPC-0106TX
        0x1211_126C, // Nortel BayStack 21
        0x8139_1743, // Peppercon ROL-F
        0x8139_021B, // Compaq HNE-300
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        pci::enable(bus, ask.pci, false)?;
        let io = pci::ports(bus, ask, 0)?;
        let port = |register: u8| io.wrapping_add(register as u16);
        if OLD_PARTS.contains(&(bus.in32(port(TCR)) & HWVERID)) {
            bus.out8(port(HLTCLK), b'R');
            bus.out8(port(CR9346), CR9346_CONFIG);
            bus.out8(port(CONFIG1), bus.in8(port(CONFIG1)) & !CONFIG1_OLD_POWER);
            bus.out8(port(CR9346), CR9346_NORMAL);
        }
        // A reset before DMA is enabled: the chip may still have another driver's rings.
        bus.out8(port(CR), CR_RST);
        bus.wait(RESET_LIMIT, || bus.in8(port(CR)) & CR_RST == 0).map_err(|_| Fault::Dead)?;
        pci::enable(bus, ask.pci, true)?;
        // Another driver may have changed the address.
        bus.out8(port(CR9346), CR9346_AUTOLOAD);
        bus.wait(EEPROM_LIMIT, || bus.in8(port(CR9346)) & CR9346_CONFIG == 0).map_err(|_| Fault::Dead)?;
        let [a, b, c, d] = bus.in32(port(IDR0)).to_le_bytes();
        let [e, f, ..] = bus.in32(port(IDR0 + 4)).to_le_bytes();
        let mac: MacAddr = [a, b, c, d, e, f];
        Ok(Found {
            mac,
            io,
            irq: pci::irq(bus, ask),
            pci: ask.pci,
            rings_low: TX_ONE + RING_LOW as u16,
            rings_xms: TX_FOUR as u32 + RING_DEEP,
            ..Found::default()
        })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Rtl8139<B, false>, Fault> {
        let port = |register: u8| found.io.wrapping_add(register as u16);
        bus.out16(port(MULINT), bus.in16(port(MULINT)) & 0xF000);
        if bus.in16(port(BMCR)) & BMCR_AWAY != 0 {
            bus.out8(port(CR9346), CR9346_CONFIG);
            bus.out16(port(BMCR), BMCR_AUTONEGOTIATE);
            bus.out8(port(CR9346), CR9346_NORMAL);
        }
        for half in 0..2 {
            bus.out32(port(MAR0 + 4 * half), 0);
        }
        if rings.len >= found.rings_xms {
            let card = open::<B, true>(bus, found.io, rings, TX_FOUR, RCR_START | RCR_RBLEN_64K)?;
            Ok(card.shallow())
        } else {
            open(bus, found.io, rings, TX_ONE, RCR_START | RCR_RBLEN_8K)
        }
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        let port = |register: u8| found.io.wrapping_add(register as u16);
        let provoke = || {
            bus.out16(port(IMR), ISR_TIMEOUT);
            bus.out32(port(TIMER_INT), TIMER_SOON);
            bus.out32(port(TCTR), 0);
        };
        let quiet = || {
            bus.out16(port(IMR), 0);
            bus.out32(port(TIMER_INT), 0);
            let causes = bus.in16(port(ISR));
            bus.out16(port(ISR), ISR_TIMEOUT);
            causes & ISR_TIMEOUT != 0
        };
        line::check(bus, found.irq, provoke, quiet)
    }
}

fn open<B: Bus, const DEEP: bool>(bus: B, io: u16, rings: &Rings, ahead: u16, rcr: u32) -> Result<Rtl8139<B, DEEP>, Fault> {
    let mut card = Rtl8139::new(bus, io, rings.linear.plus(ahead));
    if card.open(rings.physical.wrapping_add(ahead as u32), rcr) { Ok(card) } else { Err(Fault::Dead) }
}
