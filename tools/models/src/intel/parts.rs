//! Parts of the 82576's family as fronts before QEMU's 82576. QEMU moves the frames: rings, descriptors, filters, interrupt
//! causes, link and PHY are its own. The front has what differs between the parts, and rules that QEMU does not keep: a tail that
//! is written to a queue at rest is lost, heads are read-only, and addresses of rings are written while the queue rests.

use crate::faults::{Faults, Kind};
use crate::front::{Front, Inner};
use std::collections::BTreeMap;

/// A part.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// PCI device; the vendor is 8086h.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Its PHY's address, by MDIC. None: MDICNFG has it, whatever MDIC says.
    phy: Option<u32>,
    /// Its PHY's identifier.
    phy_id: u32,
    /// It has PHPM, by which the PHY's power is controlled.
    power: bool,
    /// A reset does not restore the sizes of its buffers.
    sizes: bool,
    /// Its NVM's registers are at 12010h.
    high_nvm: bool,
    /// It has a table of unicast addresses.
    unicasts: bool,
    /// It has ports.
    pub ports: bool,
}

/// 82575EB.
pub const I82575EB: Part = Part {
    device: 0x10A7,
    revision: 2,
    phy: Some(1),
    phy_id: 0x02A8_0391,
    power: false,
    sizes: false,
    high_nvm: false,
    unicasts: false,
    ports: true,
};
/// 82580.
pub const I82580: Part = Part { device: 0x150E, revision: 1, phy: None, phy_id: 0x0154_03A0, power: true, unicasts: true, ..I82575EB };
/// I350.
pub const I350: Part = Part { device: 0x1521, phy_id: 0x0154_03B0, ..I82580 };
/// I354, whose PHY is a chip of its own.
pub const I354: Part = Part { device: 0x1F41, phy_id: 0x0141_0EA0, ..I350 };
/// I210, without a flash memory for its driver's settings.
pub const I210: Part = Part { device: 0x1533, revision: 3, phy_id: 0x0141_0C00, sizes: true, high_nvm: true, ..I82580 };
/// I211.
pub const I211: Part = Part { device: 0x1539, sizes: false, ..I210 };
/// I225-V.
pub const I225V: Part = Part { device: 0x15F3, phy: Some(0), phy_id: 0x67C9_DC00, ports: false, ..I210 };
/// I226-V.
pub const I226V: Part = Part { device: 0x125C, revision: 4, ..I225V };

/// Registers.
mod at {
    pub const CTRL: u32 = 0x0000;
    pub const STATUS: u32 = 0x0008;
    pub const EECD: u32 = 0x0010;
    pub const EERD: u32 = 0x0014;
    pub const MDIC: u32 = 0x0020;
    pub const IMS: u32 = 0x00D0;
    pub const RCTL: u32 = 0x0100;
    pub const PHPM: u32 = 0x0E14;
    pub const RXPBS: u32 = 0x2404;
    pub const TXPBS: u32 = 0x3404;
    pub const SW_FW_SYNC: u32 = 0x5B5C;
    pub const UTA: u32 = 0xA000;
    pub const UTA_END: u32 = 0xA200;
    pub const HIGH_EECD: u32 = 0x1_2010;
    pub const HIGH_EERD: u32 = 0x1_2014;
    /// The first queues, and their registers' places behind that.
    pub const RX: u32 = 0xC000;
    pub const TX: u32 = 0xE000;
    pub const HEAD: u32 = 0x10;
    pub const TAIL: u32 = 0x18;
    pub const QUEUE: u32 = 0x28;
}

const CTRL_RESET: u32 = 1 << 26;
/// Reset of the whole device, which QEMU's card does not know.
const CTRL_DEVICE_RESET: u32 = 1 << 29;
const CTRL_PHY_RESET: u32 = 1 << 31;
const STATUS_LINK: u32 = 1 << 1;
const STATUS_FUNCTION: u32 = 3 << 2;
/// The NVM was read; a flash memory is there.
const EECD_READ: u32 = 1 << 9;
const EECD_FLASH: u32 = 1 << 19;
/// The NVM's size, and 1024 words.
const EECD_SIZE: u32 = 15 << 11;
const EECD_KWORD: u32 = 4 << 11;
const MDIC_WRITE: u32 = 1 << 26;
const MDIC_READ: u32 = 2 << 26;
const MDIC_READY: u32 = 1 << 28;
const MDIC_ERROR: u32 = 1 << 30;
const MDIC_PHY: u32 = 31 << 21;
const RCTL_ON: u32 = 1 << 1;
const QUEUE_ON: u32 = 1 << 25;
/// The link is kept down; the PHY has ended its reset.
const PHPM_DISCONNECT: u32 = 1 << 5;
const PHPM_RESET_DONE: u32 = 1 << 8;
/// Sizes of the buffers that drivers write, and those that some earlier driver has left.
const SIZES: (u32, u32) = (0xA2, 0x0400_0014);
const LEFT_SIZES: (u32, u32) = (0x22, 0);

