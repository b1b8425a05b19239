//! DOS, as far as the installer needs it.

use crate::bus::Addr;
use crate::bus::real::{address, code_segment, copy_far, linear, own};

/// Registers of a software interrupt (asm/installer.asm knows the offsets).
#[repr(C)]
pub struct Regs {
    /// AX.
    pub ax: u16,
    /// BX.
    pub bx: u16,
    /// CX.
    pub cx: u16,
    /// DX.
    pub dx: u16,
    /// SI.
    pub si: u16,
    /// DI.
    pub di: u16,
    /// DS.
    pub ds: u16,
    /// ES.
    pub es: u16,
    /// FLAGS afterwards.
    pub flags: u16,
}

static mut REGS: Regs = Regs { ax: 0, bx: 0, cx: 0, dx: 0, si: 0, di: 0, ds: 0, es: 0, flags: 0 };

/// The registers for one interrupt: AX, our own data segment, everything else zero. There is one set of them, to be
/// used up before the next is asked for.
#[inline(never)]
pub fn regs(ax: u16) -> &'static mut Regs {
    let (ds, es) = (code_segment(), code_segment());
    // SAFETY: the installer is one thread, and each caller is done with them before the next call.
    let regs = unsafe { &mut *&raw mut REGS };
    *regs = Regs { ax, bx: 0, cx: 0, dx: 0, si: 0, di: 0, ds, es, flags: 0 };
    regs
}

impl Regs {
    /// INT `number`. True when CF is clear afterwards.
    #[inline(never)]
    pub fn interrupt(&mut self, number: u8) -> bool {
        unsafe extern "fastcall" {
            fn software_interrupt(number: u32, regs: &mut Regs);
        }
        // SAFETY: the callers pass registers that DOS, the BIOS or a packet driver defines.
        unsafe { software_interrupt(number as u32, self) };
        self.flags & 1 == 0
    }

    #[inline(never)]
    fn dos(&mut self) -> Option<u16> {
        self.interrupt(0x21).then_some(self.ax)
    }
}

/// Writes a character to the console.
#[inline(never)]
pub fn put(byte: u8) {
    let regs = regs(0x0200);
    regs.dx = byte as u16;
    regs.dos();
}

/// DOS's version, major in the high byte.
pub fn version() -> u16 {
    regs(0x3000).dos().unwrap_or(0).swap_bytes()
}

/// A file that is open for reading.
pub struct File(u16);

impl File {
    /// Opens a file by the far address of its ASCIZ name.
    pub fn open(segment: u16, offset: u16) -> Option<File> {
        let regs = regs(0x3D00);
        regs.ds = segment;
        regs.dx = offset;
        regs.dos().map(File)
    }

    /// Reads exactly `len` bytes at `offset` of the file.
    #[inline(never)]
    pub fn read(&self, offset: u32, to: Addr, len: u16) -> Option<()> {
        let seek = regs(0x4200);
        seek.bx = self.0;
        seek.cx = (offset >> 16) as u16;
        seek.dx = offset as u16;
        seek.dos()?;
        let read = regs(0x3F00);
        read.bx = self.0;
        read.cx = len;
        read.ds = (to.0 >> 4) as u16;
        read.dx = to.0 as u16 & 15;
        (read.dos()? == len).then_some(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let regs = regs(0x3E00);
        regs.bx = self.0;
        regs.dos();
    }
}

/// Closes all files of the program. DOS does not do so when a program stays, and a file to which its output was
/// redirected would stay open as long as DOS runs.
pub fn close_all(psp: u16) {
    /// In the PSP: how many handles it has.
    const HANDLES: u16 = 0x32;
    for handle in 0..peek::<u16>(address(psp, HANDLES)) {
        drop(File(handle));
    }
}

/// The far address in an interrupt vector, segment in the high half.
pub fn vector(number: u8) -> u32 {
    peek(Addr(number as u32 * 4))
}

/// Sets an interrupt vector.
#[inline(never)]
pub fn set_vector(number: u8, segment: u16, offset: u16) {
    let regs = regs(0x2500 | number as u16);
    regs.ds = segment;
    regs.dx = offset;
    regs.dos();
}

/// Frees a memory block.
pub fn free(segment: u16) {
    let regs = regs(0x4900);
    regs.es = segment;
    regs.dos();
}

/// Ends the program.
pub fn exit(code: u8) -> ! {
    regs(0x4C00 | code as u16).dos();
    loop {}
}

/// Ends the program and keeps this many paragraphs from its PSP on.
pub fn stay(paragraphs: u16) -> ! {
    let regs = regs(0x3100);
    regs.dx = paragraphs;
    regs.dos();
    loop {}
}

/// Reads a value anywhere below 1 MB. `T` is plain data.
pub fn peek<T: Copy + Default>(from: Addr) -> T {
    let mut value = T::default();
    peek_into(from, &mut value);
    value
}

/// Writes a value anywhere below 1 MB.
#[inline(always)]
pub fn poke<T: Copy>(to: Addr, value: &T) {
    write(to, value as *const T as *const u8, size_of::<T>() as u16);
}

/// Reads plain data that has no default.
#[inline(always)]
pub fn peek_into<T: Copy>(from: Addr, value: &mut T) {
    read(from, value as *mut T as *mut u8, size_of::<T>() as u16);
}

#[inline(never)]
fn write(to: Addr, from: *const u8, len: u16) {
    copy_far(own(from as *mut u8), to, len);
}

#[inline(never)]
fn read(from: Addr, to: *mut u8, len: u16) {
    copy_far(from, own(to), len);
}

/// The address of a far pointer with its segment in the high half.
pub fn far(pointer: u32) -> Addr {
    linear(pointer)
}
