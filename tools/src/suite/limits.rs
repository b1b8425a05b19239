//! Limits of 64 KB: another program visits protected mode between two frames, or inside an upcall, and leaves them. The flat
//! feature makes limits of 4 GB at the fault of the first access that needs them. Bochs raises these faults; QEMU's TCG does
//! not check limits.

use super::machine::{Lab, Steps};
use super::runner::{Test, Verdict};
use super::v86::{LOAD, POOL};
use crate::rig::bochs::{Bochs, Nic};

/// The tests.
pub fn tests() -> Vec<Test> {
    // The second card is on IRQ 5, whose vector is that of the fault.
    vec![
        Test::new("bochs/e1000/limits-of-64-kb", |lab| faults(lab, Nic::E1000, LOAD, &["LIMITS", "LIMITSFS"])).takes(30),
        Test::new("bochs/ne2000/limits-of-64-kb", |lab| faults(lab, Nic::Ne2000 { base: 0x300, irq: 5 }, POOL, &["LIMITS"])).takes(30),
    ]
}

/// Frames are sent and received, each visit of protected mode costs one fault, no client sees the driver's interrupt table, and
/// the driver is unloaded as always.
fn faults(lab: &Lab, nic: Nic, load: &str, programs: &[&str]) -> Verdict {
    let rig = Bochs { nic, real_time: true, ..Bochs::default() };
    let script = [&["ints keep", "mem", "ints", load], programs, &["3COMPKT /U", "mem", "ints"]].concat();
    let (report, faults) = rig.run_with_faults(&lab.job(&[], &script)?).map_err(|error| error.to_string())?;
    let steps = Steps::of(report);
    let mut visits = 0;
    for line in [&[load, "3COMPKT /U"], programs].concat() {
        steps.exits(line, 0)?;
        let text = &steps.first(line)?.text;
        let number = text.split("[visits ").nth(1).and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        visits += number.unwrap_or_default();
    }
    // 12 requests in each program, and two upcalls for each answer.
    steps.holds(visits >= 36 * programs.len(), "the programs visit protected mode")?;
    steps.holds(faults == visits, format!("{visits} visits cost {faults} faults"))?;
    steps.same("mem")?;
    steps.same("ints")
}
