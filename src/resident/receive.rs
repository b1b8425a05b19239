//! From the NIC's interrupt to the clients' receivers.

use super::frame::{OFFER, TAKEN, upcall};
use super::handle::{self, Handle};
use super::state::{counters, drive, fresh, Handles, handle, job, known_of, look_again, state, taker};
use super::table::Entry;
use crate::bus::Far;
use crate::device::{Events, Rx};

/// Frames taken in one interrupt; what came after that was acknowledged raises the next one. An NE2000's ring holds 57
/// frames from before, which do not.
const BURST: u8 = 64;

/// The NIC's interrupt, or a look at a NIC that has none. True when the interrupt is ours, false when it is the old
/// handler's. [`catch_up`] follows.
#[inline(always)]
pub fn irq() -> bool {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let events = drive(Entry::Irq);
        *look_again() |= events;
        events | (*state()).irq_lone != 0
    }
}

/// Takes what came and lets the NIC interrupt again. asm/irq.asm has seen that something came and that no outer entry
/// will do this.
#[inline(always)]
pub fn catch_up() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let mut left = BURST;
        loop {
            drive(Entry::Peek);
            let Some(rx) = (*job()).rx else { break };
            if rx == Rx::USELESS {
                discard();
            } else {
                deliver(rx.len());
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        // What came meanwhile is either taken by now or raises its interrupt here: the NIC was masked.
        let events = *look_again();
        *look_again() = 0;
        if events != Events::OPEN.0 {
            drive(Entry::Unmask);
        }
    }
}

/// Offers the peeked frame to the handle that it belongs to, copies it if it is wanted, and is done with it.
#[inline(always)]
fn deliver(len: u16) {
    // SAFETY: interrupts are off (see state.rs); no reference lives beyond a call into a driver or a client.
    unsafe {
        let count = counters();
        (*count).packets_in = (*count).packets_in.wrapping_add(1);
        (*count).bytes_in = (*count).bytes_in.wrapping_add(len as u32);
        (*job()).len = len;
        // A type that came before goes where it went then.
        // One word, whatever is looked at in it.
        let kind = (&raw const (*job()).head[12] as *const u16).read_volatile();
        handle::recall(known_of(kind), kind, taker(), seek);
        if *taker() == 0 || (*handle(*taker())).receiver == Far(0) || offer(OFFER) == 0 {
            lose();
            return;
        }
        // The receiver's room: 0 is none said.
        if (*job()).len.wrapping_sub(1) >= len {
            (*job()).len = len;
        }
        drive(Entry::Copy);
        let handle = handle(*taker());
        if (*handle).flags & Handle::IN_USE != 0 {
            (*handle).taken = (*handle).taken.wrapping_add(1);
            offer(fresh::<TAKEN>());
        }
    }
}

/// Finds the taker of the peeked frame.
#[inline(never)]
fn seek() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        *taker() = 0;
        handle::find(Handles, &(*job()).head, take_note);
    }
}

/// Makes a slot the taker. rustc would count its near address beside the slot's own.
#[inline(always)]
fn take_note(slot: *mut Handle) {
    // SAFETY: the static of units/core.rs.
    unsafe { core::arch::asm!("mov word ptr [getter], {:x}", in(reg) slot, options(nostack, preserves_flags)) };
}

/// Throws the peeked frame away.
#[inline(never)]
fn discard() {
    drive(Entry::Discard);
}

/// Throws the peeked frame away, which nobody wants, and counts it.
#[inline(never)]
fn lose() {
    discard();
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let count = counters();
        (*count).lost = (*count).lost.wrapping_add(1);
    }
}

/// Calls the receiver of the taker.
///
/// # Safety
/// It is a slot in use; what the job has is set.
#[inline(always)]
unsafe fn offer(what: u16) -> u16 {
    // SAFETY: interrupts are off; the client gave this address for just this.
    unsafe { upcall(&raw const (*handle(*taker())).receiver, what) }
}
