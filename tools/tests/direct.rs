//! The pool in real mode with XMS (src/memory/direct.rs), compared with simple queues.

#[path = "direct/world.rs"]
mod world;

use std::collections::VecDeque;

use compkt::bus::Far;
use compkt::device::MAX_FRAME;
use compkt::memory::direct::{BUSY, FAILED, IOCB, PATIENCE, SENT};
use tools::random::Random;
use world::*;

/// Random operations on all worlds together, and on one.
const OPERATIONS: usize = 1_000_000;
const LIFE: usize = 20_000;

/// A frame that a receiver refused.
#[derive(Clone, Debug)]
struct Kept {
    bytes: Vec<u8>,
    since: u8,
}

/// A frame that waits to be sent.
#[derive(Clone, Debug)]
struct Waiting {
    bytes: Vec<u8>,
    name: u16,
    iocb: bool,
    block: u32,
    upcall: u32,
    dropped: bool,
}

/// The pool beside simple queues.
struct Both {
    world: Box<World>,
    kept: Vec<VecDeque<Kept>>,
    queue: VecDeque<Waiting>,
    /// Frames of closed handles, which the next round frees.
    closed: usize,
    since: u8,
    random: Random,
    lost: u32,
    text: String,
}

impl Both {
    fn new(seed: u64, slots: u16, handles: usize, hold: u8) -> Both {
        let kept = vec![VecDeque::new(); handles];
        let text = format!("seed {seed}, {slots} slots, {handles} handles, hold {hold}");
        Both { world: World::new(slots, handles, hold), kept, queue: VecDeque::new(), closed: 0, since: 0, random: Random::new(seed), lost: 0, text }
    }

    fn all_kept(&self) -> usize {
        self.closed + self.kept.iter().map(VecDeque::len).sum::<usize>()
    }

    /// What each user may have: three quarters, and what the other has left.
    fn has_room(&self, own: usize) -> bool {
        let slots = usize::from(self.world.fields.slots);
        own < slots - slots / 4 && self.all_kept() + self.queue.len() < slots
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = if self.random.one_in(2) { 14 + self.random.below(87) } else { 14 + self.random.below(usize::from(MAX_FRAME) - 13) };
        let (start, step) = (self.random.below(256), self.random.below(127) * 2 + 1);
        (0..len).map(|at| (start + at * step + (at >> 8)) as u8).collect()
    }

    /// A receiver refuses a frame of the card's.
    fn keep(&mut self, handle: usize) {
        let bytes = self.bytes();
        let room = self.has_room(self.all_kept()) && !self.world.is_closed(handle);
        let name = self.world.pool().keep(handle_at(handle), bytes.len() as u16);
        assert_eq!(name != 0, room, "{}: keep", self.text);
        if name != 0 {
            self.world.put_frame(name, &bytes);
            self.kept[handle].push_back(Kept { bytes, since: self.world.ticks as u8 });
        }
    }

    /// A round: each frame that is offered is refused or not, as `refuses` says.
    fn round(&mut self, refuses: &mut dyn FnMut(&mut Random, usize) -> bool) {
        self.world.begin();
        let mut handle = self.kept.len();
        while self.world.pool().peek() {
            self.closed = 0;
            handle = (0..handle).rev().find(|at| !self.kept[*at].is_empty()).unwrap_or_else(|| panic!("{}: nothing is left to offer", self.text));
            let pool = self.world.pool();
            let (name, first) = (pool.peeked(), self.kept[handle].front().unwrap().clone());
            assert_eq!(usize::from(pool.len(name)), first.bytes.len(), "{}", self.text);
            assert!(self.world.frame(name, first.bytes.len()) == first.bytes, "{}: every byte, in order", self.text);
            if refuses(&mut self.random, handle) {
                let old = (self.world.ticks as u8).wrapping_sub(first.since) >= self.world.fields.hold;
                assert_eq!(pool.refuse(), !old, "{}: kept for its time", self.text);
                if old {
                    self.kept[handle].pop_front();
                    self.lost += 1;
                }
                handle += usize::from(old);
            } else {
                pool.drop_peeked();
                self.kept[handle].pop_front();
                handle += 1;
            }
        }
        self.closed = 0;
        assert!((0..handle).all(|at| self.kept[at].is_empty()), "{}: all are offered", self.text);
    }

    fn release(&mut self, handle: usize) {
        self.world.pool().release(handle_at(handle));
        self.closed += self.kept[handle].len();
        self.kept[handle].clear();
    }

    /// as_send_pkt, when the card has no room.
    fn wait(&mut self) {
        let bytes = self.bytes();
        let room = self.has_room(self.queue.len());
        let iocb = self.random.one_in(2);
        let (block, upcall) = (self.random.word() | 1 << 16, self.random.word());
        if self.queue.is_empty() {
            self.since = self.world.ticks as u8;
        }
        let name = self.world.pool().wait(bytes.len() as u16 | if iocb { IOCB } else { 0 }, || (Far(block), Far(upcall)));
        assert_eq!(name != 0, room, "{}: wait", self.text);
        if name != 0 {
            self.world.put_frame(name, &bytes);
            self.queue.push_back(Waiting { bytes, name, iocb, block, upcall, dropped: false });
        }
    }

