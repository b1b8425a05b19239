//! The NE2000's driver and probe against its model.

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Counters, Device, Events, Head, MacAddr, RcvMode, SendError};
use compkt::drivers::dp8390::hash;
use compkt::drivers::ne2000::Ne2000;
use compkt::probe::ne2000::Ne2000Probe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::ne2000::{self as model, Options, TxFault};
use tools::fake_bus::{FakeBus, Place};

const MAC: MacAddr = [0x02, 0x60, 0x8C, 0x12, 0x34, 0x56];
const PEER: MacAddr = [0x02, 0, 0, 0, 0, 0x99];
const BROADCAST: MacAddr = [0xFF; 6];
const IO: u16 = 0x300;
const IRQ: u8 = 10;
const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };
const CLIENT: u32 = 0x2_0000;
const CANARY: u8 = 0xCA;

type Card = Rc<RefCell<model::Ne2000>>;

fn ask(index: u8) -> Ask {
    Ask { index, irq: 0, io: 0, pci: 0, taken: [0; 4] }
}

fn plug_at(io: u16, options: Options) -> (FakeBus, Card) {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(model::Ne2000::new(options)));
    bus.plug(card.clone(), &[Place::Ports(io, 0x20)], IRQ);
    (bus, card)
}

/// The driver for words or that for bytes.
trait Driver: Device {
    fn counters(&self) -> Counters;
}

impl<const WIDE: bool> Driver for Ne2000<FakeBus, WIDE> {
    fn counters(&self) -> Counters {
        Ne2000::counters(self)
    }
}

struct Rig {
    bus: FakeBus,
    card: Card,
    device: Box<dyn Driver>,
}

/// Looks at a candidate as the installer does: for 16-bit cards, then for 8-bit ones.
fn find(bus: &FakeBus, ask: &Ask) -> Result<Found, Fault> {
    Ne2000Probe::<true>::find(bus, ask).or_else(|fault| match fault {
        Fault::Nothing => Ne2000Probe::<false>::find(bus, ask),
        _ => Err(fault),
    })
}

fn start(bus: &FakeBus) -> Box<dyn Driver> {
    let mut device: Box<dyn Driver> = if let Ok(found) = Ne2000Probe::<true>::find(bus, &ask(0)) {
        Box::new(Ne2000Probe::<true>::start(bus.clone(), &found, &NO_RINGS).expect("it starts"))
    } else {
        let found = Ne2000Probe::<false>::find(bus, &ask(0)).expect("the card is there");
        Box::new(Ne2000Probe::<false>::start(bus.clone(), &found, &NO_RINGS).expect("it starts"))
    };
    device.unmask();
    device
}

fn rig(options: Options) -> Rig {
    let (bus, card) = plug_at(IO, options);
    let device = start(&bus);
    Rig { bus, card, device }
}

fn kinds() -> [Options; 3] {
    [Options::ne2000(MAC), Options::ne1000(MAC), Options::narrow_ne2000(MAC)]
}

/// A frame of `len` bytes whose content depends on `seed`.
fn frame(to: MacAddr, len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random(seed ^ 0x9E37_79B9);
    let head = to.into_iter().chain(PEER).chain([0x08, 0x00]);
    head.chain(std::iter::repeat_with(|| random.next() as u8)).take(len).collect()
}

struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

impl Rig {
    fn receive(&self, frame: &[u8]) -> bool {
        self.bus.receive(0, frame)
    }

    /// Takes one frame as the core does: peek twice, copy to a buffer between canaries, discard.
    fn take(&mut self) -> Option<Vec<u8>> {
        let mut head: Head = [0; 24];
        let first = self.device.peek(&mut head)?;
        let mut again: Head = [0; 24];
        assert_eq!(self.device.peek(&mut again), Some(first), "peeking twice gives the same frame");
        assert_eq!(head, again);
        let len = first.len as usize;
        self.bus.memory_mut()[CLIENT as usize..][..2048].fill(CANARY);
        self.device.copy(&first, &head, Addr(CLIENT + 16), first.len);
        let bytes = {
            let memory = self.bus.memory();
            let buffer = &memory[CLIENT as usize..][..2048];
            assert!(buffer[..16].iter().all(|&byte| byte == CANARY), "written in front of the buffer");
            assert!(buffer[16 + len..].iter().all(|&byte| byte == CANARY), "written behind the buffer");
            buffer[16..16 + len].to_vec()
        };
        let seen = len.min(24);
        assert_eq!(head[..seen], bytes[..seen], "lookahead and frame differ");
        self.device.discard(first);
        Some(bytes)
    }

