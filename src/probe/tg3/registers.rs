//! A card's registers before there is a device: configuration, its own memory, its address, its PHY.

use super::chips::*;
use crate::bus::{Bus, Timeout};
use crate::device::MacAddr;
use crate::drivers::tg3::*;
use crate::probe::{is_station, pci};

/// Offset in the PCI Express capability of device control; the upper half is the status, in which a 1 clears a bit.
pub const EXPRESS_CONTROL: u8 = 0x08;
/// The station address in the card's memory, behind this mark in the upper half.
const SRAM_MAC: u16 = 0x0C14;
const   SRAM_MAC_MARK: u32 = 0x484B;
/// The station address in the NVRAM: of the first and the second function, and of the 5906.
const NVRAM_MAC: [u32; 2] = [0x7C, 0xCC];
const NVRAM_MAC_5906: u32 = 0x10;
// NVRAM: command, address, data, lock, access.
const NVRAM_COMMAND: u16 = 0x7000;
/// Done (clears itself), go, first and last word.
const   NVRAM_READ: u32 = 1 << 3 | 1 << 4 | 3 << 7;
const   NVRAM_DONE: u32 = 1 << 3;
const NVRAM_ADDRESS: u16 = 0x700C;
const NVRAM_DATA: u16 = 0x7010;
const NVRAM_LOCK: u16 = 0x7020;
const   NVRAM_REQUEST: u32 = 1 << 1;
const   NVRAM_RELEASE: u32 = 1 << 5;
const   NVRAM_GRANTED: u32 = 1 << 9;
const NVRAM_ACCESS: u16 = 0x7024;
/// Numbers from here on are places in the card's memory.
pub const CARD_MEMORY: u16 = 0x8000;
// The window to the card's own memory, in configuration space: address, data.
const SRAM_ADDRESS: u8 = 0x7C;
const SRAM_DATA: u8 = 0x84;
/// How the MAC reads the PHY by itself.
const MI_MODE: u16 = 0x0454;
const   MI_MODE_POLL: u32 = 1 << 4;

// The PHY's registers (IEEE 802.3, clauses 22 and 40).
const BMCR: u32 = 0;
const   BMCR_AUTONEG: u32 = 1 << 12;
const   BMCR_RESTART: u32 = 1 << 9;
/// Loopback, power down, isolate.
const   BMCR_AWAY: u32 = 1 << 14 | 1 << 11 | 1 << 10;
const ANAR: u32 = 4;
/// 10 and 100 Mb/s, half and full duplex; 802.3.
const   ANAR_ALL: u32 = 0x01E1;
const GBCR: u32 = 9;
/// 1000 Mb/s, full duplex.
const   GBCR_FULL: u32 = 1 << 9;

/// Limit in microseconds for a register of the PHY or a word of the NVRAM.
const SERIAL_LIMIT: u16 = 5_000;
/// Limit in microseconds for the firmware to release the NVRAM, so many times.
const LOCK_LIMIT: u16 = 20_000;
const LOCK_WAITS: u8 = 8;
/// Time in microseconds for the MAC to end an access of its own to the PHY.
const POLL_TIME: u16 = 40;

/// The registers of a card before there is a device.
pub struct Registers<'a, B> {
    /// The bus.
    pub bus: &'a B,
    /// The PCI function.
    pub pci: u16,
    /// See [`Window`].
    pub place: u32,
}

