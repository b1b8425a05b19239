//! The Rust side of asm/abi.inc: the caller's registers, and declarations of the routines in asm/.

use crate::bus::Far;
#[cfg(target_os = "none")]
use crate::device::Job;

/// The caller's registers, which `save` in asm/int60.asm puts on the driver's stack.
#[derive(Default)]
#[repr(C)]
pub struct Frame {
    /// ES.
    pub es: u16,
    /// SI as it was at the entry, for LDS.
    pub old_si: u16,
    /// DS.
    pub ds: u16,
    /// DI.
    pub di: u16,
    edi_high: u16,
    /// SI.
    pub si: u16,
    esi_high: u16,
    ebp: [u16; 2],
    fs: [u16; 2],
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
    /// SP.
    pub sp: u16,
    sp_high: u16,
    /// SS.
    pub ss: u16,
}

impl Frame {
    /// Puts the driver's segment in DS.
    #[cfg(target_os = "none")]
    #[inline(always)]
    pub fn set_ds(&mut self) {
        // SAFETY: writes a field of `self`.
        unsafe { core::arch::asm!("mov word ptr [{:e} + {}], cs", in(reg) self, const core::mem::offset_of!(Frame, ds), options(nostack, preserves_flags)) };
    }

    /// Puts the driver's segment in ES.
    #[cfg(target_os = "none")]
    #[inline(always)]
    pub fn set_es(&mut self) {
        // SAFETY: writes a field of `self`.
        unsafe { core::arch::asm!("mov word ptr [{:e} + {}], cs", in(reg) self, const core::mem::offset_of!(Frame, es), options(nostack, preserves_flags)) };
    }

    /// ES:DI as a far address.
    #[inline(always)]
    pub fn es_di(&self) -> Far {
        Far::new(self.es, self.di)
    }

    /// Stores ES:DI as a far pointer. By halves and volatile: rustc would first join them in a register.
    ///
    /// # Safety
    /// `to` is valid for writes.
    #[inline(always)]
    pub unsafe fn store_es_di(&self, to: *mut Far) {
        let half = to as *mut u16;
        // SAFETY: as the caller promises.
        unsafe {
            half.write_volatile(self.di);
            half.add(1).write_volatile(self.es);
        }
    }
}

/// Calls a client by asm/upcall.asm. Returns 0 if the client leaves ES:DI = 0:0. `$flags` sets its AX, and ZF.
#[cfg(target_os = "none")]
macro_rules! upcalls {
    ($($(#[$doc:meta])* $name:ident: $($flags:literal)+;)*) => { $(
        $(#[$doc])*
        ///
        /// # Safety
        /// `receiver` is a far address that a client gave; no borrow is alive of what a client may change by INT 60h.
        #[inline(always)]
        pub unsafe fn $name(receiver: *const Far) -> u16 {
            let answer: u32;
            // SAFETY: as the caller promises; all registers but EAX are kept.
            unsafe { core::arch::asm!($($flags,)+ "call upcall", in("ecx") receiver, out("eax") answer) };
            answer as u16
        }
    )* };
}

#[cfg(target_os = "none")]
upcalls! {
    /// The first upcall: offers the job's frame, its first bytes at DS:SI and DI = 0 (no error). The buffer that the
    /// receiver returns in ES:DI is stored in the job's `at`.
    offer: "xor ax, ax";
    /// The second upcall: the frame is in the buffer at DS:SI.
    hand_over: "xor ax, ax" "inc ax";
    /// The upcall of as_send_pkt: the frame is sent; ES:DI is its buffer or its IOCB.
    tell_sent: "xor ax, ax" "test sp, sp";
}

#[cfg(target_os = "none")]
unsafe extern "fastcall" {
    /// asm/transfer.asm: copies `frame.cx` bytes from the caller's DS:SI.
    ///
    /// # Safety
    /// `to` has room for them.
    pub unsafe fn fetch_ds_si(frame: &Frame, to: *mut u8);

    /// asm/transfer.asm: copies `frame.cx` bytes from the caller's ES:DI.
    ///
    /// # Safety
    /// `to` has room for them.
    pub unsafe fn fetch_es_di(frame: &Frame, to: *mut u8);

    /// asm/transfer.asm: the number of group addresses in the `frame.cx` bytes at the caller's ES:DI; 0FFFFh: not all of
    /// them are group addresses.
    pub safe fn count_groups(frame: &Frame) -> u16;

    /// asm/transfer.asm: stores the caller's DS:SI and CX as the job's address and length.
    pub safe fn fetch_frame(frame: &Frame);

    /// asm/transfer.asm: copies an IOCB from the caller's ES:DI.
    pub safe fn fetch_iocb(frame: &Frame, to: *mut Job);

    /// asm/transfer.asm: copies the NIC's address to the caller's ES:DI.
    pub safe fn store_address(frame: &Frame);

    /// asm/transfer.asm: marks the IOCB at the caller's ES:DI as done, with the job's error.
    pub safe fn store_result(frame: &Frame);
}
