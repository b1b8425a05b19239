//! Cards with rings, by drivers that are loaded in V86 mode: rings lie below 1 MB, registers are reached by ports or through PCI
//! configuration, and DMA services count their locks.
//!
//! The monitor is fixtures/v86.asm, as in v86.rs, where the driver is loaded before V86 mode begins.

use super::machine::{Lab, Rig, Steps, peer, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::{self, LIMIT, conform_line};
use super::{field, kept, stack};
use crate::bench::table;
use crate::nics::{NICS, Nic};
use crate::rig::Job;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{Net, Qemu};

/// Which tests a card has, beside that it exchanges frames and is unloaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tests {
    /// INTEGRIT: another device of a driver's with all tests.
    Frames,
    /// Frames that wait, and senders in timer interrupts.
    Most,
    /// These and INTEGRIT.
    More,
    /// These and CONFORM.
    All,
}

/// Driver and device.
const CARDS: [(&str, &str, Tests); 15] = [
    ("e1000", "e1000-ports", Tests::All),
    ("e1000", "e1000-82544gc-ports", Tests::Frames),
    ("e1000e", "e1000e", Tests::All),
    ("igb", "igb", Tests::All),
    ("pch", "pch-i217lm,negotiation=0", Tests::All),
    ("pch", "pch-82577lm", Tests::Frames),
    ("tg3", "tg3-5751,negotiation=0", Tests::All),
    ("rtl8169", "rtl8169-8168h,negotiation=0", Tests::More),
    ("rtl8125", "rtl8169-8125b,negotiation=0", Tests::More),
    ("virtio_net", "virtio-net-pci", Tests::Most),
    ("pcnet", "pcnet", Tests::Most),
    ("rtl8139", "rtl8139", Tests::Most),
    ("i8255x", "i82551", Tests::Most),
    ("tulip", "tulip", Tests::Most),
    ("boomerang", "boomerang-3c900", Tests::Most),
];

/// The most bytes that stay of a driver that is loaded in V86 mode from the prompt, 96 of the PSP included.
fn most(nic: &Nic) -> u32 {
    // Its receive ring has 8 KB at least.
    if nic.name == "rtl8139" { 14_336 } else { 12_288 }
}

/// Cards whose registers V86 mode does not reach: an 8254x of QEMU's, whose ports do nothing; an I225 and an I219, which have
/// none; an 82579, whose engine may make port writes get lost; a 57765, which has no window in PCI configuration.
const OUT_OF_REACH: [(&str, &str); 5] = [
    ("e1000", "e1000"), ("igb", "igb-i225v"), ("pch", "pch-i219lm2"), ("pch", "pch-82579lm"), ("tg3", "tg3-57765"),
];
/// The text for such a card.
const REFUSED: &str = "the card's registers are out of reach in V86 mode; start the machine without EMM386 or JEMMEX";

const V86: &str = "V86 ON";
const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";
const MEMORY: &str = "PKTCTL mem";
const UNLOAD: &str = "3COMPKT /U";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (name, device, which) in CARDS {
        let card = alone(name, device);
        let named = |what: &str| {
            if which == Tests::Frames { format!("qemu/{name}/v86-{what}/{device}") } else { format!("qemu/{name}/v86-{what}") }
        };
        let slow = |what: &str, seconds, run: fn(&Lab, &'static Nic) -> Verdict| Test {
            slow: true,
            ..Test::new(named(what), move |lab| run(lab, card)).takes(seconds)
        };
        tests.push(Test::new(named("exchange"), move |lab| exchange(lab, card)).takes(8));
        if which != Tests::Most {
            tests.push(slow("integrity", 10, integrity));
        }
        if which != Tests::Frames {
            tests.push(slow("waits", 12, kept::cache));
            tests.push(slow("senders", 12, senders));
        }
        if which == Tests::All {
            tests.push(slow("conform", 15, |lab, nic| conform(lab, nic, "", true)));
            // One of Intel's, and one of another maker, are enough where the time is short.
            let long = !["e1000e", "tg3"].contains(&name);
            tests.push(Test { long, ..slow("stack", 30, |lab, nic| conform(lab, nic, " /XMS=48 /STATS /COUNT", true)) });
            tests.push(Test { long, ..slow("no-xms", 15, |lab, nic| conform(lab, nic, " /MIGRATE=8192", false)) });
        }
    }
    for (name, device) in OUT_OF_REACH {
        let card = alone(name, device);
        tests.push(Test::new(format!("qemu/{name}/v86-refused/{device}"), move |lab| refused(lab, card)).takes(4));
    }
    tests
}

