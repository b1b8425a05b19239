//! A receiver that refuses a third of all frames when they are first offered, and each of those until its own time has come,
//! at most one tick later.

use core::ffi::CStr;

use compkt::programs::net::TYPE_IP;
use compkt::programs::rt::clock::{Deadline, rest, ticks};
use compkt::programs::rt::{Far, Regs, Shared, inbox, interrupted};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

use crate::{Client, MAX, MIN, Outcome, PATIENCE};

/// Frames that are asked for at once.
const BATCH: u16 = 12;
/// Ticks after which a batch is asked for again.
const AGAIN: u16 = 20;
const MISSING: &CStr = c"a frame did not come";
/// Frames between two lines of progress.
const PROGRESS: u32 = 2500;

/// What the receiver refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// No frame.
    Nobody,
    /// A third of the peer's frames.
    AThird,
    /// All of the peer's frames, and all of IP.
    Everybody,
}

static MOOD: Shared<Mood> = Shared::new(Mood::Nobody);
static SEED: Shared<u32> = Shared::new(0);
/// For each frame of the flow: the tick of its first offer, and the ticks from then on for which it is refused.
static FIRST: Shared<[u16; BATCH as usize]> = Shared::new([0; BATCH as usize]);
/// Offers of each frame.
static OFFERS: Shared<[u8; BATCH as usize]> = Shared::new([0; BATCH as usize]);
static RANDOM: Shared<u32> = Shared::new(1);
/// Frames that were refused at their first offer, and all refused offers.
static REFUSED: Shared<u32> = Shared::new(0);
static REFUSALS: Shared<u32> = Shared::new(0);

/// Sets what the receiver refuses.
pub fn be(mood: Mood) {
    MOOD.write(mood);
}

/// The receiver.
pub extern "C" fn receive(regs: &mut Regs) {
    if regs.eax as u16 == 0 && refuses(regs) {
        regs.es = 0;
        regs.edi = 0;
        REFUSALS.write(REFUSALS.read() + 1);
        return;
    }
    inbox::receive(regs);
}

/// Whether to refuse the frame whose first bytes are at DS:SI.
fn refuses(regs: &Regs) -> bool {
    let mut head = [0; 24];
    Far::new(regs.ds, regs.esi as u16).read(&mut head);
    if head[12..14] == TYPE_IP.to_be_bytes() {
        return MOOD.read() == Mood::Everybody;
    }
    let [.., op, _, index_low, index_high, s0, s1, s2, s3, _, _] = head;
    let index = u16::from_le_bytes([index_low, index_high]);
    if op != Op::Data as u8 || MOOD.read() == Mood::Nobody {
        return false;
    }
    if u32::from_le_bytes([s0, s1, s2, s3]) != SEED.read() {
        return true;
    }
    // SAFETY: upcalls do not nest; the main program uses both between flows only.
    let (offers, first) = unsafe { (&mut *OFFERS.get(), &mut *FIRST.get()) };
    let (Some(offers), Some(first)) = (offers.get_mut(index as usize), first.get_mut(index as usize)) else { return false };
    let random = random();
    *offers += 1;
    if MOOD.read() == Mood::Everybody {
        return true;
    }
    if *offers == 1 {
        *first = ticks();
        if random % 3 != 0 {
            return false;
        }
        // One of four is refused until the next tick.
        *first = first.wrapping_add((random >> 8 & 3 == 0) as u16);
        REFUSED.write(REFUSED.read() + 1);
        return true;
    }
    ticks().wrapping_sub(*first) as i16 as i32 <= -1
}

fn random() -> u32 {
    let mut random = RANDOM.read();
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    RANDOM.write(random);
    random
}

fn ask(client: &Client) -> Outcome {
    let ask = Ask { min: MIN, max: MAX, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us: client.gap_us, delay_ms: 0 };
    client.send(&Header { op: Op::Ask, index: 0, seed: client.seed, length: 60, count: BATCH }, &ask.encode())
}

/// Begins a new flow.
fn begin(client: &mut Client, mood: Mood) {
    MOOD.write(Mood::Nobody);
    client.seed = client.seed.wrapping_add(2);
    SEED.write(client.seed);
    RANDOM.write(client.seed | 1);
    OFFERS.write([0; BATCH as usize]);
    MOOD.write(mood);
}

