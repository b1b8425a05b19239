//! `/STUCK`: a handle whose receiver refuses for ever. The frames of another handle, which have to wait, too, come; each frame of
//! the first one is counted as lost in the end, and its memory comes back. Then so many frames are refused that there is no more
//! room for received ones: as_send_pkt still finds room.

use compkt::programs::rt::clock::{Deadline, wait};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

use crate::refuse::{self, Mood};
use crate::{Client, MAX, MIN, Outcome, PATIENCE, burst};

/// The type of a second handle.
const OTHER: u16 = 0x88B6;
/// Frames for each handle at once: less than the pool holds of received ones.
const BATCH: u16 = 10;
/// Batches for the handle that takes them.
const ROUNDS: u16 = 5;
/// Frames for which there is no room.
const MANY: u16 = 60;
/// Ticks after which a batch in which the card lost a frame is asked for again.
const AGAIN: u16 = 20;

/// The handle that refuses, and a bit for each frame of its batch that the other one has refused.
static STUCK: Shared<u16> = Shared::new(0);
static REFUSED: Shared<u16> = Shared::new(0);
/// Frames that were taken, and offers that the first handle refused.
static TAKEN: Shared<u32> = Shared::new(0);
static REFUSALS: Shared<u32> = Shared::new(0);

extern "C" fn receive(regs: &mut Regs) {
    if regs.eax as u16 != 0 {
        TAKEN.write(TAKEN.read() + 1);
        return inbox::receive(regs);
    }
    let mut head = [0; 24];
    Far::new(regs.ds, regs.esi as u16).read(&mut head);
    let [.., op, _, index, _, _, _, _, _, _, _] = head;
    if op == Op::Data as u8 {
        let bit = 1 << (index & 15);
        let stuck = regs.ebx as u16 == STUCK.read();
        if stuck || REFUSED.read() & bit == 0 {
            if stuck { REFUSALS.write(REFUSALS.read() + 1) } else { REFUSED.write(REFUSED.read() | bit) }
            regs.es = 0;
            regs.edi = 0;
            return;
        }
    }
    inbox::receive(regs);
}

fn ask(client: &mut Client, kind: u16, count: u16) -> Outcome {
    client.seed = client.seed.wrapping_add(2);
    let ask = Ask { min: MIN, max: MAX, kind, framing: Framing::Type, to: [0; 6], gap_us: client.gap_us, delay_ms: 0 };
    client.send(&Header { op: Op::Ask, index: 0, seed: client.seed, length: MIN, count }, &ask.encode())
}

/// Has frames refused until `done`.
fn fill(client: &mut Client, kind: u16, count: u16, done: impl Fn(&Client) -> bool) -> Outcome {
    let deadline = Deadline::after(PATIENCE);
    while !deadline.over() {
        ask(client, kind, count)?;
        if wait(AGAIN, || done(client)) {
            return Ok(());
        }
    }
    Err(c"refused frames do not wait")
}

/// All parts.
pub fn run(client: &mut Client) -> Outcome {
    let first = client.handle;
    let second = client.driver.access(1, &OTHER.to_be_bytes(), inbox::receiver_with(receive)).map_err(error::name)?;
    // The driver offers the frames of one of them before those of the other.
    refuses(client, first, ETHERTYPE, OTHER)?;
    refuses(client, second, OTHER, ETHERTYPE)?;
    full(client)
}

/// `handle`, for `kind`, refuses for ever, and the one for `other` takes frames.
fn refuses(client: &mut Client, handle: u16, kind: u16, other: u16) -> Outcome {
    STUCK.write(handle);
    TAKEN.write(0);
    REFUSALS.write(0);
    let before = client.driver.statistics(handle).map_err(error::name)?;
    let waits = |client: &Client| client.pool().is_some_and(|all| all.waiting() != 0);
    for _ in 0..ROUNDS {
        if !waits(client) {
            fill(client, kind, BATCH, waits)?;
        }
        exchange(client, other)?;
    }
    // Frames from the peer still come, and are refused.
    if !wait(PATIENCE, || {
        inbox::take(|_| ());
        client.pool().is_some_and(|all| all.waiting() == 0)
    }) {
        return Err(c"something waits for ever");
    }
    let after = client.driver.statistics(handle).map_err(error::name)?;
    let [got, lost] = [after.packets_in.wrapping_sub(before.packets_in), after.packets_lost.wrapping_sub(before.packets_lost)];
    say!(c"{d} frames taken, {d} lost of {d}, {d} offers refused for ever\n", TAKEN.read(), lost, got, REFUSALS.read());
    if got != TAKEN.read() + lost || REFUSALS.read() <= lost {
        return Err(c"a frame is neither here nor counted, or was not offered again");
    }
    Ok(())
}

/// A batch for the other handle. Each frame is refused once, and comes at the next call of INT 60h.
fn exchange(client: &mut Client, kind: u16) -> Outcome {
    const ALL: u16 = (1 << BATCH) - 1;
    loop {
        REFUSED.write(0);
        ask(client, kind, BATCH)?;
        let seed = client.seed;
        let (mut came, mut wrong) = (0u16, false);
        let mut look = || {
            inbox::take(|frame| {
                let body = frame.bytes.get(MAC_HEADER..frame.len).unwrap_or(&[]);
                // A frame of an earlier batch may come late.
                let Some(header) = Header::decode(body).filter(|header| header.op == Op::Data && header.seed == seed) else { return };
                let bit = 1 << (header.index & 15);
                let length = wire::length_of(seed, header.index, MIN, MAX);
                wrong |= came & bit != 0 || header.length != length || frame.len != length as usize || !wire::check_body(body, &header);
                came |= bit;
            })
        };
        let all = wait(if client.again != 0 { AGAIN } else { PATIENCE }, || {
            look();
            REFUSED.read() == ALL
        });
        let _ = client.driver.parameters();
        while look().is_some() {}
        if wrong {
            return Err(c"a frame came twice or with a wrong byte");
        }
        match (all, came == ALL, client.again) {
            (true, true, _) => return Ok(()),
            (true, false, _) => return Err(c"a handle that refuses holds up another one"),
            (false, _, 0) => return Err(c"a frame did not come"),
            (false, ..) => client.again -= 1,
        }
    }
}

/// There is no more room for received frames, but for those that are to be sent.
fn full(client: &mut Client) -> Outcome {
    refuse::be(Mood::Everybody);
    inbox::receiver_with(refuse::receive);
    let failures = |client: &Client| client.pool().map_or(0, |all| all.stats.failures);
    let before = failures(client);
    fill(client, ETHERTYPE, MANY, |client| failures(client) != before)?;
    let waited = burst::run(client, 1)?;
    say!(c"{d} frames wait in the end\n", client.pool().map_or(0, |all| all.waiting()));
    refuse::be(Mood::Nobody);
    if waited == 0 {
        return Err(c"received frames leave no room for frames that are to be sent");
    }
    Ok(())
}
