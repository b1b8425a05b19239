//! The flow table: shares, flows that stay, flows that move.

use std::collections::BTreeMap;

use compkt::bond::bond::BUSY;
use compkt::bond::flows::{ADAPTIVE, HASH, LEAST, SLOWEST, TURNS, WEIGHTED, cost};
use compkt::bond::{BALANCE, Row};
use compkt::device::Link;
use tools::random::Random;

use crate::world::*;

/// A frame of a flow: different addresses and ports for each number.
fn flow(number: usize) -> Vec<u8> {
    ipv4(0, if number % 3 == 0 { 17 } else { 6 }, [1, (number >> 8) as u8], [1024 + (number % 251) as u16, 80 + number as u16])
}

/// The shares of so many flows, in thousandths.
fn shares(world: &mut World, flows: usize) -> Vec<usize> {
    let mut count = vec![0; world.rows.len()];
    for number in 0..flows {
        count[world.by(&flow(number))] += 1;
    }
    count.iter().map(|count| count * 1000 / flows).collect()
}

fn with(algorithm: u8, nics: usize, sets: usize) -> Box<World> {
    let mut world = World::new(BALANCE, nics, sets);
    world.flows.algorithm = algorithm;
    world
}

/// Within 5 % of what is right.
fn near_to(share: usize, right: usize) -> bool {
    share.abs_diff(right) * 20 <= right
}

#[test]
fn flows_are_shared_evenly_or_by_weight() {
    for algorithm in [TURNS, HASH] {
        for nics in [2, 3, 4, 7] {
            let got = shares(&mut with(algorithm, nics, 512), 10_000);
            assert!(got.iter().all(|share| near_to(*share, 1000 / nics)), "algorithm {algorithm}, {nics} NICs: {got:?}");
        }
    }
    // Speeds in Mb/s.
    for speeds in [&[10u16, 10][..], &[10, 100], &[100, 10], &[100, 1000, 1000], &[10, 100, 1000], &[1000, 100, 100, 10]] {
        let mut world = with(WEIGHTED, speeds.len(), 512);
        let slowest = *speeds.iter().min().unwrap();
        for (row, speed) in world.rows.iter_mut().zip(speeds) {
            row.cost = cost(*speed, slowest);
        }
        let got = shares(&mut world, 10_000);
        let all: usize = speeds.iter().map(|speed| *speed as usize).sum();
        for (share, speed) in got.iter().zip(speeds) {
            let right = *speed as usize * 1000 / all;
            assert!(near_to(*share, right) || share.abs_diff(right) <= 1, "{speeds:?}: {got:?}");
        }
    }
}

#[test]
fn by_bytes_new_flows_avoid_the_nic_that_is_busy() {
    for algorithm in [LEAST, ADAPTIVE] {
        let mut world = with(algorithm, 2, 256);
        // One flow that sends all the time stays where it is; others go elsewhere.
        let busy = world.by(&flow(0));
        let mut others = [0; 2];
        for number in 1..1_000 {
            for _ in 0..20 {
                assert_eq!(world.by(&flow(0)), busy);
            }
            others[world.by(&flow(number))] += 1;
            if number % 4 == 0 {
                world.pass(1);
            }
        }
        assert!(others[1 - busy] > 900, "algorithm {algorithm}: {others:?}");
    }
}

#[test]
fn adaptive_counts_speed_and_refusals() {
    let mut world = with(ADAPTIVE, 2, 256);
    world.rows[1].cost = SLOWEST / 10;
    let got = shares(&mut world, 2_000);
    assert!(got[1] > 850 && got[0] > 20, "a NIC of ten times the speed gets most: {got:?}");
    let mut world = with(ADAPTIVE, 2, 256);
    world.nics[0].answer = BUSY;
    assert_eq!(world.send(&flow(0)).0, BUSY);
    world.nics[0].answer = 0;
    world.pass(1);
    assert!((1..50).all(|number| world.by(&flow(number)) == 1), "it had no room a tick ago");
}

