//! From the NIC's interrupt to the clients' receivers.

use super::frame::{Upcall, upcall};
use super::handle;
use super::state::{counters, depth, device, driver, handles, head, pending, segment, state};
use super::table::Copy;
use crate::bus::real::{Machine, linear};
use crate::bus::Bus;
use crate::device::{Events, LOOKAHEAD, Rx};

/// Frames taken in one interrupt; what is left raises the next one.
const BURST: u8 = 32;

const PIC1: u16 = 0x20;
const PIC2: u16 = 0xA0;
const EOI: u8 = 0x20;

fn end_of_interrupt(line: u8) {
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
    // SAFETY: fields written once, by the installer.
    let (line, lone) = unsafe { ((*state()).irq, (*state()).irq_lone) };
    if (driver().irq)(device()) == Events::NONE.0 {
        if lone != 0 {
            end_of_interrupt(line);
        }
        return lone != 0;
    }
    end_of_interrupt(line);
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        if *depth() != 0 {
            *pending() = 1;
            return true;
        }
        *depth() = 1;
        receive();
        *depth() = 0;
    }
    (driver().unmask)(device());
    true
}

/// Takes what came while the core was busy with a call from a client.
pub fn leave() {
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        if *pending() != 0 && *depth() == 1 {
            *pending() = 0;
            receive();
            (driver().unmask)(device());
        }
    }
}

fn receive() {
    for _ in 0..BURST {
        // SAFETY: the buffer is the core's own and is read only before the next peek.
        let rx = (driver().peek)(device(), unsafe { &mut *head() });
        if rx == 0 {
            break;
        }
        deliver(rx);
    }
    // SAFETY: interrupts are off. The NIC stayed masked, so all that came meanwhile is either taken by now or
    // raises its interrupt at unmask.
    unsafe { *pending() = 0 };
}

fn deliver(rx: u32) {
    let len = rx as u16;
    // SAFETY: the device's own fields, between two calls into its driver.
    let count = unsafe { &mut *counters() };
    count.packets_in = count.packets_in.wrapping_add(1);
    count.bytes_in = count.bytes_in.wrapping_add(len as u32);
    // SAFETY: see `receive`.
    let slot = handle::find(handles(), unsafe { &*head() });
    let mut call = Upcall { cx: len, dx: LOOKAHEAD as u16, si: head() as u32 as u16, ds: segment(), ..Upcall::default() };
    if len < LOOKAHEAD as u16 {
        call.dx = len;
    }
    if let Some(slot) = slot {
        offer(slot, &mut call);
    }
    let taken = call.es | call.di != 0;
    let room = if call.cx != 0 && call.cx < len { call.cx } else { len };
    if taken {
        // SAFETY: see `receive`.
        let what = Copy {
            rx: Rx { len, at: (rx >> 16) as u16 },
            to: linear(call.es, call.di),
            len: room,
            head: unsafe { &*head() },
        };
        (driver().copy)(device(), &what);
    }
    (driver().discard)(device(), rx);
    let Some(slot) = slot.filter(|_| taken) else {
        // SAFETY: as above; no reference of ours is alive.
        let count = unsafe { &mut *counters() };
        count.lost = count.lost.wrapping_add(1);
        return;
    };
    call.ax = 1;
    call.cx = room;
    call.si = call.di;
    call.ds = call.es;
    offer(slot, &mut call);
}

/// Calls the receiver of a handle that is still open. Without one, ES:DI stay 0:0.
fn offer(slot: u8, call: &mut Upcall) {
    let Some(handle) = handles().get_mut(slot as usize) else { return };
    if handle.flags & handle::Handle::IN_USE == 0 || handle.receiver == 0 {
        return;
    }
    if call.ax != 0 {
        handle.taken = handle.taken.wrapping_add(1);
    }
    call.bx = super::api::number(slot);
    call.receiver = handle.receiver;
    // SAFETY: the client gave this address for just this; `handle` is not used after it.
    unsafe { upcall(call) };
}
