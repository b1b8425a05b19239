//! What goes wrong with a NIC on PCI, and other people's leavings, on each one that a machine has.

use std::time::Duration;

use super::machine::{Lab, Rig, Steps, peer, qemu_on, unasked, watched};
use super::runner::{Test, Verdict};
use super::traffic::is_quick;
use crate::nics::{Found, NICS, Nic};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{self, Monitor, Net, Qemu};

const LIMIT: Duration = Duration::from_secs(240);
const LINE: &str = "DEVICE=3COMPKT.SYS";
const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";
const INTEGRITY: &str = "INTEGRIT 300";
/// Calls of a fuzzer whose frames go nowhere: each may take its limit of 25 ms.
const FUZZ: &str = "FUZZ 1000 /SEED=3";
/// Frames of 1,000 bytes that come at once: more than the deepest ring holds.
const FLOOD: usize = 300;

/// Drivers whose cards in QEMU know nothing of their cables, and say that the link is up.
pub(super) const LINK_IS_FIXED: &[&str] = &["i8255x", "tulip"];

/// Drivers for whose cards QEMU has no iPXE.
const WITHOUT_ROM: &[&str] = &["tulip"];

/// Drivers whose cards have no way to be made to interrupt: they trust the line that the firmware named.
const TRUST_THEIR_LINE: &[&str] = &["virtio_net", "vmxnet3"];

/// Drivers whose cards in QEMU take every frame from outside, and count those that find no buffer.
const COUNT_WHAT_IS_LOST: &[&str] = &["i8255x", "pcnet", "vmxnet3"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| nic.found == Found::Pci && !nic.devices.is_empty()) {
        let test = |what: &str, seconds, run: fn(&Lab, &'static Nic) -> Verdict| {
            Test { slow: !is_quick(nic), ..Test::new(format!("qemu/{}/{what}", nic.name), move |lab| run(lab, nic)).takes(seconds) }
        };
        tests.push(Test { slow: true, ..test("conform/no-xms", 25, no_xms) });
        tests.push(test("a20", 4, a20));
        tests.push(test("reload", 5, reload));
        tests.push(test("one-line", 15, one_line));
        tests.push(test("pulled", 15, pulled));
        tests.push(test("overrun", 5, overrun));
        tests.push(test("no-line", 5, no_line));
        tests.push(test("wrong-line", 2, wrong_line));
        tests.push(test("dead-line", 5, dead_line));
        if !TRUST_THEIR_LINE.contains(&nic.name) {
            tests.push(test("moved-line", 4, moved_line));
        }
        tests.push(test("gone", 10, gone));
        if !nic.plugin && !WITHOUT_ROM.contains(&nic.name) {
            tests.push(test("after-ipxe", 10, after_ipxe));
        }
    }
    tests
}

/// One machine, one card, one job, with something done at a line.
fn run(lab: &Lab, rig: &Qemu, config: &[&str], exec: &[&str], on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    watched(rig, &Job { limit: LIMIT, ..lab.job(config, exec)? }, on_line)
}

fn right(steps: &Steps, line: &str) -> Verdict {
    steps.exits(line, 0)?;
    steps.prints(line, "every byte right")
}

/// Broadcasts of a type that nobody here asked for.
pub(super) fn flood(peer: &Peer) {
    (0..FLOOD).for_each(|number| peer.send(unasked(number, 1000)));
}

