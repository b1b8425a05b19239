//! What the pack step tells the installer: the image's header, the unit directory, and the headers of discarded units.

use crate::install::plan::Plan;
use crate::resident::table::CoreTable;

/// At the kernel's start (asm/kernel.asm). The pack step fills in all but the entries and the context.
#[repr(C)]
pub struct ImageHeader {
    /// Offset of the unit directory in the file.
    pub directory: u32,
    /// The file has the same number at [`BUILD_AT`].
    pub build: u16,
    /// Bytes of the core in the file, from [`CORE_AT`] on; its BSS follows in memory.
    pub core_bytes: u16,
    /// Where slot B begins in our segment.
    pub slot_b: u16,
    /// Where our segment ends: the stack is the last of the image.
    pub stack_top: u16,
    /// Offsets of the entries, for the pack step.
    pub entries: [u16; 3],
    /// Features in the directory,
    pub features: u8,
    /// and NICs behind them.
    pub nics: u8,
    /// Where things lie in the core.
    pub core: CoreTable,
    /// Written by the entry, before Rust runs.
    pub context: Context,
}

/// Who called.
#[repr(C)]
pub struct Context {
    /// Segment of the load image.
    pub load_segment: u16,
    /// Segment of the PSP; 0 when DOS loads us by DEVICE=.
    pub psp: u16,
    /// The INIT request of DEVICE=.
    pub request_offset: u16,
    /// Its segment.
    pub request_segment: u16,
}

/// Where the file has its build's number: the MZ header's last two bytes.
pub const BUILD_AT: u32 = 30;
/// Where the file has the core: behind the MZ header.
pub const CORE_AT: u32 = 32;

/// An entry of the unit directory.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Unit {
    /// The NIC's name, padded with zeros; of other units their own.
    pub name: [u8; 12],
    /// [`KIND_DRIVER`] and its kin.
    pub kind: u8,
    /// Find units: [`BUS_PCI`] or an ISA NIC's place in the order. Stages: [`SLOT_FIRST`] and its kin.
    pub bus: u8,
    /// [`sum`](crate::install::kernel::file) of the bytes and the fix-ups.
    pub sum: u16,
    /// Offset in the file: the bytes, then the fix-ups of 16 bits, then those of 32.
    pub offset: u32,
    /// Bytes in the file.
    pub bytes: u16,
    /// Bytes in memory, BSS included.
    pub total: u16,
    /// Fix-ups of 16 bits: offsets of 2 bytes each.
    pub fixes16: u16,
    /// Fix-ups of 32 bits.
    pub fixes32: u16,
    /// Features: where one of these holds they are placed ([`crate::install::features::needs`]).
    pub needs: u32,
    /// Features: the kind of their block ([`crate::info`]),
    pub block: u8,
    /// and of their table's.
    pub table_block: u8,
    /// Start units: bytes of the device that they write. Features: bytes of the table behind them ([`BUFFERS`]: as many as
    /// the switches ask for).
    pub table: u16,
    /// Features: stack that they take below an upcall.
    pub stack: u16,
    /// Features: bytes more in their table for each handle.
    pub per_handle: u8,
    /// Features: how they attach, so many [`crate::install::features::Hook`]s behind the fix-ups.
    pub hooks: u8,
    /// The sum of those.
    pub hook_sum: u16,
    /// The sum of this entry up to here.
    pub check: u16,
}

impl Unit {
    /// An entry to read into.
    pub const EMPTY: Unit =
        // SAFETY: all of it is numbers.
        unsafe { core::mem::zeroed() };
}

/// [`Unit::table`]: the packet buffers.
pub const BUFFERS: u16 = 0xFFFF;

/// The resident half of a NIC's driver.
pub const KIND_DRIVER: u8 = 1;
/// Finds a NIC.
pub const KIND_FIND: u8 = 2;
/// An optional feature.
pub const KIND_FEATURE: u8 = 3;
/// Starts a NIC.
pub const KIND_START: u8 = 4;
/// A stage of the installation.
pub const KIND_STAGE: u8 = 5;
/// A text or table.
pub const KIND_TEXT: u8 = 6;

/// [`Unit::bus`] of a PCI NIC.
pub const BUS_PCI: u8 = 0;

/// [`Unit::bus`] of a stage in slot A.
pub const SLOT_FIRST: u8 = 0;
/// Of one at slot A's end.
pub const SLOT_LAST: u8 = 1;
/// Of one in slot B.
pub const SLOT_SECOND: u8 = 2;
/// Of one at slot A's end, below which a driver need not fit: the installer moves up for it.
pub const SLOT_LOW: u8 = 3;

