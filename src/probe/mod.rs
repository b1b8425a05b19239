//! The discarded half of each NIC's driver: it finds the card, reads its address, resets it and sets it up.
//!
//! The installer calls it. Each NIC has a find unit and a start unit of its own in the file, which are read when needed.

pub mod boomerang;
pub mod corkscrew;
pub mod e1000;
pub mod e1000e;
pub mod el3;
pub mod i8255x;
pub mod igb;
pub mod elink;
pub mod intel_rings;
pub mod isa_pnp;
pub mod line;
mod loopback;
pub mod microwire;
pub mod media;
pub mod ne2000;
pub mod ne2k_pci;
pub mod pch;
pub mod pci;
pub mod pcnet;
pub mod rtl8139;
pub mod rtl8169;
pub mod tg3;
pub mod tulip;
pub mod undi;
pub mod virtio_net;
pub mod vmxnet3;
pub mod vortex;

use crate::bus::{Addr, Bus};
use crate::device::{Device, MacAddr};

/// Tells `find` which card to try.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Ask<'a> {
    /// ISA: number of the candidate, from 0. PCI: 0. UNDI: bit 0: the user has asked for it; bit 1: `/V` is given.
    pub index: u8,
    /// The value of `/IRQ=`, 0 if not given.
    pub irq: u8,
    /// The value of `/IO=`, 0 if not given. If given, it is the only candidate (index 0).
    pub io: u16,
    /// PCI: bus in bits 15:8, device 7:3, function 2:0.
    pub pci: u16,
    /// First ports of the cards that other copies of this driver use: they must not be touched. 0: unused entry.
    pub taken: &'a [u16; TAKEN],
    /// The value of `/MEDIA=` (see [`media`]), 0 if not given.
    pub media: u8,
    /// Frames shall wait (`/XMS=`, `/MIGRATE=`).
    pub waits: bool,
}

/// Vectors on which a packet driver may be (Packet Driver Specification: 60h to 80h).
pub const VECTORS: core::ops::RangeInclusive<u8> = 0x60..=0x80;
/// Entries of [`Ask::taken`]: a copy of this driver may be on each vector.
pub const TAKEN: usize = (*VECTORS.end() - *VECTORS.start()) as usize + 1;

impl Ask<'_> {
    /// Whether another copy of the driver uses the card at `io`.
    pub fn is_taken(&self, io: u16) -> bool {
        self.taken.contains(&io)
    }
}

/// A card that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Found {
    /// Its address, from its EEPROM or PROM.
    pub mac: MacAddr,
    /// First port; 0: no ports are used.
    pub io: u16,
    /// Base of the registers in memory; 0: none are used.
    pub mem: u32,
    /// Interrupt line 1 to 15; 0: none, so the card is polled.
    pub irq: u8,
    /// A note of the driver's own on the kind of card, for its `start`.
    pub variant: u8,
    /// [`Ask::media`], if the driver selects media; otherwise 0.
    pub media: u8,
    /// The card's highest speed, in units of 10 Mbit/s ([`Probe::SPEED`]).
    pub speed: u8,
    /// PCI function, as in [`Ask`].
    pub pci: u16,
    /// Bytes of rings that `start` needs below 1 MB if there is no XMS.
    pub rings_low: u16,
    /// Bytes of rings that `start` needs in XMS if there is XMS; both 0: no rings. Or [`NO_XMS`].
    pub rings_xms: u32,
    /// The card can work without rings, too: then the units of the driver's name start and drive it. With rings the start
    /// unit has an `x` behind the name, and the driver an `x` (XMS) or a `v`.
    pub plain: bool,
    /// The flat feature's unit for this card: [`FLAT`] or one of the constants behind it.
    pub flat: u8,
    /// What the line at load has behind the driver's name, padded with zeros: `: RTL8168H`, where the probe knows the chip.
    pub chip: [u8; CHIP],
}

/// Bytes of a chip's name with the colon and the blank before it.
pub const CHIP: usize = 14;

/// Whether a card can have this address: no group address, which no frame may come from, and not all zeros. A missing or
/// blank ROM reads as one or the other. The installer checks this for every card that was found; a probe checks it before
/// it activates an ISA card or makes one interrupt.
pub fn is_station(mac: &MacAddr) -> bool {
    mac[0] & 1 == 0 && *mac != [0; 6]
}

/// The flat feature (asm/flat.inc) without a letter, for most cards.
pub const FLAT: u8 = 0;
/// The letter for a PCI card whose command register can switch its interrupt off.
pub const FLAT_INTX: u8 = b'i';
/// The letter for an ISA card on a machine in which only the keyboard controller moves A20.
pub const FLAT_KEYBOARD: u8 = b'k';
/// [`Found::rings_xms`] if neither port 92h nor the keyboard controller moves A20: XMS cannot be used.
pub const NO_XMS: u32 = 1 << 31;

