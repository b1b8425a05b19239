//! Who receives, what a failover announces, and from which address NICs send.

use compkt::bond::{BALANCE, LEARNED, STANDBY, TRUNK};
use compkt::device::Link;
use tools::random::Random;

use crate::world::*;

/// Fails the first NIC over; the frames that the bond sends on its own.
fn fail_over(world: &mut World) -> Vec<(usize, Vec<u8>)> {
    world.sent.clear();
    world.nics[0].link = Link::Down;
    let nics = world.nics.len() as u16;
    world.pass(nics);
    assert_eq!(world.active(), 1);
    world.pass(20);
    std::mem::take(&mut world.sent)
}

/// The addresses that ARP requests announce.
fn announced(frames: &[(usize, Vec<u8>)]) -> Vec<[u8; 4]> {
    let ip = |(nic, frame): &(usize, Vec<u8>)| {
        assert_eq!((*nic, frame.len(), &frame[..6], &frame[6..12], &frame[22..28]), (1, 42, &[0xFF; 6][..], &STATION[..], &STATION[..]));
        assert_eq!(frame[28..32], frame[38..42], "an address asks for itself");
        frame[28..32].try_into().unwrap()
    };
    frames.iter().map(ip).collect()
}

#[test]
fn a_failover_announces_the_latest_addresses_of_the_clients_three_times() {
    let mut world = World::new(STANDBY, 2, 1);
    for host in [1, 2, 3, 4, 5, 3] {
        world.by(&arp([10, 0, 0, host]));
    }
    // A probe for a conflict (RFC 5227) comes from no address; a short frame is none of ARP's.
    world.by(&arp([0; 4]));
    world.by(&arp([10, 0, 0, 77])[..41]);
    let all = announced(&fail_over(&mut world));
    let once = [[10, 0, 0, 3], [10, 0, 0, 5], [10, 0, 0, 4], [10, 0, 0, 2], [0; 4]];
    assert_eq!(all, [once, once, once].concat());
    assert_eq!(once.len(), LEARNED + 1);
}

#[test]
fn without_any_address_a_frame_still_moves_the_station() {
    for mode in [STANDBY, BALANCE, TRUNK] {
        let mut world = World::new(mode, 2, 1);
        assert_eq!(announced(&fail_over(&mut world)), [[0; 4]; 3]);
    }
}

#[test]
fn frames_of_the_standby_are_ignored_and_counted() {
    for (mode, takes) in [(STANDBY, false), (BALANCE, false), (TRUNK, true)] {
        let mut world = World::new(mode, 2, 1);
        let unicast = ipv4(0, 6, [1, 2], [3, 4]);
        assert!(world.receive(0, &unicast));
        assert_eq!(world.receive(1, &unicast), takes);
        assert_eq!(world.fields.ignored, u16::from(!takes));
        fail_over(&mut world);
        assert!(world.receive(1, &unicast));
    }
}

#[test]
fn no_frame_is_no_frame() {
    let mut world = World::new(STANDBY, 2, 1);
    world.current = near(1);
    world.job.rx = None;
    world.bond().peeked();
    assert_eq!((world.job.rx, world.fields.ignored, world.rows[1].state & 8), (None, 0, 0));
    world.job.rx = Some(compkt::device::Rx::USELESS);
    world.bond().peeked();
    assert_eq!((world.fields.ignored, world.rows[1].state & 8), (0, 0), "a bad frame is no sign of life");
}

/// A frame to a group from another station.
fn group(number: u8) -> Vec<u8> {
    let mut frame = ethernet(&[0xFF; 6], 0x0800, &[number; 60]);
    frame[6..12].copy_from_slice(&OTHER);
    frame
}

#[test]
fn a_group_frame_that_comes_by_two_nics_is_taken_once() {
    let mut world = World::new(TRUNK, 3, 1);
    for round in 0..50u8 {
        // Two in a row by one NIC, then by the others: as from a hub.
        for nic in 0..3 {
            for number in [2 * round, 2 * round + 1] {
                assert_eq!(world.receive((nic + usize::from(round)) % 3, &group(number)), nic == 0, "round {round}");
            }
        }
        world.pass(1);
    }
    assert_eq!(world.doubles.doubles, 200);
}

#[test]
fn a_group_frame_that_is_sent_again_is_taken_again() {
    let mut world = World::new(TRUNK, 2, 1);
    assert!(world.receive(0, &group(1)) && world.receive(0, &group(1)), "by the same NIC");
    world.pass(2);
    assert!(world.receive(1, &group(1)), "later by another: a switch may have changed its mind");
    assert!(world.receive(0, &group(2)));
    world.pass(1);
    assert!(!world.receive(1, &group(2)), "a tick may come between");
    let unicast = ipv4(0, 6, [1, 2], [3, 4]);
    assert!(world.receive(0, &unicast) && world.receive(1, &unicast), "frames to one station do not come twice");
}

#[test]
fn a_frame_of_our_own_does_not_come_back() {
    let mut world = World::new(TRUNK, 2, 1);
    assert!(!world.receive(1, &ethernet(&[0xFF; 6], 0x0806, &[1; 46])));
    assert!(world.receive(1, &group(1)));
}

#[test]
fn nics_that_do_not_receive_send_from_their_own_address() {
    for mode in [BALANCE, TRUNK] {
        let mut world = World::new(mode, 4, 256);
        for port in 0..200 {
            world.by(&ipv4(0, 6, [1, 2], [3, port]));
        }
        assert!((0..4).all(|nic| world.sent.iter().any(|sent| sent.0 == nic)));
        for (nic, frame) in &world.sent {
            let from = if mode == BALANCE && *nic != 0 { world.rows[*nic].own } else { STATION };
            assert_eq!(frame[6..12], from);
        }
        assert!((0..4).all(|nic| world.rows[nic].own == [2, 0, 0, 0, 0, nic as u8]), "the rows have their addresses back");
    }
}

#[test]
fn frames_to_groups_go_by_the_nic_that_receives() {
    for mode in [BALANCE, TRUNK] {
        let mut world = World::new(mode, 4, 256);
        for number in 0..100 {
            assert_eq!(world.by(&ethernet(&[1, 0, 0x5E, 0, 0, number], 0x0800, &[number; 50])), 0);
        }
    }
}

#[test]
fn bad_frames_do_no_harm() {
    let mut random = Random::new(16);
    for mode in [STANDBY, BALANCE, TRUNK] {
        let mut world = World::new(mode, 3, 64);
        for _ in 0..20_000 {
            // At least both addresses: a shorter frame has no source that could be exchanged, and no client sends one.
            let mut frame: Vec<u8> = (0..12 + random.below(80)).map(|_| random.word() as u8).collect();
            if frame.len() >= 16 {
                let kind = random.of(&[[8, 0], [8, 6], [0x86, 0xDD], [0, 5]]);
                frame[12..14].copy_from_slice(&kind);
                frame[14] = random.of(&[0x45, 0x46, 0x60, 0]);
            }
            world.by(&frame);
            let nic = random.below(3);
            world.receive(nic, &frame);
            if random.one_in(100) {
                world.pass(1);
            }
        }
    }
}
