//! Finds and starts Realtek's gigabit controllers and their relatives: one probe for those up to the 8168 and 8411, one for
//! the 8125.

mod chips;

use super::microwire::{self, Wires};
use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, is_station, line};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, MacAddr, RcvMode};
use crate::drivers::rtl8169::*;
use chips::{XID, part_of, rcr_of};

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

/// Subsystem: vendor in the low half.
const SUBSYSTEM: u8 = 0x2C;

/// The probe of the cards up to the 8168 and 8411.
pub struct Rtl8169Probe;
/// The probe of the 8125.
pub struct Rtl8125Probe;

/// A card while it is being set up.
type Card<B, const NEW: bool> = Rtl8169<B, false, NEW>;

/// The registers of a card before there is a device.
struct Ports<'a, B> {
    bus: &'a B,
    io: u16,
}

impl<B: Bus> Ports<'_, B> {
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    fn xid(&self) -> u16 {
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
    fn address(&self) -> MacAddr {
        address_of(self.bus.in32(self.port(IDR0)), self.bus.in32(self.port(IDR0 + 4)))
    }

    /// The address from the EEPROM of a part that has it in its ERI registers: another driver may have changed the other.
    fn kept_address(&self) -> Option<MacAddr> {
        let half = |at: u32| self.access(ERIAR, 15 << 12 | at).then(|| self.bus.in32(self.port(ERIDR)));
        let mac = address_of(half(0xE0)?, half(0xE4)?);
        is_station(&mac).then_some(mac)
    }

    /// The address in the EEPROM of a card on PCI.
    fn rom_address(&self) -> Option<MacAddr> {
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

    /// Takes the FIFO from the part's firmware, which may have it after power-up.
    fn leave_oob(&self, xid: u16, new: bool) {
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

    /// Turns on a PHY that is off, and lets it negotiate every speed. If it does so already, its link is not interrupted. None:
    /// it does not answer.
    fn wake_phy(&self, xid: u16, part: u8, gigabit: bool, new: bool) -> Option<()> {
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
    if NEW {
        bus.out8(ports.port(INT_CFG_8125), 0);
    }
    if part & GATED != 0 {
        ports.leave_oob(xid, NEW);
    } else if part & LATER != 0 {
        ports.change(MCU, MCU_NOW_OOB, 0);
    }
    if NEW {
        ports.put_mac(OCP_DESC_8125, ports.get_mac(OCP_DESC_8125) & !1);
        if xid >= 0x680 {
            ports.change(DESC_8125, DESC_8125_LONG, 0);
        }
    }
    ports.change(CR9346, 0, CR9346_CONFIG);
    if part & ON_PCI != 0 {
        ports.change(CONFIG2, CONFIG2_MSI, 0);
        if xid < 0x010 {
            bus.out8(ports.port(START_8169S), 1);
        }
        if xid & 0x7FF == 0x180 {
            let fast = bus.in8(ports.port(CONFIG2)) & CONFIG2_66MHZ != 0;
            let clock = if fast { 0x000F_FFFF } else { 0x000F_FF00 } | if xid >= 0x980 { 0x00F0_0000 } else { 0 };
            bus.out32(ports.port(PCI_CLOCK), clock);
        }
    } else {
        ports.change(CONFIG5, CONFIG5_ASPM, 0);
        ports.change(CONFIG2, CONFIG2_CLKREQ, 0);
        if part & LATER != 0 {
            ports.change(CONFIG3, CONFIG3_L23, 0);
        }
        ports.change(PMCH, 0, 0xC0);
        if part == STORMS && bus.in8(ports.port(SLEEP)) & SLEEP_NOW != 0 {
            ports.change(WAKE, 0, WAKE_NOW);
        }
    }
    bus.out8(ports.port(CR9346), CR9346_NORMAL);
    pci::keep_link_on(&bus, found.pci);
    // A PHY that does not answer may have a link all the same.
    let _ = ports.wake_phy(xid, part, found.variant != 0, NEW);
    let mut card = Rtl8169 {
        count: Counters::default(),
        rings: Addr(rings.linear.0.wrapping_add(pad)),
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