    /// Serves an interrupt if one is requested.
    fn serve(&mut self) -> (Events, Vec<Vec<u8>>) {
        if !self.bus.take(IRQ) {
            return (Events::NONE, Vec::new());
        }
        let events = self.device.irq();
        let mut frames = Vec::new();
        if events.0 & Events::RX.0 != 0 {
            frames.extend(std::iter::from_fn(|| self.take()).take(100));
        }
        self.device.unmask();
        (events, frames)
    }

    fn try_send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let at = CLIENT as usize + 0x4000;
        self.bus.memory_mut()[at - 4..at + 2048].fill(CANARY);
        self.bus.memory_mut()[at..at + frame.len()].copy_from_slice(frame);
        self.device.send(Addr(at as u32), frame.len() as u16)
    }

    /// Sends and waits until the frame is out.
    fn send(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(self.try_send(frame), Ok(()));
        self.bus.sleep(1_500);
        self.bus.sent(0)
    }
}

fn padded(frame: &[u8]) -> Vec<u8> {
    let mut padded = frame.to_vec();
    padded.resize(frame.len().max(60), 0);
    padded
}

#[test]
fn finds_each_kind_with_its_address_and_line() {
    for (io, index) in [(0x300, 0), (0x320, 1), (0x280, 4)] {
        for options in kinds() {
            let (bus, _) = plug_at(io, options.clone());
            let found = find(&bus, &ask(index));
            let Ok(Found { mac, io: at, irq, .. }) = found else { panic!("{io:X}h {options:?}: {found:?}") };
            assert_eq!((mac, at, irq), (MAC, io, IRQ));
            assert_eq!(bus.masks(), 0xFFF8, "the interrupt controllers' masks are as they were");
        }
    }
}

#[test]
fn a_card_that_interrupts_at_events_only_is_served() {
    let (bus, card) = plug_at(IO, Options::ne2000(MAC));
    card.borrow_mut().faults.masks_hide = true;
    assert_eq!(find(&bus, &ask(0)).map(|found| found.irq), Ok(IRQ));
    let device = start(&bus);
    let mut rig = Rig { bus, card, device };
    for seed in 0..50 {
        let frames = [frame(MAC, 70, seed), frame(MAC, 71, seed)];
        assert!(rig.receive(&frames[0]));
        assert!(rig.bus.take(IRQ));
        assert_eq!(rig.device.irq(), Events::RX);
        assert_eq!(rig.take(), Some(frames[0].clone()));
        assert_eq!(rig.take(), None);
        assert!(rig.receive(&frames[1]), "between the last look and the end of the interrupt");
        rig.device.unmask();
        assert_eq!(rig.serve().1, [frames[1].clone()]);
    }
}

#[test]
fn a_given_place_and_line_are_believed() {
    let (bus, _) = plug_at(0x2C0, Options::ne2000(MAC));
    let given = Ask { irq: 3, io: 0x2C0, ..ask(0) };
    assert_eq!(find(&bus, &given).map(|found| found.irq), Ok(3));
    assert_eq!(find(&bus, &Ask { index: 1, ..given }), Err(Fault::End));
}

#[test]
fn nothing_is_written_where_nothing_answers() {
    let bus = FakeBus::new();
    let faults: Vec<_> = (0..).map(|index| find(&bus, &ask(index)).unwrap_err()).take(11).collect();
    assert_eq!(faults.iter().filter(|&&fault| fault == Fault::Nothing).count(), 10);
    assert_eq!(faults.last(), Some(&Fault::End));
    assert_eq!(bus.writes(), []);
}

#[test]
fn a_card_of_another_copy_is_not_touched() {
    let (bus, _) = plug_at(0x320, Options::ne2000(MAC));
    let taken = Ask { taken: [0x300, 0x320, 0, 0], ..ask(1) };
    assert_eq!(find(&bus, &taken), Err(Fault::Nothing));
    assert_eq!(bus.writes(), []);
}

