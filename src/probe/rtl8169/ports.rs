//! A card's registers before there is a device: its address, its firmware, its bus, and its PHY.

use super::chips::XID;
use crate::bus::Bus;
use crate::device::MacAddr;
use crate::drivers::rtl8169::*;
use crate::probe::is_station;
use crate::probe::microwire::{self, Wires};

/// CR9346: the EEPROM's wires are the software's. Select, clock and data are bits 3, 2 and 1, the answer bit 0.
const   CR9346_WIRES: u8 = 1 << 7;
/// TCR: the transmitter's queue is empty.
const   TCR_EMPTY: u32 = 1 << 11;
/// Interrupt configuration of the 8125 (8 bits); 0: as the older parts.
const INT_CFG_8125: u8 = 0x34;
/// Configuration 2, 3, 5 (8 bits), writable with [`CR9346_CONFIG`].
const CONFIG2: u8 = 0x53;
/// The PCI bus has 66 MHz.
const   CONFIG2_66MHZ: u8 = 1 << 0;
const   CONFIG2_MSI: u8 = 1 << 5;
const   CONFIG2_CLKREQ: u8 = 1 << 7;
const CONFIG3: u8 = 0x54;
const   CONFIG3_L23: u8 = 1 << 1;
const CONFIG5: u8 = 0x56;
const   CONFIG5_ASPM: u8 = 1 << 0;
/// PHYSTATUS: a fibre, without a PHY to negotiate (8169).
const   PHYSTATUS_TBI: u8 = 1 << 7;
/// PHY access (32 bits).
const PHYAR: u8 = 0x60;
/// ERI data, and address (32 bits): registers with the address from the EEPROM.
const ERIDR: u8 = 0x70;
const ERIAR: u8 = 0x74;
/// The 8168C sleeps (8 bits), and what wakes it.
const SLEEP: u8 = 0x6D;
const   SLEEP_NOW: u8 = 1 << 7;
const WAKE: u8 = 0x6E;
const   WAKE_NOW: u8 = 1 << 0;
/// PLL (8 bits): bits 7:6 keep it on.
const PMCH: u8 = 0x6F;
/// A value that depends on the PCI clock (32 bits, 8169SC).
const PCI_CLOCK: u8 = 0x7C;
/// To be written as 1 (8 bits, 8169S).
const START_8169S: u8 = 0x82;
/// Access to registers of the MAC, and of the PHY (32 bits, [`GATED`]).
const OCPDR: u8 = 0xB0;
const PHYOCP: u8 = 0xB8;
/// The flag of these accesses, and of PHYAR and ERIAR: write. It changes when the access is done.
const FLAG: u32 = 1 << 31;
/// Firmware and FIFO (8 bits, [`LATER`]).
const MCU: u8 = 0xD3;
const   MCU_NOW_OOB: u8 = 1 << 7;
const   MCU_EMPTY: u8 = 3 << 4;
const   MCU_READY: u8 = 1 << 1;
/// Descriptors of 32 bytes (8 bits, 8125BP and later).
const DESC_8125: u8 = 0xD8;
const   DESC_8125_LONG: u8 = 1 << 1;
/// Management engine's channel (8 bits; 8168EP, 8117): two switches, and its state.
const CMAC: u8 = 0xF8;
const CMAC_IRQ: u8 = 0xF9;
const CMAC_STATE: u8 = 0xFB;
const   CMAC_STOPPED: u8 = 1 << 5;

// Registers of the MAC behind OCPDR.
const OCP_MCU: u16 = 0xE8DE;
const OCP_DESC_8125: u16 = 0xEB58;

// The PHY's registers (IEEE 802.3, clauses 22 and 40).
const BMCR: u8 = 0;
const   BMCR_AUTONEG: u16 = 1 << 12;
const   BMCR_RESTART: u16 = 1 << 9;
/// Loopback, power down, isolate.
const   BMCR_AWAY: u16 = 1 << 14 | 1 << 11 | 1 << 10;
const ANAR: u8 = 4;
/// 10 and 100 Mb/s, half and full duplex; 802.3.
const   ANAR_ALL: u16 = 0x01E1;
const GBCR: u8 = 9;
/// 1000 Mb/s, full duplex.
const   GBCR_FULL: u16 = 1 << 9;
const PAGE: u8 = 0x1F;
/// 2.5 Gb/s of the 8125: a register of the PHY behind PHYOCP, and its bit.
const OCP_2500: u32 = 0xA5D4;
const   OCP_2500_OFFER: u32 = 1 << 7;

// The EEPROM's words (93C46): its mark, and where the address is.
const ROM_MARK: u8 = 0;
const   ROM_8129: u16 = 0x8129;
const ROM_ADDRESS: u8 = 7;

/// Limit in microseconds for a register of PHY, MAC or EEPROM.
const SERIAL_LIMIT: u16 = 2_000;
/// Time between accesses of the PHY in microseconds.
const SERIAL_PAUSE: u16 = 20;
/// Limit in microseconds for the firmware.
const MCU_LIMIT: u16 = 4_200;
/// Time for the gate to close in microseconds.
const GATE_TIME: u16 = 2_000;
/// Limit in microseconds for the management engine.
const CMAC_LIMIT: u16 = 20_000;

