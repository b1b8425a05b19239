//! A queue of received frames: the receiver fills it when the driver calls, and the main program reads it.

use super::{Far, Regs, Shared};
use crate::device::MAX_FRAME;
use crate::programs::net::Frame;

/// Frames that the queue holds, a power of two.
const SLOTS: u8 = 16;

const FREE: u8 = 0;
const LENT: u8 = 1;
const FULL: u8 = 2;

#[derive(Clone, Copy)]
struct Slot {
    state: u8,
    handle: u16,
    len: u16,
    bytes: Frame,
}

static INBOX: Shared<[Slot; SLOTS as usize]> =
    Shared::new([Slot { state: FREE, handle: 0, len: 0, bytes: [0; MAX_FRAME as usize] }; SLOTS as usize]);
/// The next slot to fill, and the next to read: frames are read in the order in which they came.
static WRITE: Shared<u8> = Shared::new(0);
static READ: Shared<u8> = Shared::new(0);

unsafe extern "C" {
    fn receiver_entry();
    static mut receiver_hook: extern "C" fn(&mut Regs);
}

fn slot(index: u8) -> *mut Slot {
    // SAFETY: the index is taken modulo the number of slots.
    unsafe { INBOX.get().cast::<Slot>().add((index % SLOTS) as usize) }
}

/// The receiver: takes frames while there is room. Another receiver may call it, too.
pub extern "C" fn receive(regs: &mut Regs) {
    let slot = slot(WRITE.read());
    let len = regs.ecx as u16;
    // SAFETY: the main program uses FULL slots only, this receiver the others only.
    unsafe {
        let state = (&raw const (*slot).state).read_volatile();
        if regs.eax as u16 == 0 {
            regs.es = 0;
            regs.edi = 0;
            if state != FULL && len <= MAX_FRAME {
                (*slot).state = LENT;
                let at = Far::of(&raw const (*slot).bytes);
                regs.es = at.segment();
                regs.edi = at.offset() as u32;
            }
        } else if state == LENT && len <= MAX_FRAME {
            (*slot).handle = regs.ebx as u16;
            (*slot).len = len;
            (&raw mut (*slot).state).write_volatile(FULL);
            WRITE.write(WRITE.read().wrapping_add(1));
        }
    }
}

/// The receiver for access_type, which calls `hook`.
pub fn receiver_with(hook: extern "C" fn(&mut Regs)) -> Far {
    // SAFETY: one aligned 32-bit write.
    unsafe { (&raw mut receiver_hook).write_volatile(hook) };
    Far::of_code(receiver_entry)
}

/// The receiver for access_type, which calls [`receive`].
pub fn receiver() -> Far {
    receiver_with(receive)
}

/// A received frame.
pub struct Received<'a> {
    /// The handle that got it.
    pub handle: u16,
    /// Bytes of the frame, MAC header included.
    pub len: usize,
    /// The frame's bytes; bytes behind `len` are undefined.
    pub bytes: &'a Frame,
}

/// Calls `f` with the next frame, if there is one, and frees its slot.
pub fn take<R>(f: impl FnOnce(Received) -> R) -> Option<R> {
    let slot = slot(READ.read());
    // SAFETY: a FULL slot belongs to the main program until it is FREE again.
    unsafe {
        if (&raw const (*slot).state).read_volatile() != FULL {
            return None;
        }
        let result = f(Received { handle: (*slot).handle, len: (*slot).len as usize, bytes: &(*slot).bytes });
        (&raw mut (*slot).state).write_volatile(FREE);
        READ.write(READ.read().wrapping_add(1));
        Some(result)
    }
}
