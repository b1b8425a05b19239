//! The receiver of FIELD: it checks every byte of the frames that it gets, and behaves as its plan says.

use compkt::device::{MAX_FRAME, MIN_FRAME, MacAddr};
use compkt::programs::net::{BROADCAST, Frame};
use compkt::programs::rt::clock::Stopwatch;
use compkt::programs::rt::packet::Driver;
use compkt::programs::rt::{Far, IF, Regs, Shared};
use compkt::wire::{self, ETHERTYPE, HEADER, Header, MAC_HEADER, Op, Tally};

use crate::sender;
use crate::timer::interrupts;

/// The type of frames that are asked for.
pub const KIND: u16 = 0x9051;
/// The most frames of a flow.
pub const MOST: usize = 512;
/// The bytes around the buffers.
const GUARD: u8 = 0xA7;
const BUFFERS: usize = 3;
/// A buffer above FFFF:000F. No other segment gives this address.
const HIGH: Far = Far::new(0xFFFF, 0x8011);

/// The function that a receiver calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    None,
    /// send_pkt.
    Send,
    /// set_rcv_mode 5 and 3 in turn.
    OtherMode,
    /// set_rcv_mode 6 and 3 in turn.
    Promiscuous,
    /// set_rcv_mode with the present mode.
    SameMode,
    /// set_multicast_list with one address and with none in turn.
    List,
    /// set_address to another address and back in turn.
    Address,
    /// reset_interface.
    Reset,
    /// terminate.
    Terminate,
}

/// What the receiver does.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Enables interrupts by its first instruction, and leaves them enabled.
    pub opens: bool,
    /// Stays this long in each second upcall, in microseconds.
    pub stay_us: u16,
    /// Stays this long in the first upcall of the flow, so that the other frames arrive meanwhile.
    pub gather_us: u32,
    /// Changes every register except SS:SP and the results.
    pub scramble: bool,
    /// Ends with IRET.
    pub irets: bool,
    /// Returns this in CX of the first upcall.
    pub cx: Option<u16>,
    /// Its buffer lies in the HMA.
    pub high: bool,
    /// Calls the driver in the upcalls for frames 0 and 3; to send, in every upcall.
    pub act: Act,
    /// Does that in the second upcall, not in the first.
    pub in_second: bool,
}

/// Takes every frame, and does nothing else.
pub const PLAIN: Plan =
    Plan { opens: false, stay_us: 0, gather_us: 0, scramble: false, irets: false, cx: None, high: false, act: Act::None, in_second: false };

/// A flow of frames.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Number of frames, at most [`MOST`].
    pub count: u16,
    /// Shortest and longest frame.
    pub min: u16,
    pub max: u16,
    /// Microseconds between two frames.
    pub gap_us: u16,
    /// Destination address; all zeros: this station's.
    pub to: MacAddr,
}

/// Short frames without a gap.
pub const SHORT: Flow = Flow { count: 12, min: 60, max: 100, gap_us: 0, to: [0; 6] };

/// The result of a flow.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    /// Distinct frames with every byte right.
    pub good: u16,
    /// Frames that were offered before the timer interrupt that was requested during the first frame; the first included.
    pub before_tick: u16,
    /// Faulty upcalls or frames, and the first fault's code: see [`wrong`].
    pub bad: u16,
    pub why: u8,
    /// Frames that had come before.
    pub twice: u16,
    /// Frames of an older flow.
    pub late: u16,
    /// Number of first upcalls, and of second ones.
    pub firsts: u16,
    pub seconds: u16,
    /// The peer has said that it has sent all frames.
    pub done: bool,
    /// Calls of the driver from the receiver: number that succeeded, number that failed, last error.
    pub acted: u16,
    pub refused: u16,
    pub error: u8,
}

