//! FIELD on every NIC that a machine has: clients that behave as existing ones.

use std::time::Duration;

use super::faults::LINK_IS_FIXED;
use super::machine::{Lab, Rig, Steps, peer, qemu_of, qemu_on, unasked, watched};
use super::runner::{Test, Verdict};
use super::stack;
use super::traffic::is_quick;
use crate::nics::{NICS, Nic, RELATIVES};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::qemu::{Monitor, Qemu};

/// Longest time of a group of checks, after which a hanging machine is ended.
const LIMIT: Duration = Duration::from_secs(120);

/// Groups of checks: test, command line, seconds.
pub(super) const GROUPS: [(&str, &str, u32); 5] = [
    ("bursts", "FIELD BURSTS", 15),
    ("calls", "FIELD CALLS", 15),
    ("change", "FIELD CHANGE", 10),
    ("receivers", "FIELD RECEIVERS", 10),
    ("senders", "FIELD SENDERS /HMA", 10),
];

/// Drivers whose cards do not always count frames without room: QEMU's NE2000s do not at all, CSR8 of its 21143 stays 0, a
/// 3Com card with a FIFO shows an overrun only in the frame that was cut, and `tg3` reads no counter of its card's.
const UNCOUNTED: &[&str] = &["ne2000", "ne2k_pci", "tulip", "el3", "vortex", "corkscrew", "boomerang", "tg3"];

/// Drivers whose cards hold few frames, in a FIFO, and drivers whose cards in QEMU drop frames without a descriptor: on a slow host
/// a frame of a long flow may be lost, and is counted.
const SMALL: &[&str] = &["el3", "vortex", "corkscrew", "i8255x", "pcnet", "tulip", "vmxnet3"];

/// Drivers whose cards in QEMU overwrite the oldest frame of the ring, even while it is read: if a frame leaves exactly no page free,
/// `ne2000_buffer_full` takes the full ring for an empty one. It keeps six pages free, so five pages (1,272 bytes) never do that.
const OVERWRITES: &[&str] = &["ne2000", "ne2k_pci"];

/// Drivers with: a FIFO that interrupts once, one whose interrupts stay on, rings above 1 MB, rings whose interrupts stay on.
const BURSTS_ON: [&str; 4] = ["el3", "ne2000", "e1000", "virtio_net"];

/// A driver that is run with [`FAST`].
const FAST_ON: &[&str] = &["i8255x"];
/// Timer interrupts every 69 microseconds: in QEMU, sending a frame from their handler takes longer.
const FAST: &str = "FIELD SENDERS /RATE=800";

const EXCHANGE: &str = "PKTCTL test";
const UNLOAD: &str = "3COMPKT /U";
/// Frames at each line while the driver is loaded and unloaded.
const FLOOD: usize = 40;
/// Number of such rounds.
const ROUNDS: usize = 5;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        for (what, group, seconds) in GROUPS {
            let test = Test::new(format!("qemu/{}/field-{what}", nic.name), move |lab| asked(lab, nic, group)).takes(seconds);
            tests.push(Test { slow: !is_quick(nic), ..test });
        }
        if BURSTS_ON.contains(&nic.name) {
            for burst in ["1", "64"] {
                let test = Test::new(format!("qemu/{}/field-bursts-of-{burst}", nic.name), move |lab| in_bursts(lab, nic, burst));
                tests.push(Test { slow: !is_quick(nic), ..test.takes(15) });
            }
        }
        if FAST_ON.contains(&nic.name) {
            tests.push(Test::new(format!("qemu/{}/field-a-timer-faster-than-its-handler", nic.name), move |lab| asked(lab, nic, FAST)).takes(15));
        }
        // Every device of the models: some have a PHY, and some have none.
        for device in nic.devices.iter().take(if nic.plugin { usize::MAX } else { 1 }) {
            let of_device = if *device == nic.devices[0] { String::new() } else { format!("/{device}") };
            let test = Test::new(format!("qemu/{}/field-link{of_device}", nic.name), move |lab| link(lab, nic, device)).takes(5);
            tests.push(Test { slow: !is_quick(nic), long: RELATIVES.contains(device), ..test });
        }
        for (what, run) in [("reload", reload as fn(&Lab, &'static Nic) -> Verdict), ("reboot", reboot), ("keys", keys), ("cable", cable)] {
            let test = Test::new(format!("qemu/{}/field-{what}", nic.name), move |lab| run(lab, nic)).takes(5);
            tests.push(Test { slow: !is_quick(nic), ..test });
        }
    }
    tests
}

