//! The machine without flat memory: ports by instructions, memory below 1 MB by segments. Also what every bus of the
//! machine shares: the clock and PCI configuration.

use core::arch::asm;
use core::mem::offset_of;

use super::{Addr, Bus, Far};
use crate::device::Job;
use crate::drivers::undi::Rom;
use crate::resident::table::State;

/// The bus of units that reach nothing above 1 MB.
#[derive(Clone, Copy, Default)]
pub struct Machine;

/// The linear address of a far pointer, whose segment is in the high half.
#[inline(never)]
pub fn linear(far: u32) -> Addr {
    Addr((far >> 16 << 4) + (far as u16) as u32)
}

/// The linear address of an offset in a segment.
#[inline(never)]
pub fn address(segment: u16, offset: u16) -> Addr {
    Addr(((segment as u32) << 4) + offset as u32)
}

/// The driver's segment: CS, to which the other segment registers are equal.
#[inline(always)]
pub fn code_segment() -> u16 {
    let segment: u16;
    // SAFETY: reads a segment register.
    unsafe { asm!("mov {0:x}, cs", out(reg) segment, options(nomem, nostack, preserves_flags)) };
    segment
}

/// The linear address of something in the driver's segment.
#[inline(never)]
pub fn own(near: *mut u8) -> Addr {
    Addr(((code_segment() as u32) << 4) + (near as u32 as u16) as u32)
}

