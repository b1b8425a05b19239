//! A timer tick between the end of a burst and the driver's return to the card, while a frame waits. The other frames in the
//! card must come without a further frame.

use compkt::programs::net::Frame;
use compkt::programs::rt::clock::{Stopwatch, wait};
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{Ask, ETHERTYPE, Framing, Header, Op};

use crate::{Client, MIN, Outcome, PATIENCE, refuse};

/// Frames of the flow: more than a burst.
const FRAMES: u16 = 110;
/// Frames at its start that are refused, and wait.
const REFUSED: u16 = 4;
/// Microseconds that the receiver stays in the first frame with interrupts off, so that a tick is pending.
const FIRST_US: u32 = 300_000;
/// Microseconds in each other frame, so that further frames arrive and the ring is not empty at the burst's end.
const HOLD_US: u32 = 3_000;

static SEED: Shared<u32> = Shared::new(0);
static HELD: Shared<bool> = Shared::new(false);
static CAME: Shared<u16> = Shared::new(0);
/// Where a receiver puts each frame.
pub static ROOM: Shared<Frame> = Shared::new([0; compkt::device::MAX_FRAME as usize]);

extern "C" fn receive(regs: &mut Regs) {
    if regs.eax as u16 != 0 {
        return;
    }
    let mut head = [0; 24];
    Far::new(regs.ds, regs.esi as u16).read(&mut head);
    let [.., op, _, index_low, index_high, s0, s1, s2, s3, _, _] = head;
    let ours = op == Op::Data as u8 && u32::from_le_bytes([s0, s1, s2, s3]) == SEED.read();
    if ours {
        let hold = if HELD.read() { HOLD_US } else { FIRST_US };
        HELD.write(true);
        let mut watch = Stopwatch::start();
        while watch.microseconds() < hold {}
    }
    let refused = ours && u16::from_le_bytes([index_low, index_high]) < REFUSED;
    let room = if refused { Far(0) } else { Far::of(ROOM.get()) };
    regs.es = room.segment();
    regs.edi = room.offset() as u32;
    CAME.write(CAME.read() + (ours && !refused) as u16);
}

/// Receives a flow whose first frames are refused.
pub fn run(client: &mut Client) -> Outcome {
    client.seed = client.seed.wrapping_add(2);
    SEED.write(client.seed);
    inbox::receiver_with(receive);
    let ask = Ask { min: MIN, max: MIN, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us: 0, delay_ms: 0 };
    client.send(&Header { op: Op::Ask, index: 0, seed: client.seed, length: MIN, count: FRAMES }, &ask.encode())?;
    let all = wait(PATIENCE, || CAME.read() == FRAMES - REFUSED);
    inbox::receiver_with(refuse::receive);
    say!(c"{d} of {d} frames behind those that wait came\n", CAME.read(), FRAMES - REFUSED);
    if all { Ok(()) } else { Err(c"a tick at the end of a burst strands frames in the card") }
}
