//! From the NIC's interrupt to the clients' receivers.

use super::frame::{hand_over, offer};
use super::handle::{self, Handle};
use super::state::{all_known, counters, drive, Handles, handle, job, known_of, taker};
use super::table::Entry;
use crate::bus::Far;
use crate::device::Rx;

/// Frames taken before other interrupts are let in.
const BURST: u8 = 64;

/// Takes the frames that the card has. asm/irq.asm (`settle`), which calls this, has seen that no outer entry will.
///
/// The rule: whatever made the loop end, a frame that is in the card is either announced by a later interrupt or looked for
/// by us. An empty card announces the next frame: nothing has been acknowledged since `peek` found none. At the end of a
/// burst (the job has a frame yet) there may be frames whose interrupts have been acknowledged, so `settle` comes back for
/// them.
#[inline(always)]
pub fn catch_up() {
    let mut left = BURST;
    loop {
        drive(Entry::Peek);
        // SAFETY: interrupts are off; see state.rs.
        let rx = Rx::word(unsafe { (*job()).rx });
        if rx < 0 {
            discard();
        } else if rx == 0 {
            break;
        } else {
            deliver(rx as u16);
        }
        left -= 1;
        if left == 0 {
            break;
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
        // One word, whatever is looked at in it.
        let kind = (&raw const (*job()).head[12] as *const u16).read_volatile();
        // A type that came before goes where it went then.
        let mut to = handle::recalled(&*all_known(), kind);
        if to == 0 {
            to = seek(kind);
        } else {
            taker().write_volatile(to);
        }
        if to == 0 || (*handle(to)).receiver == Far(0) || offer(&raw const (*handle(to)).receiver) == 0 {
            lose();
            return;
        }
        // The receiver may have sent a frame, which has used the job. What it left in CX means nothing.
        (*job()).len = len;
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
