//! Finds and starts Realtek's gigabit controllers and their relatives: one probe for those up to the 8168 and 8411, one for
//! the 8125.

mod chips;
mod ports;

use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, is_station, line};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, RcvMode};
use crate::drivers::rtl8169::*;
use chips::{part_of, rcr_of};
use ports::Ports;

/// Subsystem: vendor in the low half.
const SUBSYSTEM: u8 = 0x2C;

/// The probe of the cards up to the 8168 and 8411.
pub struct Rtl8169Probe;
/// The probe of the 8125.
pub struct Rtl8125Probe;

/// A card while it is being set up.
type Card<B, const NEW: bool> = Rtl8169<B, false, NEW>;

/// Tries a card with one of `ids`.
fn find<B: Bus, const NEW: bool>(bus: &B, ask: &Ask, ids: &[u32]) -> Result<Found, Fault> {
    let id = pci::candidate(bus, ask, ids)?;
    let device = (bus.config_read(ask.pci, SUBSYSTEM) >> 16) as u16;
    // Other cards have these identities, too.
    if id == LINKSYS && device != 0x0024 || id == NO_VENDOR && device != 0x2410 {
        return Err(Fault::Nothing);
    }
    pci::enable(bus, ask.pci, false)?;
    let io = pci::ports(bus, ask, 0)?;
    let ports = Ports { bus, io };
    if bus.in8(ports.port(CR)) == u8::MAX {
        return Err(Fault::Dead);
    }
    let xid = ports.xid();
    let mut mac = ports.address();
    if !NEW {
        let part = part_of(xid);
        let kept = if part & LATER != 0 && xid != 0x2C8 {
            ports.kept_address()
        } else if part & ON_PCI != 0 && !is_station(&mac) {
            ports.rom_address()
        } else {
            None
        };
        mac = kept.unwrap_or(mac);
    }
    Ok(Found {
        mac,
        io,
        irq: pci::irq(bus, ask),
        pci: ask.pci,
        variant: (id != FAST) as u8,
        rings_low: Rtl8169::<B, false, NEW>::BYTES as u16,
        rings_xms: Rtl8169::<B, true, NEW>::BYTES,
        chip: chips::name(xid, NEW, id == FAST),
        ..Found::default()
    })
}

/// Writes the buffers' addresses into the descriptors, and starts the card.
fn open<B: Bus, const NEW: bool>(card: &mut Card<B, NEW>, physical: u32, deep: bool, rcr: u32) -> Result<(), Fault> {
    let (transmit, receive, buffers) = if deep {
        (Rtl8169::<B, true, NEW>::TX, Rtl8169::<B, true, NEW>::RX, Rtl8169::<B, true, NEW>::BUFFERS)
    } else {
        (Card::<B, NEW>::TX, Card::<B, NEW>::RX, Card::<B, NEW>::BUFFERS)
    };
    let Rtl8169 { rings, part, io, .. } = *card;
    let mut buffer = physical.wrapping_add(buffers as u32);
    let mut desc = rings;
    for index in 0..transmit.wrapping_add(receive) {
        if index == transmit {
            desc = rings.plus(RX_RING);
        }
        for (at, value) in [(0, 0), (4, 0), (8, buffer), (12, 0)] {
            card.bus.put32(desc.plus(at), value);
        }
        desc = desc.plus(DESC);
        buffer = buffer.wrapping_add(BUFFER as u32);
    }
    let port = |register: u8| io.wrapping_add(register as u16);
    let command = card.bus.in16(port(CPCR)) & !CPCR_UNWANTED | if part & ON_PCI != 0 { CPCR_PCI } else { 0 };
    let mut kept = rings.plus(FIXED);
    let (auto, longest) = if part & LATER != 0 { (TCR_AUTO_FIFO, 0x27) } else { (0, 0x3F) };
    for value in [0, physical, 0, physical.wrapping_add(RX_RING as u32), TCR_VALUE | auto, command as u32, longest] {
        card.bus.put32(kept, value);
        kept = kept.plus(4);
    }
    card.bus.out16(port(MODERATION), 0);
    card.bus.out16(port(MULINT), 0);
    if !card.open(receive) {
        return Err(Fault::Dead);
    }
    card.bus.out32(port(RCR), rcr);
    Ok(())
}