/// The registers of a card before there is a device.
pub struct Ports<'a, B> {
    /// The bus.
    pub bus: &'a B,
    /// First port.
    pub io: u16,
}

impl<B: Bus> Ports<'_, B> {
    /// The port of a register.
    pub fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    /// The chip's number.
    pub fn xid(&self) -> u16 {
        (self.bus.in32(self.port(TCR)) >> 20) as u16 & XID
    }

    /// Clears and sets bits of an 8-bit register.
    #[inline(never)]
    fn change(&self, register: u8, clear: u8, set: u8) {
        let port = self.port(register);
        self.bus.out8(port, self.bus.in8(port) & !clear | set);
    }

    /// Writes an address with its flag, and waits until the flag has changed. False: it does not change.
    #[inline(never)]
    fn access(&self, register: u8, value: u32) -> bool {
        let port = self.port(register);
        self.bus.out32(port, value);
        let done = self.bus.wait(SERIAL_LIMIT, || (self.bus.in32(port) ^ value) & FLAG != 0).is_ok();
        let _ = self.bus.wait(SERIAL_PAUSE, || false);
        done
    }

    /// A register of the MAC; it needs no wait.
    #[inline(never)]
    fn get_mac(&self, register: u16) -> u16 {
        self.bus.out32(self.port(OCPDR), (register as u32) << 15);
        self.bus.in32(self.port(OCPDR)) as u16
    }

    #[inline(never)]
    fn put_mac(&self, register: u16, value: u16) {
        self.bus.out32(self.port(OCPDR), FLAG | (register as u32) << 15 | value as u32);
    }

    /// The register, and the number in it, by which a register of the PHY is reached.
    fn phy(part: u8, register: u8) -> (u8, u32) {
        if part & GATED != 0 { (PHYOCP, (0xA400 + 2 * register as u32) << 15) } else { (PHYAR, (register as u32) << 16) }
    }

    /// A register of the PHY; `None` if it does not answer.
    #[inline(never)]
    fn get_phy(&self, part: u8, register: u8) -> Option<u16> {
        let (at, number) = Self::phy(part, register);
        self.access(at, number).then(|| self.bus.in32(self.port(at)) as u16)
    }

    /// Writes a register of the PHY; `None` if it does not answer.
    #[inline(never)]
    fn put_phy(&self, part: u8, register: u8, value: u16) -> Option<()> {
        let (at, number) = Self::phy(part, register);
        self.access(at, FLAG | number | value as u32).then_some(())
    }

    /// The address in the registers.
    pub fn address(&self) -> MacAddr {
        address_of(self.bus.in32(self.port(IDR0)), self.bus.in32(self.port(IDR0 + 4)))
    }

    /// The address from the EEPROM of a part that has it in its ERI registers: another driver may have changed the other.
    pub fn kept_address(&self) -> Option<MacAddr> {
        let half = |at: u32| self.access(ERIAR, 15 << 12 | at).then(|| self.bus.in32(self.port(ERIDR)));
        let mac = address_of(half(0xE0)?, half(0xE4)?);
        is_station(&mac).then_some(mac)
    }

    /// The address in the EEPROM of a card on PCI.
    pub fn rom_address(&self) -> Option<MacAddr> {
        let rom = Eeprom { bus: self.bus, port: self.port(CR9346) };
        let bits = microwire::address_bits(&rom);
        let word = |at: u8| microwire::read(&rom, bits, at) as u32;
        let address = (word(ROM_MARK) == ROM_8129 as u32)
            .then(|| address_of(word(ROM_ADDRESS) | word(ROM_ADDRESS + 1) << 16, word(ROM_ADDRESS + 2)));
        self.bus.out8(self.port(CR9346), CR9346_NORMAL);
        address
    }

    /// Waits for the list of the FIFO's blocks.
    #[inline(never)]
    fn list_ready(&self) {
        let _ = self.bus.wait(MCU_LIMIT, || self.bus.in8(self.port(MCU)) & MCU_READY != 0);
    }

    /// Takes the FIFO from the part's firmware, which may have it after power-up. The gate is closed then.
    pub fn leave_oob(&self, xid: u16, part: u8, new: bool) {
        if part & GATED == 0 {
            if part & LATER != 0 {
                self.change(MCU, MCU_NOW_OOB, 0);
            }
            return;
        }
        if matches!(xid, 0x500..=0x502 | 0x54A | 0x54B) {
            self.change(CMAC_IRQ, 1, 0);
            let _ = self.bus.wait(CMAC_LIMIT, || self.bus.in8(self.port(CMAC_STATE)) & CMAC_STOPPED != 0);
            self.change(CMAC_STATE, 0, CMAC_STOPPED);
            self.change(CMAC, 1, 0);
        }
        let misc = self.port(MISC);
        self.bus.out32(misc, self.bus.in32(misc) | MISC_GATE);
        let _ = self.bus.wait(GATE_TIME, || false);
        let empty = || {
            self.bus.in32(self.port(TCR)) & TCR_EMPTY != 0 && self.bus.in8(self.port(MCU)) & MCU_EMPTY == MCU_EMPTY
        };
        let _ = self.bus.wait(MCU_LIMIT, empty);
        self.change(CR, CR_RE_TE, 0);
        self.change(MCU, MCU_NOW_OOB, 0);
        self.put_mac(OCP_MCU, self.get_mac(OCP_MCU) & !(1 << 14));
        self.list_ready();
        if new {
            for (register, value) in [(0xC0AA, 0x07D0), (0xC0A6, 0x0150), (0xC01E, 0x5555)] {
                self.put_mac(register, value);
            }
        } else {
            self.put_mac(OCP_MCU, self.get_mac(OCP_MCU) | 1 << 15);
        }
        self.list_ready();
    }

    /// What differs in the bus: clocks, power saving, message interrupts.
    pub fn settle_bus(&self, xid: u16, part: u8) {
        self.change(CR9346, 0, CR9346_CONFIG);
        if part & ON_PCI != 0 {
            self.change(CONFIG2, CONFIG2_MSI, 0);
            if xid < 0x010 {
                self.bus.out8(self.port(START_8169S), 1);
            }
            if xid & 0x7FF == 0x180 {
                let fast = self.bus.in8(self.port(CONFIG2)) & CONFIG2_66MHZ != 0;
                let clock = if fast { 0x000F_FFFF } else { 0x000F_FF00 } | if xid >= 0x980 { 0x00F0_0000 } else { 0 };
                self.bus.out32(self.port(PCI_CLOCK), clock);
            }
        } else {
            self.change(CONFIG5, CONFIG5_ASPM, 0);
            self.change(CONFIG2, CONFIG2_CLKREQ, 0);
            if part & LATER != 0 {
                self.change(CONFIG3, CONFIG3_L23, 0);
            }
            self.change(PMCH, 0, 0xC0);
            if part == STORMS && self.bus.in8(self.port(SLEEP)) & SLEEP_NOW != 0 {
                self.change(WAKE, 0, WAKE_NOW);
            }
        }
        self.bus.out8(self.port(CR9346), CR9346_NORMAL);
    }

    /// Causes, interrupts and descriptors of an 8125 as the older parts have them.
    pub fn settle_8125(&self, xid: u16) {
        self.bus.out8(self.port(INT_CFG_8125), 0);
        self.put_mac(OCP_DESC_8125, self.get_mac(OCP_DESC_8125) & !1);
        if xid >= 0x680 {
            self.change(DESC_8125, DESC_8125_LONG, 0);
        }
    }

    /// Turns on a PHY that is off, and lets it negotiate every speed. If it does so already, its link is not interrupted. None:
    /// it does not answer.
    pub fn wake_phy(&self, xid: u16, part: u8, gigabit: bool, new: bool) -> Option<()> {
        if part & ON_PCI != 0 && self.bus.in8(self.port(PHYSTATUS)) & PHYSTATUS_TBI != 0 {
            return Some(());
        }
        if part & GATED == 0 {
            self.put_phy(part, PAGE, 0)?;
            if part & ON_PCI == 0 {
                self.put_phy(part, 0x0E, 0)?;
            } else if xid < 0x010 {
                self.put_phy(part, 0x0B, 0)?;
            }
        }
        let control = self.get_phy(part, BMCR)?;
        let offered = self.get_phy(part, ANAR)?;
        let fast = if gigabit { self.get_phy(part, GBCR)? } else { GBCR_FULL };
        if control & (BMCR_AWAY | BMCR_AUTONEG) == BMCR_AUTONEG && offered & ANAR_ALL == ANAR_ALL && fast & GBCR_FULL != 0 {
            return Some(());
        }
        self.put_phy(part, ANAR, offered | ANAR_ALL)?;
        if gigabit {
            self.put_phy(part, GBCR, fast | GBCR_FULL)?;
        }
        if new && self.access(PHYOCP, OCP_2500 << 15) {
            let offered = self.bus.in32(self.port(PHYOCP)) & 0xFFFF;
            self.access(PHYOCP, FLAG | OCP_2500 << 15 | offered | OCP_2500_OFFER);
        }
        self.put_phy(part, BMCR, BMCR_AUTONEG | BMCR_RESTART)
    }
}

/// The wires of a card's EEPROM.
struct Eeprom<'a, B> {
    bus: &'a B,
    port: u16,
}

impl<B: Bus> Wires for Eeprom<'_, B> {
    fn set(&self, wires: u8) {
        self.bus.out8(self.port, CR9346_WIRES | (wires & 3) << 2 | wires >> 1 & 2);
        self.bus.clock();
    }

    fn output(&self) -> bool {
        self.bus.in8(self.port) & 1 != 0
    }
}

fn address_of(low: u32, high: u32) -> MacAddr {
    let [a, b, c, d] = low.to_le_bytes();
    let [e, f, ..] = high.to_le_bytes();
    [a, b, c, d, e, f]
}
