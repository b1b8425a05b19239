//! The pool in real mode with XMS: the driver copies frames straight between the card and XMS.
//!
//! Each frame has a slot of [`SLOT`] bytes there: a record of [`FRAME`] bytes, then the frame. A frame's name is its slot's
//! number, 1 and up; 0: no frame. Frames are in circular lists, linked through their records: one of each handle's frames
//! that its receiver refused, one of frames that wait to be sent, one of free frames. A list is known by its last frame,
//! whose link leads to its first. So each operation takes the same time whatever the number of frames.
//!
//! A kept frame is offered again in the next *round*. A round begins at each entry: when the card or the timer interrupts, a
//! client calls INT 60h, or an interrupted burst goes on. It goes through the handles' lists, and in each until its receiver
//! refuses a frame that is not too old. Only then come the card's frames.
//!
//! Another program may overwrite XMS. So a name that is read there is compared with the number of slots in use, a length
//! with the longest frame, and no loop ends by what is read there.

use super::{SLOT, Stats};
use crate::bus::Far;
use crate::device::MAX_FRAME;

/// Bytes of a record, behind which the frame lies.
pub const FRAME: u32 = 16;
const _: () = assert!(FRAME + super::rounded(MAX_FRAME) as u32 <= SLOT as u32);

// Offsets in a record.
/// The name of the next frame in the list (16 bits).
const NEXT: u32 = 0;
/// The frame's length (16 bits), plus [`IOCB`]. 0: the frame was sent or dropped.
const LEN: u32 = 2;
/// Of a frame that waits to be sent the far address of its client's buffer or IOCB; of a kept frame the tick at which it was
/// refused.
const BLOCK: u32 = 4;
/// Of a frame that waits to be sent the far address of the upcall, 0: none.
const UPCALL: u32 = 8;

/// Bit of the length: the frame waits to be sent, and its block is an IOCB.
pub const IOCB: u16 = 0x8000;
/// Bit of [`List::count`]: the handle was closed, and its frames are to be freed.
const CLOSED: u16 = 0x8000;

/// [`Fields::hold`], if `/HOLD=` is not given.
pub const HOLD: u16 = 2;
/// Ticks that the first frame waits to be sent before the card is taken to have stopped: half a second. So many, because an
/// emulator that was paused may give several ticks at once.
pub const PATIENCE: u8 = 9;

/// The card has taken the frame.
pub const SENT: u8 = 0;
/// The card has no room now.
pub const BUSY: u8 = 1;
/// The card has refused the frame, or the pool has no room.
pub const FAILED: u8 = 2;

/// A list of frames.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct List {
    /// The last frame's name. Its link is the first frame's.
    pub last: u16,
    /// Frames in it, plus [`CLOSED`]. If none, `last` means nothing.
    pub count: u16,
}

/// The pool's fields. The installer fills in those from `hold` to `bias` (asm/pool.asm); all else begins as zeros.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct Fields {
    /// The counters. A frame's use is always a miss: no frame lies in conventional memory.
    pub stats: Stats,
    /// Slots that are or were in use.
    pub used: u16,
    /// Frames that are free again. So `used` without these wait: see [`Stats::waiting_in_all`].
    pub free: List,
    /// Frames that wait to be sent.
    pub queue: List,
    /// Ticks after which a frame that was refused again is lost.
    pub hold: u8,
    /// Tick at which the present first frame that waits to be sent became the first.
    pub since: u8,
    /// Slots.
    pub slots: u16,
    /// Linear address of slot 0, which does not exist.
    pub base: u32,
    /// The most that each of the pool's two users may have: a quarter of the slots remains for the other one.
    pub most: u16,
    /// Near address of the first handle's list; the others follow.
    pub lists: u16,
    /// And where they end.
    pub lists_end: u16,
    /// Near address of the first handle's list, less a quarter of the first handle's near address: a handle has four times
    /// as many bytes as a list.
    pub bias: u16,
    /// Where the lists end that are still to be looked at in this round.
    pub left: u16,
    /// Near address of the list whose first frame is peeked; 0: none.
    pub peeked: u16,
}

