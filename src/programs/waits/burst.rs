//! Bursts of as_send_pkt, in both forms, with more frames than a card has room for. Accepted frames must be sent in order,
//! each with one upcall; drop_pkt removes some.

use core::ffi::CStr;

use compkt::programs::rt::clock::wait;
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Header, Op};

use crate::{Client, MIN, Outcome, PATIENCE, refuse};

/// Frames of a burst: more than the driver lets wait, with what many cards hold.
const BURST: usize = 40;
/// The longest, so that all buffers fit into memory.
const MAX: u16 = 420;
type Buffer = [u8; MAX as usize];
/// Bursts of each form.
pub const ROUNDS: u16 = 20;

/// The specification's I/O control block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Iocb {
    buffer: Far,
    len: u16,
    flags: u8,
    result: u8,
    upcall: Far,
    reserved: [u8; 12],
}

const DONE: u8 = 1;
const UPCALL: u8 = 2;
/// The result in an IOCB before the driver has written it.
const UNTOLD: u8 = 0x77;

static FRAMES: Shared<[Buffer; BURST]> = Shared::new([[0; MAX as usize]; BURST]);
static BLOCKS: Shared<[Iocb; BURST]> =
    Shared::new([Iocb { buffer: Far(0), len: 0, flags: 0, result: 0, upcall: Far(0), reserved: [0; 12] }; BURST]);
/// From the upcalls: their number, the frames in order, and the number with an error.
static TOLD: Shared<u16> = Shared::new(0);
static ORDER: Shared<[u8; BURST]> = Shared::new([0; BURST]);
static ERRORS: Shared<u16> = Shared::new(0);
static IS_IOCB: Shared<bool> = Shared::new(false);

fn frame_at(index: usize) -> Far {
    // SAFETY: takes the address only.
    Far::of(unsafe { FRAMES.get().cast::<Buffer>().add(index % BURST) })
}

fn block_at(index: usize) -> *mut Iocb {
    // SAFETY: the index is taken modulo their number.
    unsafe { BLOCKS.get().cast::<Iocb>().add(index % BURST) }
}

extern "C" fn sent(regs: &mut Regs) {
    let at = Far::new(regs.es, regs.edi as u16).linear();
    let index = (0..BURST).find(|index| at == if IS_IOCB.read() { Far::of(block_at(*index)).linear() } else { frame_at(*index).linear() });
    let Some(index) = index else {
        // A received frame: it comes to this hook, too.
        regs.es = 0;
        regs.edi = 0;
        return;
    };
    // SAFETY: upcalls do not nest; the main program reads this when none is expected.
    if let Some(place) = unsafe { &mut *ORDER.get() }.get_mut(TOLD.read() as usize) {
        *place = index as u8;
    }
    TOLD.write(TOLD.read() + 1);
    ERRORS.write(ERRORS.read() + (regs.eax as u8 != 0) as u16);
}

/// So many bursts in both forms. Returns the number of frames that waited.
pub fn run(client: &mut Client, rounds: u16) -> Result<u32, &'static core::ffi::CStr> {
    let mut sums = [0; 4];
    let mut outcome = Ok(());
    for iocb in [false, true] {
        IS_IOCB.write(iocb);
        for round in 0..rounds {
            outcome = outcome.and_then(|()| burst(client, iocb, round, &mut sums));
        }
    }
    let [taken, waited, refused, dropped] = sums;
    say!(c"{d} frames sent by as_send_pkt, {d} of them waited, {d} refused, {d} dropped\n", taken, waited, refused, dropped);
    outcome.map(|()| waited)
}

fn burst(client: &mut Client, iocb: bool, round: u16, sums: &mut [u32; 4]) -> Outcome {
    client.seed = client.seed.wrapping_add(2);
    let seed = client.seed;
    TOLD.write(0);
    ERRORS.write(0);
    fill(client, seed);
    let mut accepted = hand_over(client, iocb, sums)?;
    if iocb && round & 1 != 0 && drop_last(client, &mut accepted)? {
        sums[3] += 1;
    }
    let count = number(&accepted);
    wait(PATIENCE, || TOLD.read() >= count);
    inbox::receiver_with(refuse::receive);
    sums[0] += count as u32;
    told_in_order(iocb, &accepted)?;
    if client.alone {
        return Ok(());
    }
    let tally = client.tally(seed, BURST as u16)?;
    if tally.good != count as u32 || tally.bad != 0 || tally.repeated != 0 {
        say!(c"the peer heard {d} of {d}, {d} bad, {d} twice\n", tally.good, count, tally.bad, tally.repeated);
        return Err(c"what was taken is not what was sent");
    }
    Ok(())
}

