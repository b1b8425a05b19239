//! Frames sent by the main program, INT 08h before and after its EOI, INT 1Ch, INT 28h and the receiver, also during another
//! call that sends. Each sender's frames must arrive unchanged.

use core::ffi::CStr;

use compkt::programs::rt::clock::Deadline;
use compkt::programs::rt::console::Word;
use compkt::programs::rt::{Far, Regs, int};
use compkt::say;

use crate::client::{Client, PATIENCE};
use crate::receiver::{self, Act, Flow, PLAIN, Plan, SHORT};
use crate::sender;
use crate::timer::{AFTER, BEFORE, Calling, Does, OPEN, feed};

/// Least and most frames of the main program, and least frames of each handler.
const FRAMES: u16 = 250;
const MOST: u16 = 10_000;
const LEAST: u16 = 4;
/// After so many frames the main program waits for the peer.
const AHEAD: u16 = 1_000;

pub fn run(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    let quiet: [(u8, bool, &'static CStr); 3] = [
        (BEFORE | AFTER, false, c"INT 08h before and after EOI"),
        (AFTER | OPEN, false, c"INT 08h after EOI, interrupts on"),
        (BEFORE | AFTER | OPEN, true, c"INT 08h, receivers that send, CALL FAR"),
    ];
    if client.high {
        high(client);
    }
    for (when, by_far, name) in quiet {
        round(client, when, by_far, name);
    }
    client.close();
}

/// Frames that are sent from and received into the HMA.
fn high(client: &mut Client) {
    client.checks.about(c"buffers in the HMA: ", [Word(0); 2]);
    let seed = client.seed();
    sender::reset(seed);
    for at in [0x0010, 0x0011, 0x0FF0, 0x7FFF, 0xFA00] {
        for length in [60, 61, 511, 1514] {
            let _ = sender::send_from(sender::MAIN, length, Some(Far::new(0xFFFF, at)));
        }
    }
    client.reaches(c"send_pkt", sender::MAIN, 20);
    let flow = Flow { count: 12, max: 1514, gap_us: 4000, ..SHORT };
    client.comes(c"every frame comes", flow, Plan { high: true, ..PLAIN });
    client.checks.about(c"", [Word(0); 2]);
}

fn round(client: &mut Client, when: u8, by_far: bool, name: &'static CStr) {
    say!(c"   sends from {s}\n", name);
    client.checks.about(c"sends from {s}: ", [name.into(), Word(0)]);
    let seed = client.seed();
    sender::reset(seed);
    let flow = Flow { count: 60, max: 400, gap_us: 4000, ..SHORT };
    let (lost, nested) = (client.lost(), receiver::nested());
    let plan = Plan { opens: by_far, act: if by_far { Act::Send } else { Act::None }, in_second: true, ..PLAIN };
    if !client.dead {
        let _ = client.ask(flow, plan);
    }
    let (calls, ticks) = {
        let hooks = Calling::new(client.rate, when, Does::Send);
        let ticks = hooks.ticks();
        sender::by_far_call(by_far);
        let deadline = Deadline::after(PATIENCE);
        let mut number = 0u16;
        let few = |which: usize| sender::count(which).0 < LEAST;
        while number < FRAMES || few(sender::AFTER_EOI) || few(sender::TICK) || when & BEFORE != 0 && few(sender::BEFORE_EOI) {
            feed();
            let _ = sender::send(sender::MAIN);
            if number % 4 == 0 {
                int(0x28, &mut Regs::ax(0));
            }
            number += 1;
            if number % AHEAD == 0 && !client.dead {
                client.drain();
            }
            if deadline.over() || number == MOST {
                break;
            }
        }
        let seen = if client.dead { receiver::seen() } else { client.await_flow(&flow) };
        sender::by_far_call(false);
        client.mostly(c"every frame comes meanwhile", &flow, &seen, lost);
        client.right(&seen, nested);
        (hooks.calls().0, hooks.ticks().wrapping_sub(ticks))
    };
    say!(c"   {d} timer interrupts, {d} calls of handlers\n", ticks, calls);
    client.reaches(c"the main program's", sender::MAIN, FRAMES / 2);
    if when & BEFORE != 0 {
        client.reaches(c"INT 08h's before EOI", sender::BEFORE_EOI, LEAST);
    }
    client.reaches(c"INT 08h's after EOI", sender::AFTER_EOI, LEAST);
    client.reaches(c"INT 1Ch's", sender::TICK, LEAST);
    client.reaches(c"INT 28h's", sender::IDLE, FRAMES / 8);
    if by_far {
        client.reaches(c"the receiver's", sender::SECOND, LEAST);
    }
    client.checks.about(c"", [Word(0); 2]);
}
