//! From the NIC's interrupt to the clients' receivers.

use core::arch::asm;

use super::api::linear;
use super::frame::{OFFER, TAKEN, upcall};
use super::handle::{self, Handle};
use super::state::{call, counters, depth, desk, drive, Handles, handle, job, look_again, nic, state, taker};
use super::table::Entry;
use crate::device::{Events, LOOKAHEAD};

/// Frames taken in one interrupt; what came after that was acknowledged raises the next one. An NE2000's ring holds 57
/// frames from before, which do not.
const BURST: u8 = 64;

const PIC1: u8 = 0x20;
const PIC2: u8 = 0xA0;
const EOI: u8 = 0x20;

/// Tells the interrupt controllers that the NIC's interrupt is being dealt with.
#[inline(always)]
fn end_of_interrupt() {
    // SAFETY: written once, by the installer; and an interrupt controller whose interrupt has come.
    unsafe {
        let line = (*nic()).irq;
        if line >= 8 {
            asm!("out {}, al", const PIC2, in("al") EOI, options(nomem, nostack, preserves_flags));
        }
        if line != 0 {
            asm!("out {}, al", const PIC1, in("al") EOI, options(nomem, nostack, preserves_flags));
        }
    }
}

/// The NIC's interrupt, or a look at a NIC that has none. True when the interrupt is dealt with, false when it is
/// the old handler's. [`catch_up`] follows.
#[inline(always)]
pub fn irq() -> bool {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let events = drive(Entry::Irq);
        *look_again() |= events;
        if events == Events::NONE.0 && (*state()).irq_lone == 0 {
            return false;
        }
    }
    end_of_interrupt();
    true
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
        while left != 0 {
            if drive(Entry::Peek) == 0 {
                break;
            }
            deliver();
            left -= 1;
        }
        // What came meanwhile is either taken by now or raises its interrupt here: the NIC was masked.
        *look_again() = 0;
    }
    drive(Entry::Unmask);
}

/// Offers the peeked frame to the handle that it belongs to, copies it if it is wanted, and is done with it.
#[inline(never)]
fn deliver() {
    // SAFETY: interrupts are off (see state.rs); no reference lives beyond a call into a driver or a client.
    unsafe {
        let len = (*desk()).rx.len;
        let count = counters();
        (*count).packets_in = (*count).packets_in.wrapping_add(1);
        (*count).bytes_in = (*count).bytes_in.wrapping_add(len as u32);
        (*call()).cx = len;
        (*call()).dx = if len < LOOKAHEAD as u16 { len } else { LOOKAHEAD as u16 };
        *taker() = handle::find(Handles, &(*desk()).head);
        if *taker() == 0 || (*handle(*taker())).receiver == 0 || offer(OFFER) == 0 {
            drive(Entry::Discard);
            let count = counters();
            (*count).lost = (*count).lost.wrapping_add(1);
            if *taker() != 0 {
                let handle = handle(*taker());
                if (*handle).refused != u16::MAX {
                    (*handle).refused += 1;
                }
            }
            return;
        }
        // The receiver's room: 0 is none said.
        let len = (*desk()).rx.len;
        if (*call()).cx.wrapping_sub(1) >= len {
            (*call()).cx = len;
        }
        (*job()).len = (*call()).cx;
        (*job()).at = linear((*call()).buffer);
        drive(Entry::Copy);
        drive(Entry::Discard);
        let handle = handle(*taker());
        if (*handle).flags & Handle::IN_USE != 0 {
            (*handle).taken = (*handle).taken.wrapping_add(1);
            offer(TAKEN);
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
