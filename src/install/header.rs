//! What the pack step tells the installer, and what its entries know of their caller.

use crate::resident::table::CoreTable;

/// At the start of what is still there while the driver is placed (asm/installer.asm); the pack step fills in all but
/// the entries.
#[repr(C)]
pub struct InstallerHeader {
    /// Offset of the unit directory in the file.
    pub directory: u32,
    /// Entries in it.
    pub unit_count: u16,
    /// Bytes of the core in the image; its BSS follows.
    pub core_bytes: u16,
    /// Where our segment ends: the stack is the last of the image.
    pub stack_top: u16,
    /// Offsets of the entries, for the pack step.
    pub entries: [u16; 3],
    /// Where things lie in the core.
    pub core: CoreTable,
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

unsafe extern "C" {
    static installer_header: InstallerHeader;
    static context: Context;
}

/// What the pack step filled in.
pub fn header() -> &'static InstallerHeader {
    // SAFETY: written before the file was.
    unsafe { &*&raw const installer_header }
}

/// Who called.
pub fn caller() -> &'static Context {
    // SAFETY: written by the entry, before Rust ran.
    unsafe { &*&raw const context }
}

/// An entry of the unit directory.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Unit {
    /// Its name, padded with zeros: the NIC's, or the feature's.
    pub name: [u8; 12],
    /// [`KIND_DRIVER`], [`KIND_PROBE`], [`KIND_FEATURE`] or [`KIND_STARTER`].
    pub kind: u8,
    /// Probes: [`BUS_PCI`] or an ISA probe's place in the order.
    pub bus: u8,
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
    /// Probes: identities of PCI functions, four bytes each, behind the fix-ups.
    pub ids: u16,
    /// Keeps the size a multiple of four.
    pub unused: u16,
}

impl Unit {
    /// An entry to read into.
    pub const EMPTY: Unit = Unit {
        name: [0; 12],
        kind: 0,
        bus: 0,
        offset: 0,
        bytes: 0,
        total: 0,
        fixes16: 0,
        fixes32: 0,
        ids: 0,
        unused: 0,
    };

    /// Where the identities are in the file.
    pub fn ids_at(&self) -> u32 {
        self.offset + self.bytes as u32 + 2 * (self.fixes16 + self.fixes32) as u32
    }
}

/// The resident half of a NIC's driver.
pub const KIND_DRIVER: u8 = 1;
/// The discarded half.
pub const KIND_PROBE: u8 = 2;
/// An optional feature.
pub const KIND_FEATURE: u8 = 3;
/// A probe that finds nothing, but starts a card in another way than the one that found it.
pub const KIND_STARTER: u8 = 4;
/// [`Unit::bus`] of a PCI probe.
pub const BUS_PCI: u8 = 0;

/// At offset 0 of a probe's unit.
#[repr(C)]
pub struct ProbeHeader {
    /// [`PROBE_MAGIC`].
    pub magic: u16,
    /// Bytes of the device that `start` writes.
    pub instance: u16,
    /// [`crate::probe::Probe::find`]: 0, or a [`crate::probe::Fault`].
    pub find: extern "fastcall" fn(&crate::probe::Ask, &mut crate::probe::Found) -> u8,
    /// [`crate::probe::Probe::start`]: 0, or a [`crate::probe::Fault`].
    pub start: extern "fastcall" fn(&crate::probe::Found, &Start) -> u8,
    /// [`crate::probe::Probe::line`] of a device that `start` made.
    pub line: extern "fastcall" fn(&crate::probe::Found, *mut u8) -> u8,
    /// [`crate::device::Device::unmask`] of a device that `start` made, once the vectors are hooked.
    pub unmask: extern "fastcall" fn(*mut u8),
    /// [`crate::probe::Probe::IDS`], which the pack step copies into the directory.
    pub ids: &'static [u32],
}

/// What `start` is given besides the card.
#[repr(C)]
pub struct Start {
    /// Memory for the card's rings.
    pub rings: crate::probe::Rings,
    /// Where the device is to be written, aligned to four bytes.
    pub device: *mut u8,
}

/// First word of a probe's unit.
pub const PROBE_MAGIC: u16 = 0x5033;

const _: () = assert!(size_of::<Unit>() == 32 && size_of::<InstallerHeader>() == 60 && size_of::<ProbeHeader>() == 28);