impl Fields {
    /// Zeros.
    // SAFETY: all of it is numbers.
    pub const ZERO: Fields = unsafe { core::mem::zeroed() };
}

/// What the form needs: in the image statics and flat memory, in tests arrays.
pub trait Reach: Copy {
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// The handle's list at a near address.
    fn list(self, near: u16) -> *mut List;
    /// The linear address of a frame's record: [`Fields::base`] and [`SLOT`] bytes for each frame.
    fn record(self, frame: u16) -> u32;
    /// Reads 16 bits of XMS.
    fn get16(self, at: u32) -> u16;
    /// Writes 16 bits of XMS.
    fn put16(self, at: u32, value: u16);
    /// Reads 32 bits of XMS.
    fn get32(self, at: u32) -> u32;
    /// Writes 32 bits of XMS.
    fn put32(self, at: u32, value: u32);
    /// The low byte of the BIOS's tick count.
    fn now(self) -> u8;
    /// Sends a frame: [`SENT`], [`BUSY`] or [`FAILED`].
    fn transmit(self, frame: u16, len: u16) -> u8;
    /// Tells the client of a frame that it was sent, if `answer` is [`SENT`], or was not. `len` may have [`IOCB`]. The client
    /// may send frames, which go to the card at once.
    fn tell(self, answer: u8, len: u16, block: Far, upcall: Far);
}

/// The form of the pool.
#[derive(Clone, Copy)]
pub struct Direct<R>(pub R);

