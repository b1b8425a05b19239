//! The receive backlog, with a loop as in the core: peek, offer, copy or refuse.

use std::collections::BTreeMap;

use compkt::device::MAX_FRAME;
use compkt::memory::backlog::{self, Backlog, KEPT, Keeper};

use super::world::*;

/// `/HOLD=`.
const PATIENCE: u8 = 2;

impl<P: Form> Keeper for User<P> {
    type Pool = P;

    fn pool(self) -> P {
        self.0
    }

    fn fields(self) -> *mut backlog::Fields {
        &raw mut self.0.world().kept
    }

    fn first(self) -> u16 {
        KEPT_AT
    }

    fn hold(self) -> u8 {
        PATIENCE
    }

    fn lost(self, handle: u16) {
        assert_ne!(handle, 0, "nobody loses nothing");
        self.0.world().lost.push(handle);
    }
}

/// A frame as a receiver gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    handle: u16,
    number: u32,
    /// Number of the offer, from 0.
    again: u8,
    /// Ticks since the frame was refused first.
    age: u16,
}

/// The receiver's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Takes,
    Refuses,
    /// Closes its handle.
    Leaves,
    TakesAndLeaves,
}

struct Lan<P: Form> {
    world: Box<World>,
    backlog: Backlog<User<P>>,
    random: Random,
    frames: Vec<Sent>,
    /// Frames taken: handle, number, and whether the frame had been kept.
    taken: Vec<(u16, u32, bool)>,
    offers: Vec<Offer>,
    closed: Vec<u16>,
}

struct Sent {
    bytes: Vec<u8>,
    handle: u16,
    tick: u16,
    offers: u8,
    taken: bool,
    lost: bool,
}

impl<P: Form> Lan<P> {
    fn new(seed: u64, sizes: Sizes) -> Lan<P> {
        let mut world = World::new(seed, sizes);
        let backlog = Backlog(User(P::new(&raw mut *world)));
        Lan { world, backlog, random: Random::new(seed), frames: vec![], taken: vec![], offers: vec![], closed: vec![] }
    }

    fn offer(&mut self, number: u32, receiver: &mut dyn FnMut(Offer) -> Answer) -> bool {
        let tick = self.backlog.0.0.world().ticks;
        let sent = &mut self.frames[number as usize];
        let offer = Offer { handle: sent.handle, number, again: sent.offers, age: tick - sent.tick };
        assert!(!sent.taken, "frame {number} comes twice");
        assert!(!self.closed.contains(&sent.handle) || sent.offers == 0, "frame {number} is nobody's");
        sent.offers += 1;
        self.offers.push(offer);
        let answer = receiver(offer);
        if matches!(answer, Answer::Leaves | Answer::TakesAndLeaves) {
            self.backlog.release(offer.handle);
            self.closed.push(offer.handle);
        }
        let takes = matches!(answer, Answer::Takes | Answer::TakesAndLeaves);
        if takes {
            self.frames[number as usize].taken = true;
            self.taken.push((offer.handle, number, offer.again > 0));
        }
        takes
    }

    /// Offers kept frames, as at the start of an interrupt.
    fn again(&mut self, receiver: &mut dyn FnMut(Offer) -> Answer) {
        self.backlog.begin();
        self.go_on(receiver);
    }

    /// Offers kept frames that are due, as later in an interrupt.
    fn go_on(&mut self, receiver: &mut dyn FnMut(Offer) -> Answer) {
        for turn in 0.. {
            assert!(turn < 3 * KEPT, "it ends");
            let place = self.backlog.peek();
            if place == 0 {
                assert!(!self.backlog.has_peeked());
                break;
            }
            let pool = self.backlog.0.0;
            let len = pool.len(self.backlog.peeked());
            let bytes = pool.world().get(place, len).to_vec();
            let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            assert_eq!(bytes, self.frames[number as usize].bytes, "every byte");
            if self.offer(number, receiver) {
                let place = pool.known_place(self.backlog.peeked());
                assert_eq!(pool.world().get(place, len), bytes, "it is there still");
                self.backlog.drop();
            } else {
                let before = pool.world().lost.len();
                self.backlog.refuse();
                self.frames[number as usize].lost = pool.world().lost.len() != before;
            }
            assert!(!self.backlog.has_peeked());
        }
    }

