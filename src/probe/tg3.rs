//! Finds and starts Broadcom's gigabit controllers from the 5705 on. `reset.rs` has the reset and the firmware.
//!
//! Not done: the lock of the management processor (APE) on the 5761, 5717 and later; ports for fiber, whose PHY has other
//! registers.

pub mod chips;
mod registers;
mod reset;
mod steps;

use core::marker::PhantomData;

use super::{Ask, Fault, Found, Probe, Rings, line, pci};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events};
use crate::drivers::tg3::*;
use chips::*;
use registers::Registers;
use steps::{Facts, MAGIC, MEMORY, OPEN, RDMA_BURSTS, START};

/// Lengths in the four channels of DMA reads (5719, 5720). One that no frame has shows that the channel's length is to be ignored.
const RDMA_LENGTHS: u16 = 0x4BE0;
const   RDMA_LONGEST: u32 = 9000;
const   RDMA_IGNORE_5719: u32 = 1 << 25;
const   RDMA_IGNORE_5720: u32 = 1 << 21;
// The card's own memory: control blocks of the rings of frames to send and that have come, 16 bytes each.
const SRAM_SEND: u16 = 0x0100;
const SRAM_RETURN: u16 = 0x0200;
/// Flag of such a block: the ring is not used.
const   RING_OFF: u32 = 1 << 1;
/// How large the rings are.
struct Sizes {
    /// Descriptors of each: a power of two from 32 to 512.
    ring: u16,
    /// Receive buffers, transmit buffers: powers of two, at most 64 and 16.
    buffers: [u8; 2],
    /// So many receive buffers the driver must have given before the card fetches their descriptors; and after so many frames that
    /// were sent the card writes the status block, and interrupts. Half of the transmit buffers, so that `send` finds room.
    at_once: u8,
}

/// In XMS, with rings as other drivers have them, and in conventional memory.
static DEEP: Sizes = Sizes { ring: 512, buffers: [64, 16], at_once: 8 };
static SHALLOW: Sizes = Sizes { ring: 32, buffers: [2, 1], at_once: 1 };
const DEEP_BYTES: u32 = bytes(512, 64 + 16);
const SHALLOW_BYTES: u32 = bytes(32, 2 + 1);

/// Bytes of status block, rings and buffers.
const fn bytes(ring: u16, buffers: u8) -> u32 {
    STATUS as u32 + ring as u32 * (2 * RX_DESC + TX_DESC) as u32 + buffers as u32 * BUFFER as u32
}

/// Bytes before the status block, to begin it at a multiple of [`STATUS`]: the memory begins at one of 16.
const SLACK: u32 = STATUS as u32 - 16;

/// A card while it is being set up.
type Card<B> = Tg3<B, Both>;

/// The probe of these cards.
pub struct Tg3Probe;

impl<B: Bus> Probe<B> for Tg3Probe {
    type Device = Card<B>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &chips::IDS;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let id = pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        let (part, chip) = chips::part_and_name(id);
        // Bus master only after the reset: another driver may have left DMA on.
        pci::enable(bus, ask.pci, false)?;
        let mut mem = 0;
        if !bus.confined() {
            let pci::Bar::Memory(base) = pci::bar(bus, ask.pci, 0) else { return Err(Fault::Resources) };
            mem = base;
        } else if part >= B57765 {
            // It may lack the mailboxes in configuration space.
            return Err(Fault::V86);
        }
        let registers = Registers { bus, pci: ask.pci, place: place(mem, ask.pci) };
        if registers.config(MISC_CTL) == u32::MAX {
            return Err(Fault::Dead);
        }
        registers.set_config(MISC_CTL, MISC_CTL_USUAL | MISC_CTL_MASK | MISC_CTL_STATE);
        let mac = registers.address(part).ok_or(Fault::Eeprom)?;
        Ok(Found {
            mac,
            mem,
            irq: pci::irq(bus, ask),
            pci: ask.pci,
            variant: part,
            rings_low: (SHALLOW_BYTES + SLACK) as u16,
            rings_xms: DEEP_BYTES + SLACK,
            chip,
            ..Found::default()
        })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        let pad = rings.physical.wrapping_neg() & SLACK;
        let (physical, len) = (rings.physical.wrapping_add(pad), rings.len.saturating_sub(pad));
        let sizes = if len >= DEEP_BYTES { &DEEP } else { &SHALLOW };
        if len < SHALLOW_BYTES {
            return Err(Fault::Memory);
        }
        let part = found.variant;
        let registers = Registers { bus: &bus, pci: found.pci, place: place(found.mem, found.pci) };
        let Sizes { ring, buffers: [rx_buffers, tx_buffers], at_once } = *sizes;
        let returns = physical.wrapping_add(STATUS as u32);
        let buffers = returns.wrapping_add(ring as u32 * RX_DESC as u32);
        let sends = buffers.wrapping_add(ring as u32 * RX_DESC as u32);
        let values = [physical, returns, buffers, sends, (ring as u32) << 16, at_once as u32, 0, 0, 0, MAGIC];
        let mut facts = Facts { part, flags: if found.mem != 0 { MEMORY } else { 0 }, values };
        reset::note(&registers, &mut facts);
        let status = rings.linear.plus(pad as u16);
        let sends = status.plus(STATUS + ring * 2 * RX_DESC);
        let buffers = sends.plus(ring * TX_DESC);
        reset::reset(&registers, &facts)?;
        let mut card = Tg3 {
            count: Counters::default(),
            place: registers.place,
            status,
            sends,
            buffers,
            peeked: Addr(0),
            mailboxes: if part == B5906 { MAILBOXES_5906 } else { 0 },
            ring: ring - 1,
            rx: 0,
            tx: 0,
            rx_buffers,
            tx_buffers,
            phy: registers.phy(part),
            direct: 0,
            up: false,
            lost: false,
            bus,
            window: PhantomData,
        };
        lay_out(&card, physical);
        set_up(&mut card, found, &facts)?;
        Ok(card)
    }

    fn line(bus: &B, found: &Found, card: &mut Self::Device) -> u8 {
        let place = card.place;
        let mailboxes = card.mailboxes;
        let provoke = || {
            Both::interrupt(bus, place, mailboxes, 0);
            Both::put(bus, place, LOCAL, Both::get(bus, place, LOCAL) | LOCAL_SET);
        };
        let quiet = || {
            let came = card.irq() != Events::NONE;
            card.interrupt(1);
            came
        };
        line::check(bus, found.irq, provoke, quiet)
    }
}