/// The front.
#[derive(Debug)]
pub struct Parts {
    part: Part,
    /// An earlier driver has left the link disconnected.
    disconnected: bool,
    faults: Faults,
    phpm: u32,
    sizes: (u32, u32),
    mdic: u32,
    /// What EERD reads, if it is not QEMU's: words of the NVM for ports that QEMU's card does not have.
    eerd: Option<u32>,
    /// The PHY's registers by device and number (clause 45), the number and the access that are chosen.
    paged: BTreeMap<(u32, u32), u32>,
    number: u32,
    access: u32,
}

impl Parts {
    /// A part. `disconnected`: an earlier driver has switched its link off. Of the faults it has one: an interrupt that never comes
    /// ([`Kind::LostInterrupt`]), because the mask stays as it was. Event: the driver opens the mask.
    pub fn new(part: Part, disconnected: bool, faults: Faults) -> Parts {
        let mut front = Parts {
            part,
            disconnected,
            faults,
            phpm: 0,
            sizes: LEFT_SIZES,
            mdic: 0,
            eerd: None,
            paged: BTreeMap::new(),
            number: 0,
            access: 0,
        };
        front.hard_reset();
        front
    }

    /// The register of QEMU's that this offset names.
    fn place(&self, offset: u32) -> u32 {
        match offset {
            // The first queues have their registers at old places, too.
            0x2800..0x2840 => offset - 0x2800 + at::RX,
            0x3800..0x3840 => offset - 0x3800 + at::TX,
            // QEMU has interrupt causes and masks at their old places only.
            0x1500..=0x1510 => (offset - 0x1500) * 2 + 0xC0,
            at::HIGH_EECD if self.part.high_nvm => at::EECD,
            at::HIGH_EERD if self.part.high_nvm => at::EERD,
            _ => offset,
        }
    }

    /// MDIC is written: the PHY is read or written.
    fn access_phy(&mut self, inner: &mut dyn Inner, value: u32) {
        self.mdic = value & !MDIC_READY | MDIC_ERROR;
        let function = (inner.read(at::STATUS) & STATUS_FUNCTION) >> 2;
        if inner.read(at::SW_FW_SYNC) & [1 << 1, 1 << 2, 1 << 5, 1 << 6][function as usize] == 0 {
            inner.complain("the PHY is accessed without its semaphore");
        }
        if let Some(phy) = self.part.phy
            && (value & MDIC_PHY) >> 21 != phy
        {
            inner.complain(&format!("no PHY has this address: {value:08X} in MDIC"));
            self.mdic |= MDIC_READY;
            return;
        }
        let read = match value & (MDIC_READ | MDIC_WRITE) {
            MDIC_READ => true,
            MDIC_WRITE => false,
            _ => return inner.complain(&format!("neither a read nor a write of the PHY: {value:08X} in MDIC")),
        };
        let data = match (value >> 16 & 31, read) {
            (2, true) => self.part.phy_id >> 16,
            (3, true) => self.part.phy_id & 0xFFFF,
            (13, false) => {
                self.access = value & 0xFFFF;
                0
            }
            (14, _) => self.access_paged(read, value & 0xFFFF),
            _ => {
                inner.write(at::MDIC, value & !MDIC_PHY | 1 << 21);
                // Of registers that QEMU does not have, zeros are read.
                match inner.read(at::MDIC) {
                    word if word & MDIC_ERROR == 0 => word & 0xFFFF,
                    _ => 0,
                }
            }
        };
        self.mdic = value & 0xFFFF_0000 & !MDIC_ERROR | MDIC_READY | if read { data } else { value & 0xFFFF };
    }

    /// Registers of clause 45 by those of clause 22.
    fn access_paged(&mut self, read: bool, value: u32) -> u32 {
        if self.access >> 14 == 0 {
            if !read {
                self.number = value;
            }
            return self.number;
        }
        let key = (self.access & 31, self.number);
        if !read {
            self.paged.insert(key, value);
        }
        self.paged.get(&key).copied().unwrap_or(0)
    }

