//! Delivers received frames to the clients' receivers. Called from asm/irq.asm with interrupts off.

use super::frame::{hand_over, offer};
use super::handle::{self, Handle};
use super::state::{all_known, counters, drive, Handles, handle, job, known_of, taker};
use super::table::Entry;
use crate::bus::Far;
use crate::device::Rx;

/// Frames that are taken before other interrupts are let in.
const BURST: u8 = 64;

/// Takes the frames that the card holds. `settle` in asm/irq.asm calls this in the outermost entry only.
///
/// The rule: however the loop ends, a later interrupt announces each frame that is in the card, or the driver looks for it.
/// An empty card announces the next frame: nothing has been acknowledged since `peek` found none. At the end of a burst
/// (the job still has a frame) the card may hold frames whose interrupts have been acknowledged; so `settle` calls this
/// again, after other interrupts.
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

/// Offers the peeked frame to its handle, copies it if the receiver takes it, and discards it otherwise.
#[inline(always)]
fn deliver(len: u16) {
    // SAFETY: interrupts are off (see state.rs); no reference is alive across a call into a driver or a client.
    unsafe {
        let count = counters();
        (*count).packets_in = (*count).packets_in.wrapping_add(1);
        (*count).bytes_in = (*count).bytes_in.wrapping_add(len as u32);
        (*job()).len = len;
        // Volatile: one read of 16 bits, where rustc would read some bytes twice.
        let kind = (&raw const (*job()).head[12] as *const u16).read_volatile();
        // The type cache saves the search for most frames.
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
        // The receiver may have sent a frame, which overwrites the job. CX, which some receivers change, is not looked at.
        (*job()).len = len;
        drive(Entry::Copy);
        let handle = handle(*taker());
        if (*handle).flags & Handle::IN_USE != 0 {
            (*handle).taken = (*handle).taken.wrapping_add(1);
            hand_over(&raw const (*handle).receiver);
        }
    }
}

/// The handle of a frame whose type has none in the type cache; 0: no handle.
#[inline(never)]
fn seek(kind: u16) -> u16 {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        handle::learn(known_of(kind), kind, taker(), search);
        *taker()
    }
}

/// Sets the taker to the handle that gets the peeked frame, if there is one.
#[inline(never)]
fn search() {
    // SAFETY: interrupts are off; see state.rs.
    handle::find(Handles, unsafe { &(*job()).head }, take_note);
}

/// Sets the taker to a slot. In assembly: rustc would keep its near address in a second register.
#[inline(always)]
fn take_note(slot: *mut Handle) {
    // SAFETY: the static of units/core.rs.
    unsafe { core::arch::asm!("mov word ptr [getter], {:x}", in(reg) slot, options(nostack, preserves_flags)) };
}

/// Discards the peeked frame.
#[inline(never)]
fn discard() {
    drive(Entry::Discard);
}

/// Discards the peeked frame, which has no receiver, and counts it as lost.
#[inline(never)]
fn lose() {
    discard();
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        let count = counters();
        (*count).lost = (*count).lost.wrapping_add(1);
    }
}
