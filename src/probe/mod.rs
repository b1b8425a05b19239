//! The discarded half of each NIC's driver: find the card, read its address, reset it, set it up.
//!
//! Each NIC's probe is a unit of its own in the file, read only when its turn comes.

pub mod boomerang;
pub mod corkscrew;
pub mod e1000;
pub mod e1000e;
pub mod el3;
pub mod i8255x;
pub mod elink;
pub mod intel_rings;
pub mod isa_pnp;
pub mod line;
mod loopback;
pub mod microwire;
pub mod media;
pub mod ne2000;
pub mod ne2k_pci;
pub mod pci;
pub mod pcnet;
pub mod rtl8139;
pub mod tulip;
pub mod virtio_net;
pub mod vmxnet3;
pub mod vortex;

use crate::bus::{Addr, Bus};
use crate::device::{Device, MacAddr};

/// Which card to look at.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Ask<'a> {
    /// ISA: the number of the candidate, counted from 0. Not used for PCI.
    pub index: u8,
    /// What the user gave as `/IRQ=`, 0 if nothing.
    pub irq: u8,
    /// What the user gave as `/IO=`, 0 if nothing: then it is the only candidate (index 0).
    pub io: u16,
    /// PCI: bus in bits 15:8, device 7:3, function 2:0.
    pub pci: u16,
    /// First ports of cards that other copies of this driver have: not to be touched. 0: nothing.
    pub taken: &'a [u16; TAKEN],
    /// What the user gave as `/MEDIA=` (see [`media`]), 0 if nothing.
    pub media: u8,
    /// The user wants frames to wait.
    pub waits: bool,
}

/// Vectors on which a packet driver may be (Packet Driver Specification: 60h to 80h).
pub const VECTORS: core::ops::RangeInclusive<u8> = 0x60..=0x80;
/// Entries of [`Ask::taken`]: a copy of this driver may be on each vector.
pub const TAKEN: usize = (*VECTORS.end() - *VECTORS.start()) as usize + 1;

impl Ask<'_> {
    /// True when another copy of the driver has the card at `io`.
    pub fn is_taken(&self, io: u16) -> bool {
        self.taken.contains(&io)
    }
}

/// A card that answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Found {
    /// Its address, from its EEPROM or PROM.
    pub mac: MacAddr,
    /// First port, 0 if it has none in use.
    pub io: u16,
    /// Base of its registers in memory, 0 if none in use.
    pub mem: u32,
    /// Interrupt line 1 to 15; 0: none, to be polled.
    pub irq: u8,
    /// The driver's own remark on the kind of card, handed back to `start`.
    pub variant: u8,
    /// [`Ask::media`], from a card that has it; from all others 0.
    pub media: u8,
    /// PCI place as in [`Ask`].
    pub pci: u16,
    /// Bytes of ring that `start` wants in memory below 1 MB, when there is no XMS.
    pub rings_low: u16,
    /// Bytes of ring that `start` wants in XMS, when there is XMS; both 0: no rings. Or [`NO_XMS`].
    pub rings_xms: u32,
    /// The card does without rings, too, if need be: the units of the driver's name, probe and driver, are for that. With
    /// rings a probe with an `x` behind its name starts it, and the driver with an `x` (XMS) or a `v` is placed.
    pub plain: bool,
    /// The letter of the flat feature's unit for it: [`FLAT`] or one of its kin.
    pub flat: u8,
}

/// Whether a card can have this address: not a group's, which no frame may come from, and not zeros. A ROM that is
/// missing or blank reads as one or the other. The installer asks this of every card that was found; a probe asks it
/// before it activates an ISA card or has one interrupt.
pub fn is_station(mac: &MacAddr) -> bool {
    mac[0] & 1 == 0 && *mac != [0; 6]
}

/// The flat feature (asm/flat.inc) for most cards: no letter.
pub const FLAT: u8 = 0;
/// For a PCI card whose interrupt can be switched off in its command register.
pub const FLAT_INTX: u8 = b'i';
/// For an ISA card on a machine whose A20 the keyboard controller alone moves.
pub const FLAT_KEYBOARD: u8 = b'k';
/// [`Found::rings_xms`] where nothing known opens A20's gate: XMS would be of no use.
pub const NO_XMS: u32 = 1 << 31;

/// Why `find` or `start` gave no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// No card at this candidate.
    Nothing = 1,
    /// The candidate's number is past the last.
    End = 2,
    /// A card, but it did not answer within a limit.
    Dead = 3,
    /// A card whose EEPROM fails its checksum or holds no address.
    Eeprom = 4,
    /// A card that has or wants an interrupt line that it cannot use.
    Irq = 5,
    /// A card whose resources collide, or that no one has given any.
    Resources = 6,
    /// Too little memory for its rings.
    Memory = 7,
    /// A card whose registers lie in memory, which V86 mode does not reach.
    V86 = 8,
    /// A card without the medium that the user wants.
    Media = 9,
    /// A card that is no good bus master.
    Master = 10,
    /// The installer's: nobody tells the card where memory is.
    Hidden = 11,
    /// The installer's: rings that the memory manager does not lock.
    Unlocked = 12,
}

/// Bytes of a reason in the file: the pack step pads them with zeros.
pub const REASON: usize = 112;

/// What is said of each fault behind the card's name; nothing where there is none. In the file only: see
/// tools/src/pack/mod.rs.
#[cfg(not(target_os = "none"))]
pub const REASONS: [&str; 12] = [
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
];

impl Fault {
    /// The fault that a probe's entry gave as a number; `None` for 0, success.
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
            _ => Fault::Dead,
        })
    }
}

/// Where the rings are: physical for the card, linear for the bus. Both equal but in V86.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Rings {
    /// As the bus copies.
    pub linear: Addr,
    /// As the card sees it.
    pub physical: u32,
    /// Bytes there.
    pub len: u32,
}

/// The discarded half of a driver.
pub trait Probe<B: Bus> {
    /// The resident half.
    type Device: Device;
    /// The PCI functions that this driver knows: vendor in the low half, device in the high half. None for ISA.
    const IDS: &'static [u32] = &[];
    /// Looks at one candidate. Reads before it writes; leaves what is no card of its own as it was.
    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault>;
    /// Resets the card from whatever state it is in and sets it up: address filter for `found.mac` and broadcast,
    /// receiver on, interrupts masked at the NIC until the core calls `unmask`.
    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault>;
    /// The line at which a card that was found with one, and started, really interrupts ([`line::check`]); 0: none.
    /// Interrupts are masked afterwards as before. A part that cannot be made to interrupt has the line that it was found
    /// with.
    fn line(_bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        found.irq
    }
}
