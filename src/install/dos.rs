//! DOS, as far as the installer needs it.

use crate::bus::Addr;
use crate::bus::real::{code_segment, copy_far, address, own};

/// Registers of a software interrupt (asm/installer.asm knows the offsets).
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Regs {
    /// EAX.
    pub ax: u32,
    /// EBX.
    pub bx: u32,
    /// ECX.
    pub cx: u32,
    /// EDX.
    pub dx: u32,
    /// ESI.
    pub si: u32,
    /// EDI.
    pub di: u32,
    /// DS.
    pub ds: u16,
    /// ES.
    pub es: u16,
    /// FLAGS afterwards.
    pub flags: u16,
}

impl Regs {
    /// With our own data segment, everything else zero.
    pub fn new(ax: u16) -> Regs {
        Regs { ax: ax as u32, ds: code_segment(), es: code_segment(), ..Regs::default() }
    }

    /// CF afterwards.
    pub fn carry(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// INT `number`.
pub fn interrupt(number: u8, regs: &mut Regs) {
    unsafe extern "fastcall" {
        fn software_interrupt(number: u32, regs: &mut Regs);
    }
    // SAFETY: the callers below pass registers that DOS, the BIOS or a packet driver defines.
    unsafe { software_interrupt(number as u32, regs) }
}

fn dos(regs: &mut Regs) -> Option<u16> {
    interrupt(0x21, regs);
    (!regs.carry()).then_some(regs.ax as u16)
}

/// Writes a character to the console.
pub fn put(byte: u8) {
    dos(&mut Regs { dx: byte as u32, ..Regs::new(0x0200) });
}

/// DOS's version, major in the high byte.
pub fn version() -> u16 {
    (dos(&mut Regs::new(0x3000)).unwrap_or(0)).swap_bytes()
}

/// A file that is open for reading.
pub struct File(u16);

impl File {
    /// Opens a file by the far address of its ASCIZ name.
    pub fn open(segment: u16, offset: u16) -> Option<File> {
        dos(&mut Regs { ds: segment, dx: offset as u32, ..Regs::new(0x3D00) }).map(File)
    }

    /// Reads exactly `len` bytes at `offset` of the file to `segment`:0 and on.
    pub fn read(&self, offset: u32, to: Addr, len: u16) -> Option<()> {
        dos(&mut Regs { bx: self.0 as u32, cx: offset >> 16, dx: offset & 0xFFFF, ..Regs::new(0x4200) })?;
        let (segment, at) = ((to.0 >> 4) as u16, to.0 & 15);
        let got = dos(&mut Regs { bx: self.0 as u32, cx: len as u32, dx: at, ds: segment, ..Regs::new(0x3F00) })?;
        (got == len).then_some(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        dos(&mut Regs { bx: self.0 as u32, ..Regs::new(0x3E00) });
    }
}

/// The far address in an interrupt vector, segment in the high half.
pub fn vector(number: u8) -> u32 {
    peek(Addr(number as u32 * 4))
}

/// Sets an interrupt vector.
pub fn set_vector(number: u8, segment: u16, offset: u16) {
    dos(&mut Regs { ds: segment, dx: offset as u32, ..Regs::new(0x2500 | number as u16) });
}

/// Frees a memory block.
pub fn free(segment: u16) {
    dos(&mut Regs { es: segment, ..Regs::new(0x4900) });
}

/// Ends the program.
pub fn exit(code: u8) -> ! {
    dos(&mut Regs::new(0x4C00 | code as u16));
    loop {}
}

/// Ends the program and keeps this many paragraphs from its PSP on.
pub fn stay(paragraphs: u16) -> ! {
    dos(&mut Regs { dx: paragraphs as u32, ..Regs::new(0x3100) });
    loop {}
}

/// Reads a value anywhere below 1 MB. `T` is plain data.
pub fn peek<T: Copy + Default>(from: Addr) -> T {
    let mut value = T::default();
    copy_far(from, own(&raw mut value as *mut u8), size_of::<T>() as u16);
    value
}

/// Writes a value anywhere below 1 MB.
pub fn poke<T: Copy>(to: Addr, value: &T) {
    copy_far(own(value as *const T as *mut u8), to, size_of::<T>() as u16);
}

/// Reads plain data that has no default.
pub fn peek_into<T: Copy>(from: Addr, value: &mut T) {
    copy_far(from, own(value as *mut T as *mut u8), size_of::<T>() as u16);
}

/// The address of a far pointer with its segment in the high half.
pub fn far(pointer: u32) -> Addr {
    address((pointer >> 16) as u16, pointer as u16)
}
