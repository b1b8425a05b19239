//! The pool (src/memory) in both forms, compared with a simple model; and its users.

#[path = "pool/backlog.rs"]
mod backlog;
#[path = "pool/queue.rs"]
mod queue;
#[path = "pool/world.rs"]
mod world;

use std::collections::BTreeMap;

use compkt::device::MAX_FRAME;
use compkt::memory::{FRAMES, Pool, Stats};
use world::*;

/// The shortest frame of a card or a client.
const SHORTEST: u16 = 14;

const ROOM: Sizes = Sizes { conventional: 16384, ..DEFAULT };
const ONE_SLOT: Sizes = Sizes { conventional: 1536, migrate: 1536, slots: FRAMES as u16 };
const EARLY: Sizes = Sizes { conventional: 8192, migrate: 3072, slots: FRAMES as u16 };
const FEW_SLOTS: Sizes = Sizes { slots: 5, ..DEFAULT };

/// Random operations on all forms together.
const OPERATIONS: usize = 1_000_000;
/// Random operations on one world.
const LIFE: usize = 5_000;

/// Writes to a frame's place, as a user of the pool does.
fn write<P: Form>(pool: P, frame: u16, offset: u16, bytes: &[u8]) -> bool {
    let place = pool.place(frame);
    if place != 0 {
        assert_eq!(pool.known_place(frame), place);
        pool.world().put(place + offset, bytes);
    }
    place != 0
}

fn read<P: Form>(pool: P, frame: u16, offset: u16, len: u16) -> Option<Vec<u8>> {
    let place = pool.place(frame);
    (place != 0).then(|| pool.world().get(place + offset, len).to_vec())
}

fn add<P: Form>(pool: P, bytes: &[u8]) -> u16 {
    let frame = pool.allocate(bytes.len() as u16);
    assert!(frame == 0 || write(pool, frame, 0, bytes), "what was just allocated can be written");
    frame
}

/// A length: half of all frames are short, as on a wire.
fn length(random: &mut Random) -> u16 {
    let most = if random.one_in(2) { 100 } else { MAX_FRAME };
    SHORTEST + random.below(usize::from(most - SHORTEST) + 1) as u16
}

fn random_life<P: Form>(seed: u64, sizes: Sizes, fails: usize, operations: usize) {
    let mut random = Random::new(seed);
    let mut world = World::new(seed, sizes);
    world.fails = fails;
    let pool = P::new(&raw mut *world);
    let mut frames: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let name = P::NAME;
    // Fewer frames for some time, then more.
    let mut most = FRAMES;
    for step in 0..operations {
        if random.one_in(200) {
            most = 1 + random.below(FRAMES);
        }
        if fails != 0 && random.one_in(20) {
            pool.world().busy ^= true;
        }
        let before = pool.world().failed;
        let which = random.below(frames.len().max(1));
        let chosen = frames.keys().nth(which).copied().unwrap_or(0);
        let context = format!("{name}, {sizes:?}, seed {seed}, step {step}");
        match random.below(5) {
            0 | 1 if frames.len() < most => {
                let len = length(&mut random);
                let room = pool.has_room(frames.len(), len);
                let failures = pool.stats().failures;
                let bytes = content(&mut random, len);
                let frame = add(pool, &bytes);
                assert!(frame != 0 || !room || pool.world().failed != before, "{context}: {len} bytes");
                assert!(frame != 0 || pool.stats().failures != failures, "{context}: it is counted");
                assert!(frame == 0 || frames.insert(frame, bytes).is_none(), "{context}: {frame:#x} twice");
            }
            0..=2 if chosen != 0 => {
                let bytes = &frames[&chosen];
                let offset = random.below(bytes.len()) as u16;
                let len = 1 + random.below(bytes.len() - usize::from(offset)) as u16;
                match read(pool, chosen, offset, len) {
                    Some(got) => assert!(got == bytes[offset.into()..usize::from(offset + len)], "{context}: {chosen:#x}"),
                    None => assert!(pool.world().busy || pool.world().failed != before, "{context}"),
                }
            }
            3 if chosen != 0 => {
                let bytes = frames.get_mut(&chosen).unwrap();
                let offset = random.below(bytes.len());
                let len = 1 + random.below(bytes.len() - offset) as u16;
                let some = content(&mut random, len);
                if write(pool, chosen, offset as u16, &some) {
                    bytes[offset..offset + some.len()].copy_from_slice(&some);
                }
            }
            _ if chosen != 0 => {
                assert_eq!(usize::from(pool.len(chosen)), frames[&chosen].len());
                pool.free(chosen);
                frames.remove(&chosen);
            }
            _ => {}
        }
        if step % 16 == 0 {
            pool.world().check_space();
        }
    }
    pool.world().check_canaries();
    pool.world().busy = false;
    pool.world().fails = 0;
    for (frame, bytes) in frames {
        assert_eq!(read(pool, frame, 0, bytes.len() as u16), Some(bytes), "{name}, seed {seed}: {frame:#x} in the end");
        pool.free(frame);
    }
    pool.world().check_space();
    let failed = pool.world().failed;
    assert_eq!(pool.stats().flags & Stats::XMS_FAILED != 0, failed != 0, "{name}, seed {seed}: it says so");
}