/// Codes of faults.
pub mod wrong {
    pub const AX: u8 = 1;
    pub const CX: u8 = 2;
    pub const PLACE: u8 = 3;
    pub const LENGTH: u8 = 4;
    pub const MAC: u8 = 5;
    pub const CONTENT: u8 = 6;
    pub const GUARDS: u8 = 7;
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Buffer {
    before: [u8; 8],
    bytes: Frame,
    after: [u8; 8],
}

static BUFFER: Shared<[Buffer; BUFFERS]> =
    Shared::new([Buffer { before: [GUARD; 8], bytes: [0; MAX_FRAME as usize], after: [GUARD; 8] }; BUFFERS]);
static PLAN: Shared<Plan> = Shared::new(PLAIN);
static FLOW: Shared<Flow> = Shared::new(SHORT);
static SEED: Shared<u32> = Shared::new(0);
static SEEN: Shared<Seen> = Shared::new(NOTHING);
static GOT: Shared<[u32; MOST / 32]> = Shared::new([0; MOST / 32]);
/// The frame between its two upcalls: length and buffer.
static OFFERED: Shared<u16> = Shared::new(0);
static NEXT: Shared<u8> = Shared::new(0);
/// The number of timer interrupts at the first frame of the flow.
static TICKS: Shared<u16> = Shared::new(0);
static MAC: Shared<MacAddr> = Shared::new([0; 6]);
/// Another station's address.
static OTHER: Shared<MacAddr> = Shared::new([2, 0x3C, 0x50, 0x9B, 0, 9]);
static GROUP: Shared<MacAddr> = Shared::new([1, 0, 0x5E, 0, 0, 9]);
/// The peer's last answers: the seed of an echo; a tally and its seed.
static ECHO: Shared<u32> = Shared::new(0);
static TALLY: Shared<(u32, Tally)> = Shared::new((0, Tally { good: 0, bad: 0, repeated: 0, lost: 0 }));

const NOTHING: Seen =
    Seen { good: 0, before_tick: 0, bad: 0, why: 0, twice: 0, late: 0, firsts: 0, seconds: 0, done: false, acted: 0, refused: 0, error: 0 };

unsafe extern "C" {
    fn field_receiver();
    static mut field_opens: u8;
    static mut field_irets: u8;
    static field_nested: u16;
}

/// The receiver to give to access_type.
pub fn entry() -> Far {
    Far::of_code(field_receiver)
}

/// Stores this station's address and the driver's vector.
pub fn start(mac: MacAddr) {
    MAC.write(mac);
}

/// Clears the results, and sets the plan. No frame may be on its way.
pub fn reset(seed: u32, flow: Flow, plan: Plan) {
    PLAN.write(plan);
    FLOW.write(flow);
    SEED.write(seed);
    GOT.write([0; MOST / 32]);
    SEEN.write(NOTHING);
    // SAFETY: bytes that the receiver's entry reads.
    unsafe {
        (&raw mut field_opens).write_volatile(plan.opens as u8);
        (&raw mut field_irets).write_volatile(plan.irets as u8);
    }
}

/// Sets the plan.
pub fn be(plan: Plan) {
    let seen = SEEN.read();
    let got = GOT.read();
    reset(SEED.read(), FLOW.read(), plan);
    SEEN.write(seen);
    GOT.write(got);
}

/// The results so far.
pub fn seen() -> Seen {
    SEEN.read()
}

/// Nested upcalls since the start.
pub fn nested() -> u16 {
    // SAFETY: a word that the receiver's entry writes.
    unsafe { (&raw const field_nested).read_volatile() }
}

/// Whether the peer has sent this echo back.
pub fn echoed(seed: u32) -> bool {
    ECHO.read() == seed
}

/// The peer's tally of a seed.
pub fn tally(seed: u32) -> Option<Tally> {
    let (of, tally) = TALLY.read();
    (of == seed).then_some(tally)
}

/// Waits.
pub fn stay(us: u32) {
    let mut watch = Stopwatch::start();
    while us != 0 && watch.microseconds() < us {}
}

fn note(change: impl FnOnce(&mut Seen)) {
    // SAFETY: upcalls do not nest; the main program copies the results as a whole, and reads them again later.
    change(unsafe { &mut *SEEN.get() });
}

fn bad(why: u8) {
    note(|seen| {
        if seen.bad == 0 {
            seen.why = why;
        }
        seen.bad += 1;
    });
}

/// An upcall; called by `field_receiver` in asm/field.asm.
#[unsafe(no_mangle)]
pub extern "C" fn field_upcall(regs: &mut Regs) {
    let plan = PLAN.read();
    let first = regs.eax as u16 == 0;
    match regs.eax as u16 {
        0 => offer(regs, &plan),
        1 => taken(regs, &plan),
        _ => bad(wrong::AX),
    }
    let number = SEEN.read().firsts.wrapping_sub(1);
    if first && number == 0 {
        TICKS.write(interrupts());
        stay(plan.gather_us);
    }
    if first && interrupts() == TICKS.read() {
        note(|seen| seen.before_tick += 1);
    }
    if plan.act != Act::None && first != plan.in_second && (plan.act == Act::Send || number == 0 || number == 3) {
        act(&plan, regs.ebx as u16, number != 0);
    }
    if plan.opens {
        regs.flags |= IF;
    }
    if plan.scramble {
        regs.eax = 0xDEAD_0A0A;
        regs.ebx = 0xDEAD_0B0B;
        regs.ecx = 0xDEAD_0C0C;
        regs.edx = 0xDEAD_0D0D;
        regs.esi = 0xDEAD_0E0E;
        regs.ebp = 0xDEAD_0F0F;
        regs.edi |= 0xDEAD_0000;
        regs.ds = 0x2345;
        regs.fs = 0x4321;
        regs.gs = 0x1234;
        if !first {
            regs.edi = 0xDEAD_0101;
            regs.es = 0x5678;
        }
    }
    if let (true, Some(cx)) = (first, plan.cx) {
        regs.ecx = regs.ecx & 0xFFFF_0000 | cx as u32;
    }
}

/// The first upcall.
fn offer(regs: &mut Regs, plan: &Plan) {
    note(|seen| seen.firsts += 1);
    let len = regs.ecx as u16;
    OFFERED.write(len);
    regs.es = 0;
    regs.edi = 0;
    if !(MIN_FRAME..=MAX_FRAME).contains(&len) {
        return bad(wrong::CX);
    }
    NEXT.write((NEXT.read() + 1) % BUFFERS as u8);
    let at = if plan.high { HIGH } else { place() };
    regs.es = at.segment();
    regs.edi = at.offset() as u32;
}

fn buffer() -> *mut Buffer {
    // SAFETY: the number is below BUFFERS.
    unsafe { BUFFER.get().cast::<Buffer>().add(NEXT.read() as usize) }
}

/// The address of that buffer's bytes.
fn place() -> Far {
    // SAFETY: takes the address only.
    Far::of(unsafe { &raw const (*buffer()).bytes })
}

/// The second upcall.
fn taken(regs: &Regs, plan: &Plan) {
    note(|seen| seen.seconds += 1);
    let len = regs.ecx as u16;
    // SAFETY: the buffer is this upcall's until the next frame is offered.
    let buffer = unsafe { &mut *buffer() };
    let at = if plan.high { HIGH } else { place() };
    if plan.high {
        HIGH.read(buffer.bytes.get_mut(..len.min(MAX_FRAME) as usize).unwrap_or(&mut []));
    }
    if len != OFFERED.read() {
        bad(wrong::CX);
    } else if Far::new(regs.ds, regs.esi as u16).linear() != at.linear() {
        bad(wrong::PLACE);
    } else if buffer.before != [GUARD; 8] || buffer.after != [GUARD; 8] {
        bad(wrong::GUARDS);
    } else {
        judge(buffer.bytes.get(..len as usize).unwrap_or(&[]));
    }
    buffer.before = [GUARD; 8];
    buffer.after = [GUARD; 8];
    // Clears the buffer, so that an old frame cannot pass for a new one.
    buffer.bytes.fill(0x5B);
    stay(plan.stay_us as u32);
}

/// Checks a received frame.
fn judge(frame: &[u8]) {
    let Some((mac, rest)) = frame.split_at_checked(MAC_HEADER) else { return bad(wrong::LENGTH) };
    let Some(header) = Header::decode(rest) else {
        // A frame of the network, such as ARP, is no fault; one with our type is.
        if kind(mac) == KIND {
            bad(wrong::CONTENT);
        }
        return;
    };
    match (kind(mac), header.op) {
        (ETHERTYPE, Op::Done) if header.seed == SEED.read() => note(|seen| seen.done = true),
        (ETHERTYPE, Op::EchoReply) => ECHO.write(header.seed),
        (ETHERTYPE, Op::ReportReply) => {
            if let Some(tally) = rest.get(HEADER..).and_then(Tally::decode) {
                TALLY.write((header.seed, tally));
            }
        }
        (KIND, Op::Data) if header.seed == SEED.read() => data(mac, rest, &header),
        (KIND, Op::Data) => note(|seen| seen.late += 1),
        (KIND, _) => bad(wrong::CONTENT),
        _ => {}
    }
}

fn kind(mac: &[u8]) -> u16 {
    match mac {
        [.., high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// Checks a frame of the flow.
fn data(mac: &[u8], rest: &[u8], header: &Header) {
    let flow = FLOW.read();
    let length = wire::length_of(header.seed, header.index, flow.min, flow.max);
    if header.length != length || rest.len() + MAC_HEADER != length.max(MIN_FRAME) as usize || header.index >= flow.count {
        return bad(wrong::LENGTH);
    }
    let ours = MAC.read();
    if !mac.starts_with(if flow.to == [0; 6] { &ours } else { &flow.to }) {
        return bad(wrong::MAC);
    }
    if !wire::check_body(rest.get(..length as usize - MAC_HEADER).unwrap_or(&[]), header) {
        return bad(wrong::CONTENT);
    }
    // SAFETY: upcalls do not nest; the main program reads it only when no frame is on its way.
    let Some(word) = unsafe { &mut *GOT.get() }.get_mut(header.index as usize / 32) else { return };
    let bit = 1 << (header.index % 32);
    let before = *word & bit != 0;
    *word |= bit;
    note(|seen| if before { seen.twice += 1 } else { seen.good += 1 });
}

/// Calls the driver from an upcall.
fn act(plan: &Plan, handle: u16, back: bool) {
    let driver = Driver { vector: sender::vector() };
    let answer = match plan.act {
        Act::None => return,
        Act::Send => sender::send(if plan.in_second { sender::SECOND } else { sender::FIRST }),
        Act::OtherMode => driver.set_rcv_mode(handle, if back { 3 } else { 5 }),
        Act::Promiscuous => driver.set_rcv_mode(handle, if back { 3 } else { 6 }),
        Act::SameMode => driver.set_rcv_mode(handle, 3),
        Act::List => driver.ask(0x1600, handle, if back { 0 } else { 6 }, Far::of(GROUP.get())).map(|_| ()),
        Act::Address => driver.ask(0x1900, handle, 6, Far::of(if back { MAC.get() } else { OTHER.get() })).map(|_| ()),
        Act::Reset => driver.ask(0x0700, handle, 0, Far(0)).map(|_| ()),
        Act::Terminate => driver.ask(0x0500, handle, 0, Far(0)).map(|_| ()),
    };
    note(|seen| match answer {
        Ok(()) => seen.acted += 1,
        Err(code) => {
            seen.refused += 1;
            seen.error = code;
        }
    });
}

/// A flow of broadcasts, which come whatever this station's address is.
pub const EVERYBODY: Flow = Flow { to: BROADCAST, ..SHORT };
