//! Faults of a PCI NIC and its machine, and states that other software leaves, on each NIC that a machine has.

use std::time::Duration;

use super::machine::{Lab, Rig, Steps, peer, qemu_on, unasked, watched};
use super::runner::{Test, Verdict};
use super::traffic::is_quick;
use crate::nics::{Found, NICS, Nic, TWINS};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::image::Xms;
use crate::rig::qemu::{self, Monitor, Net, Qemu};

const LIMIT: Duration = Duration::from_secs(240);
const LINE: &str = "DEVICE=3COMPKT.SYS";
const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";
const INTEGRITY: &str = "INTEGRIT 300";
/// FUZZ without a cable: each frame may take its limit of 25 ms.
const FUZZ: &str = "FUZZ 1000 /SEED=3";
/// Frames of 1,000 bytes at once: more than the longest ring holds.
const FLOOD: usize = 300;

/// Drivers whose cards in QEMU do not notice their cables: they always report a link.
pub(super) const LINK_IS_FIXED: &[&str] = &["i8255x", "tulip"];

/// Drivers whose cards keep frames while there is no link: when their ring is full, `send_pkt` answers CANT_SEND. Most cards do
/// so, but QEMU's own drop these frames.
const KEEP_FRAMES: &[&str] = &["rtl8169", "rtl8125", "pch", "tg3"];

/// Drivers whose cards iPXE does not use in QEMU: it has no driver, or gets no link (`igb`: that card loses its link in a reset
/// until a driver asks the PHY for it, which iPXE does not).
const WITHOUT_ROM: &[&str] = &["tulip", "igb"];

/// Drivers whose cards cannot be made to interrupt: they use the line that the firmware names.
const TRUST_THEIR_LINE: &[&str] = &["virtio_net", "vmxnet3"];

/// Drivers whose cards in QEMU accept every frame from the host, and count those without a buffer.
const COUNT_WHAT_IS_LOST: &[&str] = &["i8255x", "pcnet", "vmxnet3"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| nic.found == Found::Pci && !nic.devices.is_empty()) {
        let test = |what: &str, seconds, run: fn(&Lab, &'static Nic) -> Verdict| {
            Test { slow: !is_quick(nic), ..Test::new(format!("qemu/{}/{what}", nic.name), move |lab| run(lab, nic)).takes(seconds) }
        };
        tests.push(Test { slow: true, long: TWINS.contains(&nic.name), ..test("conform/no-xms", 25, no_xms) });
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

/// Runs a job with one card; `on_line` acts at lines of its output.
fn run(lab: &Lab, rig: &Qemu, config: &[&str], exec: &[&str], on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    watched(rig, &Job { limit: LIMIT, ..lab.job(config, exec)? }, on_line)
}

fn right(steps: &Steps, line: &str) -> Verdict {
    steps.exits(line, 0)?;
    steps.prints(line, "every byte right")
}

/// Sends broadcasts of a type that no client wants.
pub(super) fn flood(peer: &Peer) {
    (0..FLOOD).for_each(|number| peer.send(unasked(number, 1000)));
}

/// Without XMS: rings below 1 MB, or none.
fn no_xms(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let rig = qemu_on(nic, peer.cable())?.with_xms(Xms::None);
    // QEMU's NE2000 compares with the address in its ROM, whatever address is set.
    let conform = if nic.name.starts_with("ne") { "CONFORM /PEER /FIXED" } else { "CONFORM /PEER" };
    let steps = run(lab, &rig, &[LINE], &[EXCHANGE, conform, STATUS], &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    steps.exits(conform, 0)?;
    steps.holds(steps.first(conform)?.text.lines().filter(|line| line.starts_with("ok ")).count() > 400, "CONFORM asked everything")
}

/// A closed A20 gate is open for the driver only: other programs find it closed.
pub(super) fn a20(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["A20 OFF", EXCHANGE, "A20", INTEGRITY, "A20", "A20 ON", EXCHANGE, "A20"];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &[LINE], &script, &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    right(&steps, INTEGRITY)?;
    let gates: Vec<&str> = steps.report.output.lines().filter(|line| line.starts_with("[a20")).collect();
    steps.holds(gates == ["[a20 0]", "[a20 0]", "[a20 1]"], "the gate stays as it was set")
}

/// Loaded, used and unloaded ten times: memory of both kinds is freed, and the card is quiet.
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

/// Two cards on one level-triggered line (slots 2 and 6 of QEMU's PC); each is flooded while the other works.
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

/// The cable is pulled while frames are sent: calls return. With the cable in again all works.
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
    // Its last check is a frame that is sent.
    let refused = "FAIL after 1000 calls of seed 3 the driver does not work";
    if !KEEP_FRAMES.contains(&nic.name) || steps.first(FUZZ)?.text != refused {
        steps.exits(FUZZ, 0)?;
    }
    let after = steps.first("PKTCTL status /INT=60")?.text.contains("link         up");
    steps.holds(!after || LINK_IS_FIXED.contains(&nic.name), "the driver knows that the link is down")
}

/// No code runs for half a second, while more frames come than the ring holds: some of them are received.
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
        // INTEGRIT's frames came behind the flood, which no client took.
        let text = &steps.first(after)?.text;
        let lost = text.split(" not taken").next().and_then(|before| before.rsplit(' ').next()?.parse::<usize>().ok());
        steps.holds(lost.is_some_and(|frames| frames >= 2 * FLOOD), "every frame of the flood is counted")?;
    }
    Ok(())
}

