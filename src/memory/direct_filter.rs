//! The pool's filter between the core and the NIC's driver, in real mode with XMS: as [`super::filter`], for
//! [`super::direct`].
//!
//! Each `unsafe` block here reaches statics of the core or of this unit. Interrupts are off, and no reference is alive across
//! a call.

use super::direct::{Direct, FAILED, Fields, IOCB, List, Reach, SENT};
use super::filter::{BAD_IOCB, CANT_SEND, NOT_ASKED, QUEUED, mark_done, near, tell_client};
use crate::bus::flat::Flat;
use crate::bus::{Addr, Bus, Far};
use crate::device::Rx;
use crate::resident::frame::Frame;
use crate::resident::state::{counters, job, lower, taker, work_left};
use crate::resident::table::{Entry, WAITING};

unsafe extern "C" {
    // In units/pool.rs.
    static mut table: Fields;
    // In asm/submit.inc.
    static mut submitting: u8;
    static mut iocb: Far;
}

/// Routines of asm/pool.asm, which keep all registers.
macro_rules! copies {
    ($($(#[$doc:meta])* $name:ident: $routine:literal;)*) => { $(
        $(#[$doc])*
        #[inline(always)]
        fn $name(frame: u16) {
            // SAFETY: a frame of the pool's; the job is a client's frame or buffer.
            unsafe { core::arch::asm!(concat!("call ", $routine), in("ecx") frame as u32) }
        }
    )* };
}

copies! {
    /// Copies the first bytes of a frame to the job's `head`.
    head: "xms_head";
    /// Copies a frame to the job's client.
    give: "xms_give";
    /// Copies the job's frame from its client.
    fetch: "xms_fetch";
}

/// Calls an entry of the driver for a frame, whose length is the job's.
#[inline(always)]
fn through(frame: u16, entry: Entry) -> u8 {
    let answer: u32;
    // SAFETY: a frame of the pool's. A driver keeps neither EAX and EDX nor ECX (which is EBX after tools/src/narrow).
    unsafe {
        core::arch::asm!(
            "call xms_through", inout("ecx") frame as u32 => _, inout("edx") 2 * entry as u32 => _, out("eax") answer,
        );
    }
    answer as u8
}

/// The form, in the image.
#[derive(Clone, Copy)]
pub struct Here;

const POOL: Direct<Here> = Direct(Here);

impl Reach for Here {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        &raw mut table
    }
    #[inline(always)]
    fn list(self, place: u16) -> *mut List {
        near(place)
    }
    #[inline(always)]
    fn record(self, frame: u16) -> u32 {
        unsafe extern "fastcall" {
            /// In asm/pool.asm.
            safe fn xms_record(frame: u16) -> u32;
        }
        xms_record(frame)
    }
    #[inline(always)]
    fn get16(self, at: u32) -> u16 {
        Flat.get16(Addr(at))
    }
    #[inline(always)]
    fn put16(self, at: u32, value: u16) {
        Flat.put16(Addr(at), value);
    }
    #[inline(always)]
    fn get32(self, at: u32) -> u32 {
        Flat.get32(Addr(at))
    }
    #[inline(always)]
    fn put32(self, at: u32, value: u32) {
        Flat.put32(Addr(at), value);
    }
    #[inline(always)]
    fn now(self) -> u8 {
        let ticks: u32;
        // SAFETY: it reads the BIOS's data, and keeps all other registers.
        unsafe { core::arch::asm!("call now", out("eax") ticks) };
        ticks as u8
    }
    #[inline(always)]
    fn transmit(self, frame: u16, len: u16) -> u8 {
        // SAFETY: see above.
        unsafe { (*job()).len = len };
        through(frame, Entry::Send)
    }
    #[inline(always)]
    fn tell(self, answer: u8, len: u16, block: Far, upcall: Far) {
        // SAFETY: see above.
        unsafe {
            let count = counters();
            let mut error = 0;
            if answer == SENT {
                (*count).packets_out = (*count).packets_out.wrapping_add(1);
                (*count).bytes_out = (*count).bytes_out.wrapping_add((len & !IOCB) as u32);
            } else {
                (*count).errors_out = (*count).errors_out.wrapping_add(1);
                error = CANT_SEND;
            }
            (*job()).at = block;
            if len & IOCB != 0 {
                mark_done(&raw const (*job()).at, error);
            }
            if upcall != Far(0) {
                (*job()).upcall = upcall;
                tell_client(&raw const (*job()).upcall, error as u16);
            }
        }
    }
}

/// Sends frames that wait.
#[inline(always)]
pub fn run() {
    POOL.run();
}

/// [`Entry::Peek`].
#[inline(always)]
pub fn peek() {
    run();
    let peeked = POOL.peek();
    // SAFETY: see above.
    unsafe {
        if peeked {
            let frame = POOL.peeked();
            head(frame);
            let len = POOL.len(frame);
            (*job()).rx = Rx::new(len);
            // The core counts this frame for the second time.
            let count = counters();
            (*count).packets_in = (*count).packets_in.wrapping_sub(1);
            (*count).bytes_in = (*count).bytes_in.wrapping_sub(len as u32);
        } else if *work_left() == WAITING {
            // The card has not interrupted. A frame in it belongs to its next interrupt: if it was taken here, that interrupt
            // would have no cause and be passed on to the old handler.
            (*job()).rx = None;
        } else {
            lower(Entry::Peek);
        }
        (*job()).at = NOT_ASKED;
    }
}

/// [`Entry::Copy`].
#[inline(always)]
pub fn copy() {
    if POOL.has_peeked() {
        give(POOL.peeked());
        POOL.drop_peeked();
    } else {
        lower(Entry::Copy);
    }
}

/// [`Entry::Discard`]: keeps a frame for which its receiver had no buffer.
#[inline(always)]
pub fn discard() {
    // SAFETY: see above.
    unsafe {
        let kept;
        if POOL.has_peeked() {
            kept = POOL.refuse();
        } else {
            let mut frame = 0;
            if (*job()).at == Far(0)
                && let Some(rx) = (*job()).rx
            {
                frame = POOL.keep(*taker(), rx.len());
                (*job()).len = rx.len();
            }
            if frame == 0 {
                lower(Entry::Discard);
                return;
            }
            kept = true;
            *work_left() |= WAITING;
            through(frame, Entry::Copy);
        }
        // The core counts a discarded frame as lost.
        if kept {
            (*counters()).lost = (*counters()).lost.wrapping_sub(1);
        }
    }
}

/// Makes the job's frame wait to be sent; `asked` is what asm/submit.inc has written to `submitting`. Returns the answer of
/// [`Entry::Send`].
#[inline(always)]
pub fn delay(asked: u8) -> u8 {
    // SAFETY: see above.
    unsafe {
        let len = (*job()).len;
        let flag = if asked & 1 != 0 { IOCB } else { 0 };
        let frame = POOL.wait(len | flag, || (if flag != 0 { iocb } else { (*job()).at }, (*job()).upcall));
        if frame == 0 {
            return FAILED;
        }
        fetch(frame);
        // The upcall is made and the frame counted when it is sent; the core counts it after this returns.
        (*job()).upcall = Far(0);
        submitting = QUEUED;
        let count = counters();
        (*count).packets_out = (*count).packets_out.wrapping_sub(1);
        (*count).bytes_out = (*count).bytes_out.wrapping_sub(len as u32);
        SENT
    }
}

/// AH=13, drop_pkt; `frame`: what the IOCB has as the frame's name.
#[inline(always)]
pub fn drop_pkt(caller: &Frame, frame: u16) -> u8 {
    if POOL.drop(frame, caller.es_di()) { 0 } else { BAD_IOCB }
}

/// AH=3, release_type: the handle is being closed.
#[inline(always)]
pub fn release(handle: u16) {
    POOL.release(handle);
}
