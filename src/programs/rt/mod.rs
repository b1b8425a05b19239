//! The runtime of DOS programs: entry and exit, INT calls, far memory.
//!
//! Code runs with DS = ES = SS and has a segment of its own; `asm/program.asm` has the entries.

pub mod blocks;
pub mod chain;
pub mod check;
pub mod clock;
pub mod console;
pub mod control;
pub mod file;
pub mod inbox;
pub mod keyboard;
pub mod packet;
pub mod shell;
pub mod video;

use core::cell::UnsafeCell;
use core::mem::offset_of;

/// All registers: before and after an INT call, or before and after an upcall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Regs {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
    /// ESI.
    pub esi: u32,
    /// EDI.
    pub edi: u32,
    /// EBP.
    pub ebp: u32,
    /// DS.
    pub ds: u16,
    /// ES.
    pub es: u16,
    /// FS.
    pub fs: u16,
    /// GS.
    pub gs: u16,
    /// The low half of EFLAGS.
    pub flags: u16,
    /// SS. In an upcall the driver's; unused in INT calls.
    pub ss: u16,
    /// ESP. In an upcall the driver's. Unused in INT calls, which set its high half only.
    pub esp: u32,
}

const _: () = assert!(offset_of!(Regs, ds) == 28 && offset_of!(Regs, flags) == 36 && offset_of!(Regs, esp) == 40);

/// The carry flag.
pub const CF: u16 = 1;
/// The interrupt flag.
pub const IF: u16 = 0x200;
/// The direction flag.
pub const DF: u16 = 0x400;

impl Regs {
    /// Registers for a call: the program's segments, interrupts on, this AX, all others 0.
    pub fn ax(ax: u16) -> Regs {
        let segment = segment();
        Regs { eax: ax as u32, ds: segment, es: segment, flags: IF, ..Regs::default() }
    }

    /// AH.
    pub fn ah(&self) -> u8 {
        (self.eax >> 8) as u8
    }

    /// DH: the error code of a packet driver.
    pub fn dh(&self) -> u8 {
        (self.edx >> 8) as u8
    }

    /// Whether the call failed (carry).
    pub fn carry(&self) -> bool {
        self.flags & CF != 0
    }
}

unsafe extern "C" {
    fn int_call(vector: u32, regs: *mut Regs);
    fn far_call(target: u32, regs: *mut Regs);
    fn far_copy(to: u32, from: u32, bytes: u32);
    fn far_sum(from: u32, dwords: u32, seed: u32) -> u32;
    fn interrupts_off() -> u32;
    fn interrupts_back(flags: u32);
    static program_psp: u16;
    static mut program_break: u8;
}

/// A far address: segment in the high word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far(pub u32);

impl Far {
    /// `segment:offset`.
    pub const fn new(segment: u16, offset: u16) -> Far {
        Far((segment as u32) << 16 | offset as u32)
    }

    /// The far address of data of the program.
    pub fn of<T: ?Sized>(thing: *const T) -> Far {
        Far::new(segment(), thing.cast::<u8>() as usize as u16)
    }

    /// The far address of a routine of the program.
    pub fn of_code(routine: unsafe extern "C" fn()) -> Far {
        let code: u16;
        // SAFETY: reads a register.
        unsafe { core::arch::asm!("mov {0:x}, cs", out(reg) code, options(nomem, nostack, preserves_flags)) };
        Far::new(code, routine as usize as u16)
    }

