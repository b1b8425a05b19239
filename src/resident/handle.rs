//! The handle table: its slots of 16 bytes, and the search for the handle that gets a frame. Also in host tests.

use core::mem::offset_of;

use crate::bus::Far;
use crate::device::Head;

/// Longest type that `access_type` takes, in bytes (802.2 with SNAP).
pub const MAX_TYPE: usize = 8;

/// The specification's classes that this driver serves. DIX Ethernet: the type is at byte 12.
pub const CLASS_DIX: u8 = 1;
/// 802.3 with 802.2 headers: the type begins at byte 14.
pub const CLASS_8023: u8 = 11;

/// A handle, or a slot for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handle {
    /// The receiver; 0: the handle is open, but no receiver is called.
    pub receiver: Far,
    /// Bits 3:0: the NIC. Bits 7:4 are zero.
    pub nic: u8,
    /// [`Handle::IN_USE`], [`Handle::IS_8023`], and the length of the type in bits 3:0; 0: the slot is free. When several
    /// handles match a frame, the one with the greatest flags gets it.
    pub flags: u8,
    /// Frames that this handle's receiver took, modulo 65,536.
    pub taken: u16,
    /// The type, as on the wire.
    pub kind: [u8; MAX_TYPE],
}

const _: () = assert!(size_of::<Handle>() == 16 && offset_of!(Handle, flags) == 5 && offset_of!(Handle, kind) == 8);

impl Handle {
    /// The handle is open.
    pub const IN_USE: u8 = 0x80;
    /// The handle's class is 11, otherwise 1.
    pub const IS_8023: u8 = 0x40;
    /// In the flags of a handle of an interface that is not the current one, in the place of [`Handle::IN_USE`] (asm/ifs.asm).
    pub const HIDDEN: u8 = 0x10;
    /// Mask of the type's length.
    pub const LENGTH: u8 = 0x0F;

    /// A free slot.
    pub const FREE: Handle = Handle { receiver: Far(0), nic: 0, flags: 0, taken: 0, kind: [0; MAX_TYPE] };
}

/// Errors of `access_type`, by the specification's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccessError {
    /// No slot is free.
    NoSpace = 9,
    /// A handle is open whose type is equal over the shorter of both lengths.
    TypeInUse = 10,
}

/// Access to the handle table: statics in the core, an array in tests.
pub trait Slots: Copy {
    /// The first slot.
    fn first(self) -> *mut Handle;
    /// Number of slots, 1 or more.
    fn count(self) -> u8;
    /// How many bytes (0 to 8) at `bytes` are the same as those of a handle's type.
    ///
    /// # Safety
    /// `slot` is in the table, and nine bytes can be read at `bytes`.
    unsafe fn alike(self, slot: *const Handle, bytes: *const u8) -> u8;
}

/// Opens a handle with these flags. `fetch` copies the type to its argument. The caller sets the receiver.
///
/// # Errors
/// [`AccessError`].
#[inline(always)]
pub fn access<S: Slots>(slots: S, flags: u8, fetch: impl FnOnce(*mut u8)) -> Result<*mut Handle, AccessError> {
    let mut slot = slots.first();
    let mut left = slots.count();
    // SAFETY: `slot` stays in the table.
    unsafe {
        while (*slot).flags != 0 {
            slot = slot.wrapping_add(1);
            left = left.wrapping_sub(1);
            if left == 0 {
                return Err(AccessError::NoSpace);
            }
        }
        fetch(&raw mut (*slot).kind as *mut u8);
        if conflicts(slots, slot, flags) {
            return Err(AccessError::TypeInUse);
        }
        (*slot).flags = flags;
        (*slot).taken = 0;
    }
    Ok(slot)
}

/// Whether another handle of the class is open whose type is equal over the shorter of both lengths. A catch-all conflicts
/// only with a catch-all.
#[inline(never)]
fn conflicts<S: Slots>(slots: S, new: *const Handle, flags: u8) -> bool {
    let mut slot = slots.first();
    let mut left = slots.count();
    loop {
        // SAFETY: `slot` stays in the table. `alike` reads one byte behind a type, and there is memory behind the table.
        unsafe {
            let other = (*slot).flags;
            if (other ^ flags) < Handle::IS_8023 {
                let shorter = if flags < other { flags } else { other } & Handle::LENGTH;
                let alike = if shorter == 0 { other == flags } else { slots.alike(slot, &raw const (*new).kind as *const u8) >= shorter };
                if alike {
                    return true;
                }
            }
        }
        slot = slot.wrapping_add(1);
        left = left.wrapping_sub(1);
        if left == 0 {
            return false;
        }
    }
}

