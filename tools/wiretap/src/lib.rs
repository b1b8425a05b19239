//! A library that is loaded into an emulator before its own libraries (`ld.so --preload`), to replace some of their functions.
//!
//! DOSBox-X writes no pcap: the functions here write the frames between it and libslirp to the file that the variable `WIRETAP`
//! names. Bochs offers its screen at a fixed port of any address: see `display`.

mod display;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::io::Write;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

/// `send_packet` of libslirp's callbacks: a frame for the guest.
type SendPacket = unsafe extern "C" fn(*const c_void, usize, *mut c_void) -> isize;
type SlirpNew = unsafe extern "C" fn(*const c_void, *const Callbacks, *mut c_void) -> *mut c_void;
type SlirpInput = unsafe extern "C" fn(*mut c_void, *const u8, c_int);

/// libslirp's table of callbacks, with the length of configuration versions 1 to 5.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callbacks {
    send_packet: Option<SendPacket>,
    others: [*const c_void; 10],
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// `dlsym`'s handle for the next library after this one.
const RTLD_NEXT: *mut c_void = -1isize as *mut c_void;

static NEXT_NEW: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static NEXT_INPUT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static GUEST_SEND: OnceLock<SendPacket> = OnceLock::new();
static PCAP: OnceLock<Option<Mutex<File>>> = OnceLock::new();

/// The function of this name in the next library; null if there is none.
pub(crate) fn next(cache: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    let known = cache.load(Ordering::Relaxed);
    if !known.is_null() {
        return known;
    }
    // SAFETY: the name is a C string, and RTLD_NEXT is a handle that dlsym knows.
    let found = unsafe { dlsym(RTLD_NEXT, name.as_ptr()) };
    cache.store(found, Ordering::Relaxed);
    found
}

/// The pcap file with its header written (little-endian, microseconds, Ethernet).
fn open() -> Option<Mutex<File>> {
    let mut file = File::create(std::env::var_os("WIRETAP")?).ok()?;
    let words: [u32; 6] = [0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 0xFFFF, 1];
    file.write_all(&words.map(u32::to_le_bytes).concat()).ok()?;
    Some(Mutex::new(file))
}

fn record(frame: &[u8]) {
    let Some(file) = PCAP.get_or_init(open) else { return };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let words = [now.as_secs() as u32, now.subsec_micros(), frame.len() as u32, frame.len() as u32];
    let mut whole = words.map(u32::to_le_bytes).concat();
    whole.extend_from_slice(frame);
    // One write for each frame, so that a killed emulator leaves whole frames. A full disk must not end the run.
    if let Ok(mut file) = file.lock() {
        let _ = file.write_all(&whole);
    }
}

unsafe extern "C" fn to_guest(frame: *const c_void, length: usize, opaque: *mut c_void) -> isize {
    // SAFETY: libslirp calls with a frame of that length.
    record(unsafe { slice::from_raw_parts(frame.cast(), length) });
    match GUEST_SEND.get() {
        // SAFETY: this is the emulator's function, called as libslirp would have called it.
        Some(send) => unsafe { send(frame, length, opaque) },
        None => -1,
    }
}

/// libslirp's `slirp_new`; passes frames for the guest through `to_guest`.
///
/// # Safety
/// As libslirp's: `config` and `callbacks` are valid for the life of the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slirp_new(config: *const c_void, callbacks: *const Callbacks, opaque: *mut c_void) -> *mut c_void {
    let real = next(&NEXT_NEW, c"slirp_new");
    if real.is_null() || callbacks.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the symbol is libslirp's function of this type.
    let real: SlirpNew = unsafe { std::mem::transmute(real) };
    // SAFETY: not null, and a table of at least this length by libslirp's interface.
    let mut table = unsafe { *callbacks };
    if let Some(send) = table.send_packet.replace(to_guest) {
        let _ = GUEST_SEND.set(send);
    }
    // libslirp keeps the pointer for the rest of the process.
    let table: &'static Callbacks = Box::leak(Box::new(table));
    // SAFETY: the caller's arguments, but for a table that lives as long as the process.
    unsafe { real(config, table, opaque) }
}

/// libslirp's `slirp_input`: a frame from the guest.
///
/// # Safety
/// As libslirp's: `frame` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slirp_input(slirp: *mut c_void, frame: *const u8, length: c_int) {
    // SAFETY: the emulator calls with a frame of that length.
    record(unsafe { slice::from_raw_parts(frame, length.max(0) as usize) });
    let real = next(&NEXT_INPUT, c"slirp_input");
    if !real.is_null() {
        // SAFETY: the symbol is libslirp's function of this type, and the arguments are the caller's.
        unsafe { std::mem::transmute::<*mut c_void, SlirpInput>(real)(slirp, frame, length) }
    }
}