    /// A register of one of the first queues. False: the write reaches nothing.
    fn write_queue(&mut self, inner: &mut dyn Inner, queue: u32, register: u32, value: u32) -> bool {
        let on = inner.read(queue + at::QUEUE) & QUEUE_ON != 0;
        match register {
            at::HEAD => {
                if value != 0 {
                    inner.complain(&format!("{value:08X} written to a head, which is read-only"));
                }
                false
            }
            at::TAIL => {
                // Linux writes 0 before the queue works.
                if !on && value != 0 {
                    inner.complain(&format!("a tail of {value:X}h is written to a queue that rests: it is lost"));
                }
                on
            }
            0x00 | 0x04 | 0x08 => {
                if on {
                    inner.complain(&format!("{value:08X} written to a ring's register {register:02X}h while its queue works"));
                }
                if register != 4 && value & 0x7F != 0 {
                    inner.complain(&format!("{value:08X} in a ring's register {register:02X}h, not a multiple of 128"));
                }
                true
            }
            _ => true,
        }
    }
}

impl Front for Parts {
    fn read(&mut self, inner: &mut dyn Inner, offset: u32, width: u8) -> u32 {
        let within = offset & 3;
        if width != 4 || within != 0 {
            inner.complain(&format!("{width} bytes read at {offset:04X}h"));
        }
        let place = self.place(offset & !3);
        let word = match place {
            at::MDIC => self.mdic,
            at::EERD if self.eerd.is_some() => self.eerd.unwrap_or(0),
            at::PHPM if self.part.power => self.phpm,
            at::RXPBS if self.part.sizes => self.sizes.0,
            at::TXPBS if self.part.sizes => self.sizes.1,
            at::EECD => inner.read(place) & !(EECD_FLASH | EECD_SIZE) | EECD_READ | EECD_KWORD,
            at::STATUS if self.part.power && self.phpm & PHPM_DISCONNECT != 0 => inner.read(place) & !STATUS_LINK,
            _ => inner.read(place),
        };
        word >> (8 * within) & u32::MAX >> (32 - 8 * width)
    }

    fn write(&mut self, inner: &mut dyn Inner, offset: u32, width: u8, value: u32) {
        if width != 4 || offset & 3 != 0 {
            inner.complain(&format!("{width} bytes written at {offset:04X}h"));
            return;
        }
        let place = self.place(offset);
        match place {
            at::CTRL => {
                let reset = value & (CTRL_RESET | CTRL_DEVICE_RESET) != 0;
                if value & CTRL_PHY_RESET != 0 {
                    self.phpm |= PHPM_RESET_DONE;
                    self.paged.clear();
                }
                inner.write(place, value & !CTRL_DEVICE_RESET | if reset { CTRL_RESET } else { 0 });
            }
            at::IMS if self.faults.strikes(Kind::LostInterrupt) => {}
            at::MDIC => self.access_phy(inner, value),
            at::EERD => {
                let word = value >> 2 & 0x3FFF;
                // Each port has 64 words, whose sum is BABAh.
                self.eerd = (word >= 64).then_some(value | 2 | if word & 63 == 63 { 0xBABA << 16 } else { 0 });
                if word < 64 {
                    inner.write(place, value);
                }
            }
            at::PHPM if self.part.power => self.phpm = value & !PHPM_RESET_DONE | self.phpm & PHPM_RESET_DONE,
            at::RXPBS if self.part.sizes => self.sizes.0 = value,
            at::TXPBS if self.part.sizes => self.sizes.1 = value,
            at::RCTL => {
                if value & RCTL_ON != 0 && self.part.sizes && self.sizes != SIZES {
                    inner.complain(&format!("the receiver is on with buffers of an earlier driver's sizes: {:X?}", self.sizes));
                }
                inner.write(place, value);
            }
            at::UTA..at::UTA_END if !self.part.unicasts => {
                inner.complain(&format!("{value:08X} written at {offset:04X}h, where the 82575 has no register"));
            }
            at::RX..0xC040 | at::TX..0xE040 => {
                if self.write_queue(inner, place & !0x3F, place & 0x3F, value) {
                    inner.write(place, value);
                }
            }
            _ => inner.write(place, value),
        }
    }

