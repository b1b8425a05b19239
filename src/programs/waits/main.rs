//! WAITS: a client whose frames have to wait. It refuses a third of the frames when they are first offered, and sends more at
//! once by as_send_pkt than a card has room for.
//!
//! `WAITS [frames] [/SEED=n] [/GAP=us] [/AGAIN=n] [/ALONE] [/SLOW] [/TAKES=n] [/PAUSE] [/STUCK] [/LENGTHS] [/INT=60]`, with the test
//! peer on the wire.
//! /ALONE: without it; then answers from the emulator's network are refused, and sent frames are not checked. Every frame must
//! come in the end, once, with every byte right; otherwise the test fails. /AGAIN: a batch in which the card lost a frame is
//! asked for again, at most n times. /SLOW, /STUCK, /LENGTHS: nothing but slow.rs, stuck.rs, lengths.rs.
#![no_std]
#![no_main]

mod burst;
mod echo;
mod lengths;
mod refuse;
mod slow;
mod stuck;
mod tick;

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::memory::AllStats;
use compkt::programs::net::{self, Frame};
use compkt::programs::options::{self, same};
use compkt::programs::rt::clock::{Deadline, rest};
use compkt::programs::rt::packet::{Driver, Handle, error};
use compkt::programs::rt::{self, Far, Shared, console, inbox};
use compkt::say;
use compkt::wire::{self, ETHERTYPE, HEADER, Header, MAC_HEADER, Op, Tally};

compkt::program!(main);

/// BIOS ticks after which an answer counts as lost; a busy host may delay its peer.
pub const PATIENCE: u16 = 180;
/// Shortest frame.
pub const MIN: u16 = 60;
/// Longest frame.
pub const MAX: u16 = MAX_FRAME;

/// A frame that is to be sent.
pub static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

/// Parts that run alone, by their switches.
type Part = fn(&mut Client) -> Outcome;
const ONLY: [(&str, Part); 3] = [("SLOW", slow::run), ("STUCK", stuck::run), ("LENGTHS", lengths::run)];

