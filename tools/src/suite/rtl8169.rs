//! The RTL8169's family: a link that negotiates while the first frames are sent, and the chips' own faults, with the core and
//! programs around the driver. tools/tests/rtl8169 has each fault on every chip.

use super::machine::{Lab, Rig, peer, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::LIMIT;
use crate::nics::{NICS, Nic};
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{Net, Nic as Card, Qemu};

const LINE: &str = "DEVICE=3COMPKT.SYS";
const EXCHANGE: &str = "PKTCTL test";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (name, device, xms) in [("rtl8169", "rtl8169-8168h", Xms::None), ("rtl8125", "rtl8169-8125b", Xms::V3)] {
        let slow = |test: Test| Test { slow: true, ..test };
        let called = |what: &str| format!("qemu/{name}/{what}");
        tests.push(slow(Test::new(called("negotiating"), move |lab| negotiating(lab, name, device, xms)).takes(6)));
        tests.push(slow(Test::new(called("no-reset"), move |lab| refused(lab, name, device))));
    }
    // An overflow stops this receiver; lost doorbells, and a descriptor that stays the card's, stop every transmitter.
    for (name, device, xms) in [
        ("rtl8169", "rtl8169-8168b,negotiation=0,fault=rx-overrun@40+rx-overrun@300+lost-doorbell@20*3+stays-owned@60", Xms::None),
        ("rtl8125", "rtl8169-8125b,negotiation=0,fault=rx-overrun@40*3+lost-doorbell@20*3+stays-owned@60", Xms::V3),
    ] {
        let test = Test::new(format!("qemu/{name}/chip-faults"), move |lab| faults(lab, name, device, xms));
        tests.push(Test { slow: true, ..test.takes(10) });
    }
    tests
}

fn nic(name: &str) -> Result<&'static Nic, String> {
    NICS.iter().find(|nic| nic.name == name).ok_or_else(|| format!("no NIC has the name {name}"))
}

pub(super) fn machine(name: &str, device: &str, net: Net, xms: Xms) -> Result<Qemu, String> {
    let rig = qemu_on(nic(name)?, Net::User)?;
    Ok(Qemu { nics: vec![Card { device: device.into(), net }], dos: Dos { xms, ..Dos::default() }, ..rig })
}

/// Programs run from the moment the driver is loaded; the link takes three seconds more. The driver does not wait for it: the
/// frames that fit into the ring go out later, and others are refused. Requests that are repeated are answered.
pub(super) fn negotiating(lab: &Lab, name: &str, device: &str, xms: Xms) -> Verdict {
    let rig = machine(name, &format!("{device},negotiation=3000"), Net::User, xms)?;
    let steps = rig.steps(&lab.job(&[LINE], &["PKTCTL status", EXCHANGE, "PKTCTL status /INT=60"])?)?;
    steps.prints("PKTCTL status", "link         down")?;
    steps.exits(EXCHANGE, 0)?;
    steps.prints("PKTCTL status /INT=60", "link         up")
}

/// INTEGRIT while the chip fails in its own ways: what is lost is asked for again, and the driver goes on by itself.
pub(super) fn faults(lab: &Lab, name: &str, device: &str, xms: Xms) -> Verdict {
    let peer = peer()?;
    let mut job = lab.job(&[LINE], &["INTEGRIT 600", EXCHANGE, "PKTCTL status"])?;
    job.limit = LIMIT;
    let steps = machine(name, device, peer.cable(), xms)?.steps(&job)?;
    steps.exits("INTEGRIT 600", 0)?;
    steps.prints("INTEGRIT 600", "every byte right")?;
    steps.exits(EXCHANGE, 0)
}

/// A reset that never ends: one line says so, and the machine is as before.
pub(super) fn refused(lab: &Lab, name: &str, device: &str) -> Verdict {
    let rig = machine(name, &format!("{device},fault=stuck-command*0"), Net::User, Xms::V3)?;
    let line = "3COMPKT";
    let steps = rig.steps(&lab.job(&[], &["ints keep", "mem", "ints", line, "mem", "ints"])?)?;
    steps.refuses(line)?;
    let said = format!("3COMPKT: {name}: the card is there but does not answer; reset the machine or try another slot");
    steps.holds(steps.first(line)?.text == said, "one line says why")?;
    steps.same("mem")?;
    steps.same("ints")
}
