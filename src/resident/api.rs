//! The functions of INT 60h, with the specification's names. asm/int60.asm calls each with the caller's registers, interrupts
//! off; it has checked that BX is an open handle where a function needs one. The result is the error for DH, 0 for none.

use core::ptr::addr_of;

use super::frame::{Frame, count_groups, fetch_ds_si, fetch_es_di, fetch_frame, fetch_iocb, store_address, store_result, tell_sent};
use super::handle::{self, CLASS_8023, CLASS_DIX, Handle, MAX_TYPE};
use super::state::{counters, depth, desk, drive, forget, Handles, handle, head_of_info, job, nic, opened, state};
use super::table::{Entry, GROUPS};
use crate::bus::real::Machine;
use crate::bus::{Bus, Far};
use crate::device::{Job, MAX_FRAME, RcvMode};

/// An error for DH, by the specification's numbers.
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

/// `driver_info`'s version, the specification's revision, and interface type, one that no vendor was given.
const VERSION: u16 = 0x010B;
const IF_TYPE: u16 = 0x79;
/// `driver_info`'s functionality: basic, extended and high-performance functions.
const FUNCTIONALITY: u8 = 6;
/// Longest wait of a call for room in the transmitter, in counts of the PIT: 20 ms, or 40 ms where the BIOS runs the PIT in
/// mode 2. A full-size frame at 10 Mb/s with its collisions takes less.
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
    // SAFETY: `kind` has room for the longest type.
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

/// Sends the job's frame, and counts it or the error.
#[inline(never)]
fn send() -> Error {
    // SAFETY: interrupts are off; see state.rs. The counters are the device's; no call into its driver is in progress.
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

/// Sends the job's frame, and waits for room if the NIC has none; returns the driver's answer.
#[inline(always)]
fn transmit() -> u8 {
    let answer = drive(Entry::Send);
    if answer == 1 { insist() } else { answer }
}

/// Sends the job's frame when the NIC has had no room for it: tries again until the limit.
#[inline(never)]
fn insist() -> u8 {
    let start = Machine.clock();
    // The number of polls is a second limit, for a PIT that stands still.
    let mut polls = 0u16;
    loop {
        // The clock is read before the attempt: after a pause of the whole machine (an SMI, an emulator) the card has had its
        // time, and one more attempt is made.
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

/// Whether another client than the caller has a handle.
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

/// Marks address, receive mode and multicast list as changed. The way out (`settle` in asm/irq.asm) gives them to the card
/// after it has delivered the frames that the card holds, so that none is lost. From an upcall, the outer entry's way out
/// does that.
#[inline(always)]
fn apply() -> Error {
    unsafe extern "fastcall" {
        /// asm/int60.asm: marks the change in `pending`; its result is [`OK`].
        safe fn note_change() -> Error;
    }
    note_change()
}

/// AH=10. The answer has 14 bytes; its third byte says so.
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

/// Whether a receiver is the caller. `as_send_pkt` is refused then, because its upcall would have no stack; a receiver may
/// use `send_pkt`.
#[inline(always)]
fn in_upcall() -> bool {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { *depth() > 1 }
}

/// AH=11. The frame is copied to the card before this returns, so the client's upcall is made inside this call.
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

/// AH=12. The IOCB is marked done before the client's upcall, which may reuse it.
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

/// Calls the client's upcall if its frame is sent and it wants one; the upcall gets the job's address. Returns the job's
/// error.
#[inline(never)]
fn tell() -> Error {
    // SAFETY: interrupts are off, see state.rs; the client gave this address for this call, and no borrow is alive.
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

/// AH=13. Without the pool feature no frame waits, so no IOCB is found.
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
        // A card is not set to the mode that it has: it may lose frames. QEMU's e1000 receives nothing for a second.
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

/// AH=22. The list is checked in the client's memory: a bad list must not replace the present one, and the stack has no
/// room for a copy.
pub fn set_multicast_list(frame: &mut Frame) -> Error {
    if frame.cx > 6 * GROUPS as u16 {
        return NO_SPACE;
    }
    let count = count_groups(frame);
    if count > GROUPS as u16 {
        return BAD_ADDRESS;
    }
    // SAFETY: `groups` has room for that many bytes; interrupts are off, see state.rs.
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
    // SAFETY: the job and `mac` have room for six bytes; interrupts are off, see state.rs.
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

/// AH=80h, this driver's own: the address of the information block.
pub fn get_info(frame: &mut Frame) -> Error {
    // SAFETY: interrupts are off; see state.rs.
    unsafe { (*nic()).link = drive(Entry::Link) };
    frame.set_es();
    frame.di = head_of_info() as u32 as u16;
    OK
}