fn load(nic: &Nic) -> String {
    format!("3COMPKT /NIC={}", nic.name)
}

/// FIELD BURSTS with another `/BURST=` than the default.
fn in_bursts(lab: &Lab, nic: &'static Nic, burst: &str) -> Verdict {
    loaded(lab, nic, &format!("{} /BURST={burst}", load(nic)), &format!("FIELD BURSTS /BURST={burst}"))
}

/// Runs a group of FIELD's checks, and then unloads the driver.
pub(super) fn asked(lab: &Lab, nic: &'static Nic, group: &str) -> Verdict {
    loaded(lab, nic, &load(nic), group)
}

fn loaded(lab: &Lab, nic: &'static Nic, load: &str, group: &str) -> Verdict {
    let peer = peer()?;
    let group = line(group, nic);
    let mut job = lab.job(&[], &["A20 ON", load, &group, stack::STATUS, UNLOAD])?;
    job.limit = LIMIT;
    let steps = qemu_on(nic, peer.cable())?.steps(&job)?;
    steps.exits(load, 0)?;
    judged(&steps, &group)?;
    stack::has_margin(&steps, &format!("{load}, {group}"))?;
    steps.exits(UNLOAD, 0)
}

/// A group's command line, with the switches for this card.
pub(super) fn line(group: &str, nic: &Nic) -> String {
    let about = [(UNCOUNTED, " /UNCOUNTED"), (SMALL, " /SMALL"), (OVERWRITES, " /LONGEST=1272")].map(|(names, switch)| if names.contains(&nic.name) { switch } else { "" });
    format!("{group}{}", about.concat())
}

/// All checks of a group passed, and its last line was printed.
pub(super) fn judged(steps: &Steps, line: &str) -> Verdict {
    for step in steps.each(line) {
        let bad: Vec<&str> = step.text.lines().filter(|line| line.starts_with("FAIL")).collect();
        if !bad.is_empty() {
            return Err(format!("{}\n\nin:\n{}", bad.join("\n"), steps.report.output));
        }
        let good = step.text.lines().filter(|line| line.starts_with("ok ")).count();
        steps.holds(good > 0 && step.text.lines().last() == Some(&format!("{good} passed, 0 failed")), "FIELD counts what it printed")?;
    }
    steps.exits(line, 0)
}

/// Runs a job with one card; `on_line` acts at lines of its output.
fn run(lab: &Lab, rig: &Qemu, config: &[&str], exec: &[&str], on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    watched(rig, &Job { limit: LIMIT, ..lab.job(config, exec)? }, on_line)
}

/// Sends broadcasts of a type that no client wants.
fn flood(peer: &Peer, frames: usize) {
    (0..frames).for_each(|number| peer.send(unasked(number, 60 + number * 37 % 1000)));
}

/// The first frame right after loading. Then loads and unloads while frames come: vectors, masks, memory below 1 MB and XMS are
/// the same afterwards.
pub(super) fn reload(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let load = load(nic);
    let mut script = vec!["ints keep", "mem", "ints"];
    for round in 0..ROUNDS {
        script.extend([load.as_str(), if round == 0 { "FIELD FIRST" } else { EXCHANGE }, UNLOAD, "mem", "ints"]);
    }
    let mut lines = 0;
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &script, &mut |line, _| {
        lines += line.starts_with("> ") as usize;
        // From the second round on.
        if line.starts_with("> ") && lines > 7 {
            flood(&peer, FLOOD);
        }
    })?;
    judged(&steps, "FIELD FIRST")?;
    for line in [&load, EXCHANGE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    for line in [&load, "mem", "ints"] {
        steps.same(line)?;
    }
    Ok(())
}