/// An entry of the type cache: a type, and the handle that gets its frames, so that these need no search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Known {
    /// The type as it is in a frame; its first byte is in the low half.
    pub kind: u16,
    /// Near address of the handle; 0: none.
    pub taker: u16,
}

/// Entries of the type cache. With a single one, each broadcast between a client's frames would cause two searches.
pub const KNOWN: usize = 2;

/// The entry for a type, as an offset in bytes. It depends on one bit, which is 0 in IP's type (0800h), and 1 in ARP's
/// (0806h) and IPX's (8137h).
#[inline(always)]
pub fn place_of(kind: u16) -> u16 {
    kind >> 7 & 4
}

const _: () = assert!(size_of::<[Known; KNOWN]>() == 8);

/// Whether this is a DIX type, so that it alone decides which handle gets the frame. (Types 05EFh to 05FFh are not in use;
/// they count as lengths here.)
#[inline(always)]
pub fn is_surely_type(kind: u16) -> bool {
    kind as u8 >= 6
}

/// The handle in the type cache for this type; 0: none, or the type is not in the cache.
#[inline(always)]
pub fn recalled(known: &[Known; KNOWN], kind: u16) -> u16 {
    let [first, second] = known;
    // SAFETY: `known` is a reference. The read is volatile, so that it comes before the comparison: rustc would select one
    // of two addresses, and then read.
    let taker = |known: &Known| unsafe { (&raw const known.taker).read_volatile() };
    let mut to = taker(first);
    if kind != first.kind {
        to = taker(second);
        if kind != second.kind {
            to = 0;
        }
    }
    to
}

/// The handle that gets frames of a type or length for which [`recalled`] has returned 0; 0: none. `known` is the entry of the
/// type cache for the type: if it holds the type, no handle wants the frame. Otherwise `search` finds the handle, and the
/// entry gets the result if `kind` is a type.
///
/// # Safety
/// `known` is valid, and `search` does not change it.
#[inline(always)]
pub unsafe fn learn(known: *mut Known, kind: u16, mut search: impl FnMut() -> u16) -> u16 {
    // SAFETY: as the caller promises.
    unsafe {
        if !is_surely_type(kind) {
            search()
        } else if kind != (*known).kind {
            (*known).kind = kind;
            let found = search();
            (*known).taker = found;
            found
        } else {
            0
        }
    }
}

/// Whether bytes 12 and 13 of a frame (the first in the low half) are a DIX type: from 05EFh on, by the specification;
/// below, they are an 802.3 length.
#[inline(always)]
pub fn is_type(kind: u16) -> bool {
    kind.swap_bytes() >= 0x5EF
}

/// Whether a frame has a DIX type, so that no handle of class 11 gets it. Volatile: the search has no register left to
/// keep the answer.
#[inline(always)]
fn has_type(head: &Head) -> bool {
    let at: *const u8 = &raw const head[12];
    // SAFETY: both bytes are in `head`. In the core the address allows a read of 16 bits.
    is_type(if cfg!(target_os = "none") { unsafe { (at as *const u16).read_volatile() } } else { u16::from_le_bytes([head[12], head[13]]) })
}

/// Finds the handle that gets a frame. Calls `better` with each handle that precedes the last one; the last call's argument
/// is the answer; no call, no handle. Class 11 precedes class 1, and a type precedes a catch-all.
#[inline(always)]
pub fn find<S: Slots>(slots: S, head: &Head, mut better: impl FnMut(*mut Handle)) {
    let mut best_flags = Handle::IN_USE - 1;
    let mut slot = slots.first();
    let mut left = slots.count() as u16;
    loop {
        // SAFETY: `slot` stays in the table; `alike` reads nine bytes from byte 12 or 14 of the head.
        unsafe {
            let flags = (*slot).flags;
            if flags > best_flags && !(flags & Handle::IS_8023 != 0 && has_type(head)) {
                let from = head.as_ptr().add(12 + (flags >> 5 & 2) as usize);
                if slots.alike(slot, from) >= flags & Handle::LENGTH {
                    better(slot);
                    best_flags = flags;
                }
            }
        }
        slot = slot.wrapping_add(1);
        left = left.wrapping_sub(1);
        if left == 0 {
            return;
        }
    }
}

/// Closes an open handle.
///
/// # Safety
/// It is an open handle.
#[inline(always)]
pub unsafe fn release(handle: *mut Handle) {
    // SAFETY: as the caller promises.
    unsafe { (*handle).flags = 0 };
}