/// Why `find` or `start` has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// There is no card at this candidate.
    Nothing = 1,
    /// There is no candidate with this number.
    End = 2,
    /// A card did not answer within a limit.
    Dead = 3,
    /// The card's EEPROM has a wrong checksum or no address.
    Eeprom = 4,
    /// The card has or needs an interrupt line that it cannot use.
    Irq = 5,
    /// The card's resources collide with others', or it has none.
    Resources = 6,
    /// There is too little memory for its rings.
    Memory = 7,
    /// The card's registers are in memory, which V86 mode does not reach.
    V86 = 8,
    /// The card has not the medium that the user wants.
    Media = 9,
    /// Bus master transfers of the card are not reliable.
    Master = 10,
    /// From the installer: in V86 mode without VDS, no physical address is known for the rings.
    Hidden = 11,
    /// From the installer: the memory manager does not lock the rings.
    Unlocked = 12,
    /// UNDI: in V86 mode the ROM's code cannot be trusted.
    RomV86 = 13,
    /// UNDI: the card's ROM has none.
    NoUndi = 14,
    /// UNDI: the ROM does not load or start.
    Rom = 15,
    /// UNDI: the ROM works above 1 MB, where XMS is.
    RomHigh = 16,
    /// UNDI: a ROM that loads only once was loaded since the machine was started, or another copy calls a ROM.
    RomUsed = 17,
}

/// Bytes of a reason in the file: the text, at least one zero, and the exit code (the pack step writes them).
pub const REASON: usize = 112;

/// The text printed behind the card's name for each fault; empty for faults that are not printed. In the file only
/// (tools/src/pack/mod.rs).
#[cfg(not(target_os = "none"))]
pub const REASONS: [&str; 17] = [
    "",
    "",
    ": the card is there but does not answer; reset the machine or try another slot",
    ": the card's EEPROM holds no valid address; repair it with the card's own setup program",
    ": the card's IRQ cannot be used; give /IRQ= or set another one with the card's setup program",
    ": the card has no ports or collides with another; set it up with its setup program",
    ": too little memory for the card's rings; load HIMEM.SYS first",
    ": the card's registers are out of reach in V86 mode; start the machine without EMM386 or JEMMEX",
    ": the card cannot be told /MEDIA= or does not have it; leave it out",
    "",
    ": the card cannot find memory in V86 mode without VDS; use a memory manager that has it (JEMMEX)",
    ": the memory manager (VDS) does not lock the card's rings; load the driver low, by DEVICE=",
    ": a card's ROM cannot be used in V86 mode; start the machine without EMM386 or JEMMEX",
    ": the card's ROM has no UNDI (PXE); switch booting from the network on in the BIOS setup",
    ": the card's ROM (UNDI) does not start; restart the machine, or use another card",
    ": the card's ROM works in memory that is HIMEM's; load the driver without HIMEM.SYS",
    ": a card's ROM (UNDI) can be loaded only once; restart the machine to load it again",
];

/// The exit code for each fault (manual, ERRORLEVEL).
#[cfg(not(target_os = "none"))]
pub const REASON_CODES: [u8; 17] = [3, 3, 3, 3, 3, 3, 6, 7, 1, 3, 7, 7, 7, 2, 3, 7, 3];

impl Fault {
    /// The fault with this number; `None` for 0, success.
    pub fn from(number: u8) -> Option<Fault> {
        Some(match number {
            0 => return None,
            1 => Fault::Nothing,
            2 => Fault::End,
            4 => Fault::Eeprom,
            5 => Fault::Irq,
            6 => Fault::Resources,
            7 => Fault::Memory,
            8 => Fault::V86,
            9 => Fault::Media,
            10 => Fault::Master,
            13 => Fault::RomV86,
            14 => Fault::NoUndi,
            15 => Fault::Rom,
            16 => Fault::RomHigh,
            17 => Fault::RomUsed,
            _ => Fault::Dead,
        })
    }
}

/// The memory of the rings. Both addresses are the same except in V86 mode.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Rings {
    /// The address for the bus.
    pub linear: Addr,
    /// The address for the card.
    pub physical: u32,
    /// Bytes of the memory.
    pub len: u32,
}

impl Rings {
    /// Of a card that has none.
    pub const NONE: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };
}

/// The discarded half of a driver.
pub trait Probe<B: Bus> {
    /// The resident half of the driver.
    type Device: Device;
    /// The PCI functions that this driver supports: vendor in the low half, device in the high half. Empty for ISA.
    const IDS: &'static [u32] = &[];
    /// [`Found::speed`] of these cards.
    const SPEED: u8 = 10;
    /// Tries one candidate. Reads before it writes, and leaves other hardware as it was.
    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault>;
    /// Resets the card, whatever its state, and sets it up: address filter for `found.mac` and broadcasts, receiver on. The
    /// NIC's interrupts are masked until the core calls `unmask`.
    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault>;
    /// The line at which a card with an interrupt, once started, really interrupts ([`line::check`]); 0: none. Interrupts are
    /// masked afterwards as before. For a card that cannot be made to interrupt, the line that `find` gave.
    fn line(_bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        found.irq
    }
}
