//! The receive backlog: frames that a receiver refused, and that it is offered again.
//!
//! To the core this is a second place, beside the card, where frames are peeked at, copied and given up. The client may
//! free a buffer at once, or when its main program runs: so a frame is offered again at the next interrupt, and once
//! more when two ticks have begun, and then it is lost. Frames of one handle are offered in order: only the first.

use super::{Near, Pool};

/// Frames that are kept at most.
pub const KEPT: usize = 16;
/// Ticks that a frame is kept; when they have begun it is offered for the last time.
pub const PATIENCE: u8 = 2;

/// A frame that is kept.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Kept {
    /// The pool's name for it.
    pub frame: u16,
    /// Whose receiver refused it; 0: nobody's, its handle is closed.
    pub handle: u16,
    /// Tick when that was.
    pub since: u8,
    /// Ticks after that when it is offered next; not 0 once it was.
    pub due: u8,
}

const SIZE: u16 = size_of::<Kept>() as u16;
const _: () = assert!(SIZE == 6);

/// What the backlog remembers; all zeros at first.
#[repr(C)]
pub struct Fields {
    /// Bytes of `kept` that are in use, in the order in which the frames came.
    pub bytes: u16,
    /// Bytes of those that may be offered in this interrupt: what is refused in it has to wait for the next.
    pub open: u16,
    /// The peeked one; 0: none.
    pub peeked: u16,
    /// The frames.
    pub kept: [Kept; KEPT],
}

/// What the backlog stands on.
pub trait Keeper: Near {
    /// Its pool.
    type Pool: Pool;
    /// The pool.
    fn pool(self) -> Self::Pool;
    /// Where the fields are.
    fn fields(self) -> *mut Fields;
    /// Near address of [`Fields::kept`]: not 0.
    fn first(self) -> u16;
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

    /// Behind the last.
    #[inline(always)]
    fn end(self) -> u16 {
        // SAFETY: the backlog's own; see mod.rs.
        unsafe { self.0.first() + (*self.0.fields()).bytes }
    }

    /// An interrupt or a tick: time has gone by since frames were kept.
    #[inline(always)]
    pub fn begin(self) {
        // SAFETY: the backlog's own.
        unsafe { (*self.0.fields()).open = (*self.0.fields()).bytes };
    }

    /// Keeps a frame that this handle's receiver refused: where it is to be copied to; 0 when there is no room.
    #[inline(always)]
    pub fn keep(self, handle: u16, len: u16) -> u16 {
        // SAFETY: the backlog's own.
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

    /// Where the next frame that is to be offered lies; 0: there is none in this interrupt.
    #[inline(always)]
    pub fn peek(self) -> u16 {
        // SAFETY: the backlog's own.
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
                    // It cannot be fetched: as good as refused. What is behind it may be.
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

    /// Is it time to offer a frame, the first of its handle?
    #[inline(always)]
    fn is_due(self, at: u16) -> bool {
        // SAFETY: the backlog's own.
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

    /// Ticks that have begun since the frame came.
    #[inline(always)]
    fn age(self, at: u16) -> u8 {
        // SAFETY: the backlog's own.
        unsafe { self.0.now().wrapping_sub((*self.kept(at)).since) }
    }

    /// Is a frame peeked, and still to be copied or refused?
    #[inline(always)]
    pub fn has_peeked(self) -> bool {
        // SAFETY: the backlog's own.
        unsafe { (*self.0.fields()).peeked != 0 }
    }

    /// The pool's name for the peeked frame.
    #[inline(always)]
    pub fn peeked(self) -> u16 {
        // SAFETY: the backlog's own.
        unsafe { (*self.kept((*self.0.fields()).peeked)).frame }
    }

    /// The peeked frame was refused again.
    #[inline(never)]
    pub fn refuse(self) {
        // SAFETY: the backlog's own.
        unsafe {
            let at = (*self.0.fields()).peeked;
            let kept = self.kept(at);
            if (*kept).handle != 0 {
                if (*kept).due == 0 && self.age(at) < PATIENCE {
                    (*kept).due = PATIENCE;
                    (*self.0.fields()).peeked = 0;
                    return;
                }
                self.0.lost((*kept).handle);
            }
            self.drop();
        }
    }

    /// The handle is closed: its frames are nobody's, and go when their time comes.
    #[inline(always)]
    pub fn release(self, handle: u16) {
        let mut at = self.0.first();
        // SAFETY: the backlog's own.
        unsafe {
            while at != self.end() {
                if (*self.kept(at)).handle == handle {
                    (*self.kept(at)).handle = 0;
                }
                at += SIZE;
            }
        }
    }

    /// The peeked frame was taken. It lies where it was peeked at: nothing was allocated or fetched since.
    #[inline(never)]
    pub fn drop(self) {
        // SAFETY: the backlog's own.
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
