//! CONFORM, FUZZ and INTEGRIT on every NIC that a machine has, and what the host received of them.

use std::time::Duration;

use super::device::bochs;
use super::machine::{Lab, Rig, Steps, passed, qemu, qemu_of, qemu_on, timed};
use super::runner::{Test, Verdict};
use super::stack;
use crate::nics::{Found, NICS, Nic, RELATIVES, TWINS};
use crate::peer::{From, Peer, pcap};
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Qemu};

/// Longest time for a program.
pub const LIMIT: Duration = Duration::from_secs(240);

/// Drivers for which `--quick` runs all tests: one with a ring of its own, one with rings in memory, one without registers in
/// memory, one with a FIFO. For all others it exchanges frames only.
const QUICK: &[&str] = &["ne2000", "e1000", "virtio_net", "el3"];

/// Whether the NIC is one of those.
pub fn is_quick(nic: &Nic) -> bool {
    QUICK.contains(&nic.name)
}

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        let name = nic.name;
        let test = |what: &str, run: fn(&Lab, &'static Nic) -> Verdict| Test::new(format!("qemu/{name}/{what}"), move |lab| run(lab, nic));
        tests.push(test("exchange", exchange));
        tests.push(Test { slow: !is_quick(nic), ..test("conform", conform).takes(15) });
        tests.push(test("fuzz", fuzz).takes(6));
        tests.push(test("integrity", integrity).takes(20));
        tests.push(test("integrity/hma", |lab, nic| intact_high(lab, nic, Xms::V3)).takes(6));
        tests.push(Test { slow: !is_quick(nic), ..test("cable", cable).takes(6) });
        tests.push(test("ready", ready).takes(2));
        for device in &nic.devices[1..] {
            let name = format!("qemu/{name}/integrity/{device}");
            let test = Test::new(name, move |lab| intact_elsewhere(lab, nic, &qemu_of(device, Net::User)?)).takes(8);
            tests.push(Test { long: RELATIVES.contains(device), ..test });
        }
        if nic.found == Found::Pci {
            let name = format!("qemu/{name}/integrity/no-xms");
            tests.push(Test::new(name, move |lab| intact_elsewhere(lab, nic, &qemu(nic)?.with_xms(Xms::None))).takes(8));
            tests.push(test("integrity/hma/no-xms", |lab, nic| intact_high(lab, nic, Xms::None)).takes(8));
        }
    }
    for (name, v86, line) in [
        ("low", false, "DEVICE=C:\\3COMPKT.SYS"),
        ("umb", false, "DEVICEHIGH=C:\\3COMPKT.SYS"),
        ("v86", true, "DEVICE=C:\\3COMPKT.SYS"),
        ("v86-umb", true, "DEVICEHIGH=C:\\3COMPKT.SYS"),
    ] {
        let rig = move || DosboxX { v86, ..DosboxX::default() };
        let test = Test::new(format!("dosbox-x/ne2000/conform-{name}"), move |lab| without_peer(lab, &rig(), "dosbox-x", line)).takes(20);
        tests.push(Test { slow: name != "low", ..test });
    }
    tests.push(Test::new("dosbox-x/ne2000/fuzz", |lab| fuzzed(lab, &DosboxX::default())).takes(20));
    let test = Test::new("bochs/ne2000/conform", |lab| without_peer(lab, &bochs(), "bochs", "DEVICE=3COMPKT.SYS")).takes(30);
    tests.push(Test { slow: true, ..test });
    tests.push(Test::new("bochs/ne2000/fuzz", |lab| fuzzed(lab, &bochs())).takes(30));
    tests.push(Test::new("agree/conform", agree).last());
    tests
}

fn device_line(nic: &Nic) -> String {
    format!("DEVICE=3COMPKT.SYS /NIC={}", nic.name)
}

/// DHCP and ping on QEMU's own network, with `/NIC=` and without.
pub(super) fn exchange(lab: &Lab, nic: &'static Nic) -> Verdict {
    for line in [device_line(nic), "DEVICE=3COMPKT.SYS".to_string()] {
        let steps = qemu(nic)?.steps(&lab.job(&[line.as_str()], &["PKTCTL status", "PKTCTL test", "PKTCTL status"])?)?;
        steps.prints(&line, &nic.line_at_load())?;
        steps.exits("PKTCTL status", 0)?;
        steps.exits("PKTCTL test", 0)?;
    }
    Ok(())
}

