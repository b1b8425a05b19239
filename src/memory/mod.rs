//! Frames that wait: a pool that keeps them, and its two users.
//!
//! The pool has two forms: [`cache`] with XMS behind it, and [`arena`], which is all there is without XMS. [`backlog`] keeps
//! frames that a receiver refused, [`queue`] frames that the card had no room for. [`filter`] puts both between the core
//! and the NIC's driver.
//!
//! A frame is named by the near address of its record, as a handle is; 0 is none. Where a frame lies is a near address,
//! too; 0 is nowhere. Interrupts are off all the while but in calls of the XMS driver, and no reference is alive over a
//! call into a driver or a client.

pub mod arena;
pub mod backlog;
pub mod cache;
pub mod queue;
pub mod xms;

#[cfg(target_os = "none")]
pub mod filter;

use crate::device::MAX_FRAME;

/// Bytes of extended memory for a frame, whatever its length: there is enough of it, and nothing has to be searched.
pub const SLOT: u16 = 1536;
/// Frames in the pool at most: what its two users can keep.
pub const FRAMES: usize = backlog::KEPT + queue::QUEUED;

const _: () = assert!(SLOT >= rounded(MAX_FRAME));

/// What a frame of so many bytes takes: one to four more, a multiple of four. XMS moves even numbers of bytes.
pub const fn rounded(len: u16) -> u16 {
    (len | 3) + 1
}

/// What the pool counts; the counters wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stats {
    /// Bytes that went to XMS.
    pub bytes: u32,
    /// Frames that went there.
    pub buffers: u16,
    /// Frames that were asked for and lay in conventional memory.
    pub hits: u16,
    /// Frames that had to be fetched from XMS.
    pub misses: u16,
    /// Frames that went to XMS because another was fetched.
    pub evictions: u16,
    /// Calls of the XMS driver that failed, and frames that no room was found for.
    pub failures: u16,
    /// Frames in the pool now.
    pub waiting: u8,
    /// [`Stats::XMS_FAILED`].
    pub flags: u8,
}

impl Stats {
    /// The XMS driver has answered an error, or there is none: there may be conventional memory only.
    pub const XMS_FAILED: u8 = 1;
}

const _: () = assert!(size_of::<Stats>() == 16);

/// What a form of the pool stands on: statics and string instructions in the image, arrays in a test.
pub trait Store: Copy {
    /// The form's fields.
    type Fields;
    /// Where they are.
    fn fields(self) -> *mut Self::Fields;
    /// Near address of the first record: even, not 0.
    fn first(self) -> u16;
    /// The record at a near address.
    fn record<T>(self, at: u16) -> *mut T;
    /// Copies bytes, the lowest first. `to` may overlap what is copied, when it lies at least four bytes lower.
    fn copy(self, from: u16, to: u16, len: u16);
}

/// The pool.
pub trait Pool: Copy {
    /// Room for a frame of `len` (1 to [`MAX_FRAME`]) bytes; 0 when there is none now.
    fn allocate(self, len: u16) -> u16;
    /// The frame's length.
    fn len(self, frame: u16) -> u16;
    /// Where the frame lies, in one piece, until the next [`Pool::allocate`] or [`Pool::place`]; 0 when it cannot be
    /// fetched now.
    fn place(self, frame: u16) -> u16;
    /// The same for a frame that is there: one that was just allocated or fetched.
    fn known_place(self, frame: u16) -> u16;
    /// Forgets a frame.
    fn free(self, frame: u16);
}

/// What the pool's users stand on.
pub trait Near: Copy {
    /// What is at a near address of a list of theirs.
    fn at<T>(self, near: u16) -> *mut T;
    /// The low byte of the BIOS's count of ticks.
    fn now(self) -> u8;

    /// Takes `size` bytes out of a list at `at`, by words; `end` is where the list ends then.
    ///
    /// # Safety
    /// Near addresses of one list.
    #[inline(never)]
    unsafe fn close_gap(self, mut at: u16, end: u16, size: u16) {
        while at != end {
            // SAFETY: the caller's word.
            unsafe { *self.at::<u16>(at) = *self.at::<u16>(at + size) };
            at += 2;
        }
    }
}
