//! LACP's state machines: a bond of two or three ports, and partners whose frames are made here, byte by byte.

use compkt::lacp::frame::Frame;
use compkt::lacp::{Aggregator, CARRIES, Port, Verdict};
use tools::random::Random;

const BOND: [u8; 6] = [0x02, 0, 0, 0, 0, 0xB0];
const SWITCH: [u8; 6] = [0x02, 0, 0, 0, 0, 0xAA];
const OTHER: [u8; 6] = [0x02, 0, 0, 0, 0, 0xCC];
/// Full duplex at 1,000 and at 100 Mb/s, as Linux numbers the speeds.
const GIGABIT: u8 = 0x09;
const FAST: u8 = 0x07;
const HALF: u8 = 0x06;
// Bits of a state, by the standard.
const ACTIVE: u8 = 1;
const SHORT: u8 = 2;
const TOGETHER: u8 = 4;
const SYNC: u8 = 8;
const COLLECTS: u8 = 0x10;
const DISTRIBUTES: u8 = 0x20;
const DEFAULTED: u8 = 0x40;
const EXPIRED: u8 = 0x80;

/// A port's own address.
fn own(port: usize) -> [u8; 6] {
    [0x02, 0, 0, 0, 1, port as u8]
}

/// Ticks of 1/18.2 s in so many tenths of a second.
fn tenths(tenths: u32) -> u32 {
    tenths * 182 / 100
}

/// The other end of one port.
#[derive(Clone, Copy)]
struct Partner {
    system: [u8; 6],
    key: u16,
    port: u16,
    state: u8,
    /// It says what it has heard of our port; otherwise zeros.
    hears: bool,
    /// It sends.
    speaks: bool,
    /// Ticks between its frames.
    period: u32,
}

const PARTNER: Partner = Partner { system: SWITCH, key: 0x1234, port: 7, state: ACTIVE | SHORT | TOGETHER | SYNC, hears: true, speaks: true, period: 18 };

struct World {
    bond: Box<Aggregator>,
    partners: Vec<Option<Partner>>,
    now: u32,
    /// When each port sent, and the bytes.
    sent: Vec<Vec<(u32, [u8; 124])>>,
}

/// A frame that says that it has another length.
fn frame(len: usize, bytes: &[u8]) -> Frame {
    Frame { len: len as u16, ..Frame::of(bytes) }
}

impl World {
    fn of<const COUNT: usize>(timeout: u8, keys: [u8; COUNT], partners: [Option<Partner>; COUNT]) -> World {
        let ports = std::array::from_fn(|at| Port::new(BOND, at as u8 + 1, timeout, GIGABIT, own(at)));
        let mut world = World { bond: Box::new(Aggregator::<[Port; COUNT]>::new(ports)), partners: partners.to_vec(), now: 0, sent: vec![Vec::new(); COUNT] };
        (0..COUNT).for_each(|port| world.link(port, keys[port]));
        world
    }

    fn two(partner: Partner) -> World {
        World::of(SHORT, [GIGABIT; 2], [Some(partner), Some(Partner { port: 8, ..partner })])
    }

    /// A port's link comes up with a key, or goes down with none.
    fn link(&mut self, port: usize, key: u8) {
        let actor = &mut self.bond.ports[port].actor;
        if key != 0 {
            actor.id[8] = key;
        }
        actor.id[9] = key;
        self.bond.ports[port].link();
        self.bond.settle();
    }

    /// A frame of the partner's of a port.
    fn pdu(&self, port: usize, partner: &Partner) -> [u8; 124] {
        let mut pdu = [0; 124];
        pdu[..6].copy_from_slice(&[1, 0x80, 0xC2, 0, 0, 2]);
        pdu[12..18].copy_from_slice(&[0x88, 0x09, 1, 1, 1, 20]);
        pdu[18..20].copy_from_slice(&[0x80, 0]);
        pdu[20..26].copy_from_slice(&partner.system);
        pdu[26..28].copy_from_slice(&partner.key.to_be_bytes());
        pdu[28..30].copy_from_slice(&[0x80, 0]);
        pdu[30..32].copy_from_slice(&partner.port.to_be_bytes());
        pdu[32] = partner.state;
        pdu[36..38].copy_from_slice(&[2, 20]);
        if partner.hears {
            pdu[38..40].fill(0xFF);
            pdu[40..46].copy_from_slice(&BOND);
            pdu[46..48].copy_from_slice(&self.bond.ports[port].actor.id[8..10]);
            pdu[48..52].copy_from_slice(&[0, 255, 0, port as u8 + 1]);
            pdu[52] = self.state(port);
        }
        pdu[56..58].copy_from_slice(&[3, 16]);
        pdu
    }

