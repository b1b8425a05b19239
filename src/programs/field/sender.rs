//! Senders: the main program, interrupt handlers, the receiver. Each has a flow and a buffer of its own, so that the peer
//! notices a frame that was damaged by one sent in the middle of it.

use compkt::device::{MAX_FRAME, MIN_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, far, int, vector as handler};
use compkt::wire::{self, ETHERTYPE, Header, MAC_HEADER, Op};

// The senders' numbers.
pub const MAIN: usize = 0;
pub const BEFORE_EOI: usize = 1;
pub const AFTER_EOI: usize = 2;
pub const TICK: usize = 3;
pub const IDLE: usize = 4;
pub const FIRST: usize = 5;
pub const SECOND: usize = 6;
pub const SENDERS: usize = 7;

/// A sender's flow.
#[derive(Clone, Copy)]
pub struct Sender {
    /// The flow's name.
    pub seed: u32,
    /// Frames that the driver accepted.
    pub sent: u16,
    /// Frames that it refused with CANT_SEND, and with another error.
    pub refused: u16,
    pub errors: u16,
    frame: Frame,
}

static ALL: Shared<[Sender; SENDERS]> =
    Shared::new([Sender { seed: 0, sent: 0, refused: 0, errors: 0, frame: [0; MAX_FRAME as usize] }; SENDERS]);
static VECTOR: Shared<u8> = Shared::new(0x60);
static MAC: Shared<MacAddr> = Shared::new([0; 6]);
/// Calls are made by CALL FAR with interrupts on, not by INT.
static FAR: Shared<bool> = Shared::new(false);

/// Stores the driver's vector and the card's address.
pub fn start(vector: u8, mac: MacAddr) {
    VECTOR.write(vector);
    MAC.write(mac);
}

/// The driver's vector.
pub fn vector() -> u8 {
    VECTOR.read()
}

/// Selects CALL FAR with interrupts on, or INT, for the calls that follow.
pub fn by_far_call(far: bool) {
    FAR.write(far);
}

fn place(which: usize) -> *mut Sender {
    // SAFETY: the number is taken modulo the number of senders.
    unsafe { ALL.get().cast::<Sender>().add(which % SENDERS) }
}

/// Begins new flows, named from `seed` on.
pub fn reset(seed: u32) {
    for which in 0..SENDERS {
        // SAFETY: no frame is being sent.
        let sender = unsafe { &mut *place(which) };
        sender.seed = seed + which as u32;
        sender.sent = 0;
        sender.refused = 0;
        sender.errors = 0;
    }
}

/// Of a sender's flow: frames accepted, refused with CANT_SEND, refused otherwise; and its name.
pub fn count(which: usize) -> (u16, u16, u16, u32) {
    // SAFETY: only that sender writes these numbers.
    let sender = unsafe { &*place(which) };
    (sender.sent, sender.refused, sender.errors, sender.seed)
}

/// Sends the next frame of a flow. A sender must not interrupt itself.
pub fn send(which: usize) -> Result<(), u8> {
    send_of(which, wire::length_of(count(which).3, count(which).0, MIN_FRAME, MAX_FRAME))
}

/// The same with this length.
pub fn send_of(which: usize, length: u16) -> Result<(), u8> {
    send_from(which, length, None)
}

/// The same from this address, if given, which the caller may write to.
pub fn send_from(which: usize, length: u16, from: Option<Far>) -> Result<(), u8> {
    // SAFETY: only this sender uses its flow.
    let sender = unsafe { &mut *place(which) };
    let header = Header { op: Op::Data, index: sender.sent, seed: sender.seed, length, count: 0 };
    let bytes = compose(&mut sender.frame, &header, &[]);
    let answer = match from {
        None => transmit(bytes),
        Some(place) => {
            // SAFETY: the caller says that it may be written.
            unsafe { place.write(bytes) };
            transmit_from(place, length)
        }
    };
    match answer {
        Ok(()) => sender.sent += 1,
        Err(error::CANT_SEND) => sender.refused += 1,
        Err(_) => sender.errors += 1,
    }
    answer
}

/// Writes a test frame as a broadcast.
pub fn compose<'a>(frame: &'a mut Frame, header: &Header, used: &[u8]) -> &'a [u8] {
    net::ether(frame, &net::BROADCAST, &MAC.read(), ETHERTYPE);
    let bytes = frame.get_mut(..header.length as usize).unwrap_or(&mut []);
    wire::write_body(bytes.get_mut(MAC_HEADER..).unwrap_or(&mut []), header, used);
    bytes
}

/// send_pkt.
pub fn transmit(bytes: &[u8]) -> Result<(), u8> {
    transmit_from(Far::of(bytes), bytes.len() as u16)
}

/// send_pkt with a far address.
fn transmit_from(from: Far, length: u16) -> Result<(), u8> {
    let mut regs = Regs::ax(0x0400);
    regs.ds = from.segment();
    regs.esi = from.offset() as u32;
    regs.ecx = length as u32;
    if FAR.read() {
        far(handler(VECTOR.read()), &mut regs);
    } else {
        int(VECTOR.read(), &mut regs);
    }
    if regs.carry() { Err(regs.dh()) } else { Ok(()) }
}