#[test]
fn addresses_that_no_card_has_are_refused() {
    for mac in [[0; 6], [0xFF; 6], [0x01, 0, 0x5E, 0, 0, 1]] {
        let (bus, _) = plug_at(IO, Options::ne2000(mac));
        assert_eq!(find(&bus, &ask(0)), Err(Fault::Eeprom));
    }
}

#[test]
fn the_line_is_found_while_the_cpu_takes_interrupts() {
    let (bus, _) = plug_at(IO, Options::ne2000(MAC));
    bus.set_masks(0, true);
    assert_eq!(find(&bus, &ask(0)).map(|found| found.irq), Ok(IRQ));
    assert_eq!(bus.taken(), [], "a line that was looked for interrupted");
    assert_eq!(bus.masks(), 0);
}

#[test]
fn receives_every_length() {
    for options in kinds() {
        let mut rig = rig(options);
        for len in 60..=1514 {
            let sent = frame(MAC, len, len as u32);
            assert!(rig.receive(&sent), "{len} bytes");
            let (events, frames) = rig.serve();
            assert_eq!(events, Events::RX);
            assert_eq!(frames, [sent], "{len} bytes");
        }
        assert!(!rig.bus.requested(IRQ));
    }
}

#[test]
fn sends_every_length() {
    for options in kinds() {
        let mut rig = rig(options);
        for len in 14..=1514 {
            let out = frame(PEER, len, len as u32);
            assert_eq!(rig.send(&out), [padded(&out)], "{len} bytes");
        }
    }
}

#[test]
fn a_part_of_a_frame_is_copied() {
    let mut rig = rig(Options::ne2000(MAC));
    let sent = frame(MAC, 777, 1);
    rig.receive(&sent);
    let mut head = [0; 24];
    let rx = rig.device.peek(&mut head).expect("a frame");
    for len in [1, 2, 13, 60, 255, 256, 777] {
        rig.bus.memory_mut()[CLIENT as usize..][..1024].fill(CANARY);
        rig.device.copy(&rx, &head, Addr(CLIENT), len);
        let memory = rig.bus.memory();
        assert_eq!(memory[CLIENT as usize..][..len as usize], sent[..len as usize]);
        assert_eq!(memory[CLIENT as usize + len as usize], CANARY);
    }
}

#[test]
fn a_second_frame_waits_for_the_first() {
    let mut rig = rig(Options::ne2000(MAC));
    let (first, second) = (frame(PEER, 1514, 1), frame(PEER, 61, 2));
    assert_eq!(rig.try_send(&first), Ok(()));
    rig.bus.writes();
    assert_eq!(rig.try_send(&second), Err(SendError::Busy));
    assert_eq!(rig.bus.writes(), [], "the card is not touched");
    rig.bus.sleep(1_500);
    assert_eq!(rig.try_send(&second), Ok(()));
    rig.bus.sleep(1_500);
    assert_eq!(rig.bus.sent(0), [padded(&first), padded(&second)]);
    assert!(!rig.bus.requested(IRQ), "a frame that was sent does not interrupt");
}

#[test]
fn a_transmit_command_that_reads_as_done_is_not_believed() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.txp_hidden = true;
    for seed in 0..4 {
        assert_eq!(rig.try_send(&frame(PEER, 1514, seed)), Ok(()));
    }
    rig.bus.sleep(1_500);
    assert_eq!(rig.bus.sent(0).len(), 4);
}

#[test]
fn receive_modes_pass_what_they_should() {
    let group = [0x01, 0, 0x5E, 0, 0, 1];
    let groups = [group, [0x01, 0, 0x5E, 1, 2, 3]];
    let stranger = [0x02, 1, 1, 1, 1, 1];
    let other = [0x01, 0, 0x5E, 0x7F, 0x12, 0x34];
    assert!(groups.iter().all(|listed| model::filter_bit(listed) != model::filter_bit(&other)));
    let frames = [MAC, BROADCAST, group, other, stranger];
    let passes = [
        (RcvMode::Off, [false; 5]),
        (RcvMode::Direct, [true, false, false, false, false]),
        (RcvMode::Broadcast, [true, true, false, false, false]),
        (RcvMode::Multicast, [true, true, true, false, false]),
        (RcvMode::AllMulticast, [true, true, true, true, false]),
        (RcvMode::Promiscuous, [true; 5]),
    ];
    for options in kinds() {
        let mut rig = rig(options);
        for (mode, expected) in passes.into_iter().chain(passes.into_iter().rev()) {
            rig.device.set_rcv_mode(mode, &groups);
            for (to, pass) in frames.into_iter().zip(expected) {
                let sent = frame(to, 99, 5);
                rig.receive(&sent);
                let wanted: &[Vec<u8>] = if pass { &[sent] } else { &[] };
                assert_eq!(rig.serve().1, wanted, "{mode:?} {to:02X?}");
            }
        }
        assert_eq!(rig.device_counts(), [0; 3]);
    }
}