    fn hand(&mut self, port: usize, len: usize, bytes: &[u8]) -> (Verdict, Frame) {
        let mut frame = frame(len, bytes);
        let verdict = self.bond.ports[port].receive(&mut frame);
        self.bond.received(verdict);
        (verdict, frame)
    }

    fn hear(&mut self, port: usize, bytes: &[u8]) -> (Verdict, Frame) {
        self.hand(port, bytes.len(), bytes)
    }

    fn run(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.now += 1;
            let sends = self.bond.tick();
            for port in 0..self.partners.len() {
                if sends && self.bond.ports[port].sends() {
                    let mut out = frame(0, &[0xEE; 124]);
                    self.bond.ports[port].fill(&mut out);
                    self.sent[port].push((self.now, out.bytes()));
                }
                let up = self.bond.ports[port].actor.id[9] != 0;
                if let Some(partner) = self.partners[port].filter(|partner| up && partner.speaks && self.now.is_multiple_of(partner.period)) {
                    let pdu = self.pdu(port, &partner);
                    assert_eq!(self.hear(port, &pdu).0, Verdict::Done);
                }
            }
        }
    }

    fn state(&self, port: usize) -> u8 {
        self.bond.ports[port].actor.state
    }

    fn carries(&self) -> Vec<usize> {
        (0..self.bond.ports.len()).filter(|port| self.bond.ports[*port].flags.get() & CARRIES != 0).collect()
    }

    /// Frames that a port has sent since then.
    fn count(&self, port: usize, since: u32) -> usize {
        self.sent[port].iter().filter(|(when, _)| *when > since).count()
    }
}

#[test]
fn without_a_partner_one_port_carries_at_once_and_goes_on() {
    let mut world = World::of(SHORT, [FAST, GIGABIT, GIGABIT], [None; 3]);
    assert_eq!(world.carries(), [1], "the first of the fastest");
    assert_eq!(world.state(1), ACTIVE | SHORT | TOGETHER | EXPIRED);
    world.run(tenths(29));
    assert!(world.count(0, 0) >= 3, "an answer is asked for each second: {}", world.count(0, 0));
    world.run(tenths(11));
    assert_eq!((world.carries(), world.state(0)), (vec![1], ACTIVE | SHORT | TOGETHER | DEFAULTED));
    world.run(tenths(2000));
    assert_eq!(world.carries(), [1]);
    assert_eq!(world.state(0), ACTIVE | SHORT | TOGETHER | DEFAULTED);
    world.link(1, 0);
    assert_eq!(world.carries(), vec![2], "at once");
    world.link(2, 0);
    world.link(0, 0);
    assert_eq!(world.carries(), [0; 0]);
}

#[test]
fn ports_with_one_partner_carry_two_seconds_after_it_was_heard() {
    let mut world = World::two(PARTNER);
    world.run(18);
    assert_eq!((world.state(0), world.carries()), (ACTIVE | SHORT | TOGETHER, vec![]), "the partner is there, the wait is not over");
    world.run(tenths(20) - 1);
    assert_eq!(world.carries(), [0; 0]);
    world.run(tenths(8));
    assert_eq!(world.carries(), vec![0, 1]);
    assert_eq!([world.state(0), world.state(1)], [0x3F; 2]);
    world.run(tenths(600));
    assert_eq!((world.carries(), world.bond.dropped), (vec![0, 1], 0));
}

