//! Records of several NICs and interfaces: the features `many` and `ifs`. asm/several.inc has the same layouts.

use crate::info::NicInfo;

/// The most NICs of one copy.
pub const MOST: u8 = 16;

/// A NIC's record. While the installer gathers cards, the first fields hold what it needs to stop this one again ([`Gathered`]).
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Nic {
    /// The handler of its line, an IISP header.
    pub stub: Stub,
    /// [`crate::device::Events`], and bits of the core's `pending`: what there is to do.
    pub events: u8,
    /// Offset in segment 0 of the line's vector; 0: none, or another record has it.
    pub slot: u16,
    /// Ends of interrupt: for the first controller in the low half, for the second one in the high half, 0: none.
    pub line: u16,
    /// Not 0: the line was masked before the load.
    pub lone: u8,
    /// Near address of its driver's entries.
    pub entries: u16,
    /// Near address of its device.
    pub device: u16,
    /// Its handle of XMS; 0: none.
    pub xms: u16,
    /// Its place on PCI, or [`crate::info::NOT_PCI`].
    pub pci: u16,
    /// Its first port.
    pub io: u16,
    /// Near address of its interface's record.
    pub iface: u16,
}

/// The interrupt line that has these ends of interrupt ([`Nic::line`]); 0: none.
#[inline(always)]
pub fn irq_of(line: u16) -> u8 {
    let [first, second] = line.to_le_bytes();
    if second != 0 { second & 7 | 8 } else { first & 7 }
}

/// What [`Nic`] begins with.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Stub {
    /// JMP SHORT to `call`.
    pub jump: [u8; 2],
    /// The handler before.
    pub old: u32,
    /// The protocol's signature.
    pub sign: [u8; 2],
    /// This handler sends its own end of interrupt.
    pub flag: u8,
    /// JMP SHORT to `reset`.
    pub to_reset: [u8; 2],
    reserved: [u8; 7],
    /// CALL,
    pub call: u8,
    /// and how far.
    pub distance: u16,
    /// RETF.
    pub reset: u8,
}

impl Stub {
    /// Calls a routine `distance` bytes behind the end of the CALL.
    pub const fn new(distance: u16) -> Stub {
        Stub {
            jump: [0xEB, 0x10],
            old: 0,
            sign: *b"KB",
            flag: 0,
            to_reset: [0xEB, 10],
            reserved: [0; 7],
            call: 0xE8,
            distance,
            reset: 0xCB,
        }
    }
}

/// What the installer needs to stop a card that was started: it lies in the record until all cards are.
#[derive(Clone, Copy, Default)]
#[repr(C, packed)]
pub struct Gathered {
    /// Its PCI command register as it was; above 16 bits: nothing is to be put back.
    pub command: u32,
    /// Which NIC in the directory.
    pub nic: u8,
    /// The number of its driver's unit.
    pub driver: u8,
    /// Its interrupt line; 0: polled.
    pub irq: u8,
    /// What the flat feature must be for it ([`crate::install::features::needs`]).
    pub flat: u16,
}

/// The fields of `many`, behind attaching.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Many {
    /// The first record,
    pub first: u16,
    /// and where the last one ends.
    pub end: u16,
    /// The core's table of the driver's entries.
    pub table: u16,
    /// Of the core.
    pub save: u16,
    /// Of the core.
    pub settle: u16,
    /// The XMS driver's entry.
    pub xms: u32,
    /// The record whose line has interrupted; 0: none.
    pub asked: u16,
    /// The record whose frame is peeked.
    pub rx: u16,
    /// The record through which a frame is sent.
    pub out: u16,
    /// A routine: makes the interface of a record the current one.
    pub switch: u16,
    /// The current interface's record.
    pub current: u16,
    /// A routine: gives a change to the NICs of the current interface.
    pub note: u16,
    /// A routine: what a record calls.
    pub handler: u16,
    /// Records.
    pub count: u16,
    /// A routine: has a NIC receive by the receive mode, the address and the list in force.
    pub receive: u16,
    /// Frames that are taken from the same NIC before another one is asked.
    pub left: u8,
}

/// An interface's record.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Interface {
    /// As the information block shows it.
    pub nic: NicInfo,
    /// The number of multicast addresses, and these.
    pub groups: [u8; 52],
    /// Its device.
    pub device: u32,
    /// The type cache.
    pub known: [u16; 4],
    /// Open handles.
    pub open: u8,
    /// Counted from 0.
    pub number: u8,
    /// Near address of its NIC's record.
    pub out: u16,
    /// The handler of its vector before.
    pub old: u32,
    /// The handler of its vector: a packet driver's signature,
    pub stub: [u8; 12],
    /// CALL,
    pub call: u8,
    /// and how far.
    pub distance: u16,
}

/// [`Interface::stub`].
pub const SIGNATURE: [u8; 12] = *b"\xEB\x0A\x90PKT DRVR\0";

/// Bytes of a record of each kind.
pub const NIC: u16 = size_of::<Nic>() as u16;
/// See above.
pub const INTERFACE: u16 = size_of::<Interface>() as u16;

const _: () = assert!(size_of::<Stub>() == 22 && size_of::<Nic>() == 40 && size_of::<Gathered>() <= size_of::<Stub>());
const _: () = assert!(size_of::<Many>() == 33 && size_of::<Interface>() == 119);
