//! The machine with flat memory, in real mode: for drivers with rings in XMS or registers above 1 MB.
//!
//! It needs the flat feature (asm/flat.inc), which leaves FS = 0 at every entry, and at a fault beyond a limit of 64 KB gives
//! DS, ES and FS limits of 4 GB. It does not work in V86 mode. "Flat" below means that an access is as good as unlimited.

use core::arch::asm;

use super::ports::as_machine;
use super::{Addr, Bus, Far};
use crate::device::{Head, Job, LOOKAHEAD};

/// The bus of drivers whose rings or registers lie above 1 MB.
#[derive(Clone, Copy, Default)]
pub struct Flat;

macro_rules! flat {
    ($read:ident, $write:ident, $type:ty, $modifier:literal) => {
        #[inline(always)]
        fn $read(&self, at: Addr) -> $type {
            let value: $type;
            // SAFETY: an address of the driver's rings or of its card's registers; FS is flat.
            unsafe { asm!(concat!("mov {1:", $modifier, "}, fs:[{0:e}]"), in(reg) at.0, out(reg) value, options(nostack, preserves_flags)) };
            value
        }
        #[inline(always)]
        fn $write(&self, at: Addr, value: $type) {
            // SAFETY: as above.
            unsafe { asm!(concat!("mov fs:[{0:e}], {1:", $modifier, "}"), in(reg) at.0, in(reg) value, options(nostack, preserves_flags)) };
        }
    };
}

impl Bus for Flat {
    as_machine!();
    #[inline(always)]
    fn get8(&self, at: Addr) -> u8 {
        let value: u8;
        // SAFETY: an address of the driver's rings or of its card's registers; FS is flat.
        unsafe { asm!("mov {1}, fs:[{0:e}]", in(reg) at.0, out(reg_byte) value, options(nostack, preserves_flags)) };
        value
    }

    #[inline(always)]
    fn put8(&self, at: Addr, value: u8) {
        // SAFETY: as above.
        unsafe { asm!("mov fs:[{0:e}], {1}", in(reg) at.0, in(reg_byte) value, options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn swap16(&self, at: Addr, mut value: u16) -> u16 {
        // SAFETY: as above. XCHG with memory locks the bus and orders the accesses around it.
        unsafe { asm!("xchg fs:[{0:e}], {1:x}", in(reg) at.0, inout(reg) value, options(nostack, preserves_flags)) };
        value
    }

    #[inline(always)]
    fn get32_at<const OFFSET: u16>(&self, base: Addr) -> u32 {
        let value: u32;
        // SAFETY: as above.
        unsafe { asm!("mov {1:e}, fs:[{0:e} + {2}]", in(reg) base.0, out(reg) value, const OFFSET, options(nostack, preserves_flags)) };
        value
    }

    flat!(get16, put16, u16, "x");
    flat!(get32, put32, u32, "e");

    #[inline(always)]
    fn take(&self, from: Addr, to: Far, len: u16) {
        // SAFETY: the driver gives an address in its ring and a client's buffer. tools/src/narrow turns ECX into EBX.
        unsafe { asm!("call flat_take", inout("ecx") from.0 => _, inout("edx") to.0 => _, inout("ax") len => _) }
    }

    #[inline(always)]
    fn take_head(&self, from: Addr, head: &mut Head) {
        // SAFETY: the driver gives an address in its ring; ESI is restored. FS is flat, ES is the driver's segment, and
        // every segment has a flat limit.
        unsafe {
            asm!(
                "push esi", "mov esi, eax", "rep movs dword ptr es:[edi], dword ptr fs:[esi]", "pop esi",
                in("eax") from.0, inout("edi") head.as_mut_ptr() => _, inout("ecx") LOOKAHEAD as u32 / 4 => _,
            )
        }
    }

    #[inline(always)]
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        // SAFETY: the driver gives an address in its ring and one of its own memory, in DS; ES and ESI are restored.
        unsafe {
            asm!(
                "push es", "push fs", "pop es", "push esi", "mov esi, eax", "rep movs byte ptr es:[edi], byte ptr [esi]", "pop esi", "pop es",
                in("eax") from as u32, inout("edi") to.0 => _, inout("ecx") len as u32 => _,
            )
        }
    }

    #[inline(always)]
    fn take_frame(&self, from: Addr, _job: &Job) {
        // SAFETY: the driver gives an address in its ring; the job is the core's.
        unsafe { asm!("call flat_take_frame", inout("ecx") from.0 => _, out("edx") _, out("eax") _) }
    }

    #[inline(always)]
    fn give_frame(&self, to: Addr, _job: &Job) {
        // SAFETY: as above, in the other direction.
        unsafe { asm!("call flat_give_frame", inout("ecx") to.0 => _, out("edx") _, out("eax") _) }
    }
}