/// The driver, with this as its only device.
pub(super) fn alone(name: &str, device: &'static str) -> &'static Nic {
    let nic = NICS.iter().find(|nic| nic.name == name).expect("the list has it");
    Box::leak(Box::new(Nic { devices: Box::leak(Box::new([device])), ..*nic }))
}

/// A machine with DMA services.
fn machine(nic: &Nic, net: Net, xms: Xms) -> Result<Qemu, String> {
    Ok(Qemu { dos: Dos { vds: true, xms, ..Dos::default() }, ..qemu_on(nic, net)? })
}

fn load(nic: &Nic) -> String {
    format!("3COMPKT /NIC={}", nic.name)
}

/// Loaded in V86 mode, used and unloaded twice: few bytes stay, the rings are locked, then unlocked, and memory and vectors are
/// as before.
pub(super) fn exchange(lab: &Lab, nic: &'static Nic) -> Verdict {
    let load = load(nic);
    let mut script = vec!["ints keep", V86];
    for _ in 0..2 {
        script.extend(["mem", "ints", &load, EXCHANGE, STATUS, MEMORY, UNLOAD, "vds"]);
    }
    script.extend(["mem", "ints"]);
    let steps = machine(nic, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, EXCHANGE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(STATUS, "V86 mode")?;
    let locks: Vec<&str> = steps.each("vds").iter().map(|step| step.text.as_str()).collect();
    let right = |text: &str, number: u32| text.starts_with(&format!("[vds locks {number} unlocks {number} sum 0000"));
    steps.holds(matches!(locks[..], [first, second] if right(first, 1) && right(second, 2)), "each load locks its rings once")?;
    few_bytes(&steps, nic)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// No more stays than the limit, and the rings are part of it.
fn few_bytes(steps: &Steps, nic: &Nic) -> Verdict {
    let blocks = table::blocks(&steps.first(MEMORY)?.text).map_err(|error| error.to_string())?;
    let bytes: u32 = blocks.iter().map(|block| block.1).sum();
    println!("        {}: {bytes} bytes in V86 mode", nic.name);
    steps.holds(blocks.iter().any(|block| block.0.contains("rings")), "the rings lie below 1 MB")?;
    steps.holds(bytes <= most(nic), format!("no more than {} bytes stay, and not {bytes}", most(nic)))
}

/// INTEGRIT in V86 mode.
pub(super) fn integrity(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let (load, line) = (load(nic), format!("INTEGRIT {}", lab.fewer_frames()));
    let mut job = lab.job(&[], &[V86, load.as_str(), line.as_str(), STATUS, UNLOAD])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = machine(nic, peer.cable(), Xms::V3)?.steps(&job)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, &line, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(&line, "every byte right")
}

/// CONFORM in V86 mode; the driver's stack has room left.
pub(super) fn conform(lab: &Lab, nic: &'static Nic, switches: &str, xms: bool) -> Verdict {
    let peer = peer()?;
    let (load, program) = (format!("{}{switches}", load(nic)), conform_line(nic));
    let job = Job { limit: LIMIT, ..lab.job(&[], &[V86, &load, program, STATUS, UNLOAD])? };
    let steps = machine(nic, peer.cable(), if xms { Xms::V3 } else { Xms::None })?.steps(&job)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, UNLOAD] {
        steps.exits(line, 0)?;
    }
    traffic::judged(&steps, program)?;
    stack::has_margin(&steps, &format!("{load} in V86 mode"))
}

/// Programs that send from timer interrupts and receivers, in V86 mode; the driver's stack has room left.
fn senders(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    // With rings below 1 MB every card holds few frames.
    let (load, line) = (load(nic), field::line("FIELD SENDERS /HMA /SMALL", nic));
    let job = Job { limit: LIMIT, ..lab.job(&[], &["A20 ON", V86, &load, &line, STATUS, UNLOAD])? };
    let steps = machine(nic, peer.cable(), Xms::V3)?.steps(&job)?;
    steps.prints(V86, "[v86 1]")?;
    steps.exits(&load, 0)?;
    field::judged(&steps, &line)?;
    stack::has_margin(&steps, &format!("{load} in V86 mode, {line}"))?;
    steps.exits(UNLOAD, 0)
}

/// Refused in V86 mode by one line; afterwards, in real mode, it works.
pub(super) fn refused(lab: &Lab, nic: &'static Nic) -> Verdict {
    let load = load(nic);
    let script = ["ints keep", V86, "mem", "ints", &load, "mem", "ints", "vds", "V86 OFF", "3COMPKT 0x60", EXCHANGE];
    let steps = machine(nic, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    steps.prints(V86, "[v86 1]")?;
    steps.refuses(&load)?;
    let said = format!("3COMPKT: {}: {REFUSED}", nic.name);
    steps.holds(steps.first(&load)?.text == said, format!("one line: {said}"))?;
    steps.prints("vds", "[vds locks 0 unlocks 0 ")?;
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("3COMPKT 0x60", 0)?;
    steps.exits(EXCHANGE, 0)
}
