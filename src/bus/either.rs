//! The bus of probes: flat memory in real mode, conventional memory in V86 mode. It finds out at each access which it is.

use core::arch::asm;

use super::ports::as_machine;
use super::real::{Machine, copy_far, own};
use super::{Addr, Bus, Far};
use crate::device::Job;
use crate::drivers::undi::Rom;

/// The bus of probes. A device made with it has the same layout as one made with [`Machine`] or [`super::flat::Flat`].
#[derive(Clone, Copy, Default)]
pub struct Either;

/// The arguments of the routines in asm/visit.asm.
#[repr(C)]
struct Visit {
    /// An address of rings or registers, from the installer and the card's configuration.
    at: u32,
    /// The value to write; for a copy the target's address.
    value: u32,
    /// Bytes of a copy.
    len: u16,
}

unsafe extern "fastcall" {
    static mut visit_what: Visit;
    fn visit_get8() -> u8;
    fn visit_get16() -> u16;
    fn visit_get32() -> u32;
    fn visit_put8();
    fn visit_put16();
    fn visit_put32();
    fn visit_copy();
    /// What opens A20's gate: 0 port 92h, or it is always open; 1 the keyboard controller; 2 neither. In real mode only.
    pub safe fn a20_gate() -> u8;
}

/// Sets the arguments of the next visit.
#[inline(always)]
fn visit(at: Addr, value: u32) {
    // SAFETY: discarded code runs in one thread, and the driver's interrupt makes no visit with these arguments.
    unsafe {
        visit_what.at = at.0;
        visit_what.value = value;
    }
}

/// Writes up to four bytes of conventional memory.
#[inline(never)]
fn put_low(at: Addr, mut value: u32, len: u16) {
    copy_far(own(&raw mut value as *mut u8), at, len);
}

/// Whether the processor is in V86 mode: under DOS, PE is set only then.
#[inline(never)]
pub fn in_v86() -> bool {
    let word: u16;
    // SAFETY: reads the machine status word.
    unsafe { asm!("smsw {0:x}", out(reg) word, options(nomem, nostack)) };
    word & 1 != 0
}

macro_rules! access {
    ($get:ident, $put:ident, $type:ty, $visit_get:ident, $visit_put:ident) => {
        #[inline(never)]
        fn $get(&self, at: Addr) -> $type {
            if in_v86() {
                return Machine.$get(at);
            }
            visit(at, 0);
            // SAFETY: see `Visit`.
            unsafe { $visit_get() }
        }
        #[inline(never)]
        fn $put(&self, at: Addr, value: $type) {
            if in_v86() {
                return put_low(at, value as u32, size_of::<$type>() as u16);
            }
            visit(at, value as u32);
            // SAFETY: see `Visit`.
            unsafe { $visit_put() }
        }
    };
}

impl Bus for Either {
    as_machine!();

    #[inline(always)]
    fn rom_call(&self, rom: &mut Rom, opcode: u16) -> u16 {
        Machine.rom_call(rom, opcode)
    }

    #[inline(always)]
    fn xms_top(&self) -> u16 {
        unsafe extern "fastcall" {
            /// asm/top.asm.
            safe fn xms_top() -> u16;
        }
        xms_top()
    }

    #[inline(always)]
    fn tell(&self, text: &str) {
        unsafe extern "fastcall" {
            /// asm/top.asm.
            safe fn tell_text(text: *const u8, bytes: u16);
        }
        tell_text(text.as_ptr(), text.len() as u16);
    }

    #[inline(always)]
    fn confined(&self) -> bool {
        in_v86()
    }

    access!(get8, put8, u8, visit_get8, visit_put8);
    access!(get16, put16, u16, visit_get16, visit_put16);
    access!(get32, put32, u32, visit_get32, visit_put32);

    fn swap16(&self, at: Addr, value: u16) -> u16 {
        let old = self.get16(at);
        self.put16(at, value);
        // The IN of `clock` is not executed before all writes are done.
        self.clock();
        old
    }

    #[inline(never)]
    fn take(&self, from: Addr, to: Far, len: u16) {
        transfer(from, to.linear(), len);
    }

    #[inline(never)]
    fn give_frame(&self, to: Addr, job: &Job) {
        transfer(job.at.linear(), to, job.len);
    }

    #[inline(never)]
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        transfer(self.far_of(from).linear(), to, len);
    }
}

/// Copies `len` bytes between any two linear addresses.
#[inline(never)]
fn transfer(from: Addr, to: Addr, len: u16) {
    if len == 0 {
    } else if in_v86() {
        copy_far(from, to, len);
    } else {
        visit(from, to.0);
        // SAFETY: see `Visit`.
        unsafe {
            visit_what.len = len;
            visit_copy();
        }
    }
}
