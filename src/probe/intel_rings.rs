//! Finds and starts Intel's gigabit controllers; `igb.rs` has what only those with several queues have,
//! `pch.rs` what only those of chipsets have.

use core::marker::PhantomData;

use super::microwire::{self, Wires};
use super::pci::{self, Bar};
use super::{Ask, Fault, Found, Rings, igb, line, pch};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, MacAddr, RcvMode};
use crate::drivers::intel_rings::*;

/// EEPROM control: the wires in bits 3:0.
const EECD: u16 = 0x0010;
const   EECD_REQUEST: u32 = 1 << 6;
const   EECD_GRANT: u32 = 1 << 7;
/// The EEPROM has 256 words, otherwise 64 (82540 to 82545).
const   EECD_SIZE: u32 = 1 << 9;
/// EEPROM read (not on the 82544): start in bit 0, data in bits 31:16; other bits differ.
const EERD: u16 = 0x0014;
/// PHY access: data in bits 15:0, register from bit 16 on, PHY from bit 21 on.
const MDIC: u16 = 0x0020;
const   MDIC_PHY: u32 = 21;
const   MDIC_REGISTER: u32 = 16;
/// Writes a register of the PHY.
pub const   MDIC_WRITE: u32 = 1 << 26;
/// Reads one.
pub const   MDIC_READ: u32 = 2 << 26;
const   MDIC_READY: u32 = 1 << 28;
const   MDIC_ERROR: u32 = 1 << 30;
/// Interrupt throttling.
const ITR: u16 = 0x00C4;
/// Interrupt cause set.
const ICS: u16 = 0x00C8;
/// Gaps between frames.
pub const TIPG: u16 = 0x0410;
const   TIPG_COPPER: u32 = 8 | 8 << 10 | 6 << 20;
/// Ownership of the PHY (82574, [`PCH`]).
pub const EXTCNF_CTRL: u16 = 0x0F00;
/// The driver owns the PHY.
pub const   EXTCNF_SOFTWARE: u32 = 1 << 5;
// Receive descriptors: address (64 bits), bytes, head, tail; then the delay of interrupts.
const RDBAL: u16 = 0x2800;
const RDH: u16 = 0x2810;
const RDT: u16 = 0x2818;
const RDTR: u16 = 0x2820;
const RADV: u16 = 0x282C;
// Transmit descriptors: address (64 bits), bytes.
const TDBAL: u16 = 0x3800;
/// Descriptors are fetched and written back one by one and at once; bit 22 must be 1 (82574 datasheet, section 10.2.6.9).
pub const   TXDCTL_EXPRESS: u32 = 1 << 16 | 1 << 22 | 1 << 24;
/// Checksums over received data.
const RXCSUM: u16 = 0x5000;
/// Receive filters; 0: legacy descriptors.
pub const RFCTL: u16 = 0x5008;
/// Management: bit 13 lets the firmware take ARP frames.
const MANC: u16 = 0x5820;
const   MANC_ARP: u32 = 1 << 13;

/// The PHY's control register (IEEE 802.3, clause 22).
const BMCR: u32 = 0;
const   BMCR_AUTONEG: u32 = 1 << 12;
const   BMCR_RESTART: u32 = 1 << 9;
/// Power down and isolate.
const   BMCR_OFF: u32 = 1 << 11 | 1 << 10;

// Words of the EEPROM under its checksum, and their sum.
const EEPROM_WORDS: u8 = 64;
const EEPROM_SUM: u16 = 0xBABA;
/// Limit for a word of the EEPROM or a PHY register, in microseconds.
const SERIAL_LIMIT: u16 = 2_000;
/// Pause after each access to the PHY of an 82579, in microseconds.
const PHY_PAUSE: u16 = 200;
/// Limit for the link of a PHY that has one to show in the MAC, in microseconds.
const LINK_LIMIT: u16 = 20_000;
/// How often the first tail of the receive ring is written, at most.
const TAIL_TRIES: u16 = 20;
/// Limit for the firmware to release EEPROM or PHY, in microseconds.
pub const OWNER_LIMIT: u16 = 20_000;

/// How a card's EEPROM is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Eeprom {
    /// By its wires: 82544.
    Wires,
    /// By EERD: the first bit of the address, and the bit that shows the end of a read.
    Register(u8, u8),
}

/// A card while it is being set up.
pub type Card<B, const KIND: u8> = Gigabit<B, Both, KIND>;

/// The registers of a card before there is a device.
struct Registers<'a, B> {
    bus: &'a B,
    place: u32,
}

