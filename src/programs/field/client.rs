//! The client of FIELD: its handles, the flows of frames in both directions, and their checks.

use core::ffi::CStr;

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::Frame;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::clock::{Deadline, rest, wait};
use compkt::programs::rt::packet::{Driver, Handle, release_all};
use compkt::programs::rt::{Far, Shared};
use compkt::resident::table::BURST;
use compkt::say;
use compkt::wire::{Ask, ETHERTYPE, Framing, Header, Op, Tally};

use crate::link::Tells;
use crate::receiver::{self, Flow, KIND, Plan, Seen};
use crate::sender;
use crate::timer::feed;

/// BIOS ticks within which frames that were asked for begin to come.
pub const PATIENCE: u16 = 182;
/// BIOS ticks without an upcall after which a flow has ended.
const SILENCE: u16 = 55;
/// BIOS ticks without an upcall after which the driver's counters are read.
const PAUSE: u16 = 18;

/// The most requests for a flow of which the card loses frames; and the microseconds that each adds between two frames.
const TRIES: u8 = 5;
const GAP_STEP_US: u16 = 6000;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

/// The state that all groups of checks share.
pub struct Client {
    pub driver: Driver,
    pub mac: MacAddr,
    pub checks: Checks,
    /// The handle for the flows.
    pub handle: Handle,
    /// No frame came after a request: later checks do not wait.
    pub dead: bool,
    /// The card drops frames without room and does not say so.
    pub uncounted: bool,
    /// The card holds few frames: it may lose some of those that come at once.
    pub small: bool,
    /// The longest frame of a flow.
    pub longest: u16,
    /// There is an HMA, and no other program uses it.
    pub high: bool,
    /// Frames that the driver takes before it looks for other interrupts.
    pub burst: u16,
    /// In SENDERS the timer interrupts so many times as often as usual.
    pub rate: u16,
    /// How the card tells of its link.
    pub tells: Tells,
    seed: u32,
    /// [`Client::lost`] before the flow was asked for.
    before: u32,
}

impl Client {
    /// A client without handles.
    pub fn new(driver: Driver, seed: u32) -> Client {
        Client { driver, mac: [0; 6], checks: Checks::new(), handle: 0, dead: false, uncounted: false, small: false, longest: MAX_FRAME, high: false, burst: BURST as u16, rate: 60, tells: Tells::Nothing, seed, before: 0 }
    }

    /// Opens a handle for the flows and one for the peer's answers; or one for all frames.
    pub fn open(&mut self, all: bool) -> bool {
        let receiver = receiver::entry();
        receiver::reset(0, receiver::SHORT, receiver::PLAIN);
        let opened = if all {
            self.driver.access(1, &[], receiver)
        } else {
            self.driver.access(1, &ETHERTYPE.to_be_bytes(), receiver).and_then(|_| self.driver.access(1, &KIND.to_be_bytes(), receiver))
        };
        let opened = opened.and_then(|handle| Ok((handle, self.driver.address(handle)?)));
        let Some((handle, mac)) = self.checks.succeeds(c"access_type and get_address", opened) else { return false };
        self.handle = handle;
        self.mac = mac;
        receiver::start(mac);
        sender::start(self.driver.vector, mac);
        true
    }

    /// Closes the handles.
    pub fn close(&mut self) {
        release_all();
    }

    /// The name of a new flow.
    pub fn seed(&mut self) -> u32 {
        self.seed = self.seed.wrapping_add(0x10);
        self.seed
    }

    fn tell(&self, header: &Header, used: &[u8]) -> Result<(), u8> {
        // SAFETY: only the main program uses it.
        let frame = unsafe { &mut *OUT.get() };
        feed();
        let answer = sender::transmit(sender::compose(frame, header, used));
        feed();
        answer
    }

    /// Asks the peer for a flow.
    pub fn ask(&mut self, flow: Flow, plan: Plan) -> Result<(), u8> {
        let seed = self.seed();
        let flow = Flow { max: flow.max.min(self.longest), ..flow };
        self.before = self.lost();
        receiver::reset(seed, flow, plan);
        let ask = Ask { min: flow.min, max: flow.max, kind: KIND, framing: Framing::Type, to: flow.to, gap_us: flow.gap_us, delay_ms: 0 };
        self.tell(&Header { op: Op::Ask, index: 0, seed, length: 60, count: flow.count }, &ask.encode())
    }

    /// Waits until all of a flow has come, or no more frames come.
    pub fn await_flow(&mut self, flow: &Flow) -> Seen {
        let mut seen = receiver::seen();
        let mut quiet = Deadline::after(PATIENCE);
        let mut pause = Deadline::after(PAUSE);
        loop {
            let now = receiver::seen();
            if now.firsts != seen.firsts || now.seconds != seen.seconds {
                quiet = Deadline::after(SILENCE);
                pause = Deadline::after(PAUSE);
            }
            seen = now;
            if pause.over() {
                pause = Deadline::after(PATIENCE);
                // The driver has counted all missing frames, and the peer's last one.
                if self.lost().wrapping_sub(self.before) > flow.count.saturating_sub(seen.good + seen.bad) as u32 {
                    break;
                }
            }
            if seen.done && seen.good + seen.bad >= flow.count {
                break;
            }
            if quiet.over() {
                self.dead |= seen.firsts == 0;
                break;
            }
            rest();
        }
        seen
    }

    /// Asks for a flow and receives it.
    pub fn receive(&mut self, flow: Flow, plan: Plan) -> Seen {
        if self.dead {
            return Seen::default();
        }
        match self.ask(flow, plan) {
            Ok(()) => self.await_flow(&flow),
            Err(_) => Seen::default(),
        }
    }