/// /IRQ= names a wrong line: the driver uses the line of the firmware.
fn wrong_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let line = "DEVICE=3COMPKT.SYS /IRQ=5";
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[line], &[EXCHANGE], &mut |_, _| ())?;
    steps.exits(EXCHANGE, 0)?;
    steps.holds(!steps.first(line)?.text.contains("IRQ 5"), "the line is the firmware's")
}

/// Without an interrupt line the card is polled; one line says so.
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

/// The card's interrupt arrives at no line: it is polled, and one line says so. A driver that cannot find out reports the
/// firmware's line.
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

/// The card's interrupt arrives at another line than the firmware says: the driver uses that line.
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

/// The card is removed from its slot: calls fail, the machine does not hang, and the driver can be unloaded.
fn gone(lab: &Lab, nic: &'static Nic) -> Verdict {
    let script = ["3COMPKT", EXCHANGE, "EJECT", STATUS, EXCHANGE, "FUZZ 300 /SEED=4", "3COMPKT /U"];
    let steps = run(lab, &qemu_on(nic, Net::User)?, &[], &script, &mut |_, _| ())?;
    for line in ["3COMPKT", STATUS, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    // At its end FUZZ sends a frame, which fails without a card.
    let fuzz = steps.first("FUZZ 300 /SEED=4")?;
    let only_sending = fuzz.text == "FAIL after 300 calls of seed 4 the driver does not work";
    steps.holds(fuzz.exit == Some(0) || only_sending, "no memory but the driver's was changed")?;
    let codes: Vec<Option<u8>> = steps.each(EXCHANGE).iter().map(|step| step.exit).collect();
    steps.holds(codes.len() == 2 && codes[0] == Some(0) && codes[1] != Some(0), "nothing answers without a card")
}

/// iPXE has used the card, and left it in any state.
fn after_ipxe(lab: &Lab, nic: &'static Nic) -> Verdict {
    let rig = Qemu { roms: true, cpu: "qemu32".into(), ..qemu_on(nic, Net::User)? };
    let mut job = lab.job(&[LINE], &[EXCHANGE, STATUS])?;
    job.capture = true;
    let steps = rig.steps(&job)?;
    let path = steps.report.pcap.as_ref().ok_or("no capture")?;
    let captured = std::fs::read(path).map_err(|error| error.to_string())?;
    // Its request for a lease contains its name.
    steps.holds(captured.windows(4).any(|bytes| bytes == b"iPXE"), "iPXE has used the card")?;
    steps.forget_capture();
    steps.exits(EXCHANGE, 0)
}
