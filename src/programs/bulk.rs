//! BULK: takes frames from the test peer as fast as they come, for `tools/bench --bulk`.
//!
//! `BULK [frames] [/INT=60]`. Asks the peer for frames of 1,514 bytes, as many at a time as the inbox holds, and does not check
//! their contents. Prints `begin` before the first request, and at the end how many frames came and how many it asked for.
#![no_std]
#![no_main]

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::options::{self, same};
use compkt::programs::rt::clock::Deadline;
use compkt::programs::rt::packet::{Driver, error};
use compkt::programs::rt::{self, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

compkt::program!(main);

/// Frames of a request: with the answer behind them they fit into the inbox.
const BATCH: u32 = 14;
/// BIOS ticks after which an answer counts as lost; and requests without an answer after which there is no peer.
const PATIENCE: u16 = 9;
const TRIES: u32 = 50;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

fn main() -> u8 {
    let tail = rt::tail();
    let (mut frames, mut vector) = (4_000, Some(0x60));
    for word in options::words(&tail) {
        match options::switch(word) {
            None => frames = options::number(word).unwrap_or(0u32),
            Some((name, value)) if same(name, "INT") => vector = options::hex(value).map(|v| v as u8),
            Some(_) => frames = 0,
        }
    }
    let (Some(vector), 1..) = (vector, frames) else {
        say!(c"BULK takes [frames] /INT=60.\n");
        return 2;
    };
    let Some(driver) = Driver::on(vector) else {
        say!(c"No packet driver on INT {x}h.\n", vector);
        return 2;
    };
    let mac = driver.access(1, &ETHERTYPE.to_be_bytes(), inbox::receiver()).and_then(|handle| driver.address(handle));
    match mac {
        Ok(mac) => run(&driver, &mac, frames),
        Err(code) => {
            say!(c"The driver refuses: {s}.\n", error::name(code));
            2
        }
    }
}

fn run(driver: &Driver, mac: &MacAddr, frames: u32) -> u8 {
    let batches = frames.div_ceil(BATCH);
    let (mut came, mut unanswered) = (0u32, 0u32);
    say!(c"begin\n");
    for seed in 0..batches {
        ask(driver, mac, seed);
        let deadline = Deadline::after(PATIENCE);
        let mut done = false;
        while !done && !deadline.over() {
            inbox::take(|frame| match frame.bytes.get(MAC_HEADER..).and_then(Header::decode) {
                Some(Header { op: Op::Data, .. }) => came += 1,
                Some(Header { op: Op::Done, seed: of, .. }) => done = of == seed,
                _ => {}
            });
        }
        unanswered += !done as u32;
        if unanswered > TRIES {
            say!(c"FAIL no answer from the test peer\n");
            return 1;
        }
    }
    say!(c"{d} frames of {d} came\n", came, batches * BATCH);
    0
}

/// Sends a request. If the driver refuses to send, no answer comes, which is handled like a lost one.
fn ask(driver: &Driver, mac: &MacAddr, seed: u32) {
    let ask = Ask { min: MAX_FRAME, max: MAX_FRAME, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us: 0, delay_ms: 0 };
    let header = Header { op: Op::Ask, index: 0, seed, length: 60, count: BATCH as u16 };
    // SAFETY: the only use; the driver reads it during the call only.
    let frame = unsafe { &mut *OUT.get() };
    net::ether(frame, &net::BROADCAST, mac, ETHERTYPE);
    let bytes = frame.get_mut(..header.length as usize).unwrap_or(&mut []);
    wire::write_body(bytes.get_mut(MAC_HEADER..).unwrap_or(&mut []), &header, &ask.encode());
    let _ = driver.send(bytes);
}
