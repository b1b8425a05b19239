//! INT 60h, function by function, named as the specification names them. Each takes the caller's registers and
//! gives the error for DH, 0 for success.

use core::ptr::addr_of;

use super::frame::{Frame, Upcall, upcall};
use super::handle::{self, CLASS_8023, CLASS_DIX, Handle, Type};
use super::receive::leave;
use super::state::{counters, depth, device, driver, group_count, groups, handles, info_area, nic, segment, state};
use super::table::GROUPS;
use crate::bus::real::{Machine, copy_far, linear, own};
use crate::bus::Bus;
use crate::device::{MAX_FRAME, MacAddr, RcvMode};

/// DH, as the specification numbers it.
pub type Error = u8;
const OK: Error = 0;
const BAD_HANDLE: Error = 1;
const NO_CLASS: Error = 2;
const NO_TYPE: Error = 3;
const NO_NUMBER: Error = 4;
const BAD_MODE: Error = 8;
const NO_SPACE: Error = 9;
const CANT_SEND: Error = 12;
const CANT_SET: Error = 13;
const BAD_ADDRESS: Error = 14;
const CANT_RESET: Error = 15;
const BAD_IOCB: Error = 16;

/// `driver_info`'s interface type: one that no vendor was given, as the 3C509 drivers of old answered it.
const IF_TYPE: u16 = 0x79;
/// Basic, extended and high-performance functions.
const FUNCTIONALITY: u16 = 6;
/// Longest that a call waits for the transmitter, in microseconds: a full-size frame at 10 Mb/s and its collisions.
const SEND_LIMIT: u16 = 20_000;

const FIRST_HANDLE: u16 = 0x0100;

/// The handle number of a slot.
pub fn number(slot: u8) -> u16 {
    FIRST_HANDLE | slot as u16
}

fn slot(number: u16) -> Option<u8> {
    let slot = number as u8;
    let open = handles().get(slot as usize).is_some_and(|handle| handle.flags & Handle::IN_USE != 0);
    (number & 0xFF00 == FIRST_HANDLE && open).then_some(slot)
}

fn open_handles() -> u8 {
    handles().iter().filter(|handle| handle.flags & Handle::IN_USE != 0).count() as u8
}

/// AH=1.
pub fn driver_info(frame: &mut Frame) -> Error {
    frame.bx = 0x010B;
    frame.cx = (CLASS_DIX as u16) << 8;
    frame.dx = IF_TYPE;
    frame.ax = frame.ax & 0xFF00 | FUNCTIONALITY;
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
    let len = frame.cx.min(handle::MAX_TYPE as u16);
    copy_far(linear(frame.ds, frame.si), own(kind.as_mut_ptr()), len);
    let receiver = (frame.es as u32) << 16 | frame.di as u32;
    match handle::access(handles(), class, frame.cx, &kind, receiver) {
        Ok(slot) => {
            frame.ax = number(slot);
            OK
        }
        Err(error) => error as Error,
    }
}

/// AH=3.
pub fn release_type(frame: &mut Frame) -> Error {
    let Some(slot) = slot(frame.bx) else { return BAD_HANDLE };
    handle::release(handles(), slot);
    OK
}

/// AH=4.
pub fn send_pkt(frame: &mut Frame) -> Error {
    send(frame.ds, frame.si, frame.cx)
}

fn send(segment: u16, offset: u16, len: u16) -> Error {
    if len > MAX_FRAME {
        return NO_SPACE;
    }
    let mut answer = 2;
    if len != 0 {
        // The answer is in `answer`: a wait that ended by its limit leaves "busy" there.
        let _ = Machine.wait(SEND_LIMIT, || {
            answer = (driver().send)(device(), linear(segment, offset), len as u32);
            answer != 1
        });
    }
    // SAFETY: the device's own fields, between two calls into its driver.
    let count = unsafe { &mut *counters() };
    let error = if answer == 0 {
        count.packets_out = count.packets_out.wrapping_add(1);
        count.bytes_out = count.bytes_out.wrapping_add(len as u32);
        OK
    } else {
        count.errors_out = count.errors_out.wrapping_add(1);
        CANT_SEND
    };
    leave();
    error
}

/// AH=6.
pub fn get_address(frame: &mut Frame) -> Error {
    if slot(frame.bx).is_none() {
        return BAD_HANDLE;
    }
    if frame.cx < 6 {
        return NO_SPACE;
    }
    frame.cx = 6;
    // SAFETY: only the address is taken.
    let from = unsafe { addr_of!((*nic()).mac) };
    copy_far(own(from as *mut u8), linear(frame.es, frame.di), 6);
    OK
}

/// AH=7.
pub fn reset_interface(frame: &mut Frame) -> Error {
    if slot(frame.bx).is_none() {
        return BAD_HANDLE;
    }
    if open_handles() > 1 {
        return CANT_RESET;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        (*nic()).mac = (*nic()).rom;
        *group_count() = 0;
        (*nic()).rcv_mode = RcvMode::Broadcast as u8;
    }
    apply();
    OK
}