/// Where the registers are: at the address `mem`, or if that is 0 behind configuration space.
fn place(mem: u32, pci: u16) -> u32 {
    if mem != 0 { mem } else { config_place(pci) }
}

/// Writes the status block and the descriptors: to each its buffer, and to receive descriptors lengths, numbers and flags, too.
#[inline(never)]
fn lay_out<B: Bus>(card: &Card<B>, physical: u32) {
    let rings = STATUS + (card.ring + 1) * (2 * RX_DESC + TX_DESC);
    let mut at = card.status;
    for _ in 0..rings / 4 {
        card.bus.put32(at, 0);
        at = at.plus(4);
    }
    let first = physical.wrapping_add(rings as u32);
    let behind = first.wrapping_add(card.tx_buffers as u32 * BUFFER as u32);
    let mut send = card.sends.plus(4);
    let mut receive = Addr(card.sends.0 - (card.ring as u32 + 1) * RX_DESC as u32).plus(4);
    for index in 0..=card.ring {
        card.bus.put32(send, nth(first, index, card.tx_buffers));
        card.bus.put32(receive, nth(behind, index, card.rx_buffers));
        card.bus.put32(receive.plus(RX_LENGTH - 4), (index as u32) << 16 | BUFFER as u32);
        card.bus.put32(receive.plus(RX_FLAGS - 4), END);
        send = send.plus(TX_DESC);
        receive = receive.plus(RX_DESC);
    }
}

/// The buffer of a descriptor, of so many from the first one on.
#[inline(never)]
fn nth(first: u32, index: u16, buffers: u8) -> u32 {
    first.wrapping_add((index & (buffers as u16).wrapping_sub(1)) as u32 * BUFFER as u32)
}

/// Sets up a card that was reset.
#[inline(never)]
fn set_up<B: Bus>(card: &mut Card<B>, found: &Found, facts: &Facts) -> Result<(), Fault> {
    card.set_address(&found.mac);
    let registers = Registers { bus: &card.bus, pci: found.pci, place: card.place };
    let part = facts.part;
    let (send_rings, return_rings) = match part {
        B5755 => (1, 4),
        B57765 | B5762 => (2, 4),
        B5717.. => (4, 16),
        _ => (1, 1),
    };
    for (at, rings) in [(SRAM_SEND, send_rings), (SRAM_RETURN, return_rings)] {
        for ring in 0..rings {
            registers.set_sram(at + ring * 16 + 8, RING_OFF);
        }
    }
    for mailbox in &[BUFFERS, SEND, RETURN] {
        card.post(*mailbox, 0);
    }
    facts.run(&registers, &START)?;
    if matches!(part, B5719 | B5720) && (0..4).any(|channel| registers.get(RDMA_LENGTHS + channel * 4) > RDMA_LONGEST) {
        let ignore = if part == B5719 { RDMA_IGNORE_5719 } else { RDMA_IGNORE_5720 };
        registers.put(RDMA_BURSTS, registers.get(RDMA_BURSTS) | ignore);
    }
    registers.wake_phy(part);
    card.post(BUFFERS, card.rx_buffers as u16);
    card.interrupt(1);
    facts.run(&registers, &OPEN)?;
    card.follow();
    Ok(())
}
