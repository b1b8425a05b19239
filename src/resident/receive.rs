//! Delivers received frames to the clients' receivers. Called from asm/irq.asm with interrupts off.

use super::frame::{hand_over, offer};
use super::handle::{self, Handle};
use super::state::{all_known, counters, drive, Handles, handle, job, known_of, state, taker};
use super::table::Entry;
use crate::bus::Far;
use crate::device::Rx;

/// Takes frames from the card: all that it has, or a burst of them. The caller, `settle` in asm/irq.asm, has checked that no
/// outer entry takes them.
///
/// The rule: whatever made the loop end, a frame in the card is either announced by a later interrupt or looked for by the
/// driver. When `peek` has found none, the next frame interrupts: nothing has been acknowledged since. At the end of a burst
/// the job still has a frame, and the card may have more whose interrupts have been acknowledged: `settle` calls again.
#[inline(always)]
pub fn catch_up() {
    // SAFETY: written by the installer; one byte, which may change between two bursts.
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

/// A value of which LLVM knows nothing. It would test a known one twice: 32 bits of it for the sign, 16 for zero.
#[inline(always)]
fn opaque(word: i16) -> i32 {
    let mut value = i32::from(word);
    // SAFETY: no instruction.
    unsafe { core::arch::asm!("", inout("edi") value, options(pure, nomem, nostack, preserves_flags)) };
    value
}

/// Offers the peeked frame to the handle that it belongs to, copies it if it is wanted, and is done with it.
#[inline(always)]
fn deliver(len: u32) {
    // SAFETY: interrupts are off (see state.rs); no reference lives beyond a call into a driver or a client.
    unsafe {
        let count = counters();
        (*count).packets_in = (*count).packets_in.wrapping_add(1);
        (*count).bytes_in = (*count).bytes_in.wrapping_add(len);
        (*job()).len = len as u16;
        // One word, whatever is looked at in it.
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
        // The receiver may have sent a frame, which has used the job. What it left in CX means nothing.
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

/// Makes the handle that the peeked frame belongs to its taker, if there is one; the taker.
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
