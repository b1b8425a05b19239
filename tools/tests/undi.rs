//! The driver of a card by its own ROM (UNDI), with a ROM that answers what a test says.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use compkt::bus::{Addr, Far};
use compkt::device::{Device, LOOKAHEAD, MacAddr, RcvMode, SendError};
use compkt::drivers::undi::{BUFFER, Rom, Undi};
use tools::fake_bus::{FakeBus, job};

const BUFFERS: u32 = 0x2_0000;
/// Where the ROM has its frame, and a client's buffer.
const FRAME: usize = 0x3_0000;
const CLIENT: usize = 0x4_0000;
const OWN: MacAddr = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

const OPEN: u16 = 6;
const CLOSE: u16 = 7;
const TRANSMIT: u16 = 8;
const STATION: u16 = 0x0A;
const FILTER: u16 = 0x0B;
const ISR: u16 = 0x14;

/// What ISR answers.
#[derive(Clone, Copy)]
enum Answer {
    Done,
    Sent,
    /// Bytes of this piece, bytes of the frame, offset of the piece in it.
    Piece(u16, u16, u16),
    /// A number that means nothing.
    Odd,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    /// The answer when there are no more.
    last: Option<Answer>,
    /// Opcodes, with the block's second word.
    calls: Vec<(u16, u16)>,
    fails: Vec<u16>,
    /// What the BIOS's clock shows.
    tick: u8,
    sent: Vec<Vec<u8>>,
}

fn card() -> (FakeBus, Rc<RefCell<Script>>, Undi<FakeBus>) {
    let (bus, script) = (FakeBus::new(), Rc::new(RefCell::new(Script::default())));
    let calls = script.clone();
    bus.on_rom_call(move |bus: &FakeBus, rom: &mut Rom, opcode: u16| {
        let script = &mut *calls.borrow_mut();
        script.calls.push((opcode, rom.block[1]));
        rom.tick = script.tick;
        if script.fails.contains(&opcode) {
            return 1;
        }
        if opcode == TRANSMIT {
            // The descriptor lies in the driver's memory, which is the block's.
            let (len, offset, segment) = (rom.block[16], rom.block[17], rom.block[18]);
            let Addr(at) = Far::new(segment, offset).linear();
            script.sent.push(bus.memory()[at as usize..][..len as usize].to_vec());
        }
        if opcode == ISR && rom.block[1] != 1 {
            match script.answers.pop_front().or(script.last).unwrap_or(Answer::Done) {
                Answer::Done => rom.block[1] = 0,
                Answer::Sent => rom.block[1] = 2,
                Answer::Odd => rom.block[1] = 77,
                Answer::Piece(len, whole, at) => {
                    let frame = FRAME + at as usize;
                    rom.block[1..7].copy_from_slice(&[3, len, whole, 14, frame as u16 & 15, (frame >> 4) as u16]);
                }
            }
        }
        0
    });
    let mut card = Undi::new(bus.clone(), Far(0), Far(0), Addr(BUFFERS));
    card.set_own(OWN);
    card.set_rcv_mode(RcvMode::Broadcast, &[]);
    script.borrow_mut().calls.clear();
    (bus, script, card)
}

fn put(bus: &FakeBus, to: MacAddr, len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
    frame[..6].copy_from_slice(&to);
    bus.memory_mut()[FRAME..FRAME + len].copy_from_slice(&frame);
    frame
}

fn answers(script: &Rc<RefCell<Script>>, answers: &[Answer]) {
    script.borrow_mut().answers = answers.iter().copied().collect();
}

/// What `peek` finds, and the frame's bytes.
fn taken(bus: &FakeBus, card: &mut Undi<FakeBus>) -> Option<Vec<u8>> {
    let mut head = [0; LOOKAHEAD];
    let rx = card.peek(&mut head)?;
    let len = rx.len() as usize;
    card.copy(&job(CLIENT, len, &head));
    card.discard(rx);
    let bytes = bus.memory()[CLIENT..CLIENT + len].to_vec();
    assert_eq!(bytes[..LOOKAHEAD.min(len)], head[..LOOKAHEAD.min(len)]);
    Some(bytes)
}

fn counters(card: &Undi<FakeBus>) -> compkt::device::Counters {
    // SAFETY: they are the first field of every device.
    unsafe { *(&raw const *card).cast() }
}

/// Everything but the two buffers, and the places that the test writes to itself.
fn outside(bus: &FakeBus) -> Vec<u8> {
    let mut all = bus.memory().to_vec();
    all[BUFFERS as usize..BUFFERS as usize + 2 * BUFFER as usize].fill(0);
    all[CLIENT..CLIENT + 2048].fill(0);
    all
}

