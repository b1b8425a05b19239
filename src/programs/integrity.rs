//! INTEGRIT(Y): exchanges frames of random sizes with the test peer, in both directions at once, and checks every byte.
//!
//! `INTEGRIT [frames] [/SEED=n] [/MIN=60] [/MAX=1514] [/INT=60] [/HMA]`. A batch with a lost frame is asked for or sent again,
//! and counted; a wrong byte is a failure. /HMA: frames are sent from and received into the 64 KB above 1 MB that real mode
//! reaches; A20 must be on.
#![no_std]
#![no_main]

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::options::{self, same};
use compkt::programs::rt::clock::{Deadline, rest};
use compkt::programs::rt::packet::{Driver, error};
use compkt::programs::rt::{self, Far, Regs, Shared, console, inbox, interrupted};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, HEADER, Header, MAC_HEADER, Op, Tally};

compkt::program!(main);

/// Frames in a batch, for each direction: with the answers they fit into the inbox.
const BATCH: u16 = 12;
/// BIOS ticks after which an answer counts as lost.
const PATIENCE: u16 = 9;
/// The most tries of a batch: a card with a small ring loses some frames.
const TRIES: u16 = 50;
/// Each try that lost frames adds so many microseconds between two frames, up to the second number.
const GAP_STEP_US: u16 = 300;
const GAP_MOST_US: u16 = 15_000;
/// Frames between two lines of progress.
const PROGRESS: u32 = 2500;
/// The shortest frame that has a whole header.
const SHORTEST: u16 = 26;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

/// Where frames are received to and sent from. With /HMA, received frames of one batch end at the HMA's end and sent frames
/// begin at its start; in the next batch it is the other way round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum High {
    /// In the program's own memory.
    No,
    /// Received at the HMA's end, sent from its start.
    InAtEnd,
    /// Received at the HMA's start, sent from its end.
    OutAtEnd,
}
static HIGH: Shared<High> = Shared::new(High::No);
/// The inbox's buffer for the present frame.
static PLACE: Shared<Far> = Shared::new(Far(0));
const HMA: u16 = 0xFFFF;
const HMA_START: u16 = 0x10;

fn in_hma(len: u16, at_end: High) -> Far {
    Far::new(HMA, if HIGH.read() == at_end { len.wrapping_neg() } else { HMA_START + (len & 15) })
}

/// The receiver: passes frames through the HMA to the inbox.
extern "C" fn receive_high(regs: &mut Regs) {
    let len = regs.ecx as u16;
    if regs.eax as u16 == 0 {
        inbox::receive(regs);
        if regs.es != 0 || regs.edi != 0 {
            PLACE.write(Far::new(regs.es, regs.edi as u16));
            let to = in_hma(len, High::InAtEnd);
            regs.es = to.segment();
            regs.edi = to.offset() as u32;
        }
    } else {
        // SAFETY: the inbox has given this buffer for the frame, and nothing reads it before it is full.
        let to = unsafe { core::slice::from_raw_parts_mut(PLACE.read().offset() as usize as *mut u8, len as usize) };
        Far::new(regs.ds, regs.esi as u16).read(to);
        inbox::receive(regs);
    }
}

/// The state of the exchange.
struct Exchange {
    driver: Driver,
    mac: MacAddr,
    min: u16,
    max: u16,
    /// The name of the received flow; the sent one's is one more.
    seed: u32,
    /// Received frames of this batch, a bit for each index.
    came: u32,
    done: bool,
    tally: Option<Tally>,
    /// Batches that were asked for again, and batches that were sent again.
    asked_again: u32,
    sent_again: u32,
    /// Calls of send_pkt that the driver refused.
    refused: u32,
    /// Microseconds between two frames of the peer.
    gap_us: u16,
    bytes: u32,
    /// The seed and index of a frame with wrong bytes.
    wrong: Option<(u32, u16)>,
}

