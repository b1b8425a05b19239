//! The send queue of as_send_pkt, with a card that sometimes has room.

use std::collections::VecDeque;

use compkt::bus::Far;
use compkt::device::MAX_FRAME;
use compkt::memory::queue::{self, BUSY, FAILED, PATIENCE, QUEUED, Queue, SENT, Sender, Waiting};

use super::world::*;

impl<P: Form> Sender for User<P> {
    type Pool = P;

    fn pool(self) -> P {
        self.0
    }

    fn fields(self) -> *mut queue::Fields {
        &raw mut self.0.world().waiting
    }

    fn first(self) -> u16 {
        WAITING_AT
    }

    fn transmit(self, place: u16, len: u16) -> u8 {
        let bytes = self.0.world().get(place, len).to_vec();
        self.0.world().card(|| bytes)
    }

    fn tell(self, answer: u8) {
        let world = self.0.world();
        let Waiting { frame, block, upcall } = world.waiting.waiting[0];
        world.told.push((block.0, frame & Waiting::IOCB != 0, upcall.0, answer));
    }
}

impl World {
    /// Gives a frame to the card.
    fn card(&mut self, frame: impl FnOnce() -> Vec<u8>) -> u8 {
        if self.card_fails {
            return FAILED;
        }
        let Some(room) = self.card_room.checked_sub(1) else { return BUSY };
        self.card_room = room;
        self.sent.push(frame());
        SENT
    }
}

struct Client<P: Form> {
    world: Box<World>,
    queue: Queue<User<P>>,
    random: Random,
    frames: Vec<Vec<u8>>,
}

/// The answer of as_send_pkt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Sent,
    Waits,
    CantSend,
}

impl<P: Form> Client<P> {
    fn new(seed: u64, sizes: Sizes) -> Client<P> {
        let mut world = World::new(seed, sizes);
        let queue = Queue(User(P::new(&raw mut *world)));
        Client { world, queue, random: Random::new(seed), frames: Vec::new() }
    }

    /// AH=0Bh, or with an IOCB AH=0Ch, as the core calls it. The block's address is the frame's number.
    fn as_send_pkt(&mut self, len: u16, iocb: bool) -> Sending {
        let bytes = content(&mut self.random, len);
        let number = self.frames.len() as u32;
        self.frames.push(bytes.clone());
        match self.send(&bytes) {
            SENT => return Sending::Sent,
            BUSY => {}
            _ => return Sending::CantSend,
        }
        let place = self.queue.wait(len, |waiting| {
            // SAFETY: an entry that was just made.
            unsafe {
                (*waiting).frame |= if iocb { Waiting::IOCB } else { 0 };
                (*waiting).block = Far(number);
                (*waiting).upcall = Far(!number);
            }
        });
        if place == 0 {
            return Sending::CantSend;
        }
        self.world().put(place, &bytes);
        Sending::Waits
    }

    /// AH=4.
    fn send(&mut self, bytes: &[u8]) -> u8 {
        if !self.queue.is_clear() {
            return BUSY;
        }
        self.world().card(|| bytes.to_vec())
    }

    fn room(&mut self, frames: usize) {
        self.world().card_room = frames;
    }

    fn world(&mut self) -> &mut World {
        self.queue.0.0.world()
    }
}

fn bursts<P: Form>(seed: u64, sizes: Sizes) {
    let mut client = Client::<P>::new(seed, sizes);
    let mut expected = Vec::new();
    let (mut refused, mut waited) = (0, Vec::new());
    for _ in 0..300 {
        for _ in 0..client.random.below(2 * QUEUED) {
            let len = 14 + client.random.below(usize::from(MAX_FRAME) - 13) as u16;
            let iocb = client.random.one_in(2);
            let number = client.frames.len();
            match client.as_send_pkt(len, iocb) {
                Sending::Sent => expected.push(number),
                Sending::Waits => {
                    expected.push(number);
                    waited.push((number as u32, iocb, !(number as u32), SENT));
                }
                Sending::CantSend => refused += 1,
            }
        }
        for _ in 0..client.random.below(5) {
            let room = client.random.below(8);
            client.room(room);
            client.queue.run();
        }
    }
    for _ in 0..QUEUED {
        client.room(1);
        client.queue.run();
    }
    let expected: Vec<&Vec<u8>> = expected.into_iter().map(|number| &client.frames[number]).collect();
    assert!(client.world.sent.iter().eq(expected), "{}: every frame that was accepted, once, in order", P::NAME);
    assert_eq!(client.world.told, waited, "and every client whose frame waited was told");
    assert_eq!(client.world.allocated(), 0);
    assert!(refused > 100, "bursts are longer than the queue");
}

#[test]
fn bursts_longer_than_the_queue() {
    for seed in 0..20 {
        bursts::<InCache>(seed, DEFAULT);
        bursts::<InCache>(seed, Sizes { conventional: 1536, migrate: 1536, ..DEFAULT });
        bursts::<InArena>(seed, Sizes { conventional: 8192, ..DEFAULT });
    }
}