#[test]
fn a_frame_is_as_the_standard_says() {
    let mut world = World::two(PARTNER);
    world.run(100);
    let mut want = [0; 124];
    want[..6].copy_from_slice(&[1, 0x80, 0xC2, 0, 0, 2]);
    want[6..12].copy_from_slice(&own(1));
    want[12..18].copy_from_slice(&[0x88, 0x09, 1, 1, 1, 20]);
    want[18..33].copy_from_slice(&[0xFF, 0xFF, 2, 0, 0, 0, 0, 0xB0, 9, 9, 0, 255, 0, 2, 0x3F]);
    want[36..38].copy_from_slice(&[2, 20]);
    want[38..53].copy_from_slice(&[0x80, 0, 2, 0, 0, 0, 0, 0xAA, 0x12, 0x34, 0x80, 0, 0, 8, 0x0F]);
    want[56..58].copy_from_slice(&[3, 16]);
    assert_eq!(world.sent[1].last().unwrap().1, want);
    assert!(world.bond.ports[1].flags.get() & compkt::lacp::SEND == 0);
}

#[test]
fn a_partner_that_stops_answering_takes_its_port_out() {
    let mut world = World::two(PARTNER);
    world.run(180);
    world.partners[0].as_mut().unwrap().speaks = false;
    let silent = world.now;
    world.run(tenths(29));
    assert_eq!(world.carries(), [0, 1], "the time-out is three seconds");
    while world.carries() != [1] {
        world.run(1);
        assert!(world.now < silent + tenths(40), "it never noticed");
    }
    assert_eq!(world.state(0), ACTIVE | SHORT | TOGETHER | SYNC | EXPIRED);
    // Then it asks for answers each second, and forgets the partner.
    let expired = world.now;
    world.run(tenths(29));
    assert!(world.state(0) & EXPIRED != 0 && world.count(0, expired) >= 2, "{}", world.count(0, expired));
    world.run(tenths(10));
    assert_eq!((world.state(0), world.carries()), (ACTIVE | SHORT | TOGETHER | DEFAULTED, vec![1]));
    world.run(tenths(310));
    let (_, last) = world.sent[0].last().unwrap();
    assert_eq!(last[38..53], [0; 15]);
    // It comes back.
    world.partners[0].as_mut().unwrap().speaks = true;
    world.run(tenths(40));
    assert_eq!(world.carries(), [0, 1]);
    // All are silent: one port goes on.
    world.partners.iter_mut().flatten().for_each(|partner| partner.speaks = false);
    world.run(tenths(40));
    assert_eq!(world.carries(), [0]);
}

#[test]
fn the_long_time_out_is_ninety_seconds() {
    // The partner wants frames each 30 seconds, too.
    let partner = Partner { state: ACTIVE | TOGETHER | SYNC, period: 546, ..PARTNER };
    let mut world = World::of(0, [GIGABIT; 2], [Some(partner), Some(Partner { port: 8, ..partner })]);
    world.run(600);
    assert_eq!([world.carries(), vec![]], [vec![0, 1], vec![]]);
    assert_eq!(world.state(0), ACTIVE | TOGETHER | SYNC | COLLECTS | DISTRIBUTES);
    assert_eq!(world.sent[0].last().unwrap().1[32], world.state(0), "the partner is told at once");
    world.run(546 - 600 % 546);
    world.partners[1].as_mut().unwrap().speaks = false;
    let silent = world.now;
    world.run(tenths(899));
    assert_eq!(world.carries(), [0, 1]);
    assert_eq!(world.count(1, silent), 3, "each 30 seconds");
    world.run(tenths(10));
    assert_eq!(world.carries(), [0]);
    // From then on the partner is asked each second.
    let expired = world.now;
    world.run(tenths(29));
    assert!(world.count(1, expired) >= 2);
}

#[test]
fn the_partner_says_how_often() {
    let mut world = World::two(PARTNER);
    world.run(200);
    let since = world.now;
    world.run(tenths(300));
    assert!((30..=36).contains(&world.count(0, since)), "each second: {}", world.count(0, since));
    world.partners[0].as_mut().unwrap().state &= !SHORT;
    world.run(tenths(30));
    let since = world.now;
    world.run(tenths(600));
    assert_eq!(world.count(0, since), 2, "each 30 seconds");
    let times: Vec<u32> = world.sent[0].iter().rev().map(|(when, _)| *when).take(2).collect();
    assert!((tenths(280)..=tenths(310)).contains(&(times[0] - times[1])), "{times:?}");
    // It wants them each second again: it need not wait for the rest of 30.
    world.partners[0].as_mut().unwrap().state |= SHORT;
    let since = world.now;
    world.run(tenths(30));
    assert!(world.count(0, since) >= 2);
}