    fn hard_reset(&mut self) {
        self.phpm = PHPM_RESET_DONE | if self.disconnected { PHPM_DISCONNECT } else { 0 };
        self.sizes = LEFT_SIZES;
        self.mdic = MDIC_READY;
        self.paged.clear();
        (self.number, self.access) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QEMU's card: registers that keep what is written.
    #[derive(Default)]
    struct Card {
        registers: BTreeMap<u32, u32>,
        complaints: Vec<String>,
    }

    impl Inner for Card {
        fn read(&mut self, at: u32) -> u32 {
            self.registers.get(&at).copied().unwrap_or(0)
        }
        fn write(&mut self, at: u32, value: u32) {
            self.registers.insert(at, value);
        }
        fn complain(&mut self, what: &str) {
            self.complaints.push(what.into());
        }
    }

    fn part() -> (Parts, Card) {
        (Parts::new(I225V, true, Faults::none()), Card::default())
    }

    #[test]
    fn a_tail_is_lost_while_the_queue_rests_and_a_head_is_read_only() {
        let (mut front, mut card) = part();
        front.write(&mut card, 0x2818, 4, 2);
        front.write(&mut card, 0xE010, 4, 3);
        assert_eq!((card.complaints.len(), card.registers.len()), (2, 0));
        front.write(&mut card, 0x2828, 4, QUEUE_ON);
        front.write(&mut card, 0x2818, 4, 2);
        assert_eq!((front.read(&mut card, 0xC018, 4), card.complaints.len()), (2, 2));
        // A ring is not moved while its queue works.
        front.write(&mut card, 0x2800, 4, 0x8000);
        assert_eq!(card.complaints.len(), 3);
    }

    #[test]
    fn interrupts_have_two_places() {
        let (mut front, mut card) = part();
        for (new, old) in [(0x1500, 0xC0), (0x1504, 0xC8), (0x1508, 0xD0), (0x150C, 0xD8), (0x1510, 0xE0)] {
            front.write(&mut card, new, 4, new);
            assert_eq!((card.read(old), front.read(&mut card, old, 4)), (new, new));
        }
    }

    #[test]
    fn an_interrupt_is_lost_where_the_mask_stays_as_it_was() {
        let (mut front, mut card) = (Parts::new(I226V, false, Faults::parse("lost-interrupt@2*2").unwrap()), Card::default());
        let masks = [1, 2, 4, 8].map(|mask| {
            front.write(&mut card, 0x1508, 4, mask);
            card.read(at::IMS)
        });
        assert_eq!(masks, [1, 1, 1, 8]);
    }

    #[test]
    fn buffers_keep_an_earlier_driver_s_sizes_over_a_reset() {
        let (mut front, mut card) = part();
        front.write(&mut card, 0, 4, CTRL_RESET);
        front.write(&mut card, at::RCTL, 4, RCTL_ON);
        assert_eq!(card.complaints.len(), 1);
        front.write(&mut card, at::RXPBS, 4, SIZES.0);
        front.write(&mut card, at::TXPBS, 4, SIZES.1);
        front.write(&mut card, 0, 4, CTRL_DEVICE_RESET);
        assert_eq!(card.read(0), CTRL_RESET);
        front.write(&mut card, at::RCTL, 4, RCTL_ON);
        assert_eq!(card.complaints.len(), 1);
    }

    #[test]
    fn a_disconnected_link_is_down_until_phpm_lets_it_up() {
        let (mut front, mut card) = part();
        card.write(at::STATUS, STATUS_LINK);
        assert_eq!(front.read(&mut card, at::STATUS, 4) & STATUS_LINK, 0);
        let power = front.read(&mut card, at::PHPM, 4);
        front.write(&mut card, at::PHPM, 4, power & !PHPM_DISCONNECT);
        assert_eq!(front.read(&mut card, at::STATUS, 4) & STATUS_LINK, STATUS_LINK);
    }

    #[test]
    fn the_phy_answers_at_address_0_and_under_its_semaphore() {
        let (mut front, mut card) = part();
        let mut ask = |card: &mut Card, what: u32| {
            front.write(card, at::MDIC, 4, what);
            front.read(card, at::MDIC, 4)
        };
        assert_eq!(ask(&mut card, MDIC_READ | 2 << 16) & 0xFFFF, 0x67C9);
        assert_eq!(card.complaints.len(), 1);
        card.write(at::SW_FW_SYNC, 1 << 1);
        assert_eq!(ask(&mut card, MDIC_READ | 3 << 16) & 0xFFFF, 0xDC00);
        assert_eq!(ask(&mut card, MDIC_READ | 1 << 21 | 3 << 16) & MDIC_ERROR, MDIC_ERROR);
        assert_eq!(card.complaints.len(), 2);
        // 7.20h of clause 45 keeps what is written.
        for what in [13 << 16 | 7, 14 << 16 | 0x20, 13 << 16 | 1 << 14 | 7, 14 << 16 | 0x80] {
            ask(&mut card, MDIC_WRITE | what);
        }
        assert_eq!(ask(&mut card, MDIC_READ | 14 << 16) & 0xFFFF, 0x80);
        assert_eq!(card.complaints.len(), 2);
    }
}
