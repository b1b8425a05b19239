//! Checks of send_pkt, both forms of as_send_pkt, drop_pkt, and the counters of sent frames.

use crate::Machine;
use crate::mailbox::again;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::clock::wait;
use compkt::programs::net;
use compkt::programs::rt::packet::{Driver, Handle, Statistics, error};
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use core::ffi::CStr;

/// BIOS ticks within which a frame must be sent.
const PATIENCE: u16 = 18;

/// A frame that no station answers, with room for one that is too long.
static FRAME: Shared<[u8; 2048]> = Shared::new([0; 2048]);

pub fn run(checks: &mut Checks, machine: &Machine) {
    let driver = machine.driver;
    // Receiver 0:0: frames that come meanwhile are only counted.
    let Some(handle) = checks.succeeds(c"access_type with a null receiver", driver.access(1, &[0x90, 0x40], Far(0))) else {
        return;
    };
    let mut frame: net::Frame = [0x3C; 1514];
    net::ether(&mut frame, &[0x52, 0x55, 10, 0, 2, 2], &machine.mac, 0x9040);
    // SAFETY: no receiver looks at it.
    unsafe { &mut *FRAME.get() }.iter_mut().zip(frame).for_each(|(to, byte)| *to = byte);
    lengths(checks, &driver, handle);
    if driver.info().is_ok_and(|info| matches!(info.functions, 5 | 6)) {
        asynchronous(checks, &driver, handle);
        iocb(checks, &driver, handle);
    } else {
        for (function, name) in [(11, c"as_send_pkt is absent"), (12, c"as_send_pkt by IOCB is absent"), (13, c"drop_pkt is absent")] {
            checks.fails(name, error::BAD_COMMAND, driver.ask(function << 8, 0, 60, Far::of(FRAME.get())));
        }
    }
    let _ = driver.release(handle);
}

fn send(driver: &Driver, len: u16) -> Result<(), u8> {
    patiently(|| driver.ask(0x0400, 0, len, Far::of(FRAME.get())).map(|_| ()))
}

/// BIOS ticks in which a card whose host has much to do gets room for a frame.
const ROOM: u16 = 10 * PATIENCE;

/// Asks again while the card has no room, which is CANT_SEND: a host that is busy may take its time with a full ring.
fn patiently(mut send: impl FnMut() -> Result<(), u8>) -> Result<(), u8> {
    let mut sent = send();
    if sent == Err(error::CANT_SEND) {
        again();
        wait(ROOM, || {
            sent = send();
            sent != Err(error::CANT_SEND)
        });
    }
    sent
}

fn counts(driver: &Driver, handle: Handle) -> Statistics {
    driver.statistics(handle).unwrap_or_default()
}

