//! Delivers received frames to the clients' receivers. Called from asm/irq.asm with interrupts off.

use super::frame::{hand_over, offer};
use super::handle::{self, Handle};
use super::state::{all_known, counters, drive, Handles, handle, job, known_of, state, taker};
use super::table::Entry;
use crate::bus::Far;
use crate::device::Rx;

/// Takes the frames that the card holds, or a burst of them. `settle` in asm/irq.asm calls this in the outermost entry only.
///
/// The rule: however the loop ends, a later interrupt announces each frame that is in the card, or the driver looks for it.
/// When `peek` has found no frame, the next one interrupts: nothing has been acknowledged since. At the end of a burst the job
/// still has a frame, and the card may hold more whose interrupts have been acknowledged: `settle` calls this again.
#[inline(always)]
pub fn catch_up() {
    // SAFETY: the installer fills it in; it is one byte, which may change between two bursts.
    let mut left = unsafe { (*state()).burst };
    loop {
        drive(Entry::Peek);
        // SAFETY: interrupts are off; see state.rs.
        let rx = opaque(Rx::word(unsafe { (*job()).rx }));
        if rx < 0 {
            discard();
        } else if rx == 0 {
            break;
        } else {
            deliver(rx as u32);
        }
        left -= 1;
        if left == 0 {
            break;
        }
    }
}

/// The value, in a way that LLVM does not know it: LLVM would compare a known value twice, 32 bits for the sign, 16 for zero.
#[inline(always)]
fn opaque(word: i16) -> i32 {
    let mut value = i32::from(word);
    // SAFETY: it has no instruction.
    unsafe { core::arch::asm!("", inout("edi") value, options(pure, nomem, nostack, preserves_flags)) };
    value
}

/// Offers the peeked frame to its handle, copies it if the receiver takes it, and discards it otherwise.
#[inline(always)]
fn deliver(len: u32) {
    // SAFETY: interrupts are off (see state.rs); no reference is alive across a call into a driver or a client.
    unsafe {
        let count = counters();
        (*count).packets_in = (*count).packets_in.wrapping_add(1);
        (*count).bytes_in = (*count).bytes_in.wrapping_add(len);
        (*job()).len = len as u16;
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
        (*job()).len = len as u16;
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
        *taker() = 0;
        handle::learn(known_of(kind), kind, search)
    }
}

/// Sets the taker to the handle that gets the peeked frame, if there is one; returns the taker.
#[inline(never)]
fn search() -> u16 {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        handle::find(Handles, &(*job()).head, take_note);
        *taker()
    }
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
