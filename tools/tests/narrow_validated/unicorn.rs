//! The Unicorn engine's C interface, as far as the validation needs it. The library is opened when a test runs, so that
//! the build does not need it. Names and numbers are those of `unicorn/unicorn.h` and `unicorn/x86.h`, version 2.0.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::sync::OnceLock;

/// An engine.
pub type Handle = *mut c_void;

/// Memory may be read, written and executed.
pub const ALL: u32 = 7;
/// Memory may be executed, not read.
pub const EXECUTE: u32 = 4;
/// Memory may be read and written.
pub const READ_WRITE: u32 = 3;

/// Registers.
pub mod reg {
    /// General registers, in the machine's order.
    pub const GENERAL: [i32; 8] = [19, 22, 24, 21, 30, 20, 29, 23];
    /// Flags.
    pub const EFLAGS: i32 = 25;
    /// The instruction pointer; exact in a hook of memory.
    pub const EIP: i32 = 26;
    /// Segments: CS, DS, ES, SS, FS, GS.
    pub const SEGMENTS: [i32; 6] = [11, 17, 28, 49, 32, 33];
}

/// Kinds of hooks.
pub mod hook {
    /// `int`, in whose place the hook runs.
    pub const INTERRUPT: i32 = 1;
    /// One instruction, named by its number.
    pub const INSN: i32 = 1 << 1;
    /// Every instruction in a range.
    pub const CODE: i32 = 1 << 2;
    /// Every translated block.
    pub const BLOCK: i32 = 1 << 3;
    /// Memory that is not there, or may not be used so: reads, writes, fetches.
    pub const FAULT: i32 = 0x3F << 4;
    /// A read.
    pub const READ: i32 = 1 << 10;
    /// A write.
    pub const WRITE: i32 = 1 << 11;
}

/// What a hook of [`hook::FAULT`] is told: a read where nothing is.
pub const READ_UNMAPPED: i32 = 19;
/// A write where nothing is.
pub const WRITE_UNMAPPED: i32 = 20;

/// `in`.
pub const IN: i32 = 218;
/// `out`.
pub const OUT: i32 = 500;

const ARCH_X86: c_int = 4;
const MODE_16: c_int = 2;
const RTLD_NOW: c_int = 2;

type Add = unsafe extern "C" fn(Handle, *mut usize, c_int, *mut c_void, *mut c_void, u64, u64, ...) -> c_int;

struct Library {
    open: unsafe extern "C" fn(c_int, c_int, *mut Handle) -> c_int,
    map: unsafe extern "C" fn(Handle, u64, usize, u32) -> c_int,
    unmap: unsafe extern "C" fn(Handle, u64, usize) -> c_int,
    write: unsafe extern "C" fn(Handle, u64, *const c_void, usize) -> c_int,
    read: unsafe extern "C" fn(Handle, u64, *mut c_void, usize) -> c_int,
    reg_write: unsafe extern "C" fn(Handle, c_int, *const c_void) -> c_int,
    reg_read: unsafe extern "C" fn(Handle, c_int, *mut c_void) -> c_int,
    start: unsafe extern "C" fn(Handle, u64, u64, u64, usize) -> c_int,
    stop: unsafe extern "C" fn(Handle) -> c_int,
    add: Add,
    close: unsafe extern "C" fn(Handle) -> c_int,
}

unsafe extern "C" {
    fn dlopen(name: *const c_char, how: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// A function of the library as what it is here.
macro_rules! function {
    ($library:expr, $name:literal) => {{
        // SAFETY: the header declares the function so; the name ends with a zero.
        unsafe {
            let found = dlsym($library, $name.as_ptr());
            assert!(!found.is_null(), "libunicorn has no {:?}", $name);
            std::mem::transmute(found)
        }
    }};
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let path = tools::setup::unicorn().unwrap_or_else(|error| panic!("{error}"));
        let library = open(&path);
        Library {
            open: function!(library, c"uc_open"),
            map: function!(library, c"uc_mem_map"),
            unmap: function!(library, c"uc_mem_unmap"),
            write: function!(library, c"uc_mem_write"),
            read: function!(library, c"uc_mem_read"),
            reg_write: function!(library, c"uc_reg_write"),
            reg_read: function!(library, c"uc_reg_read"),
            start: function!(library, c"uc_emu_start"),
            stop: function!(library, c"uc_emu_stop"),
            add: function!(library, c"uc_hook_add"),
            close: function!(library, c"uc_close"),
        }
    })
}

