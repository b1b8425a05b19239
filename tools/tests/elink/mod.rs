//! The driver in QEMU with a model of a 3Com card; a complaint of the model is a failure.
#![allow(dead_code)] // each test uses what it needs

pub mod event;
pub mod rig;

use std::time::Duration;

use tools::pack;
use tools::peer::Peer;
use tools::rig::qemu::{Net, Nic, Qemu};
use tools::rig::{Job, Report};
use tools::setup;

/// The least number of CONFORM's checks with a test peer.
const CHECKS: usize = 400;
pub const LINE: &str = "DEVICE=3COMPKT.SYS";

pub fn job(config: &[&str], exec: &[&str]) -> Job {
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
    Job { files: pack::files().unwrap(), config: lines(config), exec: lines(exec), limit: Duration::from_secs(300), ..Job::default() }
}

pub fn qemu(device: &str, net: Net) -> Qemu {
    let plugins = vec![setup::models().unwrap().display().to_string()];
    Qemu { nics: vec![Nic { device: device.into(), net }], plugins, ..Qemu::default() }
}

pub fn run(qemu: &Qemu, job: &Job) -> Report {
    qemu.run(job).unwrap_or_else(|error| panic!("{error}"))
}

/// The exit codes, in order.
pub fn exits(report: &Report) -> Vec<u8> {
    let codes = report.output.lines().filter_map(|line| line.strip_prefix("[exit ")?.strip_suffix(']'));
    codes.map(|code| code.parse().unwrap()).collect()
}

/// All of CONFORM's checks pass, with the test peer.
pub fn conforms(device: &str, config: &str) {
    let peer = Peer::new().unwrap();
    let report = run(&qemu(device, peer.cable()), &job(&[config], &["CONFORM /PEER"]));
    let text = report.of("CONFORM /PEER").unwrap_or_else(|| panic!("{}", report.output));
    let bad: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    let good = text.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(bad.is_empty() && good >= CHECKS && exits(&report) == [0], "{device}: {good} checks passed\n{}\n{}", bad.join("\n"), report.output);
}

/// Frames of every length pass in both directions; short and long pings are answered.
pub fn moves_frames(device: &str, config: &str, count: u32) {
    let peer = Peer::new().unwrap();
    let line = format!("INTEGRIT {count}");
    let report = run(&qemu(device, peer.cable()), &job(&[config], &[&line, "PKTCTL test", "PKTCTL test 10.0.2.2 /size=1472 /ip=10.0.2.15"]));
    assert_eq!(exits(&report), [0; 3], "{device}: {}", report.output);
    assert!(report.of(&line).is_some_and(|text| text.contains("every byte right")), "{device}: {}", report.output);
}

/// The driver refuses with one line that begins so, and nothing stays.
pub fn refused(qemu: &Qemu, config: &str, why: &str) {
    let report = run(qemu, &job(&[config], &["PKTCTL status"]));
    let text = report.of(config).unwrap_or_else(|| panic!("{}", report.output));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('[')).collect();
    assert!(lines.len() == 1 && lines[0].contains(why), "not one line with `{why}`:\n{}", report.output);
    assert_eq!(exits(&report), [3], "something is there:\n{}", report.output);
}
