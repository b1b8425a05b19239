//! From the NIC's interrupt to the clients' receivers.

use super::frame::{hand_over, offer};
use super::handle::{self, Handle};
use super::state::{all_known, counters, drive, Handles, handle, job, known_of, look_again, taker};
use super::table::{Entry, POLLED};
use crate::bus::Far;
use crate::device::{Events, Rx};

/// Frames taken in one interrupt; what came after that was acknowledged raises the next one. An NE2000's ring holds 57
/// frames from before, which do not.
const BURST: u8 = 64;

/// Takes what came and lets the NIC interrupt again. asm/irq.asm has seen that no outer entry will do this.
#[inline(always)]
pub fn catch_up() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let mut left = BURST;
        loop {
            drive(Entry::Peek);
            let rx = Rx::word((*job()).rx);
            if rx > 0 {
                deliver(rx as u16);
            } else if rx == 0 {
                break;
            } else {
                discard();
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        // What came meanwhile is either taken by now or raises its interrupt here: the NIC was masked.
        let events = *look_again();
        still();
        if events != Events::OPEN.0 {
            drive(Entry::Unmask);
        }
    }
}

/// There is nothing to look at any more. rustc would do it on what it has read.
#[inline(always)]
fn still() {
    // SAFETY: the static of units/core.rs.
    unsafe { core::arch::asm!("and byte ptr [pending], {}", const POLLED, options(nostack)) };
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
        // One word, whatever is looked at in it.
        let kind = (&raw const (*job()).head[12] as *const u16).read_volatile();
        // A type that came before goes where it went then.
        let mut to = handle::recalled(&*all_known(), kind);
        taker().write_volatile(to);
        if to == 0 {
            to = seek(kind);
        }
        if to == 0 || (*handle(to)).receiver == Far(0) || offer(&raw const (*handle(to)).receiver) == 0 {
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
            hand_over(&raw const (*handle).receiver);
        }
    }
}

/// The taker of a peeked frame of a type that is not remembered to have one; 0: nobody.
#[inline(never)]
fn seek(kind: u16) -> u16 {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        handle::learn(known_of(kind), kind, taker(), search);
        *taker()
    }
}

/// Makes the handle that the peeked frame belongs to its taker, if there is one.
#[inline(never)]
fn search() {
    // SAFETY: interrupts are off; see state.rs.
    handle::find(Handles, unsafe { &(*job()).head }, take_note);
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