#[test]
fn a_frame_in_one_piece_and_in_three() {
    let (bus, script, mut card) = card();
    let frame = put(&bus, OWN, 1514);
    for pieces in [&[Answer::Piece(1514, 1514, 0)][..], &[Answer::Piece(700, 1514, 0), Answer::Piece(800, 1514, 700), Answer::Piece(14, 1514, 1500)]] {
        answers(&script, pieces);
        assert_eq!(taken(&bus, &mut card), Some(frame.clone()));
        assert_eq!(taken(&bus, &mut card), None);
    }
    assert_eq!(counters(&card).errors_in, 0);
}

#[test]
fn lengths_that_cannot_be_are_counted_and_nothing_is_written() {
    for bad in [
        &[Answer::Piece(61, 60, 0)][..],
        &[Answer::Piece(0xFFF0, 60, 0)],
        &[Answer::Piece(0xFFFF, 0xFFFF, 0)],
        &[Answer::Piece(1500, 3000, 0)],
        &[Answer::Piece(0, 60, 0)],
        &[Answer::Piece(13, 13, 0)],
        &[Answer::Piece(1000, 1514, 0), Answer::Piece(515, 1514, 0)],
        &[Answer::Piece(1000, 1514, 0), Answer::Piece(0xFFFF, 1514, 0)],
        &[Answer::Piece(1000, 1514, 0), Answer::Piece(0, 1514, 0)],
    ] {
        let (bus, script, mut card) = card();
        let frame = put(&bus, OWN, 1514);
        let before = outside(&bus);
        answers(&script, bad);
        assert_eq!(taken(&bus, &mut card), None);
        assert_eq!(counters(&card).errors_in, 1);
        assert!(outside(&bus) == before);
        // The next frame is whole.
        answers(&script, &[Answer::Piece(1514, 1514, 0)]);
        assert_eq!(taken(&bus, &mut card), Some(frame));
    }
}

#[test]
fn a_frame_that_is_not_finished_is_forgotten_when_the_rom_is_done() {
    let (bus, script, mut card) = card();
    let frame = put(&bus, OWN, 100);
    answers(&script, &[Answer::Piece(50, 100, 50), Answer::Done]);
    assert_eq!(taken(&bus, &mut card), None);
    answers(&script, &[Answer::Piece(50, 100, 0), Answer::Piece(50, 100, 50)]);
    assert_eq!(taken(&bus, &mut card), Some(frame));
}

#[test]
fn a_rom_without_an_end_takes_a_bounded_number_of_calls() {
    for last in [Answer::Sent, Answer::Odd, Answer::Piece(60, 60, 0), Answer::Piece(1, 60, 0)] {
        let (bus, script, mut card) = card();
        // To nobody here.
        put(&bus, [2, 2, 2, 2, 2, 2], 60);
        script.borrow_mut().last = Some(last);
        assert_eq!(taken(&bus, &mut card), None);
        let calls = script.borrow().calls.len();
        assert!((2..200).contains(&calls), "{calls} calls");
    }
}

#[test]
fn the_receive_mode_is_the_driver_s_own_filter() {
    let (bus, script, mut card) = card();
    let (all, group, listed, other): (_, _, _, MacAddr) = ([0xFF; 6], [1, 0, 0x5E, 0, 0, 1], [1, 0, 0x5E, 0, 0, 2], [2, 0, 0, 0, 0, 9]);
    let groups = [[3; 6], listed];
    for (mode, wants) in [
        (RcvMode::Off, &[][..]),
        (RcvMode::Direct, &[OWN]),
        (RcvMode::Broadcast, &[OWN, all]),
        (RcvMode::Multicast, &[OWN, all, listed]),
        (RcvMode::AllMulticast, &[OWN, all, listed, group]),
        (RcvMode::Promiscuous, &[OWN, all, listed, group, other]),
    ] {
        card.set_rcv_mode(mode, &groups);
        for to in [OWN, all, group, listed, other] {
            put(&bus, to, 60);
            answers(&script, &[Answer::Piece(60, 60, 0)]);
            assert_eq!(taken(&bus, &mut card).is_some(), wants.contains(&to), "{mode:?} {to:X?}");
        }
    }
}

#[test]
fn a_frame_is_sent_when_the_one_before_it_is_out_or_lost() {
    let (bus, script, mut card) = card();
    bus.memory_mut()[CLIENT..CLIENT + 60].fill(7);
    let frame = job(CLIENT, 20, &[0; LOOKAHEAD]);
    assert_eq!(card.send(&frame), Ok(()));
    let mut padded = vec![7; 20];
    padded.resize(60, 0);
    assert_eq!(script.borrow().sent, [padded]);
    // The ROM says nothing more.
    assert_eq!(card.send(&frame), Err(SendError::Busy));
    // It says that the frame is out.
    answers(&script, &[Answer::Sent]);
    assert_eq!(card.send(&frame), Ok(()));
    // It has lost that.
    for _ in 0..2 {
        assert_eq!(card.send(&frame), Err(SendError::Busy));
        script.borrow_mut().tick += 1;
    }
    assert_eq!(card.send(&frame), Ok(()));
    assert_eq!(script.borrow().sent.len(), 3);
}

