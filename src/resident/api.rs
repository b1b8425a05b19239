//! INT 60h, function by function, named as the specification names them. Each takes the caller's registers and
//! gives the error for DH, 0 for success. asm/int60.asm has checked BX where a function needs an open handle.

use core::ptr::addr_of;

use super::frame::{Frame, count_groups, fetch_ds_si, fetch_es_di, fetch_frame, fetch_iocb, store_address, store_result, tell_sent};
use super::handle::{self, CLASS_8023, CLASS_DIX, Handle, MAX_TYPE};
use super::state::{counters, depth, desk, drive, forget, Handles, handle, head_of_info, job, nic, opened, state};
use super::table::{Entry, GROUPS};
use crate::bus::real::Machine;
use crate::bus::{Bus, Far};
use crate::device::{Job, MAX_FRAME, RcvMode};

/// DH, as the specification numbers it.
pub type Error = u8;
const OK: Error = 0;
const NO_CLASS: Error = 2;
const NO_TYPE: Error = 3;
const NO_NUMBER: Error = 4;
const BAD_TYPE: Error = 5;
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
/// Longest that a call waits for the transmitter, in counts of the PIT: 20 ms (40 ms where the BIOS runs it in mode
/// 2), a full-size frame at 10 Mb/s and its collisions.
const SEND_LIMIT: u16 = 47_721;

/// AH=1.
pub fn driver_info(frame: &mut Frame) -> Error {
    frame.bx = VERSION;
    frame.cx = (CLASS_DIX as u16) << 8;
    frame.dx = IF_TYPE;
    frame.ax = frame.ax & 0xFF00 | FUNCTIONALITY as u16;
    frame.set_ds();
    frame.si = nic() as u32 as u16;
    OK
}

/// AH=2.
pub fn access_type(frame: &mut Frame) -> Error {
    let (class, longest) = match frame.ax as u8 {
        CLASS_DIX => (Handle::IN_USE, 2),
        CLASS_8023 => (Handle::IN_USE | Handle::IS_8023, MAX_TYPE as u16),
        _ => return NO_CLASS,
    };
    if frame.bx != 0xFFFF && frame.bx != IF_TYPE {
        return NO_TYPE;
    }
    if frame.dx as u8 != 0 {
        return NO_NUMBER;
    }
    if frame.cx > longest {
        return BAD_TYPE;
    }
    // SAFETY: there is room for a type of that length.
    match handle::access(Handles, class | frame.cx as u8, |to| unsafe { fetch_ds_si(frame, to) }) {
        Ok(slot) => {
            frame.ax = slot as u32 as u16;
            // SAFETY: interrupts are off; see state.rs.
            unsafe {
                forget();
                frame.store_es_di(&raw mut (*slot).receiver);
                *opened() += 1;
            }
            OK
        }
        Err(error) => error as Error,
    }
}

/// AH=3.
pub fn release_type(frame: &mut Frame) -> Error {
    // SAFETY: BX is an open handle.
    unsafe {
        forget();
        *opened() -= 1;
        handle::release(handle(frame.bx));
    }
    OK
}

/// AH=4.
pub fn send_pkt(frame: &mut Frame) -> Error {
    fetch_frame(frame);
    send()
}

/// Sends what is fetched into the job.
#[inline(never)]
fn send() -> Error {
    // SAFETY: interrupts are off; see state.rs. The device's own fields, between two calls into its driver.
    unsafe {
        let len = (*job()).len;
        if len.wrapping_sub(1) >= MAX_FRAME {
            if len != 0 {
                return NO_SPACE;
            }
        } else if transmit() == 0 {
            let count = counters();
            (*count).packets_out = (*count).packets_out.wrapping_add(1);
            (*count).bytes_out = (*count).bytes_out.wrapping_add((*job()).len as u32);
            return OK;
        }
        let count = counters();
        (*count).errors_out = (*count).errors_out.wrapping_add(1);
        CANT_SEND
    }
}

/// Has the frame sent, at once or in time; the driver's answer.
#[inline(always)]
fn transmit() -> u8 {
    let answer = drive(Entry::Send);
    if answer == 1 { insist() } else { answer }
}

/// Has the frame sent that the NIC had no room for.
#[inline(never)]
fn insist() -> u8 {
    let start = Machine.clock();
    // The second limit, for a clock that stands.
    let mut polls = 0u16;
    loop {
        // Before the attempt: where the machine itself stood still (SMI, an emulator), the card has had its time, and is
        // asked once more.
        let late = start.wrapping_sub(Machine.clock()) >= SEND_LIMIT;
        let answer = drive(Entry::Send);
        polls = polls.wrapping_add(1);
        if answer != 1 || late || polls == 0 {
            return answer;
        }
    }
}

/// AH=6.
pub fn get_address(frame: &mut Frame) -> Error {
    if frame.cx < 6 {
        return NO_SPACE;
    }
    frame.cx = 6;
    store_address(frame);
    OK
}

