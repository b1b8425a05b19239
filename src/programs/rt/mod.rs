//! What a DOS program stands on: entry and exit, INT calls, far memory.
//!
//! Everything runs with DS = ES = SS, the code in a segment of its own; `asm/program.asm` has the entries.

pub mod check;
pub mod clock;
pub mod console;
pub mod inbox;
pub mod packet;

use core::cell::UnsafeCell;
use core::mem::offset_of;

/// Every register, as an INT call takes and gives them, and as an upcall finds and leaves them.
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
    /// SS. An upcall's is the driver's; not taken by INT calls.
    pub ss: u16,
    /// ESP. An upcall's is the driver's; not taken by INT calls, of what they give only the high half says something.
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
    /// Registers for a call: segments ours, interrupts on, all else 0 but AX.
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

    /// Did the call say that it failed?
    pub fn carry(&self) -> bool {
        self.flags & CF != 0
    }
}

unsafe extern "C" {
    fn int_call(vector: u32, regs: *mut Regs);
    fn far_call(target: u32, regs: *mut Regs);
    fn far_copy(to: u32, from: u32, bytes: u32);
    fn far_sum(from: u32, dwords: u32, seed: u32) -> u32;
    static program_psp: u16;
    static program_break: u8;
}

/// A far address: segment in the high word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far(pub u32);

impl Far {
    /// `segment:offset`.
    pub const fn new(segment: u16, offset: u16) -> Far {
        Far((segment as u32) << 16 | offset as u32)
    }

    /// Something of ours.
    pub fn of<T: ?Sized>(thing: *const T) -> Far {
        Far::new(segment(), thing.cast::<u8>() as usize as u16)
    }

    /// A routine of ours.
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

    /// Copies from there; the bytes may not run past their segment's end.
    pub fn read(self, to: &mut [u8]) {
        // SAFETY: `to` is ours and as long as is copied; reading has no effect on memory.
        unsafe { far_copy(Far::of(to).0, self.0, to.len() as u32) }
    }

    /// Copies to there; the bytes may not run past their segment's end.
    ///
    /// # Safety
    /// The caller may write there.
    pub unsafe fn write(self, from: &[u8]) {
        // SAFETY: `from` is ours; for the rest the caller answers.
        unsafe { far_copy(self.0, Far::of(from).0, from.len() as u32) }
    }

    /// A 16-bit number there.
    pub fn read16(self) -> u16 {
        let mut bytes = [0; 2];
        self.read(&mut bytes);
        u16::from_le_bytes(bytes)
    }

    /// A 32-bit number there.
    pub fn read32(self) -> u32 {
        let mut bytes = [0; 4];
        self.read(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// A value there, byte for byte.
    ///
    /// # Safety
    /// `T` is valid whatever its bytes are.
    pub unsafe fn read_as<T>(self) -> T {
        let mut value = core::mem::MaybeUninit::<T>::uninit();
        // SAFETY: `value` is ours and as long as is copied; the caller answers for the bytes.
        unsafe {
            far_copy(Far::of(value.as_mut_ptr()).0, self.0, size_of::<T>() as u32);
            value.assume_init()
        }
    }

    /// A checksum, in which the order counts, of `dwords` (at most 4000h) from there.
    pub fn sum(self, dwords: u16, seed: u32) -> u32 {
        // SAFETY: reading has no effect on memory.
        unsafe { far_sum(self.0, dwords as u32, seed) }
    }
}

/// The segment of our data and stack.
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

/// Has the user pressed Ctrl-C?
pub fn interrupted() -> bool {
    // SAFETY: a byte that the INT 23h handler writes.
    unsafe { (&raw const program_break).read_volatile() != 0 }
}

/// What stands behind the program's name on the command line; ends with CR.
pub fn tail() -> [u8; 127] {
    let mut tail = [0; 127];
    Far::new(psp(), 0x81).read(&mut tail);
    tail
}

/// Interrupt `vector`'s handler.
pub fn vector(vector: u8) -> Far {
    Far(Far::new(0, vector as u16 * 4).read32())
}

/// INT `vector`. The caller answers for what the handler does with these registers.
pub fn int(vector: u8, regs: &mut Regs) {
    // SAFETY: the stub keeps what C keeps, whatever the handler does to registers other than SS:SP.
    unsafe { int_call(vector as u32, regs) }
}

/// PUSHF and CALL FAR to an interrupt handler, which finds IF as `regs.flags` has it. The caller answers for the rest.
pub fn far(target: Far, regs: &mut Regs) {
    // SAFETY: as for `int`.
    unsafe { far_call(target.0, regs) }
}

/// Makes `handler` that of interrupt `vector`, and gives the one before.
pub fn hook(number: u8, handler: Far) -> Far {
    let old = vector(number);
    // SAFETY: one whole vector, with interrupts off.
    uninterrupted(|| unsafe { Far::new(0, number as u16 * 4).write(&handler.0.to_le_bytes()) });
    old
}

/// Ends the program: handles released, output written.
pub fn exit(code: u8) -> ! {
    packet::release_all();
    console::flush();
    let mut regs = Regs::ax(0x4C00 | code as u16);
    loop {
        int(0x21, &mut regs);
    }
}

/// Where a reachable panic ends: one line and exit code 255.
pub fn fault() -> ! {
    crate::say!(c"This program has a fault and stops here. Please report it.\n");
    exit(255)
}

/// Runs `f` with interrupts off.
pub fn uninterrupted<R>(f: impl FnOnce() -> R) -> R {
    let flags: u32;
    // SAFETY: the flags are put back below.
    unsafe { core::arch::asm!("pushfd", "pop {0:e}", "cli", out(reg) flags) };
    let result = f();
    // SAFETY: these are the flags from above.
    unsafe { core::arch::asm!("push {0:e}", "popfd", in(reg) flags) };
    result
}

/// Lets interrupts in.
pub fn enable_interrupts() {
    // SAFETY: the program has handlers for what may come.
    unsafe { core::arch::asm!("sti") };
}

/// Something that main program and receivers share: there is one processor, and each access is a whole.
#[repr(transparent)]
pub struct Shared<T>(UnsafeCell<T>);

// SAFETY: there are no threads; receivers interrupt the main program, which is why `get` hands out no reference.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Holds `value`.
    pub const fn new(value: T) -> Shared<T> {
        Shared(UnsafeCell::new(value))
    }

    /// Where it is.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

impl<T: Copy> Shared<T> {
    /// Its value now.
    pub fn read(&self) -> T {
        // SAFETY: always initialised; see `Sync` above.
        unsafe { self.get().read_volatile() }
    }

    /// Another value from now on.
    pub fn write(&self, value: T) {
        // SAFETY: see `Sync` above.
        unsafe { self.get().write_volatile(value) }
    }
}

/// A program's entry (a function that gives the exit code) and its panic handler.
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