#[test]
fn what_makes_a_flow() {
    // (name, frame, another one, the same flow)
    let tcp = |ports| ipv4(0, 6, [1, 2], ports);
    let cases = [
        ("the same", tcp([3, 4]), tcp([3, 4]), true),
        ("another port", tcp([3, 4]), tcp([3, 5]), false),
        ("another source port", tcp([3, 4]), tcp([2, 4]), false),
        ("another host", tcp([3, 4]), ipv4(0, 6, [1, 3], [3, 4]), false),
        ("another protocol", tcp([3, 4]), ipv4(0, 17, [1, 2], [3, 4]), false),
        ("do not fragment", tcp([3, 4]), ipv4(0x4000, 6, [1, 2], [3, 4]), true),
        ("the first and another fragment", ipv4(0x2000, 17, [1, 2], [3, 4]), ipv4(0x0010, 17, [1, 2], [0xAA, 0xBB]), true),
        ("fragments to other hosts", ipv4(0x2000, 17, [1, 2], [3, 4]), ipv4(0x2000, 17, [1, 3], [3, 4]), false),
        ("ICMP: no ports", ipv4(0, 1, [1, 2], [3, 4]), ipv4(0, 1, [1, 2], [5, 6]), true),
        ("IPv6", ipv6(6, [1, 2], [3, 4]), ipv6(6, [1, 2], [3, 4]), true),
        ("IPv6, another port", ipv6(6, [1, 2], [3, 4]), ipv6(6, [1, 2], [3, 5]), false),
        ("IPv6, another host", ipv6(17, [1, 2], [3, 4]), ipv6(17, [1, 3], [3, 4]), false),
        ("IPv6, another source", ipv6(17, [1, 2], [3, 4]), ipv6(17, [9, 2], [3, 4]), false),
        ("IPv6 ICMP", ipv6(58, [1, 2], [3, 4]), ipv6(58, [1, 2], [5, 6]), true),
        ("IPX: the Ethernet addresses", ethernet(&OTHER, 0x8137, &[1; 60]), ethernet(&OTHER, 0x8137, &[2; 60]), true),
        ("IPX to another", ethernet(&OTHER, 0x8137, &[1; 60]), ethernet(&[2, 0, 0, 0, 0, 9], 0x8137, &[1; 60]), false),
    ];
    for (name, first, second, same) in cases {
        let mut world = with(TURNS, 2, 64);
        world.by(&first);
        world.by(&second);
        assert_eq!({ world.flows.hits }, u32::from(same), "{name}");
    }
}

#[test]
fn a_flow_stays_with_its_nic_until_that_fails() {
    for algorithm in [TURNS, WEIGHTED, HASH, LEAST, ADAPTIVE] {
        let mut world = with(algorithm, 3, 1024);
        let mut random = Random::new(u64::from(algorithm));
        let first: Vec<usize> = (0..40).map(|number| world.by(&flow(number))).collect();
        for _ in 0..5_000 {
            let number = random.below(40);
            assert_eq!(world.by(&flow(number)), first[number]);
            if random.one_in(50) {
                world.pass(1);
            }
        }
        // NIC 1 fails: its flows move at once, all others stay.
        world.nics[1].link = Link::Down;
        world.pass(3);
        let moved: Vec<usize> = (0..40).map(|number| world.by(&flow(number))).collect();
        for number in 0..40 {
            assert!(moved[number] != 1 && (first[number] == 1 || moved[number] == first[number]), "algorithm {algorithm}, flow {number}");
        }
        let left = first.iter().filter(|nic| **nic == 1).count() as u16;
        assert_eq!((world.flows.moved, world.rows[1].state & Row::USABLE), (left, 0));
        // When it is back they stay where they are.
        world.nics[1].link = Link::Up;
        world.pass(60);
        assert!((0..40).all(|number| world.by(&flow(number)) == moved[number]));
    }
}