/// Rings below 1 MB, or none.
fn no_xms(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let rig = Qemu { dos: Dos { xms: Xms::None, ..Dos::default() }, ..qemu_on(nic, peer.cable())? };
    // QEMU's NE2000 filters by the address in its ROM, whatever it is told.
    let conform = if nic.name.starts_with("ne") { "CONFORM /PEER /FIXED" } else { "CONFORM /PEER" };
    let steps = run(lab, &rig, &[LINE], &[EXCHANGE, conform, STATUS], &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    steps.exits(conform, 0)?;
    steps.holds(steps.first(conform)?.text.lines().filter(|line| line.starts_with("ok ")).count() > 400, "CONFORM asked everything")
}

/// A closed A20 gate is opened for the driver alone: who closed it finds it closed.
pub(super) fn a20(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["A20 OFF", EXCHANGE, "A20", INTEGRITY, "A20", "A20 ON", EXCHANGE, "A20"];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[LINE], &script, &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    right(&steps, INTEGRITY)?;
    let gates: Vec<&str> = steps.report.output.lines().filter(|line| line.starts_with("[a20")).collect();
    steps.holds(gates == ["[a20 0]", "[a20 0]", "[a20 1]"], "the gate stays as it was set")
}

/// Loaded, used and unloaded ten times: memory of both kinds comes back, and the card is quiet.
pub(super) fn reload(lab: &Lab, nic: &'static Nic) -> Verdict {
    let mut script = vec!["ints keep", "mem", "ints"];
    for _ in 0..10 {
        script.extend(["3COMPKT", EXCHANGE, "3COMPKT /U", "mem", "ints"]);
    }
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[], &script, &mut |_, _| ())?;
    for line in ["3COMPKT", EXCHANGE, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("3COMPKT")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Two cards on one level-triggered line (slots 2 and 6 of QEMU's PC), each flooded while the other works.
fn one_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peers = [peer()?, peer()?];
    let other = "INTEGRIT 300 /INT=61";
    let card = |slot: u32, net: Net| qemu::Nic { device: format!("{},addr={slot},mac=52:54:00:12:34:{:02x}", nic.devices[0], 0x54 + slot), net };
    let rig = Qemu { nics: vec![card(2, peers[0].cable()), card(6, peers[1].cable())], ..qemu_on(nic, Net::User)? };
    let script = [STATUS, INTEGRITY, other, EXCHANGE, "PKTCTL test /INT=61", "PKTCTL status /INT=61"];
    let steps = run(lab, &rig, &[LINE, "DEVICE=3COMPKT.SYS /INT=61"], &script, &mut |line, _| {
        if line.ends_with(INTEGRITY) {
            flood(&peers[1]);
        } else if line.ends_with(other) {
            flood(&peers[0]);
        }
    })?;
    right(&steps, INTEGRITY)?;
    right(&steps, other)?;
    steps.exits(EXCHANGE, 0)?;
    steps.exits("PKTCTL test /INT=61", 0)?;
    let line = |command: &str| -> Result<String, String> {
        let text = &steps.first(command)?.text;
        Ok(text.split("IRQ ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default().to_string())
    };
    steps.holds(line(STATUS)? == line("PKTCTL status /INT=61")?, "both cards have one line")
}

/// Sending with the cable out ends, in whatever way; with it in again all is well.
pub(super) fn pulled(lab: &Lab, nic: &'static Nic) -> Verdict {
    let mut up = true;
    let script = [STATUS, "pause", EXCHANGE, FUZZ, "PKTCTL status /INT=60", "pause", EXCHANGE];
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[LINE], &script, &mut |line, monitor| {
        if line == "[pause]" {
            up = !up;
            let _ = monitor.set_link("n0", up).and_then(|()| monitor.resume());
        }
    })?;
    let codes: Vec<Option<u8>> = steps.each(EXCHANGE).iter().map(|step| step.exit).collect();
    steps.holds(codes.len() == 2 && codes[0] != Some(0) && codes[1] == Some(0), "only the pulled cable keeps it from its answers")?;
    steps.exits(FUZZ, 0)?;
    let after = steps.first("PKTCTL status /INT=60")?.text.contains("link         up");
    steps.holds(!after || LINK_IS_FIXED.contains(&nic.name), "the driver knows that the link is down")
}

/// Nobody looks at the card for half a second, and more comes than its ring can hold: some of it comes in.
pub(super) fn overrun(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let after = "PKTCTL status /INT=60";
    let script = ["STALL", "STALL", "AWAIT 4", EXCHANGE, INTEGRITY, after];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[LINE], &script, &mut |line, _| {
        if line == "[stall]" {
            flood(&peer);
        }
    })?;
    for line in ["STALL", "AWAIT 4", EXCHANGE] {
        steps.exits(line, 0)?;
    }
    right(&steps, INTEGRITY)?;
    if COUNT_WHAT_IS_LOST.contains(&nic.name) {
        // INTEGRIT's frames came behind the flood, of which nobody took a frame.
        let text = &steps.first(after)?.text;
        let lost = text.split(" not taken").next().and_then(|before| before.rsplit(' ').next()?.parse::<usize>().ok());
        steps.holds(lost.is_some_and(|frames| frames >= 2 * FLOOD), "every frame of the flood is counted")?;
    }
    Ok(())
}

/// The wrong interrupt line is asked for: the card has the one that its firmware gave it.
fn wrong_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let line = "DEVICE=3COMPKT.SYS /IRQ=5";
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[line], &[EXCHANGE], &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    steps.holds(!steps.first(line)?.text.contains("IRQ 5"), "the line is the firmware's")
}

/// No interrupt line: polled, which is said once.
fn no_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["NOLINES", "3COMPKT", EXCHANGE, "INTEGRIT 100", "3COMPKT /U"];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &script, &mut |_, _| ())?;
    for line in ["3COMPKT", EXCHANGE, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.holds(steps.report.output.matches("no IRQ (polled)").count() == 1, "the driver says once that it polls")?;
    right(&steps, "INTEGRIT 100")
}

