//! Checks with frames of all kinds, lengths and destinations, exchanged with a test peer (`compkt::wire`).

use crate::Machine;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::clock::wait;
use crate::mailbox::{self, KEPT, Mail, PLAIN};
use crate::sending;
use compkt::device::{MAX_FRAME, MIN_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::rt::packet::{Driver, release_all};
use compkt::programs::rt::console::Word;
use compkt::programs::rt::{Far, Shared};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, HEADER, Header, MAC_HEADER, Op, Tally};
use core::ffi::CStr;

/// BIOS ticks within which an answer must come, from a busy host as well.
const PATIENCE: u16 = 91;
/// BIOS ticks for the first answer of a peer that must be there, and of one that may be missing.
const REQUIRED: u16 = 27;
const PERHAPS: u16 = 9;
/// BIOS ticks without a frame after which no more come.
const SILENCE: u16 = 6;
const ATTEMPTS: u8 = 8;
/// The type of the frames that the peer sends.
const KIND: u16 = 0x9050;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);
static SEED: Shared<u32> = Shared::new(0x3C50_9B00);

struct Shapes<'a> {
    checks: &'a mut Checks,
    driver: Driver,
    mac: MacAddr,
    receiver: Far,
}

pub fn run(checks: &mut Checks, machine: &Machine, required: bool) {
    let driver = machine.driver;
    let receiver = mailbox::receiver(&driver, PLAIN);
    if driver.access(1, &ETHERTYPE.to_be_bytes(), receiver).is_err() {
        return;
    }
    let mut shapes = Shapes { checks, driver, mac: machine.mac, receiver };
    if shapes.echo(if required { REQUIRED } else { PERHAPS }) {
        shapes.modes();
        shapes.matching();
        shapes.lengths();
        shapes.counting();
        shapes.sends();
        let alive = shapes.echo(PATIENCE);
        shapes.checks.holds(c"the test peer is heard in the end", alive, c"an answer");
    } else if required {
        shapes.checks.holds(c"a test peer answers", false, c"an answer on 88B5h");
    } else {
        say!(c"   no test peer on 88B5h: frame shapes are not checked\n");
    }
    release_all();
}

/// The type of a mail's frame.
fn kind(mail: &Mail) -> u16 {
    net::kind(&mail.bytes)
}

/// The recorded frames since the last reset.
fn mails() -> impl Iterator<Item = &'static Mail> {
    (0..KEPT.min(mailbox::firsts() as usize)).map(mailbox::mail).filter(|mail| mail.seconds == 1)
}

fn header(mail: &Mail) -> Option<Header> {
    Header::decode(mail.frame().get(MAC_HEADER..)?)
}