#[test]
fn at_most_three_frames_are_sent_in_a_second() {
    let mut world = World::two(PARTNER);
    for round in 0..2_000 {
        // Each frame wants an answer.
        let partner = Partner { key: round, hears: false, ..PARTNER };
        let pdu = world.pdu(0, &partner);
        world.hear(0, &pdu);
        world.run(1);
    }
    let times: Vec<u32> = world.sent[0].iter().map(|(when, _)| *when).collect();
    assert!(times.len() > 200);
    assert!(times.windows(4).all(|four| four[3] - four[0] > 18), "{times:?}");
}

#[test]
fn of_two_partners_one_has_the_traffic() {
    let other = Partner { system: OTHER, port: 3, ..PARTNER };
    let mut world = World::of(SHORT, [GIGABIT; 3], [Some(other), Some(PARTNER), Some(Partner { port: 8, ..PARTNER })]);
    world.run(180);
    assert_eq!(world.carries(), [0]);
    assert_eq!(world.state(1) & (SYNC | COLLECTS | DISTRIBUTES), 0, "the other partner is told not to use its links");
    world.link(0, 0);
    assert_eq!(world.carries(), [0; 0], "the others are not agreed yet");
    world.run(tenths(28));
    assert_eq!(world.carries(), [1, 2]);
    // The first one's link is up again: what works stays.
    world.link(0, GIGABIT);
    world.run(180);
    assert_eq!(world.carries(), vec![1, 2]);
}

#[test]
fn a_partner_s_other_key_is_another_group_and_so_is_another_speed() {
    let mut world = World::two(PARTNER);
    world.partners[1].as_mut().unwrap().key = 0x1235;
    world.run(180);
    assert_eq!(world.carries(), [0]);
    // The partner's administrator corrects it.
    world.partners[1].as_mut().unwrap().key = 0x1234;
    world.run(180);
    assert_eq!(world.carries(), [0, 1]);
    // And changes both: at once nothing is agreed.
    world.partners.iter_mut().flatten().for_each(|partner| partner.key = 0x1236);
    world.run(18);
    assert_eq!(world.carries(), [0; 0]);
    world.run(180);
    assert_eq!(world.carries(), [0, 1]);
    // A link at another speed has another key: the faster one has the traffic.
    let mut world = World::of(SHORT, [FAST, GIGABIT], [Some(PARTNER), Some(Partner { port: 8, ..PARTNER })]);
    world.run(180);
    assert_eq!(world.carries(), [1]);
}

#[test]
fn half_duplex_is_never_one_of_several() {
    let mut world = World::of(SHORT, [HALF; 2], [Some(PARTNER), Some(Partner { port: 8, ..PARTNER })]);
    world.run(180);
    assert_eq!(world.carries(), [0]);
    assert_eq!(world.state(0) & TOGETHER, 0);
}

#[test]
fn a_partner_s_end_counts_when_it_knows_this_port() {
    let mut world = World::two(PARTNER);
    world.partners[0].as_mut().unwrap().hears = false;
    world.run(180);
    assert_eq!(world.carries(), [1], "it means another port");
    world.partners[0].as_mut().unwrap().state &= !SHORT;
    world.run(18);
    let since = world.now;
    world.run(tenths(100));
    assert!(world.count(0, since) >= 9, "it is told each time, and not each 30 seconds: {}", world.count(0, since));
    // It means this bond's other port.
    let mut world = World::two(PARTNER);
    world.run(180);
    let mut pdu = world.pdu(0, &PARTNER);
    pdu[51] = 2;
    world.hear(0, &pdu);
    assert_eq!(world.carries(), [1]);
    // Without aggregation it needs no agreement, but is alone.
    let alone = Partner { state: ACTIVE | SHORT | SYNC, hears: false, ..PARTNER };
    let mut world = World::two(alone);
    world.run(180);
    assert_eq!(world.carries(), [0]);
}

