//! Bonds: several NICs that clients see as one. Each card has a peer of its own on its wire.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cards::as_before;
use super::machine::{Lab, Steps};
use super::runner::{Test, Verdict};
use super::several::{mac, machine, refused, run, text};
use super::stack;
use crate::peer::{From, Peer};
use crate::rig::Job;
use crate::rig::qemu::Monitor;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/bond/standby", |lab| standby(lab, &["e1000", "rtl8139"], "3COMPKT /NIC=e1000,rtl8139 /MODE=STANDBY")).takes(15),
        Test::new("qemu/bond/standby-of-all", |lab| standby(lab, &["virtio-net-pci", "e1000e"], "3COMPKT /mode:standby /FAILOVER=2 /HEALTH=1")).takes(15),
        Test::new("qemu/bond/active-active", active_active).takes(8),
        Test::new("qemu/bond/weighted", |lab| shares(lab, "WEIGHTED", &["e1000", "rtl8139", "ne2k_pci"], [53, 6, 1])).takes(4),
        Test::new("qemu/bond/round-robin", |lab| shares(lab, "ROUND_ROBIN", &["e1000", "rtl8139", "ne2k_pci"], [20; 3])).takes(4),
        Test::new("qemu/bond/both-links", both_links).takes(8),
        Test::new("qemu/bond/target", target).takes(8),
        Test::new("qemu/bond/standby-after-frames-that-it-drops", drops).takes(6),
        Test::new("qemu/bond/one-nic", one_nic).takes(4),
        Test::new("qemu/bond/stays", stays).takes(4),
        Test::new("qemu/bond/device", device).takes(6),
    ];
    for (name, line, says) in REFUSED {
        tests.push(Test::new(format!("qemu/bond/refused/{name}"), move |lab| refused(lab, line, says)));
    }
    tests
}

/// Lines that are refused, and what is said.
const REFUSED: [(&str, &str, &str); 15] = [
    ("target", "3COMPKT /MODE=STANDBY /TARGET=10.0.0", "3COMPKT: /TARGET=10.0.0: it is the IP address of a station, as 10.0.0.1\n"),
    ("one-name", "3COMPKT /NIC=e1000 /MODE=STANDBY", "3COMPKT: a bond needs two NICs; name another one with /NIC=, or leave that out for all\n"),
    ("no-such-card", "3COMPKT /NIC=e1000,0:1F.0 /MODE=STANDBY", "3COMPKT: /NIC=: no such card is free; leave it out to take the first one\n"),
    ("twice", "3COMPKT /NIC=0:4.0,0:4.0 /MODE=STANDBY", "3COMPKT: 0:4.0 is there twice; leave one of them out\n"),
    ("mode", "3COMPKT /MODE=ROUND", "3COMPKT: /MODE=ROUND: the mode is "),
    ("no-mode", "3COMPKT /MODE", "3COMPKT: /MODE: the mode is "),
    ("failover-0", "3COMPKT /MODE=STANDBY /FAILOVER=0", "3COMPKT: /FAILOVER=0: it is 1 to 100 periods\n"),
    ("failover-101", "3COMPKT /MODE=STANDBY /FAILOVER=101", "3COMPKT: /FAILOVER=101: it is 1 to 100 periods\n"),
    ("health-61", "3COMPKT /MODE=STANDBY /HEALTH=61", "3COMPKT: /HEALTH=61: it is 1 to 60 seconds\n"),
    ("health-none", "3COMPKT /MODE=STANDBY /HEALTH=", "3COMPKT: /HEALTH=: it is 1 to 60 seconds\n"),
    ("no-bond", "3COMPKT /HEALTH=5", "3COMPKT: /HEALTH=5: this is for a bond; give /MODE= "),
    ("vectors", "3COMPKT /MODE=STANDBY /INT=60,61", "3COMPKT: a bond has one vector; give one number with /INT=\n"),
    ("load-of-one", "3COMPKT /MODE=STANDBY /LB=HASH", "3COMPKT: /LB=HASH: with /MODE=STANDBY one NIC sends; leave one of the two out\n"),
    ("flows", "3COMPKT /FLOWS=5000", "3COMPKT: /FLOWS=5000: it is 64 to 4096 flows\n"),
    ("control", "3COMPKT /MODE=STANDBY /CTL", "3COMPKT: /CTL is for one NIC; leave it out, or name one with /NIC=\n"),
];

