//! Bochs's screen: only on loopback, and at a port of its own, so that two runs do not meet and no other machine sees it.

use crate::next;
use std::ffi::{c_int, c_void};
use std::net::Ipv4Addr;
use std::ptr;
use std::sync::atomic::AtomicPtr;

const AF_INET: u16 = 2;
/// The ports that Bochs's RFB display tries in turn.
const DISPLAYS: std::ops::Range<u16> = 5900..5950;

static NEXT_BIND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type Bind = unsafe extern "C" fn(c_int, *const SockaddrIn, u32) -> c_int;

/// The C library's `sockaddr_in`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SockaddrIn {
    family: u16,
    port: [u8; 2],
    address: [u8; 4],
    zero: [u8; 8],
}

/// The C library's `bind`; a display's port becomes any free one of loopback.
///
/// # Safety
/// As the C library's: `address` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bind(socket: c_int, address: *const SockaddrIn, length: u32) -> c_int {
    let real = next(&NEXT_BIND, c"bind");
    if real.is_null() {
        return -1;
    }
    // SAFETY: the symbol is the C library's function of this type.
    let real: Bind = unsafe { std::mem::transmute(real) };
    // SAFETY: the caller promises the length; every address begins with its family.
    let given = (length as usize >= size_of::<SockaddrIn>()).then(|| unsafe { address.read_unaligned() });
    if let Some(mut to) = given
        && to.family == AF_INET
        && DISPLAYS.contains(&u16::from_be_bytes(to.port))
    {
        (to.port, to.address) = ([0; 2], Ipv4Addr::LOCALHOST.octets());
        // SAFETY: an address of our own.
        return unsafe { real(socket, &to, size_of::<SockaddrIn>() as u32) };
    }
    // SAFETY: the caller's arguments.
    unsafe { real(socket, address, length) }
}