fn main() -> u8 {
    let tail = rt::tail();
    let (mut frames, mut seed, mut gap_us, mut again, mut vector, mut alone, mut takes, mut pause, mut only) = (10_000, 1, 1200, 0, 0x60, false, 1, false, None);
    for word in options::words(&tail) {
        let good = match options::switch(word) {
            None => set(&mut frames, options::number(word)),
            Some((name, value)) if same(name, "SEED") => set(&mut seed, options::number(value)),
            Some((name, value)) if same(name, "AGAIN") => set(&mut again, options::number(value)),
            Some((name, [])) if same(name, "ALONE") => {
                alone = true;
                true
            }
            Some((name, [])) if same(name, "PAUSE") => {
                pause = true;
                true
            }
            Some((name, [])) if ONLY.iter().any(|(word, _)| same(name, word)) => {
                only = ONLY.iter().find(|(word, _)| same(name, word)).map(|(_, run)| *run);
                true
            }
            Some((name, value)) if same(name, "TAKES") => set(&mut takes, options::number(value).map(|v| v as u16)),
            Some((name, value)) if same(name, "GAP") => set(&mut gap_us, options::number(value).map(|v| v as u16)),
            Some((name, value)) if same(name, "INT") => set(&mut vector, options::hex(value).map(|v| v as u8)),
            Some(_) => false,
        };
        if !good {
            say!(c"WAITS cannot use \"");
            console::bytes(word);
            say!(c"\". It takes [frames] /SEED=1 /GAP=1200 /AGAIN=0 /ALONE /SLOW /TAKES=1 /PAUSE /STUCK /LENGTHS /INT=60.\n");
            return 2;
        }
    }
    let Some(driver) = Driver::on(vector) else {
        say!(c"No packet driver on INT {x}h.\n", vector);
        return 2;
    };
    let client = Client { driver, handle: 0, mac: [0; 6], seed: seed.wrapping_mul(0x1_0001), gap_us, again, late: false, alone, takes, pause };
    match run(client, frames, only) {
        Ok(()) => 0,
        Err(why) => {
            say!(c"FAIL {s}\n", why);
            1
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

/// The result of a test, or why it failed.
pub type Outcome = Result<(), &'static core::ffi::CStr>;

fn run(mut client: Client, frames: u32, only: Option<Part>) -> Outcome {
    client.open()?;
    client.mac = client.driver.address(client.handle).map_err(error::name)?;
    if let Some(run) = only {
        return run(&mut client);
    }
    if client.alone {
        echo::run(&client)?;
    } else {
        come(&mut client, frames)?;
    }
    burst::run(&mut client, burst::ROUNDS)?;
    client.wait(4);
    match client.pool() {
        None => Err(c"the driver has no pool"),
        Some(all) if all.waiting() != 0 => Err(c"something waits for ever"),
        Some(AllStats { stats, .. }) => {
            say!(c"to XMS {d} frames, {d} hits, {d} misses, {d} evictions, {d} failures, flags {d}\n",
                stats.buffers, stats.hits, stats.misses, stats.evictions, stats.failures, stats.flags);
            Ok(())
        }
    }
}

/// Receives frames.
fn come(client: &mut Client, frames: u32) -> Outcome {
    let (lost, again) = (client.lost(), client.again);
    refuse::run(client, frames)?;
    let lost = client.lost().wrapping_sub(lost);
    say!(c"{d} lost, {d} batches again\n", lost, again - client.again);
    if lost != 0 && again == 0 {
        return Err(c"frames were lost");
    }
    refuse::closed(client)?;
    // A card that loses frames cannot pass a test of bursts.
    if again != 0 { Ok(()) } else { tick::run(client) }
}

/// The client under which the tests run.
pub struct Client {
    /// The driver.
    pub driver: Driver,
    /// The handle for the peer's frames.
    pub handle: Handle,
    /// The card's address.
    pub mac: MacAddr,
    /// The next flow's name.
    pub seed: u32,
    /// Microseconds between two frames from the peer, so that no card's ring overflows.
    pub gap_us: u16,
    /// How many more times a batch may be asked for again.
    pub again: u32,
    /// A batch was asked for again: frames of the one before may come late.
    pub late: bool,
    /// There is no test peer.
    pub alone: bool,
    /// Frames that the receiver of slow.rs takes in a tick.
    pub takes: u16,
    /// That receiver refuses a frame only when a timer interrupt waits.
    pub pause: bool,
}

impl Client {
    /// Opens a handle for the peer's frames.
    pub fn open(&mut self) -> Outcome {
        let receiver = inbox::receiver_with(refuse::receive);
        self.handle = self.driver.access(1, &ETHERTYPE.to_be_bytes(), receiver).map_err(error::name)?;
        Ok(())
    }

    /// Frames that the driver counts as lost.
    pub fn lost(&self) -> u32 {
        self.driver.statistics(self.handle).map_or(0, |counts| counts.packets_lost)
    }

    /// The pool's counts.
    pub fn pool(&self) -> Option<AllStats> {
        let block = self.driver.block().filter(|block| block.info.pool != 0)?;
        // SAFETY: it is made of integers.
        Some(unsafe { Far::new(block.at.segment(), block.info.pool).read_as() })
    }

    /// Sends a test frame by send_pkt, as soon as the card has room.
    pub fn send(&self, header: &Header, used: &[u8]) -> Outcome {
        // SAFETY: no receiver looks at it.
        let frame = unsafe { &mut *OUT.get() };
        self.write(frame, header, used);
        let deadline = Deadline::after(PATIENCE);
        loop {
            match self.driver.send(frame.get(..header.length as usize).unwrap_or(&[])) {
                Err(error::CANT_SEND) if !deadline.over() => {}
                sent => return sent.map_err(error::name),
            }
        }
    }

    /// Writes a test frame.
    pub fn write(&self, frame: &mut [u8], header: &Header, used: &[u8]) {
        let mac = net::BROADCAST.iter().chain(&self.mac).chain(&[(ETHERTYPE >> 8) as u8, ETHERTYPE as u8]);
        frame.iter_mut().zip(mac).for_each(|(to, from)| *to = *from);
        let body = frame.get_mut(MAC_HEADER..header.length as usize).unwrap_or(&mut []);
        wire::write_body(body, header, used);
    }

    /// The peer's tally of a flow.
    pub fn tally(&mut self, seed: u32, count: u16) -> Result<Tally, &'static core::ffi::CStr> {
        for _ in 0..4 {
            self.send(&Header { op: Op::Report, index: 0, seed, length: 60, count }, &[])?;
            let deadline = Deadline::after(PATIENCE);
            while !deadline.over() {
                let answer = inbox::take(|frame| {
                    let body = frame.bytes.get(MAC_HEADER..frame.len)?;
                    let header = Header::decode(body).filter(|header| header.op == Op::ReportReply && header.seed == seed)?;
                    Tally::decode(body.get(HEADER..)?).filter(|_| header.seed == seed)
                });
                match answer {
                    Some(Some(tally)) => return Ok(tally),
                    Some(None) => {}
                    None => rest(),
                }
            }
        }
        Err(c"the test peer does not answer")
    }

    /// Waits, and discards received frames.
    pub fn wait(&self, ticks: u16) {
        let deadline = Deadline::after(ticks);
        while !deadline.over() {
            inbox::take(|_| ());
            rest();
        }
    }
}
