//! `/CTL` among other programs on INT 2Dh that answer by AMIS: uninstalled in every order, above and below each other.
//!
//! The programs are fixtures/amis.asm: LOW is loaded before the driver, HIGH after it. AMISGO calls the uninstall function of the
//! program whose product begins with a letter, by its multiplex number: L, H, or P for the driver.

use super::machine::{Lab, Rig, Steps, fixture, ne2000, qemu, qemu_of};
use super::runner::{Test, Verdict};
use crate::rig::Job;
use crate::rig::qemu::Net;

const LOAD: &str = "3COMPKT /CTL";
const UNLOAD: &str = "3COMPKT /U";
const LOW: &str = "AMISGO L";
const HIGH: &str = "AMISGO H";
const DRIVER: &str = "AMISGO P";
const EXCHANGE: &str = "PKTCTL test";
/// What AMISGO prints: it is done; another program is above.
const DONE: &str = "[uninstall 255]";
const ABOVE: &str = "[uninstall 001]";

/// The orders in which driver and programs with a header go, with what uninstall answers. The driver uninstalls itself only from
/// the top; `/U` does it from anywhere.
const SHARED: [&[(&str, &str)]; 6] = [
    &[(DRIVER, ABOVE), (UNLOAD, "unloaded"), (HIGH, DONE), (LOW, DONE)],
    &[(DRIVER, ABOVE), (UNLOAD, "unloaded"), (LOW, DONE), (HIGH, DONE)],
    &[(HIGH, DONE), (DRIVER, DONE), (LOW, DONE)],
    &[(HIGH, DONE), (LOW, DONE), (DRIVER, DONE)],
    &[(LOW, DONE), (DRIVER, ABOVE), (UNLOAD, "unloaded"), (HIGH, DONE)],
    &[(LOW, DONE), (HIGH, DONE), (UNLOAD, "unloaded")],
];
/// The same with programs without a header: only what is on top, or called by one with a header, can go.
const RAW: [&[(&str, &str)]; 3] = [
    &[(DRIVER, ABOVE), (UNLOAD, "hooked the driver's interrupts after it"), (LOW, ABOVE), (HIGH, DONE), (LOW, DONE), (DRIVER, DONE)],
    &[(LOW, ABOVE), (HIGH, DONE), (DRIVER, DONE), (LOW, DONE)],
    &[(UNLOAD, "hooked the driver's interrupts after it"), (HIGH, DONE), (UNLOAD, "unloaded"), (LOW, DONE)],
];

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/control/amis-any-order", |lab| orders(lab, &[], &SHARED)),
        Test::new("qemu/control/amis-without-header", |lab| orders(lab, &["RAW"], &RAW)),
        Test::new("qemu/control/amis-uninstall-masks-the-line", |lab| ["5", "10"].iter().try_for_each(|line| masks(lab, line))),
    ]
}

/// Uninstall by AMIS masks the card's line again, as `/U` does; also when the driver was set to poll, and when it was set back.
fn masks(lab: &Lab, line: &str) -> Verdict {
    let (poll, interrupt) = ("PKTCTL config POLL=1", "PKTCTL config POLL=0");
    let script = ["ints", LOAD, DRIVER, "ints", LOAD, poll, DRIVER, "ints", LOAD, poll, interrupt, DRIVER, "ints", LOAD, UNLOAD, "ints"];
    let mut job: Job = lab.job(&[], &script)?;
    job.files.push(program("AMISGO.COM", &["GO"])?);
    let steps: Steps = qemu_of(&format!("ne2k_isa,iobase=0x300,irq={line}"), Net::User)?.steps(&job)?;
    for line in [LOAD, poll, interrupt, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(DRIVER, DONE)?;
    steps.same("ints")
}

/// A program made of fixtures/amis.asm.
fn program(name: &str, defines: &[&str]) -> Result<(String, Vec<u8>), String> {
    Ok((name.into(), fixture("amis", defines).map_err(|error| error.to_string())?))
}

/// Each order in one machine after the other. The vectors and the masks are as before each time.
fn orders(lab: &Lab, defines: &[&str], orders: &[&[(&str, &str)]]) -> Verdict {
    let mut script = vec!["ints"];
    for order in orders {
        script.extend(["LOW", LOAD, "HIGH", EXCHANGE]);
        script.extend(order.iter().map(|step| step.0));
        script.push("ints");
    }
    let mut job: Job = lab.job(&[], &script)?;
    for (name, define) in [("LOW.COM", "NAME=\"LOW     \""), ("HIGH.COM", "NAME=\"HIGH    \""), ("AMISGO.COM", "GO")] {
        job.files.push(program(name, &[defines, &[define]].concat())?);
    }
    let steps: Steps = qemu(ne2000())?.steps(&job)?;
    for line in [LOAD, EXCHANGE] {
        steps.exits(line, 0)?;
    }
    steps.same("ints")?;
    let went: Vec<_> = steps.all.iter().filter(|step| [LOW, HIGH, DRIVER, UNLOAD].contains(&step.line.as_str())).collect();
    let wanted = orders.concat();
    steps.holds(went.len() == wanted.len(), "each step was done")?;
    for (number, (step, (line, text))) in went.iter().zip(&wanted).enumerate() {
        steps.holds(step.line == *line && step.text.contains(text), format!("step {number}, `{line}`, says `{text}`, not `{}`", step.text))?;
    }
    Ok(())
}