#[test]
fn the_hash_is_ethernets() {
    let mut random = Random(1);
    for _ in 0..1000 {
        let address: MacAddr = std::array::from_fn(|_| random.next() as u8);
        assert_eq!(hash(&address), model::filter_bit(&address), "{address:02X?}");
    }
}

#[test]
fn a_new_address_is_received_for() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.device.set_address(&[0x02, 9, 8, 7, 6, 5]);
    assert!(!rig.receive(&frame(MAC, 60, 1)));
    let sent = frame([0x02, 9, 8, 7, 6, 5], 60, 1);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

#[test]
fn nothing_comes_after_a_stop() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.receive(&frame(MAC, 60, 1));
    rig.device.stop();
    rig.bus.take(IRQ);
    assert!(!rig.bus.line(IRQ));
    assert!(!rig.receive(&frame(MAC, 60, 2)));
    rig.bus.sleep(3_000);
    assert!(!rig.bus.requested(IRQ));
    rig.device = start(&rig.bus);
    let sent = frame(MAC, 60, 3);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

impl Rig {
    /// Errors in, errors out, lost.
    fn device_counts(&self) -> [u32; 3] {
        let count = self.device.counters();
        [count.errors_in, count.errors_out, count.lost]
    }
}

#[test]
fn an_overrun_loses_what_had_no_room_and_no_more() {
    for options in kinds() {
        let mut rig = rig(options);
        let mut kept = Vec::new();
        let mut seed = 0;
        loop {
            seed += 1;
            let sent = frame(MAC, 60 + seed as usize * 37 % 1400, seed);
            if !rig.receive(&sent) {
                break;
            }
            kept.push(sent);
        }
        let (events, frames) = rig.serve();
        assert_eq!(events.0 & Events::RX.0, Events::RX.0);
        assert_eq!(frames, kept);
        assert_eq!(rig.device_counts(), [0, 0, 1]);
        let sent = frame(MAC, 321, 7);
        assert!(rig.receive(&sent), "it listens again");
        assert_eq!(rig.serve().1, [sent]);
    }
}

fn overrun(rig: &mut Rig) {
    while rig.receive(&frame(MAC, 1514, 3)) {}
}

#[test]
fn a_transmission_that_an_overrun_cut_off_is_made_again() {
    for aborts in [true, false] {
        let mut rig = rig(Options::ne2000(MAC));
        rig.card.borrow_mut().faults.stop_aborts = aborts;
        let out = frame(PEER, 1514, 8);
        assert_eq!(rig.try_send(&out), Ok(()));
        overrun(&mut rig);
        rig.serve();
        rig.bus.sleep(1_500);
        assert_eq!(rig.bus.sent(0), [out], "sent once, whether or not the stop cut it off");
        let next = frame(PEER, 80, 9);
        assert_eq!(rig.send(&next), [next]);
    }
}

#[test]
fn sending_while_an_overrun_is_emptied_works() {
    let mut rig = rig(Options::ne2000(MAC));
    overrun(&mut rig);
    assert!(rig.bus.take(IRQ));
    assert_ne!(rig.device.irq(), Events::NONE);
    assert!(rig.take().is_some());
    let out = frame(PEER, 80, 9);
    assert_eq!(rig.send(&out), [out]);
    while rig.take().is_some() {}
    rig.device.unmask();
    let sent = frame(MAC, 99, 1);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

#[test]
fn damaged_frames_are_counted() {
    let mut rig = rig(Options::ne2000(MAC));
    for _ in 0..3 {
        rig.bus.with_env(0, |env| rig.card.borrow_mut().receive_damaged(env, &frame(MAC, 60, 1)));
        assert_eq!(rig.serve(), (Events::RX, vec![]));
    }
    assert_eq!(rig.device_counts(), [3, 0, 0]);
}

#[test]
fn transmissions_that_fail_are_counted() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.tx = TxFault::Aborted;
    assert!(rig.send(&frame(PEER, 60, 1)).is_empty());
    assert_eq!(rig.serve().0, Events::TX);
    assert_eq!(rig.device_counts(), [0, 1, 0]);
    rig.card.borrow_mut().faults.tx = TxFault::None;
    let out = frame(PEER, 60, 2);
    assert_eq!(rig.send(&out), [out]);
}