/// Receives so many frames.
pub fn run(client: &mut Client, frames: u32) -> Outcome {
    let mut came = 0;
    while came < frames && !interrupted() {
        exchange(client, Mood::AThird)?;
        let before = came / PROGRESS;
        came += BATCH as u32;
        if came / PROGRESS != before {
            say!(c"{d} frames\n", came);
        }
    }
    say!(c"{d} frames came, {d} of them refused at first, {d} offers refused, every byte right\n", came, REFUSED.read(), REFUSALS.read());
    if REFUSED.read() < came / 5 { Err(c"it refused too few") } else { Ok(()) }
}

/// Receives a flow, and checks it.
fn exchange(client: &mut Client, mood: Mood) -> Outcome {
    loop {
        begin(client, mood);
        ask(client)?;
        let patience = if client.again != 0 { AGAIN } else { PATIENCE };
        match batch(client, patience) {
            Err(why) if why == MISSING && client.again != 0 => (client.again, client.late) = (client.again - 1, true),
            outcome => return outcome,
        }
    }
}

/// Receives the frames of a flow once.
fn batch(client: &Client, patience: u16) -> Outcome {
    let mut came = 0u16;
    let deadline = Deadline::after(patience);
    while came != (1 << BATCH) - 1 {
        let right = inbox::take(|frame| {
            let body = frame.bytes.get(MAC_HEADER..frame.len).unwrap_or(&[]);
            let Some(header) = Header::decode(body) else { return false };
            if header.op != Op::Data {
                return header.op == Op::Done;
            }
            if client.late && header.seed != client.seed {
                return true;
            }
            let length = wire::length_of(client.seed, header.index, MIN, MAX);
            let body = body.get(..length as usize - MAC_HEADER).unwrap_or(&[]);
            let once = came >> (header.index & 15) & 1 == 0;
            came |= 1 << (header.index & 15);
            once && header.seed == client.seed && header.length == length && !body.is_empty() && wire::check_body(body, &header)
        });
        if right == Some(false) {
            return Err(c"a frame came twice, from another flow, or with a wrong byte");
        }
        if deadline.over() {
            return Err(MISSING);
        }
        if right.is_none() {
            rest();
        }
    }
    Ok(())
}

/// BIOS ticks within which the host sends a batch; the next is asked for after them.
const ROUND: u16 = 18;

/// Closes the handle while its frames are kept, and opens another for the same type: it must get none of them.
pub fn closed(client: &mut Client) -> Outcome {
    begin(client, Mood::Everybody);
    ask(client)?;
    let deadline = Deadline::after(PATIENCE);
    let mut round = Deadline::after(ROUND);
    while client.pool().is_none_or(|stats| stats.waiting() < 6) {
        if deadline.over() {
            return Err(c"refused frames do not wait");
        }
        // A slow host may send each frame after the one before was dropped: asks again, for another flow, because frames of
        // the first one have been offered.
        if round.over() {
            begin(client, Mood::Everybody);
            ask(client)?;
            round = Deadline::after(ROUND);
        }
        rest();
    }
    let kept = client.pool().map_or(0, |stats| stats.waiting());
    let _ = client.driver.release(client.handle);
    MOOD.write(Mood::Nobody);
    client.open()?;
    let deadline = Deadline::after(6);
    let mut strange = 0;
    while !deadline.over() {
        // Frames from the peer still come.
        let refused = inbox::take(|frame| {
            let header = Header::decode(frame.bytes.get(MAC_HEADER..).unwrap_or(&[]));
            let header = header.filter(|header| header.op == Op::Data && header.seed == client.seed);
            header.is_some_and(|header| OFFERS.read().get(header.index as usize).is_some_and(|offers| *offers != 0))
        });
        strange += (refused == Some(true)) as u16;
    }
    say!(c"{d} frames waited for a handle that was closed, {d} came to another\n", kept, strange);
    if strange != 0 {
        return Err(c"frames of a closed handle came to another");
    }
    exchange(client, Mood::Nobody)
}
