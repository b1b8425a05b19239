//! The receive backlog: frames that a receiver refused and that are offered to it again. [`super::filter`] calls it.
//!
//! To the core, kept frames are frames of the card's, which it peeks at, copies and discards. A client may free a buffer at
//! once or only when its main program runs: so a frame is offered again at the next interrupt, and once more after the ticks of
//! `/HOLD=`; then it is lost. Frames of one handle are offered in order: only its first frame is.

use super::{Near, Pool};

/// The most frames that are kept.
pub const KEPT: usize = 16;
/// A frame that is kept.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Kept {
    /// The frame's name in the pool.
    pub frame: u16,
    /// The handle whose receiver refused it; 0: that handle has been closed.
    pub handle: u16,
    /// The tick at which it was refused.
    pub since: u8,
    /// Ticks from `since` to the next offer. 0 until the frame has been offered again once.
    pub due: u8,
}

const SIZE: u16 = size_of::<Kept>() as u16;
const _: () = assert!(SIZE == 6);

/// The backlog's fields; they begin as zeros.
#[repr(C)]
pub struct Fields {
    /// Bytes of `kept` in use. The frames are in the order in which they came.
    pub bytes: u16,
    /// Bytes of `kept` whose frames may be offered in this interrupt: a frame that was refused in it waits for the next.
    pub open: u16,
    /// Near address of the peeked frame's entry; 0: none.
    pub peeked: u16,
    /// The entries.
    pub kept: [Kept; KEPT],
}

/// What the backlog needs.
pub trait Keeper: Near {
    /// The pool's type.
    type Pool: Pool;
    /// The pool.
    fn pool(self) -> Self::Pool;
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// Near address of [`Fields::kept`], not 0.
    fn first(self) -> u16;
    /// Ticks after which a frame is offered for the last time.
    fn hold(self) -> u8;
    /// Counts a frame of this handle as lost.
    fn lost(self, handle: u16);
}

/// The backlog.
#[derive(Clone, Copy)]
pub struct Backlog<K>(pub K);

impl<K: Keeper> Backlog<K> {
    #[inline(always)]
    fn kept(self, at: u16) -> *mut Kept {
        self.0.at(at)
    }

    /// Near address of the end of the entries in use.
    #[inline(always)]
    fn end(self) -> u16 {
        // SAFETY: memory of the backlog; see mod.rs.
        unsafe { self.0.first() + (*self.0.fields()).bytes }
    }

    /// Lets all kept frames be offered: an interrupt or a tick has come since they were refused.
    #[inline(always)]
    pub fn begin(self) {
        // SAFETY: memory of the backlog.
        unsafe { (*self.0.fields()).open = (*self.0.fields()).bytes };
    }

    /// Keeps a frame that this handle's receiver refused. Returns where to copy it, or 0 when there is no room.
    #[inline(always)]
    pub fn keep(self, handle: u16, len: u16) -> u16 {
        // SAFETY: memory of the backlog.
        unsafe {
            let fields = self.0.fields();
            if (*fields).bytes == KEPT as u16 * SIZE {
                return 0;
            }
            let frame = self.0.pool().allocate(len);
            if frame == 0 {
                return 0;
            }
            let kept = self.kept(self.end());
            (*kept).frame = frame;
            (*kept).handle = handle;
            (*kept).since = self.0.now();
            (*kept).due = 0;
            (*fields).bytes += SIZE;
            self.0.pool().known_place(frame)
        }
    }

    /// Peeks at the next frame that is due. Returns where it lies, or 0 when there is none in this interrupt.
    #[inline(always)]
    pub fn peek(self) -> u16 {
        // SAFETY: memory of the backlog.
        unsafe {
            let fields = self.0.fields();
            let mut at = self.0.first();
            while at != self.0.first() + (*fields).open {
                if self.is_due(at) {
                    (*fields).peeked = at;
                    let kept = self.kept(at);
                    if (*kept).handle != 0 {
                        let place = self.0.pool().place((*kept).frame);
                        if place != 0 {
                            return place;
                        }
                    }
                    // Its handle is closed, or it cannot be fetched from XMS: it counts as refused. A later one may be due.
                    self.refuse();
                    at = self.0.first();
                } else {
                    at += SIZE;
                }
            }
            (*fields).open = 0;
            0
        }
    }

    /// Whether a frame is the first of its handle, and the time of its next offer has come.
    #[inline(always)]
    fn is_due(self, at: u16) -> bool {
        // SAFETY: memory of the backlog.
        unsafe {
            if self.age(at) < (*self.kept(at)).due {
                return false;
            }
            let mut first = self.0.first();
            while (*self.kept(first)).handle != (*self.kept(at)).handle {
                first += SIZE;
            }
            first == at
        }
    }

    /// Ticks that have begun since the frame was refused.
    #[inline(always)]
    fn age(self, at: u16) -> u8 {
        // SAFETY: memory of the backlog.
        unsafe { self.0.now().wrapping_sub((*self.kept(at)).since) }
    }

    /// Whether a frame is peeked and neither copied nor refused yet.
    #[inline(always)]
    pub fn has_peeked(self) -> bool {
        // SAFETY: memory of the backlog.
        unsafe { (*self.0.fields()).peeked != 0 }
    }

    /// The peeked frame's name in the pool.
    #[inline(always)]
    pub fn peeked(self) -> u16 {
        // SAFETY: memory of the backlog.
        unsafe { (*self.kept((*self.0.fields()).peeked)).frame }
    }

    /// The peeked frame was refused again: keeps it for its last offer, or counts it as lost and drops it.
    #[inline(never)]
    pub fn refuse(self) {
        // SAFETY: memory of the backlog.
        unsafe {
            let at = (*self.0.fields()).peeked;
            let kept = self.kept(at);
            if (*kept).handle != 0 {
                if (*kept).due == 0 && self.age(at) < self.0.hold() {
                    (*kept).due = self.0.hold();
                    (*self.0.fields()).peeked = 0;
                    return;
                }
                self.0.lost((*kept).handle);
            }
            self.drop();
        }
    }

    /// Marks the frames of a handle that is being closed. They are dropped when they are due.
    #[inline(always)]
    pub fn release(self, handle: u16) {
        let mut at = self.0.first();
        // SAFETY: memory of the backlog.
        unsafe {
            while at != self.end() {
                if (*self.kept(at)).handle == handle {
                    (*self.kept(at)).handle = 0;
                }
                at += SIZE;
            }
        }
    }

    /// Drops the peeked frame: it was copied, or is lost. It is still where it was peeked at: nothing has been allocated or
    /// fetched since.
    #[inline(never)]
    pub fn drop(self) {
        // SAFETY: memory of the backlog.
        unsafe {
            let fields = self.0.fields();
            let at = (*fields).peeked;
            (*fields).peeked = 0;
            self.0.pool().free((*self.kept(at)).frame);
            (*fields).open -= SIZE;
            (*fields).bytes -= SIZE;
            self.0.close_gap(at, self.end(), SIZE);
        }
    }
}
