//! Handles: 16 bytes each, and which of them a frame belongs to.

use core::mem::offset_of;

use crate::device::Head;

/// Longest type that `access_type` takes, in bytes (802.2 with SNAP).
pub const MAX_TYPE: usize = 8;

/// The specification's classes that this driver serves: DIX Ethernet, matched at bytes 12 and 13.
pub const CLASS_DIX: u8 = 1;
/// 802.3 with 802.2 headers, matched from byte 14.
pub const CLASS_8023: u8 = 11;

/// A slot of the handle table. A type of more than two bytes goes on in the first six bytes of the next slot,
/// which is then [`Handle::ASIDE`]: so that a type is always one run of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handle {
    /// Far address of the receiver, segment in the high half; 0: registered, but never called.
    pub receiver: u32,
    /// Bits 3:0: the NIC. Bits 15:4 are zero.
    pub nic: u16,
    /// [`Handle::IN_USE`], [`Handle::IS_8023`], [`Handle::ASIDE`]; the length of the type in bits 3:0. Of two
    /// handles that a frame fits, the one with the greater flags gets it.
    pub flags: u8,
    unused: u8,
    /// Frames that this handle's receiver took.
    pub taken: u32,
    /// Frames that it refused, at most 65,535.
    pub refused: u16,
    /// First bytes of the type, as on the wire.
    pub kind: [u8; 2],
}

const _: () = assert!(size_of::<Handle>() == 16 && offset_of!(Handle, flags) == 6 && offset_of!(Handle, kind) == 14);

impl Handle {
    /// The slot is a handle.
    pub const IN_USE: u8 = 0x80;
    /// Its class is 11, else 1.
    pub const IS_8023: u8 = 0x40;
    /// The slot holds the rest of the type of the one before.
    pub const ASIDE: u8 = 0x20;
    /// Mask of the type's length.
    pub const LENGTH: u8 = 0x0F;

    /// A slot that nobody has.
    pub const FREE: Handle = Handle { receiver: 0, nic: 0, flags: 0, unused: 0, taken: 0, refused: 0, kind: [0; 2] };
}

/// What `access_type` found wrong; the specification's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccessError {
    /// No slot left, or no two in a row for a long type.
    NoSpace = 9,
    /// A handle with an equal type, over the shorter of both lengths, is open.
    TypeInUse = 10,
}

/// Where the handle table lies. Slots are named by offsets, 16 apart and never 0, which names nobody.
pub trait Slots: Copy {
    /// The first slot.
    fn first(self) -> u16;
    /// Just behind the last.
    fn end(self) -> u16;
    /// A slot's place; nobody else borrows it.
    fn slot(self, at: u16) -> *mut Handle;
    /// Whether what is at `bytes` begins with the type of a handle.
    ///
    /// # Safety
    /// There are as many bytes as the type has.
    unsafe fn begins(self, at: u16, bytes: *const u8) -> bool;
    /// Where a slot's type lies.
    #[inline(always)]
    fn type_of(self, at: u16) -> *mut u8 {
        type_at(self.slot(at))
    }
}

/// Bytes from one slot to the next.
pub const SLOT: u16 = size_of::<Handle>() as u16;

/// A handle's type.
#[inline(always)]
pub fn type_at(handle: *mut Handle) -> *mut u8 {
    handle.wrapping_byte_add(offset_of!(Handle, kind)) as *mut u8
}

/// Opens a handle with these flags; `fetch` brings its type to where it belongs. Its receiver is the caller's to set.
///
/// # Errors
/// The specification's.
#[inline(always)]
pub fn access<S: Slots>(slots: S, flags: u8, fetch: impl FnOnce(*mut u8)) -> Result<u16, AccessError> {
    let at = room(slots, flags);
    if at == 0 {
        return Err(AccessError::NoSpace);
    }
    fetch(slots.type_of(at));
    // SAFETY: a free slot and, if the type is long, the free one behind it.
    unsafe {
        (*slots.slot(at)).flags = flags;
        if conflicts(slots, at, flags) {
            (*slots.slot(at)).flags = 0;
            return Err(AccessError::TypeInUse);
        }
        let handle = slots.slot(at);
        (*handle).taken = 0;
        (*handle).refused = 0;
        if flags & Handle::LENGTH > 2 {
            (*handle.add(1)).flags = Handle::ASIDE;
        }
    }
    Ok(at)
}

/// A free slot, for a long type one with a free slot behind it; or 0.
#[inline(never)]
fn room<S: Slots>(slots: S, flags: u8) -> u16 {
    let mut before = 0;
    let mut at = slots.first();
    while at != slots.end() {
        // SAFETY: a slot of the table.
        if unsafe { (*slots.slot(at)).flags } != 0 {
            before = 0;
        } else if flags & Handle::LENGTH <= 2 {
            return at;
        } else if before != 0 {
            return before;
        } else {
            before = at;
        }
        at += SLOT;
    }
    0
}

/// Is another handle of the class open whose type is equal over the shorter of both lengths? A catch-all conflicts
/// only with another.
#[inline(never)]
fn conflicts<S: Slots>(slots: S, new: u16, flags: u8) -> bool {
    let mut at = slots.first();
    while at != slots.end() {
        // SAFETY: slots of the table; a type has as many bytes as its length says.
        unsafe {
            let other = (*slots.slot(at)).flags;
            if at != new && (other ^ flags) < Handle::IS_8023 {
                let (short, long) = if flags < other { (new, at) } else { (at, new) };
                if (other == flags || (*slots.slot(short)).flags & Handle::LENGTH != 0) && slots.begins(short, slots.type_of(long)) {
                    return true;
                }
            }
        }
        at += SLOT;
    }
    false
}

/// Whether what is at bytes 12 and 13 of a frame, the first in the low half, is a DIX type: the specification counts
/// them from 05EFh, below is an 802.3 length. A type alone says which handle gets a frame.
#[inline(always)]
pub fn is_type(kind: u16) -> bool {
    kind.swap_bytes() >= 0x5EF
}

/// The same, but for the first 17 types, which nobody uses: by the first byte alone.
#[inline(always)]
pub fn is_surely_type(kind: u16) -> bool {
    kind as u8 >= 6
}

/// The handle that gets a frame, 0 if none: class 11 before class 1, a type before a catch-all.
#[inline(always)]
pub fn find<S: Slots>(slots: S, head: &Head) -> u16 {
    let mut best = 0;
    let mut best_flags = Handle::IN_USE - 1;
    let mut at = slots.first();
    while at != slots.end() {
        // SAFETY: a slot of the table; a type has at most eight bytes, the head 14 + 8 or more.
        unsafe {
            let flags = (*slots.slot(at)).flags;
            if flags > best_flags {
                let is_8023 = flags & Handle::IS_8023 != 0;
                let from = head.as_ptr().add(if is_8023 { 14 } else { 12 });
                if (!is_8023 || !is_type(u16::from_le_bytes([head[12], head[13]]))) && slots.begins(at, from) {
                    best = at;
                    best_flags = flags;
                }
            }
        }
        at += SLOT;
    }
    best
}

/// Closes an open handle.
///
/// # Safety
/// It is one.
#[inline(always)]
pub unsafe fn release(handle: *mut Handle) {
    // SAFETY: the caller's word; behind a long type lies its ASIDE.
    unsafe {
        if (*handle).flags & Handle::LENGTH > 2 {
            (*handle.add(1)).flags = 0;
        }
        (*handle).flags = 0;
    }
}