/// The machine is reset while the driver is loaded and frames come: the next start finds the card in any state.
pub(super) fn reboot(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let line = format!("DEVICE=3COMPKT.SYS /NIC={}", nic.name);
    let rig = Qemu { reboots: true, ..qemu_on(nic, peer.cable())? };
    let mut pauses = 0;
    let steps = run(lab, &rig, &[&line], &[EXCHANGE, "pause", EXCHANGE], &mut |line, monitor| {
        if line == "[pause]" {
            pauses += 1;
            flood(&peer, FLOOD * 3);
            let _ = if pauses < 3 { monitor.command("system_reset").map(drop) } else { monitor.resume() };
        }
    })?;
    steps.holds(steps.each(&line).len() == 3 && steps.each(EXCHANGE).len() == 4, "the machine starts three times")?;
    steps.exits(EXCHANGE, 0)?;
    steps.same(&line)
}

/// Keys are pressed while frames come: none is lost.
pub(super) fn keys(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let line = "FIELD KEYS";
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &[&load(nic), line, UNLOAD], &mut |line, monitor| {
        if line == "[key]" {
            flood(&peer, 10);
            let _ = monitor.command("sendkey a 2");
        }
    })?;
    judged(&steps, line)?;
    steps.exits(UNLOAD, 0)
}

/// What FIELD LINK is told of a card.
fn tells(nic: &Nic, device: &str) -> &'static str {
    match nic.name {
        // An 8168C can interrupt for its link without end. So the driver leaves that interrupt off, and programs have to read.
        _ if device.starts_with("rtl8169-8168c") => "READS",
        name if LINK_IS_FIXED.contains(&name) || name.starts_with("ne") => "NOTHING",
        "e1000" | "e1000e" | "igb" | "pch" | "rtl8139" | "rtl8169" | "rtl8125" | "tg3" | "virtio_net" | "vmxnet3" => "EVENTS",
        _ => "READS",
    }
}

/// The cable is pulled and plugged in twice: FIELD checks what the driver reports. Then once more while no program runs:
/// `PKTCTL status` must report the present link, not the loss.
pub(super) fn link(lab: &Lab, nic: &'static Nic, device: &str) -> Verdict {
    let peer = peer()?;
    let (line, load) = (format!("FIELD LINK /TELLS={}", tells(nic, device)), format!("{} /STACK=512", load(nic)));
    let machine = qemu_of(device, peer.cable())?;
    let steps = run(lab, &machine, &[], &[&load, &line, "pause", "STALL", "STALL", stack::STATUS, EXCHANGE, UNLOAD], &mut |line, monitor| {
        let cable: &[bool] = match line {
            "[down]" => &[false],
            "[up]" => &[true],
            "[pause]" => &[false, true],
            _ => return,
        };
        for up in cable {
            let _ = monitor.set_link("n0", *up);
        }
        if line == "[pause]" {
            let _ = monitor.resume();
        }
    })?;
    judged(&steps, &line)?;
    steps.exits(EXCHANGE, 0)?;
    steps.holds(nic.name.starts_with("ne") || steps.first(stack::STATUS)?.text.contains("link         up"), "the link is up")?;
    steps.exits(UNLOAD, 0)
}

/// The cable is out: 50 calls that send return. With the cable in again all works.
pub(super) fn cable(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let mut up = true;
    let script = [&load(nic), EXCHANGE, "pause", "FIELD CABLE", "pause", EXCHANGE, UNLOAD];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &script, &mut |line, monitor| {
        if line == "[pause]" {
            up = !up;
            let _ = monitor.set_link("n0", up).and_then(|()| monitor.resume());
        }
    })?;
    judged(&steps, "FIELD CABLE")?;
    steps.exits(EXCHANGE, 0)?;
    steps.exits(UNLOAD, 0)
}