/// Frames that DOS has sent to a peer.
pub(super) fn sent(peer: &Peer) -> Vec<Vec<u8>> {
    peer.frames().into_iter().filter(|(from, _)| *from == From::Dos).map(|(_, frame)| frame.bytes).collect()
}

/// Whether it announces the bond's place: an ARP request of no protocol address.
fn announces(frame: &[u8]) -> bool {
    frame[12..14] == [8, 6] && frame[28..32] == [0; 4] && frame[38..42] == [0; 4]
}

/// How many frames to a peer do.
pub(super) fn announced(peer: &Peer) -> usize {
    sent(peer).iter().filter(|frame| announces(frame)).count()
}

/// Waits until something holds, a minute at most.
pub(super) fn until(holds: impl Fn() -> bool) {
    within(Duration::from_secs(60), holds);
}

/// Waits until something holds, so long at most.
pub(super) fn within(limit: Duration, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() && begun.elapsed() < limit {
        sleep(Duration::from_millis(50));
    }
}

/// A cable, and whether it is in.
pub(super) fn cable(monitor: &mut Monitor, card: usize, is_in: bool) {
    let _ = monitor.set_link(&format!("n{card}"), is_in);
}

/// The first NIC's cable is pulled in the middle of an exchange, and plugged in again. The second one goes on from the same
/// address, without an error that a client sees; later the first one takes over again. The driver leaves nothing behind.
fn standby(lab: &Lab, devices: &[&str], line: &str) -> Verdict {
    let (rig, peers) = machine(devices)?;
    let script = [
        "ints keep", "mem", "ints", line, "INTEGRIT 10000", "PKTCTL status", "PKTCTL mem", "pause", "INTEGRIT 24", "3COMPKT /U", "mem", "ints",
    ];
    let job = lab.job(&[], &script)?;
    let (mut before, mut behind) = (0, 0);
    let steps = run(&lab.apart(&rig, &job), &job, &mut |said, monitor| match said {
        "2508 frames" => cable(monitor, 0, false),
        "5004 frames" => cable(monitor, 0, true),
        "[pause]" => {
            until(|| announced(&peers[0]) == 3);
            (before, behind) = (sent(&peers[0]).len(), sent(&peers[1]).len());
            let _ = monitor.resume();
        }
        _ => {}
    })?;
    steps.exits(line, 0)?;
    steps.prints(line, "3COMPKT: 2 NICs, one bond, INT 60h, ")?;
    steps.holds(steps.first(line)?.text.matches(", in the bond\n").count() == 2, "a line for each NIC")?;
    for exchange in ["INTEGRIT 10000", "INTEGRIT 24"] {
        steps.exits(exchange, 0)?;
        steps.prints(exchange, " 0 sends refused")?;
    }
    let frames: Vec<Vec<Vec<u8>>> = peers.iter().map(sent).collect();
    for (number, frames) in frames.iter().enumerate() {
        steps.holds(frames.iter().all(|frame| frame[6..12] == mac(0)), format!("frames to peer {number} come from the bond's address"))?;
    }
    let exchanged = |frames: &[Vec<u8>]| frames.iter().filter(|frame| !announces(frame)).count();
    steps.holds(exchanged(&frames[0][..before]) > 2_000 && exchanged(&frames[1]) > 2_000, "both NICs have sent")?;
    steps.holds(announced(&peers[1]) == 3, "the second NIC has announced the address")?;
    steps.holds(announced(&peers[0]) == 3, "the first NIC has announced it again")?;
    steps.holds(frames[1].len() == behind && exchanged(&frames[0][before..]) >= 24, "in the end the first NIC sends")?;
    steps.prints("PKTCTL status", &text(&mac(0)))?;
    steps.prints("PKTCTL mem", " bond ")?;
    steps.exits("3COMPKT /U", 0)?;
    as_before(&steps, &["mem", "ints"])
}

/// The flows that FLOWS has sent by way of a peer, in the order of their frames: by the port that each comes from.
pub(super) fn flows(peer: &Peer) -> Vec<u16> {
    let all = sent(peer).into_iter().filter(|frame| frame[..6] == [2, 0, 0, 0, 0, 0x99]);
    all.map(|frame| u16::from_be_bytes([frame[34], frame[35]])).collect()
}

