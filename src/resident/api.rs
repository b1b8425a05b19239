//! INT 60h, function by function, named as the specification names them. Each takes the caller's registers and
//! gives the error for DH, 0 for success. asm/int60.asm has checked BX where a function needs an open handle.

use core::ptr::addr_of;

use super::frame::{Far, Frame, upcall};
use super::handle::{self, CLASS_8023, CLASS_DIX, Handle, Type};
use super::receive::leave;
use super::state::{call, counters, depth, device, driver, filter, handles, info_area, nic, segment, sending};
use super::table::{GROUPS, Send};
use crate::bus::real::{Machine, copy_far, linear, own};
use crate::bus::Timer;
use crate::device::{MAX_FRAME, MacAddr, RcvMode};

/// DH, as the specification numbers it.
pub type Error = u8;
const OK: Error = 0;
const NO_CLASS: Error = 2;
const NO_TYPE: Error = 3;
const NO_NUMBER: Error = 4;
const CANT_TERMINATE: Error = 7;
const BAD_MODE: Error = 8;
const NO_SPACE: Error = 9;
const CANT_SEND: Error = 12;
const CANT_SET: Error = 13;
const BAD_ADDRESS: Error = 14;
const CANT_RESET: Error = 15;
const BAD_IOCB: Error = 16;

/// `driver_info`'s version and interface type: the specification's revision, and a type that no vendor was given.
const VERSION: u16 = 0x010B;
const IF_TYPE: u16 = 0x79;
/// Basic, extended and high-performance functions.
const FUNCTIONALITY: u8 = 6;
/// Longest that a call waits for the transmitter, in microseconds: a full-size frame at 10 Mb/s and its collisions.
const SEND_LIMIT: u16 = 20_000;

/// Copies from a client.
#[inline(never)]
fn fetch(from: Far, to: *mut u8, len: u16) {
    copy_far(linear(from), own(to), len);
}

/// AH=1.
pub fn driver_info(frame: &mut Frame) -> Error {
    frame.bx = VERSION;
    frame.cx = (CLASS_DIX as u16) << 8;
    frame.dx = IF_TYPE;
    frame.ax = frame.ax & 0xFF00 | FUNCTIONALITY as u16;
    frame.ds = segment();
    frame.si = nic() as u32 as u16;
    OK
}

/// AH=2.
pub fn access_type(frame: &mut Frame) -> Error {
    let class = frame.ax as u8;
    if class != CLASS_DIX && class != CLASS_8023 {
        return NO_CLASS;
    }
    if frame.bx != 0xFFFF && frame.bx != IF_TYPE {
        return NO_TYPE;
    }
    if frame.dx as u8 != 0 {
        return NO_NUMBER;
    }
    let mut kind: Type = [0; handle::MAX_TYPE];
    if frame.cx != 0 {
        fetch(frame.ds_si(), kind.as_mut_ptr(), handle::MAX_TYPE as u16);
    }
    match handles().access(class, frame.cx, &kind, frame.es_di()) {
        Ok(handle) => {
            frame.ax = handle as u32 as u16;
            OK
        }
        Err(error) => error as Error,
    }
}

/// AH=3.
pub fn release_type(frame: &mut Frame) -> Error {
    // SAFETY: BX is an open handle.
    unsafe { handle::release(frame.bx as u32 as *mut Handle) };
    OK
}

/// AH=4.
pub fn send_pkt(frame: &mut Frame) -> Error {
    send(frame.ds_si(), frame.cx)
}

