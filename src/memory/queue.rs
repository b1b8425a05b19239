//! The queue behind as_send_pkt: frames that the card had no room for. They are copied, sent in order when it has, and
//! then their clients are told.

use super::{Near, Pool};
use crate::bus::Far;

/// Frames that wait at most.
pub const QUEUED: usize = 16;
/// Ticks that the first frame waits, once it is the first, before the card is taken to have stopped: half a second. An
/// emulator that was held up gives several at once.
pub const PATIENCE: u8 = 9;

/// The card has the frame.
pub const SENT: u8 = 0;
/// It has no room now.
pub const BUSY: u8 = 1;
/// It refused; or the queue did.
pub const FAILED: u8 = 2;
/// A frame that waits.
#[derive(Clone, Copy, Default)]
#[repr(C, packed(2))]
pub struct Waiting {
    /// The pool's name for it, an even number, and [`Waiting::IOCB`].
    pub frame: u16,
    /// Far address of the client's buffer or of its IOCB.
    pub block: Far,
    /// Far address of whom to tell; 0: nobody.
    pub upcall: Far,
}

impl Waiting {
    /// The block is an IOCB.
    pub const IOCB: u16 = 1;
}

const SIZE: u16 = size_of::<Waiting>() as u16;
const _: () = assert!(SIZE == 10);

/// What the queue remembers; all zeros at first.
#[repr(C)]
pub struct Fields {
    /// Bytes of `waiting` that are in use, in order.
    pub bytes: u16,
    /// Tick when the first frame became the first.
    pub since: u8,
    /// The frames.
    pub waiting: [Waiting; QUEUED],
}

/// What the queue stands on.
pub trait Sender: Near {
    /// Its pool.
    type Pool: Pool;
    /// The pool.
    fn pool(self) -> Self::Pool;
    /// Where the fields are.
    fn fields(self) -> *mut Fields;
    /// Near address of [`Fields::waiting`].
    fn first(self) -> u16;
    /// Has the card send a frame that lies there: [`SENT`], [`BUSY`], [`FAILED`].
    fn transmit(self, place: u16, len: u16) -> u8;
    /// Tells the client of the first frame that waits how it went: [`SENT`] or not. It may send frames.
    fn tell(self, answer: u8);
}

/// The queue. Nothing here is called from inside an upcall, which sends to the card at once: an upcall inside an upcall
/// has no stack. So nothing changes while a client is told.
#[derive(Clone, Copy)]
pub struct Queue<Q>(pub Q);

impl<Q: Sender> Queue<Q> {
    #[inline(always)]
    fn waiting(self, at: u16) -> *mut Waiting {
        self.0.at(at)
    }

    /// Sends what waits, as long as the card takes it. To be called now and then.
    #[inline(never)]
    pub fn run(self) {
        // SAFETY: the queue's own; see mod.rs.
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

    /// Sends what waits. Is nothing left, so that another frame may go to the card? It would overtake the others.
    #[inline(always)]
    pub fn is_clear(self) -> bool {
        self.run();
        // SAFETY: the queue's own.
        unsafe { (*self.0.fields()).bytes == 0 }
    }

    /// Has a frame wait for which the card is [`BUSY`] or others wait: where it is to be copied to; 0 when there is no
    /// room. `fill` fills in the rest of its entry, and may set [`Waiting::IOCB`].
    #[inline(always)]
    pub fn wait(self, len: u16, fill: impl FnOnce(*mut Waiting)) -> u16 {
        // SAFETY: the queue's own.
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

    /// drop_pkt: the frame of this IOCB waits no more. False when it did not.
    #[inline(always)]
    pub fn drop(self, iocb: Far) -> bool {
        let mut at = self.0.first();
        // SAFETY: the queue's own.
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

    /// Forgets a frame.
    #[inline(never)]
    fn remove(self, at: u16) {
        // SAFETY: the queue's own.
        unsafe {
            let fields = self.0.fields();
            self.0.pool().free((*self.waiting(at)).frame & !Waiting::IOCB);
            (*fields).bytes -= SIZE;
            self.0.close_gap(at, self.0.first() + (*fields).bytes, SIZE);
        }
    }
}
