//! The machine itself: ports by instructions, conventional memory by segments.

use core::arch::asm;

use super::{Addr, Bus, Far};
use crate::device::Job;

/// The bus of the image.
#[derive(Clone, Copy, Default)]
pub struct Machine;

/// The address of a far pointer, its segment in the high half.
#[inline(never)]
pub fn linear(far: u32) -> Addr {
    Addr((far >> 16 << 4) + (far as u16) as u32)
}

/// The address of an offset in a segment.
#[inline(never)]
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
    Addr(((code_segment() as u32) << 4) + (near as u32 as u16) as u32)
}

/// Copies `len` bytes, both places below 1 MB.
#[inline(never)]
pub fn copy_far(from: Addr, to: Addr, len: u16) {
    // SAFETY: what a client or the core named as source and room; segments, SI and DI are put back. LLVM cannot
    // be given ESI or EDI as operands.
    unsafe {
        asm!(
            "push ds", "push es", "push si", "push di",
            "mov si, ax", "and si, 15", "shr eax, 4", "mov ds, ax",
            "mov di, dx", "and di, 15", "shr edx, 4", "mov es, dx",
            "rep movsb",
            "pop di", "pop si", "pop es", "pop ds",
            inout("eax") from.0 => _, inout("edx") to.0 => _, inout("cx") len => _,
        )
    }
}

/// The string operations on ports: asm/strings.asm, which knows where the core's job lies. There is no other.
macro_rules! strings {
    ($($name:ident: $routine:literal;)*) => { $(
        #[inline(always)]
        fn $name(&self, port: u16, _: &Job) {
            // SAFETY: a port the caller knows, and a client's frame or room for one.
            unsafe { asm!(concat!("call ", $routine), in("edx") port as u32) };
        }
    )* };
}

/// One string operation on something of the driver's own.
macro_rules! string_own {
    ($name:ident, $op:literal, $width:literal) => {
        #[inline(always)]
        fn $name(&self, port: u16, to: &mut [u8]) {
            // SAFETY: the room there is; ES is ours.
            unsafe {
                asm!($op, inout("edi") to.as_mut_ptr() => _, in("dx") port, inout("cx") to.len() as u16 / $width => _, options(nostack));
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
    strings! {
        ins: "ins_words";
        ins8: "ins_bytes";
        ins_fifo: "ins_fifo";
        outs: "outs_words";
        outs8: "outs_bytes";
        outs_fifo: "outs_fifo";
    }
    string_own!(ins32_own, "rep insd", 4);
    string_own!(ins_own, "rep insw", 2);
    string_own!(ins8_own, "rep insb", 1);

    #[inline(always)]
    fn out_each(&self, first: u16, bytes: &[u8]) {
        // SAFETY: DS is our segment.
        unsafe {
            asm!(
                "2:", "mov al, [ecx]", "out dx, al", "inc cx", "inc dx", "dec ah", "jnz 2b",
                inout("ecx") bytes.as_ptr() => _, inout("eax") (bytes.len() as u32) << 8 => _, inout("dx") first => _, options(nostack),
            )
        }
    }

    #[inline(always)]
    fn confined(&self) -> bool {
        true
    }

    // Rings change while they are looked at: each value is moved by one instruction. What lies behind it is read with it.
    fn get8(&self, at: Addr) -> u8 {
        self.get32(at) as u8
    }

    #[inline(never)]
    fn put8(&self, at: Addr, value: u8) {
        // SAFETY: a place in the driver's rings; ES and SI are put back.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                "mov es:[si], dl",
                "pop si", "pop es",
                inout("eax") at.0 => _, in("dl") value,
            )
        }
    }

    fn get16(&self, at: Addr) -> u16 {
        self.get32(at) as u16
    }

    #[inline(never)]
    fn get32(&self, at: Addr) -> u32 {
        let value;
        // SAFETY: a place in the driver's rings; ES and SI are put back.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                "mov eax, es:[si]",
                "pop si", "pop es",
                inout("eax") at.0 => value,
            )
        }
        value
    }

    #[inline(never)]
    fn put16(&self, at: Addr, value: u16) {
        // SAFETY: as above.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                "mov es:[si], dx",
                "pop si", "pop es",
                inout("eax") at.0 => _, in("dx") value,
            )
        }
    }

    #[inline(never)]
    fn put32(&self, at: Addr, value: u32) {
        // SAFETY: as above.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                "mov es:[si], edx",
                "pop si", "pop es",
                inout("eax") at.0 => _, in("edx") value,
            )
        }
    }

    #[inline(never)]
    fn swap16(&self, at: Addr, mut value: u16) -> u16 {
        // SAFETY: a place in the driver's rings; ES and SI are put back. An exchange with memory locks the bus and
        // orders what is around it.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                "xchg es:[si], dx",
                "pop si", "pop es",
                inout("eax") at.0 => _, inout("dx") value,
            )
        }
        value
    }

    #[inline(never)]
    fn take(&self, from: Addr, to: Far, len: u16) {
        // SAFETY: a place in the driver's rings and the room that a client named. tools/src/narrow makes ECX EBX.
        unsafe { asm!("call ring_to_client", inout("ecx") from.0 => _, inout("edx") to.0 => _, inout("ax") len => _) }
    }

    #[inline(never)]
    fn give(&self, from: Far, to: Addr, len: u16) {
        // SAFETY: as above, the other way.
        unsafe { asm!("call client_to_ring", inout("ecx") from.0 => _, inout("edx") to.0 => _, inout("ax") len => _) }
    }

    fn config_read(&self, place: u16, register: u8) -> u32 {
        pci_bios(PCI_READ, place, register, 0).unwrap_or_else(|| {
            self.out32(PCI_ADDRESS, PCI_ENABLE | (place as u32) << 8 | register as u32);
            self.in32(PCI_DATA)
        })
    }

    fn config_write(&self, place: u16, register: u8, value: u32) {
        if pci_bios(PCI_WRITE, place, register, value).is_none() {
            self.out32(PCI_ADDRESS, PCI_ENABLE | (place as u32) << 8 | register as u32);
            self.out32(PCI_DATA, value);
        }
    }

    #[inline(never)]
    fn far_of(&self, bytes: *const u8) -> Far {
        Far::new(code_segment(), bytes as u32 as u16)
    }

    #[inline(always)]
    fn clock(&self) -> u16 {
        unsafe extern "fastcall" {
            /// asm/clock.asm; in a driver's unit asm/service.asm.
            safe fn clock() -> u16;
        }
        clock()
    }
}

/// Configuration mechanism 1, where there is no PCI BIOS.
const PCI_ADDRESS: u16 = 0xCF8;
const PCI_DATA: u16 = 0xCFC;
const PCI_ENABLE: u32 = 1 << 31;
/// PCI BIOS functions (PCI BIOS Specification 2.1, sections 3.5.3 and 3.5.6).
const PCI_READ: u16 = 0xB10A;
const PCI_WRITE: u16 = 0xB10D;

/// What asm/pci.asm works on.
#[repr(C)]
struct PciCall {
    value: u32,
    function: u16,
    place: u16,
    register: u16,
}

/// INT 1Ah: the register's value, or None when the BIOS knows no PCI.
#[inline(never)]
fn pci_bios(function: u16, place: u16, register: u8, value: u32) -> Option<u32> {
    unsafe extern "fastcall" {
        fn pci_bios(call: &mut PciCall) -> bool;
    }
    let mut call = PciCall { value, function, place, register: register as u16 };
    // SAFETY: a BIOS call that reads or writes the configuration of a card that the probe looks at.
    unsafe { pci_bios(&mut call) }.then_some(call.value)
}