    /// Checks that every frame of a flow comes, once, right, and in upcalls that do not nest. If the card had no room for all
    /// of them, asks again for fewer, with more time between two.
    pub fn comes(&mut self, name: &CStr, mut flow: Flow, plan: Plan) -> Seen {
        let nested = receiver::nested();
        let mut tries = 0;
        loop {
            let lost = self.lost();
            let seen = self.receive(flow, plan);
            tries += 1;
            if self.no_room(&flow, &seen, lost) && seen.bad == 0 && tries != TRIES {
                flow.count = (flow.count * 3 / 4).max(3);
                flow.gap_us += if flow.gap_us != 0 { GAP_STEP_US } else { 0 };
                continue;
            }
            self.whole(name, &flow, &seen);
            self.right(&seen, nested);
            receiver::be(receiver::PLAIN);
            return seen;
        }
    }

    /// Whether frames of a flow are missing for which the card had no room. `lost` is [`Client::lost`] before the flow.
    fn no_room(&mut self, flow: &Flow, seen: &Seen, lost: u32) -> bool {
        let lost = self.lost().wrapping_sub(lost);
        let missing = !self.dead && seen.good + seen.bad < flow.count && (self.small && lost != 0 || self.uncounted && seen.good != 0);
        if missing {
            say!(c"   {d} of {d} came, {d} counted lost or wrong\n", seen.good, flow.count, lost);
        }
        missing
    }

    /// Checks that every frame of a flow has come for which the card had room, or at least some have.
    pub fn mostly(&mut self, name: &CStr, flow: &Flow, seen: &Seen, lost: u32) {
        if self.no_room(flow, seen, lost) {
            self.checks.holds(name, seen.good != 0, c"some frames");
        } else {
            self.whole(name, flow, seen);
        }
    }

    /// Checks that every frame of a flow has come.
    pub fn whole(&mut self, name: &CStr, flow: &Flow, seen: &Seen) {
        if self.dead {
            self.checks.holds(name, false, c"reception, which is dead");
        } else {
            self.checks.equal(name, flow.count as u32, seen.good as u32);
        }
    }

    /// Checks that the received frames are right.
    pub fn right(&mut self, seen: &Seen, nested: u16) {
        let nested = receiver::nested().wrapping_sub(nested);
        if seen.bad != 0 || seen.twice != 0 {
            say!(c"   {d} wrong, the first by its {s}, {d} twice\n", seen.bad, why(seen.why), seen.twice);
        }
        self.checks.equal(c"  with every byte right, once", 0, seen.bad as u32 + seen.twice as u32);
        self.checks.equal(c"  and no upcall inside another", 0, nested as u32);
    }

    /// Sends a frame that the peer sends back; returns whether it came. It is sent four times at most: frames of a flood may fill the
    /// card on a slow host, and the answer is lost.
    pub fn echo(&mut self) -> bool {
        let seed = self.seed();
        for tries in 0..4 {
            if tries != 0 {
                say!(c"   1 echo again\n");
            }
            let sent = self.tell(&Header { op: Op::Echo, index: 0, seed, length: 60, count: 0 }, &[]);
            if sent.is_ok() && wait(PATIENCE, || receiver::echoed(seed)) {
                return !self.dead;
            }
        }
        self.dead = true;
        false
    }

    /// Waits until the peer has received all frames sent so far. QEMU keeps at most 10,000 frames for a peer on a slow host, and
    /// drops any others.
    pub fn drain(&mut self) {
        let seed = self.seed();
        let sent = wait(PATIENCE, || self.tell(&Header { op: Op::Echo, index: 0, seed, length: 60, count: 0 }, &[]).is_ok());
        self.dead |= !sent || !wait(PATIENCE, || receiver::echoed(seed));
    }

    /// The peer's tally of a sent flow.
    pub fn tally(&mut self, seed: u32, count: u16) -> Option<Tally> {
        if !self.dead {
            let sent = self.tell(&Header { op: Op::Report, index: 0, seed, length: 60, count }, &[]);
            self.dead = sent.is_err() || !wait(PATIENCE, || receiver::tally(seed).is_some());
        }
        receiver::tally(seed)
    }

    /// Checks that the peer has received what a sender sent, with every byte right.
    pub fn reaches(&mut self, name: &CStr, which: usize, least: u16) {
        let (sent, refused, errors, seed) = sender::count(which);
        say!(c"   {d} sent, {d} refused with CANT_SEND, {d} with something else\n", sent, refused, errors);
        self.checks.holds(name, sent >= least && errors == 0, c"frames that are taken, and no error but CANT_SEND");
        let tally = self.tally(seed, sent).unwrap_or_default();
        self.checks.equal(c"  all of them are on the wire", sent as u32, tally.good);
        self.checks.equal(c"  with every byte right, once", 0, tally.bad + tally.repeated);
    }

    /// Frames that the driver counts as lost or with errors.
    pub fn lost(&self) -> u32 {
        self.driver.statistics(self.handle).map_or(0, |counts| counts.packets_lost.wrapping_add(counts.errors_in))
    }

    /// Restores mode, multicast list and address.
    pub fn restore(&mut self) {
        let _ = self.driver.set_rcv_mode(self.handle, 3);
        let _ = self.driver.ask(0x1600, self.handle, 0, Far(0));
        let mac = Shared::new(self.mac);
        let _ = self.driver.ask(0x1900, self.handle, 6, Far::of(mac.get()));
    }
}

/// The texts for the codes of [`receiver::wrong`].
fn why(code: u8) -> &'static CStr {
    const NAMES: [&CStr; 8] =
        [c"nothing", c"AX", c"CX", c"DS:SI", c"length", c"MAC header", c"content", c"surroundings"];
    NAMES.get(code as usize).copied().unwrap_or(c"?")
}