#[test]
fn a_random_life_is_as_a_simple_map_has_it() {
    let all = [DEFAULT, ROOM, ONE_SLOT, EARLY, FEW_SLOTS];
    let lives = OPERATIONS.div_ceil(LIFE) as u64;
    for seed in 0..lives {
        let sizes = all[seed as usize % all.len()];
        let fails = [0, 100, 10, 2][seed as usize / all.len() % 4];
        random_life::<InArena>(seed, sizes, fails, LIFE / 2);
        random_life::<InCache>(seed, sizes, fails, LIFE / 2);
    }
    println!("{OPERATIONS} operations, seeds 0 to {}", lives - 1);
}

/// Frames of every length, while others push them out and move them.
fn every_length<P: Form>(sizes: Sizes) {
    let mut world = World::new(0, sizes);
    let pool = P::new(&raw mut *world);
    let mut random = Random::new(7);
    let mut waiting: Vec<(u16, Vec<u8>)> = Vec::new();
    for len in (SHORTEST..=MAX_FRAME).chain(SHORTEST..=MAX_FRAME) {
        let bytes = content(&mut random, len);
        let frame = loop {
            if waiting.len() < 8 {
                let frame = add(pool, &bytes);
                if frame != 0 {
                    break frame;
                }
            }
            let (oldest, bytes) = waiting.remove(0);
            assert!(read(pool, oldest, 0, bytes.len() as u16) == Some(bytes), "{}, {len} bytes", P::NAME);
            pool.free(oldest);
        };
        waiting.push((frame, bytes));
    }
    println!("{}, {sizes:?}: {:?}", P::NAME, pool.stats());
    pool.world().check_canaries();
}

#[test]
fn frames_of_every_length_survive() {
    for sizes in [DEFAULT, ROOM, ONE_SLOT, EARLY] {
        every_length::<InArena>(sizes);
        every_length::<InCache>(sizes);
    }
}

fn cached(sizes: Sizes) -> (Box<World>, InCache) {
    let mut world = World::new(1, sizes);
    let pool = InCache::new(&raw mut *world);
    (world, pool)
}

