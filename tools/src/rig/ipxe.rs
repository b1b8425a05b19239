//! Debian's iPXE in QEMU with the models: after Linux, the second judge of a model. Its drivers were written by others for the
//! real cards, too.
//!
//! iPXE gets a file by TFTP through each card in turn, and reboots, which ends QEMU. The network is QEMU's own.

use super::linux::{COMPLAINT, frames};
use crate::process::{Bounded, TempDir};
use crate::setup::{self, fail};
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::process::Command;
use std::time::Duration;

/// Longest time of a run.
const LIMIT: Duration = Duration::from_secs(240);
/// Headers of a TFTP frame before its operation: MAC, IP, UDP.
const HEADERS: usize = 14 + 20 + 8;

/// What a run has shown.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// For each card: the file came through it, to the last block.
    pub got: Vec<bool>,
    /// The models' complaints.
    pub complaints: Vec<String>,
}

/// Gets `file` through each of these cards (`-device`, without a net).
///
/// # Errors
/// The rig cannot be set up, or iPXE did not end within the limit.
pub fn fetch(cards: &[&str], file: &[u8]) -> io::Result<Verdict> {
    let kernel = setup::ipxe()?.join("boot/ipxe.lkrn");
    let folder = TempDir::new("ipxe")?;
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("tftp"))?;
    fs::write(path("tftp").join("file"), file)?;
    let mut command = Command::new(setup::qemu()?);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-accel", "tcg", "-m", "64"]);
    // A boot that fails ends in a reboot, too.
    command.args(["-global", "pci-device.romfile=", "-boot", "reboot-timeout=0"]);
    command.arg("-plugin").arg(format!("{},log={}", setup::models()?.display(), path("complaints").display()));
    let mut lines = String::new();
    for (number, card) in cards.iter().enumerate() {
        let net = 2 + number;
        let user = format!("user,id=n{number},net=10.0.{net}.0/24,restrict=on,tftp={}", path("tftp").display());
        let dump = format!("filter-dump,id=d{number},netdev=n{number},file={},maxlen=2048", path(&format!("frames{number}")).display());
        command.args(["-netdev", &user, "-object", &dump, "-device", &format!("{card},netdev=n{number}")]);
        let card = format!("set net{number}/ip 10.0.{net}.15 && ifopen net{number} && imgfetch tftp://10.0.{net}.2/file && imgfree && ifclose net{number}");
        let _ = write!(lines, "{card} && ");
    }
    command.arg("-kernel").arg(kernel).arg("-append").arg(format!("{lines}reboot"));
    let errors = File::create(path("errors"))?;
    command.stdout(errors.try_clone()?).stderr(errors);
    Bounded::start(&mut command, LIMIT)?.wait()?;
    let text = |name: &str| fs::read(path(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    if !path("frames0").exists() {
        return Err(fail(format!("QEMU did not start:\n{}", text("errors"))));
    }
    let got = (0..cards.len()).map(|card| fs::read(path(&format!("frames{card}"))).is_ok_and(|pcap| whole(&frames(&pcap))));
    let complaints = text("complaints").lines().filter(|line| line.starts_with(COMPLAINT)).map(str::to_string).collect();
    Ok(Verdict { got: got.collect(), complaints })
}

/// Whether the frames have the last block of a file, which is shorter than the others, and its acknowledgement.
fn whole(frames: &[Vec<u8>]) -> bool {
    let of = |operation: u8| frames.iter().filter_map(move |frame| frame.get(HEADERS..)?.strip_prefix(&[0, operation]));
    let number = |rest: &[u8]| rest.get(..2).map(|number| [number[0], number[1]]);
    let longest = of(3).map(<[u8]>::len).max().unwrap_or(0);
    let last = of(3).filter(|rest| rest.len() < longest).filter_map(number).last();
    last.is_some_and(|last| of(4).filter_map(number).any(|number| number == last))
}