fn lengths(checks: &mut Checks, driver: &Driver, handle: Handle) {
    if checks.succeeds(c"get_statistics answers", driver.statistics(handle)).is_none() {
        return;
    }
    const GOOD: [(u16, &CStr); 8] = [
        (60, c"send_pkt of 60 bytes"),
        (61, c"send_pkt of 61 bytes"),
        (511, c"send_pkt of 511 bytes"),
        (512, c"send_pkt of 512 bytes"),
        (513, c"send_pkt of 513 bytes"),
        (1000, c"send_pkt of 1,000 bytes"),
        (1513, c"send_pkt of 1,513 bytes"),
        (1514, c"send_pkt of 1,514 bytes"),
    ];
    let before = counts(driver, handle);
    let mut bytes = 0;
    for (len, name) in GOOD {
        checks.succeeds(name, send(driver, len));
        bytes += len as u32;
    }
    let after = counts(driver, handle);
    checks.equal(c"packets_out counts what was sent", 8, after.packets_out.wrapping_sub(before.packets_out));
    checks.equal(c"bytes_out counts its bytes", bytes, after.bytes_out.wrapping_sub(before.bytes_out));
    checks.equal(c"errors_out counts none of it", 0, after.errors_out.wrapping_sub(before.errors_out));
    for (len, name) in [(14, c"send_pkt of 14 bytes"), (15, c"send_pkt of 15 bytes"), (59, c"send_pkt of 59 bytes")] {
        checks.succeeds(name, send(driver, len));
    }
    for (len, name) in [(1515, c"send_pkt of 1,515 bytes"), (2048, c"send_pkt of 2,048 bytes"), (0x8000, c"send_pkt of 32,768 bytes"), (0xFFFF, c"send_pkt of 65,535 bytes")] {
        checks.fails(name, error::NO_SPACE, send(driver, len));
    }
    // Not by `send`: the driver may answer with CANT_SEND, and `send` would ask again for ten seconds.
    checks.holds(c"send_pkt of no bytes fails", driver.ask(0x0400, 0, 0, Far::of(FRAME.get())).is_err(), c"an error");
    let end = counts(driver, handle);
    checks.equal(c"packets_out counts no frame that was refused", 3, end.packets_out.wrapping_sub(after.packets_out));
    let before = counts(driver, handle);
    let good = (0..200).filter(|_| send(driver, 1514).is_ok()).count();
    checks.equal(c"200 long frames in a row are sent", 200, good as u32);
    checks.equal(c"  and counted", 200, counts(driver, handle).packets_out.wrapping_sub(before.packets_out));
}

static DONE: Shared<u16> = Shared::new(0);
static DONE_AX: Shared<u16> = Shared::new(0);
static DONE_AT: Shared<Far> = Shared::new(Far(0));

extern "C" fn completed(regs: &mut Regs) {
    DONE.write(DONE.read() + 1);
    DONE_AX.write(regs.eax as u16);
    DONE_AT.write(Far::new(regs.es, regs.edi as u16));
}

fn as_send(driver: &Driver, len: u16, upcall: Far) -> Result<(), u8> {
    as_send_from(driver, Far::of(FRAME.get()), len, upcall)
}

fn as_send_from(driver: &Driver, frame: Far, len: u16, upcall: Far) -> Result<(), u8> {
    DONE.write(0);
    let mut regs = Regs::ax(0x0B00);
    regs.esi = frame.offset() as u32;
    regs.ecx = len as u32;
    regs.es = upcall.segment();
    regs.edi = upcall.offset() as u32;
    patiently(|| driver.call(&mut regs.clone()))
}

fn asynchronous(checks: &mut Checks, driver: &Driver, handle: Handle) {
    let upcall = inbox::receiver_with(completed);
    let before = counts(driver, handle);
    for (len, name) in [(60, c"as_send_pkt of 60 bytes"), (1514, c"as_send_pkt of 1,514 bytes"), (14, c"as_send_pkt of 14 bytes")] {
        if checks.succeeds(name, as_send(driver, len, upcall)).is_none() {
            continue;
        }
        checks.holds(c"  calls up", wait(PATIENCE, || DONE.read() != 0), c"an upcall within a second");
        checks.equal(c"  with AX = 0", 0, DONE_AX.read() as u32);
        checks.equal(c"  and the buffer in ES:DI", Far::of(FRAME.get()).linear(), DONE_AT.read().linear());
        checks.equal(c"  once", 1, DONE.read() as u32);
    }
    checks.equal(c"  and counts", 3, counts(driver, handle).packets_out.wrapping_sub(before.packets_out));
    checks.succeeds(c"as_send_pkt without an upcall", as_send(driver, 60, Far(0)));
    checks.holds(c"as_send_pkt of 1,515 bytes fails", as_send(driver, 1515, upcall).is_err(), c"an error");
    checks.holds(c"as_send_pkt of 65,535 bytes fails", as_send(driver, 0xFFFF, upcall).is_err(), c"an error");
    wait(3, || false);
    checks.equal(c"  without an upcall", 0, DONE.read() as u32);
}

/// The specification's I/O control block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Iocb {
    buffer: [u16; 2],
    len: u16,
    flags: u8,
    result: u8,
    upcall: [u16; 2],
    reserved: [u8; 4],
    private: [u8; 8],
}

