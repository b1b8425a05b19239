//! The pool feature's filter between the core and the NIC's driver.
//!
//! asm/pool.inc puts the entries below in the core's table of the driver's entries. So the core offers, copies and discards
//! a kept frame as one more frame of the card's, and takes a frame that waits to be sent for one that the card has taken.
//!
//! Each `unsafe` block here reaches statics of the core or of this unit. Interrupts are off, and no reference is alive across
//! a call. A call of the XMS driver may let in a program that sends a frame, which overwrites the job.

use super::backlog::{self, Backlog, Keeper};
use super::queue::{self, BUSY, FAILED, Queue, Sender, Waiting};
use super::{Near, Pool};
use crate::bus::{Bus, Far};
use crate::bus::real::Machine;
use crate::device::{LOOKAHEAD, Rx};
use crate::resident::frame::Frame;
use crate::resident::state::{at, counters, depth, job, lower, taker};
use crate::resident::table::Entry;

// The specification's errors.
pub(super) const CANT_SEND: u8 = 12;
pub(super) const BAD_IOCB: u8 = 16;

/// The job's `at` before a receiver is asked; a receiver that refuses the frame leaves 0 (asm/upcall.asm).
pub(super) const NOT_ASKED: Far = Far(1);

/// The answer in `submitting` for a frame that waits. asm/pool.inc sets `submitting` before the core sends the job: 0 for
/// send_pkt, not 0 for as_send_pkt, with [`Waiting::IOCB`] in bit 0 if there is an IOCB.
pub(super) const QUEUED: u8 = 4;

unsafe extern "C" {
    // In units/mod.rs.
    static mut kept_frames: backlog::Fields;
    static mut waiting_frames: queue::Fields;
    // In asm/pool.inc.
    static mut submitting: u8;
    static hold: u8;
    static iocb: Far;
}

unsafe extern "fastcall" {
    pub(super) unsafe fn tell_client(upcall: *const Far, error: u16) -> u16;
    safe fn now() -> u8;
    pub(super) unsafe fn mark_done(iocb: *const Far, error: u8);
    /// Copies the job's frame into the pool.
    safe fn fetch(to: u16);
    /// Copies a frame from the pool to the job's address.
    safe fn give(from: u16);
}

/// A pointer to something at a near address.
#[inline(always)]
pub fn near<T>(place: u16) -> *mut T {
    at(place)
}

/// Copies `len` bytes of the pool's memory, a multiple of four, in ascending order.
#[inline(never)]
pub fn copy_near(from: u16, to: u16, len: u16) {
    // SAFETY: memory of the pool; DS and ES are the driver's segment. XCHG, because LLVM does not accept ESI as an operand.
    unsafe {
        core::arch::asm!(
            "xchg esi, eax", "shr cx, 2", "rep movsd", "xchg esi, eax",
            inout("eax") from as u32 => _, inout("edi") to as u32 => _, inout("cx") len => _, options(nostack),
        );
    }
}

#[derive(Clone, Copy)]
struct Here<P>(P);

impl<P: Pool> Near for Here<P> {
    #[inline(always)]
    fn at<T>(self, place: u16) -> *mut T {
        near(place)
    }
    #[inline(always)]
    fn now(self) -> u8 {
        now()
    }
}

impl<P: Pool> Keeper for Here<P> {
    type Pool = P;
    #[inline(always)]
    fn pool(self) -> P {
        self.0
    }
    #[inline(always)]
    fn fields(self) -> *mut backlog::Fields {
        &raw mut kept_frames
    }
    #[inline(always)]
    fn first(self) -> u16 {
        // SAFETY: takes the address only.
        unsafe { &raw mut kept_frames.kept as u32 as u16 }
    }
    #[inline(always)]
    fn hold(self) -> u8 {
        // SAFETY: the installer fills it in.
        unsafe { hold }
    }
    #[inline(always)]
    fn lost(self, _: u16) {
        // SAFETY: see above.
        unsafe { (*counters()).lost = (*counters()).lost.wrapping_add(1) };
    }
}

impl<P: Pool> Sender for Here<P> {
    type Pool = P;
    #[inline(always)]
    fn pool(self) -> P {
        self.0
    }
    #[inline(always)]
    fn fields(self) -> *mut queue::Fields {
        &raw mut waiting_frames
    }
    #[inline(always)]
    fn first(self) -> u16 {
        // SAFETY: takes the address only.
        unsafe { &raw mut waiting_frames.waiting as u32 as u16 }
    }
    #[inline(always)]
    fn transmit(self, place: u16, len: u16) -> u8 {
        aim(place, len);
        lower(Entry::Send)
    }
    #[inline(always)]
    fn tell(self, answer: u8) {
        // SAFETY: see above.
        unsafe {
            let done = &raw mut waiting_frames.waiting[0];
            let count = counters();
            let mut error = 0;
            if answer == queue::SENT {
                (*count).packets_out = (*count).packets_out.wrapping_add(1);
                let len = self.0.len((*done).frame & !Waiting::IOCB);
                (*count).bytes_out = (*count).bytes_out.wrapping_add(len as u32);
            } else {
                (*count).errors_out = (*count).errors_out.wrapping_add(1);
                error = CANT_SEND;
            }
            if (*done).frame & Waiting::IOCB != 0 {
                mark_done(&raw const (*done).block, error);
            }
            if { (*done).upcall } != Far(0) {
                (*job()).at = (*done).block;
                tell_client(&raw const (*done).upcall, error as u16);
            }
        }
    }
}