    /// A frame arrives.
    fn arrive(&mut self, handle: u16, len: u16, receiver: &mut dyn FnMut(Offer) -> Answer) {
        let number = self.frames.len() as u32;
        let mut bytes = content(&mut self.random, len);
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        let tick = self.backlog.0.0.world().ticks;
        self.frames.push(Sent { bytes: bytes.clone(), handle, tick, offers: 0, taken: false, lost: false });
        if self.offer(number, receiver) || self.closed.contains(&handle) {
            return;
        }
        let place = self.backlog.keep(handle, len);
        let pool = self.backlog.0.0;
        if place == 0 {
            self.frames[number as usize].lost = true;
            pool.world().lost.push(handle);
            return;
        }
        pool.world().put(place, &bytes);
    }

    fn tick(&mut self) {
        self.backlog.0.0.world().ticks += 1;
    }

    /// Checks that kept frames of one handle were taken in the order in which they came.
    fn check_order(&self) {
        let mut last = BTreeMap::new();
        for (handle, number, _) in self.taken.iter().filter(|(.., kept)| *kept) {
            let before = last.insert(handle, number);
            assert!(before < Some(number), "handle {handle}: {before:?}, then {number}");
        }
    }

    fn check_offers(&self) {
        for sent in &self.frames {
            assert!(sent.offers <= 3, "at most twice again");
        }
        for offer in self.offers.iter().filter(|offer| offer.again == 2) {
            assert!(offer.age >= u16::from(PATIENCE), "{offer:?}: with time between");
        }
    }
}

/// A third of all frames is refused when first offered; each of these is taken when its own number of ticks, 0 to 2, has begun.
fn a_third_refused<P: Form>(seed: u64, sizes: Sizes, longest: u16) {
    let mut lan = Lan::<P>::new(seed, sizes);
    let mut random = Random::new(seed + 100);
    let mut refused = BTreeMap::new();
    // Interrupts before the next tick.
    let mut left = 1;
    while lan.frames.len() < 10_000 {
        let mut receiver = |offer: Offer| {
            if offer.again == 0 && random.below(3) == 0 {
                refused.insert(offer.number, random.below(usize::from(PATIENCE) + 1) as u16);
            }
            let wait = refused.get(&offer.number).copied();
            if wait.is_none_or(|ticks| offer.again > 0 && offer.age >= ticks) { Answer::Takes } else { Answer::Refuses }
        };
        lan.again(&mut receiver);
        for _ in 0..lan.random.below(4) {
            let handle = 0x100 + 16 * lan.random.below(3) as u16;
            let len = 14 + lan.random.below(usize::from(longest) - 13) as u16;
            lan.arrive(handle, len, &mut receiver);
        }
        left -= 1;
        if left == 0 {
            lan.tick();
            left = 1 + lan.random.below(5);
        }
    }
    for _ in 0..=PATIENCE {
        lan.tick();
        let mut receiver = |_| Answer::Takes;
        lan.again(&mut receiver);
    }
    let again = lan.taken.iter().filter(|(.., kept)| *kept).count();
    println!("{}, seed {seed}: {} frames, {again} of them taken later, {} lost", P::NAME, lan.frames.len(), lan.world.lost.len());
    assert!(again > 3_000);
    assert_eq!((lan.taken.len(), lan.world.lost.len()), (lan.frames.len(), 0));
    assert_eq!(lan.world.allocated(), 0);
    lan.check_order();
    lan.check_offers();
}

#[test]
fn ten_thousand_frames_of_which_a_third_is_refused_at_first() {
    for seed in 0..10 {
        a_third_refused::<InCache>(seed, DEFAULT, MAX_FRAME);
        a_third_refused::<InCache>(seed, Sizes { conventional: 1536, migrate: 1536, ..DEFAULT }, MAX_FRAME);
        a_third_refused::<InArena>(seed, Sizes { conventional: 8192, ..DEFAULT }, 400);
    }
}

