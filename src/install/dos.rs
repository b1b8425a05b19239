//! DOS and other software interrupts, for the kernel and for stages.

use core::arch::asm;

use super::kernel::{caller, kernel};
use super::plan::XmsBlock;
use crate::bus::Addr;
use crate::bus::real::{address, copy_far, linear, own};
use crate::resident::table::Region;

/// Registers of a software interrupt (asm/kernel.asm knows the offsets).
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

/// The registers for one interrupt: AX, our own data segment, everything else zero. There is one set of them, to be
/// used up before the next is asked for.
#[inline(never)]
pub fn regs(ax: u16) -> &'static mut Regs {
    // SAFETY: the installer is one thread, and each caller is done with them before the next call.
    unsafe { &mut *((kernel().regs)(ax) as u32 as *mut Regs) }
}

impl Regs {
    /// INT `number`. True when CF is clear afterwards.
    #[inline(always)]
    pub fn interrupt(&mut self, number: u8) -> bool {
        (kernel().interrupt)(self, number)
    }
}

/// Writes a character to the console.
#[inline(always)]
pub fn put(byte: u8) {
    (kernel().put)(byte);
}

/// A far call and its registers (asm/kernel.asm knows the offsets).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Call {
    /// Segment in the high half.
    pub entry: u32,
    /// AX.
    pub ax: u16,
    /// BX.
    pub bx: u16,
    /// DX.
    pub dx: u16,
}

/// A far call with these registers; those that it leaves.
#[inline(never)]
pub fn far_call(entry: u32, ax: u16, bx: u16, dx: u16) -> Call {
    let mut call = Call { entry, ax, bx, dx };
    (kernel().far_call)(&mut call);
    call
}

/// XMS 2.0 functions.
const XMS_FREE: u16 = 0x0A00;
const XMS_UNLOCK: u16 = 0x0D00;

impl XmsBlock {
    /// Gives it back.
    #[inline(never)]
    pub fn free(&self) {
        if self.handle != 0 {
            // What is not locked stays so.
            far_call(self.entry, XMS_UNLOCK, 0, self.handle);
            far_call(self.entry, XMS_FREE, 0, self.handle);
        }
    }
}

const VDS_UNLOCK: u16 = 0x8104;

impl Region {
    /// Unlocks it.
    pub fn unlock(&mut self) {
        let regs = regs(VDS_UNLOCK);
        regs.di = self as *mut Region as u32 as u16;
        regs.interrupt(0x4B);
    }
}

/// Did DOS load us by DEVICE=?
pub fn from_device() -> bool {
    caller().psp == 0
}

/// The INIT request of DEVICE=.
pub fn request() -> Addr {
    address(caller().request_segment, caller().request_offset)
}

/// The segment behind the last that is ours.
pub fn memory_end() -> u32 {
    if !from_device() {
        return peek::<u16>(address(caller().psp, 2)) as u32;
    }
    // Before version 5 DOS left this field as it was.
    if version() >= 0x0500 {
        let end = peek::<u32>(request().plus(0x0E));
        return (end >> 16) + ((end & 0xFFFF) >> 4);
    }
    // The BIOS's count of kilobytes.
    (peek::<u16>(Addr(0x413)) as u32) << 6
}

/// DOS's version, major in the high byte.
pub fn version() -> u16 {
    let regs = regs(0x3000);
    regs.interrupt(0x21);
    regs.ax.swap_bytes()
}

/// The far address in an interrupt vector, segment in the high half.
pub fn vector(number: u8) -> u32 {
    peek(Addr(number as u32 * 4))
}

/// Ends the program.
pub fn exit(code: u8) -> ! {
    regs(0x4C00 | code as u16).interrupt(0x21);
    loop {}
}

/// Runs steps that no interrupt may find half done: [`poke`] writes byte by byte. A vector, a link between handlers, and what a
/// resident copy reads in its handlers are written in this way. The steps must be called with interrupts on.
#[inline(always)]
pub fn uninterrupted<T>(steps: impl FnOnce() -> T) -> T {
    // SAFETY: interrupts are on again behind the steps, as before them.
    unsafe { asm!("cli") };
    let result = steps();
    // SAFETY: see above.
    unsafe { asm!("sti") };
    result
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

/// Fills memory below 1 MB.
#[inline(never)]
pub fn fill(at: Addr, byte: u8, len: u16) {
    for offset in 0..len {
        poke(at.plus(offset), &byte);
    }
}

/// The address of a far pointer with its segment in the high half.
pub fn far(pointer: u32) -> Addr {
    linear(pointer)
}

/// What the kernel's entries of the table do.
pub mod own_entries {
    use super::{Regs, poke};
    use crate::bus::real::code_segment;
    use crate::install::kernel::run::plan;
    use crate::install::plan::TEXT;

    static mut REGS: Regs = Regs { ax: 0, bx: 0, cx: 0, dx: 0, si: 0, di: 0, ds: 0, es: 0, flags: 0 };

    /// [`super::regs`].
    pub extern "fastcall" fn regs(ax: u16) -> u16 {
        let (ds, es) = (code_segment(), code_segment());
        // SAFETY: see there.
        unsafe { REGS = Regs { ax, bx: 0, cx: 0, dx: 0, si: 0, di: 0, ds, es, flags: 0 } };
        &raw mut REGS as u32 as u16
    }

    /// [`Regs::interrupt`].
    pub extern "fastcall" fn interrupt(regs: *mut Regs, number: u8) -> bool {
        unsafe extern "fastcall" {
            fn software_interrupt(number: u32, regs: *mut Regs);
        }
        // SAFETY: the callers pass registers that DOS, the BIOS or a packet driver defines.
        unsafe {
            software_interrupt(number as u32, regs);
            (*regs).flags & 1 == 0
        }
    }

    /// [`super::put`].
    pub extern "fastcall" fn put(byte: u8) {
        // SAFETY: the installer is one thread.
        let text = unsafe { &mut (*plan()).old.text };
        if text.0 != 0 {
            poke(*text, &byte);
            // The last byte of the text is overwritten.
            text.0 += (text.0 % TEXT != TEXT - 1) as u32;
            return;
        }
        let regs = super::regs(0x0200);
        regs.dx = byte as u16;
        regs.interrupt(0x21);
    }
}