impl<B: Bus> Registers<'_, B> {
    /// Reads a register of configuration space.
    #[inline(never)]
    pub fn config(&self, register: u8) -> u32 {
        self.bus.config_read(self.pci, register)
    }

    /// Writes one.
    #[inline(never)]
    pub fn set_config(&self, register: u8, value: u32) {
        self.bus.config_write(self.pci, register, value);
    }

    /// Reads a register.
    #[inline(never)]
    pub fn get(&self, register: u16) -> u32 {
        Both::get(self.bus, self.place, register)
    }

    /// Writes a register.
    #[inline(never)]
    pub fn put(&self, register: u16, value: u32) {
        Both::put(self.bus, self.place, register, value);
    }

    /// Reads a double word of the card's memory.
    #[inline(never)]
    pub fn sram(&self, at: u16) -> u32 {
        self.set_config(SRAM_ADDRESS, at as u32);
        let value = self.config(SRAM_DATA);
        self.set_config(SRAM_ADDRESS, 0);
        value
    }

    /// Writes one.
    #[inline(never)]
    pub fn set_sram(&self, at: u16, value: u32) {
        self.set_config(SRAM_ADDRESS, at as u32);
        self.set_config(SRAM_DATA, value);
        self.set_config(SRAM_ADDRESS, 0);
    }

    /// Waits until bits of a register have a value, or those of a double word of the card's memory, from [`CARD_MEMORY`] on.
    #[inline(never)]
    pub fn wait(&self, limit: u16, at: u16, bits: u32, value: u32) -> Result<(), Timeout> {
        let read = || if at >= CARD_MEMORY { self.sram(at - CARD_MEMORY) } else { self.get(at) };
        self.bus.wait(limit, || at != 0 && read() & bits == value)
    }

    /// Waits for so many microseconds.
    pub fn pause(&self, time: u16) {
        let _ = self.wait(time, 0, 0, 0);
    }

    /// The PCI Express capability.
    #[inline(never)]
    pub fn express(&self) -> Option<u8> {
        pci::capability(self.bus, self.pci, pci::EXPRESS, 0)
    }

    /// Reserves the NVRAM, which the firmware uses, too. False: the firmware keeps it.
    #[inline(never)]
    pub fn lock_nvram(&self) -> bool {
        self.put(NVRAM_LOCK, NVRAM_REQUEST);
        (0..LOCK_WAITS).any(|_| self.wait(LOCK_LIMIT, NVRAM_LOCK, NVRAM_GRANTED, NVRAM_GRANTED).is_ok())
    }

    /// Gives it back.
    pub fn release_nvram(&self) {
        self.put(NVRAM_LOCK, NVRAM_RELEASE);
    }

    fn nvram(&self, at: u32) -> u32 {
        self.put(NVRAM_ADDRESS, at);
        self.put(NVRAM_COMMAND, NVRAM_READ);
        let _ = self.wait(SERIAL_LIMIT, NVRAM_COMMAND, NVRAM_DONE, NVRAM_DONE);
        self.get(NVRAM_DATA)
    }

    /// The station address: where the firmware has put it, or from the NVRAM if there is none.
    pub fn address(&self, part: u8) -> Option<MacAddr> {
        let first = if part == B5906 { 0 } else { self.sram(SRAM_MAC) };
        if first >> 16 == SRAM_MAC_MARK
            && let Some(mac) = address_of(first, self.sram(SRAM_MAC + 4))
        {
            return Some(mac);
        }
        if let Some(mac) = address_of(self.get(MAC_ADDRESS), self.get(MAC_ADDRESS + 4)) {
            return Some(mac);
        }
        if !self.lock_nvram() {
            return None;
        }
        let access = self.get(NVRAM_ACCESS);
        self.put(NVRAM_ACCESS, access | 1);
        let [one, two] = NVRAM_MAC;
        let at = if part == B5906 { NVRAM_MAC_5906 } else if self.pci & 1 == 0 { one } else { two };
        let (first, rest) = (self.nvram(at), self.nvram(at + 4));
        self.put(NVRAM_ACCESS, access);
        self.release_nvram();
        address_of(first, rest)
    }

    /// The number of the PHY.
    pub fn phy(&self, part: u8) -> u8 {
        if part >= B5717 { (self.pci as u8 & 7) + 1 } else { 1 }
    }

    /// Starts an access to the PHY, and waits for its end.
    #[inline(never)]
    fn access_phy(&self, what: u32) -> u32 {
        self.put(MI_COMM, what);
        let _ = self.wait(SERIAL_LIMIT, MI_COMM, MI_BUSY, 0);
        self.get(MI_COMM) & 0xFFFF
    }

    /// Turns on a PHY that is off, and lets it negotiate every speed. If it does so already, its link is not interrupted.
    #[inline(never)]
    pub fn wake_phy(&self, part: u8) {
        self.put(MI_MODE, self.get(MI_MODE) & !MI_MODE_POLL);
        self.pause(POLL_TIME);
        let phy = (self.phy(part) as u32) << MI_PHY;
        let kept = self.offers(phy | ANAR << 16, ANAR_ALL) & (part == B5906 || self.offers(phy | GBCR << 16, GBCR_FULL));
        let control = self.access_phy(MI_READ | phy | BMCR << 16);
        if !kept || control & (BMCR_AWAY | BMCR_AUTONEG) != BMCR_AUTONEG {
            self.access_phy(MI_WRITE | phy | BMCR << 16 | BMCR_AUTONEG | BMCR_RESTART);
        }
    }

    /// Has a register of the PHY offer these speeds; whether it did before.
    #[inline(never)]
    fn offers(&self, register: u32, speeds: u32) -> bool {
        let offered = self.access_phy(MI_READ | register);
        let all = offered & speeds == speeds;
        if !all {
            self.access_phy(MI_WRITE | register | offered | speeds);
        }
        all
    }
}

/// The address in the low half of one double word and all of the next, first byte highest; `None`: no card has such a one.
fn address_of(first: u32, rest: u32) -> Option<MacAddr> {
    let mut mac = [0; 6];
    let (mut value, mut left) = (rest, 4u8);
    // In a loop, because rustc would use an instruction that a 386 does not have.
    for byte in mac.iter_mut().rev() {
        *byte = value as u8;
        value >>= 8;
        left = left.wrapping_sub(1);
        if left == 0 {
            value = first;
        }
    }
    is_station(&mac).then_some(mac)
}