#[test]
fn a_frame_that_nobody_wants_is_offered_twice_again_and_lost() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    lan.arrive(0x100, 60, &mut never);
    lan.again(&mut never);
    lan.again(&mut never);
    assert_eq!((lan.offers.len(), lan.world.lost.len()), (2, 0), "once at the next interrupt");
    lan.tick();
    lan.again(&mut never);
    assert_eq!(lan.offers.len(), 2);
    lan.tick();
    lan.again(&mut never);
    assert_eq!((lan.offers.len(), lan.world.lost.len()), (3, 1), "and once when two ticks have begun");
    lan.tick();
    lan.again(&mut never);
    assert_eq!((lan.offers.len(), lan.world.allocated()), (3, 0));
}

#[test]
fn what_was_refused_waits_for_another_interrupt() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    lan.again(&mut never);
    for handle in [0x100, 0x110] {
        lan.arrive(handle, 60, &mut never);
        lan.go_on(&mut never);
    }
    assert_eq!(lan.offers.len(), 2);
    lan.again(&mut never);
    assert_eq!(lan.offers.len(), 4);
}

#[test]
fn without_an_interrupt_meanwhile_the_ticks_serve() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    lan.arrive(0x100, 60, &mut never);
    for offers in [2, 3, 3] {
        lan.tick();
        lan.again(&mut never);
        assert_eq!(lan.offers.len(), offers);
    }
    assert_eq!(lan.world.lost.len(), 1);
}

#[test]
fn two_ticks_without_an_interrupt_leave_time_for_one_offer() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    lan.arrive(0x100, 60, &mut never);
    lan.tick();
    lan.tick();
    for _ in 0..2 {
        lan.again(&mut never);
        assert_eq!((lan.offers.len(), lan.world.lost.len()), (2, 1));
    }
}

#[test]
fn frames_behind_a_refused_one_are_not_held_up() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut all_but_the_first = |offer: Offer| if offer.number == 0 { Answer::Refuses } else { Answer::Takes };
    lan.arrive(0x100, 60, &mut all_but_the_first);
    for handle in [0x110, 0x100] {
        lan.again(&mut all_but_the_first);
        lan.arrive(handle, 60, &mut all_but_the_first);
    }
    assert_eq!(lan.taken, [(0x110, 1, false), (0x100, 2, false)]);
}

#[test]
fn of_kept_frames_the_first_of_a_handle_comes_first() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    for handle in [0x100, 0x110, 0x100, 0x110] {
        lan.arrive(handle, 60, &mut never);
    }
    let mut all_but_the_first = |offer: Offer| if offer.number == 0 { Answer::Refuses } else { Answer::Takes };
    lan.again(&mut all_but_the_first);
    assert_eq!(lan.taken, [(0x110, 1, true), (0x110, 3, true)], "number 2 waits for number 0");
    lan.tick();
    lan.tick();
    lan.again(&mut all_but_the_first);
    assert_eq!(lan.taken[2..], [(0x100, 2, true)]);
    assert_eq!(lan.world.lost, [0x100]);
}

#[test]
fn no_more_frames_are_kept_than_there_is_room_for() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    for number in 0..KEPT + 3 {
        lan.arrive(0x100, 60, &mut never);
        assert_eq!(lan.world.lost.len(), (number + 1).saturating_sub(KEPT));
    }
    let mut always = |_| Answer::Takes;
    lan.again(&mut always);
    assert_eq!(lan.taken.len(), KEPT);
    assert_eq!(lan.world.allocated(), 0);
}

#[test]
fn a_closed_handle_takes_its_frames_with_it() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    let mut never = |_| Answer::Refuses;
    for handle in [0x100, 0x110, 0x100] {
        lan.arrive(handle, 60, &mut never);
    }
    lan.backlog.release(0x100);
    let mut always = |_| Answer::Takes;
    // The same slot is another client's handle now.
    lan.again(&mut always);
    assert_eq!(lan.taken, [(0x110, 1, true)]);
    assert_eq!((lan.world.lost.len(), lan.world.allocated()), (0, 0));
}

