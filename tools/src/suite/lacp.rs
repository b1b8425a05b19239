//! Bonds whose NICs all receive: a trunk, and LACP. At the other end of the cables stands a bond of ours (src/lacp), which
//! Linux's bonding driver has judged (tools/tests/linux_judges/lacp.rs). lacp_linux.rs has that driver itself there.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use compkt::lacp::frame::{Frame, GROUP, LACPDU, MARKER, REQUEST, RESPONSE, TYPE};
use compkt::lacp::{AGGREGATION, Aggregator, CARRIES, COLLECTING, DISTRIBUTING, Port, SYNC, TIMEOUT};

use super::bonds::{FLOWS, by_nic, cable, flows, sent, until};
use super::cards::as_before;
use super::machine::{Lab, Steps};
use super::replace::{FRAMES, feed};
use super::runner::{Test, Verdict};
use super::several::{mac, machine, run};
use super::stack;
use crate::peer::Peer;

/// The other end's address.
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0xAA];
/// Full duplex at 1,000 Mbit/s.
const KEY: u8 = 9;
/// A tick of the PC's timer.
const TICK: Duration = Duration::from_millis(55);
/// What a port that carries frames in a bond says of itself.
const AGREED: u8 = AGGREGATION | SYNC | COLLECTING | DISTRIBUTING;
/// Damaged frames that come in a row: more than the driver takes at once.
const DAMAGED: usize = 40;
/// The type of the frames that CLIENT sends, with an address of its own.
const CLIENTS: [u8; 2] = [0x90, 0x73];
/// Ports of the other end.
const PORTS: usize = 2;

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/bond/trunk", trunk).takes(6),
        Test::new("qemu/bond/lacp", |lab| agreed(lab, "3COMPKT /MODE=LACP /LB=ROUND_ROBIN")).takes(20),
        Test::new("qemu/bond/lacp-slow", |lab| agreed(lab, "3COMPKT /MODE=LACP_SLOW /LB=ROUND_ROBIN")).takes(20),
        Test::new("qemu/bond/lacp-without-a-partner", alone).takes(12),
    ]
}

/// The other end of two cables.
#[derive(Default)]
struct Partner {
    ends: AtomicBool,
    /// A bit for each port that carries frames, by this end,
    carries: AtomicU8,
    /// and by what DOS says.
    agreed: AtomicU8,
    /// Answers to markers.
    answers: AtomicUsize,
}

impl Partner {
    /// Speaks LACP with DOS until it is told to end.
    fn speak(&self, peers: &[Peer]) {
        let ports: [Port; PORTS] = std::array::from_fn(|at| Port::new(OTHER, at as u8 + 1, TIMEOUT, KEY, [2, 0, 0, 0, 0xAA, at as u8]));
        let mut bond: Box<Aggregator> = Box::new(Aggregator::<[Port; PORTS]>::new(ports));
        bond.ports.iter_mut().for_each(|port| {
            port.set_link(true);
        });
        bond.settle();
        let (mut seen, mut ticked) = ([0; PORTS], Instant::now());
        while !self.ends.load(Ordering::Relaxed) {
            for (port, peer) in peers.iter().enumerate() {
                let frames = sent(peer);
                for bytes in &frames[seen[port]..] {
                    self.hear(&mut bond, port, bytes);
                }
                seen[port] = frames.len();
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                let sends = bond.tick();
                for (port, peer) in bond.ports.iter_mut().zip(peers).filter(|(port, _)| sends && port.sends()) {
                    let mut frame = Frame::ZERO;
                    port.fill(&mut frame);
                    peer.send(frame.bytes().to_vec());
                }
            }
            let carries = bond.ports.iter().enumerate().filter(|(_, port)| port.flags.get() & CARRIES != 0 && port.partner.state != 0);
            self.carries.store(carries.fold(0, |all, (port, _)| all | 1 << port), Ordering::Relaxed);
            sleep(Duration::from_millis(10));
        }
    }

    fn hear(&self, bond: &mut Aggregator, port: usize, bytes: &[u8]) {
        if bytes[12..14] != TYPE {
            return;
        }
        let mut frame = Frame::of(bytes);
        if frame.subtype == MARKER {
            self.answers.fetch_add(usize::from(frame.first == RESPONSE && frame.from == mac(port)), Ordering::Relaxed);
            return;
        }
        if frame.from == mac(port) && frame.actor.state & AGREED == AGREED {
            self.agreed.fetch_or(1 << port, Ordering::Relaxed);
        } else {
            self.agreed.fetch_and(!(1 << port), Ordering::Relaxed);
        }
        let verdict = bond.ports[port].receive(&mut frame);
        bond.received(verdict);
    }

    /// Waits until these ports carry frames, as both ends say.
    fn carry(&self, ports: u8) {
        until(|| self.carries.load(Ordering::Relaxed) == ports && self.agreed.load(Ordering::Relaxed) & ports == ports);
        // The bond looks at one NIC at each tick.
        sleep(TICK * 8);
    }
}