#[test]
fn a_nic_that_is_back_does_not_get_every_new_flow() {
    let mut world = with(TURNS, 2, 1024);
    world.nics[1].link = Link::Down;
    world.pass(2);
    shares(&mut world, 200);
    world.nics[1].link = Link::Up;
    world.pass(40);
    let new: usize = (1_000..1_100).map(|number| world.by(&flow(number))).sum();
    assert!((45..=55).contains(&new), "{new} of 100");
}

#[test]
fn a_flow_ends_by_age() {
    for sticky in [3, 68, 200] {
        let mut world = with(TURNS, 2, 16);
        world.flows.sticky = sticky;
        world.by(&flow(1));
        // By turns the next new flow goes to the other NIC.
        world.pass(16 * (u16::from(sticky) - 1));
        assert_eq!((world.by(&flow(1)), world.misses()), (0, 1), "it paused for less than {sticky} units");
        world.pass(16 * (u16::from(sticky) + 1));
        assert_eq!((world.by(&flow(1)), world.misses()), (1, 2), "it paused for longer");
        // Nothing of it is left after a wrap of the stamps.
        world.pass(16 * 256);
        assert_eq!((world.by(&flow(1)), world.misses()), (0, 3));
    }
}

#[test]
fn every_set_is_looked_at_for_age() {
    let mut world = with(TURNS, 2, 32);
    for number in 0..200 {
        world.by(&flow(number));
    }
    assert!(world.table.iter().flatten().filter(|flow| flow.nic() != 0).count() > 50);
    world.pass(68 * 16 + 80);
    assert!(world.table.iter().flatten().all(|flow| flow.nic() == 0));
}

/// A mix of flows as of an office: a few long transfers, many short requests, name look-ups of two frames.
fn mix(frames: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(7);
    let mut open: Vec<(Vec<u8>, usize)> = Vec::new();
    let mut next = 0;
    let mut all = Vec::new();
    while all.len() < frames {
        if open.len() < 60 {
            next += 1;
            let left = random.of(&[2, 2, 2, 6, 10, 10, 20, 20, 60, 400]);
            open.push((flow(next), left));
        }
        // A transfer sends several frames in a row.
        let place = random.below(open.len());
        for _ in 0..1 + random.below(4) {
            if open[place].1 != 0 {
                open[place].1 -= 1;
                all.push(open[place].0.clone());
            }
        }
        if open[place].1 == 0 {
            open.swap_remove(place);
        }
    }
    all
}

#[test]
fn most_frames_of_a_mix_find_their_flow() {
    let mut world = with(ADAPTIVE, 2, 512);
    let mut homes: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let (mut strayed, mut count) = (0, 0);
    for (number, frame) in mix(60_000).iter().enumerate() {
        let nic = world.by(frame);
        strayed += usize::from(homes.insert(frame.clone(), nic).is_some_and(|before| before != nic));
        count += 1;
        if number % 50 == 0 {
            world.pass(1);
        }
    }
    let hits = world.flows.hits as usize;
    assert!(hits * 100 > count * 90, "{hits} of {count}");
    assert!(strayed * 1_000 < count, "{strayed} times in {count} frames a flow changed its NIC");
}

#[test]
fn a_client_s_routine_chooses_for_new_flows() {
    let mut world = with(TURNS, 3, 64);
    world.wanted = near(2);
    assert!((0..20).all(|number| world.by(&flow(number)) == 2));
    world.wanted = 0;
    assert_eq!(world.by(&flow(5)), 2, "a flow stays");
    assert_eq!(world.by(&flow(100)), 0);
}

#[test]
fn the_slowest_nic_costs_the_same_however_fast_it_is() {
    for slowest in [1, 10, 100, 250] {
        assert_eq!(cost(slowest, slowest), SLOWEST, "{slowest}");
    }
    assert_eq!([cost(100, 1), cost(250, 1), cost(250, 100)], [8, 3, 320]);
}
