//! The information block, whose address INT 60h AH=80h returns in ES:DI. PKTCTL and the tests read it.
//!
//! All offsets are in the driver's segment (the ES of the answer). Layout 1 grows only at the ends of its structures, so
//! readers step by the sizes that the block states.

use crate::device::MacAddr;

/// First bytes of the block.
pub const SIGNATURE: [u8; 4] = *b"3CPK";
/// The `layout` that this source describes.
pub const LAYOUT: u8 = 1;

/// The head of the information block.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Info {
    /// [`SIGNATURE`].
    pub signature: [u8; 4],
    /// [`LAYOUT`].
    pub layout: u8,
    /// Bytes of this head.
    pub size: u8,
    /// Driver version, major in the high byte.
    pub version: u16,
    /// INT vector of the first NIC.
    pub vector: u8,
    /// AMIS multiplex number, 0: none.
    pub amis: u8,
    /// Flags: [`FLAG_DEVICE`] and the constants behind it.
    pub flags: u16,
    /// Segment of the driver.
    pub segment: u16,
    /// Resident size in paragraphs: blocks, stack and conventional buffers.
    pub paragraphs: u16,
    /// Offset of the handle table.
    pub handles: u16,
    /// Entries in the handle table.
    pub handle_count: u8,
    /// Bytes of an entry.
    pub handle_size: u8,
    /// Offset of the first [`NicInfo`].
    pub nics: u16,
    /// Number of them.
    pub nic_count: u8,
    /// Bytes of each [`NicInfo`].
    pub nic_size: u8,
    /// Offset of the first [`Block`].
    pub blocks: u16,
    /// Number of them.
    pub block_count: u8,
    /// Bytes of each [`Block`].
    pub block_size: u8,
    /// Lowest offset of the stack, filled with [`STACK_CANARY`] at load.
    pub stack_low: u16,
    /// Offset just above the stack.
    pub stack_top: u16,
    /// Offset of [`crate::memory::Stats`]; 0: there is no pool.
    pub pool: u16,
}

/// Loaded by DEVICE=: the memory stays DOS's when the driver is unloaded.
pub const FLAG_DEVICE: u16 = 1;
/// The driver lies in upper memory.
pub const FLAG_UPPER: u16 = 2;
/// Loaded in V86 mode.
pub const FLAG_V86: u16 = 4;

/// The NIC's line was masked in the interrupt controller before the load: who unloads the driver masks it again.
pub const FLAG_MASKED: u16 = 8;
/// Its one NIC is a bond of several.
pub const FLAG_BOND: u16 = 16;

/// The stack is filled with this byte at load. The deepest use so far begins where the byte is no longer found.
pub const STACK_CANARY: u8 = 0xC5;

/// One NIC.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct NicInfo {
    /// ASCIZ name, as `driver_info` gives it.
    pub name: [u8; 12],
    /// Address in its ROM.
    pub rom: MacAddr,
    /// Address in use.
    pub mac: MacAddr,
    /// First port, 0: none. Of a bond ([`FLAG_BOND`]) the near address of its [`crate::bond::Head`].
    pub io: u16,
    /// Interrupt line; 0: polled.
    pub irq: u8,
    /// [`crate::device::Link`] at the time of the call. The first call after a loss may say "down", even if the link is up again.
    pub link: u8,
    /// PCI bus in bits 15:8, device 7:3, function 2:0; or [`NOT_PCI`].
    pub pci: u16,
    /// Receive mode in force, 1 to 6.
    pub rcv_mode: u8,
    /// INT vector that this NIC answers on.
    pub vector: u8,
}

/// [`NicInfo::pci`] of an ISA card.
pub const NOT_PCI: u16 = 0xFFFF;

/// A part of the resident image.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Block {
    /// [`BLOCK_CORE`] or one of the constants behind it.
    pub kind: u8,
    /// 0: conventional memory (upper memory if the whole driver is there), 1: XMS.
    pub place: u8,
    /// Size in bytes; in KB for XMS.
    pub size: u16,
}

impl Block {
    /// An unused entry.
    pub const NONE: Block = Block { kind: 0, place: 0, size: 0 };
}

/// Kind of block: the core.
pub const BLOCK_CORE: u8 = 1;
/// The code of a NIC's driver.
pub const BLOCK_NIC: u8 = 2;
/// The state of a NIC's driver.
pub const BLOCK_INSTANCE: u8 = 3;
/// The handle table.
pub const BLOCK_HANDLES: u8 = 4;
/// The stack.
pub const BLOCK_STACK: u8 = 5;
/// DMA rings.
pub const BLOCK_RINGS: u8 = 6;
/// Buffers for frames that wait.
pub const BLOCK_BUFFERS: u8 = 8;
/// The counts of each handle: [`crate::resident::table::Stats`].
pub const BLOCK_STATS: u8 = 9;
/// The shift feature. Its block begins with a word: so much is an open handle's number less than its address.
pub const BLOCK_SHIFT: u8 = 10;
/// The records of several NICs.
pub const BLOCK_NICS: u8 = 11;
/// The records of several interfaces; each begins with its [`NicInfo`].
pub const BLOCK_INTERFACES: u8 = 12;
/// The many feature: several NICs.
pub const BLOCK_MANY: u8 = 13;
/// The ifs feature: several interfaces.
pub const BLOCK_IFS: u8 = 14;
/// Closes what programs have left open.
pub const BLOCK_REAP: u8 = 15;
/// The flat feature. From here on, kinds of features (asm/attach.inc).
pub const BLOCK_FLAT: u8 = 16;
/// The vds feature.
pub const BLOCK_VDS: u8 = 17;
/// The stats feature.
pub const BLOCK_COUNTER: u8 = 18;
/// The pool feature.
pub const BLOCK_POOL: u8 = 19;
/// The tick feature.
pub const BLOCK_TICK: u8 = 20;
/// The example feature of the README. Its block begins with its count, 32 bits.
pub const BLOCK_EXAMPLE: u8 = 21;
/// Lists of frames that wait.
pub const BLOCK_LISTS: u8 = 22;
/// The ctl feature.
pub const BLOCK_CTL: u8 = 23;
/// The feature that copies frames between XMS and a card's port of 16 bits. From here on, kinds of units that copy frames
/// between a card and XMS: a machine has at most one of them.
pub const BLOCK_XWORDS: u8 = 24;
/// The same for a port of 8 bits,
pub const BLOCK_XBYTES: u8 = 25;
/// a FIFO,
pub const BLOCK_XFIFO: u8 = 26;
/// rings,
pub const BLOCK_XRINGS: u8 = 27;
/// a ring from which a frame is taken in parts.
pub const BLOCK_XPARTS: u8 = 28;
/// The bond feature, and its NICs' rows.
pub const BLOCK_BOND: u8 = 29;
/// The flows feature,
pub const BLOCK_FLOWS: u8 = 30;
/// and the doubles feature.
pub const BLOCK_DOUBLES: u8 = 31;
/// A ROM's code (UNDI),
pub const BLOCK_ROM_CODE: u8 = 32;
/// its data,
pub const BLOCK_ROM_DATA: u8 = 33;
/// the stack of its calls,
pub const BLOCK_ROM_STACK: u8 = 34;
/// and the driver's two buffers for frames.
pub const BLOCK_ROM_FRAMES: u8 = 35;
/// The lacp feature, and its ports.
pub const BLOCK_LACP: u8 = 36;
/// The share feature, and its lists of handles.
pub const BLOCK_SHARE: u8 = 37;

const _: () = assert!(size_of::<Info>() == 34 && size_of::<NicInfo>() == 32 && size_of::<Block>() == 4);
