//! Which NICs are used, and which of them receives.

use compkt::bond::bond::{BUSY, SENT};
use compkt::bond::{BALANCE, Fields, Row, STANDBY, TRUNK};
use compkt::device::Link;

use crate::world::*;

const HOLD: u16 = Fields::HOLD;

#[test]
fn a_nic_without_a_link_is_left_at_once_and_used_again_after_the_hold_time() {
    let mut world = World::new(STANDBY, 3, 1);
    assert_eq!(world.by(&ipv4(0, 6, [1, 2], [3, 4])), 0);
    world.nics[0].link = Link::Down;
    // Each NIC's link is read every third tick.
    world.pass(3);
    assert_eq!((world.active(), world.by(&ipv4(0, 6, [1, 2], [3, 4]))), (1, 1));
    world.nics[0].link = Link::Up;
    world.pass(HOLD - 3);
    assert_eq!(world.active(), 1, "before the hold time is over");
    world.pass(6);
    assert_eq!((world.active(), world.fields.moves), (0, 2));
}

#[test]
fn the_link_of_the_nic_that_receives_is_read_at_each_tick() {
    for nics in [2, 5, 16] {
        for passed in 0..nics as u16 {
            let mut world = World::new(STANDBY, nics, 64);
            world.pass(passed);
            world.nics[0].link = Link::Down;
            world.pass(1);
            assert_eq!(world.active(), 1, "{nics} NICs, {passed} ticks");
        }
    }
}

#[test]
fn an_event_of_the_link_needs_no_tick() {
    let mut world = World::new(STANDBY, 2, 1);
    world.nics[0].link = Link::Down;
    world.current = near(0);
    world.nics[0].event = true;
    world.bond().link_event();
    assert_eq!(world.active(), 1);
    assert!(world.sent.iter().all(|sent| sent.0 == 1) && !world.sent.is_empty(), "the station's move is announced at once");
}

#[test]
fn a_link_that_flaps_is_not_used() {
    let mut world = World::new(STANDBY, 2, 1);
    for round in 0..100 {
        world.nics[0].link = if round % 2 == 0 { Link::Down } else { Link::Up };
        world.pass(4);
        assert!(round == 0 || world.active() == 1, "round {round}");
    }
    assert_eq!(world.fields.moves, 1);
}

#[test]
fn an_unknown_link_is_as_good_as_one() {
    let mut world = World::new(STANDBY, 2, 1);
    world.nics[0].link = Link::Unknown;
    world.pass(100);
    assert_eq!(world.active(), 0);
}

#[test]
fn without_any_link_the_last_nic_goes_on() {
    for mode in [STANDBY, BALANCE, TRUNK] {
        let mut world = World::new(mode, 2, 16);
        world.nics[1].link = Link::Down;
        world.pass(2);
        world.nics[0].link = Link::Down;
        world.pass(2);
        assert!(!world.is_usable(0) && !world.is_usable(1));
        assert_eq!(world.by(&ipv4(0, 6, [1, 2], [3, 4])), 0);
        // The first that has a link again receives.
        world.nics[1].link = Link::Up;
        world.pass(HOLD + 4);
        assert_eq!((world.active(), world.by(&ipv4(0, 6, [1, 2], [3, 4]))), (1, 1));
    }
}

#[test]
fn a_nic_that_nobody_answers_is_left_after_so_many_misses() {
    for failover in 1..6 {
        let mut world = World::new(STANDBY, 2, 1);
        world.fields.target = u32::from_le_bytes([10, 0, 0, 1]);
        world.fields.failover = failover;
        for period in 1..=u16::from(failover) {
            assert_eq!(world.active(), 0, "{failover} misses, period {period}");
            world.receive(1, &ipv4(0, 6, [1, 2], [3, 4]));
            world.pass(Fields::PERIOD);
        }
        assert_eq!(world.active(), 1);
        let asked: Vec<_> = world.sent.iter().filter(|(_, frame)| frame[38..42] == [10, 0, 0, 1] && frame[28..32] == [0; 4]).map(|sent| sent.0).collect();
        assert_eq!(asked.iter().filter(|nic| **nic == 0).count(), usize::from(failover), "it was asked once in each period");
        // One frame is a sign of life; the hold time passes, too.
        world.receive(0, &ipv4(0, 6, [1, 2], [3, 4]));
        for nic in [0, 1] {
            world.receive(nic, &ipv4(0, 6, [1, 2], [3, 4]));
        }
        world.pass(Fields::PERIOD);
        assert_eq!(world.rows[0].misses, 0);
        world.receive(1, &ipv4(0, 6, [1, 2], [3, 4]));
        world.receive(0, &ipv4(0, 6, [1, 2], [3, 4]));
        world.pass(HOLD + 2);
        assert_eq!(world.active(), 0, "{failover} misses");
    }
}

#[test]
fn a_probe_by_a_nic_that_does_not_receive_has_its_own_source_but_asks_for_the_bond() {
    let mut world = World::new(BALANCE, 2, 1);
    world.fields.target = u32::from_le_bytes([10, 0, 0, 1]);
    world.pass(Fields::PERIOD);
    let own = world.rows[1].own;
    let of = |nic: usize| &world.sent.iter().find(|sent| sent.0 == nic).unwrap().1;
    assert_eq!((&of(0)[6..12], &of(0)[22..28]), (&STATION[..], &STATION[..]));
    assert_eq!((&of(1)[6..12], &of(1)[22..28]), (&own[..], &STATION[..]));
    for nic in [0, 1] {
        assert_eq!((&of(nic)[..6], &of(nic)[12..22]), (&[0xFF; 6][..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1][..]));
    }
}