/// Copies `len` bytes; both addresses are below 1 MB.
#[inline(never)]
pub fn copy_far(from: Addr, to: Addr, len: u16) {
    // SAFETY: a client or the core gives both addresses; the segments, SI and DI are restored. PUSH and POP, because
    // LLVM does not accept ESI or EDI as operands.
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

/// One access to conventional memory at ES:SI, which are restored. EAX is the address.
macro_rules! conventional {
    ($access:literal, $($operand:tt)*) => {
        // SAFETY: an address in the driver's rings.
        unsafe {
            asm!(
                "push es", "push si",
                "mov si, ax", "and si, 15", "shr eax, 4", "mov es, ax",
                $access,
                "pop si", "pop es",
                $($operand)*
            )
        }
    };
}

/// Sets bits of a byte by one instruction: no interrupt comes in between.
#[inline(never)]
pub fn set_bits(at: Addr, bits: u8) {
    conventional!("or es:[si], dl", inout("eax") at.0 => _, in("dl") bits);
}

/// The string operations on ports, in asm/strings.asm. They read the core's job at its place: `job` is that one, as
/// [`super::Bus::ins`] asks, and passing its address would take instructions that say nothing new.
macro_rules! strings {
    ($($name:ident: $routine:literal;)*) => { $(
        #[inline(always)]
        fn $name(&self, port: u16, _job: &Job) {
            // SAFETY: the driver gives a port of its card; the core's job is a client's frame or buffer.
            unsafe { asm!(concat!("call ", $routine), in("edx") port as u32) };
        }
    )* };
}

/// A string operation that reads from a port into the driver's own memory.
macro_rules! string_own {
    ($name:ident, $op:literal, $width:literal) => {
        #[inline(always)]
        fn $name(&self, port: u16, to: &mut [u8]) {
            // SAFETY: as many bytes as the slice has; ES is the driver's segment.
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
            // SAFETY: the driver gives a port; reading it affects the port's card only.
            unsafe { asm!(concat!("in ", $register, ", dx"), out($register) value, in("dx") port, options(nostack, preserves_flags)) };
            value
        }
        #[inline(always)]
        fn $write(&self, port: u16, value: $type) {
            // SAFETY: as above.
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
        // SAFETY: DS is the driver's segment.
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

    // The device changes rings while the driver reads them: one instruction moves each value. 8 and 16 bits are read as 32:
    // the bytes behind them are ignored.
    fn get8(&self, at: Addr) -> u8 {
        self.get32(at) as u8
    }

    #[inline(never)]
    fn put8(&self, at: Addr, value: u8) {
        conventional!("mov es:[si], dl", inout("eax") at.0 => _, in("dl") value);
    }

    fn get16(&self, at: Addr) -> u16 {
        self.get32(at) as u16
    }

    #[inline(never)]
    fn get32(&self, at: Addr) -> u32 {
        let value;
        conventional!("mov eax, es:[si]", inout("eax") at.0 => value);
        value
    }

    #[inline(never)]
    fn put16(&self, at: Addr, value: u16) {
        conventional!("mov es:[si], dx", inout("eax") at.0 => _, in("dx") value);
    }

    #[inline(never)]
    fn put32(&self, at: Addr, value: u32) {
        conventional!("mov es:[si], edx", inout("eax") at.0 => _, in("edx") value);
    }

    #[inline(never)]
    fn swap16(&self, at: Addr, mut value: u16) -> u16 {
        // XCHG with memory locks the bus and orders the accesses around it.
        conventional!("xchg es:[si], dx", inout("eax") at.0 => _, inout("dx") value);
        value
    }

    #[inline(never)]
    fn take(&self, from: Addr, to: Far, len: u16) {
        // SAFETY: an address in the driver's rings, and a client's buffer. tools/src/narrow turns ECX into EBX.
        unsafe { asm!("call ring_to_client", inout("ecx") from.0 => _, inout("edx") to.0 => _, inout("ax") len => _) }
    }

    #[inline(always)]
    fn give_frame(&self, to: Addr, job: &Job) {
        give(job.at, to, job.len);
    }

    #[inline(always)]
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        give(self.far_of(from), to, len);
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
            /// asm/clock.asm; in a driver's unit asm/service.asm, which jumps there.
            safe fn clock() -> u16;
        }
        clock()
    }

    #[inline(always)]
    fn rom_call(&self, rom: &mut Rom, opcode: u16) -> u16 {
        unsafe extern "fastcall" {
            /// asm/rom.asm.
            fn rom_call(rom: &mut Rom, opcode: u16) -> u16;
        }
        // SAFETY: it keeps all registers. What the ROM does is its own affair; its memory is the driver's.
        unsafe { rom_call(rom, opcode) }
    }

    #[inline(always)]
    fn keep_memory(&self) {
        // SAFETY: a field of the core's that `terminate` reads behind this.
        unsafe { asm!("and word ptr [core_state + {}], 0", const offset_of!(State, memory), options(nostack)) };
    }
}

/// Copies to a ring.
#[inline(never)]
fn give(from: Far, to: Addr, len: u16) {
    // SAFETY: a client's frame or the driver's own memory, and an address in the driver's rings.
    unsafe { asm!("call client_to_ring", inout("ecx") from.0 => _, inout("edx") to.0 => _, inout("ax") len => _) }
}

// Configuration mechanism 1, used where there is no PCI BIOS.
const PCI_ADDRESS: u16 = 0xCF8;
const PCI_DATA: u16 = 0xCFC;
const PCI_ENABLE: u32 = 1 << 31;
// Functions of the PCI BIOS (PCI BIOS Specification 2.1, sections 3.5.3 and 3.5.6).
const PCI_READ: u16 = 0xB10A;
const PCI_WRITE: u16 = 0xB10D;

/// The structure that asm/pci.asm reads and writes.
#[repr(C)]
struct PciCall {
    value: u32,
    function: u16,
    place: u16,
    register: u16,
}

/// INT 1Ah: the register's value; None when there is no PCI BIOS.
#[inline(never)]
fn pci_bios(function: u16, place: u16, register: u8, value: u32) -> Option<u32> {
    unsafe extern "fastcall" {
        fn pci_bios(call: &mut PciCall) -> bool;
    }
    let mut call = PciCall { value, function, place, register: register as u16 };
    // SAFETY: a BIOS call that reads or writes the configuration of a card that the probe looks at.
    unsafe { pci_bios(&mut call) }.then_some(call.value)
}