#[test]
fn a_partner_that_takes_a_port_out_is_obeyed_at_once() {
    let mut world = World::two(PARTNER);
    world.run(180);
    for port in [1, 0] {
        world.partners[port].as_mut().unwrap().state &= !SYNC;
        let pdu = world.pdu(port, &world.partners[port].unwrap());
        world.hear(port, &pdu);
        assert_eq!(world.carries(), [1 - port]);
        assert_eq!(world.state(port), ACTIVE | SHORT | TOGETHER | SYNC);
        world.partners[port].as_mut().unwrap().state |= SYNC;
        world.run(20);
        assert_eq!(world.carries(), [0, 1]);
    }
    // The lead is taken out, and a port with another partner is ready: it takes over.
    let mut world = World::of(SHORT, [GIGABIT; 2], [Some(PARTNER), Some(Partner { system: OTHER, ..PARTNER })]);
    world.run(180);
    assert_eq!(world.carries(), [0]);
    world.partners[0].as_mut().unwrap().state &= !SYNC;
    world.run(tenths(50));
    assert_eq!((world.carries(), world.state(0) & SYNC), (vec![1], 0), "the first partner is told not to use its link");
}

#[test]
fn a_pulled_cable_stops_its_port_at_once() {
    let mut world = World::two(PARTNER);
    world.run(180);
    for port in [0, 1] {
        world.link(port, 0);
        assert_eq!(world.carries(), vec![1 - port]);
        let since = world.now;
        world.run(tenths(100));
        assert_eq!((world.carries(), world.count(port, since)), (vec![1 - port], 0), "nothing is sent without a link");
        world.link(port, GIGABIT);
        assert_eq!(world.carries(), [1 - port]);
        world.run(9);
        assert_eq!(world.count(port, since), 1, "the partner is asked at once");
        world.run(180);
        assert_eq!(world.carries(), [0, 1]);
    }
    let pdu = world.pdu(1, &PARTNER);
    world.link(1, 0);
    assert_eq!(world.hear(1, &pdu).0, Verdict::Dropped, "a late frame of a dead link");
    assert_eq!(world.carries(), [0]);
}

#[test]
fn a_marker_is_answered() {
    let mut world = World::two(PARTNER);
    world.run(180);
    let mut marker = [0; 124];
    marker[..6].copy_from_slice(&[1, 0x80, 0xC2, 0, 0, 2]);
    marker[12..18].copy_from_slice(&[0x88, 0x09, 2, 1, 1, 22]);
    marker[18..30].copy_from_slice(b"\x00\x07abcdef1234");
    let (verdict, answer) = world.hear(1, &marker);
    marker[16] = 2;
    marker[6..12].copy_from_slice(&own(1));
    assert_eq!((verdict, answer.bytes()), (Verdict::Send, marker));
    assert_eq!(world.hear(1, &marker).0, Verdict::Dropped, "an answer to nobody");
    assert_eq!((world.bond.dropped, world.carries()), (1, vec![0, 1]));
}

#[test]
fn damaged_frames_and_one_s_own_are_counted() {
    let mut world = World::two(PARTNER);
    world.run(180);
    let good = world.pdu(0, &Partner { system: OTHER, ..PARTNER });
    let changed = |place: usize, value: u8| {
        let mut pdu = good;
        pdu[place] = value;
        pdu
    };
    let mut own = good;
    own[18..20].fill(0xFF);
    own[20..26].copy_from_slice(&BOND);
    let cases = [changed(14, 0), changed(14, 3), changed(14, 10), changed(17, 19), changed(37, 21), own];
    for (case, pdu) in cases.iter().enumerate() {
        assert_eq!(world.hear(0, pdu).0, Verdict::Dropped, "{case}");
    }
    assert_eq!(world.hand(0, 123, &good).0, Verdict::Dropped);
    assert_eq!(world.hand(0, 60, &good[..60]).0, Verdict::Dropped);
    assert_eq!((world.bond.dropped, world.carries()), (8, vec![0, 1]));
    // These the standard wants to be taken: a later version, longer, with unknown kinds and without zeros.
    let mut later = world.pdu(0, &PARTNER);
    (later[15], later[16], later[36], later[56]) = (2, 9, 9, 9);
    later[33..36].fill(0x55);
    later[60..].fill(0x55);
    assert_eq!(world.hand(0, 1514, &later).0, Verdict::Done);
    assert_eq!((world.bond.dropped, world.carries()), (8, vec![0, 1]));
}