#[test]
fn without_a_target_silence_is_no_fault() {
    let mut world = World::new(STANDBY, 2, 1);
    world.pass(10 * Fields::PERIOD);
    assert_eq!((world.active(), world.sent.len()), (0, 0));
}

#[test]
fn a_nic_that_sends_nothing_though_it_has_a_link_is_left_before_the_core_gives_up() {
    let mut world = World::new(STANDBY, 2, 1);
    world.nics[0].answer = BUSY;
    let frame = ipv4(0, 6, [1, 2], [3, 4]);
    let mut waited = 0;
    let nics = loop {
        let (answer, nics) = world.send(&frame);
        if answer == SENT {
            break nics;
        }
        // The PIT counts down.
        world.clock = world.clock.wrapping_sub(500);
        waited += 500;
        assert!(waited < 47_721, "the core's limit");
    };
    assert_eq!((nics, world.active()), (vec![1], 1));
    assert!(waited > 20_000, "a NIC may be busy for a while");
    // It stays out while it is stuck, and comes back.
    world.nics[0].answer = SENT;
    world.pass(2 * Fields::PERIOD + HOLD + 4);
    assert_eq!(world.active(), 0);
}

#[test]
fn a_nic_that_is_busy_for_a_while_is_not_left() {
    let mut world = World::new(STANDBY, 2, 1);
    let frame = ipv4(0, 6, [1, 2], [3, 4]);
    for _ in 0..1_000 {
        world.nics[0].answer = BUSY;
        assert_eq!(world.send(&frame), (BUSY, vec![]));
        world.clock = world.clock.wrapping_sub(10_000);
        assert_eq!(world.send(&frame), (BUSY, vec![]));
        world.nics[0].answer = SENT;
        world.clock = world.clock.wrapping_sub(10_000);
        assert_eq!(world.send(&frame), (SENT, vec![0]));
        world.pass(1);
    }
    assert_eq!(world.fields.moves, 0);
}

#[test]
fn a_frame_that_a_nic_refuses_goes_by_another() {
    let mut world = World::new(STANDBY, 2, 1);
    world.nics[0].answer = 2;
    let frame = ipv4(0, 6, [1, 2], [3, 4]);
    // Not until the third time is the NIC taken for dead, but the client is told of none.
    for active in [0, 0, 1] {
        assert_eq!((world.send(&frame), world.active()), ((SENT, vec![1]), active));
    }
    // When all refuse, the client is told.
    world.nics[1].answer = 2;
    assert_eq!(world.send(&frame), (2, vec![]));
    let mut world = World::new(BALANCE, 2, 16);
    world.nics[1].answer = 2;
    for port in 0..100 {
        let (answer, nics) = world.send(&ipv4(0, 6, [1, 2], [3, port]));
        assert_eq!((answer, nics), (SENT, vec![0]), "port {port}");
    }
    assert!(!world.is_usable(1));
}

#[test]
fn a_nic_that_the_user_takes_out_is_not_used() {
    let mut world = World::new(BALANCE, 3, 64);
    world.rows[0].state |= Row::OUT;
    world.pass(3);
    assert_eq!(world.active(), 1);
    assert!((0..100).all(|port| world.by(&ipv4(0, 6, [1, 2], [3, port])) != 0));
    world.rows[0].state &= !Row::OUT;
    world.pass(HOLD + 3);
    assert_eq!(world.active(), 0);
}

#[test]
fn nothing_is_done_inside_another_entry() {
    let mut world = World::new(STANDBY, 2, 1);
    world.alone = false;
    world.fields.target = 1;
    world.nics[0].link = Link::Down;
    world.pass(3 * Fields::PERIOD);
    assert!(world.sent.is_empty() && world.active() == 0);
    // A link event changes the NIC at once, and says so later.
    world.nics[0].event = true;
    world.bond().link_event();
    assert!(world.sent.is_empty() && world.active() == 1);
    world.fields.target = 0;
    world.alone = true;
    world.pass(1);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn the_clocks_may_wrap() {
    for start in [0u16, 0x7FF0, 0xFFF0] {
        let mut world = World::new(STANDBY, 2, 1);
        world.ticks = start;
        world.nics[0].link = Link::Down;
        world.pass(2);
        assert_eq!(world.active(), 1);
        world.nics[0].link = Link::Up;
        world.pass(HOLD - 4);
        assert_eq!(world.active(), 1, "{start:#x}");
        world.pass(8);
        assert_eq!(world.active(), 0, "{start:#x}");
    }
}

#[test]
fn a_period_shorter_than_the_hold_time_leaves_a_silent_nic_too() {
    let mut world = World::new(STANDBY, 2, 1);
    world.fields.target = u32::from_le_bytes([10, 0, 0, 1]);
    (world.fields.failover, world.fields.period, world.fields.left) = (2, 18, 18);
    for _ in 0..5 {
        for nic in [0, 1] {
            world.receive(nic, &ipv4(0, 6, [1, 2], [3, 4]));
        }
        world.pass(18);
        assert_eq!(world.active(), 0);
    }
    for active in [0, 1, 1] {
        world.receive(1, &ipv4(0, 6, [1, 2], [3, 4]));
        world.pass(18);
        assert_eq!(world.active(), active);
    }
}