#[inline(never)]
fn send(from: Far, len: u16) -> Error {
    if len > MAX_FRAME {
        return NO_SPACE;
    }
    let mut error = CANT_SEND;
    if len != 0 {
        let mut timer = Timer::new(&Machine);
        // SAFETY: interrupts are off; see state.rs.
        let what = unsafe {
            *sending() = Send { frame: linear(from), len };
            &*sending()
        };
        loop {
            let answer = (driver().send)(device(), what);
            if answer == 0 {
                error = OK;
            }
            if answer != 1 || timer.over(&Machine, SEND_LIMIT) {
                break;
            }
        }
    }
    // SAFETY: the device's own fields, between two calls into its driver.
    let count = unsafe { &mut *counters() };
    if error == OK {
        count.packets_out = count.packets_out.wrapping_add(1);
        count.bytes_out = count.bytes_out.wrapping_add(len as u32);
    } else {
        count.errors_out = count.errors_out.wrapping_add(1);
    }
    leave();
    error
}

/// AH=6.
pub fn get_address(frame: &mut Frame) -> Error {
    if frame.cx < 6 {
        return NO_SPACE;
    }
    frame.cx = 6;
    // SAFETY: only the address is taken.
    let from = unsafe { addr_of!((*nic()).mac) };
    copy_far(own(from as *mut u8), linear(frame.es_di()), 6);
    OK
}

/// AH=7.
pub fn reset_interface(_: &mut Frame) -> Error {
    if handles().open() > 1 {
        return CANT_RESET;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        (*nic()).mac = (*nic()).rom;
        (*filter()).bytes = 0;
        (*nic()).rcv_mode = RcvMode::Broadcast as u8;
    }
    apply()
}

/// Address, mode and multicast list, to the card.
#[inline(never)]
fn apply() -> Error {
    // SAFETY: interrupts are off; the driver only reads them.
    unsafe {
        (driver().set_address)(device(), &(*nic()).mac);
        (*filter()).mode = (*nic()).rcv_mode;
        (driver().set_rcv_mode)(device(), &*filter());
    }
    OK
}

/// AH=10. The block has 14 bytes, as the specification says of itself in its third.
pub fn get_parameters(frame: &mut Frame) -> Error {
    #[repr(C)]
    struct Parameters {
        major: u8,
        minor: u8,
        length: u8,
        addr_len: u8,
        mtu: u16,
        multicast_aval: u16,
        rcv_bufs: u16,
        xmt_bufs: u16,
        int_num: u16,
    }
    const _: () = assert!(size_of::<Parameters>() == 14);
    static PARAMETERS: Parameters = Parameters {
        major: 1,
        minor: 11,
        length: 14,
        addr_len: 6,
        mtu: MAX_FRAME,
        multicast_aval: 6 * GROUPS as u16,
        rcv_bufs: 0,
        xmt_bufs: 0,
        int_num: 0,
    };
    frame.es = segment();
    frame.di = addr_of!(PARAMETERS) as u32 as u16;
    OK
}

/// AH=11: the frame is copied to the card before this returns, so the upcall comes from inside.
pub fn as_send_pkt(frame: &mut Frame) -> Error {
    as_send(frame.ds_si(), frame.cx, frame.es_di(), frame.ds_si())
}

/// An upcall inside an upcall has no stack: a receiver uses `send_pkt`.
#[inline(never)]
fn as_send(from: Far, len: u16, receiver: Far, es_di: Far) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    if unsafe { *depth() } > 1 {
        return CANT_SEND;
    }
    let error = send(from, len);
    if error == OK && receiver != 0 {
        // SAFETY: the client gave this address for just this; nothing is borrowed.
        unsafe {
            let call = call();
            (*call).ax = 0;
            (*call).es_di = es_di;
            (*call).receiver = receiver;
            upcall();
        }
        leave();
    }
    error
}

/// The specification's I/O control block, as far as the driver uses it.
#[repr(C)]
struct Iocb {
    buffer: Far,
    len: u16,
    flags: u8,
    result: u8,
    upcall: Far,
}

const IOCB_DONE: u8 = 1;
const IOCB_UPCALL: u8 = 2;