#[test]
fn a_hundred_thousand_fuzzed_frames_leave_it_usable() {
    let mut random = Random::new(16);
    let mut world = World::of(SHORT, [GIGABIT; 3], [Some(PARTNER), Some(Partner { port: 8, ..PARTNER }), None]);
    let (mut dropped, mut done) = (0u32, 0);
    for _ in 0..100_000 {
        let port = random.below(3);
        let mut pdu = world.pdu(port, &PARTNER);
        for _ in 0..random.below(8) {
            let limit = random.of(&[42, 112]);
            let place = 12 + random.below(limit);
            pdu[place] = if random.one_in(2) { pdu[place] ^ 1 << random.below(8) } else { random.word() as u8 };
        }
        let len = if random.one_in(8) { random.below(1600) } else { 124 };
        let before = world.bond.dropped;
        let (verdict, _) = world.hand(port, len, &pdu);
        assert_eq!(world.bond.dropped, before.wrapping_add(u16::from(verdict == Verdict::Dropped)));
        dropped += u32::from(verdict == Verdict::Dropped);
        done += u32::from(verdict == Verdict::Done);
        if random.one_in(4) {
            world.run(1);
        }
        if random.one_in(500) {
            world.link(port, random.of(&[0, GIGABIT, FAST, HALF]));
        }
        // Ports that carry have a link, and one partner if they are several.
        let ports: Vec<&Port> = world.carries().into_iter().map(|port| &world.bond.ports[port]).collect();
        assert!(ports.iter().all(|port| port.actor.id[9] != 0));
        assert!(ports.windows(2).all(|two| two[0].partner.id[..10] == two[1].partner.id[..10] && two[0].actor.id[..10] == two[1].actor.id[..10]));
        assert!(ports.len() < 2 || ports.iter().all(|port| port.actor.state & (EXPIRED | DEFAULTED) == 0 && port.actor.state & port.partner.state & SYNC != 0));
    }
    assert!(dropped > 20_000 && done > 20_000, "{dropped} dropped, {done} taken");
    (0..3).for_each(|port| world.link(port, GIGABIT));
    world.run(180);
    assert_eq!(world.carries(), [0, 1]);
}

/// Two bonds of ours, each the other's partner.
#[test]
fn two_of_ours_agree() {
    let ports = |system| std::array::from_fn(|at| Port::new(system, at as u8 + 1, 0, GIGABIT, own(at)));
    let mut ends: [Box<Aggregator>; 2] = [Box::new(Aggregator::<[Port; 2]>::new(ports(BOND))), Box::new(Aggregator::<[Port; 2]>::new(ports(SWITCH)))];
    for (end, port) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        ends[end].ports[port].actor.id[9] = GIGABIT;
        ends[end].ports[port].link();
        ends[end].settle();
    }
    let mut frames = 0;
    for _ in 0..3_000 {
        for end in [0, 1] {
            if !ends[end].tick() {
                continue;
            }
            for port in 0..2 {
                if !ends[end].ports[port].sends() {
                    continue;
                }
                let mut pdu = frame(0, &[]);
                ends[end].ports[port].fill(&mut pdu);
                pdu.len = 124;
                let verdict = ends[1 - end].ports[port].receive(&mut pdu);
                ends[1 - end].received(verdict);
                assert_eq!(verdict, Verdict::Done);
                frames += 1;
            }
        }
    }
    let states: Vec<u8> = ends.iter().flat_map(|end| end.ports.iter().map(|port| port.actor.state)).collect();
    assert_eq!(states, [0x3D; 4]);
    assert!(frames < 60, "once agreed, each 30 seconds: {frames}");
}