impl<B: Bus> Wires for Registers<'_, B> {
    fn set(&self, wires: u8) {
        self.put(EECD, self.get(EECD) & !15 | wires as u32);
        self.bus.clock();
    }

    fn output(&self) -> bool {
        self.get(EECD) & microwire::DO as u32 != 0
    }
}

impl<B: Bus> Registers<'_, B> {
    fn get(&self, register: u16) -> u32 {
        Both::get(self.bus, self.place, register)
    }

    fn put(&self, register: u16, value: u32) {
        Both::put(self.bus, self.place, register, value);
    }

    fn read_word(&self, how: Eeprom, address: u8) -> Result<u16, Fault> {
        let Eeprom::Register(shift, done) = how else {
            let bits = if self.get(EECD) & EECD_SIZE != 0 { 8 } else { 6 };
            return Ok(microwire::read(self, bits, address));
        };
        self.put(EERD, (address as u32) << shift | 1);
        let mut value = 0;
        let ready = || {
            value = self.get(EERD);
            value >> done & 1 != 0
        };
        self.bus.wait(SERIAL_LIMIT, ready).map_err(|_| Fault::Dead)?;
        Ok((value >> 16) as u16)
    }

    /// The address in the first filter, into which the card has loaded it.
    fn filter(&self) -> Result<MacAddr, Fault> {
        let [low, high] = [RAL0, RAL0 + 4].map(|register| self.get(register));
        let ([a, b, c, d], [e, f, ..]) = (low.to_le_bytes(), high.to_le_bytes());
        if high & RAH_AV == 0 { Err(Fault::Eeprom) } else { Ok([a, b, c, d, e, f]) }
    }

    /// The address in the EEPROM, whose checksum must be right.
    fn address(&self, how: Eeprom) -> Result<MacAddr, Fault> {
        if how == Eeprom::Wires {
            self.put(EECD, self.get(EECD) | EECD_REQUEST);
            self.bus.wait(OWNER_LIMIT, || self.get(EECD) & EECD_GRANT != 0).map_err(|_| Fault::Dead)?;
        }
        let mut mac = [0; 6];
        let mut sum = 0u16;
        for address in 0..EEPROM_WORDS {
            let word = self.read_word(how, address)?;
            sum = sum.wrapping_add(word);
            let [low, high] = word.to_le_bytes();
            if let Some([first, second]) = mac.chunks_exact_mut(2).nth(address as usize) {
                (*first, *second) = (low, high);
            }
        }
        if how == Eeprom::Wires {
            self.put(EECD, self.get(EECD) & !EECD_REQUEST);
        }
        if sum != EEPROM_SUM { Err(Fault::Eeprom) } else { Ok(mac) }
    }
}

/// Tries a card with one of `ids`. `how` gives how the EEPROM of one with this identity is read. Those of [`QUEUES`] and [`PCH`]
/// load their address by themselves: some of the former have no EEPROM, those of chipsets keep it in the board's flash memory.
pub fn find<B: Bus, const KIND: u8>(bus: &B, ask: &Ask, ids: &[u32], how: impl Fn(u32) -> Eeprom) -> Result<Found, Fault> {
    let id = pci::candidate(bus, ask, ids)?;
    // Bus master only after the reset: another driver may have left DMA on.
    pci::enable(bus, ask.pci, false)?;
    let (mut io, mut mem) = (0, 0);
    if bus.confined() {
        io = window(bus, ask.pci).ok_or(Fault::V86)?;
    } else {
        let Bar::Memory(base) = pci::bar(bus, ask.pci, 0) else { return Err(Fault::Resources) };
        mem = base;
    }
    let place = mem | io as u32;
    let registers = Registers { bus, place };
    if registers.get(STATUS) == u32::MAX {
        return Err(Fault::Dead);
    }
    let mac = if KIND == QUEUES || KIND == PCH { registers.filter()? } else { registers.address(how(id))? };
    let irq = pci::irq(bus, ask);
    let [rings_xms, rings_low] = [DEEP, SHALLOW].map(|(receive, transmit)| bytes(receive, transmit) + slack(KIND));
    Ok(Found { mac, io, mem, irq, pci: ask.pci, rings_xms, rings_low: rings_low as u16, ..Found::default() })
}

/// The first of the ports that reach the registers, if there are any and they do.
fn window<B: Bus>(bus: &B, place: u16) -> Option<u16> {
    // The 8254x have them behind base addresses of 32 or 64 bits, QEMU's behind the first.
    let ports = (1..5).find_map(|index| if let Bar::Io(port) = pci::bar(bus, place, index) { Some(port) } else { None })?;
    // In QEMU the 8254x have ports, which do nothing. So two registers are written: the start clears them, with the others of the
    // table. Not neighbours: an 82544 may lose one (erratum). A card that is gone gives all ones.
    let tried = [(MTA, 0x5AA5_3CC3), (MTA + 8, 0xA55A_C33C)];
    tried.iter().for_each(|(register, value)| Ports::put(bus, ports as u32, *register, *value));
    tried.iter().all(|(register, value)| Ports::get(bus, ports as u32, *register) == *value).then_some(ports)
}

