//! Interrupt lines and their controllers: spurious interrupts must not end other interrupts.

use super::machine::{Lab, Rig, ne2000, qemu};
use super::runner::{Test, Verdict};
use crate::rig::qemu::{self, Net, Qemu};

/// The lines on which an 8259A reports a spurious interrupt.
const SPURIOUS: [u8; 2] = [7, 15];

/// The tests.
pub fn tests() -> Vec<Test> {
    SPURIOUS.map(|line| Test::new(format!("qemu/ne2000/spurious-{line}"), move |lab| spurious(lab, line))).into()
}

/// A spurious interrupt on the card's line, which the card does not share, ends no other interrupt of that controller.
fn spurious(lab: &Lab, line: u8) -> Verdict {
    let device = format!("ne2k_isa,iobase=0x300,irq={line}");
    let rig = Qemu { nics: vec![qemu::Nic { device, net: Net::User }], ..qemu(ne2000())? };
    let (load, provoke) = (format!("DEVICE=3COMPKT.SYS /IRQ={line}"), format!("SPUR{line}"));
    let steps = rig.steps(&lab.job(&[load.as_str()], &["PKTCTL test", &provoke, "PKTCTL test"])?)?;
    steps.prints(&load, &format!("IRQ {line}, "))?;
    steps.prints(&provoke, "[in service]")?;
    steps.exits("PKTCTL test", 0)
}
