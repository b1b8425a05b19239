//! The Rust side of asm/abi.inc.

use core::mem::offset_of;

/// The caller's registers, as `save` leaves them on our stack.
#[repr(C)]
pub struct Frame {
    /// EDI.
    pub di: u16,
    edi_high: u16,
    /// ESI.
    pub si: u16,
    esi_high: u16,
    ebp: u32,
    esp: u32,
    /// EBX.
    pub bx: u16,
    ebx_high: u16,
    /// EDX.
    pub dx: u16,
    edx_high: u16,
    /// ECX.
    pub cx: u16,
    ecx_high: u16,
    /// EAX.
    pub ax: u16,
    eax_high: u16,
    /// DS.
    pub ds: u16,
    /// ES.
    pub es: u16,
    fs: u16,
    gs: u16,
    sp: u32,
    ss: u16,
}

const _: () = assert!(offset_of!(Frame, bx) == 16 && offset_of!(Frame, ax) == 28 && offset_of!(Frame, ds) == 32);
const _: () = assert!(offset_of!(Frame, es) == 34 && offset_of!(Frame, sp) == 40 && offset_of!(Frame, ss) == 44);

/// A call to a client's receiver.
#[derive(Default)]
#[repr(C)]
pub struct Upcall {
    /// DI.
    pub di: u16,
    /// SI.
    pub si: u16,
    /// BX.
    pub bx: u16,
    /// DX.
    pub dx: u16,
    /// CX.
    pub cx: u16,
    /// AX.
    pub ax: u16,
    /// DS.
    pub ds: u16,
    /// ES.
    pub es: u16,
    /// Far address to call, segment in the high half.
    pub receiver: u32,
}

const _: () = assert!(offset_of!(Upcall, cx) == 8 && offset_of!(Upcall, es) == 14 && offset_of!(Upcall, receiver) == 16);

unsafe extern "fastcall" {
    /// asm/upcall.asm.
    ///
    /// # Safety
    /// `receiver` is a client's code; no borrow of what a client may change through INT 60h is alive.
    pub unsafe fn upcall(call: &mut Upcall);
}
