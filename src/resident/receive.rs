//! From the NIC's interrupt to the clients' receivers.

use super::frame::upcall;
use super::handle::Handle;
use super::state::{call, counters, depth, device, driver, handles, head, pending, segment, state};
use super::table::Copy;
use crate::bus::Bus;
use crate::bus::real::{Machine, linear};
use crate::device::{Events, LOOKAHEAD, Rx};

/// Frames taken in one interrupt; what came after that was acknowledged raises the next one. An NE2000's ring holds 57
/// frames from before, which do not.
const BURST: u8 = 64;

const PIC1: u16 = 0x20;
const PIC2: u16 = 0xA0;
const EOI: u8 = 0x20;

#[inline(never)]
fn end_of_interrupt() {
    // SAFETY: written once, by the installer.
    let line = unsafe { (*state()).irq };
    if line >= 8 {
        Machine.out8(PIC2, EOI);
    }
    if line != 0 {
        Machine.out8(PIC1, EOI);
    }
}

/// The NIC's interrupt, or a look at a NIC that has none. True when the interrupt is dealt with, false when it is
/// the old handler's.
pub fn irq() -> bool {
    if (driver().irq)(device()) == Events::NONE.0 {
        // SAFETY: written once, by the installer.
        let lone = unsafe { (*state()).irq_lone } != 0;
        if lone {
            end_of_interrupt();
        }
        return lone;
    }
    end_of_interrupt();
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        *pending() = 1;
        if *depth() == 0 {
            *depth() = 1;
            leave();
            *depth() = 0;
        }
    }
    true
}

/// Takes what came while the core was busy, and lets the NIC interrupt again.
#[inline(never)]
pub fn leave() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        if *pending() == 0 || *depth() != 1 {
            return;
        }
        for _ in 0..BURST {
            let rx = (driver().peek)(device(), &mut *head());
            if rx == 0 {
                break;
            }
            deliver(rx);
        }
        // What came meanwhile is either taken by now or raises its interrupt here: the NIC was masked.
        *pending() = 0;
    }
    (driver().unmask)(device());
}

#[inline(always)]
fn deliver(rx: u32) {
    let len = rx as u16;
    // SAFETY: interrupts are off (see state.rs); each reference ends before the next call into a driver or a client.
    unsafe {
        let count = &mut *counters();
        count.packets_in = count.packets_in.wrapping_add(1);
        count.bytes_in = count.bytes_in.wrapping_add(len as u32);
        let handle = handles().find(&*head());
        let call = call();
        (*call).es_di = 0;
        if !handle.is_null() && (*handle).receiver != 0 {
            (*call).ds_si = (segment() as u32) << 16 | head() as u32;
            (*call).dx = if len < LOOKAHEAD as u16 { len } else { LOOKAHEAD as u16 };
            offer(handle, 0, len);
        }
        let taken = (*call).es_di;
        let mut room = (*call).cx;
        if room == 0 || room > len {
            room = len;
        }
        if taken != 0 {
            let what = Copy { rx: Rx { len, at: (rx >> 16) as u16 }, to: linear(taken), len: room, head: &*head() };
            (driver().copy)(device(), &what);
        }
        (driver().discard)(device(), rx);
        if taken == 0 {
            let count = &mut *counters();
            count.lost = count.lost.wrapping_add(1);
            if !handle.is_null() {
                (*handle).refused = (*handle).refused.saturating_add(1);
            }
        } else if (*handle).flags & Handle::IN_USE != 0 {
            (*handle).taken = (*handle).taken.wrapping_add(1);
            (*call).ds_si = taken;
            offer(handle, 1, room);
        }
    }
}

/// Calls the receiver of an open handle.
///
/// # Safety
/// `handle` is a slot in use; what `call_frame` has besides is set.
#[inline(never)]
unsafe fn offer(handle: *mut Handle, ax: u16, cx: u16) {
    // SAFETY: interrupts are off; the client gave this address for just this.
    unsafe {
        let call = call();
        (*call).ax = ax;
        (*call).cx = cx;
        (*call).bx = handle as u32 as u16;
        (*call).receiver = (*handle).receiver;
        upcall();
    }
}
