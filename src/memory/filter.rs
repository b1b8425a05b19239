//! The pool's users between the core and the NIC's driver.
//!
//! The core's driver table becomes a filter's (asm/pool.inc): the entries here, and the NIC's own where there is none
//! here. So a kept frame is to the core one more frame of the card's, which it offers, copies and gives up as it does all
//! others, and a frame that waits to be sent is one that the card has taken.
//!
//! Everything unsafe here reaches statics of the core's or of this unit's. Interrupts are off, and no reference lives over
//! a call; a call of the XMS driver may let in a program that sends, which takes the job.

use super::backlog::{self, Backlog, Keeper};
use super::queue::{self, BUSY, FAILED, Queue, Sender, Waiting};
use super::{Near, Pool};
use crate::bus::{Bus, Far};
use crate::bus::real::Machine;
use crate::device::{LOOKAHEAD, Rx};
use crate::resident::frame::Frame;
use crate::resident::state::{at, counters, depth, job, lower, taker};
use crate::resident::table::Entry;

/// The specification's errors.
const CANT_SEND: u8 = 12;
const BAD_IOCB: u8 = 16;

/// No receiver has been asked for a buffer; one that refuses leaves 0 (asm/upcall.asm).
const NOT_ASKED: Far = Far(1);

/// What asm/pool.inc says of the frame that it has the core send: 0 nothing, or one of as_send_pkt's two kinds, with
/// [`Waiting::IOCB`] in bit 0; and what it hears.
const QUEUED: u8 = 4;

unsafe extern "C" {
    // units/mod.rs has these,
    static mut kept_frames: backlog::Fields;
    static mut waiting_frames: queue::Fields;
    // asm/pool.inc those.
    static mut submitting: u8;
    static mut acknowledged: u8;
    static iocb: Far;
}

unsafe extern "fastcall" {
    unsafe fn tell_client(upcall: *const Far, error: u16) -> u16;
    safe fn now() -> u8;
    unsafe fn mark_done(iocb: *const Far, error: u8);
    /// Copies the job's frame to a place of ours.
    safe fn fetch(to: u16);
    /// Copies from a place of ours to where the job says.
    safe fn give(from: u16);
}

/// What is at a near address.
#[inline(always)]
pub fn near<T>(place: u16) -> *mut T {
    at(place)
}

/// Copies bytes of ours, a multiple of four, the lowest first.
#[inline(never)]
pub fn copy_near(from: u16, to: u16, len: u16) {
    // SAFETY: places of the pool's own; DS and ES are ours. LLVM cannot be given ESI as an operand.
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
        // SAFETY: only the address is taken.
        unsafe { &raw mut kept_frames.kept as u32 as u16 }
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
        // SAFETY: only the address is taken.
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

/// Has the job be about a frame of ours.
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
    // SAFETY: see above.
    unsafe { acknowledged = 1 };
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
            // The core counts it for the second time.
            let count = counters();
            (*count).packets_in = (*count).packets_in.wrapping_sub(1);
            (*count).bytes_in = (*count).bytes_in.wrapping_sub(len as u32);
        } else if acknowledged == 0 {
            // A tick, and the card's interrupts so far are all served: what it has is the next one's. Taken here, that
            // would find nothing, and the line would be nobody's.
            (*job()).rx = None;
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

/// [`Entry::Discard`]: keeps a frame that its receiver had no buffer for.
#[inline(always)]
pub fn discard<P: Pool>(pool: P) {
    let backlog = Backlog(Here(pool));
    // SAFETY: see above.
    unsafe {
        // The core counts as lost what is given up.
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

/// [`Entry::Send`]: behind what waits; and what as_send_pkt brings waits in its turn.
#[inline(always)]
pub fn send<P: Pool>(pool: P) -> u8 {
    let queue = Queue(Here(pool));
    // SAFETY: see above.
    unsafe {
        let asked = submitting;
        submitting = 0;
        // From inside an upcall: at once.
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
        // Nobody is told now, and the core's count is of what was sent.
        (*job()).upcall = Far(0);
        submitting = QUEUED;
        let count = counters();
        (*count).packets_out = (*count).packets_out.wrapping_sub(1);
        (*count).bytes_out = (*count).bytes_out.wrapping_sub(len as u32);
        queue::SENT
    }
}

/// AH=13.
#[inline(always)]
pub fn drop_pkt<P: Pool>(pool: P, frame: &Frame) -> u8 {
    // SAFETY: see above.
    let idle = unsafe { *depth() } == 1;
    if idle && Queue(Here(pool)).drop(frame.es_di()) { 0 } else { BAD_IOCB }
}

/// AH=3 closes this handle.
#[inline(always)]
pub fn release<P: Pool>(pool: P, handle: u16) {
    Backlog(Here(pool)).release(handle);
}