/// How many frames of FLOWS have gone by way of each peer.
pub(super) fn by_nic(peers: &[Peer]) -> Vec<usize> {
    peers.iter().map(|peer| flows(peer).len()).collect()
}

/// All NICs send. Each flow keeps its NIC, also when another NIC's cable is pulled; the flows of that one go on by the others. A NIC
/// that does not receive sends from its own address, which the client's buffer does not show.
fn active_active(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "e1000", "e1000"])?;
    let line = "3COMPKT /MODE=ACTIVE_ACTIVE";
    let script = ["ints keep", "mem", "ints", line, "FLOWS", "FLOWS", "pause", "FLOWS", "FLOWS", "INTEGRIT 250", "FIELD SENDERS", stack::STATUS, "PKTCTL mem", "3COMPKT /U", "mem", "ints"];
    let job = lab.job(&[], &script)?;
    let mut before = Vec::new();
    let steps = run(&lab.apart(&rig, &job), &job, &mut |said, monitor| {
        if said == "[pause]" {
            until(|| by_nic(&peers).iter().sum::<usize>() == 2 * FLOWS);
            before = peers.iter().map(flows).collect();
            cable(monitor, 2, false);
            let _ = monitor.resume();
        }
    })?;
    steps.prints(line, "3COMPKT: 3 NICs, one bond, INT 60h, ")?;
    for line in [line, "FLOWS", "INTEGRIT 250", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    stack::has_margin(&steps, "bond, active-active")?;
    steps.prints("PKTCTL mem", " flows ")?;
    let behind: Vec<Vec<u16>> = peers.iter().map(flows).zip(&before).map(|(all, before)| all[before.len()..].to_vec()).collect();
    steps.holds(before.iter().map(Vec::len).sum::<usize>() == 2 * FLOWS, "each frame was sent once")?;
    steps.holds(behind.iter().map(Vec::len).sum::<usize>() == 2 * FLOWS && behind[2].is_empty(), "and by the other two when the cable is out")?;
    for (number, flows) in before.iter().enumerate() {
        let (first, second) = flows.split_at(flows.len() / 2);
        steps.holds(first == second && first.len() > FLOWS / 6, format!("NIC {number} has its share, and each flow keeps its NIC"))?;
        steps.holds(number == 2 || first.iter().all(|flow| behind[number].iter().filter(|other| *other == flow).count() == 2), "also afterwards")?;
        let own = sent(&peers[number]).iter().all(|frame| frame[6..12] == mac(number));
        steps.holds(own, format!("frames of NIC {number} come from its own address"))?;
    }
    as_before(&steps, &["mem", "ints"])
}

/// Flows that FLOWS sends.
pub(super) const FLOWS: usize = 60;