/// Numbers of units in the directory. First the texts.
pub mod number {
    /// Lines that the installer prints ([`crate::install::lines`]).
    pub const LINES: u8 = 0;
    /// What `3COMPKT /?` prints.
    pub const HELP: u8 = 1;
    /// PCI functions that we know: [`super::PciRow`].
    pub const PCI: u8 = 2;
    /// Names of network chips: [`super::ChipRow`].
    pub const CHIPS: u8 = 3;
    /// The stages.
    pub const UNLOAD: u8 = 4;
    /// See above.
    pub const SEARCH: u8 = 5;
    /// See above.
    pub const PLACE: u8 = 6;
    /// See above.
    pub const START_CARD: u8 = 7;
    /// See above.
    pub const STAND: u8 = 8;
    /// See above.
    pub const TAKE: u8 = 9;
    /// See above.
    pub const BACK: u8 = 10;
    /// See above.
    pub const HANDOVER: u8 = 11;
    /// See above.
    pub const VERBOSE: u8 = 12;
    /// See above.
    pub const REPORT: u8 = 13;
    /// See above.
    pub const LIST: u8 = 14;
    /// See above.
    pub const GATHER: u8 = 15;
    /// See above.
    pub const JOIN: u8 = 16;
    /// See above.
    pub const REST: u8 = 17;
    /// See above.
    pub const ISA: u8 = 18;
    /// See above.
    pub const READY: u8 = 19;
    /// See above.
    pub const KEEP: u8 = 20;
    /// The features, in the order in which they are placed and attached: each comes between the core and those before it.
    pub const FEATURES: u8 = 21;
    // Behind the features there are the NICs, PCI first, then ISA in its order. Each has [`UNITS`] numbers, whether it has so
    // many units or not.
    /// Of each NIC: finds it.
    pub const FIND: u8 = 0;
    /// Starts it.
    pub const START: u8 = 1;
    /// Its driver.
    pub const DRIVER: u8 = 2;
    /// Its driver with rings below 1 MB.
    pub const DRIVER_V: u8 = 3;
    /// Starts it with rings, where it does without them as well.
    pub const START_X: u8 = 4;
    /// Its driver for that, with rings in XMS.
    pub const DRIVER_X: u8 = 5;
    /// Numbers of a NIC.
    pub const UNITS: u8 = 6;
}

/// A row of the table of PCI functions.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PciRow {
    /// Vendor in the low half, device in the high half.
    pub id: u32,
    /// The NIC, counted from 0.
    pub nic: u32,
}

/// A row of the table of network chips.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ChipRow {
    /// Vendor in the low half, device in the high half.
    pub id: u32,
    /// The name, padded with zeros.
    pub name: [u8; 12],
}

/// At offset 0 of each discarded unit.
#[repr(C)]
pub struct StageHeader {
    /// Does its work: 0, or the next stage ([`crate::install::kernel::run`]).
    pub run: extern "fastcall" fn(&mut Plan) -> u8,
}

/// At offset 0 of a unit that finds a NIC.
#[repr(C)]
pub struct FindHeader {
    /// [`crate::probe::Probe::find`]: 0, or a [`crate::probe::Fault`].
    pub find: extern "fastcall" fn(&crate::probe::Ask, &mut crate::probe::Found) -> u8,
    /// [`crate::probe::Probe::IDS`], for the pack step.
    pub ids: &'static [u32],
}

/// At offset 0 of a unit that starts a NIC.
#[repr(C)]
pub struct StartHeader {
    /// [`crate::probe::Probe::start`]: 0, or a [`crate::probe::Fault`].
    pub start: extern "fastcall" fn(&crate::probe::Found, &Start) -> u8,
    /// [`crate::probe::Probe::line`] of a device that `start` made.
    pub line: extern "fastcall" fn(&crate::probe::Found, *mut u8) -> u8,
    /// [`crate::device::Device::unmask`] of a device that `start` made, once the vectors are hooked.
    pub unmask: extern "fastcall" fn(*mut u8),
    /// [`crate::device::Device::stop`].
    pub stop: extern "fastcall" fn(*mut u8),
    /// [`crate::device::Device::speed`].
    pub speed: extern "fastcall" fn(*mut u8) -> u16,
    /// Bytes of the device that `start` writes, for the pack step.
    pub instance: u32,
}

/// What `start` is given besides the card.
#[repr(C)]
pub struct Start {
    /// Memory for the card's rings.
    pub rings: crate::probe::Rings,
    /// Where the device is to be written, aligned to four bytes.
    pub device: *mut u8,
}

const _: () = assert!(size_of::<Unit>() == 44 && size_of::<ImageHeader>() == 80 && size_of::<StartHeader>() == 24);
const _: () = assert!(size_of::<FindHeader>() == 12 && size_of::<PciRow>() == 8 && size_of::<ChipRow>() == 16);
