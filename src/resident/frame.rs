//! The Rust side of asm/abi.inc: the caller's registers, and the routines of asm/.

use crate::bus::Far;
#[cfg(target_os = "none")]
use crate::device::Job;

/// The caller's registers, as an entry leaves them on our stack.
#[derive(Default)]
#[repr(C)]
pub struct Frame {
    /// ES.
    pub es: u16,
    /// What SI was.
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
        Far::new(self.es, self.di)
    }

    /// Puts ES:DI where a far pointer goes, by halves: rustc would join them first.
    ///
    /// # Safety
    /// It is a place for one.
    #[inline(always)]
    pub unsafe fn store_es_di(&self, to: *mut Far) {
        let half = to as *mut u16;
        // SAFETY: the caller's word.
        unsafe {
            half.write_volatile(self.di);
            half.add(1).write_volatile(self.es);
        }
    }
}

/// Calls a client by asm/upcall.asm; not 0 when it leaves ES:DI other than 0:0. `$flags` sets its AX and ZF.
#[cfg(target_os = "none")]
macro_rules! upcalls {
    ($($(#[$doc:meta])* $name:ident: $($flags:literal)+;)*) => { $(
        $(#[$doc])*
        ///
        /// # Safety
        /// It is a client's code; no borrow of what a client may change through INT 60h is alive.
        #[inline(always)]
        pub unsafe fn $name(receiver: *const Far) -> u16 {
            let answer: u32;
            // SAFETY: the caller's word; all registers but EAX come back.
            unsafe { core::arch::asm!($($flags,)+ "call upcall", in("ecx") receiver, out("eax") answer) };
            answer as u16
        }
    )* };
}

#[cfg(target_os = "none")]
upcalls! {
    /// Offers the frame in hand: the lookahead is in DS:SI, and DI = 0: no error. What the receiver leaves in ES:DI comes to
    /// the job's `at`.
    offer: "xor ax, ax";
    /// The frame is in the buffer, DS:SI.
    hand_over: "xor ax, ax" "inc ax";
    /// A frame is sent: ES:DI is the buffer or the IOCB.
    tell_sent: "xor ax, ax" "test sp, sp";
}

#[cfg(target_os = "none")]
unsafe extern "fastcall" {
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

    /// asm/transfer.asm: how many groups there are at the caller's ES:DI, `frame.cx` bytes; 0FFFFh: something else, too.
    pub safe fn count_groups(frame: &Frame) -> u16;

    /// asm/transfer.asm: where the caller's frame is (DS:SI) and how long, into the job.
    pub safe fn fetch_frame(frame: &Frame);

    /// asm/transfer.asm: copies an IOCB from the caller's ES:DI.
    pub safe fn fetch_iocb(frame: &Frame, to: *mut Job);

    /// asm/transfer.asm: copies the NIC's address to the caller's ES:DI.
    pub safe fn store_address(frame: &Frame);

    /// asm/transfer.asm: marks the IOCB at the caller's ES:DI as done, with the job's error.
    pub safe fn store_result(frame: &Frame);
}
