//! INTEGRIT(Y): exchanges frames of random sizes with the test peer, both ways at once, and checks every byte.
//!
//! `INTEGRIT [frames] [/SEED=n] [/MIN=60] [/MAX=1514] [/INT=60] [/HMA]`. A batch in which a frame got lost is asked for or
//! sent again and counted; a wrong byte is a failure. With /HMA frames are sent from and received into the 64 KB above 1 MB
//! that real mode reaches; A20 has to be on.
#![no_std]
#![no_main]

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::options::{self, same};
use compkt::programs::rt::clock::Deadline;
use compkt::programs::rt::packet::{Driver, error};
use compkt::programs::rt::{self, Far, Regs, Shared, console, inbox, interrupted};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, HEADER, Header, MAC_HEADER, Op, Tally};

compkt::program!(main);

/// Frames in a batch, each way: with the answers they fit into the inbox.
const BATCH: u16 = 12;
/// BIOS ticks after which an answer is lost.
const PATIENCE: u16 = 9;
/// How often a batch is tried: a card with a small ring loses some.
const TRIES: u16 = 50;
/// What each try that lost frames adds to the time between two frames, in microseconds, and where that ends.
const GAP_STEP_US: u16 = 300;
const GAP_MOST_US: u16 = 15_000;
/// Frames between two lines of progress.
const PROGRESS: u32 = 2500;
/// The shortest frame that has a whole header.
const SHORTEST: u16 = 26;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

/// Where a frame of so many bytes is received to, and sent from. Frames of every other batch end where the HMA does, and
/// those that go the other way begin at its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum High {
    /// In the program's own memory.
    No,
    /// Received at its end, sent from its start.
    InAtEnd,
    /// The other way round.
    OutAtEnd,
}
static HIGH: Shared<High> = Shared::new(High::No);
/// The inbox's place for the frame that comes.
static PLACE: Shared<Far> = Shared::new(Far(0));
const HMA: u16 = 0xFFFF;
const HMA_START: u16 = 0x10;

fn in_hma(len: u16, at_end: High) -> Far {
    Far::new(HMA, if HIGH.read() == at_end { len.wrapping_neg() } else { HMA_START + (len & 15) })
}

/// The receiver: the inbox, by way of the HMA.
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
        // SAFETY: the inbox has lent this place, which is ours, for the frame, and nothing looks at it before it is full.
        let to = unsafe { core::slice::from_raw_parts_mut(PLACE.read().offset() as usize as *mut u8, len as usize) };
        Far::new(regs.ds, regs.esi as u16).read(to);
        inbox::receive(regs);
    }
}

/// What is going on.
struct Exchange {
    driver: Driver,
    mac: MacAddr,
    min: u16,
    max: u16,
    /// Names the flow that comes; the one that goes has the next seed.
    seed: u32,
    /// Frames of this batch that came, by their index.
    came: u32,
    done: bool,
    tally: Option<Tally>,
    /// Batches that were asked for again, and that were sent again.
    asked_again: u32,
    sent_again: u32,
    /// Refusals of send_pkt.
    refused: u32,
    /// Microseconds between two frames that are asked for.
    gap_us: u16,
    bytes: u32,
    /// A frame whose bytes were wrong.
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
            // The peer remembers the frames of a seed: runs with other lengths must not share one.
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

    /// Exchanges `count` frames each way.
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
                    // An emulator hands a burst over at once, and a small ring cannot hold every batch: with time
                    // between them it can.
                    self.gap_us = (self.gap_us + GAP_STEP_US).min(GAP_MOST_US);
                }
                self.ask(count);
            }
            if !out_done {
                self.sent_again += (attempt != 0) as u32;
                self.send_all(count);
            }
            let deadline = Deadline::after(PATIENCE);
            while !(in_done || self.done) || !(out_done || self.tally.is_some()) {
                self.listen();
                if deadline.over() {
                    break;
                }
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

    /// A frame that is refused is counted, and missed by the peer.
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
        // SAFETY: the tests give the HMA to nobody else; what is received goes to its other end.
        unsafe { at.write(bytes) };
        self.refused += self.driver.call(&mut regs).is_err() as u32;
    }

    /// Takes what has come.
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
