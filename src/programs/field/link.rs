//! The cable is pulled and plugged in again: who reads the link at each timer tick sees it; so does who takes over the
//! driver's entry `irq`, where the NIC interrupts for it.

use core::ffi::CStr;

use compkt::device::{Events, Link};
use compkt::info::BLOCK_CORE;
use compkt::programs::rt::clock::{ticks, wait};
use compkt::programs::rt::packet::Block;
use compkt::programs::rt::{Far, uninterrupted};
use compkt::resident::table::{ENTRIES, Entry};
use compkt::say;

use crate::client::{Client, PATIENCE};
use crate::timer::feed;

/// What is known of the card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// It interrupts, and its link can be read.
    Events,
    /// Its link can be read.
    Reads,
    /// Neither: what is read does not change.
    Nothing,
}

/// Stands before the driver's entry `irq` as a filter does, and collects what that gives. It lies at the low end of the
/// driver's stack, of which the test asks for more than is used.
struct Listener {
    /// The entry's place in the core's table, and what was in it.
    entry: Far,
    own: [u8; 2],
    /// Where the events are collected.
    events: Far,
}

/// The listener's code: near, with the address of the driver's own entry behind it, and the byte that collects.
const CODE: [u8; 10] = [
    0xFF, 0x16, 0, 0, // call [own]
    0x08, 0x06, 0, 0, // or [events], al
    0xC3, // ret
    0x90, // behind it the address begins at an even place
];
const OWN_AT: usize = 2;
const EVENTS_AT: usize = 6;

impl Listener {
    fn new(block: &Block) -> Option<Listener> {
        let segment = block.at.segment();
        let core = block.block(0).filter(|core| core.kind == BLOCK_CORE)?;
        let entry = Far::new(segment, core.size - ENTRIES + 2 * Entry::Irq as u16);
        let low = block.info.stack_low;
        let [own_at, events_at] = [low + CODE.len() as u16, low + CODE.len() as u16 + 2];
        let mut code = CODE;
        for (at, value) in [(OWN_AT, own_at), (EVENTS_AT, events_at)] {
            code.get_mut(at..at + 2)?.copy_from_slice(&value.to_le_bytes());
        }
        let own = entry.read16().to_le_bytes();
        uninterrupted(|| {
            // SAFETY: the low end of the driver's stack, and one word of its table, which nobody reads now.
            unsafe {
                Far::new(segment, low).write(&code);
                Far::new(segment, own_at).write(&own);
                Far::new(segment, events_at).write(&[0]);
                entry.write(&low.to_le_bytes());
            }
        });
        Some(Listener { entry, own, events: Far::new(segment, events_at) })
    }

    /// What has come since the last call.
    fn take(&self) -> u8 {
        uninterrupted(|| {
            let events = self.events.read16() as u8;
            // SAFETY: a byte of the listener's.
            unsafe { self.events.write(&[0]) };
            events
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: as it was.
        uninterrupted(|| unsafe { self.entry.write(&self.own) });
    }
}

pub fn run(client: &mut Client) {
    let listener = client.driver.block().and_then(|block| Listener::new(&block));
    let Some(listener) = client.checks.succeeds(c"the information block", listener.ok_or(0)) else { return };
    let fixed = client.tells == Tells::Nothing;
    say!(c"[up]\n");
    if !fixed {
        becomes(client, c"the link is up", Link::Up);
    }
    listener.take();
    for (line, state, name) in [
        (c"[down]", Link::Down, c"the cable is pulled: a tick's read sees it"),
        (c"[up]", Link::Up, c"the cable is plugged in: a tick's read sees it"),
        (c"[down]", Link::Down, c"once more out"),
        (c"[up]", Link::Up, c"once more in"),
    ] {
        let before = read(client);
        say!(c"{s}\n", line);
        if fixed {
            wait(SETTLE, || false);
            client.checks.equal(c"this card does not tell", before as u32, read(client) as u32);
        } else {
            becomes(client, name, state);
        }
        let event = wait(if client.tells == Tells::Events { PATIENCE } else { 1 }, || listener.take() & Events::LINK.0 != 0);
        let expected: &CStr = if client.tells == Tells::Events { c"LINK from the driver's irq" } else { c"no LINK from the driver's irq" };
        client.checks.holds(c"  and an interrupt tells it, where the NIC has one", event == (client.tells == Tells::Events), expected);
    }
    drop(listener);
    if client.open(false) {
        let echoed = client.echo();
        client.checks.holds(c"reception goes on", echoed, c"the peer's answer");
        client.close();
    }
}

/// BIOS ticks in which a card that told would have told.
const SETTLE: u16 = 9;

/// The link, as INT 60h AH=80h reads it.
fn read(client: &Client) -> u8 {
    client.driver.block().and_then(|block| block.nic(0)).map_or(u8::MAX, |nic| nic.link)
}

/// Reads the link once at each tick until it is so.
fn becomes(client: &mut Client, name: &CStr, state: Link) {
    let mut last = ticks();
    let seen = wait(PATIENCE, || {
        let now = ticks();
        let due = now != last;
        last = now;
        due && read(client) == state as u8
    });
    feed();
    client.checks.holds(name, seen, if state == Link::Up { c"up" } else { c"down" });
}