/// Whether a client has a handle besides the caller.
#[inline(always)]
fn shared() -> bool {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { *opened() > 1 }
}

/// AH=7.
pub fn reset_interface(_: &mut Frame) -> Error {
    if shared() {
        return CANT_RESET;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        (*nic()).mac = (*nic()).rom;
        (*desk()).group_count = 0;
        (*nic()).rcv_mode = RcvMode::Broadcast as u8;
    }
    apply()
}

/// Has address, mode and multicast list given to the card when this call is left: behind the frames that are in the card,
/// so that none of them is lost; from inside an upcall, when the outer entry has delivered them.
#[inline(always)]
fn apply() -> Error {
    unsafe extern "fastcall" {
        /// asm/int60.asm: marks the change in `pending`; its result is [`OK`].
        safe fn note_change() -> Error;
    }
    note_change()
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
    frame.set_es();
    frame.di = addr_of!(PARAMETERS) as u32 as u16;
    OK
}

/// An upcall inside an upcall has no stack: a receiver uses `send_pkt`.
#[inline(always)]
fn in_upcall() -> bool {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { *depth() > 1 }
}

/// AH=11: the frame is copied to the card before this returns, so the upcall comes from inside.
pub fn as_send_pkt(frame: &mut Frame) -> Error {
    if in_upcall() {
        return CANT_SEND;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe { frame.store_es_di(&raw mut (*job()).upcall) };
    fetch_frame(frame);
    // SAFETY: as above.
    unsafe { (*job()).result = send() };
    tell()
}

/// AH=12. The block is marked done before its upcall, which may reuse it.
pub fn as_send_pkt_iocb(frame: &mut Frame) -> Error {
    if in_upcall() {
        return CANT_SEND;
    }
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        fetch_iocb(frame, job());
        if (*job()).flags & Job::UPCALL == 0 {
            (*job()).upcall = Far(0);
        }
        (*job()).result = send();
        store_result(frame);
        frame.store_es_di(&raw mut (*job()).at);
    }
    tell()
}

/// Tells a client that its frame is sent, if it is: it gets the job's address back. Hands the error on.
#[inline(never)]
fn tell() -> Error {
    // SAFETY: interrupts are off, see state.rs; the client gave this address for just this, and nothing is borrowed.
    unsafe {
        let error = (*job()).result;
        if error != OK {
            return error;
        }
        if (*job()).upcall != Far(0) {
            tell_sent(&raw const (*job()).upcall);
        }
    }
    OK
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
    let mode = frame.cx as u8;
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        // Cards may lose frames when they are told what they know: QEMU's e1000 is deaf for a second.
        if (*nic()).rcv_mode == mode {
            return OK;
        }
        (*nic()).rcv_mode = mode;
    }
    apply()
}

/// AH=21.
pub fn get_rcv_mode(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    frame.ax = unsafe { (*nic()).rcv_mode } as u16;
    OK
}

/// AH=22. The list is looked at where the client has it: there is no stack for it while the card is set.
pub fn set_multicast_list(frame: &mut Frame) -> Error {
    if frame.cx > 6 * GROUPS as u16 {
        return NO_SPACE;
    }
    let count = count_groups(frame);
    if count > GROUPS as u16 {
        return BAD_ADDRESS;
    }
    // SAFETY: there is room for that many bytes; interrupts are off, see state.rs.
    unsafe {
        (*desk()).group_count = count;
        fetch_es_di(frame, (*desk()).groups.as_mut_ptr() as *mut u8);
    }
    apply()
}

/// AH=23.
pub fn get_multicast_list(frame: &mut Frame) -> Error {
    frame.set_es();
    // SAFETY: interrupts are off; see state.rs.
    unsafe {
        frame.di = &raw const (*desk()).groups as u32 as u16;
        frame.cx = 6 * (*desk()).group_count;
    }
    OK
}

/// AH=24.
pub fn get_statistics(frame: &mut Frame) -> Error {
    frame.set_ds();
    // SAFETY: written once, by the installer.
    frame.si = unsafe { (*state()).device } as u16;
    OK
}

/// AH=25.
pub fn set_address(frame: &mut Frame) -> Error {
    if shared() {
        return CANT_SET;
    }
    if frame.cx != 6 {
        return BAD_ADDRESS;
    }
    // SAFETY: there is room for six bytes; interrupts are off, see state.rs.
    unsafe {
        fetch_es_di(frame, job() as *mut u8);
        let (Far(low), high) = ((*job()).at, (*job()).len);
        if low & 1 != 0 || low | high as u32 == 0 {
            return BAD_ADDRESS;
        }
        fetch_es_di(frame, &raw mut (*nic()).mac as *mut u8);
    }
    apply()
}

/// AH=80h: our own.
pub fn get_info(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).link = drive(Entry::Link) };
    frame.set_es();
    frame.di = head_of_info() as u32 as u16;
    OK
}
