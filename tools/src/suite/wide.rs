//! The driver without the optional rules of `tools/src/narrow` (`tools/build --wide`). If it works and the usual one does not, a
//! rule is at fault.

use std::sync::OnceLock;

use super::machine::{Lab, Rig, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::{LIMIT, is_fixed, judged, rig_name};
use crate::nics::{NICS, Nic};
use crate::pack::{self, Way};
use crate::peer::Peer;
use crate::rig::Job;

/// Drivers with: a FIFO, registers and rings above 1 MB, a ring in the card.
const CARDS: [&str; 3] = ["el3", "e1000", "ne2000"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |nic: &'static Nic| Test::new(format!("qemu/{}/wide", nic.name), move |lab| works(lab, nic)).takes(90);
    NICS.iter().filter(|nic| CARDS.contains(&nic.name)).map(|nic| Test { slow: true, ..test(nic) }).collect()
}

/// The files of that build.
pub fn files() -> Result<Vec<(String, Vec<u8>)>, String> {
    static FILES: OnceLock<Result<Vec<(String, Vec<u8>)>, String>> = OnceLock::new();
    let build = || {
        pack::build_by(&Way::wide())?;
        pack::files_by(&Way::wide())
    };
    FILES.get_or_init(|| build().map_err(|error| error.to_string())).clone()
}

/// CONFORM and INTEGRIT, as in `traffic.rs`. With a larger stack: every register is saved with four bytes.
fn works(lab: &Lab, nic: &'static Nic) -> Verdict {
    let config = format!("DEVICE=3COMPKT.SYS /NIC={} /STACK=512", nic.name);
    let conform = if is_fixed(&rig_name(nic)) { "CONFORM /PEER /FIXED" } else { "CONFORM /PEER" };
    let integrity = format!("INTEGRIT {}", lab.fewer_frames());
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let exec = vec![conform.to_string(), integrity.clone()];
    let job = Job { files: files()?, config: vec![config], exec, limit: 2 * LIMIT, ..Job::default() };
    let steps = lab.apart(&qemu_on(nic, peer.cable())?, &job).steps(&job)?;
    judged(&steps, conform)?;
    steps.exits(&integrity, 0)?;
    steps.prints(&integrity, "every byte right")
}
