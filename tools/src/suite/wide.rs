//! The driver with every optional rule of `tools/src/narrow` off (`tools/build --wide`): where it works and the usual one
//! does not, the fault is a rule's.

use std::sync::OnceLock;

use super::machine::{Lab, Rig, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::{LIMIT, is_fixed, judged, rig_name};
use crate::nics::{NICS, Nic};
use crate::pack::{self, Way};
use crate::peer::Peer;
use crate::rig::Job;

/// A FIFO, registers and rings above 1 MB, a ring of the card's own.
const CARDS: [&str; 3] = ["el3", "e1000", "ne2000"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |nic: &'static Nic| Test::new(format!("qemu/{}/wide", nic.name), move |lab| works(lab, nic)).takes(90);
    NICS.iter().filter(|nic| CARDS.contains(&nic.name)).map(|nic| Test { slow: true, ..test(nic) }).collect()
}

fn files() -> Result<Vec<(String, Vec<u8>)>, String> {
    static FILES: OnceLock<Result<Vec<(String, Vec<u8>)>, String>> = OnceLock::new();
    let build = || {
        pack::build_by(&Way::wide())?;
        pack::files_by(&Way::wide())
    };
    FILES.get_or_init(|| build().map_err(|error| error.to_string())).clone()
}

/// CONFORM and INTEGRIT, as in `traffic.rs`. The stack is larger: registers are saved with four bytes each.
fn works(lab: &Lab, nic: &'static Nic) -> Verdict {
    let config = format!("DEVICE=3COMPKT.SYS /NIC={} /STACK=512", nic.name);
    let conform = if is_fixed(&rig_name(nic)) { "CONFORM /PEER /FIXED" } else { "CONFORM /PEER" };
    let integrity = format!("INTEGRIT {}", lab.calls / 25);
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let exec = vec![conform.to_string(), integrity.clone()];
    let job = Job { files: files()?, config: vec![config], exec, limit: 2 * LIMIT, ..Job::default() };
    let steps = qemu_on(nic, peer.cable())?.steps(&job)?;
    judged(&steps, conform)?;
    steps.exits(&integrity, 0)?;
    steps.prints(&integrity, "every byte right")
}
