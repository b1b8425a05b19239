//! Handles: 16 bytes each, and which of them a frame belongs to.

use core::mem::offset_of;

use crate::bus::Far;
use crate::device::Head;

/// Longest type that `access_type` takes, in bytes (802.2 with SNAP).
pub const MAX_TYPE: usize = 8;

/// The specification's classes that this driver serves: DIX Ethernet, matched at bytes 12 and 13.
pub const CLASS_DIX: u8 = 1;
/// 802.3 with 802.2 headers, matched from byte 14.
pub const CLASS_8023: u8 = 11;

/// A handle, or a slot for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handle {
    /// The receiver; 0: registered, but never called.
    pub receiver: Far,
    /// Bits 3:0: the NIC. Bits 7:4 are zero.
    pub nic: u8,
    /// [`Handle::IN_USE`], [`Handle::IS_8023`]; the length of the type in bits 3:0. Of two handles that a frame fits,
    /// the one with the greater flags gets it.
    pub flags: u8,
    /// Frames that this handle's receiver took, modulo 65,536.
    pub taken: u16,
    /// The type, as on the wire.
    pub kind: [u8; MAX_TYPE],
}

const _: () = assert!(size_of::<Handle>() == 16 && offset_of!(Handle, flags) == 5 && offset_of!(Handle, kind) == 8);

impl Handle {
    /// The slot is a handle.
    pub const IN_USE: u8 = 0x80;
    /// Its class is 11, else 1.
    pub const IS_8023: u8 = 0x40;
    /// Mask of the type's length.
    pub const LENGTH: u8 = 0x0F;

    /// A slot that nobody has.
    pub const FREE: Handle = Handle { receiver: Far(0), nic: 0, flags: 0, taken: 0, kind: [0; MAX_TYPE] };
}

/// What `access_type` found wrong; the specification's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccessError {
    /// No slot left.
    NoSpace = 9,
    /// A handle with an equal type, over the shorter of both lengths, is open.
    TypeInUse = 10,
}

/// Where the handle table lies, and a comparison.
pub trait Slots: Copy {
    /// The first slot.
    fn first(self) -> *mut Handle;
    /// How many there are, 1 or more.
    fn count(self) -> u8;
    /// How many bytes (0 to 8) from `bytes` on are those of a handle's type.
    ///
    /// # Safety
    /// It is a slot, and there are nine bytes.
    unsafe fn alike(self, slot: *const Handle, bytes: *const u8) -> u8;
}

/// Opens a handle with these flags; `fetch` brings its type to where it belongs. Its receiver is the caller's to set.
///
/// # Errors
/// The specification's.
#[inline(always)]
pub fn access<S: Slots>(slots: S, flags: u8, fetch: impl FnOnce(*mut u8)) -> Result<*mut Handle, AccessError> {
    let mut slot = slots.first();
    let mut left = slots.count();
    // SAFETY: slots of the table.
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

/// Is another handle of the class open whose type is equal over the shorter of both lengths? A catch-all conflicts
/// only with another.
#[inline(never)]
fn conflicts<S: Slots>(slots: S, new: *const Handle, flags: u8) -> bool {
    let mut slot = slots.first();
    let mut left = slots.count();
    loop {
        // SAFETY: slots of the table; behind it lies something.
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

/// A type that came before, and the handle that got it: a frame of a busy type finds its handle without a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Known {
    /// The type as it lies in a frame, the first byte in the low half.
    pub kind: u16,
    /// Near address of the handle; 0: nobody.
    pub taker: u16,
}

/// Types that are remembered: with one, every broadcast that comes between a client's frames costs two searches.
pub const KNOWN: usize = 2;

/// The place of a type, in bytes from the first: told by a bit that is 0 in IP's type (0800h) and 1 in ARP's (0806h) and
/// IPX's (8137h).
#[inline(always)]
pub fn place_of(kind: u16) -> u16 {
    kind >> 7 & 4
}

const _: () = assert!(size_of::<[Known; KNOWN]>() == 8);

/// Is it a type, for which one handle is always the one? (The first 17 types, which nobody uses, are not told from
/// lengths here.)
#[inline(always)]
pub fn is_surely_type(kind: u16) -> bool {
    kind as u8 >= 6
}

/// Who gets frames of this type, as it is remembered; 0: nobody does, or it is not remembered.
#[inline(always)]
pub fn recalled(known: &[Known; KNOWN], kind: u16) -> u16 {
    let [first, second] = known;
    // SAFETY: references. Read before it is known whether it is the one: rustc would choose between places.
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

/// The handle that gets a frame of this type or length, where [`recalled`] gave none; 0: nobody. A type whose place, `known`,
/// has it without a handle is nobody's. For every other frame `search` gives the handle; of a type, `known` remembers it.
///
/// # Safety
/// `known` is alive, and `search` leaves it as it is.
#[inline(always)]
pub unsafe fn learn(known: *mut Known, kind: u16, mut search: impl FnMut() -> u16) -> u16 {
    // SAFETY: the caller's word.
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

/// Whether what is at bytes 12 and 13 of a frame, the first in the low half, is a DIX type: the specification counts
/// them from 05EFh, below is an 802.3 length. A type alone says which handle gets a frame.
#[inline(always)]
pub fn is_type(kind: u16) -> bool {
    kind.swap_bytes() >= 0x5EF
}

/// Whether a frame has a type, so that class 11 has none of it: read from the frame each time, because a search has no
/// register left for it.
#[inline(always)]
fn has_type(head: &Head) -> bool {
    let at: *const u8 = &raw const head[12];
    // SAFETY: two bytes of it. In the core they are a word in its place.
    is_type(if cfg!(target_os = "none") { unsafe { (at as *const u16).read_volatile() } } else { u16::from_le_bytes([head[12], head[13]]) })
}

/// Finds the handle that gets a frame, if there is one: the last that `better` hears of. Class 11 comes before class 1, a
/// type before a catch-all.
#[inline(always)]
pub fn find<S: Slots>(slots: S, head: &Head, mut better: impl FnMut(*mut Handle)) {
    let mut best_flags = Handle::IN_USE - 1;
    let mut slot = slots.first();
    let mut left = slots.count() as u16;
    loop {
        // SAFETY: a slot of the table; the head has 14 + 9 bytes or more.
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
/// It is one.
#[inline(always)]
pub unsafe fn release(handle: *mut Handle) {
    // SAFETY: the caller's word.
    unsafe { (*handle).flags = 0 };
}