#[test]
fn the_clock_may_pass_midnight_and_its_low_byte_zero() {
    let (_, script, mut card) = card();
    script.borrow_mut().tick = 255;
    let frame = job(CLIENT, 60, &[0; LOOKAHEAD]);
    assert_eq!(card.send(&frame), Ok(()));
    script.borrow_mut().tick = 0;
    assert_eq!(card.send(&frame), Err(SendError::Busy));
    script.borrow_mut().tick = 1;
    assert_eq!(card.send(&frame), Ok(()));
}

#[test]
fn an_interrupt_is_acknowledged_once_until_the_rom_is_done() {
    let (bus, script, mut card) = card();
    let asked = |script: &Rc<RefCell<Script>>| script.borrow().calls.iter().map(|(_, what)| *what).collect::<Vec<_>>();
    // A burst in which another interrupt comes, as a receiver may let it in.
    let frame = put(&bus, OWN, 60);
    answers(&script, &[Answer::Piece(60, 60, 0)]);
    card.irq();
    card.irq();
    assert_eq!(asked(&script), [1]);
    let mut head = [0; LOOKAHEAD];
    let rx = card.peek(&mut head).expect("a frame");
    card.irq();
    assert_eq!(asked(&script), [1, 2]);
    card.copy(&job(CLIENT, 60, &head));
    card.discard(rx);
    assert_eq!(bus.memory()[CLIENT..CLIENT + 60], frame);
    assert_eq!(taken(&bus, &mut card), None);
    card.irq();
    assert_eq!(asked(&script), [1, 2, 3, 1]);
    // In a call of the ROM the timer's handler does not call it.
    script.borrow_mut().calls.clear();
    assert_eq!(taken(&bus, &mut card), None);
    card.rom.taken = 1;
    script.borrow_mut().calls.clear();
    card.irq();
    assert!(script.borrow().calls.is_empty());
}

#[test]
fn a_frame_that_waits_for_its_receiver_is_not_overwritten_by_sending() {
    let (bus, script, mut card) = card();
    let sent = job(CLIENT, 60, &[0; LOOKAHEAD]);
    assert_eq!(card.send(&sent), Ok(()));
    let frame = put(&bus, OWN, 300);
    answers(&script, &[Answer::Piece(300, 300, 0), Answer::Piece(60, 60, 0)]);
    let mut head = [0; LOOKAHEAD];
    let rx = card.peek(&mut head).expect("a frame");
    assert_eq!(card.send(&sent), Err(SendError::Busy));
    card.copy(&job(CLIENT, 300, &head));
    card.discard(rx);
    assert_eq!(bus.memory()[CLIENT..CLIENT + 300], frame);
}

#[test]
fn errors_of_every_call() {
    let (bus, script, mut card) = card();
    script.borrow_mut().fails = (0..=0x15).collect();
    let frame = job(CLIENT, 60, &[0; LOOKAHEAD]);
    assert_eq!(card.send(&frame), Err(SendError::Failed));
    assert_eq!(card.send(&frame), Err(SendError::Failed), "it does not wait for a frame that was refused");
    assert_eq!(taken(&bus, &mut card), None);
    card.set_rcv_mode(RcvMode::Promiscuous, &[]);
    card.set_address(&[2, 0, 0, 0, 0, 1]);
    card.stop();
}

#[test]
fn in_a_call_of_the_rom_nothing_is_sent() {
    let (_, script, mut card) = card();
    card.rom.taken = 1;
    assert_eq!(card.send(&job(CLIENT, 60, &[0; LOOKAHEAD])), Err(SendError::Busy));
    assert!(script.borrow().calls.is_empty());
}

#[test]
fn the_rom_is_told_mode_and_address() {
    let (_, script, mut card) = card();
    for (mode, filter) in [(RcvMode::Off, 0), (RcvMode::Direct, 1), (RcvMode::Broadcast, 3), (RcvMode::Multicast, 7), (RcvMode::Promiscuous, 7)] {
        script.borrow_mut().calls.clear();
        card.set_rcv_mode(mode, &[]);
        assert_eq!(script.borrow().calls, [(FILTER, filter)]);
    }
    // A ROM that refuses is closed and opened again.
    script.borrow_mut().calls.clear();
    script.borrow_mut().fails = vec![FILTER];
    card.set_rcv_mode(RcvMode::Direct, &[]);
    let opcodes = |script: &Rc<RefCell<Script>>| script.borrow().calls.iter().map(|(opcode, _)| *opcode).collect::<Vec<_>>();
    assert_eq!(opcodes(&script), [FILTER, CLOSE, OPEN]);
    script.borrow_mut().calls.clear();
    card.set_address(&[2, 0, 0, 0, 0, 1]);
    assert_eq!(opcodes(&script), [CLOSE, STATION, OPEN]);
    assert_eq!(script.borrow().calls[1].1, 2, "the address's first two bytes");
}
