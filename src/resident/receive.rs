//! From the NIC's interrupt to the clients' receivers.

use super::api::linear;
use super::frame::{OFFER, TAKEN, upcall};
use super::handle::{self, Handle};
use super::state::{call, counters, depth, desk, drive, fresh, Handles, handle, job, known, look_again, state, taker, UNKNOWN};
use super::table::Entry;
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

/// Takes what came, unless an outer entry will, and lets the NIC interrupt again.
#[inline(always)]
pub fn catch_up() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        if *look_again() == 0 || *depth() != 1 {
            return;
        }
        let mut left = BURST;
        loop {
            drive(Entry::Peek);
            let Some(rx) = (*desk()).rx else { break };
            if rx == Rx::USELESS {
                drive(Entry::Discard);
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
        (*call()).cx = len;
        // A type that came before goes where it went then.
        if kind() as u32 != *known() {
            seek();
        }
        if *taker() == 0 || (*handle(*taker())).receiver == 0 || offer(OFFER) == 0 {
            lose();
            return;
        }
        // The receiver's room: 0 is none said.
        if (*call()).cx.wrapping_sub(1) >= len {
            (*call()).cx = len;
        }
        (*job()).len = (*call()).cx;
        (*job()).at = linear(&raw const (*call()).buffer);
        drive(Entry::Copy);
        let handle = handle(*taker());
        if (*handle).flags & Handle::IN_USE != 0 {
            (*handle).taken = (*handle).taken.wrapping_add(1);
            offer(fresh::<TAKEN>());
        }
    }
}

/// Bytes 12 and 13 of the peeked frame, the first in the low half.
#[inline(always)]
fn kind() -> u16 {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { u16::from_le_bytes([(*desk()).head[12], (*desk()).head[13]]) }
}

/// Finds the taker of the peeked frame.
#[inline(never)]
fn seek() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        *taker() = handle::find(Handles, &(*desk()).head);
        *known() = if handle::is_surely_type(kind()) { kind() as u32 } else { UNKNOWN };
    }
}

/// Throws the peeked frame away, which nobody wants.
#[inline(never)]
fn lose() {
    drive(Entry::Discard);
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let count = counters();
        (*count).lost = (*count).lost.wrapping_add(1);
        if *taker() != 0 {
            let handle = handle(*taker());
            if (*handle).refused != u16::MAX {
                (*handle).refused += 1;
            }
        }
    }
}

/// Calls the receiver of the taker.
///
/// # Safety
/// It is a slot in use; what `call_frame` has is set.
#[inline(always)]
unsafe fn offer(what: u16) -> u16 {
    // SAFETY: interrupts are off; the client gave this address for just this.
    unsafe { upcall(&raw const (*handle(*taker())).receiver, what) }
}
