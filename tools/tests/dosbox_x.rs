//! The DOSBox-X rig and DEVICE.COM: a job's lines, their output and exit codes; drivers loaded low and high, raw and
//! MZ, refused ones that leave nothing.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tools::process::TempDir;
use tools::rig::dosbox_x::DosboxX;
use tools::rig::{Job, Report};
use tools::setup;

/// Assembles a fixture.
fn fixture(name: &str, options: &[&str]) -> Vec<u8> {
    let folder = TempDir::new("fixture").unwrap();
    let output = folder.path().join("out");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut command = Command::new(setup::nasm().unwrap());
    assert!(command.args(["-f", "bin", "-o"]).arg(&output).args(options).arg(source).status().unwrap().success());
    std::fs::read(output).unwrap()
}

fn job(config: &[&str], exec: &[&str]) -> Job {
    Job {
        files: vec![
            ("FIX.SYS".into(), fixture("device.asm", &[])),
            ("FIXMZ.EXE".into(), fixture("device.asm", &["-DMZ"])),
            ("PROBE.COM".into(), fixture("probe.asm", &[])),
            ("TWICE.BAT".into(), b"@echo off\r\nprobe %1\r\necho batch\r\n".to_vec()),
        ],
        config: config.iter().map(ToString::to_string).collect(),
        exec: exec.iter().map(ToString::to_string).collect(),
        ..Job::default()
    }
}

fn run(rig: &DosboxX, config: &[&str], exec: &[&str]) -> Report {
    let report = rig.run(&job(config, exec)).unwrap();
    println!("{}", report.output);
    report
}

/// The hexadecimal number behind `name` in what a line printed.
fn number(report: &Report, line: &str, name: &str) -> u32 {
    let text = report.of(line).unwrap_or_else(|| panic!("`{line}` did not run:\n{}", report.output));
    let mut words = text.split_whitespace().skip_while(|word| *word != name);
    let value = words.nth(1).unwrap_or_else(|| panic!("`{line}` printed no `{name}`: {text}"));
    u32::from_str_radix(value, 16).unwrap()
}

#[test]
fn a_program_prints_and_its_exit_code_is_told() {
    let report = run(&DosboxX::default(), &[], &["PROBE a  B", "echo no code", "TWICE x", "NOSUCH"]);
    assert!(report.of("PROBE a  B").unwrap().starts_with("tail [ a  B] PE 0000"), "{}", report.output);
    let codes: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
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
    // Nothing but the first driver and one control block lies between them.
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
    let codes: Vec<&str> = refused.output.lines().filter(|line| line.starts_with("[exit")).skip(2).collect();
    assert_eq!(codes, ["[exit 1]", "[exit 2]", "[exit 0]"]);
    assert_eq!(refused.of("DEVICE C:\\NONE.SYS"), Some("Bad or missing C:\\NONE.SYS"));
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
    let host = UdpSocket::bind("127.0.0.1:0").unwrap();
    host.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = host.local_addr().unwrap().port();
    let echo = std::thread::spawn(move || {
        let mut data = [0; 2048];
        let (length, from) = host.recv_from(&mut data).unwrap();
        data[..length].reverse();
        host.send_to(&data[..length], from).unwrap();
        data[..length].reverse();
        data[..length].to_vec()
    });
    let sent = b"seventeen bytes and more of an odd frame: 0123456789ABCDEF!";
    let back = std::str::from_utf8(sent).unwrap().chars().rev().collect::<String>();
    let mut job = job(&[], &["NIC"]);
    job.files.push(("NIC.COM".into(), fixture("nic.asm", &["-DBASE=0x340", &format!("-DPORT={port}")])));
    job.capture = true;
    let report = DosboxX { ne2000: Some((0x340, 5)), ..DosboxX::default() }.run(&job).unwrap();
    assert_eq!(report.of("NIC"), Some(&*back), "{}", report.output);
    assert_eq!(echo.join().unwrap(), sent);

    let pcap = report.pcap.unwrap();
    let capture = std::fs::read(&pcap).unwrap();
    let mut frames = Vec::new();
    let mut rest = &capture[24..];
    while let Some((head, tail)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        frames.push(&tail[..length]);
        rest = &tail[length..];
    }
    assert!(frames.iter().any(|frame| frame.get(42..) == Some(&sent[..])), "guest to host");
    assert!(frames.iter().any(|frame| frame.get(42..) == Some(back.as_bytes())), "host to guest");
    std::fs::remove_file(pcap).unwrap();
}
