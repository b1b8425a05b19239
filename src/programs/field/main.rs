//! FIELD: behaves as existing clients do, and checks how a packet driver copes with that.
//!
//! `FIELD GROUP [/HMA] [/UNCOUNTED] [/SMALL] [/LONGEST=1514] [/BURST=8] [/RATE=60] [/TELLS=EVENTS] [/INT=60] [/SEED=n]`, with the test peer on the wire. One
//! line for each check, `ok NAME` or `FAIL NAME: expected …, got …`; the last line counts them.
#![no_std]
#![no_main]

mod bursts;
mod calls;
mod change;
mod client;
mod link;
mod outside;
mod receiver;
mod receivers;
mod sender;
mod senders;
mod timer;

use client::Client;
use compkt::device::MAX_FRAME;
use compkt::programs::options::{self, same};
use compkt::programs::rt::{self, console, packet::Driver};
use compkt::resident::table::BURST;
use compkt::say;
use link::Tells;

compkt::program!(main);

/// What `/TELLS=` takes.
const TELLS: [(&str, Tells); 3] = [("EVENTS", Tells::Events), ("READS", Tells::Reads), ("NOTHING", Tells::Nothing)];

/// A group of checks.
type Group = fn(&mut Client);
const GROUPS: [(&str, Group); 9] = [
    ("BURSTS", bursts::run),
    ("CALLS", calls::run),
    ("CHANGE", change::run),
    ("RECEIVERS", receivers::run),
    ("SENDERS", senders::run),
    ("FIRST", outside::first),
    ("CABLE", outside::cable),
    ("KEYS", outside::keys),
    ("LINK", link::run),
];

fn main() -> u8 {
    let tail = rt::tail();
    let (mut vector, mut seed, mut group, mut high, mut uncounted, mut small, mut longest, mut burst, mut rate, mut tells) = (0x60, 1, None, false, false, false, MAX_FRAME, BURST as u16, 60, Tells::Nothing);
    for word in options::words(&tail) {
        let good = match options::switch(word) {
            None => {
                group = GROUPS.iter().find(|(name, _)| same(word, name)).map(|(_, run)| *run);
                group.is_some()
            }
            Some((name, value)) if same(name, "INT") => options::hex(value).map(|value| vector = value as u8).is_some(),
            Some((name, value)) if same(name, "SEED") => options::number(value).map(|value| seed = value).is_some(),
            Some((name, [])) if same(name, "HMA") => {
                high = true;
                true
            }
            Some((name, [])) if same(name, "UNCOUNTED") => {
                uncounted = true;
                true
            }
            Some((name, [])) if same(name, "SMALL") => {
                small = true;
                true
            }
            Some((name, value)) if same(name, "LONGEST") => {
                // The shortest of the long flows' frames have 400 bytes.
                let number = options::number(value).filter(|number| (400..=MAX_FRAME as u32).contains(number));
                number.map(|value| longest = value as u16).is_some()
            }
            Some((name, value)) if same(name, "BURST") => options::number(value).map(|value| burst = value as u16).is_some(),
            Some((name, value)) if same(name, "RATE") => {
                let number = options::number(value).filter(|number| (1..=1000).contains(number));
                number.map(|value| rate = value as u16).is_some()
            }
            Some((name, value)) if same(name, "TELLS") => {
                let known = TELLS.iter().find(|(text, _)| same(value, text));
                known.map(|(_, value)| tells = *value).is_some()
            }
            Some(_) => false,
        };
        if !good {
            say!(c"FIELD cannot use \"");
            console::bytes(word);
            say!(c"\".\n");
            group = None;
            break;
        }
    }
    let Some(group) = group else {
        say!(c"FIELD takes BURSTS, CALLS, CHANGE, RECEIVERS, SENDERS, FIRST, CABLE, KEYS or LINK, /HMA (it is there and nobody's),\n/UNCOUNTED (the card drops frames without a sign, as QEMU's NE2000), /SMALL (it holds few frames),\n/LONGEST=1514 (bytes of a frame that comes), /BURST=8 (the driver's), /RATE=60 (of SENDERS' timer),\n/TELLS=EVENTS, READS or NOTHING (of its link), /INT=60 and /SEED=1.\n");
        return 2;
    };
    let Some(driver) = Driver::on(vector) else {
        say!(c"No packet driver on INT {x}h.\n", vector);
        return 2;
    };
    let mut client = Client::new(driver, seed.wrapping_mul(0x1_0001) << 4);
    client.high = high;
    client.uncounted = uncounted;
    client.small = small;
    client.longest = longest;
    client.burst = burst;
    client.rate = rate;
    client.tells = tells;
    let hooks = timer::Hooks::new();
    group(&mut client);
    drop(hooks);
    let checks = &client.checks;
    say!(c"{d} passed, {d} failed\n", checks.passed, checks.failed);
    (checks.failed != 0) as u8
}
