//! Handles: 16 bytes each, and which of them a frame belongs to.

use core::mem::offset_of;

use crate::device::Head;

/// Longest type that `access_type` takes, in bytes (802.2 with SNAP).
pub const MAX_TYPE: usize = 8;
/// A type, the bytes beyond its length undefined.
pub type Type = [u8; MAX_TYPE];

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
    /// Length of the type out of range for the class.
    BadType = 5,
    /// No slot left.
    NoSpace = 9,
    /// A handle with an equal type, over the shorter of both lengths, is open.
    TypeInUse = 10,
}

/// The handle table: `bytes` of slots at `first`.
#[derive(Clone, Copy)]
pub struct Table {
    /// First slot.
    pub first: *mut Handle,
    /// Length of the table in bytes.
    pub bytes: u16,
}

impl Table {
    /// The table in a slice of slots.
    pub fn new(slots: &mut [Handle]) -> Table {
        Table { first: slots.as_mut_ptr(), bytes: size_of_val(slots) as u16 }
    }

    #[inline(always)]
    fn end(self) -> *mut Handle {
        self.first.wrapping_byte_add(self.bytes as usize)
    }

    /// Open handles.
    #[inline(never)]
    pub fn open(self) -> u8 {
        let mut count = 0;
        let mut at = self.first;
        while at != self.end() {
            // SAFETY: `at` is a slot of the table.
            count += unsafe { (*at).flags } >> 7;
            at = at.wrapping_add(1);
        }
        count
    }

    /// Opens a handle for the first `len` bytes of `kind`.
    pub fn access(self, class: u8, len: u16, kind: &Type, receiver: u32) -> Result<*mut Handle, AccessError> {
        let (class_flag, longest) = if class == CLASS_8023 { (Handle::IS_8023, MAX_TYPE as u16) } else { (0, 2) };
        if len > longest {
            return Err(AccessError::BadType);
        }
        let flags = Handle::IN_USE | class_flag | len as u8;
        let mut free: *mut Handle = core::ptr::null_mut();
        let mut at = self.first;
        while at != self.end() {
            // SAFETY: `at` is a slot of the table.
            let other = unsafe { (*at).flags };
            let next = at.wrapping_add(1);
            if other == 0 {
                // A long type takes two slots that lie side by side.
                // SAFETY: `next` is a slot when it is not the end.
                if free.is_null() && (len <= 2 || next != self.end() && unsafe { (*next).flags } == 0) {
                    free = at;
                }
            } else if (other ^ flags) & (Handle::IN_USE | Handle::IS_8023) == 0 {
                let shorter = (other & Handle::LENGTH).min(len as u8);
                // A catch-all lives beside every type, but not beside another catch-all.
                let both = shorter != 0 || other == flags;
                // SAFETY: a type lies in the table, in its slot and, beyond two bytes, the next.
                if both && unsafe { same(type_at(at), kind.as_ptr(), shorter) } {
                    return Err(AccessError::TypeInUse);
                }
            }
            at = next;
        }
        if free.is_null() {
            return Err(AccessError::NoSpace);
        }
        // SAFETY: `free` and, for a long type, the slot behind it are free slots of the table.
        unsafe {
            *free = Handle { receiver, flags, kind: [kind[0], kind[1]], ..Handle::FREE };
            if len > 2 {
                let next = free.wrapping_add(1);
                (*next).flags = Handle::ASIDE;
                (next as *mut [u8; 6]).write([kind[2], kind[3], kind[4], kind[5], kind[6], kind[7]]);
            }
        }
        Ok(free)
    }

    /// The handle that gets a frame, null if none: class 11 before class 1, a type before a catch-all.
    #[inline(always)]
    pub fn find(self, head: &Head) -> *mut Handle {
        // The specification counts types from 05EFh; below is an 802.3 length.
        let is_8023 = u16::from_be_bytes([head[12], head[13]]) < 0x5EF;
        let mut best = core::ptr::null_mut();
        let mut best_flags = Handle::IN_USE - 1;
        let mut at = self.first;
        while at != self.end() {
            // SAFETY: `at` is a slot of the table.
            let flags = unsafe { (*at).flags };
            if flags > best_flags {
                let mut from = 12;
                let mut fits = true;
                if flags & Handle::IS_8023 != 0 {
                    from = 14;
                    fits = is_8023;
                }
                // SAFETY: a type has at most eight bytes and lies in the table; the head has 14 + 8 or more.
                if fits && unsafe { same(type_at(at), head.as_ptr().add(from), flags & Handle::LENGTH) } {
                    best = at;
                    best_flags = flags;
                }
            }
            at = at.wrapping_add(1);
        }
        best
    }
}

/// Closes an open handle.
///
/// # Safety
/// `handle` is an open handle of a table.
pub unsafe fn release(handle: *mut Handle) {
    // SAFETY: the caller's word; behind a long type lies its ASIDE.
    unsafe {
        if (*handle).flags & Handle::LENGTH > 2 {
            (*handle.wrapping_add(1)).flags = 0;
        }
        (*handle).flags = 0;
    }
}

#[inline(always)]
fn type_at(handle: *const Handle) -> *const u8 {
    handle.wrapping_byte_add(offset_of!(Handle, kind)) as *const u8
}

/// # Safety
/// Both have `len` bytes.
#[inline(never)]
unsafe fn same(a: *const u8, b: *const u8, len: u8) -> bool {
    let mut left = len;
    let (mut a, mut b) = (a, b);
    while left != 0 {
        // SAFETY: the caller's word.
        if unsafe { *a != *b } {
            return false;
        }
        a = a.wrapping_add(1);
        b = b.wrapping_add(1);
        left -= 1;
    }
    true
}
