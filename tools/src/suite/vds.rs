//! Rings below 1 MB with the Virtual DMA Services: locked, used at the address that the services give, unlocked.
//!
//! V86 mode is not needed: the installer calls the services in real mode, too, and the boot DOS has services that count their
//! locks.

use super::machine::{Lab, Rig, Steps, qemu};
use super::runner::{Test, Verdict};
use crate::nics::{NICS, Nic};
use crate::peer::pcap;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::Qemu;

/// Drivers that reach their cards by ports only, so that V86 mode makes no difference.
const BY_PORTS: [&str; 7] = ["pcnet", "rtl8139", "rtl8169", "rtl8125", "i8255x", "tulip", "boomerang"];
const LOAD: &str = "3COMPKT 0x60";
const UNLOAD: &str = "3COMPKT /U";
const EXCHANGE: &str = "PKTCTL test";
const ALL_UNLOCKED: &str = "[vds locks 1 unlocks 1 sum 0000]";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| BY_PORTS.contains(&nic.name)) {
        tests.push(Test::new(format!("qemu/{}/vds", nic.name), move |lab| locked(lab, nic)));
        tests.push(Test::new(format!("qemu/{}/vds-refuses", nic.name), move |lab| refused(lab, nic)));
        // A model would complain of descriptors that are wrong.
        if !nic.plugin {
            tests.push(Test { slow: true, ..Test::new(format!("qemu/{}/vds-elsewhere", nic.name), move |lab| elsewhere(lab, nic)) });
        }
    }
    tests
}

fn machine(nic: &Nic) -> Result<Qemu, String> {
    Ok(Qemu { dos: Dos { xms: Xms::None, vds: true, ..Dos::default() }, ..qemu(nic)? })
}

/// One lock while the driver is loaded and none afterwards, from the prompt and by DEVICE=.
pub(super) fn locked(lab: &Lab, nic: &Nic) -> Verdict {
    let prompt: [&[&str]; 2] = [&[], &[LOAD, EXCHANGE, "vds", UNLOAD, "vds", "mem"]];
    let device: [&[&str]; 2] = [&["DEVICE=3COMPKT.SYS"], &[EXCHANGE, "vds", UNLOAD, "vds"]];
    for [config, exec] in [prompt, device] {
        let steps = machine(nic)?.steps(&lab.job(config, exec)?)?;
        steps.exits(EXCHANGE, 0)?;
        steps.exits(UNLOAD, 0)?;
        let counts = counts(&steps)?;
        let one = counts[0].starts_with("[vds locks 1 unlocks 0 sum ") && counts[0] != "[vds locks 1 unlocks 0 sum 0000]";
        steps.holds(one && counts[1] == ALL_UNLOCKED, "the rings are locked, then unlocked")?;
    }
    Ok(())
}

fn counts(steps: &Steps) -> Result<[&str; 2], String> {
    let all: Vec<&str> = steps.each("vds").iter().map(|step| step.text.as_str()).collect();
    if let [before, after] = all[..] { Ok([before, after]) } else { steps.fail("`vds` runs twice") }
}

/// A refused lock: one line, and nothing stays. The next lock is granted.
fn refused(lab: &Lab, nic: &Nic) -> Verdict {
    let exec = ["mem", "vds fail", LOAD, "vds", "mem", "ints", "3COMPKT 0x61", "3COMPKT /U /INT=61", "vds"];
    let steps = machine(nic)?.steps(&lab.job(&[], &exec)?)?;
    steps.refuses(LOAD)?;
    let text = &steps.first(LOAD)?.text;
    steps.holds(text.lines().count() == 1 && text.contains("does not lock"), "one line says why")?;
    steps.same("mem")?;
    steps.holds(!steps.first("ints")?.text.contains("int 60"), "no vector is taken")?;
    steps.exits("3COMPKT 0x61", 0)?;
    let counts = counts(&steps)?;
    steps.holds(counts == ["[vds locks 0 unlocks 0 sum 0000]", ALL_UNLOCKED], "what was not locked is not unlocked")
}

/// The services give an address 1 MB higher, where there is no memory: the card reads there.
fn elsewhere(lab: &Lab, nic: &Nic) -> Verdict {
    let mut job = lab.job(&[], &["vds far", LOAD, EXCHANGE, "vds", UNLOAD, "vds"])?;
    job.capture = true;
    let steps = machine(nic)?.steps(&job)?;
    steps.exits(LOAD, 0)?;
    steps.holds(steps.first(EXCHANGE)?.exit != Some(0), "the card does not find the driver's frames")?;
    steps.holds(counts(&steps)?[1] == ALL_UNLOCKED, "the rings are unlocked")?;
    let path = steps.report.pcap.as_ref().ok_or("no capture")?;
    let frames = pcap::read(path).map_err(|error| error.to_string())?;
    let nothing = frames.iter().all(|frame| frame.bytes.iter().all(|byte| *byte == 0));
    // An RTL8139 is told of each frame by a register, so it sends frames with the bytes at that address.
    steps.holds(nothing && (nic.name != "rtl8139" || !frames.is_empty()), "all that the card sends is the nothing that is there")?;
    steps.forget_capture();
    Ok(())
}