    /// The segment.
    pub const fn segment(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The offset.
    pub const fn offset(self) -> u16 {
        self.0 as u16
    }

    /// The linear address.
    pub const fn linear(self) -> u32 {
        ((self.0 >> 16) << 4) + (self.0 & 0xFFFF)
    }

    /// Copies bytes from this address; they may not run past the segment's end.
    pub fn read(self, to: &mut [u8]) {
        // SAFETY: `to` has as many bytes as are copied; reading has no effect on memory.
        unsafe { far_copy(Far::of(to).0, self.0, to.len() as u32) }
    }

    /// Copies bytes to this address; they may not run past the segment's end.
    ///
    /// # Safety
    /// The caller may write there.
    pub unsafe fn write(self, from: &[u8]) {
        // SAFETY: as the caller promises.
        unsafe { far_copy(self.0, Far::of(from).0, from.len() as u32) }
    }

    /// Copies bytes from another address to this one.
    ///
    /// # Safety
    /// The caller may write here. Neither side runs past its segment's end.
    pub unsafe fn copy(self, from: Far, bytes: u16) {
        // SAFETY: as the caller promises.
        unsafe { far_copy(self.0, from.0, bytes as u32) }
    }

    /// The 16-bit number at this address.
    pub fn read16(self) -> u16 {
        let mut bytes = [0; 2];
        self.read(&mut bytes);
        u16::from_le_bytes(bytes)
    }

    /// The 32-bit number at this address.
    pub fn read32(self) -> u32 {
        let mut bytes = [0; 4];
        self.read(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// A copy of the value at this address.
    ///
    /// # Safety
    /// Any bytes are a valid `T`.
    pub unsafe fn read_as<T>(self) -> T {
        let mut value = core::mem::MaybeUninit::<T>::uninit();
        // SAFETY: `value` has as many bytes as are copied; the caller promises that they are valid.
        unsafe {
            far_copy(Far::of(value.as_mut_ptr()).0, self.0, size_of::<T>() as u32);
            value.assume_init()
        }
    }

    /// A checksum of `dwords` (at most 4000h) double words from this address, which depends on their order.
    pub fn sum(self, dwords: u16, seed: u32) -> u32 {
        // SAFETY: reading has no effect on memory.
        unsafe { far_sum(self.0, dwords as u32, seed) }
    }
}

/// The segment of the program's data and stack.
pub fn segment() -> u16 {
    let segment: u16;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {0:x}, ds", out(reg) segment, options(nomem, nostack, preserves_flags)) };
    segment
}

/// The segment of the program segment prefix.
pub fn psp() -> u16 {
    // SAFETY: written once, before Rust runs.
    unsafe { program_psp }
}

/// Whether the user has pressed Ctrl-C.
pub fn interrupted() -> bool {
    // SAFETY: a byte that the INT 23h handler writes.
    unsafe { (&raw const program_break).read_volatile() != 0 }
}

/// Forgets that the user has pressed Ctrl-C.
pub fn forget_break() {
    // SAFETY: as above; one byte.
    unsafe { (&raw mut program_break).write_volatile(0) };
}

/// The command line behind the program's name; ends with CR.
pub fn tail() -> [u8; 127] {
    let mut tail = [0; 127];
    Far::new(psp(), 0x81).read(&mut tail);
    tail
}

/// The handler of interrupt `vector`.
pub fn vector(vector: u8) -> Far {
    Far(Far::new(0, vector as u16 * 4).read32())
}

/// INT `vector`. The caller is responsible for what the handler does with these registers.
pub fn int(vector: u8, regs: &mut Regs) {
    // SAFETY: the routine keeps the registers that C keeps, whatever the handler changes except SS:SP.
    unsafe { int_call(vector as u32, regs) }
}

/// PUSHF and CALL FAR to an interrupt handler, which gets IF as in `regs.flags`. Otherwise as [`int`].
pub fn far(target: Far, regs: &mut Regs) {
    // SAFETY: as for `int`.
    unsafe { far_call(target.0, regs) }
}

/// Sets the handler of an interrupt, and returns the old one.
pub fn hook(number: u8, handler: Far) -> Far {
    let old = vector(number);
    // SAFETY: one whole vector, with interrupts off.
    uninterrupted(|| unsafe { Far::new(0, number as u16 * 4).write(&handler.0.to_le_bytes()) });
    old
}

/// Ends the program: releases its handles, writes the output.
pub fn exit(code: u8) -> ! {
    packet::release_all();
    console::flush();
    let mut regs = Regs::ax(0x4C00 | code as u16);
    loop {
        int(0x21, &mut regs);
    }
}

/// Called by a panic: prints a line and ends the program with exit code 255.
pub fn fault() -> ! {
    crate::say!(c"This program has a fault and stops here. Please report it.\n");
    exit(255)
}

/// Calls `f` with interrupts off.
pub fn uninterrupted<R>(f: impl FnOnce() -> R) -> R {
    // SAFETY: the flags are put back below.
    let flags = unsafe { interrupts_off() };
    let result = f();
    // SAFETY: these are the flags from above.
    unsafe { interrupts_back(flags) };
    result
}

/// Enables interrupts.
pub fn enable_interrupts() {
    // SAFETY: the program has handlers for all that it has enabled.
    unsafe { core::arch::asm!("sti") };
}

/// A value that main program and receivers share. There is one processor, and each access is not interruptible.
#[repr(transparent)]
pub struct Shared<T>(UnsafeCell<T>);

// SAFETY: there are no threads. Receivers interrupt the main program, so `get` returns no reference.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// With this value at first.
    pub const fn new(value: T) -> Shared<T> {
        Shared(UnsafeCell::new(value))
    }

    /// Pointer to the value.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

impl<T: Copy> Shared<T> {
    /// Reads the value.
    pub fn read(&self) -> T {
        // SAFETY: always initialised; see `Sync` above.
        unsafe { self.get().read_volatile() }
    }

    /// Writes the value.
    pub fn write(&self, value: T) {
        // SAFETY: see `Sync` above.
        unsafe { self.get().write_volatile(value) }
    }
}

/// Defines a program's entry, from a function that returns the exit code, and its panic handler.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        /// Called by the entry in `asm/program.asm`; the exit code goes by `exit`.
        #[unsafe(no_mangle)]
        pub extern "C" fn program_main() -> ! {
            let code: u8 = $main();
            $crate::programs::rt::exit(code)
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            $crate::programs::rt::fault()
        }
    };
}