/// AH=12. The block is marked done before its upcall, which may reuse it.
pub fn as_send_pkt_iocb(frame: &mut Frame) -> Error {
    let mut iocb = Iocb { buffer: 0, len: 0, flags: 0, result: 0, upcall: 0 };
    fetch(frame.es_di(), &raw mut iocb as *mut u8, size_of::<Iocb>() as u16);
    let receiver = if iocb.flags & IOCB_UPCALL != 0 { iocb.upcall } else { 0 };
    iocb.flags |= IOCB_DONE;
    iocb.result = OK;
    // The frame is in the card before anyone can look at the block: interrupts are off until the upcall.
    copy_far(own(&raw mut iocb as *mut u8), linear(frame.es_di()), 8);
    let error = as_send(iocb.buffer, iocb.len, receiver, frame.es_di());
    if error != OK {
        iocb.result = error;
        copy_far(own(&raw mut iocb as *mut u8), linear(frame.es_di()), 8);
    }
    error
}

/// AH=13: nothing waits, so no IOCB is known.
pub fn drop_pkt(_: &mut Frame) -> Error {
    BAD_IOCB
}

/// AH=20.
pub fn set_rcv_mode(frame: &mut Frame) -> Error {
    if frame.cx.wrapping_sub(RcvMode::Off as u16) >= RcvMode::Promiscuous as u16 {
        return BAD_MODE;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).rcv_mode = frame.cx as u8 };
    apply()
}

/// AH=21.
pub fn get_rcv_mode(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    frame.ax = unsafe { (*nic()).rcv_mode } as u16;
    OK
}

/// AH=22.
pub fn set_multicast_list(frame: &mut Frame) -> Error {
    let bytes = frame.cx;
    if bytes > 6 * GROUPS as u16 {
        return NO_SPACE;
    }
    let mut list = [0u8; 6 * GROUPS];
    fetch(frame.es_di(), list.as_mut_ptr(), bytes);
    let mut left = bytes;
    for group in list.chunks_exact(6) {
        if left == 0 {
            break;
        }
        if left < 6 || group[0] & 1 == 0 {
            return BAD_ADDRESS;
        }
        left -= 6;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        *(filter() as *mut [u8; 6 * GROUPS]) = list;
        (*filter()).bytes = bytes as u8;
    }
    apply()
}

/// AH=23.
pub fn get_multicast_list(frame: &mut Frame) -> Error {
    frame.es = segment();
    frame.di = filter() as u32 as u16;
    // SAFETY: interrupts are off; see state.rs.
    frame.cx = unsafe { (*filter()).bytes } as u16;
    OK
}

/// AH=24.
pub fn get_statistics(frame: &mut Frame) -> Error {
    frame.ds = segment();
    frame.si = device() as u16;
    OK
}

/// AH=25.
pub fn set_address(frame: &mut Frame) -> Error {
    if handles().open() > 1 {
        return CANT_SET;
    }
    let mut mac: MacAddr = [0; 6];
    if frame.cx == 6 {
        fetch(frame.es_di(), mac.as_mut_ptr(), 6);
    }
    if mac[0] & 1 != 0 || mac == [0; 6] {
        return BAD_ADDRESS;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).mac = mac };
    apply()
}

/// AH=80h: our own.
pub fn get_info(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).link = (driver().link)(device()) };
    frame.es = segment();
    frame.di = info_area() as u32 as u16;
    OK
}

/// AH=5.
pub fn terminate(_: &mut Frame) -> Error {
    unsafe extern "fastcall" {
        /// asm/terminate.asm: 0 when our vectors were on top and are given back, else CANT_TERMINATE.
        fn unhook() -> Error;
        /// asm/terminate.asm: gives the memory back.
        fn free();
    }
    if handles().open() > 1 {
        return CANT_TERMINATE;
    }
    // SAFETY: interrupts are off and no client has a handle but the caller.
    unsafe {
        let error = unhook();
        if error == OK {
            (driver().stop)(device());
            free();
        }
        error
    }
}