/// Sets the job to a frame in the pool.
#[inline(never)]
fn aim(place: u16, len: u16) {
    // SAFETY: see above.
    unsafe {
        (*job()).at = Machine.far_of(place as u32 as *const u8);
        (*job()).len = len;
    }
}

/// [`Entry::Irq`].
#[inline(always)]
pub fn irq<P: Pool>(pool: P) -> u8 {
    Backlog(Here(pool)).begin();
    lower(Entry::Irq)
}

/// [`Entry::Peek`].
#[inline(always)]
pub fn peek<P: Pool>(pool: P) {
    Queue(Here(pool)).run();
    let backlog = Backlog(Here(pool));
    let place = backlog.peek();
    // SAFETY: see above.
    unsafe {
        if place != 0 {
            copy_near(place, &raw const (*job()).head as u32 as u16, LOOKAHEAD as u16);
            let len = pool.len(backlog.peeked());
            (*job()).rx = Rx::new(len);
            // The core counts this frame for the second time.
            let count = counters();
            (*count).packets_in = (*count).packets_in.wrapping_sub(1);
            (*count).bytes_in = (*count).bytes_in.wrapping_sub(len as u32);
        } else {
            lower(Entry::Peek);
        }
        (*job()).at = NOT_ASKED;
    }
}

/// [`Entry::Copy`].
#[inline(always)]
pub fn copy<P: Pool>(pool: P) {
    let backlog = Backlog(Here(pool));
    if backlog.has_peeked() {
        give(pool.known_place(backlog.peeked()));
        backlog.drop();
    } else {
        lower(Entry::Copy);
    }
}

/// [`Entry::Discard`]: keeps a frame for which its receiver had no buffer.
#[inline(always)]
pub fn discard<P: Pool>(pool: P) {
    let backlog = Backlog(Here(pool));
    // SAFETY: see above.
    unsafe {
        // The core counts a discarded frame as lost, but this one is kept, or the backlog counts it.
        let lost = (*counters()).lost;
        if backlog.has_peeked() {
            (*counters()).lost = lost.wrapping_sub(1);
            backlog.refuse();
            return;
        }
        if (*job()).at == Far(0)
            && let Some(rx) = (*job()).rx
        {
            let place = backlog.keep(*taker(), rx.len());
            if place != 0 {
                (*counters()).lost = lost.wrapping_sub(1);
                aim(place, rx.len());
                lower(Entry::Copy);
                return;
            }
        }
        lower(Entry::Discard);
    }
}

/// [`Entry::Send`]: sends a frame after those that wait. A frame of as_send_pkt is made to wait if the card has no room.
#[inline(always)]
pub fn send<P: Pool>(pool: P) -> u8 {
    let queue = Queue(Here(pool));
    // SAFETY: see above.
    unsafe {
        let asked = submitting;
        submitting = 0;
        // From an upcall: at once.
        if *depth() > 1 {
            return lower(Entry::Send);
        }
        let (from, len) = ((*job()).at, (*job()).len);
        let clear = queue.is_clear();
        (*job()).at = from;
        (*job()).len = len;
        let answer = if clear { lower(Entry::Send) } else { BUSY };
        if answer != BUSY || asked == 0 {
            return answer;
        }
        let place = queue.wait(len, |waiting| {
            (*waiting).frame |= asked as u16 & Waiting::IOCB;
            (*waiting).block = if asked as u16 & Waiting::IOCB != 0 { iocb } else { from };
            (*waiting).upcall = (*job()).upcall;
        });
        if place == 0 {
            return FAILED;
        }
        (*job()).at = from;
        (*job()).len = len;
        fetch(place);
        // The upcall is made and the frame counted when it is sent; the core counts it after this returns.
        (*job()).upcall = Far(0);
        submitting = QUEUED;
        let count = counters();
        (*count).packets_out = (*count).packets_out.wrapping_sub(1);
        (*count).bytes_out = (*count).bytes_out.wrapping_sub(len as u32);
        queue::SENT
    }
}

/// AH=13, drop_pkt.
#[inline(always)]
pub fn drop_pkt<P: Pool>(pool: P, frame: &Frame) -> u8 {
    // SAFETY: see above.
    let idle = unsafe { *depth() } == 1;
    if idle && Queue(Here(pool)).drop(frame.es_di()) { 0 } else { BAD_IOCB }
}

/// AH=3, release_type: the handle is being closed.
#[inline(always)]
pub fn release<P: Pool>(pool: P, handle: u16) {
    Backlog(Here(pool)).release(handle);
}
