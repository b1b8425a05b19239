//! The DOSBox-X rig and DEVICE.COM: a job's lines, their output and exit codes; drivers loaded low and high, raw and MZ;
//! refused drivers, which leave nothing.

mod fixtures;

use fixtures::{check_nic, exits, fixture, job, number};
use std::time::Duration;
use tools::rig::Report;
use tools::rig::dosbox_x::DosboxX;

fn run(rig: &DosboxX, config: &[&str], exec: &[&str]) -> Report {
    let mut job = job(config, exec);
    job.files.push(("TWICE.BAT".into(), b"@echo off\r\nprobe %1\r\necho batch\r\n".to_vec()));
    let report = rig.run(&job).unwrap();
    println!("{}", report.output);
    report
}

#[test]
fn a_program_prints_and_its_exit_code_is_told() {
    let report = run(&DosboxX::default(), &[], &["PROBE a  B", "echo no code", "TWICE x", "NOSUCH"]);
    assert!(report.of("PROBE a  B").unwrap().starts_with("tail [ a  B] PE 0000"), "{}", report.output);
    let codes = exits(&report);
    assert_eq!(codes.len(), 4);
    assert_eq!(codes[..2], ["[exit 7]", "[exit 0]"]);
    assert_eq!(report.of("echo no code"), Some("no code"));
    assert!(report.of("TWICE x").unwrap().ends_with("batch"));
}

#[test]
fn a_job_that_hangs_is_an_error_that_shows_what_was_printed() {
    let mut job = job(&[], &["PROBE", "HANG"]);
    job.files.push(("HANG.COM".into(), b"\xEB\xFE".to_vec()));
    job.limit = Duration::from_secs(4);
    let error = DosboxX::default().run(&job).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("[exit 7]\n> HANG\n"), "{error}");
}

#[test]
fn device_loads_raw_and_mz_low_one_behind_the_other() {
    let (raw, mz) = ("DEVICE=FIX.SYS /foo Bar", "DEVICE=C:\\FIXMZ.EXE");
    let report = run(&DosboxX::default(), &[raw, mz], &["PROBE"]);
    assert!(report.of(raw).unwrap().ends_with("tail [FIX.SYS /foo Bar]"));
    assert!(report.of(mz).unwrap().ends_with("tail [C:\\FIXMZ.EXE]"));
    let (first, second) = (number(&report, raw, "segment"), number(&report, mz, "segment"));
    assert_eq!(number(&report, mz, "fixed"), second);
    // Between them lie only the first driver and one memory control block.
    let size = job(&[], &[]).files[0].1.len().div_ceil(16) as u32;
    assert_eq!(second, first + size + 1);
    assert!(number(&report, raw, "end") > 0x9000);
}

#[test]
fn devicehigh_loads_into_upper_memory_and_falls_back_without_it() {
    let lines = ["DEVICEHIGH=FIX.SYS", "DEVICEHIGH=FIXMZ.EXE"];
    let high = run(&DosboxX::default(), &lines, &["PROBE"]);
    let low = run(&DosboxX { umb: false, ..DosboxX::default() }, &lines, &["PROBE"]);
    let none = run(&DosboxX::default(), &[], &["PROBE"]);
    for line in lines {
        assert!(number(&high, line, "segment") >= 0xA000);
        assert!(number(&low, line, "segment") < 0xA000);
    }
    assert_eq!(number(&high, lines[1], "fixed"), number(&high, lines[1], "segment"));
    assert_eq!(number(&high, "PROBE", "free"), number(&none, "PROBE", "free"));
}

#[test]
fn a_refused_driver_leaves_nothing() {
    let lines = ["DEVICE=FIX.SYS /R", "DEVICEHIGH=FIX.SYS /R", "DEVICE=FIX.SYS /B", "DEVICE=NONE.SYS"];
    let refused = run(&DosboxX::default(), &lines, &["PROBE", "LH PROBE", "DEVICE FIX.SYS /R", "DEVICE C:\\NONE.SYS", "DEVICE FIX.SYS"]);
    let none = run(&DosboxX::default(), &[], &["PROBE"]);
    assert_eq!(number(&refused, "PROBE", "free"), number(&none, "PROBE", "free"));
    assert_eq!(number(&refused, "LH PROBE", "high"), 1);
    assert!(refused.of(lines[2]).unwrap().ends_with("Device driver keeps more memory than there is: FIX.SYS"));
    assert_eq!(exits(&refused)[2..], ["[exit 1]", "[exit 2]", "[exit 0]"]);
    assert_eq!(refused.of("DEVICE C:\\NONE.SYS"), Some("Bad or missing C:\\NONE.SYS"));
}

#[test]
fn a_loaded_device_is_in_the_chain_and_its_memory_is_dos_s() {
    for line in ["DEVICE=FIX.SYS", "DEVICEHIGH=FIXMZ.EXE"] {
        let mut job = job(&[line, "DEVICE=FIX.SYS /R", line], &["CHAIN"]);
        job.files.push(("CHAIN.COM".into(), fixture("chain.asm", &[])));
        let report = DosboxX::default().run(&job).unwrap();
        assert_eq!(report.of("CHAIN"), Some("count 0002 owner 0008"), "{}", report.output);
    }
}

#[test]
fn v86_mode_is_real() {
    let rig = DosboxX { v86: true, ..DosboxX::default() };
    let lines = ["DEVICE=FIX.SYS", "DEVICEHIGH=FIX.SYS /x"];
    let report = run(&rig, &lines, &["PROBE"]);
    for line in lines {
        assert_eq!(number(&report, line, "PE"), 1);
    }
    assert_eq!(number(&report, "PROBE", "PE"), 1);
    assert!(number(&report, lines[1], "segment") >= 0xA000);
}

#[test]
fn the_ne2000_reaches_the_host_and_the_capture_has_both_ways() {
    check_nic(0x340, true, |job| DosboxX { ne2000: Some((0x340, 5)), ..DosboxX::default() }.run(job).unwrap());
}