/// The card's interrupt arrives nowhere: polled, which is said once. Who cannot know that says what the firmware said.
fn dead_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let trusts = TRUST_THEIR_LINE.contains(&nic.name);
    let frames: &[&str] = if trusts { &[] } else { &[EXCHANGE, "INTEGRIT 100"] };
    let script = [&["DEADLINE", "3COMPKT"][..], frames, &["3COMPKT /U"]].concat();
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &script, &mut |_, _| ())?;
    steps.exits("3COMPKT", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    let said = steps.report.output.matches(" is dead (polled), ").count();
    if trusts {
        return steps.holds(said == 0, "the driver cannot know");
    }
    steps.holds(said == 1, "the driver says once that it polls")?;
    steps.exits(EXCHANGE, 0)?;
    right(&steps, "INTEGRIT 100")
}

/// The card's interrupt arrives at another line than its firmware says: that one is taken.
fn moved_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["MOVELINE", "3COMPKT", STATUS, EXCHANGE, INTEGRITY, "3COMPKT /U"];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[], &script, &mut |_, _| ())?;
    for line in ["3COMPKT", EXCHANGE, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.prints("3COMPKT", ", IRQ 5, ")?;
    steps.prints(STATUS, "IRQ 5")?;
    right(&steps, INTEGRITY)
}

/// The card is pulled out of its slot: errors, no hang, and the driver can be unloaded.
fn gone(lab: &Lab, nic: &'static Nic) -> Verdict {
    let script = ["3COMPKT", EXCHANGE, "EJECT", STATUS, EXCHANGE, "FUZZ 300 /SEED=4", "3COMPKT /U"];
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[], &script, &mut |_, _| ())?;
    for line in ["3COMPKT", STATUS, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    // In the end the fuzzer sends a frame, which a card that is not there need not take.
    let fuzz = steps.first("FUZZ 300 /SEED=4")?;
    let only_sending = fuzz.text == "FAIL after 300 calls of seed 4 the driver does not work";
    steps.holds(fuzz.exit == Some(0) || only_sending, "no memory but the driver's was changed")?;
    let codes: Vec<Option<u8>> = steps.each(EXCHANGE).iter().map(|step| step.exit).collect();
    steps.holds(codes.len() == 2 && codes[0] == Some(0) && codes[1] != Some(0), "nothing answers without a card")
}

/// iPXE has driven the card, and left it as it likes.
fn after_ipxe(lab: &Lab, nic: &'static Nic) -> Verdict {
    let rig = Qemu { roms: true, cpu: "qemu32".into(), ..qemu_on(nic, Net::User)? };
    let mut job = lab.job(&[LINE], &[EXCHANGE, STATUS])?;
    job.capture = true;
    let steps = rig.steps(&job)?;
    let path = steps.report.pcap.as_ref().ok_or("no capture")?;
    let captured = std::fs::read(path).map_err(|error| error.to_string())?;
    // It says who it is when it asks for a lease.
    steps.holds(captured.windows(4).any(|bytes| bytes == b"iPXE"), "iPXE has used the card")?;
    steps.forget_capture();
    steps.exits(EXCHANGE, 0)
}