#[test]
fn the_least_recently_used_go_to_xms_in_a_batch() {
    let (_world, pool) = cached(DEFAULT);
    let frames: Vec<u16> = (0..4).map(|n| add(pool, &[n; 999])).collect();
    assert_eq!((pool.stats().buffers, pool.world().calls), (0, 0), "4,000 of 4,096 bytes");
    assert!(read(pool, frames[0], 0, 999).is_some(), "so the first is not the oldest");
    add(pool, &[4; 999]);
    assert_eq!((pool.stats().buffers, pool.stats().bytes), (2, 2 * 999), "down to half");
    let before = pool.stats();
    assert!(read(pool, frames[0], 0, 1).is_some() && read(pool, frames[3], 0, 1).is_some());
    assert_eq!((pool.stats().hits, pool.stats().misses), (before.hits + 2, 0));
    assert_eq!(read(pool, frames[1], 0, 999), Some(vec![1; 999]));
    assert_eq!((pool.stats().misses, pool.stats().evictions), (1, 0), "there was room to fetch it");
    assert_eq!(read(pool, frames[2], 0, 999), Some(vec![2; 999]));
    assert_eq!((pool.stats().misses, pool.stats().evictions), (2, 2), "there was none");
}

#[test]
fn migrate_says_when_frames_go() {
    let (_world, pool) = cached(EARLY);
    for n in 0..3 {
        add(pool, &[n; 999]);
    }
    assert_eq!(pool.stats().buffers, 0);
    add(pool, &[3; 999]);
    assert_eq!(pool.stats().buffers, 2);
}

#[test]
fn while_the_xms_driver_is_busy_nothing_migrates() {
    let (_world, pool) = cached(EARLY);
    let first = add(pool, &[9; 1514]);
    while pool.stats().buffers == 0 {
        add(pool, &[1; 999]);
    }
    let calls = pool.world().calls;
    pool.world().busy = true;
    assert_eq!(pool.place(first), 0);
    let mut more = 0;
    while add(pool, &[2; 999]) != 0 {
        more += 1;
    }
    assert!(more >= 4, "up to the cache's size: {more}");
    assert_eq!(pool.world().calls, calls);
    assert_eq!(pool.stats().flags, 0, "busy is no error");
    pool.world().busy = false;
    assert!(read(pool, first, 0, 1514).is_some_and(|got| got == [9; 1514]));
    assert_ne!(add(pool, &[3; 999]), 0);
}

#[test]
fn with_an_xms_driver_that_fails_the_cache_alone_serves_and_says_so() {
    let (_world, pool) = cached(DEFAULT);
    pool.world().fails = 1;
    let frames: Vec<u16> = (0..10).map(|n| add(pool, &[n; 999])).take_while(|frame| *frame != 0).collect();
    assert_eq!((frames.len(), pool.stats().buffers), (4, 0));
    assert_eq!(pool.stats().flags, Stats::XMS_FAILED);
    assert_eq!(pool.stats().failures, 2, "a call and a frame");
    for round in 0..100 {
        for (n, frame) in frames.iter().enumerate() {
            assert_eq!(read(pool, *frame, 0, 999), Some(vec![n as u8; 999]), "round {round}");
        }
    }
    pool.free(frames[1]);
    assert_ne!(add(pool, &[7; 999]), 0, "smaller, but a pool");
}

#[test]
fn there_are_no_more_frames_than_slots() {
    let (_world, pool) = cached(Sizes { slots: 2, ..DEFAULT });
    let frames: Vec<u16> = (0..10).map(|n| add(pool, &[n; 999])).take_while(|frame| *frame != 0).collect();
    assert_eq!(frames.len(), 2);
    pool.free(frames[0]);
    assert_ne!(add(pool, &[7; 1514]), 0);
}

#[test]
fn the_arena_is_used_to_the_last_bytes() {
    let mut world = World::new(1, Sizes { conventional: 8192, ..DEFAULT });
    let pool = InArena::new(&raw mut *world);
    let frames: Vec<u16> = (0..FRAMES).map(|_| pool.allocate(255)).collect();
    assert!(frames.iter().all(|frame| *frame != 0));
    assert_eq!(pool.allocate(14), 0, "no record and no byte");
    for frame in frames.iter().step_by(5) {
        pool.free(*frame);
    }
    assert!(pool.allocate(1514) != 0, "gaps are closed");
    assert!(pool.allocate(200) != 0 && pool.allocate(255) == 0);
}
