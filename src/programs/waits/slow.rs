//! `/SLOW`: a burst at full rate into a receiver that takes one frame a tick, or `/TAKES=`. Each frame that the driver got must come with every
//! byte right, or be counted as lost; those that waited must come in order; then nothing waits any more.

use compkt::programs::rt::clock::{ticks, wait};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

use crate::tick::ROOM;
use crate::{Client, MAX, MIN, Outcome, PATIENCE, refuse};

/// Frames of the burst.
const FRAMES: u16 = 600;
/// Ticks without a further frame after which the burst has ended.
const QUIET: u16 = 18;

static SEED: Shared<u32> = Shared::new(0);
/// The present tick, the frames that the receiver has taken in it and may take in one; the frames that it took in all, and the
/// number that the next one that waited has at least.
static TICK: Shared<u16> = Shared::new(0);
static TOOK: Shared<u16> = Shared::new(0);
static TAKES: Shared<u16> = Shared::new(1);
static CAME: Shared<u16> = Shared::new(0);
static NEXT: Shared<u16> = Shared::new(0);
static WRONG: Shared<u16> = Shared::new(0);
/// A bit for each frame that was refused.
static REFUSED: Shared<[u8; FRAMES.div_ceil(8) as usize]> = Shared::new([0; FRAMES.div_ceil(8) as usize]);
/// Frames that were not of the burst.
static OTHERS: Shared<u16> = Shared::new(0);

/// The header of a frame of the burst, if the bytes at `at` are one's.
fn header(at: Far) -> Option<Header> {
    let mut head = [0; 24];
    at.read(&mut head);
    let [.., op, _, index_low, index_high, s0, s1, s2, s3, _, _] = head;
    let (seed, index) = (u32::from_le_bytes([s0, s1, s2, s3]), u16::from_le_bytes([index_low, index_high]));
    let length = wire::length_of(seed, index, MIN, MAX);
    (op == Op::Data as u8 && seed == SEED.read()).then_some(Header { op: Op::Data, index, seed, length, count: FRAMES })
}

/// The byte of [`REFUSED`] for a frame.
fn refused(index: u16) -> Option<&'static mut u8> {
    // SAFETY: upcalls do not nest, and nobody else looks at it.
    unsafe { (*REFUSED.get()).get_mut(index as usize / 8) }
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
        if let Some(header) = ours {
            if takes {
                TOOK.write(TOOK.read() + 1);
            } else if let Some(byte) = refused(header.index) {
                *byte |= 1 << (header.index & 7);
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
    let mut right = regs.ecx as u16 == header.length && wire::check_body(body, &header);
    // A frame that the receiver takes at once may overtake those that wait.
    if refused(header.index).is_some_and(|byte| *byte >> (header.index & 7) & 1 != 0) {
        right &= header.index >= NEXT.read();
        NEXT.write(header.index + 1);
    }
    WRONG.write(WRONG.read() + !right as u16);
    CAME.write(CAME.read() + 1);
}

/// Receives the burst.
pub fn run(client: &mut Client) -> Outcome {
    client.seed = client.seed.wrapping_add(2);
    SEED.write(client.seed);
    TAKES.write(client.takes);
    let before = client.driver.statistics(client.handle).map_err(error::name)?;
    inbox::receiver_with(receive);
    let ask = Ask { min: MIN, max: MAX, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us: 0, delay_ms: 0 };
    client.send(&Header { op: Op::Ask, index: 0, seed: client.seed, length: MIN, count: FRAMES }, &ask.encode())?;
    // The time of `/HOLD=` is not known here: as long as frames come.
    let mut came = u16::MAX;
    while came != CAME.read() {
        came = CAME.read();
        wait(if came == 0 { PATIENCE } else { QUIET }, || CAME.read() != came);
    }
    let after = client.driver.statistics(client.handle).map_err(error::name)?;
    inbox::receiver_with(refuse::receive);
    let [got, lost] = [after.packets_in.wrapping_sub(before.packets_in), after.packets_lost.wrapping_sub(before.packets_lost)];
    let got = got.wrapping_sub(OTHERS.read() as u32);
    say!(c"{d} of {d} frames got, {d} came, {d} counted as lost, {d} wrong\n", got, FRAMES, came, lost, WRONG.read());
    if WRONG.read() != 0 {
        return Err(c"a frame came out of order, or with a wrong byte");
    }
    if came as u32 + lost != got {
        return Err(c"a frame is neither here nor counted");
    }
    match client.pool() {
        Some(all) if all.waiting() == 0 => Ok(()),
        _ => Err(c"something waits for ever"),
    }
}