// SAFETY of all blocks below: memory of the pool's, no reference into which is alive across a call; see mod.rs.
impl<R: Reach> Direct<R> {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        self.0.fields()
    }

    /// Reads 16 bits of a frame's record.
    #[inline(always)]
    fn get(self, frame: u16, field: u32) -> u16 {
        self.0.get16(self.0.record(frame) + field)
    }

    /// The frame behind this one in its list; this one if its link was overwritten.
    #[inline(never)]
    fn next(self, frame: u16) -> u16 {
        let next = self.get(frame, NEXT);
        if self.is_used(next) { next } else { frame }
    }

    /// The first frame of a list, which must not be empty.
    #[inline(never)]
    fn first(self, list: *const List) -> u16 {
        // SAFETY: see above.
        self.next(unsafe { (*list).last })
    }

    /// Whether this is the name of a frame that is or was in use.
    #[inline(always)]
    fn is_used(self, frame: u16) -> bool {
        // SAFETY: see above.
        frame.wrapping_sub(1) < unsafe { (*self.fields()).used }
    }

    /// The length of a frame, from what is read there.
    #[inline(never)]
    fn length(self, word: u16) -> u16 {
        let len = word & !IOCB;
        if len.wrapping_sub(1) < MAX_FRAME { len } else { MAX_FRAME }
    }

    /// Joins `count` frames, a circle whose last one is `last`, to the end of a list. A single one's link is not looked at.
    #[inline(never)]
    fn join(self, to: *mut List, last: u16, count: u16) {
        // SAFETY: see above.
        unsafe {
            if (*to).count == 0 {
                // Its own link is exchanged then: it stays a circle.
                (*to).last = last;
            }
            (*to).count += count;
            let (before, after) = (self.0.record((*to).last) + NEXT, self.0.record(last) + NEXT);
            (*to).last = last;
            let first = if count == 1 { last } else { self.0.get16(after) };
            self.0.put16(after, self.0.get16(before));
            self.0.put16(before, first);
        }
    }

    /// Takes the first frame out of a list, which must not be empty.
    #[inline(never)]
    fn pop(self, from: *mut List) -> u16 {
        // SAFETY: see above.
        unsafe {
            let first = self.first(from);
            let second = self.next(first);
            self.0.put16(self.0.record((*from).last) + NEXT, second);
            (*from).count -= 1;
            first
        }
    }

    /// The list of free frames.
    #[inline(always)]
    fn free(self) -> *mut List {
        // SAFETY: takes the address only.
        unsafe { &raw mut (*self.fields()).free }
    }

    /// The list of frames that wait to be sent.
    #[inline(always)]
    fn queue(self) -> *mut List {
        // SAFETY: takes the address only.
        unsafe { &raw mut (*self.fields()).queue }
    }

    /// Frees the first frame of a list, which must not be empty.
    #[inline(never)]
    fn free_first(self, list: *mut List) {
        let frame = self.pop(list);
        self.join(self.free(), frame, 1);
    }

    /// Adds a new frame to a list, unless its user has as many frames as it may have. Returns its name; 0: there is no room.
    #[inline(never)]
    fn add(self, to: *mut List, has: u16) -> u16 {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            if has < (*fields).most {
                let frame = if (*self.free()).count != 0 {
                    self.pop(self.free())
                } else if (*fields).used != (*fields).slots {
                    (*fields).used += 1;
                    (*fields).used
                } else {
                    0
                };
                if frame != 0 {
                    self.join(to, frame, 1);
                    return frame;
                }
            }
            let failures = &raw mut (*fields).stats.failures;
            *failures = (*failures).wrapping_add(1);
            0
        }
    }

    /// Notes a new frame's length, and returns its record.
    #[inline(never)]
    fn note(self, frame: u16, len: u16) -> u32 {
        // SAFETY: see above.
        unsafe {
            let stats = &raw mut (*self.fields()).stats;
            (*stats).buffers = (*stats).buffers.wrapping_add(1);
            (*stats).bytes = (*stats).bytes.wrapping_add((len & !IOCB) as u32);
            let record = self.0.record(frame);
            self.0.put16(record + LEN, len);
            record
        }
    }

    /// Counts a use of a frame.
    #[inline(always)]
    fn count_use(self) {
        // SAFETY: see above.
        unsafe {
            let misses = &raw mut (*self.fields()).stats.misses;
            *misses = (*misses).wrapping_add(1);
        }
    }

    /// The near address of a handle's list.
    #[inline(always)]
    fn list_of(self, handle: u16) -> u16 {
        // SAFETY: see above.
        (handle >> 2).wrapping_add(unsafe { (*self.fields()).bias })
    }

    /// Keeps a frame that this handle's receiver refused. Returns its name, or 0 when there is no room.
    #[inline(always)]
    pub fn keep(self, handle: u16, len: u16) -> u16 {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let list = self.0.list(self.list_of(handle));
            if (*list).count & CLOSED != 0 {
                return 0; // its frames are freed in the next round
            }
            // The round is over: the card's frames come behind those that are kept. This one waits for the next.
            (*fields).left = (*fields).lists;
            let kept = (*fields).used - (*self.free()).count - (*self.queue()).count;
            let frame = self.add(list, kept);
            if frame != 0 {
                let record = self.note(frame, len);
                self.0.put16(record + BLOCK, self.0.now() as u16);
            }
            frame
        }
    }

    /// Peeks at the next frame that is to be offered in this round; false: the round is over.
    #[inline(always)]
    pub fn peek(self) -> bool {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            (*fields).peeked = 0;
            loop {
                // Volatile: rustc would rather compute with 32 bits.
                let left = (&raw const (*fields).left).read_volatile();
                if left == (*fields).lists {
                    return false;
                }
                let near = left - size_of::<List>() as u16;
                let list = self.0.list(near);
                let count = (*list).count;
                if count as i16 > 0 {
                    (*fields).peeked = near;
                    self.count_use();
                    return true;
                }
                (*fields).left = near;
                if count != 0 {
                    (*list).count = 0;
                    self.join(self.free(), (*list).last, count & !CLOSED);
                }
            }
        }
    }

    /// The length of a frame.
    #[inline(always)]
    pub fn len(self, frame: u16) -> u16 {
        self.length(self.get(frame, LEN))
    }

    /// Whether a frame is peeked.
    #[inline(always)]
    pub fn has_peeked(self) -> bool {
        // SAFETY: see above.
        unsafe { (*self.fields()).peeked != 0 }
    }

    /// The peeked frame's name.
    #[inline(always)]
    pub fn peeked(self) -> u16 {
        // SAFETY: see above.
        self.first(self.0.list(unsafe { (*self.fields()).peeked }))
    }

    /// Frees the peeked frame: it was copied, or is lost. If its handle was closed meanwhile, the next round does.
    #[inline(never)]
    pub fn drop_peeked(self) {
        // SAFETY: see above.
        unsafe {
            let list = self.0.list((*self.fields()).peeked);
            if (*list).count & CLOSED == 0 {
                self.free_first(list);
            }
        }
    }

    /// The peeked frame was refused again: it is kept for the next round, and this one goes on with the next list; or it is
    /// too old, and freed. Whether it is kept.
    #[inline(always)]
    pub fn refuse(self) -> bool {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let since = self.get(self.peeked(), BLOCK) as u8;
            if self.0.now().wrapping_sub(since) < (*fields).hold {
                (*fields).left = (*fields).peeked;
                return true;
            }
            self.drop_peeked();
            false
        }
    }

    /// A handle is being closed: the next round frees its frames. XMS is not touched: it may be out of reach (asm/flat.inc).
    #[inline(always)]
    pub fn release(self, handle: u16) {
        // SAFETY: see above.
        unsafe {
            let list = self.0.list(self.list_of(handle));
            if (*list).count != 0 {
                (*list).count |= CLOSED;
            }
        }
    }

    /// Sends waiting frames as long as the card takes them. To be called often.
    #[inline(never)]
    pub fn run(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            while (*self.queue()).count != 0 {
                let frame = self.first(self.queue());
                let word = self.get(frame, LEN);
                if word != 0 {
                    self.count_use();
                    let len = self.length(word);
                    let answer = self.0.transmit(frame, len);
                    if answer == BUSY && self.0.now().wrapping_sub((*fields).since) < PATIENCE {
                        break;
                    }
                    let record = self.0.record(frame);
                    self.0.put16(record + LEN, 0);
                    let (block, upcall) = (self.0.get32(record + BLOCK), self.0.get32(record + UPCALL));
                    self.0.tell(answer, len | word & IOCB, Far(block), Far(upcall));
                }
                self.free_first(self.queue());
                (*fields).since = self.0.now();
            }
        }
    }

    /// Whether no frame waits to be sent.
    #[inline(always)]
    pub fn is_clear(self) -> bool {
        // SAFETY: see above.
        unsafe { (*self.queue()).count == 0 }
    }

    /// Makes a frame wait to be sent. Returns its name, or 0 when there is no room. `len` may have [`IOCB`]. `more` gives the
    /// far addresses of the client's block and upcall: it is called late, so that rustc need not hold them.
    #[inline(always)]
    pub fn wait(self, len: u16, more: impl FnOnce() -> (Far, Far)) -> u16 {
        // SAFETY: see above.
        unsafe {
            let queue = self.queue();
            if (*queue).count == 0 {
                (*self.fields()).since = self.0.now();
            }
            let frame = self.add(queue, (*queue).count);
            if frame != 0 {
                let record = self.note(frame, len);
                let (block, upcall) = more();
                self.0.put32(record + BLOCK, block.0);
                self.0.put32(record + UPCALL, upcall.0);
            }
            frame
        }
    }

    /// drop_pkt: drops the frame of this name, which its client keeps in its IOCB; false: that IOCB has no frame that waits.
    /// The slot is freed when the frames before it have been sent.
    #[inline(always)]
    pub fn drop(self, frame: u16, iocb: Far) -> bool {
        if self.is_used(frame) {
            let record = self.0.record(frame);
            if self.0.get16(record + LEN) & IOCB != 0 && self.0.get32(record + BLOCK) == iocb.0 {
                self.0.put16(record + LEN, 0);
                return true;
            }
        }
        false
    }
}