/// Address, mode and multicast list, to the card.
fn apply() {
    // SAFETY: interrupts are off; the driver only reads them.
    unsafe {
        (driver().set_address)(device(), &(*nic()).mac);
        (driver().set_rcv_mode)(device(), (*nic()).rcv_mode, &*groups(), *group_count() as u32);
    }
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
    let (buffer, segment, receiver) = (frame.si, frame.ds, (frame.es as u32) << 16 | frame.di as u32);
    as_send(segment, buffer, frame.cx, receiver, segment, buffer)
}

/// An upcall inside an upcall has no stack: a receiver uses `send_pkt`.
fn as_send(segment: u16, offset: u16, len: u16, receiver: u32, es: u16, di: u16) -> Error {
    // SAFETY: interrupts are off.
    if unsafe { *depth() } > 1 {
        return CANT_SEND;
    }
    let error = send(segment, offset, len);
    if error == OK && receiver != 0 {
        let mut call = Upcall { es, di, receiver, ..Upcall::default() };
        // SAFETY: the client gave this address for just this; nothing is borrowed.
        unsafe { upcall(&mut call) };
        leave();
    }
    error
}

/// The specification's I/O control block, as far as the driver uses it.
#[repr(C)]
struct Iocb {
    buffer: u16,
    segment: u16,
    len: u16,
    flags: u8,
    result: u8,
    upcall: u32,
}

const IOCB_DONE: u8 = 1;
const IOCB_UPCALL: u8 = 2;

/// AH=12.
pub fn as_send_pkt_iocb(frame: &mut Frame) -> Error {
    let at = linear(frame.es, frame.di);
    let mut iocb = Iocb { buffer: 0, segment: 0, len: 0, flags: 0, result: 0, upcall: 0 };
    let own_iocb = own(&raw mut iocb as *mut u8);
    copy_far(at, own_iocb, size_of::<Iocb>() as u16);
    // SAFETY: interrupts are off.
    if unsafe { *depth() } > 1 {
        return CANT_SEND;
    }
    let error = send(iocb.segment, iocb.buffer, iocb.len);
    let flags = iocb.flags | IOCB_DONE;
    copy_far(own(&raw const flags as *mut u8), at.plus(6), 1);
    copy_far(own(&raw const error as *mut u8), at.plus(7), 1);
    if error == OK && flags & IOCB_UPCALL != 0 && iocb.upcall != 0 {
        let mut call = Upcall { es: frame.es, di: frame.di, receiver: iocb.upcall, ..Upcall::default() };
        // SAFETY: as in `as_send`.
        unsafe { upcall(&mut call) };
        leave();
    }
    error
}

/// AH=13: nothing waits, so no IOCB is known.
pub fn drop_pkt(_: &mut Frame) -> Error {
    BAD_IOCB
}

/// AH=20.
pub fn set_rcv_mode(frame: &mut Frame) -> Error {
    if slot(frame.bx).is_none() {
        return BAD_HANDLE;
    }
    if frame.cx < RcvMode::Off as u16 || frame.cx > RcvMode::Promiscuous as u16 {
        return BAD_MODE;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).rcv_mode = frame.cx as u8 };
    apply();
    OK
}

/// AH=21.
pub fn get_rcv_mode(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    frame.ax = unsafe { (*nic()).rcv_mode } as u16;
    OK
}

/// AH=22.
pub fn set_multicast_list(frame: &mut Frame) -> Error {
    let count = (0..=GROUPS as u16).find(|count| count * 6 == frame.cx);
    let Some(count) = count else {
        return if frame.cx > 6 * GROUPS as u16 { NO_SPACE } else { BAD_ADDRESS };
    };
    let mut list = [[0u8; 6]; GROUPS];
    copy_far(linear(frame.es, frame.di), own(list.as_mut_ptr() as *mut u8), frame.cx);
    if list.iter().take(count as usize).any(|group| group[0] & 1 == 0) {
        return BAD_ADDRESS;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        *groups() = list;
        *group_count() = count as u8;
    }
    apply();
    OK
}

/// AH=23.
pub fn get_multicast_list(frame: &mut Frame) -> Error {
    frame.es = segment();
    frame.di = groups() as u32 as u16;
    // SAFETY: interrupts are off.
    frame.cx = unsafe { *group_count() } as u16 * 6;
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
    if open_handles() > 1 {
        return CANT_SET;
    }
    if frame.cx != 6 {
        return BAD_ADDRESS;
    }
    let mut mac: MacAddr = [0; 6];
    copy_far(linear(frame.es, frame.di), own(mac.as_mut_ptr()), 6);
    if mac[0] & 1 != 0 || mac == [0; 6] {
        return BAD_ADDRESS;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).mac = mac };
    apply();
    OK
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
pub fn terminate(frame: &mut Frame) -> Error {
    unsafe extern "fastcall" {
        /// asm/terminate.asm: 0 when our vectors were on top and are given back, else CANT_TERMINATE.
        fn unhook() -> Error;
        /// asm/terminate.asm: gives the memory back to DOS.
        fn free();
    }
    if slot(frame.bx).is_none() {
        return BAD_HANDLE;
    }
    if open_handles() > 1 {
        return 7;
    }
    // SAFETY: interrupts are off and no client has a handle but the caller.
    unsafe {
        let error = unhook();
        if error == OK {
            (driver().stop)(device());
            if (*state()).memory != 0 {
                free();
            }
        }
        error
    }
}