#[test]
fn a_transmission_without_a_cause_does_not_block_the_next() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.tx = TxFault::Silent;
    for seed in 0..3 {
        assert_eq!(rig.send(&frame(PEER, 60, seed)).len(), 1);
    }
    rig.card.borrow_mut().faults.tx = TxFault::Stuck;
    assert_eq!(rig.try_send(&frame(PEER, 60, 9)), Ok(()));
    for _ in 0..3 {
        rig.bus.sleep(2_000);
        assert_eq!(rig.try_send(&frame(PEER, 60, 9)), Err(SendError::Busy));
    }
}

#[test]
fn remote_dma_that_never_completes_is_an_error_and_not_a_hang() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.dma_dead = true;
    assert_eq!(rig.try_send(&frame(PEER, 60, 1)), Err(SendError::Failed));
    rig.card.borrow_mut().faults.dma_dead = false;
    let out = frame(PEER, 60, 2);
    assert_eq!(rig.send(&out), [out]);
}

#[test]
fn a_card_that_is_gone_is_silent() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.absent = true;
    assert_eq!(rig.device.irq(), Events::NONE);
    assert_eq!(rig.device.peek(&mut [0; 24]), None);
    for _ in 0..3 {
        let _ = rig.try_send(&frame(PEER, 60, 1));
    }
    rig.device.set_rcv_mode(RcvMode::Promiscuous, &[]);
    rig.device.stop();
    assert_eq!(find(&rig.bus, &ask(0)), Err(Fault::Nothing));
}

#[test]
fn a_corrupt_header_empties_the_ring() {
    let headers = [
        [0x00, 0x48, 64, 0],  // not received
        [0x03, 0x48, 64, 0],  // check sequence
        [0x01, 0x45, 64, 0],  // in front of the ring
        [0x01, 0x80, 64, 0],  // behind the ring
        [0x01, 0x47, 64, 0],  // itself
        [0x01, 0x4A, 64, 0],  // too far on for its length
        [0x01, 0x48, 0, 9],   // too long
        [0x01, 0x48, 4, 0],   // empty
        [0x01, 0x48, 0, 1],   // more than the pages hold
        [0x01, 0x4D, 239, 5], // one byte over the longest
        [0xFF; 4],
    ];
    for header in headers {
        let mut rig = rig(Options::ne2000(MAC));
        rig.card.borrow_mut().faults.header = Some(header);
        rig.receive(&frame(MAC, 60, 1));
        rig.receive(&frame(MAC, 60, 2));
        assert_eq!(rig.serve(), (Events::RX, vec![]), "{header:02X?}");
        assert_eq!(rig.device_counts(), [1, 0, 0], "{header:02X?}");
        for seed in 0..200 {
            let sent = frame(MAC, 1000, seed);
            assert!(rig.receive(&sent));
            assert_eq!(rig.serve().1, [sent], "after {header:02X?}");
        }
    }
}

