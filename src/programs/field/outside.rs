//! Checks in which the host takes part: a frame right after loading, a pulled cable, keys pressed under a flood.

use compkt::device::MAX_FRAME;
use compkt::programs::rt::clock::{Deadline, rest, ticks};
use compkt::programs::rt::{Regs, int};
use compkt::say;

use crate::client::{Client, PATIENCE};
use crate::receiver::{Flow, PLAIN, SHORT};
use crate::sender;
use crate::timer::feed;

/// Keys that the host presses, each after the last one was read: an emulator's keyboard drops keys that wait long.
const KEYS: u32 = 60;

/// The first call after loading, except those that open handles, sends a frame.
pub fn first(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    let seed = client.seed();
    sender::reset(seed);
    let _ = sender::send_of(sender::MAIN, MAX_FRAME);
    client.reaches(c"the first frame after loading", sender::MAIN, 1);
    client.comes(c"the first frames come", Flow { count: 5, gap_us: 3000, ..SHORT }, PLAIN);
    client.close();
}

/// The cable is out: calls that send must still return.
pub fn cable(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    sender::reset(1);
    let mut longest = 0;
    for _ in 0..50 {
        feed();
        let start = ticks();
        let _ = sender::send(sender::MAIN);
        longest = longest.max(ticks().wrapping_sub(start));
    }
    let (sent, refused, errors, _) = sender::count(sender::MAIN);
    say!(c"   {d} sent, {d} refused with CANT_SEND; the longest took {d} ticks\n", sent, refused, longest);
    client.checks.equal(c"50 sends end, with no error but CANT_SEND", 50, sent as u32 + refused as u32);
    client.checks.equal(c"  and no other error", 0, errors as u32);
    client.close();
}

/// The host presses keys, and sends frames.
pub fn keys(client: &mut Client) {
    if !client.open(true) {
        return;
    }
    let mut keys = 0;
    let mut quiet = Deadline::after(PATIENCE);
    say!(c"[key]\n");
    while keys != KEYS && !quiet.over() {
        let mut regs = Regs::ax(0x0100);
        int(0x16, &mut regs);
        // ZF set: there is no key.
        if regs.flags & 0x40 != 0 {
            rest();
            continue;
        }
        feed();
        quiet = Deadline::after(PATIENCE);
        let mut regs = Regs::ax(0);
        int(0x16, &mut regs);
        keys += (regs.eax as u8 == b'a') as u32;
        say!(c"[key]\n");
    }
    client.checks.equal(c"every key is read", KEYS, keys);
    let echoed = client.echo();
    client.checks.holds(c"reception goes on", echoed, c"the peer's answer");
    client.close();
}