/// Starts a card that `find` found.
fn start<B: Bus, const NEW: bool>(bus: B, found: &Found, rings: &Rings) -> Result<Card<B, NEW>, Fault> {
    let deep = rings.len >= found.rings_xms;
    if rings.len < found.rings_low as u32 {
        return Err(Fault::Memory);
    }
    let ports = Ports { bus: &bus, io: found.io };
    let xid = ports.xid();
    let part = if NEW { LATER | GATED } else { part_of(xid) };
    let pad = rings.physical.wrapping_neg() & (RX_RING - 1) as u32;
    ports.leave_oob(xid, part, NEW);
    if NEW {
        ports.settle_8125(xid);
    }
    ports.settle_bus(xid, part);
    pci::keep_link_on(&bus, found.pci);
    // A PHY that does not answer may have a link all the same.
    let _ = ports.wake_phy(xid, part, found.variant != 0, NEW);
    let mut card = Rtl8169 {
        count: Counters::default(),
        rings: Addr(rings.linear.0.wrapping_add(pad)),
        peeked: Addr(0),
        io: found.io,
        sent_at: 0,
        rx: 0,
        tx: 0,
        state: 0,
        part,
        bus,
    };
    // Bus master only after the reset: another driver may have left DMA on.
    if !card.reset() {
        return Err(Fault::Dead);
    }
    pci::enable(&card.bus, found.pci, true)?;
    card.set_address(&found.mac);
    open(&mut card, rings.physical.wrapping_add(pad), deep, rcr_of(xid))?;
    card.set_rcv_mode(RcvMode::Broadcast, &[]);
    Ok(card)
}

/// [`Probe::line`].
fn interrupt_line<B: Bus, const NEW: bool>(bus: &B, found: &Found, card: &Card<B, NEW>) -> u8 {
    let cause = Card::<B, NEW>::PROVOKED;
    let provoke = || {
        card.mask(cause);
        card.provoke();
    };
    let quiet = || {
        card.mask(0);
        card.calm();
        let causes = card.causes();
        card.acknowledge(cause);
        causes & cause != 0
    };
    line::check(bus, found.irq, provoke, quiet)
}

/// 100 Mb/s parts.
const FAST: u32 = 0x8136_10EC;
/// Cards of one subsystem only.
const LINKSYS: u32 = 0x1032_1737;
const NO_VENDOR: u32 = 0x8168_0001;

impl<B: Bus> Probe<B> for Rtl8169Probe {
    // One layout for both units of the driver; the installer loads the one for the rings' memory.
    type Device = Rtl8169<B, false, false>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &[
        0x8168_10EC, // 8168, 8111, 8411
        FAST,        // 8101E to 8107E
        0x8169_10EC, // 8169, 8110
        0x8167_10EC, // 8169SC, 8110SC
        0x8161_10EC, // 8111
        0x2502_10EC, // Killer E2500
        0x2600_10EC, // Killer E2600
        0x4300_1186, // D-Link DGE-528T
        0x4302_1186, // D-Link DGE-530T
        0xC107_1259, // Allied Telesyn, Corega CG-LAPCIGT
        0x0116_16EC, // US Robotics USR997902
        NO_VENDOR,
        LINKSYS,
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        find::<B, false>(bus, ask, <Self as Probe<B>>::IDS)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        interrupt_line(bus, found, device)
    }
}

impl<B: Bus> Probe<B> for Rtl8125Probe {
    type Device = Rtl8169<B, false, true>;
    const SPEED: u8 = 250;

    const IDS: &'static [u32] = &[
        0x8125_10EC, // 8125
        0x3000_10EC, // Killer E3000
        0x8162_10EC, // 8125
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        find::<B, true>(bus, ask, <Self as Probe<B>>::IDS)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        interrupt_line(bus, found, device)
    }
}
