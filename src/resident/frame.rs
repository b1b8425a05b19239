//! The Rust side of asm/abi.inc: the caller's registers, and the routines of asm/.

use crate::bus::Far;
#[cfg(target_os = "none")]
use crate::device::Job;

/// The caller's registers, as `save` leaves them on our stack.
#[derive(Default)]
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
    /// SP.
    pub sp: u16,
    sp_high: u16,
    /// SS.
    pub ss: u16,
}

impl Frame {
    /// Puts our segment in DS.
    #[cfg(target_os = "none")]
    #[inline(always)]
    pub fn set_ds(&mut self) {
        // SAFETY: a field of ours.
        unsafe { core::arch::asm!("mov word ptr [{:e} + {}], cs", in(reg) self, const core::mem::offset_of!(Frame, ds), options(nostack, preserves_flags)) };
    }

    /// Puts our segment in ES.
    #[cfg(target_os = "none")]
    #[inline(always)]
    pub fn set_es(&mut self) {
        // SAFETY: a field of ours.
        unsafe { core::arch::asm!("mov word ptr [{:e} + {}], cs", in(reg) self, const core::mem::offset_of!(Frame, es), options(nostack, preserves_flags)) };
    }

    /// ES:DI.
    #[inline(always)]
    pub fn es_di(&self) -> Far {
        // SAFETY: DI and ES lie side by side.
        unsafe { (&raw const self.di as *const Far).read_unaligned() }
    }
}

/// Upcalls: AX in the low byte, and more. An offer has the lookahead in DS:SI, and DI = 0: no error; what its receiver
/// leaves in ES:DI and CX comes to the job's `at` and `len`, which all others get.
pub const OFFER: u16 = 0;
/// The frame is in the buffer, DS:SI.
pub const TAKEN: u16 = 1;
/// A frame is sent: ES:DI is the buffer or the IOCB.
pub const SENT: u16 = 0x100;

#[cfg(target_os = "none")]
unsafe extern "fastcall" {
    /// asm/upcall.asm: calls the far address at `receiver`: [`OFFER`], [`TAKEN`] or [`SENT`]. Not 0 when it leaves
    /// ES:DI other than 0:0.
    ///
    /// # Safety
    /// It is a client's code; no borrow of what a client may change through INT 60h is alive.
    pub unsafe fn upcall(receiver: *const Far, what: u16) -> u16;

    /// asm/transfer.asm: copies `frame.cx` bytes from the caller's DS:SI.
    ///
    /// # Safety
    /// There is room for them.
    pub unsafe fn fetch_ds_si(frame: &Frame, to: *mut u8);

    /// asm/transfer.asm: copies `frame.cx` bytes from the caller's ES:DI.
    ///
    /// # Safety
    /// There is room for them.
    pub unsafe fn fetch_es_di(frame: &Frame, to: *mut u8);

    /// asm/transfer.asm: where the caller's frame is (DS:SI) and how long, into the job.
    pub safe fn fetch_frame(frame: &Frame);

    /// asm/transfer.asm: copies an IOCB from the caller's ES:DI.
    pub safe fn fetch_iocb(frame: &Frame, to: *mut Job);

    /// asm/transfer.asm: copies the NIC's address to the caller's ES:DI.
    pub safe fn store_address(frame: &Frame);

    /// asm/transfer.asm: marks the IOCB at the caller's ES:DI as done, with the job's error.
    pub safe fn store_result(frame: &Frame);
}
