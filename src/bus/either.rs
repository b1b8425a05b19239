//! The bus of probes: flat memory in real mode, conventional memory in V86 mode, found out at each access.

use core::arch::asm;

use super::real::Machine;
use super::{Addr, Bus};

/// The bus of probes. A device made on it has the layout of one on [`Machine`] or [`super::flat::Flat`].
#[derive(Clone, Copy, Default)]
pub struct Either;

unsafe extern "fastcall" {
    // asm/visit.asm. The addresses are of rings and registers that the installer and the card's configuration gave.
    fn visit_get(at: u32) -> u32;
    fn visit_get8(at: u32) -> u32;
    fn visit_get16(at: u32) -> u32;
    fn visit_put8(at: u32, value: u32);
    fn visit_put16(at: u32, value: u32);
    fn visit_put32(at: u32, value: u32);
    fn visit_copy(from: u32, to: u32, len: u32);
}

/// PE set under DOS means V86 mode.
#[inline(never)]
pub fn in_v86() -> bool {
    let word: u16;
    // SAFETY: reads the machine status word.
    unsafe { asm!("smsw {0:x}", out(reg) word, options(nomem, nostack)) };
    word & 1 != 0
}

macro_rules! ports {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => { $(
        #[inline(always)]
        fn $name(&self, $($argument: $type),*) $(-> $result)? {
            Machine.$name($($argument),*)
        }
    )* };
}

impl Bus for Either {
    ports! {
        in8(port: u16) -> u8;
        in16(port: u16) -> u16;
        in32(port: u16) -> u32;
        out8(port: u16, value: u8);
        out16(port: u16, value: u16);
        out32(port: u16, value: u32);
        ins8(port: u16, to: Addr, count: u16);
        ins16(port: u16, to: Addr, count: u16);
        ins32(port: u16, to: Addr, count: u16);
        outs8(port: u16, from: Addr, count: u16);
        outs16(port: u16, from: Addr, count: u16);
        outs32(port: u16, from: Addr, count: u16);
        ins(port: u16, to: Addr, len: u16);
        outs(port: u16, from: Addr, len: u16);
        config_read(place: u16, register: u8) -> u32;
        config_write(place: u16, register: u8, value: u32);
        addr_of(bytes: *const u8) -> Addr;
        clock() -> u16;
    }

    #[inline(always)]
    fn confined(&self) -> bool {
        in_v86()
    }

    #[inline(never)]
    fn get8(&self, at: Addr) -> u8 {
        // SAFETY: see the declarations.
        if in_v86() { Machine.get8(at) } else { unsafe { visit_get8(at.0) as u8 } }
    }

    #[inline(never)]
    fn put8(&self, at: Addr, value: u8) {
        // SAFETY: see the declarations.
        if in_v86() { Machine.put8(at, value) } else { unsafe { visit_put8(at.0, value as u32) } }
    }

    #[inline(never)]
    fn get16(&self, at: Addr) -> u16 {
        // SAFETY: see the declarations.
        if in_v86() { Machine.get16(at) } else { unsafe { visit_get16(at.0) as u16 } }
    }

    #[inline(never)]
    fn get32(&self, at: Addr) -> u32 {
        // SAFETY: see the declarations.
        if in_v86() { Machine.get32(at) } else { unsafe { visit_get(at.0) } }
    }

    #[inline(never)]
    fn put16(&self, at: Addr, value: u16) {
        // SAFETY: see the declarations.
        if in_v86() { Machine.put16(at, value) } else { unsafe { visit_put16(at.0, value as u32) } }
    }

    #[inline(never)]
    fn put32(&self, at: Addr, value: u32) {
        // SAFETY: see the declarations.
        if in_v86() { Machine.put32(at, value) } else { unsafe { visit_put32(at.0, value) } }
    }

    #[inline(never)]
    fn transfer(&self, from: Addr, to: Addr, len: u16) {
        if len == 0 {
        } else if in_v86() {
            Machine.transfer(from, to, len);
        } else {
            // SAFETY: see the declarations.
            unsafe { visit_copy(from.0, to.0, len as u32) };
        }
    }
}