    /// The card has room for so many frames.
    fn run(&mut self, room: usize) {
        self.world.room = room;
        self.world.answer = if self.random.one_in(20) { FAILED } else { SENT };
        let answer = self.world.answer;
        self.world.pool().run();
        let (mut sent, mut told) = (Vec::new(), Vec::new());
        let mut left = room;
        while let Some(first) = self.queue.front() {
            if !first.dropped {
                let patient = (self.world.ticks as u8).wrapping_sub(self.since) < PATIENCE;
                let answer = match left {
                    0 if patient => break,
                    0 => BUSY,
                    _ => {
                        left -= 1;
                        sent.push(first.bytes.clone());
                        answer
                    }
                };
                told.push(Told { answer, len: first.bytes.len() as u16, iocb: first.iocb, block: first.block, upcall: first.upcall });
            }
            self.queue.pop_front();
            self.since = self.world.ticks as u8;
        }
        assert!(std::mem::take(&mut self.world.sent) == sent, "{}: every byte, in order", self.text);
        assert_eq!(std::mem::take(&mut self.world.told), told, "{}", self.text);
        assert_eq!(self.world.pool().is_clear(), self.queue.is_empty(), "{}", self.text);
    }

    fn drop(&mut self) {
        let at = self.random.below(self.queue.len().max(1));
        // Of a frame that waits, or any: a client may give any IOCB.
        let (name, block) = match self.queue.get(at) {
            Some(waiting) if !self.random.one_in(4) => (waiting.name, waiting.block),
            _ => (self.random.word() as u16, self.random.word() | 1 << 16),
        };
        let same = |waiting: &&mut Waiting| waiting.name == name && waiting.iocb && !waiting.dropped && waiting.block == block;
        let found = self.queue.iter_mut().find(same);
        assert_eq!(self.world.pool().drop(name, Far(block)), found.is_some(), "{}: {name:#x}", self.text);
        if let Some(waiting) = found {
            waiting.dropped = true;
        }
    }

    fn check(&self) {
        assert_eq!(self.world.in_use(), self.all_kept() + self.queue.len(), "{}", self.text);
    }

    fn random_life(&mut self, operations: usize) {
        let handles = self.kept.len();
        // How often frames are taken, changed now and then.
        let mut takes = 2;
        for step in 0..operations {
            if self.random.one_in(500) {
                takes = 1 + self.random.below(6);
            }
            match self.random.below(16) {
                0..=5 => {
                    let handle = self.random.below(handles);
                    self.keep(handle);
                }
                6 | 7 => self.round(&mut |random, _| !random.one_in(takes)),
                8 if self.random.one_in(8) => {
                    let handle = self.random.below(handles);
                    self.release(handle);
                }
                9..=11 => self.wait(),
                12 | 13 => {
                    let room = self.random.below(4);
                    self.run(room);
                }
                14 => self.drop(),
                _ => self.world.ticks += u16::from(self.random.one_in(3)),
            }
            if step % 64 == 0 {
                self.check();
            }
        }
        self.round(&mut |_, _| false);
        self.run(usize::MAX);
        assert_eq!(self.world.in_use(), 0, "{}: all come back", self.text);
        self.world.check_slots();
    }
}

#[test]
fn a_random_life_is_as_simple_queues_have_it() {
    let sizes = [(10, 4, 2), (32, 8, 2), (3, 1, 1), (682, 4, 2), (200, 64, 9), (1, 2, 2), (10_922, 8, 250)];
    let lives = OPERATIONS.div_ceil(LIFE) as u64;
    for seed in 0..lives {
        let (slots, handles, hold) = sizes[seed as usize % sizes.len()];
        Both::new(seed, slots, handles, hold).random_life(LIFE);
    }
    println!("{OPERATIONS} operations, seeds 0 to {}", lives - 1);
}

#[test]
fn any_number_of_slots_is_used_and_comes_back() {
    for slots in (1..=40).chain([341, 682, 5461, 10_922]) {
        let mut both = Both::new(slots.into(), slots, 3, 2);
        let most = usize::from(slots - slots / 4);
        for round in 0..3 {
            for number in 0..=most {
                both.keep(number % 3);
            }
            assert_eq!(both.all_kept(), most, "{slots} slots, round {round}");
            while both.has_room(both.queue.len()) {
                both.wait();
            }
            both.wait();
            assert_eq!(both.queue.len(), usize::from(slots) - most, "the rest is the other user's");
            both.check();
            both.round(&mut |_, _| false);
            both.run(usize::MAX);
            assert_eq!(both.world.in_use(), 0, "{slots} slots, round {round}");
        }
    }
}