// Numbers of receive and transmit buffers, powers of two, at most 64 and 4: in XMS, and in conventional memory. Few are
// enough there, because the card has at least 16 KB of its own.
const DEEP: (u8, u8) = (64, 4);
const SHALLOW: (u8, u8) = (2, 1);
/// Bytes of rings below 1 MB.
pub const LOW_BYTES: u32 = bytes(SHALLOW.0, SHALLOW.1);

/// Bytes of descriptors.
const fn descs(receive: u8) -> u32 {
    (TX_DESCS as u32 + rx_descs(receive)) * DESC
}

const fn rx_descs(receive: u8) -> u32 {
    last_rx_desc(receive) as u32 + 1
}

/// Bytes of descriptors and buffers.
const fn bytes(receive: u8, transmit: u8) -> u32 {
    descs(receive) + (receive as u32 + transmit as u32) * BUFFER
}

/// Bytes before the descriptors, to begin them where the card wants it: the memory begins at a multiple of 16, they begin at
/// one of 128 on [`QUEUES`].
const fn slack(kind: u8) -> u32 {
    if kind == QUEUES { 112 } else { 0 }
}

/// Starts a card that `find` found.
pub fn start<B: Bus, const KIND: u8>(bus: B, found: &Found, rings: &Rings) -> Result<Card<B, KIND>, Fault> {
    let aligned;
    let mut rings = rings;
    if KIND == QUEUES {
        let pad = rings.physical.wrapping_neg() & slack(KIND);
        aligned = Rings { linear: rings.linear.plus(pad as u16), physical: rings.physical + pad, len: rings.len.saturating_sub(pad) };
        rings = &aligned;
    }
    let (rx_buffers, tx_buffers) = if rings.len >= bytes(DEEP.0, DEEP.1) { DEEP } else { SHALLOW };
    if rings.len < bytes(rx_buffers, tx_buffers) {
        return Err(Fault::Memory);
    }
    let place = if found.mem != 0 { found.mem } else { found.io as u32 };
    let buffers = Addr(rings.linear.0 + descs(rx_buffers));
    let mut card = Gigabit {
        count: Counters::default(),
        place,
        descs: rings.linear,
        buffers,
        peeked: Addr(0),
        sent_at: 0,
        rx_buffers,
        tx_buffers,
        rx: 0,
        tx: 0,
        bus,
        window: PhantomData,
    };
    if KIND == QUEUES {
        igb::before_reset(&card, found);
    }
    if KIND == PCH {
        pch::before_reset(&mut card, found, rings)?;
    }
    card.reset();
    if card.get(CTRL) & CTRL_RST != 0 {
        return Err(Fault::Dead);
    }
    if KIND != PCI {
        // With power saving the 82574 loses transmissions (specification update, errata 13 and 20).
        pci::keep_link_on(&card.bus, found.pci);
    }
    pci::enable(&card.bus, found.pci, true)?;
    card.put(CTRL, card.get(CTRL) & !(CTRL_UNWANTED | CTRL_MASTER_DISABLE) | CTRL_SLU);
    if KIND == PCH {
        pch::after_reset(&card, found);
    } else {
        wake_phy(&card, found);
    }
    if KIND == QUEUES {
        igb::after_reset(&card, found);
    } else if KIND != PCH {
        card.put(MANC, card.get(MANC) & !MANC_ARP);
        for register in [ITR, RDTR, RADV, RXCSUM, RFCTL] {
            card.put(register, 0);
        }
        card.put(TIPG, TIPG_COPPER);
    }
    if KIND == EXPRESS {
        card.put(TXDCTL, TXDCTL_EXPRESS);
    }
    // That of PCH is cleared by the receive mode.
    for index in 0..if KIND == PCH { 0 } else { 128 } {
        card.put(MTA + index * 4, 0);
    }
    lay_out(&card, rings);
    card.start_transmitter();
    if KIND == PCH {
        // The arbiter of an 82579 may lose the write, and then the receiver has no descriptor.
        let given = || {
            card.put(RDT, rx_buffers as u32);
            card.get(RDT) == rx_buffers as u32
        };
        card.bus.poll(TAIL_TRIES, given).map_err(|_| Fault::Dead)?;
    } else if KIND != QUEUES {
        card.put(RDT, rx_buffers as u32);
    }
    card.set_address(&found.mac);
    card.set_rcv_mode(RcvMode::Broadcast, &[]);
    if KIND == QUEUES {
        if !igb::start_queue(&card) {
            return Err(Fault::Dead);
        }
        card.put(RDT, rx_buffers as u32);
    }
    Ok(card)
}