/// Both ends agree; all NICs send and receive by the bond's address. A cable is pulled and plugged in again. A marker is
/// answered, and damaged frames change nothing.
fn agreed(lab: &Lab, line: &str) -> Verdict {
    let (rig, peers) = machine(&["e1000", "e1000"])?;
    let script = ["ints keep", "mem", "ints", line, "pause", "FLOWS", "INTEGRIT 250", "pause", "FLOWS", "INTEGRIT 24", "pause", "FLOWS2", stack::STATUS, "PKTCTL mem", "3COMPKT /U", "mem", "ints"];
    let job = lab.job(&[], &script)?;
    let partner = Partner::default();
    let (mut pauses, mut sums) = (0, Vec::new());
    let steps = scope(|scope| {
        scope.spawn(|| partner.speak(&peers));
        let steps = run(&lab.apart(&rig, &job), &job, &mut |said, monitor| {
            if said == "[pause]" {
                pauses += 1;
                sums.push(by_nic(&peers));
                match pauses {
                    1 => {
                        partner.carry(3);
                        let request = Frame { to: GROUP, from: OTHER, kind: TYPE, subtype: MARKER, version: 1, first: REQUEST, ..Frame::ZERO };
                        peers.iter().for_each(|peer| peer.send(request.bytes().to_vec()));
                        until(|| partner.answers.load(Ordering::Relaxed) == PORTS);
                        let damaged = Frame { subtype: LACPDU, first: [1, 19], ..request };
                        peers.iter().for_each(|peer| (0..DAMAGED).for_each(|_| peer.send(damaged.bytes().to_vec())));
                    }
                    2 => cable(monitor, 1, false),
                    _ => {
                        // The other end has not noticed: what counts is what DOS says from now on.
                        partner.agreed.store(0, Ordering::Relaxed);
                        cable(monitor, 1, true);
                        partner.carry(3);
                    }
                }
                let _ = monitor.resume();
            }
        });
        partner.ends.store(true, Ordering::Relaxed);
        steps
    })?;
    for line in [line, "FLOWS", "FLOWS2", "INTEGRIT 250", "INTEGRIT 24", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    stack::has_margin(&steps, &format!("bond, {line}"))?;
    steps.prints("PKTCTL mem", " LACP ")?;
    sums.push(by_nic(&peers));
    let shares: Vec<[usize; PORTS]> = sums.windows(2).map(|both| std::array::from_fn(|port| both[1][port] - both[0][port])).collect();
    let half = FLOWS / 2;
    steps.holds(shares == [[half, half], [FLOWS, 0], [half, half]], format!("both NICs send, the first alone without the second's cable, and both again: {shares:?}"))?;
    steps.holds(partner.answers.load(Ordering::Relaxed) == PORTS, "each port has answered the marker")?;
    one_address(&steps, &peers)?;
    as_before(&steps, &["mem", "ints"])
}

/// All frames but those of LACP come from the bond's address.
fn one_address(steps: &Steps, peers: &[Peer]) -> Verdict {
    let frames = peers.iter().flat_map(sent).filter(|frame| frame[12..14] != TYPE && frame[12..14] != CLIENTS);
    let all: Vec<_> = frames.map(|frame| frame[6..12].to_vec()).collect();
    steps.holds(!all.is_empty() && all.iter().all(|from| *from == mac(0)), "frames come from the bond's address")
}

/// Nobody speaks LACP at the other end: one NIC sends and receives, and another one when its cable is pulled.
fn alone(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /MODE=LACP";
    let job = lab.job(&[], &[line, "FLOWS", "INTEGRIT 24", "pause", "FLOWS", "INTEGRIT 25", "3COMPKT /U"])?;
    let mut before = Vec::new();
    let steps = run(&rig, &job, &mut |said, monitor| {
        if said == "[pause]" {
            until(|| flows(&peers[0]).len() == FLOWS);
            before = by_nic(&peers);
            cable(monitor, 0, false);
            sleep(TICK * 8);
            let _ = monitor.resume();
        }
    })?;
    for line in [line, "FLOWS", "INTEGRIT 24", "INTEGRIT 25", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    until(|| flows(&peers[1]).len() == FLOWS);
    let behind = by_nic(&peers);
    steps.holds((before, behind) == (vec![FLOWS, 0], vec![FLOWS, FLOWS]), "one NIC sends at a time")?;
    one_address(&steps, &peers)
}

/// All NICs send and receive by the bond's address. A frame to all that comes by both is taken once.
fn trunk(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "e1000"])?;
    let line = "3COMPKT /MODE=TRUNK /LB=ROUND_ROBIN";
    let seen = format!("SEEN {FRAMES}");
    let job = lab.job(&[], &[line, "FLOWS", "INTEGRIT 250", "FIELD SENDERS", stack::STATUS, "CLIENT", "pause", &seen, "PKTCTL mem"])?;
    let steps = run(&rig, &job, &mut |said, monitor| {
        if said == "[pause]" {
            peers.iter().for_each(|peer| feed(peer, [0xFF; 6]));
            let _ = monitor.resume();
        }
    })?;
    for line in [line, "FLOWS", "INTEGRIT 250", &seen] {
        steps.exits(line, 0)?;
    }
    stack::has_margin(&steps, "bond, trunk")?;
    steps.prints("PKTCTL mem", " doubles ")?;
    steps.prints(&seen, &format!("[taken {FRAMES}, "))?;
    let shares = by_nic(&peers);
    steps.holds(shares == [FLOWS / 2; 2], format!("both NICs send: {shares:?}"))?;
    one_address(&steps, &peers)
}
