//! Frames that wait: a pool that keeps them, and the pool's two users.
//!
//! The pool has three forms: [`direct`] with XMS in real mode, [`cache`] with XMS in V86 mode, [`arena`] without XMS. Of the
//! last two, [`backlog`] keeps frames that a receiver refused, [`queue`] frames for which the card had no room, and [`filter`]
//! stands between the core and the NIC's driver and calls both. [`direct_filter`] is the same of the first.
//!
//! Of the last two: the name of a frame is the near address of its record; 0: no frame. The place of a frame is a near address, too; 0: it
//! lies nowhere. Interrupts are off except in calls of the XMS driver, and no reference is alive across a call into a driver
//! or a client: this makes the raw pointers of this module safe to use.

pub mod arena;
pub mod backlog;
pub mod cache;
pub mod direct;
pub mod queue;
pub mod xms;

#[cfg(target_os = "none")]
pub mod direct_filter;
#[cfg(target_os = "none")]
pub mod filter;

use core::mem::offset_of;

use crate::device::MAX_FRAME;

/// Bytes of XMS for each frame. They are the same for all lengths: there is room, and no search is needed.
pub const SLOT: u16 = 1536;
/// The most frames in the pool: as many as its two users can keep.
pub const FRAMES: usize = backlog::KEPT + queue::QUEUED;

const _: () = assert!(SLOT >= rounded(MAX_FRAME));

/// Bytes that a frame occupies: its length plus one to four, a multiple of four. XMS moves even numbers of bytes.
pub const fn rounded(len: u16) -> u16 {
    (len | 3) + 1
}

/// The pool's counters; they wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stats {
    /// Bytes moved to XMS.
    pub bytes: u32,
    /// Frames moved to XMS.
    pub buffers: u16,
    /// Uses of a frame that was in conventional memory.
    pub hits: u16,
    /// Uses of a frame that had to be fetched from XMS.
    pub misses: u16,
    /// Frames moved to XMS because another one was fetched.
    pub evictions: u16,
    /// Failed calls of the XMS driver, and frames for which there was no room.
    pub failures: u16,
    /// Frames in the pool now. Not with [`Stats::DIRECT`].
    pub waiting: u8,
    /// [`Stats::XMS_FAILED`] and the constant behind it.
    pub flags: u8,
}

impl Stats {
    /// Zeros.
    // SAFETY: all of it is numbers.
    pub const ZERO: Stats = unsafe { core::mem::zeroed() };
    /// The XMS driver has returned an error, or there is none: perhaps only conventional memory is in use.
    pub const XMS_FAILED: u8 = 1;
    /// The fields of [`direct`] follow, which tell how many frames wait.
    pub const DIRECT: u8 = 2;
}

/// The counters, and what follows them with [`Stats::DIRECT`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct AllStats {
    /// The counters.
    pub stats: Stats,
    used: u16,
    free: direct::List,
    /// Frames that wait to be sent.
    pub queue: direct::List,
    times: [u8; 2],
    /// Frames for which there is room.
    pub slots: u16,
}

impl AllStats {
    /// Frames for which so many KB have room.
    pub fn room(&self, kilobytes: u16) -> u16 {
        kilobytes * 2 / (SLOT / 512)
    }

    /// Frames in the pool now.
    pub fn waiting(&self) -> u16 {
        if self.stats.flags & Stats::DIRECT != 0 { self.used.wrapping_sub(self.free.count) } else { self.stats.waiting.into() }
    }
}

const _: () = assert!(size_of::<Stats>() == 16);
const _: () = assert!(offset_of!(AllStats, free) == offset_of!(direct::Fields, free));
const _: () = assert!(offset_of!(AllStats, queue) == offset_of!(direct::Fields, queue));
const _: () = assert!(offset_of!(AllStats, slots) == offset_of!(direct::Fields, slots));

/// What a form of the pool needs: in the image statics and string instructions, in tests arrays.
pub trait Store: Copy {
    /// The type of the form's fields.
    type Fields;
    /// Pointer to the fields.
    fn fields(self) -> *mut Self::Fields;
    /// Near address of the first record, even and not 0.
    fn first(self) -> u16;
    /// The record at a near address.
    fn record<T>(self, at: u16) -> *mut T;
    /// Copies bytes in ascending order. The ranges may overlap if `to` is at least four bytes below `from`.
    fn copy(self, from: u16, to: u16, len: u16);
}

/// A pool of frames.
pub trait Pool: Copy {
    /// Allocates a frame of `len` (1 to [`MAX_FRAME`]) bytes; returns its name, or 0 when there is no room now.
    fn allocate(self, len: u16) -> u16;
    /// The frame's length.
    fn len(self, frame: u16) -> u16;
    /// The place of a frame, whose bytes are contiguous there until the next [`Pool::allocate`] or [`Pool::place`]; 0 when
    /// it cannot be fetched from XMS now.
    fn place(self, frame: u16) -> u16;
    /// The place of a frame that was just allocated or fetched.
    fn known_place(self, frame: u16) -> u16;
    /// Frees a frame.
    fn free(self, frame: u16);
}

/// What the pool's users need.
pub trait Near: Copy {
    /// A pointer to something at a near address in one of their lists.
    fn at<T>(self, near: u16) -> *mut T;
    /// The low byte of the BIOS's tick count.
    fn now(self) -> u8;

    /// Removes `size` bytes at `at` from a list, by words; `end` is where the list ends afterwards.
    ///
    /// # Safety
    /// `at` and `end` are near addresses of one list.
    #[inline(never)]
    unsafe fn close_gap(self, mut at: u16, end: u16, size: u16) {
        while at != end {
            // SAFETY: as the caller promises.
            unsafe { *self.at::<u16>(at) = *self.at::<u16>(at + size) };
            at += 2;
        }
    }
}
