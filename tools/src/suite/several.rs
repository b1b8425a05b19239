//! Several NICs in one copy: `/NIC=a,b,c` and `/NIC=ALL`, `/INT=60,61`. Each card has a peer of its own on its wire.

use compkt::device::MacAddr;

use super::cards::as_before;
use super::faults::flood;
use super::machine::{Lab, Steps};
use super::runner::{Test, Verdict};
use crate::nics::is_model;
use crate::peer::ip::Identity;
use crate::peer::{From, Peer};
use crate::rig::Job;
use crate::rig::qemu::{self, Monitor, Qemu};
use crate::setup;

/// Two cards of one kind.
const TWO: [&str; 2] = ["e1000", "e1000"];
/// ISA with PCI, different drivers, and the second and fourth on one line.
const MIXED: [&str; 4] = ["ne2k_isa,iobase=0x300,irq=10", "rtl8139,addr=4", "pcnet,addr=5", "e1000,addr=8"];
/// Sixteen, the last one without an interrupt: IRQ 3 is the serial port's.
const SIXTEEN: [&str; 16] = [
    "e1000", "rtl8139", "pcnet", "ne2k_pci", "e1000", "rtl8139", "pcnet", "ne2k_pci", "e1000", "rtl8139", "pcnet", "i82559c", "e1000",
    "rtl8139", "pcnet", "ne2k_isa,iobase=0x300,irq=3",
];
/// All vectors that sixteen interfaces may have.
const VECTORS: [u8; 16] = [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x78];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/several/two", |lab| loads(lab, &TWO, "3COMPKT /NIC=ALL /INT=60,61", "200")).takes(10),
        Test::new("qemu/several/device", device).takes(8),
        Test::new("qemu/several/mixed", |lab| loads(lab, &MIXED, "3COMPKT /NIC=ALL /INT=60,61,62,63 /STATS", "100")).takes(15),
        Test::new("qemu/several/sixteen", |lab| loads(lab, &SIXTEEN, &format!("3COMPKT /NIC=ALL /INT={}", list(&VECTORS)), "24")).takes(10),
        Test::new("qemu/several/polled", |lab| polled(lab, &["ne2k_isa,iobase=0x300,irq=10", "e1000,addr=4"])).takes(10),
        Test::new("qemu/several/polled-all", |lab| polled(lab, &["rtl8139", "e1000"])).takes(10),
        Test::new("qemu/several/nested", nested).takes(10),
        Test::new("qemu/several/late-v86", late_v86).takes(8),
        Test::new("qemu/several/one-does-not-start", one_is_lost).takes(8),
        Test::new("qemu/several/first-does-not-start", first_is_lost).takes(4),
        Test::new("qemu/several/none-starts", none_starts).takes(4),
        Test::new("qemu/several/one", one),
        Test::new("qemu/several/stays", stays),
    ];
    for (name, line, says) in REFUSED {
        tests.push(Test::new(format!("qemu/several/refused/{name}"), move |lab| refused(lab, line, says)));
    }
    tests
}

