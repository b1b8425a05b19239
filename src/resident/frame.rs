//! The Rust side of asm/abi.inc.

use core::mem::offset_of;

/// A far address as it lies in memory: the segment in the high half.
pub type Far = u32;

/// The caller's registers, as `save` leaves them on our stack.
#[repr(C)]
pub struct Frame {
    /// DI.
    pub di: u16,
    /// ES.
    pub es: u16,
    /// SI.
    pub si: u16,
    /// DS.
    pub ds: u16,
    /// BX.
    pub bx: u16,
    ebx_high: u16,
    /// DX.
    pub dx: u16,
    edx_high: u16,
    /// CX.
    pub cx: u16,
    ecx_high: u16,
    /// AX.
    pub ax: u16,
    eax_high: u16,
    fs: u16,
    gs: u16,
    sp: u16,
    sp_high: u16,
    ss: u16,
}

const _: () = assert!(offset_of!(Frame, di) == 0 && offset_of!(Frame, si) == 4 && offset_of!(Frame, bx) == 8);
const _: () = assert!(offset_of!(Frame, ax) == 20 && offset_of!(Frame, sp) == 28 && offset_of!(Frame, ss) == 32);

impl Frame {
    /// ES:DI.
    #[inline(always)]
    pub fn es_di(&self) -> Far {
        // SAFETY: DI and ES lie side by side.
        unsafe { (&raw const self.di as *const Far).read_unaligned() }
    }

    /// DS:SI.
    #[inline(always)]
    pub fn ds_si(&self) -> Far {
        // SAFETY: SI and DS lie side by side.
        unsafe { (&raw const self.si as *const Far).read_unaligned() }
    }
}

/// A client's receiver and its registers.
#[repr(C)]
pub struct Upcall {
    /// ES:DI.
    pub es_di: Far,
    /// DS:SI.
    pub ds_si: Far,
    /// BX.
    pub bx: u16,
    /// DX.
    pub dx: u16,
    /// CX.
    pub cx: u16,
    /// AX.
    pub ax: u16,
    /// What to call.
    pub receiver: Far,
}

const _: () = assert!(offset_of!(Upcall, cx) == 12 && offset_of!(Upcall, receiver) == 16);

unsafe extern "fastcall" {
    /// asm/upcall.asm: calls what `call_frame` says, and leaves its answer there.
    ///
    /// # Safety
    /// `receiver` is a client's code; no borrow of what a client may change through INT 60h is alive.
    pub unsafe fn upcall();
}