/// New flows are shared as the algorithm says, exactly.
fn shares(lab: &Lab, algorithm: &str, devices: &[&str], wanted: [usize; 3]) -> Verdict {
    let (rig, peers) = machine(devices)?;
    let line = format!("3COMPKT /LB={algorithm} /FLOWS=64");
    let steps = run(&rig, &lab.job(&[], &[&line, "FLOWS", "3COMPKT /U"])?, &mut |_, _| {})?;
    for line in [&line, "FLOWS", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    until(|| by_nic(&peers).iter().sum::<usize>() == FLOWS);
    let shares = by_nic(&peers);
    steps.holds(shares == wanted, format!("the shares are {wanted:?}, and not {shares:?}"))
}

/// Both cables are pulled, and both plugged in again: calls return meanwhile, and all works afterwards.
fn both_links(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /MODE=STANDBY";
    let mut up = true;
    let steps = run(&rig, &lab.job(&[], &[line, "INTEGRIT 24", "pause", "FIELD CABLE", "pause", "INTEGRIT 25", "3COMPKT /U"])?, &mut |said, monitor| {
        if said == "[pause]" {
            up = !up;
            (0..2).for_each(|card| cable(monitor, card, up));
            let _ = monitor.resume();
        }
    })?;
    for done in [line, "INTEGRIT 24", "FIELD CABLE", "INTEGRIT 25", "3COMPKT /U"] {
        steps.exits(done, 0)?;
    }
    Ok(())
}

/// The link stays, but what is behind it falls silent: after three periods the second NIC takes over, which hears the target.
fn target(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /MODE=STANDBY /TARGET=10.0.2.2 /HEALTH=2 /FAILOVER=3";
    let asks = |peer: &Peer| sent(peer).iter().filter(|frame| frame[12..14] == [8, 6] && frame[28..32] == [0; 4] && frame[38..42] == [10, 0, 2, 2]).count();
    let mut moved = 0;
    let steps = run(&rig, &lab.job(&[], &[line, "INTEGRIT 24", "pause", "INTEGRIT 25", "3COMPKT /U"])?, &mut |said, monitor| {
        if said == "[pause]" {
            until(|| peers.iter().all(|peer| asks(peer) >= 3));
            moved = announced(&peers[1]);
            peers[0].silence(true);
            until(|| announced(&peers[1]) == 3);
            let _ = monitor.resume();
        }
    })?;
    for line in [line, "INTEGRIT 24", "INTEGRIT 25", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.holds(moved == 0, "no NIC is left while the target answers")?;
    steps.holds(announced(&peers[1]) == 3, "the second NIC has taken over")
}

/// Frames come to a NIC that stands by, and are dropped; then it takes over, and receives. (An RTL8139's driver finds the next frame
/// by the length of the one that is dropped.)
fn drops(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /MODE=STANDBY";
    let steps = run(&rig, &lab.job(&[], &[line, "pause", "INTEGRIT 100", "3COMPKT /U"])?, &mut |said, monitor| {
        if said == "[pause]" {
            for number in 0..DROPPED {
                peers[1].send(super::machine::unasked(number, 60 + number * 37 % 1000));
                sleep(Duration::from_millis(5));
            }
            cable(monitor, 0, false);
            let _ = monitor.resume();
        }
    })?;
    for line in [line, "INTEGRIT 100", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.holds(announced(&peers[1]) == 3, "the second NIC has taken over")
}

/// Frames for the NIC that stands by: more than its ring holds.
const DROPPED: usize = 100;

/// With one NIC there is no bond: a line says so, and nothing more is loaded than without the switch.
fn one_nic(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["e1000"])?;
    let lines = ["3COMPKT /MODE=STANDBY", "3COMPKT"];
    let steps = run(&rig, &lab.job(&[], &[lines[0], "PKTCTL mem", "INTEGRIT 24", "3COMPKT /U", lines[1], "PKTCTL mem"])?, &mut |_, _| {})?;
    for line in [lines[0], lines[1], "INTEGRIT 24", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("PKTCTL mem")?;
    let said = format!("3COMPKT: there is only one NIC: it works without a bond\n{}", steps.first(lines[1])?.text);
    steps.holds(steps.first(lines[0])?.text == said, "a line says that there is no bond")
}

/// `/REPLACE` and `/APPLY` refuse a bond, which goes on.
fn stays(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["e1000", "e1000"])?;
    let lines = ["ints keep", "mem", "ints", "3COMPKT /MODE=STANDBY", "3COMPKT /REPLACE", "3COMPKT /APPLY", "INTEGRIT 24", "3COMPKT /U", "mem", "ints"];
    let steps = run(&rig, &lab.job(&[], &lines)?, &mut |_, _| {})?;
    for line in ["3COMPKT /REPLACE", "3COMPKT /APPLY"] {
        steps.refuses(line)?;
        steps.prints(line, "3COMPKT: the driver that is loaded has several NICs; unload it with 3COMPKT /U instead")?;
    }
    for line in ["INTEGRIT 24", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    as_before(&steps, &["mem", "ints"])
}

/// By DEVICE=, polled and interrupt-driven cards of three kinds, another vector.
fn device(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["ne2k_isa,iobase=0x300,irq=3", "rtl8139,addr=4", "e1000,addr=5"])?;
    let config = ["DEVICE=3COMPKT.SYS /MODE=STANDBY /INT=62 /STATS /V"];
    let exec = ["PKTCTL status", "PKTCTL handles", "INTEGRIT 100 /INT=62", "PKTCTL test", "3COMPKT /U"];
    let job = Job { config: config.map(String::from).to_vec(), ..lab.job(&[], &exec)? };
    let steps: Steps = run(&rig, &job, &mut |_, _| {})?;
    steps.holds(steps.report.output.contains("3COMPKT: 3 NICs, one bond, INT 62h, "), "a bond of three")?;
    for line in exec {
        steps.exits(line, 0)?;
    }
    Ok(())
}
