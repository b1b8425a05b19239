//! The send queue: frames of as_send_pkt for which the card had no room. They are copied, sent in order when the card has
//! room, and then their clients' upcalls are called. [`super::filter`] calls it.

use super::{Near, Pool};
use crate::bus::Far;

/// The most frames that wait.
pub const QUEUED: usize = 16;
/// Ticks that the first frame waits before the card is taken to have stopped: half a second. So many, because an emulator
/// that was paused may give several ticks at once.
pub const PATIENCE: u8 = 9;

/// The card has taken the frame.
pub const SENT: u8 = 0;
/// The card has no room now.
pub const BUSY: u8 = 1;
/// The card has refused the frame, or the queue has no room.
pub const FAILED: u8 = 2;
/// A frame that waits.
#[derive(Clone, Copy, Default)]
#[repr(C, packed(2))]
pub struct Waiting {
    /// The frame's name in the pool, an even number, plus [`Waiting::IOCB`].
    pub frame: u16,
    /// Far address of the client's buffer, or of its IOCB.
    pub block: Far,
    /// Far address of the client's upcall; 0: none.
    pub upcall: Far,
}

impl Waiting {
    /// `block` is an IOCB.
    pub const IOCB: u16 = 1;
}

const SIZE: u16 = size_of::<Waiting>() as u16;
const _: () = assert!(SIZE == 10);

/// The queue's fields; they begin as zeros.
#[repr(C)]
pub struct Fields {
    /// Bytes of `waiting` in use. The frames are in the order in which they came.
    pub bytes: u16,
    /// Tick at which the present first frame became the first.
    pub since: u8,
    /// The entries.
    pub waiting: [Waiting; QUEUED],
}

/// What the queue needs.
pub trait Sender: Near {
    /// The pool's type.
    type Pool: Pool;
    /// The pool.
    fn pool(self) -> Self::Pool;
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// Near address of [`Fields::waiting`].
    fn first(self) -> u16;
    /// Sends the frame at this place: [`SENT`], [`BUSY`] or [`FAILED`].
    fn transmit(self, place: u16, len: u16) -> u8;
    /// Calls the upcall of the first frame's client: the frame was sent if `answer` is [`SENT`]. The client may send frames.
    fn tell(self, answer: u8);
}

/// The queue. An upcall does not use it: it sends to the card at once, because an upcall inside an upcall would have no
/// stack. So the queue does not change while a client's upcall runs.
#[derive(Clone, Copy)]
pub struct Queue<Q>(pub Q);

impl<Q: Sender> Queue<Q> {
    #[inline(always)]
    fn waiting(self, at: u16) -> *mut Waiting {
        self.0.at(at)
    }

    /// Sends waiting frames as long as the card takes them. To be called often.
    #[inline(never)]
    pub fn run(self) {
        // SAFETY: memory of the queue; see mod.rs.
        unsafe {
            let fields = self.0.fields();
            while (*fields).bytes != 0 {
                let frame = (*fields).waiting[0].frame & !Waiting::IOCB;
                let place = self.0.pool().place(frame);
                let answer = if place == 0 { BUSY } else { self.0.transmit(place, self.0.pool().len(frame)) };
                if answer == BUSY && self.0.now().wrapping_sub((*fields).since) < PATIENCE {
                    break;
                }
                self.0.tell(answer);
                self.remove(self.0.first());
                (*fields).since = self.0.now();
            }
        }
    }

    /// Sends waiting frames. Whether none is left, so that another frame may go to the card without overtaking one.
    #[inline(always)]
    pub fn is_clear(self) -> bool {
        self.run();
        // SAFETY: memory of the queue.
        unsafe { (*self.0.fields()).bytes == 0 }
    }

    /// Makes a frame wait. Returns where to copy it, or 0 when there is no room. `fill` sets the rest of its entry, and may
    /// add [`Waiting::IOCB`].
    #[inline(always)]
    pub fn wait(self, len: u16, fill: impl FnOnce(*mut Waiting)) -> u16 {
        // SAFETY: memory of the queue.
        unsafe {
            let fields = self.0.fields();
            if (*fields).bytes == QUEUED as u16 * SIZE {
                return 0;
            }
            let frame = self.0.pool().allocate(len);
            if frame == 0 {
                return 0;
            }
            if (*fields).bytes == 0 {
                (*fields).since = self.0.now();
            }
            let waiting = self.waiting(self.0.first() + (*fields).bytes);
            (*waiting).frame = frame;
            fill(waiting);
            (*fields).bytes += SIZE;
            self.0.pool().known_place(frame)
        }
    }

    /// drop_pkt: removes the frame of this IOCB from the queue; false: it is not there.
    #[inline(always)]
    pub fn drop(self, iocb: Far) -> bool {
        let mut at = self.0.first();
        // SAFETY: memory of the queue.
        unsafe {
            while at != self.0.first() + (*self.0.fields()).bytes {
                let waiting = self.waiting(at);
                if { (*waiting).block } == iocb && (*waiting).frame & Waiting::IOCB != 0 {
                    self.remove(at);
                    return true;
                }
                at += SIZE;
            }
        }
        false
    }

    /// Removes an entry and frees its frame.
    #[inline(never)]
    fn remove(self, at: u16) {
        // SAFETY: memory of the queue.
        unsafe {
            let fields = self.0.fields();
            self.0.pool().free((*self.waiting(at)).frame & !Waiting::IOCB);
            (*fields).bytes -= SIZE;
            self.0.close_gap(at, self.0.first() + (*fields).bytes, SIZE);
        }
    }
}