/// [`super::Probe::line`]: sets the cause of a received frame, without a frame.
pub fn line<B: Bus, const KIND: u8>(bus: &B, found: &Found, card: &mut Card<B, KIND>) -> u8 {
    let registers = Registers { bus, place: card.place };
    let provoke = || {
        registers.put(IMS, CAUSE_RXT0);
        registers.put(ICS, CAUSE_RXT0);
    };
    line::check(bus, found.irq, provoke, || card.irq() != Events::NONE)
}

/// Turns on a PHY that another driver has turned off. If it is on, its link is not interrupted.
fn wake_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) {
    let owned = |card: &Card<B, KIND>| card.get(EXTCNF_CTRL) & EXTCNF_SOFTWARE != 0;
    if KIND == QUEUES {
        if let Some(phy) = igb::phy(card, found) {
            // Its link, which the reset leaves as it was, shows at once.
            let up = card.bus.wait(LINK_LIMIT, || card.get(STATUS) & STATUS_LU != 0).is_ok();
            igb::with_phy(card, || wake(card, phy, !up));
        }
        return;
    }
    if KIND == EXPRESS {
        let claim = || {
            card.put(EXTCNF_CTRL, card.get(EXTCNF_CTRL) | EXTCNF_SOFTWARE);
            owned(card)
        };
        let _ = card.bus.wait(OWNER_LIMIT, claim);
    }
    wake(card, 1, false);
    if KIND == EXPRESS {
        card.put(EXTCNF_CTRL, card.get(EXTCNF_CTRL) & !EXTCNF_SOFTWARE);
    }
}

/// Turns on the PHY with this number, if it is off or `restart` is set.
#[inline(always)]
pub fn wake<B: Bus, const KIND: u8>(card: &Card<B, KIND>, phy: u32, restart: bool) {
    if let Some(control) = access_phy(card, phy, BMCR, MDIC_READ)
        && (restart || control & (BMCR_OFF | BMCR_AUTONEG) != BMCR_AUTONEG)
    {
        access_phy(card, phy, BMCR, MDIC_WRITE | BMCR_AUTONEG | BMCR_RESTART);
    }
}

/// Reads or writes a PHY's register: [`MDIC_READ`], or [`MDIC_WRITE`] with the value. What the register contains; none: the PHY
/// does not answer.
pub fn access_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, phy: u32, register: u32, what: u32) -> Option<u32> {
    if KIND == PCH {
        let last = card.get(MDIC);
        if last != 0 && last & MDIC_READY == 0 {
            // The last access has not ended within its limit.
            return None;
        }
    }
    card.put(MDIC, what | phy << MDIC_PHY | register << MDIC_REGISTER);
    let mut value = 0;
    let ready = || {
        value = card.get(MDIC);
        value & MDIC_READY != 0
    };
    let done = card.bus.wait(SERIAL_LIMIT, ready);
    if KIND == PCH {
        let _ = card.bus.wait(PHY_PAUSE, || false);
    }
    done.ok()?;
    // Other cards do not have the bit.
    if KIND == PCH && value & MDIC_ERROR != 0 { None } else { Some(value & 0xFFFF) }
}

/// Writes the descriptors and gives the card their addresses.
pub fn lay_out<B: Bus, const KIND: u8>(card: &Card<B, KIND>, rings: &Rings) {
    let (receive, transmit) = (card.rx_buffers as u32, card.tx_buffers as u32);
    let physical = rings.physical;
    let buffers = physical + descs(card.rx_buffers);
    let mut desc = card.descs;
    let mut write = |buffer: u32| {
        for (at, value) in [(0, buffers + buffer * BUFFER), (4, 0), (8, 0), (STATE, 0)] {
            card.bus.put32(desc.plus(at), value);
        }
        desc = desc.plus(DESC as u16);
    };
    for index in 0..TX_DESCS as u32 {
        write(index & (transmit - 1));
    }
    for index in 0..rx_descs(card.rx_buffers) {
        write(transmit + (index & (receive - 1)));
    }
    let received = physical + TX_DESCS as u32 * DESC;
    for (first, at, count) in [(TDBAL, physical, TX_DESCS as u32), (RDBAL, received, rx_descs(card.rx_buffers))] {
        card.put(first, at);
        card.put(first + 4, 0);
        card.put(first + 8, count * DESC);
    }
    if KIND != QUEUES {
        card.put(RDT, 0);
        card.put(RDH, 0);
    }
}
