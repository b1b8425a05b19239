//! Bursts of frames for receivers that enable interrupts. Every frame that the card took must come without a further frame;
//! frames that the card lost must be counted; and reception must go on.

use core::ffi::CStr;

use compkt::device::MAX_FRAME;
use compkt::programs::rt::clock::wait;
use compkt::programs::rt::console::Word;
use compkt::say;

use crate::client::Client;
use crate::receiver::{self, Flow, PLAIN, Plan, SHORT};

/// Interrupts on, and a bit slower than the frames come: the ring is never empty.
const SLOW: Plan = Plan { opens: true, stay_us: 1000, ..PLAIN };
const PACE_US: u16 = 850;
/// A receiver of STI and RETF.
const OPEN: Plan = Plan { opens: true, ..PLAIN };
/// So few frames that any card holds them.
const FEW: Flow = Flow { count: 5, gap_us: 3000, ..SHORT };
/// Frames that come while the first one is being received with interrupts off, for two BIOS ticks: more than a burst.
const PILE: Flow = Flow { count: 110, ..SHORT };
const GATHER_US: u32 = 110_000;
/// BIOS ticks within which a frame that was left in the card comes after another.
const SETTLE: u16 = 9;

pub fn run(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    client.comes(c"five frames come", FEW, PLAIN);
    for count in [8, 9, 64, 65, 110, 250, 400] {
        burst(client, c"slow receiver with interrupts on", Flow { count, gap_us: PACE_US, ..SHORT }, SLOW);
    }
    burst(client, c"slow receiver with interrupts on, frames at once", Flow { count: 250, ..SHORT }, SLOW);
    burst(client, c"STI and RETF, long frames", Flow { count: 110, max: MAX_FRAME, ..SHORT }, OPEN);
    burst(client, c"STI and RETF", Flow { count: 400, ..SHORT }, OPEN);
    burst(client, c"long frames, while the first is received", Flow { count: 30, max: MAX_FRAME, ..SHORT }, Plan { gather_us: GATHER_US, ..PLAIN });
    burst(client, c"interrupts off", Flow { count: 250, ..SHORT }, PLAIN);
    burst(client, c"20 ms with interrupts on", Flow { count: 12, ..SHORT }, Plan { stay_us: 20_000, ..OPEN });
    tick(client);
    pairs(client);
    client.close();
}

fn burst(client: &mut Client, receiver: &'static CStr, flow: Flow, plan: Plan) {
    client.checks.about(c"{s}, burst of {d}: ", [receiver.into(), flow.count.into()]);
    if client.dead {
        client.whole(c"its frames come", &flow, &receiver::seen());
        return;
    }
    let (lost, nested) = (client.lost(), receiver::nested());
    let seen = client.receive(flow, plan);
    let missing = flow.count.saturating_sub(seen.good) as u32;
    let lost = client.lost().wrapping_sub(lost);
    if missing != 0 {
        say!(c"   {d} of {d} came, {d} counted lost or wrong\n", seen.good, flow.count, lost);
    }
    // A further frame. Frames that come with it had been left in the card.
    let echoed = !client.dead && client.echo();
    if missing != 0 {
        wait(SETTLE, || false);
    }
    let stranded = receiver::seen().good - seen.good;
    client.checks.equal(c"no frame strands until another comes", 0, stranded as u32);
    if !client.uncounted {
        client.checks.holds(c"what did not come shows in get_statistics", lost != 0 || missing == 0, c"frames lost or wrong");
    }
    client.right(&seen, nested);
    client.checks.holds(c"reception goes on", echoed, c"the peer's answer");
    let after = client.receive(FEW, PLAIN);
    client.checks.equal(c"the next five frames come", FEW.count as u32, after.good as u32);
    client.checks.about(c"", [Word(0); 2]);
}

/// A timer interrupt that is requested during a frame must come when that frame's burst ends, not when the card is empty.
fn tick(client: &mut Client) {
    let most = client.burst;
    client.checks.about(c"a timer interrupt is due in the first of {d} frames: ", [PILE.count.into(), Word(0)]);
    let seen = client.receive(PILE, Plan { gather_us: GATHER_US, ..PLAIN });
    say!(c"   {d} of {d} frames were offered before it\n", seen.before_tick, seen.firsts);
    client.checks.holds(c"frames come", seen.good != 0, c"some");
    client.checks.holds(c"it comes behind no more than /BURST= frames", seen.before_tick <= most, c"no more");
    client.checks.about(c"", [Word(0); 2]);
}

/// Two frames at a time, and the peer's message that it has sent them; then silence.
fn pairs(client: &mut Client) {
    for gap_us in [0, 20, 50, 100, 150, 200, 250, 300] {
        let flow = Flow { count: 2, gap_us, ..SHORT };
        let mut good = 0;
        for _ in 0..5 {
            good += client.receive(flow, if gap_us % 100 == 0 { OPEN } else { PLAIN }).good as u32;
        }
        client.checks.about(c"two frames {d} us apart, then silence: ", [gap_us.into(), Word(0)]);
        client.checks.equal(c"both come, five times", 10, good);
    }
    client.checks.about(c"", [Word(0); 2]);
}
