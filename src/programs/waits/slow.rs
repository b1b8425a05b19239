//! `/SLOW`: a burst at full rate into a receiver that takes one frame a tick, or `/TAKES=`. Each frame that the driver got must come with every
//! byte right, in order, or be counted as lost; then nothing waits any more.
//!
//! `/PAUSE`: short bursts of short frames, with `/GAP=` between two. The receiver waits for a request of the timer before it refuses a
//! frame. So the driver pauses behind this burst, and the receiver takes frames again, although the card has more of them.

use compkt::programs::rt::clock::{ticks, wait};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

use crate::tick::ROOM;
use crate::{Client, MAX, MIN, Outcome, PATIENCE, refuse};

/// Frames of the burst.
const FRAMES: u16 = 600;
/// Frames of a burst of `/PAUSE`, and the bytes of the longest. A card's ring holds them all: QEMU's NE2000 seems to overwrite a
/// full one.
const FEW: u16 = 40;
const SHORT: u16 = 200;
/// Number of those.
const ROUNDS: u16 = 4;
/// Ticks without a further frame after which the burst has ended.
const QUIET: u16 = 18;

static SEED: Shared<u32> = Shared::new(0);
/// The present tick, the frames that the receiver has taken in it and may take in one; the frames that it took in all, and the
/// number that the next one has at least.
static TICK: Shared<u16> = Shared::new(0);
static TOOK: Shared<u16> = Shared::new(0);
static TAKES: Shared<u16> = Shared::new(1);
static CAME: Shared<u16> = Shared::new(0);
static NEXT: Shared<u16> = Shared::new(0);
static WRONG: Shared<u16> = Shared::new(0);
/// Offers that were refused.
static REFUSALS: Shared<u16> = Shared::new(0);
/// Whether a refusal waits for a timer interrupt.
static PAUSE: Shared<bool> = Shared::new(false);
/// Frames that were not of the burst.
static OTHERS: Shared<u16> = Shared::new(0);

/// The frames of a burst, and the bytes of the longest.
fn shape() -> (u16, u16) {
    if PAUSE.read() { (FEW, SHORT) } else { (FRAMES, MAX) }
}

/// The header of a frame of the burst, if the bytes at `at` are one's.
fn header(at: Far) -> Option<Header> {
    let mut head = [0; 24];
    at.read(&mut head);
    let [.., op, _, index_low, index_high, s0, s1, s2, s3, _, _] = head;
    let (seed, index) = (u32::from_le_bytes([s0, s1, s2, s3]), u16::from_le_bytes([index_low, index_high]));
    let (count, max) = shape();
    let length = wire::length_of(seed, index, MIN, max);
    (op == Op::Data as u8 && seed == SEED.read()).then_some(Header { op: Op::Data, index, seed, length, count })
}

/// Waits until the interrupt controller has a request of the timer. Interrupts are off.
fn await_timer() {
    // More than a tick takes on any machine.
    for _ in 0..4_000_000u32 {
        let requests: u8;
        // SAFETY: OCW3 0Ah selects what the port returns when it is read next.
        unsafe { core::arch::asm!("out 0x20, al", "in al, 0x20", inlateout("al") 0x0Au8 => requests, options(nomem, nostack)) };
        if requests & 1 != 0 {
            break;
        }
    }
}

extern "C" fn receive(regs: &mut Regs) {
    let at = Far::new(regs.ds, regs.esi as u16);
    if regs.eax as u16 == 0 {
        let ours = header(at);
        if ticks() != TICK.read() {
            TICK.write(ticks());
            TOOK.write(0);
        }
        let takes = ours.is_none() || TOOK.read() < TAKES.read();
        if takes {
            TOOK.write(TOOK.read() + ours.is_some() as u16);
        } else {
            REFUSALS.write(REFUSALS.read() + 1);
            if PAUSE.read() {
                await_timer();
            }
        }
        let room = if takes { Far::of(ROOM.get()) } else { Far(0) };
        regs.es = room.segment();
        regs.edi = room.offset() as u32;
        return;
    }
    let Some(header) = header(at) else {
        OTHERS.write(OTHERS.read() + 1);
        return;
    };
    // SAFETY: upcalls do not nest, and nobody else looks at it.
    let frame = unsafe { &*ROOM.get() };
    let body = frame.get(MAC_HEADER..header.length as usize).unwrap_or(&[]);
    // The receiver begins to take frames at a tick only, and no tick comes within an entry. So no frame passes one that waits.
    let right = regs.ecx as u16 == header.length && wire::check_body(body, &header) && header.index >= NEXT.read();
    NEXT.write(header.index + 1);
    WRONG.write(WRONG.read() + !right as u16);
    CAME.write(CAME.read() + 1);
}

/// Asks for a burst, and receives it.
fn burst(client: &mut Client) -> Outcome {
    let ((count, max), gap_us) = (shape(), if client.pause { client.gap_us } else { 0 });
    client.seed = client.seed.wrapping_add(2);
    SEED.write(client.seed);
    NEXT.write(0);
    let ask = Ask { min: MIN, max, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us, delay_ms: 0 };
    client.send(&Header { op: Op::Ask, index: 0, seed: client.seed, length: MIN, count }, &ask.encode())?;
    // The time of `/HOLD=` is not known here: as long as frames come.
    let (first, mut came) = (CAME.read(), u16::MAX);
    while came != CAME.read() && CAME.read() != first + count {
        came = CAME.read();
        wait(if came == first { PATIENCE } else { QUIET }, || CAME.read() != came);
    }
    Ok(())
}

/// Receives the bursts, and checks what came.
pub fn run(client: &mut Client) -> Outcome {
    TAKES.write(client.takes);
    PAUSE.write(client.pause);
    let before = client.driver.statistics(client.handle).map_err(error::name)?;
    inbox::receiver_with(receive);
    let rounds = if client.pause { ROUNDS } else { 1 };
    for _ in 0..rounds {
        burst(client)?;
    }
    let (came, all) = (CAME.read(), rounds * shape().0);
    let after = client.driver.statistics(client.handle).map_err(error::name)?;
    inbox::receiver_with(refuse::receive);
    let [got, lost] = [after.packets_in.wrapping_sub(before.packets_in), after.packets_lost.wrapping_sub(before.packets_lost)];
    let got = got.wrapping_sub(OTHERS.read() as u32);
    say!(c"{d} of {d} frames got, {d} came, {d} counted as lost, {d} wrong, {d} offers refused\n", got, all, came, lost, WRONG.read(), REFUSALS.read());
    if WRONG.read() != 0 {
        return Err(c"a frame came out of order, or with a wrong byte");
    }
    // A card whose receiver overruns loses frames that the driver never got.
    let more = if client.pause { lost } else { 0 };
    if !(got..=got + more).contains(&(came as u32 + lost)) {
        return Err(c"a frame is neither here nor counted");
    }
    match client.pool() {
        Some(all) if all.waiting() == 0 => Ok(()),
        _ => Err(c"something waits for ever"),
    }
}