impl Shapes<'_> {
    /// Sends a test frame of `length` bytes as a broadcast.
    fn send(&self, header: &Header, used: &[u8]) -> bool {
        // SAFETY: no receiver looks at it.
        let frame = unsafe { &mut *OUT.get() };
        net::ether(frame, &net::BROADCAST, &self.mac, ETHERTYPE);
        let bytes = frame.get_mut(..header.length as usize).unwrap_or(&mut []);
        wire::write_body(bytes.get_mut(MAC_HEADER..).unwrap_or(&mut []), header, used);
        self.driver.send(bytes).is_ok()
    }

    fn seed(&self) -> u32 {
        SEED.write(SEED.read().wrapping_add(1));
        SEED.read()
    }

    /// Sends a request until its answer comes; returns the answer's mail.
    fn question(&self, op: Op, answer: Op, seed: u32, count: u16, used: &[u8]) -> Option<&'static Mail> {
        self.question_for(PATIENCE, op, answer, seed, count, used)
    }

    /// The same with a time for each answer. A repetition is not counted if the peer may be missing.
    fn question_for(&self, patience: u16, op: Op, answer: Op, seed: u32, count: u16, used: &[u8]) -> Option<&'static Mail> {
        for attempt in 0..ATTEMPTS {
            if attempt != 0 && patience != PERHAPS {
                mailbox::again();
            }
            mailbox::reset(&self.driver, PLAIN);
            let mut found = None;
            self.send(&Header { op, index: 0, seed, length: 60, count }, used);
            wait(patience, || {
                found = mails().find(|mail| {
                    kind(mail) == ETHERTYPE && header(mail).is_some_and(|header| header.op == answer && header.seed == seed)
                });
                found.is_some()
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn echo(&self, patience: u16) -> bool {
        self.question_for(patience, Op::Echo, Op::EchoReply, self.seed(), 0, &[]).is_some()
    }

    /// Asks for `count` frames, and waits until the peer has sent them.
    fn ask(&self, ask: Ask, count: u16) -> bool {
        self.question(Op::Ask, Op::Done, self.seed(), count, &ask.encode()).is_some()
    }

    fn asked(&self, to: MacAddr, framing: Framing, kind: u16, length: u16) -> Ask {
        Ask { min: length, max: length, kind, framing, to, gap_us: 0, delay_ms: 0 }
    }

    /// Checks that the receive mode filters by destination.
    fn modes(&mut self) {
        const FOREIGN: MacAddr = [2, 0x3C, 0x50, 0x9B, 0, 0x99];
        const LISTED: MacAddr = [1, 0, 0x5E, 0, 0, 1];
        const UNLISTED: MacAddr = [0x33, 0x33, 0, 0, 0, 9];
        const ALL: [(&CStr, u8); 5] = [
            (c"own address", 0b111110),
            (c"broadcast", 0b111100),
            (c"listed multicast", 0b111000),
            (c"other multicast", 0b110000),
            (c"other station", 0b100000),
        ];
        let Ok(handle) = self.driver.access(1, &KIND.to_be_bytes(), self.receiver) else { return };
        let list = self.driver.ask(0x1600, 0, 6, Far::of(&LISTED)).is_ok();
        for mode in 1..=6u16 {
            let _ = self.driver.set_rcv_mode(handle, mode);
            for ((name, modes), to) in ALL.iter().zip([self.mac, net::BROADCAST, LISTED, UNLISTED, FOREIGN]) {
                let multicast = to != net::BROADCAST && to.first().is_some_and(|byte| byte & 1 != 0);
                if multicast && !list {
                    continue;
                }
                let ask = self.asked(to, Framing::Type, KIND, 100);
                if mode == 1 {
                    mailbox::reset(&self.driver, PLAIN);
                    let header = Header { op: Op::Ask, index: 0, seed: self.seed(), length: 60, count: 1 };
                    self.send(&header, &ask.encode());
                    wait(SILENCE, || false);
                } else {
                    self.ask(ask, 1);
                }
                let got = mails().filter(|mail| mail.handle == handle && kind(mail) == KIND).count() as u32;
                self.checks.about(c"mode {d}, {s}: ", [mode.into(), (*name).into()]);
                self.checks.equal(c"frames received", (modes >> (mode - 1) & 1) as u32, got);
            }
        }
        self.checks.about(c"", [Word(0); 2]);
        let _ = self.driver.set_rcv_mode(handle, 3);
        let _ = self.driver.ask(0x1600, 0, 0, Far::of(&LISTED));
        let _ = self.driver.release(handle);
    }

    /// The handle that gets the one frame that is asked for; 0 if none does, or several.
    fn who(&self, framing: Framing, kind: u16) -> u32 {
        self.ask(self.asked([0; 6], framing, kind, 120), 1);
        let mut others = mails().filter(|mail| self::kind(mail) != ETHERTYPE);
        let first = others.next().map_or(0, |mail| mail.handle);
        if others.next().is_some() { 0 } else { first as u32 }
    }

    /// Checks which handle gets a frame, by class and length of type.
    fn matching(&mut self) {
        let driver = self.driver;
        let receiver = self.receiver;
        let open = |class, kind: &[u8]| driver.access(class, kind, receiver).unwrap_or(0);
        let all = open(1, &[]);
        let dix = open(1, &KIND.to_be_bytes());
        let got = self.who(Framing::Type, KIND);
        self.checks.equal(c"a type's frame goes to its handle", dix as u32, got);
        let got = self.who(Framing::Type, KIND + 1);
        self.checks.equal(c"another type's frame goes to the handle for all", all as u32, got);
        let got = self.who(Framing::Llc, 0xE0E0);
        self.checks.equal(c"an 802.3 frame goes to the handle for all, without class 11", all as u32, got);
        let lsap = open(11, &[0xE0, 0xE0]);
        let snap = open(11, &[0xAA, 0xAA, 3, 0, 0, 0, 0x90, 0x60]);
        let got = self.who(Framing::Llc, 0xE0E0);
        self.checks.equal(c"an 802.3 frame goes to the handle for its LSAPs", lsap as u32, got);
        let got = self.who(Framing::Snap, 0x9060);
        self.checks.equal(c"a SNAP frame goes to the handle for its SNAP type", snap as u32, got);
        let got = self.who(Framing::Snap, 0x9061);
        self.checks.equal(c"another SNAP type goes to the handle for all", all as u32, got);
        let ieee = open(11, &[]);
        let got = self.who(Framing::Snap, 0x9061);
        self.checks.equal(c"another SNAP type goes to the class 11 handle for all first", ieee as u32, got);
        let got = self.who(Framing::Snap, 0x9060);
        self.checks.equal(c"a SNAP type goes to its handle before that", snap as u32, got);
        let got = self.who(Framing::Type, KIND + 1);
        self.checks.equal(c"a DIX frame does not go to class 11", all as u32, got);
        for handle in [all, dix, lsap, snap, ieee] {
            let _ = driver.release(handle);
        }
    }

    /// Checks frames of every length, with their content and padding.
    fn lengths(&mut self) {
        const LENGTHS: [u16; 20] =
            [14, 15, 25, 26, 27, 59, 60, 61, 62, 63, 64, 127, 255, 256, 257, 1000, 1023, 1512, 1513, 1514];
        let Ok(handle) = self.driver.access(1, &KIND.to_be_bytes(), self.receiver) else { return };
        for length in LENGTHS {
            self.ask(self.asked([0; 6], Framing::Type, KIND, length), 1);
            let seed = SEED.read();
            let got = mails().find(|mail| mail.handle == handle);
            self.checks.about(c"{d} bytes on the wire: ", [length.into(), Word(0)]);
            self.checks.equal(c"length received", length.max(MIN_FRAME) as u32, got.map_or(0, |mail| mail.second_len as u32));
            let Some(mail) = got else { continue };
            let (frame, padding) = mail.frame().split_at(length as usize);
            let expected = Header { op: Op::Data, index: 0, seed, length, count: 1 };
            let body = frame.get(MAC_HEADER..).unwrap_or(&[]);
            self.checks.holds(c"every byte is right", wire::check_body(body, &expected), c"the peer's content");
            let padded = padding.iter().all(|byte| *byte == 0) && mail.guarded();
            self.checks.holds(c"padding is zeros, nothing outside", padded, c"zeros and guards");
        }
        for length in [1515, 1600] {
            self.ask(self.asked([0; 6], Framing::Type, KIND, length), 1);
            let longest = (0..KEPT).map(|i| mailbox::mail(i).len).max().unwrap_or(0);
            self.checks.about(c"{d} bytes on the wire: ", [length.into(), Word(0)]);
            self.checks.holds(c"no receiver is offered more than 1,514", longest <= MAX_FRAME, c"1,514 at most");
        }
        self.checks.about(c"", [Word(0); 2]);
        let _ = self.driver.release(handle);
    }

    /// Checks that frames for receiver 0:0 count as lost, and that a flood is received as far as it can be.
    fn counting(&mut self) {
        let Ok(null) = self.driver.access(1, &KIND.to_be_bytes(), Far(0)) else { return };
        let mut lost = 0;
        for attempt in 0..ATTEMPTS {
            if attempt != 0 {
                mailbox::again();
            }
            let count = || self.driver.statistics(null).unwrap_or_default().packets_lost;
            let before = count();
            // One after another: a small ring does not hold ten frames at once.
            for _ in 0..10 {
                self.ask(self.asked([0; 6], Framing::Type, KIND, 64), 1);
            }
            lost = count().wrapping_sub(before);
            if lost == 10 {
                break;
            }
        }
        self.checks.equal(c"ten frames that no one takes are counted lost", 10, lost);
        let _ = self.driver.release(null);
        let Ok(handle) = self.driver.access(1, &KIND.to_be_bytes(), self.receiver) else { return };
        let before = self.driver.statistics(handle).unwrap_or_default();
        mailbox::reset(&self.driver, PLAIN);
        let ask = Ask { min: 60, max: MAX_FRAME, ..self.asked([0; 6], Framing::Type, KIND, 60) };
        self.send(&Header { op: Op::Ask, index: 0, seed: self.seed(), length: 60, count: 500 }, &ask.encode());
        let mut seen = 0;
        // The flood begins when the host is ready, and has ended when no frame has come for a while.
        wait(PATIENCE, || mailbox::seconds() != seen);
        while wait(SILENCE, || mailbox::seconds() != seen) {
            seen = mailbox::seconds();
        }
        // Read until both agree: a frame between reading the counters and the mailbox would be in one of them only.
        let mut after = before;
        wait(PATIENCE, || {
            seen = mailbox::seconds();
            after = self.driver.statistics(handle).unwrap_or_default();
            mailbox::seconds() == seen
        });
        let counted = after.packets_in.wrapping_sub(before.packets_in);
        let lost = after.packets_lost.wrapping_sub(before.packets_lost);
        say!(c"   of a flood of 501 frames {d} were received, {d} counted in, {d} lost\n", seen, counted, lost);
        // An emulated card drops frames without room in its ring; the smallest ring holds this many.
        self.checks.holds(c"a flood is received as far as a ring holds it", seen >= 8, c"8 frames or more");
        // A frame that the card itself dropped may count as lost without counting as received.
        self.checks.holds(c"  and counted in", counted >= seen as u32, c"no fewer than were received");
        self.checks.holds(c"  and every frame counted in was received or lost", counted <= seen as u32 + lost, c"no more than both");
        let _ = self.driver.release(handle);
    }

    /// Checks that sent frames arrive unchanged, padded with zeros.
    fn sends(&mut self) {
        let seed = self.seed();
        let mut count = 0;
        let mut refused = 0;
        let lengths = (26..=70).chain([127, 128, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 1512, 1513, 1514]);
        for length in lengths {
            refused += !self.send(&Header { op: Op::Data, index: count, seed, length, count: 0 }, &[]) as u32;
            count += 1;
        }
        for iocb in [false, true] {
            for length in [60, 61, 1514] {
                // `send` builds the frame in OUT. The peer counts frames by index, so the second copy counts as repeated.
                self.send(&Header { op: Op::Data, index: count, seed, length, count: 0 }, &[]);
                let sent = sending::asynchronously(&self.driver, Far::of(OUT.get()), length, iocb);
                refused += sent.is_err() as u32;
                count += 1;
            }
        }
        self.checks.equal(c"frames of 66 lengths are sent", 0, refused);
        let answer = self.question(Op::Report, Op::ReportReply, seed, count, &[]);
        let tally = answer.and_then(|mail| Tally::decode(mail.frame().get(MAC_HEADER + HEADER..)?)).unwrap_or_default();
        self.checks.equal(c"  the peer got them all, right", count as u32, tally.good);
        self.checks.equal(c"  and none wrong", 0, tally.bad);
        self.checks.equal(c"  and those sent asynchronously too", 6, tally.repeated);
    }
}