#[test]
fn a_receiver_that_refuses_for_ever_holds_up_nobody() {
    let mut both = Both::new(1, 682, 4, 2);
    for tick in 0..2000 {
        for _ in 0..5 {
            both.keep(3);
        }
        both.keep(1);
        both.round(&mut |_, handle| handle == 3);
        assert!(both.kept[1].is_empty(), "tick {tick}: the other one gets its frame");
        assert!(both.kept[3].len() <= 10, "tick {tick}: {} frames wait", both.kept[3].len());
        both.world.ticks += 1;
    }
    both.world.ticks += 2;
    both.round(&mut |_, handle| handle == 3);
    assert_eq!(both.world.in_use(), 0);
    assert_eq!(both.lost, 10_000, "each is counted");
}

#[test]
fn a_refused_frame_does_not_hold_up_the_other_handles() {
    let mut both = Both::new(1, 100, 8, 2);
    for handle in 0..8 {
        both.keep(handle);
        both.keep(handle);
    }
    let mut offers = [0; 8];
    both.round(&mut |_, handle| {
        offers[handle] += 1;
        handle % 2 == 0
    });
    assert_eq!(offers, [1, 2, 1, 2, 1, 2, 1, 2]);
}

#[test]
fn a_frame_that_was_just_refused_waits_for_the_next_round() {
    let mut both = Both::new(1, 100, 2, 2);
    both.world.begin();
    both.keep(0);
    assert!(!both.world.pool().peek());
    both.world.begin();
    assert!(both.world.pool().peek());
}

#[test]
fn frames_of_a_handle_that_is_closed_in_its_upcall_are_freed() {
    for (frames, takes) in [(1, false), (1, true), (4, false), (4, true)] {
        // With a hold of 0 a frame that is refused again is lost at once.
        let mut both = Both::new(1, 100, 2, 0);
        for _ in 0..frames {
            both.keep(1);
        }
        both.wait();
        both.world.begin();
        assert!(both.world.pool().peek());
        let first = both.kept[1][0].clone();
        both.release(1);
        let name = both.world.pool().peeked();
        assert!(both.world.frame(name, first.bytes.len()) == first.bytes);
        if takes {
            both.world.pool().drop_peeked();
        } else {
            both.world.pool().refuse();
        }
        both.run(1); // another frame is freed meanwhile
        both.round(&mut |_, _| panic!("nobody is asked"));
        assert_eq!(both.world.in_use(), 0);
        both.world.check_slots();
    }
}

/// The accesses that a call makes to XMS.
fn accesses(both: &mut Both, call: impl FnOnce(&mut Both)) -> u32 {
    let before = both.world.accesses;
    call(both);
    both.world.accesses - before
}

#[test]
fn the_time_is_the_same_with_any_number_of_frames() {
    let mut all = Vec::new();
    for waiting in [10, 600] {
        let mut both = Both::new(1, 2000, 4, 250);
        for _ in 0..waiting {
            both.keep(2);
            both.wait();
        }
        let keep = accesses(&mut both, |both| both.keep(2));
        let refused = accesses(&mut both, |both| both.round(&mut |_, _| true));
        let mut taken = false;
        let offer = accesses(&mut both, |both| both.round(&mut |_, _| std::mem::replace(&mut taken, true)));
        let wait = accesses(&mut both, Both::wait);
        let last = both.queue.iter().rfind(|waiting| waiting.iocb).unwrap().clone();
        let drop = accesses(&mut both, |both| assert!(both.world.pool().drop(last.name, Far(last.block))));
        both.queue.iter_mut().find(|waiting| waiting.name == last.name).unwrap().dropped = true;
        let run = accesses(&mut both, |both| both.run(1));
        let release = accesses(&mut both, |both| {
            both.release(2);
            both.round(&mut |_, _| unreachable!());
        });
        all.push([keep, refused, offer, wait, drop, run, release]);
    }
    assert_eq!(all[0], all[1]);
}

#[test]
fn what_another_program_writes_to_xms_does_no_harm() {
    for seed in 0..200 {
        let mut world = World::new(50, 4, 2);
        let mut random = Random::new(seed);
        for _ in 0..2000 {
            let handle = handle_at(random.below(4));
            match random.below(8) {
                0 => world.overwrite(&mut random),
                1 | 2 => {
                    world.pool().keep(handle, 14 + random.below(1501) as u16);
                }
                3 => {
                    world.pool().wait(100 | IOCB, || (Far(random.word()), Far(0)));
                }
                4 => {
                    world.room = random.below(4);
                    world.pool().run();
                }
                5 => {
                    world.pool().drop(random.word() as u16 % 60, Far(random.word()));
                }
                6 => world.pool().release(handle),
                _ => {
                    world.begin();
                    // Lists are counted in conventional memory: a round ends.
                    for offers in 0.. {
                        assert!(offers < 100, "seed {seed}: a round without an end");
                        if !world.pool().peek() {
                            break;
                        }
                        let name = world.pool().peeked();
                        assert!((1..=MAX_FRAME).contains(&world.pool().len(name)));
                        if random.one_in(2) {
                            world.pool().refuse();
                        } else {
                            world.pool().drop_peeked();
                        }
                    }
                }
            }
            world.ticks += u16::from(random.one_in(8));
        }
    }
}
