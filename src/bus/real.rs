//! The machine itself: ports by instructions, conventional memory by segments.

use core::arch::asm;

use super::{Addr, Bus};

/// The bus of the image.
#[derive(Clone, Copy, Default)]
pub struct Machine;

/// The address of a far pointer, its segment in the high half.
#[inline(never)]
pub fn linear(far: u32) -> Addr {
    Addr((far >> 16 << 4) + (far as u16) as u32)
}

/// The address of an offset in a segment.
#[inline(always)]
pub fn address(segment: u16, offset: u16) -> Addr {
    Addr(((segment as u32) << 4) + offset as u32)
}

/// Our code segment, which is every segment of ours.
#[inline(always)]
pub fn code_segment() -> u16 {
    let segment: u16;
    // SAFETY: reads a segment register.
    unsafe { asm!("mov {0:x}, cs", out(reg) segment, options(nomem, nostack, preserves_flags)) };
    segment
}

/// The address of something in our own segment.
#[inline(never)]
pub fn own(near: *mut u8) -> Addr {
    address(code_segment(), near as u32 as u16)
}

/// Copies `len` bytes, both places below 1 MB.
#[inline(never)]
pub fn copy_far(from: Addr, to: Addr, len: u16) {
    // SAFETY: what a client or the core named as source and room; segments, ESI and EDI are put back. LLVM cannot
    // be given ESI or EDI as operands.
    unsafe {
        asm!(
            "push ds", "push es", "push esi", "push edi",
            "mov si, ax", "and si, 15", "shr eax, 4", "mov ds, ax",
            "mov di, dx", "and di, 15", "shr edx, 4", "mov es, dx",
            "rep movsb",
            "pop edi", "pop esi", "pop es", "pop ds",
            inout("eax") from.0 => _, inout("edx") to.0 => _, inout("cx") len => _,
        )
    }
}

/// One `rep ins` or `rep outs`: the operation decides the segment register.
macro_rules! string_in {
    ($name:ident, $op:literal) => {
        #[inline(never)]
        fn $name(&self, port: u16, to: Addr, count: u16) {
            // SAFETY: the caller named the room; ES and EDI are put back.
            unsafe {
                asm!(
                    "push es", "push edi",
                    "mov di, ax", "and di, 15", "shr eax, 4", "mov es, ax",
                    $op,
                    "pop edi", "pop es",
                    inout("eax") to.0 => _, in("dx") port, inout("cx") count => _,
                )
            }
        }
    };
}

macro_rules! string_out {
    ($name:ident, $op:literal) => {
        #[inline(never)]
        fn $name(&self, port: u16, from: Addr, count: u16) {
            // SAFETY: the caller named the bytes; DS and ESI are put back.
            unsafe {
                asm!(
                    "push ds", "push esi",
                    "mov si, ax", "and si, 15", "shr eax, 4", "mov ds, ax",
                    $op,
                    "pop esi", "pop ds",
                    inout("eax") from.0 => _, in("dx") port, inout("cx") count => _,
                )
            }
        }
    };
}

macro_rules! port {
    ($read:ident, $write:ident, $type:ty, $register:tt) => {
        #[inline(always)]
        fn $read(&self, port: u16) -> $type {
            let value: $type;
            // SAFETY: a port the caller knows; reading may have effects on its card only.
            unsafe { asm!(concat!("in ", $register, ", dx"), out($register) value, in("dx") port, options(nostack, preserves_flags)) };
            value
        }
        #[inline(always)]
        fn $write(&self, port: u16, value: $type) {
            // SAFETY: a port the caller knows.
            unsafe { asm!(concat!("out dx, ", $register), in($register) value, in("dx") port, options(nostack, preserves_flags)) };
        }
    };
}

impl Bus for Machine {
    port!(in8, out8, u8, "al");
    port!(in16, out16, u16, "ax");
    port!(in32, out32, u32, "eax");
    string_in!(ins8, "rep insb");
    string_in!(ins16, "rep insw");
    string_in!(ins32, "rep insd");
    string_out!(outs8, "rep outsb");
    string_out!(outs16, "rep outsw");
    string_out!(outs32, "rep outsd");

    #[inline(never)]
    fn ins(&self, port: u16, to: Addr, len: u16) {
        // SAFETY: the caller named the room; ES and EDI are put back.
        unsafe {
            asm!(
                "push es", "push edi",
                "mov di, ax", "and di, 15", "shr eax, 4", "mov es, ax",
                "shr cx, 1", "rep insw", "jnc 2f", "insb", "2:",
                "pop edi", "pop es",
                inout("eax") to.0 => _, in("dx") port, inout("cx") len => _,
            )
        }
    }
    #[inline(never)]
    fn outs(&self, port: u16, from: Addr, len: u16) {
        // SAFETY: the caller named the bytes; DS and ESI are put back.
        unsafe {
            asm!(
                "push ds", "push esi",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov ds, ax",
                "shr cx, 1", "rep outsw", "jnc 2f", "lodsb", "mov ah, 0", "out dx, ax", "2:",
                "pop esi", "pop ds",
                inout("eax") from.0 => _, in("dx") port, inout("cx") len => _,
            )
        }
    }

    #[inline(always)]
    fn addr_of(&self, bytes: *const u8) -> Addr {
        own(bytes as *mut u8)
    }

    #[inline(never)]
    fn clock(&self) -> u16 {
        let count: u16;
        // SAFETY: latches and reads counter 0; nothing else is touched.
        unsafe {
            asm!(
                "xor al, al", "out 0x43, al", "in al, 0x40", "mov ah, al", "in al, 0x40", "xchg al, ah",
                out("ax") count, options(nomem, nostack)
            )
        }
        count
    }
}