/// Lines that are refused, and what is said.
const REFUSED: [(&str, &str, &str); 15] = [
    ("no-such-name", "3COMPKT /NIC=e1000,e100", "3COMPKT: e100: no such driver; 3COMPKT /? lists them\n"),
    ("no-such-place", "3COMPKT /NIC=e1000,0:1F.0", "3COMPKT: /NIC=: no such card is free; leave it out to take the first one\n"),
    ("no-third", "3COMPKT /NIC=e1000,e1000,e1000", "3COMPKT: /NIC=: no such card is free; leave it out to take the first one\n"),
    ("twice", "3COMPKT /NIC=0:4.0,e1000,0:4.0", "3COMPKT: 0:4.0 is there twice; leave one of them out\n"),
    ("empty", "3COMPKT /NIC=e1000,", "3COMPKT: : the NIC is a name"),
    ("seventeen", "3COMPKT /NIC=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "3COMPKT: a: there are at most 16 NICs in one copy\n"),
    ("vectors", "3COMPKT /NIC=ALL /INT=60,61,62", "3COMPKT: /INT=: more vectors than NICs; /NIC= says which NICs\n"),
    ("vectors-of-one", "3COMPKT /INT=60,61", "3COMPKT: /INT=: more vectors than NICs; /NIC= says which NICs\n"),
    ("vector-twice", "3COMPKT /NIC=ALL /INT=61,61", "3COMPKT: 61 is there twice; leave one of them out\n"),
    ("bad-vector", "3COMPKT /NIC=ALL /INT=60,67", "3COMPKT: 67: the vector is 60 to 66"),
    ("port", "3COMPKT /NIC=ALL /IO=300", "3COMPKT: /IO=,/IRQ= is for one NIC; leave it out, or name one with /NIC=\n"),
    ("xms", "3COMPKT /NIC=ALL /XMS=48", "3COMPKT: /XMS=,/MIGRATE= is for one NIC; leave it out, or name one with /NIC=\n"),
    ("control", "3COMPKT /NIC=ALL /CTL", "3COMPKT: /CTL is for one NIC; leave it out, or name one with /NIC=\n"),
    ("apply", "3COMPKT /NIC=ALL /APPLY", "3COMPKT: /APPLY is for one NIC; leave it out, or name one with /NIC=\n"),
    ("replace", "3COMPKT /NIC=ALL /REPLACE", "3COMPKT: /REPLACE is for one NIC; leave it out, or name one with /NIC=\n"),
];

fn list(vectors: &[u8]) -> String {
    vectors.iter().map(|vector| format!("{vector:X}")).collect::<Vec<_>>().join(",")
}

/// The machine with these cards, and a peer for each of them. All peers have one protocol address.
pub(super) fn machine(devices: &[&str]) -> Result<(Qemu, Vec<Peer>), String> {
    let peer = |number: usize| Peer::start(Identity { mac: [0x52, 0x55, 10, 0, 2, number as u8 + 2], ip: [10, 0, 2, 2], lease: [10, 0, 2, 15] });
    let peers: Vec<Peer> = (0..devices.len()).map(peer).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let nic = |(number, device): (usize, &&str)| qemu::Nic { device: format!("{device},mac={}", text(&mac(number))), net: peers[number].cable() };
    let nics = devices.iter().enumerate().map(nic).collect();
    let plugins = if devices.iter().any(|device| is_model(device)) { vec![setup::models().map_err(|error| error.to_string())?.display().to_string()] } else { Vec::new() };
    Ok((Qemu { nics, plugins, ..Qemu::default() }, peers))
}

/// The address of a card.
pub(super) fn mac(number: usize) -> MacAddr {
    [0x52, 0x54, 0, 0x12, 0x34, 0x60 + number as u8]
}

pub(super) fn text(mac: &MacAddr) -> String {
    mac.map(|byte| format!("{byte:02X}")).join(":")
}

pub(super) fn run(rig: &Qemu, job: &Job, on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    super::machine::watched(rig, job, on_line)
}

/// Whether the report names every card once, each on its own vector.
fn named(steps: &Steps, line: &str, count: usize) -> Verdict {
    let said = steps.first(line)?.text.clone();
    for number in 0..count {
        let card = said.lines().filter(|row| row.contains(&text(&mac(number)))).count();
        steps.holds(card == 1, format!("`{line}` names card {number} once"))?;
    }
    steps.holds(said.lines().filter(|row| row.starts_with("3COMPKT: ")).count() == count + 1, "a line for each card, and one more")?;
    steps.prints(line, &format!("3COMPKT: {count} NICs, "))
}

/// Every card is found and has its own vector; frames go both ways by each, to its own peer alone; the driver goes, and leaves
/// memory and vectors as they were.
fn loads(lab: &Lab, devices: &[&str], line: &str, frames: &str) -> Verdict {
    let (rig, peers) = machine(devices)?;
    let vectors = &VECTORS[..devices.len()];
    let exchanges: Vec<String> = vectors.iter().enumerate().map(|(seed, vector)| format!("INTEGRIT {frames} /INT={vector:X} /SEED={}", seed + 1)).collect();
    let mut script = vec!["ints keep", "mem", "ints", line];
    script.extend(exchanges.iter().map(String::as_str));
    script.extend(["PKTCTL nics", "PKTCTL status", "PKTCTL mem", "3COMPKT /U", "mem", "ints"]);
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |_, _| {})?;
    steps.exits(line, 0)?;
    named(&steps, line, devices.len())?;
    for exchange in &exchanges {
        steps.exits(exchange, 0)?;
    }
    let said = steps.first(line)?.text.clone();
    for (number, peer) in peers.iter().enumerate() {
        // Which card an address is, the line at load says: cards are found by their places.
        let from: Vec<MacAddr> = peer.frames().iter().filter(|(from, _)| *from == From::Dos).filter_map(|(_, frame)| frame.bytes[6..12].try_into().ok()).collect();
        steps.holds(!from.is_empty() && from.iter().all(|from| *from == mac(number)), format!("peer {number} has frames of card {number} alone"))?;
        steps.prints("PKTCTL nics", &text(&mac(number)))?;
    }
    steps.holds(said.lines().take(devices.len()).zip(vectors).all(|(row, vector)| row.ends_with(&format!("INT {vector:X}h"))), "vectors in the order of the cards")?;
    steps.exits("3COMPKT /U", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Cards on PCI without an interrupt line are polled, beside a card with one or alone.
fn polled(lab: &Lab, devices: &[&str]) -> Verdict {
    let (rig, _peers) = machine(devices)?;
    let line = "3COMPKT /NIC=ALL /INT=60,61";
    let exchanges = ["INTEGRIT 40 /INT=60", "INTEGRIT 40 /INT=61"];
    let script = ["NOLINES", "ints keep", "mem", "ints", line, exchanges[0], exchanges[1], "3COMPKT /U", "mem", "ints"];
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |_, _| {})?;
    let on_pci = devices.iter().filter(|device| !device.contains("isa")).count();
    steps.holds(steps.first(line)?.text.matches("no IRQ (polled)").count() == on_pci, "a line for each says that it is polled")?;
    for line in exchanges {
        steps.exits(line, 0)?;
    }
    steps.exits("3COMPKT /U", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// A memory manager that comes after the driver: all cards rest, each with its line masked, while frames come to both; then all
/// work again.
fn late_v86(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /NIC=ALL /INT=60,61";
    let before = ["INTEGRIT 24 /INT=60", "INTEGRIT 24 /INT=61"];
    let after = ["INTEGRIT 25 /INT=60", "INTEGRIT 25 /INT=61"];
    let script = [
        "V86 OFF", "ints keep", "mem", "ints", line, before[0], before[1], "V86 ON", "CLOCK", "PKTCTL test /COUNT=1", "PKTCTL test /COUNT=1 /INT=61",
        "3COMPKT /U", "V86 OFF", after[0], after[1], "3COMPKT /U /INT=60", "mem", "ints",
    ];
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |said, _| {
        if said == "[v86 1]" {
            peers.iter().for_each(flood);
        }
    })?;
    steps.holds(steps.first(line)?.text.contains("IRQ 10, ") && steps.first(line)?.text.contains("IRQ 11, "), "two lines")?;
    for done in before.iter().chain(&after) {
        steps.exits(done, 0)?;
    }
    for refused in ["PKTCTL test /COUNT=1", "PKTCTL test /COUNT=1 /INT=61"] {
        steps.exits(refused, 3)?;
    }
    steps.refuses("3COMPKT /U")?;
    steps.exits("3COMPKT /U /INT=60", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// A card that is found and does not start.
const DEAD: &str = "vortex-3c590,fault=stuck-command*0";
/// What is said of it.
const SAYS: &str = "3COMPKT: vortex: the card is there but does not answer; reset the machine or try another slot\n";

/// A card between two others does not start: one line says so, and the others work, on the vectors of their places in the list.
fn one_is_lost(lab: &Lab) -> Verdict {
    let dead = format!("{DEAD},addr=5");
    let (rig, _peers) = machine(&["e1000,addr=4", &dead, "rtl8139,addr=6"])?;
    let line = "3COMPKT /NIC=ALL /INT=60,61,62";
    let exchanges = ["INTEGRIT 24 /INT=60", "INTEGRIT 24 /INT=62"];
    let steps = run(&rig, &lab.job(&[], &["ints keep", "mem", "ints", line, exchanges[0], exchanges[1], "3COMPKT /U", "mem", "ints"])?, &mut |_, _| {})?;
    let said = steps.first(line)?.text.clone();
    steps.holds(said.matches(SAYS).count() == 1 && said.matches("3COMPKT: ").count() == 4, "one line about it")?;
    for part in [", INT 60h\n", ", INT 62h\n", "3COMPKT: 2 NICs, "] {
        steps.prints(line, part)?;
    }
    for line in [line, exchanges[0], exchanges[1], "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// The first of two cards does not start: the second one gets the vector, without which nothing could reach it.
fn first_is_lost(lab: &Lab) -> Verdict {
    let dead = format!("{DEAD},addr=4");
    let (rig, _peers) = machine(&[&dead, "e1000,addr=5"])?;
    let line = "3COMPKT /NIC=ALL";
    let steps = run(&rig, &lab.job(&[], &["ints keep", "mem", "ints", line, "INTEGRIT 24", "3COMPKT /U", "mem", "ints"])?, &mut |_, _| {})?;
    for part in [SAYS, ", INT 60h\n", "3COMPKT: 1 NIC, "] {
        steps.prints(line, part)?;
    }
    for line in [line, "INTEGRIT 24", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// No card starts: a line for each, and nothing is left behind.
fn none_starts(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&[DEAD, DEAD])?;
    let line = "3COMPKT /NIC=ALL";
    let steps = run(&rig, &lab.job(&[], &["ints keep", "mem", "ints", line, "mem", "ints"])?, &mut |_, _| {})?;
    steps.refuses(line)?;
    steps.holds(steps.first(line)?.text.matches(SAYS.trim_end()).count() == 2, "a line for each")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// By DEVICE=, with a list; the second interface is reached by its number alone.
fn device(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["rtl8139", "e1000"])?;
    let config = ["DEVICE=3COMPKT.SYS /NIC=e1000,rtl8139 /INT=60"];
    let exec = ["PKTCTL status", "INTEGRIT 100", "3COMPKT /U"];
    let job = Job { config: config.map(String::from).to_vec(), ..lab.job(&[], &exec)? };
    let steps = run(&rig, &job, &mut |_, _| {})?;
    let output = &steps.report.output;
    steps.holds(output.contains("3COMPKT: e1000 at ") && output.contains(", interface 1\n") && output.contains("3COMPKT: 2 NICs, "), "two cards in the list's order")?;
    for line in exec {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// One card: the list is nothing but the card, and nothing of the features for several is loaded.
fn one(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["e1000"])?;
    let steps = run(&rig, &lab.job(&[], &["3COMPKT", "PKTCTL mem", "3COMPKT /U", "3COMPKT /NIC=ALL", "PKTCTL mem", "3COMPKT /U"])?, &mut |_, _| {})?;
    steps.same("PKTCTL mem")?;
    steps.holds(steps.first("3COMPKT")?.text == steps.first("3COMPKT /NIC=ALL")?.text, "the line at load is the same")?;
    steps.exits("3COMPKT /U", 0)
}

/// `/REPLACE` and `/APPLY` refuse a copy that has several NICs, which goes on; `/U` needs no `/INT=`, though the copy has two vectors.
fn stays(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&TWO)?;
    let (load, replace, apply) = ("3COMPKT /NIC=ALL /INT=61,62", "3COMPKT /INT=61 /REPLACE", "3COMPKT /INT=62 /APPLY");
    let lines = ["ints keep", "mem", "ints", load, replace, apply, "INTEGRIT 24 /INT=61", "INTEGRIT 24 /INT=62", "3COMPKT /U", "mem", "ints"];
    let steps = run(&rig, &lab.job(&[], &lines)?, &mut |_, _| {})?;
    for line in [replace, apply] {
        steps.refuses(line)?;
        steps.prints(line, "3COMPKT: the driver that is loaded has several NICs; unload it with 3COMPKT /U instead")?;
    }
    for line in ["INTEGRIT 24 /INT=61", "INTEGRIT 24 /INT=62", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// A line is refused, and nothing is left behind: memory and vectors are as they were, and the cards can be used.
pub(super) fn refused(lab: &Lab, line: &str, says: &str) -> Verdict {
    let (rig, _peers) = machine(&TWO)?;
    let steps = run(&rig, &lab.job(&[], &["ints keep", "mem", "ints", line, "mem", "ints", "3COMPKT", "INTEGRIT 24"])?, &mut |_, _| {})?;
    steps.refuses(line)?;
    let last = format!("{}\n", steps.first(line)?.text.lines().last().unwrap_or_default());
    steps.holds(last.starts_with(says), format!("`{line}` says `{says}`"))?;
    as_before(&steps, &["mem", "ints"])?;
    steps.exits("3COMPKT", 0)?;
    steps.exits("INTEGRIT 24", 0)
}

/// A receiver of the first interface sends on the second one and calls its functions, with interrupts on, while frames of the
/// second one come. (RELAY)
fn nested(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&TWO)?;
    let line = "3COMPKT /NIC=ALL /INT=60,61";
    let steps = run(&rig, &lab.job(&[], &[line, "RELAY", "PKTCTL handles", "PKTCTL mem", "3COMPKT /U"])?, &mut |said, _| {
        if said == "[ready]" {
            for number in 0..300 {
                peers[0].send(frame(0x71, number, 60 + number as usize));
                peers[1].send(frame(0x73, number, 60));
                peers[1].send(frame(0x73, number, 1000));
            }
        }
    })?;
    steps.exits(line, 0)?;
    steps.exits("RELAY", 0)?;
    let sent: Vec<Vec<u8>> = peers[1].frames().into_iter().filter(|(from, frame)| *from == From::Dos && frame.bytes[12..14] == [0x90, 0x72]).map(|(_, frame)| frame.bytes).collect();
    steps.holds(sent.len() >= 100, "the second interface has sent the frames")?;
    for bytes in &sent {
        let number = bytes[14];
        steps.holds(bytes[6..12] == mac(1) && bytes[15..].iter().all(|byte| *byte == number), "a frame that was sent on is as it came")?;
    }
    let there = peers[0].frames().iter().any(|(from, frame)| *from == From::Dos && frame.bytes[12..14] == [0x90, 0x72]);
    steps.holds(!there, "the first interface has sent none of them")?;
    steps.exits("3COMPKT /U", 0)
}

fn frame(kind: u8, number: u16, len: usize) -> Vec<u8> {
    let mut frame = vec![number as u8; len];
    frame[..6].fill(0xFF);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..14].copy_from_slice(&[0x90, kind]);
    frame
}
