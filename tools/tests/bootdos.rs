//! The boot DOS in QEMU.

use std::path::Path;
use tools::rig::image::{self, Dos};
use tools::rig::qemu::Qemu;
use tools::rig::{Job, Report};

/// Assembles a fixture.
fn fixture(name: &str, defines: &[&str]) -> Vec<u8> {
    image::assemble(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), defines).unwrap()
}

fn job(config: &[&str], exec: &[&str]) -> Job {
    Job {
        files: vec![
            ("FIX.SYS".into(), fixture("tests/fixtures/device.asm", &[])),
            ("FIXMZ.EXE".into(), fixture("tests/fixtures/device.asm", &["MZ"])),
            ("PROBE.COM".into(), fixture("tests/fixtures/probe.asm", &[])),
        ],
        config: config.iter().map(ToString::to_string).collect(),
        exec: exec.iter().map(ToString::to_string).collect(),
        ..Job::default()
    }
}

fn run(dos: Dos, config: &[&str], exec: &[&str]) -> Report {
    let report = Qemu { dos, ..Qemu::default() }.run(&job(config, exec)).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", report.output);
    report
}

#[test]
fn a_program_prints_and_its_exit_code_is_told() {
    let report = run(Dos::default(), &[], &["PROBE a  B", "NOSUCH"]);
    assert!(report.of("PROBE a  B").unwrap().starts_with("tail [ a  B] PE 0000"));
    let codes: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
    assert_eq!(codes, ["[exit 7]", "[exit 255]"]);
}

#[test]
fn device_loads_raw_and_mz_and_gives_back_what_was_refused() {
    let lines = ["DEVICE=FIX.SYS /foo Bar", "DEVICE=C:\\FIXMZ.EXE", "mem", "DEVICE=FIX.SYS /R"];
    let report = run(Dos::default(), &lines, &["mem"]);
    assert!(report.of(lines[0]).unwrap().contains("tail [FIX.SYS /foo Bar]\n[device resident 298 bytes at "));
    assert!(report.of(lines[1]).unwrap().contains("tail [C:\\FIXMZ.EXE]\n[device resident "));
    assert!(report.of(lines[3]).unwrap().ends_with("[device refused, status 8003]"));
    let map: Vec<&str> = report.output.split("> mem\n").skip(1).filter_map(|text| text.split_once("free")).map(|(map, _)| map).collect();
    assert_eq!(map[0], map[1]);
}