/// Checks CONFORM's last line; returns the lines of its checks.
pub fn judged(steps: &Steps, line: &str) -> Result<Vec<String>, String> {
    steps.exits(line, 0)?;
    let text = &steps.first(line)?.text;
    let count = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
    let last = format!("{} passed, 0 failed", count("ok "));
    steps.holds(count("FAIL") == 0 && text.lines().last() == Some(&last), "CONFORM counts what it printed")?;
    steps.holds(count("ok ") > 100, "CONFORM asked everything")?;
    Ok(text.lines().map(str::to_string).collect())
}

/// Checks that CONFORM leaves out with /FIXED: reception after `set_address`.
const FIXED_LEAVES_OUT: [&str; 2] = ["ok   receives for it", "ok   and no longer for the old one"];

pub(super) fn rig_name(nic: &Nic) -> String {
    format!("qemu/{}", nic.name)
}

/// QEMU's NE2000 compares with the address in its ROM, whatever address is set.
pub(super) fn is_fixed(rig: &str) -> bool {
    rig.starts_with("qemu/ne")
}

/// All of CONFORM, with a peer.
pub(super) fn conform_line(nic: &Nic) -> &'static str {
    if is_fixed(&rig_name(nic)) { "CONFORM /PEER /FIXED" } else { "CONFORM /PEER" }
}

/// All of CONFORM with a peer; then the frames on the wire.
pub(super) fn conform(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let rig = qemu_on(nic, peer.cable())?;
    let line = conform_line(nic);
    let config = device_line(nic);
    let mut job = lab.job(&[config.as_str()], &[line, stack::STATUS])?;
    job.capture = true;
    job.limit = LIMIT;
    let steps = lab.apart(&rig, &job).steps(&job)?;
    let lines = judged(&steps, line)?;
    lab.note(&rig_name(nic), lines);
    stack::has_margin(&steps, nic.name)?;
    let frames = peer.frames();
    wire(&steps, &frames)?;
    steps.forget_capture();
    Ok(())
}

/// Every frame from DOS has a legal length, and the capture at the card has the same frames as the peer.
fn wire(steps: &Steps, frames: &[(From, pcap::Frame)]) -> Verdict {
    let sent: Vec<&pcap::Frame> = frames.iter().filter(|(from, _)| *from == From::Dos).map(|(_, frame)| frame).collect();
    steps.holds(sent.len() > 50, "the host heard the frames of CONFORM")?;
    if let Some(odd) = sent.iter().find(|frame| !(60..=1514).contains(&frame.bytes.len())) {
        return steps.fail(format!("a frame of {} bytes was on the wire", odd.bytes.len()));
    }
    let path = steps.report.pcap.as_ref().ok_or("no capture")?;
    let captured = pcap::read(path).map_err(|error| error.to_string())?;
    let captured: std::collections::HashSet<&[u8]> = captured.iter().map(|frame| frame.bytes.as_slice()).collect();
    let missing = sent.iter().filter(|frame| !captured.contains(frame.bytes.as_slice())).count();
    steps.holds(missing == 0, format!("the capture has all frames of DOS, and {missing} are missing"))
}

/// CONFORM on the emulator's own network.
fn without_peer(lab: &Lab, rig: &impl Rig, name: &str, config: &str) -> Verdict {
    let mut job = lab.job(&[config], &["CONFORM"])?;
    job.limit = LIMIT;
    let steps = rig.steps(&job)?;
    let lines = judged(&steps, "CONFORM")?;
    lab.note(&format!("{name} {config}"), lines);
    Ok(())
}

/// Checks that several rigs made have the same results everywhere: passed.
fn agree(lab: &Lab) -> Verdict {
    let answers = lab.answers.lock().map_err(|error| error.to_string())?;
    let Some(((first, lines), rest)) = answers.split_first() else { return Err("CONFORM has run nowhere".into()) };
    let checks = |lines: &[String]| -> Vec<String> { lines.iter().filter(|line| line.starts_with("ok ")).cloned().collect() };
    let base = checks(lines);
    for (rig, lines) in rest {
        let other = checks(lines);
        let (short, long) = if other.len() < base.len() { (&other, &base) } else { (&base, &other) };
        let fixed = is_fixed(first) || is_fixed(rig);
        let left_out = |line: &str| fixed && FIXED_LEAVES_OUT.contains(&line);
        let missing: Vec<&String> = short.iter().filter(|line| !long.contains(line) && !left_out(line)).collect();
        if !missing.is_empty() {
            return Err(format!("{first} and {rig} differ in {missing:#?}"));
        }
    }
    Ok(())
}