/// Whatever stands in the ring, nothing is written outside buffers, every call ends, and the card recovers.
#[test]
fn rings_full_of_noise_are_survived() {
    for options in kinds() {
        let mut random = Random(0xC0FFEE);
        let mut rig = rig(options.clone());
        let pages = (options.ram / 256) as u32 - 6;
        for round in 0..2_000 {
            match random.next() % 4 {
                0 => rig.card.borrow_mut().ram_mut()[0x600..].fill_with(|| random.next() as u8),
                1 => {
                    // Headers that are nearly right.
                    let first = (options.ram_at / 256) as u32 + 6;
                    for page in 0..pages {
                        let next = first + (page + 1 + random.next() % 8) % pages;
                        let at = 0x600 + page as usize * 256;
                        let len = random.next() % 2000;
                        let header = [1, next as u8, len as u8, (len >> 8) as u8];
                        rig.card.borrow_mut().ram_mut()[at..at + 4].copy_from_slice(&header);
                    }
                }
                2 => rig.card.borrow_mut().faults.header = Some(random.next().to_le_bytes()),
                _ => {}
            }
            for _ in 0..random.next() % 20 {
                rig.receive(&frame(MAC, 60 + random.next() as usize % 1455, round));
            }
            if random.next().is_multiple_of(3) {
                let _ = rig.try_send(&frame(PEER, 14 + random.next() as usize % 1501, round));
            }
            rig.serve();
        }
        while rig.serve().0 != Events::NONE {}
        let _ = rig.serve();
        let sent = frame(MAC, 700, 1);
        let mut arrived = false;
        for _ in 0..3 {
            rig.receive(&sent);
            arrived |= rig.serve().1.contains(&sent);
        }
        assert!(arrived, "{options:?}");
    }
}

#[test]
fn traffic_both_ways_loses_nothing() {
    for options in kinds() {
        let mut rig = rig(options);
        let mut random = Random(77);
        let (mut expected, mut got, mut out, mut wire) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..3_000 {
            if random.next().is_multiple_of(2) {
                let sent = frame(MAC, 60 + random.next() as usize % 1455, round);
                if rig.receive(&sent) {
                    expected.push(sent);
                }
            }
            if random.next().is_multiple_of(2) {
                let sent = frame(PEER, 14 + random.next() as usize % 1501, round);
                match rig.try_send(&sent) {
                    Ok(()) => out.push(padded(&sent)),
                    Err(error) => assert_eq!(error, SendError::Busy),
                }
            }
            if random.next().is_multiple_of(3) {
                got.extend(rig.serve().1);
            }
            rig.bus.sleep(random.next() as u64 % 400);
        }
        rig.bus.sleep(1_500);
        got.extend(rig.serve().1);
        wire.extend(rig.bus.sent(0));
        assert!(expected.len() > 1_000 && out.len() > 300);
        assert_eq!(got, expected);
        assert_eq!(wire, out);
    }
}

/// The model is a judge: what no card takes is a panic.
mod the_model_complains_of {
    use super::*;
    use compkt::bus::Bus;

    fn started() -> FakeBus {
        rig(Options::ne2000(MAC)).bus
    }

    #[test]
    #[should_panic(expected = "while running")]
    fn a_ring_moved_while_running() {
        started().out8(IO + 1, 0x50);
    }

    #[test]
    #[should_panic(expected = "without remote DMA")]
    fn data_without_remote_dma() {
        started().in16(IO + 0x10);
    }

    #[test]
    #[should_panic(expected = "no RAM")]
    fn remote_dma_outside_the_ram() {
        let bus = started();
        for (register, value) in [(8, 0), (9, 0x90), (0xA, 2), (0xB, 0), (0, 0x0A)] {
            bus.out8(IO + register, value);
        }
        bus.in16(IO + 0x10);
    }

    #[test]
    #[should_panic(expected = "transmission while one is under way")]
    fn two_transmissions_at_once() {
        let mut rig = rig(Options::ne2000(MAC));
        rig.try_send(&frame(PEER, 1514, 1)).expect("it begins");
        rig.bus.out8(IO, 0x26);
    }

    #[test]
    #[should_panic(expected = "without a stop")]
    fn an_overflow_that_is_only_acknowledged() {
        let mut rig = rig(Options::ne2000(MAC));
        overrun(&mut rig);
        rig.bus.out8(IO + 7, 0x10);
    }

    #[test]
    #[should_panic(expected = "1.6 ms")]
    fn an_overflow_with_too_short_a_stop() {
        let mut rig = rig(Options::ne2000(MAC));
        overrun(&mut rig);
        rig.bus.out8(IO, 0x21);
        rig.bus.out8(IO + 0xD, 2);
        rig.bus.out8(IO, 0x22);
    }

    #[test]
    #[should_panic(expected = "page 3")]
    fn a_page_that_does_not_exist() {
        started().out8(IO, 0xE2);
    }
}