const _: () = assert!(size_of::<Iocb>() == 24);
const DONE_FLAG: u8 = 1;
const UPCALL_FLAG: u8 = 2;
static IOCB: Shared<Iocb> = Shared::new(Iocb {
    buffer: [0; 2],
    len: 0,
    flags: 0,
    result: 0,
    upcall: [0; 2],
    reserved: [0; 4],
    private: [0; 8],
});

/// Sends `frame` by as_send_pkt, in its IOCB form if `iocb`, without an upcall; waits until its buffer may be reused.
pub fn asynchronously(driver: &Driver, frame: Far, len: u16, iocb: bool) -> Result<(), u8> {
    let sent = if iocb { send_iocb_from(driver, frame, len, 0, Far(0)) } else { as_send_from(driver, frame, len, Far(0)) };
    // Without an IOCB only the upcall says that a frame is sent: the wait is for the whole time.
    wait(PATIENCE, || iocb && IOCB.read().flags & DONE_FLAG != 0 || !iocb);
    sent
}

fn send_iocb(driver: &Driver, len: u16, flags: u8, upcall: Far) -> Result<(), u8> {
    send_iocb_from(driver, Far::of(FRAME.get()), len, flags, upcall)
}

fn send_iocb_from(driver: &Driver, frame: Far, len: u16, flags: u8, upcall: Far) -> Result<(), u8> {
    DONE.write(0);
    IOCB.write(Iocb {
        buffer: [frame.offset(), frame.segment()],
        len,
        flags,
        result: 0x77,
        upcall: [upcall.offset(), upcall.segment()],
        reserved: [0; 4],
        private: [0; 8],
    });
    driver.ask(0x0C00, 0, 0, Far::of(IOCB.get())).map(|_| ())
}

fn iocb(checks: &mut Checks, driver: &Driver, handle: Handle) {
    let upcall = inbox::receiver_with(completed);
    let before = counts(driver, handle);
    for (len, name) in [(60, c"as_send_pkt by IOCB of 60 bytes"), (1514, c"as_send_pkt by IOCB of 1,514 bytes")] {
        if checks.succeeds(name, send_iocb(driver, len, UPCALL_FLAG, upcall)).is_none() {
            continue;
        }
        checks.holds(c"  calls up", wait(PATIENCE, || DONE.read() != 0), c"an upcall within a second");
        checks.equal(c"  with the IOCB in ES:DI", Far::of(IOCB.get()).linear(), DONE_AT.read().linear());
        checks.equal(c"  says that it is done", DONE_FLAG as u32, (IOCB.read().flags & DONE_FLAG) as u32);
        checks.equal(c"  with return code 0", 0, IOCB.read().result as u32);
        checks.equal(c"  and keeps the length", len as u32, IOCB.read().len as u32);
    }
    checks.succeeds(c"as_send_pkt by IOCB without an upcall", send_iocb(driver, 60, 0, upcall));
    let done = wait(PATIENCE, || IOCB.read().flags & DONE_FLAG != 0);
    checks.holds(c"  says that it is done", done, c"the done bit within a second");
    wait(3, || false);
    checks.equal(c"  and calls no one", 0, DONE.read() as u32);
    checks.equal(c"  and counts", 3, counts(driver, handle).packets_out.wrapping_sub(before.packets_out));
    let refused = send_iocb(driver, 1515, UPCALL_FLAG, upcall).is_err();
    checks.holds(c"as_send_pkt by IOCB of 1,515 bytes fails", refused, c"an error");
    checks.fails(c"drop_pkt of an IOCB that was sent", error::BAD_IOCB, driver.ask(0x0D00, 0, 0, Far::of(IOCB.get())));
    let unknown = [0u8; 24];
    checks.fails(c"drop_pkt of an unknown IOCB", error::BAD_IOCB, driver.ask(0x0D00, 0, 0, Far::of(&unknown)));
}