/// FUZZ without a station on the wire.
pub(super) fn fuzz(lab: &Lab, nic: &'static Nic) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(nic, Net::Hub(0))? };
    let calls = if TWINS.contains(&nic.name) { lab.calls / 10 } else { lab.calls };
    let (config, line) = (device_line(nic), format!("FUZZ {calls} /SEED=1"));
    let mut job = lab.job(&[config.as_str()], &[line.as_str(), "PKTCTL status"])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = lab.apart(&rig, &job).steps(&job)?;
    steps.exits(&line, 0)?;
    steps.prints(&line, "nothing else changed")
}

/// FUZZ with fewer calls, on a network that answers.
fn fuzzed(lab: &Lab, rig: &impl Rig) -> Verdict {
    let line = format!("FUZZ {} /SEED=2", lab.calls / 5);
    let mut job = lab.job(&["DEVICE=C:\\3COMPKT.SYS"], &[line.as_str(), "PKTCTL test"])?;
    job.limit = LIMIT;
    let steps = rig.steps(&job)?;
    steps.exits(&line, 0)?;
    steps.exits("PKTCTL test", 0)
}

/// INTEGRIT: frames of every length in both directions at once, each byte checked on both sides.
pub(super) fn integrity(lab: &Lab, nic: &'static Nic) -> Verdict {
    intact(lab, nic, &qemu(nic)?, lab.frames())
}

/// The same, with fewer frames, in a machine of another kind.
fn intact_elsewhere(lab: &Lab, nic: &Nic, machine: &Qemu) -> Verdict {
    intact(lab, nic, machine, lab.fewer_frames())
}

fn intact(lab: &Lab, nic: &Nic, machine: &Qemu, frames: u32) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let mut machine = machine.clone();
    for card in &mut machine.nics {
        card.net = peer.cable();
    }
    let (config, line) = (device_line(nic), format!("INTEGRIT {frames}"));
    let mut job = lab.job(&[config.as_str()], &[line.as_str(), "PKTCTL status"])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = machine.steps(&job)?;
    steps.exits(&line, 0)?;
    steps.prints(&line, "every byte right")
}

/// INTEGRIT with the client's buffers in the HMA, also at its end.
pub(super) fn intact_high(lab: &Lab, nic: &'static Nic, xms: Xms) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let machine = qemu_on(nic, peer.cable())?.with_xms(xms);
    let (config, line) = (device_line(nic), format!("INTEGRIT {} /HMA", lab.calls / 200));
    let mut job = lab.job(&[config.as_str()], &["A20 ON", line.as_str(), "PKTCTL status"])?;
    job.limit = LIMIT;
    let steps = machine.steps(&job)?;
    steps.exits(&line, 0)?;
    steps.prints(&line, "every byte right")
}

/// Longest time of loading, in microseconds of the machine's time, which -icount makes exact: no load waits for a cable's
/// negotiation.
const READY_US: u32 = 500_000;

/// The driver and the prompt are ready soon.
pub(super) fn ready(lab: &Lab, nic: &'static Nic) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(nic, Net::Hub(0))? };
    let line = format!("3COMPKT /NIC={}", nic.name);
    let script = timed(&line);
    let steps = rig.steps(&lab.job(&[], &script.iter().map(String::as_str).collect::<Vec<_>>())?)?;
    steps.exits(&line, 0)?;
    let us = passed(&steps.report.output).ok_or("no clock")?;
    steps.holds(us < READY_US, format!("it is ready after {READY_US} us, and not {us}"))
}

/// The cable is pulled and plugged in again: no answers, no hang, then answers.
pub(super) fn cable(lab: &Lab, nic: &'static Nic) -> Verdict {
    let config = device_line(nic);
    let job = lab.job(&[config.as_str()], &["PKTCTL test", "pause", "PKTCTL test", "pause", "PKTCTL test"])?;
    let mut up = true;
    let report = qemu(nic)?.run_with(&job, &mut |line, monitor| {
        if line == "[pause]" {
            up = !up;
            monitor.set_link("n0", up)?;
            monitor.resume()?;
        }
        Ok(())
    });
    let steps = Steps::of(report.map_err(|error| error.to_string())?);
    let codes: Vec<Option<u8>> = steps.each("PKTCTL test").iter().map(|step| step.exit).collect();
    let good = codes.len() == 3 && codes[0] == Some(0) && codes[1] != Some(0) && codes[2] == Some(0);
    steps.holds(good, "only the pulled cable keeps PKTCTL from its answers")
}