fn main() -> u8 {
    let tail = rt::tail();
    let (mut frames, mut seed, mut min, mut max, mut vector) = (10_000, 1, 60, MAX_FRAME, 0x60);
    for word in options::words(&tail) {
        let number = |value| options::number(value).filter(|v| *v >= SHORTEST as u32 && *v <= MAX_FRAME as u32);
        let good = match options::switch(word) {
            Some((name, [])) if same(name, "HMA") => {
                HIGH.write(High::OutAtEnd);
                true
            }
            None => set(&mut frames, options::number(word)),
            Some((name, value)) if same(name, "SEED") => set(&mut seed, options::number(value)),
            Some((name, value)) if same(name, "MIN") => set(&mut min, number(value).map(|v| v as u16)),
            Some((name, value)) if same(name, "MAX") => set(&mut max, number(value).map(|v| v as u16)),
            Some((name, value)) if same(name, "INT") => set(&mut vector, options::hex(value).map(|v| v as u8)),
            Some(_) => false,
        };
        if !good || min > max {
            say!(c"INTEGRIT cannot use \"");
            console::bytes(word);
            say!(c"\". It takes [frames] /SEED=1 /MIN=60 /MAX=1514 /INT=60 /HMA.\n");
            return 2;
        }
    }
    let Some(driver) = Driver::on(vector) else {
        say!(c"No packet driver on INT {x}h.\n", vector);
        return 2;
    };
    let receiver = if HIGH.read() == High::No { inbox::receiver() } else { inbox::receiver_with(receive_high) };
    let mac = driver.access(1, &ETHERTYPE.to_be_bytes(), receiver).and_then(|handle| driver.address(handle));
    match mac {
        Ok(mac) => {
            // The peer remembers the frames of a seed: runs with different lengths must not share one.
            let seed = seed.wrapping_mul(0x1_0001) ^ (min as u32) << 21 ^ (max as u32) << 10;
            Exchange {
                driver, mac, min, max, seed, came: 0, done: false, tally: None, asked_again: 0, sent_again: 0,
                refused: 0, gap_us: 0, bytes: 0, wrong: None,
            }
            .run(frames)
        }
        Err(code) => {
            say!(c"The driver refuses: {s}.\n", error::name(code));
            2
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

impl Exchange {
    fn run(&mut self, frames: u32) -> u8 {
        let mut exchanged = 0;
        while exchanged < frames {
            let count = (frames - exchanged).min(BATCH as u32) as u16;
            if !self.batch(count) {
                match self.wrong {
                    Some((seed, index)) => say!(c"FAIL frame {d} of seed {L}h has a wrong byte\n", index, seed),
                    None => say!(c"FAIL after {d} frames: no answer from the test peer\n", exchanged),
                }
                return 1;
            }
            let before = exchanged / PROGRESS;
            exchanged += count as u32;
            if exchanged / PROGRESS != before {
                say!(c"{d} frames\n", exchanged);
            }
            if interrupted() {
                break;
            }
        }
        say!(c"{d} frames received and {d} sent, {d} KB, every byte right; {d} batches asked for again, {d} sent again, {d} sends refused\n",
            exchanged, exchanged, self.bytes / 1024, self.asked_again, self.sent_again, self.refused);
        0
    }

    /// Exchanges `count` frames in each direction.
    fn batch(&mut self, count: u16) -> bool {
        self.seed = self.seed.wrapping_add(2);
        self.came = 0;
        match HIGH.read() {
            High::No => {}
            High::InAtEnd => HIGH.write(High::OutAtEnd),
            High::OutAtEnd => HIGH.write(High::InAtEnd),
        }
        let all = (1u32 << count) - 1;
        let (mut in_done, mut out_done) = (false, false);
        for attempt in 0..TRIES {
            self.done = false;
            self.tally = None;
            if !in_done {
                self.asked_again += (attempt != 0) as u32;
                if attempt != 0 {
                    // An emulator delivers a burst at once, and a small ring does not hold a batch; with time between the
                    // frames it does.
                    self.gap_us = (self.gap_us + GAP_STEP_US).min(GAP_MOST_US);
                }
                self.ask(count);
            }
            if !out_done {
                self.sent_again += (attempt != 0) as u32;
                self.send_all(count);
            }
            let deadline = Deadline::after(PATIENCE);
            loop {
                self.listen();
                if (in_done || self.done) && (out_done || self.tally.is_some()) || deadline.over() {
                    break;
                }
                rest();
            }
            if self.wrong.is_some() {
                return false;
            }
            in_done |= self.came == all;
            if let Some(tally) = self.tally {
                if tally.bad != 0 {
                    self.wrong = Some((self.seed + 1, count));
                    return false;
                }
                out_done |= tally.good == count as u32;
            }
            if in_done && out_done {
                return true;
            }
        }
        false
    }

    fn ask(&mut self, count: u16) {
        let gap_us = self.gap_us;
        let ask = Ask { min: self.min, max: self.max, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us, delay_ms: 0 };
        self.send(&Header { op: Op::Ask, index: 0, seed: self.seed, length: 60, count }, &ask.encode());
    }

    fn send_all(&mut self, count: u16) {
        let seed = self.seed + 1;
        for index in 0..count {
            let length = wire::length_of(seed, index, self.min, self.max);
            self.send(&Header { op: Op::Data, index, seed, length, count }, &[]);
            self.listen();
        }
        self.send(&Header { op: Op::Report, index: 0, seed, length: 60, count }, &[]);
    }

    /// Sends a frame. A refusal is counted; the peer misses the frame.
    fn send(&mut self, header: &Header, used: &[u8]) {
        // SAFETY: no receiver looks at it.
        let frame = unsafe { &mut *OUT.get() };
        net::ether(frame, &net::BROADCAST, &self.mac, ETHERTYPE);
        let bytes = frame.get_mut(..header.length as usize).unwrap_or(&mut []);
        wire::write_body(bytes.get_mut(MAC_HEADER..).unwrap_or(&mut []), header, used);
        if HIGH.read() == High::No {
            self.refused += self.driver.send(bytes).is_err() as u32;
            return;
        }
        let at = in_hma(header.length, High::OutAtEnd);
        let mut regs = Regs::ax(0x0400);
        regs.ecx = header.length as u32;
        regs.ds = at.segment();
        regs.esi = at.offset() as u32;
        // SAFETY: the HMA has no other user in the tests; received frames go to its other end.
        unsafe { at.write(bytes) };
        self.refused += self.driver.call(&mut regs).is_err() as u32;
    }

    /// Reads received frames.
    fn listen(&mut self) {
        while inbox::take(|frame| self.hear(frame.bytes.get(MAC_HEADER..frame.len).unwrap_or(&[]))).is_some() {}
    }

    fn hear(&mut self, body: &[u8]) {
        let Some(header) = Header::decode(body) else { return };
        match header.op {
            Op::Data if header.seed == self.seed => {
                let length = wire::length_of(header.seed, header.index, self.min, self.max);
                let whole = body.get(..(length as usize).saturating_sub(MAC_HEADER)).unwrap_or(&[]);
                let padding = body.get(whole.len()..).unwrap_or(&[]);
                let right = header.length == length
                    && !whole.is_empty()
                    && wire::check_body(whole, &header)
                    && padding.iter().all(|byte| *byte == 0)
                    && (padding.is_empty() || length < 60);
                if right {
                    self.bytes += length as u32;
                    self.came |= 1 << (header.index & 31);
                } else {
                    self.wrong = Some((header.seed, header.index));
                }
            }
            Op::Done if header.seed == self.seed => self.done = true,
            Op::ReportReply if header.seed == self.seed + 1 => self.tally = body.get(HEADER..).and_then(Tally::decode),
            _ => {}
        }
    }
}