#[test]
fn one_more_than_the_queue_holds_cannot_be_sent() {
    let mut client = Client::<InCache>::new(1, DEFAULT);
    for _ in 0..QUEUED {
        assert_eq!(client.as_send_pkt(60, false), Sending::Waits);
    }
    assert_eq!(client.as_send_pkt(60, false), Sending::CantSend);
    client.room(1);
    client.queue.run();
    assert_eq!(client.as_send_pkt(60, false), Sending::Waits);
}

/// A frame of send_pkt must not overtake waiting frames.
#[test]
fn what_is_sent_meanwhile_goes_behind_what_waits() {
    let mut client = Client::<InCache>::new(1, DEFAULT);
    client.as_send_pkt(60, false);
    client.as_send_pkt(61, true);
    client.room(1);
    assert_eq!(client.send(&[0x77; 62]), BUSY);
    client.room(9);
    assert_eq!(client.send(&[0x77; 62]), SENT);
    let lengths: Vec<usize> = client.world.sent.iter().map(Vec::len).collect();
    assert_eq!(lengths, [60, 61, 62]);
}

#[test]
fn drop_pkt_takes_back_an_iocb_that_waits_and_no_other() {
    let mut client = Client::<InArena>::new(1, DEFAULT);
    for iocb in [false, true, true, false] {
        assert_eq!(client.as_send_pkt(100, iocb), Sending::Waits);
    }
    assert!(!client.queue.drop(Far(0)), "a buffer is no IOCB");
    assert!(!client.queue.drop(Far(9)), "BAD_IOCB");
    assert!(client.queue.drop(Far(1)));
    assert!(!client.queue.drop(Far(1)));
    client.room(9);
    client.queue.run();
    assert!(!client.queue.drop(Far(2)), "it is sent");
    let told: Vec<u32> = client.world.told.iter().map(|told| told.0).collect();
    assert_eq!(told, [0, 2, 3], "nobody is told of a dropped one");
    let expected = [&client.frames[0], &client.frames[2], &client.frames[3]];
    assert!(client.world.sent.iter().eq(expected));
    assert_eq!(client.world.allocated(), 0);
}

#[test]
fn a_card_that_stopped_does_not_hold_frames_for_ever() {
    let mut client = Client::<InCache>::new(1, DEFAULT);
    client.world().ticks = 254;
    client.as_send_pkt(60, false);
    client.world().ticks += 1;
    client.as_send_pkt(60, true);
    client.world().ticks += u16::from(PATIENCE) - 2;
    client.queue.run();
    assert_eq!(client.world.told, []);
    client.world().ticks += 1;
    client.queue.run();
    assert_eq!(client.world.told, [(0, false, !0, BUSY)], "the first has waited long enough");
    client.world().ticks += u16::from(PATIENCE);
    client.queue.run();
    assert_eq!(client.world.told[1..], [(1, true, !1, BUSY)]);
    assert_eq!(client.world.allocated(), 0);
}

#[test]
fn a_frame_that_the_card_refuses_is_told_and_the_next_one_goes() {
    let mut client = Client::<InCache>::new(1, DEFAULT);
    client.as_send_pkt(60, false);
    client.as_send_pkt(61, false);
    client.world().card_fails = true;
    client.queue.run();
    let answers: Vec<u8> = client.world.told.iter().map(|told| told.3).collect();
    assert_eq!(answers, [FAILED, FAILED]);
    assert_eq!(client.as_send_pkt(60, false), Sending::CantSend);
}

/// A fetch from XMS is delayed, or fails: the order stays, and all bytes are right.
#[test]
fn an_xms_driver_that_is_busy_or_fails() {
    for seed in 0..40 {
        let mut client = Client::<InCache>::new(seed, Sizes { conventional: 2048, migrate: 2048, ..DEFAULT });
        client.world().fails = 4;
        let mut accepted = VecDeque::new();
        for _ in 0..400 {
            client.world().busy = client.random.one_in(3);
            if client.random.one_in(4) {
                client.world().ticks += 1;
            }
            let len = 14 + client.random.below(1501) as u16;
            let number = client.frames.len();
            if client.as_send_pkt(len, false) != Sending::CantSend {
                accepted.push_back(number);
            }
            client.room(2);
            client.queue.run();
        }
        let mut sent = client.world.sent.iter();
        let given_up: Vec<u32> = client.world.told.iter().filter(|told| told.3 != SENT).map(|told| told.0).collect();
        for number in accepted.iter().filter(|number| !given_up.contains(&(**number as u32))) {
            let Some(bytes) = sent.next() else { break };
            assert_eq!(bytes, &client.frames[*number], "seed {seed}: frame {number}");
        }
        assert!(client.world.sent.len() > 50, "seed {seed}: {}", client.world.sent.len());
    }
}