#[test]
fn a_receiver_may_close_its_handle_while_it_is_offered_a_frame() {
    for answer in [Answer::Leaves, Answer::TakesAndLeaves] {
        let mut lan = Lan::<InArena>::new(1, DEFAULT);
        let mut never = |_| Answer::Refuses;
        for _ in 0..3 {
            lan.arrive(0x100, 60, &mut never);
        }
        lan.again(&mut |_| answer);
        assert_eq!(lan.offers.len(), 4);
        assert_eq!(lan.taken.len(), usize::from(answer == Answer::TakesAndLeaves));
        assert_eq!((lan.world.lost.len(), lan.world.allocated()), (0, 0), "{answer:?}");
    }
}

/// The tick count is kept as a byte, which wraps.
#[test]
fn midnight_and_other_wraps() {
    let mut lan = Lan::<InCache>::new(1, DEFAULT);
    lan.world.ticks = 255;
    let mut never = |_| Answer::Refuses;
    lan.arrive(0x100, 60, &mut never);
    lan.again(&mut never);
    lan.tick();
    lan.again(&mut never);
    assert_eq!(lan.offers.len(), 2);
    lan.tick();
    lan.again(&mut |_| Answer::Takes);
    assert_eq!(lan.taken.len(), 1);
}

fn random_life<P: Form>(seed: u64, fails: usize) {
    let mut lan = Lan::<P>::new(seed, Sizes { conventional: 4096, ..DEFAULT });
    lan.world.fails = fails;
    let mut random = Random::new(seed);
    let mut next = 0x100;
    let mut handles: Vec<u16> = Vec::new();
    for _ in 0..1500 {
        while handles.len() < 3 {
            handles.push(next);
            next += 16;
        }
        if fails != 0 && random.one_in(10) {
            lan.backlog.0.0.world().busy ^= true;
        }
        let mut receiver = |_: Offer| match random.below(40) {
            0 => Answer::Leaves,
            1 => Answer::TakesAndLeaves,
            2..20 => Answer::Takes,
            _ => Answer::Refuses,
        };
        lan.again(&mut receiver);
        for _ in 0..lan.random.below(3) {
            let handle = handles[lan.random.below(3)];
            if !lan.closed.contains(&handle) {
                let len = 14 + lan.random.below(1501) as u16;
                lan.arrive(handle, len, &mut receiver);
            }
        }
        if lan.random.one_in(50) {
            let handle = handles[0];
            if !lan.closed.contains(&handle) {
                lan.backlog.release(handle);
                lan.closed.push(handle);
            }
        }
        handles.retain(|handle| !lan.closed.contains(handle));
        if lan.random.one_in(3) {
            lan.tick();
        }
        assert_eq!(lan.world.allocated(), usize::from(lan.world.kept.bytes) / 6, "seed {seed}");
    }
    for _ in 0..=PATIENCE {
        lan.tick();
        lan.again(&mut |_| Answer::Refuses);
    }
    assert_eq!((lan.world.allocated(), lan.world.kept.bytes), (0, 0), "{}, seed {seed}: nothing stays", P::NAME);
    lan.check_order();
    lan.check_offers();
    let open = |sent: &Sent| !lan.closed.contains(&sent.handle);
    if fails == 0 {
        let missing = lan.frames.iter().filter(|sent| !sent.taken && !sent.lost && open(sent)).count();
        assert_eq!(missing, 0, "{}, seed {seed}: taken, lost, or its handle closed", P::NAME);
        assert!(!lan.frames.iter().any(|sent| sent.taken && sent.lost));
    }
}

#[test]
fn a_random_life_with_receivers_that_come_and_go() {
    for seed in 0..60 {
        random_life::<InArena>(seed, 0);
        random_life::<InCache>(seed, [0, 5, 50][seed as usize % 3]);
    }
}
