//! `tools/bench --bulk`: KB/s that BULK receives from a peer on the host, which sends as fast as it can.
//!
//! A benchmark, no test: it depends on the host's load. The driver is loaded at eight addresses within a page of 4 KB, because
//! speed differs in QEMU's TCG: a write to a page with translated code makes TCG search that page's translations. The
//! driver's stack is written often, and the address decides how much of the driver's code is in the stack's page. So NICs
//! can be compared over all addresses only.

use std::io;
use std::time::Instant;

use crate::nics::Nic;
use crate::pack;
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::qemu::{self, Qemu};
use crate::setup::{self, fail};
use crate::suite::machine::fixture;

/// Frames of a run, a multiple of BULK's requests.
const FRAMES: u32 = 4_200;
const FRAME_BYTES: f64 = 1514.0;
/// Bytes between two addresses, and in a page of TCG's.
const STEP: u32 = 512;
const PAGE: u32 = 4096;

/// Measures each NIC and prints a line for it.
///
/// # Errors
/// The driver does not load, or no frame of the peer arrives.
pub fn run(nics: &[&Nic]) -> io::Result<()> {
    println!("KB/s of frames of 1,514 bytes that the host sends, with the driver at eight places of a page");
    for nic in nics {
        print!("{:<12}", nic.name);
        for place in (STEP..=PAGE).step_by(STEP as usize) {
            print!("{:>8.0}", once(nic, place)?);
            io::Write::flush(&mut io::stdout())?;
        }
        println!();
    }
    Ok(())
}

/// KB/s with the driver so many bytes higher.
fn once(nic: &Nic, bytes: u32) -> io::Result<f64> {
    let peer = Peer::new()?;
    let card = qemu::Nic { device: super::device(nic).into(), net: peer.cable() };
    let plugins = if nic.plugin { vec![setup::models()?.display().to_string()] } else { Vec::new() };
    let mut files = pack::files()?;
    files.push(("PAD.SYS".into(), fixture("pad", &[&format!("BYTES={bytes}")])?));
    let line = format!("BULK {FRAMES}");
    let config = vec!["DEVICE=PAD.SYS".into(), format!("DEVICE=3COMPKT.SYS /NIC={}", nic.name)];
    let job = Job { files, config, exec: vec![line.clone()], limit: super::LIMIT, ..Job::default() };
    let (mut begun, mut ended, mut came) = (None, None, 0.0);
    let report = Qemu { nics: vec![card], plugins, ..Qemu::default() }.run_with(&job, &mut |line, _| {
        if line == "begin" {
            begun = Some(Instant::now());
        } else if let Some((frames, _)) = line.split_once(" frames of ") {
            ended = Some(Instant::now());
            came = frames.parse().unwrap_or_default();
        }
        Ok(())
    })?;
    match (begun, ended) {
        (Some(begun), Some(ended)) => Ok(came * FRAME_BYTES / 1024.0 / (ended - begun).as_secs_f64()),
        _ => Err(fail(format!("{line} did not end:\n{}", report.output))),
    }
}
