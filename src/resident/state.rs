//! The core's state: statics of this unit, reached by raw pointers so that no borrow outlives a call into a driver
//! or a client. Interrupts are off whenever this code runs, so nothing here is ever seen half written.

use core::ptr::addr_of_mut;

use super::handle::{Handle, KNOWN, Known, Slots, place_of};
use super::table::{Entry, State, Work};
use crate::device::{Counters, Job};
use crate::info::{Info, NicInfo};

macro_rules! field {
    ($(#[$doc:meta])* $name:ident: $type:ty = $($path:tt)+) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() -> *mut $type {
            // SAFETY: only the address is taken; and a bare static needs no `unsafe` for that.
            #[allow(unused_unsafe)]
            unsafe {
                addr_of_mut!($($path)+)
            }
        }
    };
}

// The statics; units/core.rs has them. asm/ knows all but the last three by name.
unsafe extern "C" {
    static mut core_state: State;
    static mut info: Info;
    static mut work: Work;
    static mut busy: u8;
    static mut open: u8;
    static mut getter: u16;
    static mut known: [Known; KNOWN];
}

field!(/// What the installer filled in.
    state: State = core_state);
field!(/// The head of the information block.
    head_of_info: Info = info);
field!(/// What the driver's entries work on.
    desk: Work = work);
field!(/// The NIC as INT 60h sees it.
    nic: NicInfo = work.nic);
field!(/// Depth of entries.
    depth: u8 = busy);
field!(/// Open handles.
    opened: u8 = open);
field!(/// Types that are remembered, each at its place.
    all_known: [Known; KNOWN] = known);
field!(/// The handle that gets the frame in hand, 0: nobody.
    taker: u16 = getter);
field!(/// The frame in hand.
    job: Job = work.job);

/// Calls an entry of the table of a name, with the device that the installer filled in; its answer.
#[macro_export]
macro_rules! call_by {
    ($table:literal, $entry:expr, $($name:ident)*) => {
        match $entry { $(
            $crate::resident::table::Entry::$name => {
                let answer: u32;
                // SAFETY: near addresses that the installer filled in. A driver keeps ECX, which is EBX behind
                // tools/src/narrow, no more than EAX and EDX.
                unsafe {
                    core::arch::asm!(
                        "mov ecx, dword ptr [core_state]", concat!("call word ptr [", $table, " + {}]"),
                        const 2 * $crate::resident::table::Entry::$name as u16,
                        out("ecx") _, out("edx") _, out("eax") answer,
                    );
                }
                answer as u8
            })*
        }
    };
}

/// Calls the driver; its answer.
#[inline(always)]
pub fn drive(entry: Entry) -> u8 {
    call_by!("entries", entry, Irq Unmask Peek Copy Discard Send SetRcvMode SetAddress Link Stop)
}

/// Calls, from a filter, what lies below it: its own header has that. Behind [`Entry::Irq`], which keeps no register,
/// comes nothing but its answer.
#[inline(always)]
pub fn lower(entry: Entry) -> u8 {
    call_by!("unit_header", entry, Irq Unmask Peek Copy Discard Send SetRcvMode SetAddress Link Stop)
}

/// What is at a near address. rustc is told to have it in ECX, which becomes BX (tools/src/narrow): AX and DX, its own
/// choice, cannot address.
#[inline(always)]
pub fn at<T>(near: u16) -> *mut T {
    let place: u32;
    // SAFETY: no instruction.
    unsafe { core::arch::asm!("", inlateout("ecx") near as u32 => place, options(pure, nomem, nostack, preserves_flags)) };
    place as *mut T
}

/// What the device counts; the first field of every instance.
#[inline(always)]
pub fn counters() -> *mut Counters {
    // SAFETY: written once, by the installer.
    at(unsafe { (*state()).device } as u16)
}

/// The handle at a near address.
#[inline(always)]
pub fn handle(near: u16) -> *mut Handle {
    at(near)
}

/// What is remembered of a type.
#[inline(always)]
pub fn known_of(kind: u16) -> *mut Known {
    // SAFETY: only the address is taken.
    #[allow(unused_unsafe)]
    let first = unsafe { addr_of_mut!(known) } as u32 as u16;
    at(first + place_of(kind))
}

/// Handles have changed: what is remembered may be wrong.
#[inline(never)]
pub fn forget() {
    // SAFETY: interrupts are off; two times four bytes.
    unsafe {
        // rustc would write the zeros out.
        core::arch::asm!(
            "xor {0:e}, {0:e}", "mov dword ptr [known], {0:e}", "mov dword ptr [known + 4], {0:e}",
            out(reg) _, options(nostack),
        );
    }
}

/// The handle table.
#[derive(Clone, Copy)]
pub struct Handles;

impl Slots for Handles {
    #[inline(always)]
    fn first(self) -> *mut Handle {
        // SAFETY: written once, by the installer.
        unsafe { (*head_of_info()).handles as u32 as *mut Handle }
    }

    #[inline(always)]
    fn count(self) -> u8 {
        // SAFETY: written once, by the installer.
        unsafe { (*head_of_info()).handle_count }
    }

    #[inline(always)]
    unsafe fn alike(self, slot: *const Handle, bytes: *const u8) -> u8 {
        unsafe extern "fastcall" {
            /// asm/transfer.asm.
            fn alike(slot: *const Handle, bytes: *const u8) -> u8;
        }
        // SAFETY: the caller's word.
        unsafe { alike(slot, bytes) }
    }
}
