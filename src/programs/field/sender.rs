//! Frames that are sent from everywhere: the main program, handlers of interrupts, the receiver. Each of these has a
//! flow and a buffer of its own, so that the peer can say whether a frame was torn by one that was sent on top of it.

use compkt::device::{MAX_FRAME, MIN_FRAME, MacAddr};
use compkt::programs::net::{self, Frame};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, far, int, vector as handler};
use compkt::wire::{self, ETHERTYPE, Header, MAC_HEADER, Op};

/// Who sends.
pub const MAIN: usize = 0;
pub const BEFORE_EOI: usize = 1;
pub const AFTER_EOI: usize = 2;
pub const TICK: usize = 3;
pub const IDLE: usize = 4;
pub const FIRST: usize = 5;
pub const SECOND: usize = 6;
pub const SENDERS: usize = 7;

/// A flow that goes.
#[derive(Clone, Copy)]
pub struct Sender {
    /// Names it.
    pub seed: u32,
    /// Frames that the driver took.
    pub sent: u16,
    /// Frames that it refused with CANT_SEND, and with something else.
    pub refused: u16,
    pub errors: u16,
    frame: Frame,
}

static ALL: Shared<[Sender; SENDERS]> =
    Shared::new([Sender { seed: 0, sent: 0, refused: 0, errors: 0, frame: [0; MAX_FRAME as usize] }; SENDERS]);
static VECTOR: Shared<u8> = Shared::new(0x60);
static MAC: Shared<MacAddr> = Shared::new([0; 6]);
/// Frames go by CALL FAR with interrupts on, not by INT.
static FAR: Shared<bool> = Shared::new(false);

/// The driver and the card's address.
pub fn start(vector: u8, mac: MacAddr) {
    VECTOR.write(vector);
    MAC.write(mac);
}

/// The driver's vector.
pub fn vector() -> u8 {
    VECTOR.read()
}

/// From now on frames go by CALL FAR with interrupts on, or by INT.
pub fn by_far_call(far: bool) {
    FAR.write(far);
}

fn place(which: usize) -> *mut Sender {
    // SAFETY: the number is taken modulo theirs.
    unsafe { ALL.get().cast::<Sender>().add(which % SENDERS) }
}

/// New flows, numbered from `seed` on.
pub fn reset(seed: u32) {
    for which in 0..SENDERS {
        // SAFETY: nobody sends now.
        let sender = unsafe { &mut *place(which) };
        sender.seed = seed + which as u32;
        sender.sent = 0;
        sender.refused = 0;
        sender.errors = 0;
    }
}

/// How many frames the driver took of it, refused, answered otherwise; and its seed.
pub fn count(which: usize) -> (u16, u16, u16, u32) {
    // SAFETY: numbers that only that sender writes.
    let sender = unsafe { &*place(which) };
    (sender.sent, sender.refused, sender.errors, sender.seed)
}

/// Sends the next frame of a flow. Nobody is on top of itself.
pub fn send(which: usize) -> Result<(), u8> {
    send_of(which, wire::length_of(count(which).3, count(which).0, MIN_FRAME, MAX_FRAME))
}

/// The same with a length of the caller's.
pub fn send_of(which: usize, length: u16) -> Result<(), u8> {
    send_from(which, length, None)
}

/// The same from a place where the caller may write.
pub fn send_from(which: usize, length: u16, from: Option<Far>) -> Result<(), u8> {
    // SAFETY: nobody else touches a sender's own place.
    let sender = unsafe { &mut *place(which) };
    let header = Header { op: Op::Data, index: sender.sent, seed: sender.seed, length, count: 0 };
    let bytes = compose(&mut sender.frame, &header, &[]);
    let answer = match from {
        None => transmit(bytes),
        Some(place) => {
            // SAFETY: the caller answers for the place.
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

/// Writes a frame of the protocol to everybody.
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

/// The same from any segment.
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