/// Writes the frames of a burst.
fn fill(client: &Client, seed: u32) {
    for index in 0..BURST {
        let length = wire::length_of(seed, index as u16, MIN, MAX);
        // SAFETY: none of these frames is on its way.
        let frame = unsafe { &mut (&mut *FRAMES.get())[index % BURST] };
        client.write(frame, &Header { op: Op::Data, index: index as u16, seed, length, count: BURST as u16 }, &[]);
    }
}

/// Which frames of a burst the driver has taken.
type Accepted = [bool; BURST];

fn number(accepted: &Accepted) -> u16 {
    accepted.iter().filter(|is_taken| **is_taken).count() as u16
}

/// Gives the frames to the driver; which of them it takes. Counts those that wait and those that it refuses.
fn hand_over(client: &mut Client, iocb: bool, sums: &mut [u32; 4]) -> Result<Accepted, &'static CStr> {
    // The receivers share one hook.
    let upcall = inbox::receiver_with(sent);
    let mut accepted = [false; BURST];
    for (index, is_taken) in accepted.iter_mut().enumerate() {
        let length = wire::length_of(client.seed, index as u16, MIN, MAX);
        let answer = if iocb {
            // SAFETY: none of these frames is on its way.
            unsafe { *block_at(index) = Iocb { buffer: frame_at(index), len: length, flags: UPCALL, result: UNTOLD, upcall, reserved: [0; 12] } };
            client.driver.ask(0x0C00, 0, 0, Far::of(block_at(index))).map(|_| ())
        } else {
            let mut regs = Regs::ax(0x0B00);
            regs.esi = frame_at(index).offset() as u32;
            regs.ecx = length as u32;
            regs.es = upcall.segment();
            regs.edi = upcall.offset() as u32;
            client.driver.call(&mut regs)
        };
        match answer {
            Ok(()) => {
                *is_taken = true;
                let told = TOLD.read() as usize;
                sums[1] += (!ORDER.read().iter().take(told).any(|told| *told as usize == index)) as u32;
            }
            Err(error::CANT_SEND) => sums[2] += 1,
            Err(_) => return Err(c"as_send_pkt refuses with a strange error"),
        }
    }
    Ok(accepted)
}

/// Drops the last frame that was taken, unless it is sent already; whether it was dropped.
fn drop_last(client: &mut Client, accepted: &mut Accepted) -> Result<bool, &'static CStr> {
    let last = accepted.iter().rposition(|is_taken| *is_taken).unwrap_or(0);
    // SAFETY: a byte that the driver writes.
    let open = unsafe { (&raw const (*block_at(last)).flags).read_volatile() } & DONE == 0;
    let dropped = client.driver.ask(0x0D00, 0, 0, Far::of(block_at(last))).is_ok();
    if dropped && !open {
        return Err(c"drop_pkt drops what is done");
    }
    if dropped && let Some(is_taken) = accepted.get_mut(last) {
        *is_taken = false;
    }
    Ok(dropped)
}

/// Whether each frame that was taken had one upcall, in order and without an error, and its IOCB says so.
fn told_in_order(iocb: bool, accepted: &Accepted) -> Outcome {
    let count = number(accepted);
    let taken = || accepted.iter().enumerate().filter(|(_, is_taken)| **is_taken).map(|(index, _)| index);
    let mut expected = taken();
    if TOLD.read() != count || ERRORS.read() != 0 {
        return Err(c"upcalls are missing, too many, or say an error");
    }
    if !ORDER.read().iter().take(count as usize).all(|told| expected.next() == Some(*told as usize)) {
        return Err(c"upcalls come in another order");
    }
    for index in taken().filter(|_| iocb) {
        // SAFETY: none of these frames is on its way.
        let block = unsafe { block_at(index).read_volatile() };
        if block.flags & DONE == 0 || block.result != 0 {
            return Err(c"an IOCB is not done after its upcall");
        }
    }
    Ok(())
}