fn open(path: &Path) -> *mut c_void {
    let name = [path.as_os_str().as_encoded_bytes(), b"\0"].concat();
    let name = CStr::from_bytes_with_nul(&name).expect("a path without a zero");
    // SAFETY: the path of Debian's library, which has no requirements at load.
    let library = unsafe { dlopen(name.as_ptr(), RTLD_NOW) };
    assert!(!library.is_null(), "{} cannot be opened", path.display());
    library
}

/// What a hook may ask and change. Good while the engine is.
#[derive(Clone, Copy)]
pub struct Engine(Handle);

impl Engine {
    /// A 386 in real mode, without memory.
    pub fn new() -> Engine {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the place is ours.
        let error = unsafe { (library().open)(ARCH_X86, MODE_16, &raw mut handle) };
        assert_eq!(error, 0, "uc_open");
        Engine(handle)
    }

    /// The engine that called a hook.
    pub fn of(handle: Handle) -> Engine {
        Engine(handle)
    }

    /// Ends it. It is not used again.
    pub fn close(self) {
        // SAFETY: the owner's last call.
        unsafe { (library().close)(self.0) };
    }

    /// Gives memory, whole pages.
    pub fn map(self, at: u32, bytes: usize, how: u32) {
        // SAFETY: the engine has its own memory.
        let error = unsafe { (library().map)(self.0, u64::from(at), bytes, how) };
        assert_eq!(error, 0, "uc_mem_map {at:#x}");
    }

    /// Takes memory away, whole pages.
    pub fn unmap(self, at: u32, bytes: usize) {
        // SAFETY: the engine has its own memory.
        unsafe { (library().unmap)(self.0, u64::from(at), bytes) };
    }

    /// Writes memory, whatever may be done with it. False: there is none.
    pub fn write(self, at: u32, bytes: &[u8]) -> bool {
        // SAFETY: as many bytes as there are.
        unsafe { (library().write)(self.0, u64::from(at), bytes.as_ptr().cast(), bytes.len()) == 0 }
    }

    /// Reads memory. False: there is none.
    pub fn read(self, at: u32, bytes: &mut [u8]) -> bool {
        // SAFETY: as many bytes as there is room for.
        unsafe { (library().read)(self.0, u64::from(at), bytes.as_mut_ptr().cast(), bytes.len()) == 0 }
    }

    /// Sets a register.
    pub fn set(self, register: i32, value: u32) {
        let value = u64::from(value);
        // SAFETY: no register here is longer.
        unsafe { (library().reg_write)(self.0, register, (&raw const value).cast()) };
    }

    /// A register.
    pub fn get(self, register: i32) -> u32 {
        let mut value = 0u64;
        // SAFETY: no register here is longer.
        unsafe { (library().reg_read)(self.0, register, (&raw mut value).cast()) };
        value as u32
    }

    /// IDTR: base and limit.
    pub fn idtr(self) -> (u32, u32) {
        const IDTR: i32 = 242;
        #[repr(C)]
        #[derive(Default)]
        struct Table {
            selector: u16,
            base: u64,
            limit: u32,
            flags: u32,
        }
        let mut table = Table::default();
        // SAFETY: the header's uc_x86_mmr.
        unsafe { (library().reg_read)(self.0, IDTR, (&raw mut table).cast()) };
        (table.base as u32, table.limit)
    }

    /// Runs from a linear address until another one. The error's number; 0: none.
    pub fn run(self, from: u32, until: u32) -> i32 {
        // SAFETY: hooks get what `hook` was given, which lives as long as the engine.
        unsafe { (library().start)(self.0, u64::from(from), u64::from(until), 0, 0) }
    }

    /// Stops behind the present instruction.
    pub fn stop(self) {
        // SAFETY: of a running engine.
        unsafe { (library().stop)(self.0) };
    }

    /// Has `callback` called with `data`, in a range of addresses.
    ///
    /// # Safety
    /// `callback` has the type that the header gives to the kind; `data` lives as long as the engine and is nobody
    /// else's while it runs.
    pub unsafe fn hook(self, kind: i32, callback: *mut c_void, data: *mut c_void, range: (u64, u64), insn: i32) {
        let mut id = 0;
        // SAFETY: the caller's word.
        let error = unsafe { (library().add)(self.0, &raw mut id, kind, callback, data, range.0, range.1, insn) };
        assert_eq!(error, 0, "uc_hook_add {kind}");
    }
}
