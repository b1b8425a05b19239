//! The test programs and PKTCTL with the driver of the last build: what the suite's tests of every NIC leave out.

mod fixtures;

use fixtures::fixture;
use std::time::Duration;
use tools::pack;
use tools::peer::Peer;
use tools::rig::dosbox_x::DosboxX;
use tools::rig::qemu::{Net, Nic, Qemu};
use tools::rig::{Job, Report};

/// The least number of CONFORM's checks without a test peer: it must not end early.
const CHECKS: usize = 300;

fn job(config: &str, exec: &[&str]) -> Job {
    Job {
        files: pack::files().unwrap(),
        config: if config.is_empty() { Vec::new() } else { vec![config.into()] },
        exec: exec.iter().map(ToString::to_string).collect(),
        limit: Duration::from_secs(400),
        ..Job::default()
    }
}

fn qemu(net: Net) -> Qemu {
    // QEMU's NE2000 compares with the address in its PROM only: hence CONFORM's /FIXED.
    Qemu { nics: vec![Nic { device: "ne2k_isa,iobase=0x300,irq=10".into(), net }], ..Qemu::default() }
}

/// The names of CONFORM's checks, all of which passed, at least `least`.
fn passed(report: &Report, line: &str, least: usize) -> Vec<String> {
    let text = report.of(line).unwrap_or_else(|| panic!("`{line}` did not run:\n{}", report.output));
    let bad: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let names: Vec<String> = text.lines().filter_map(|line| line.strip_prefix("ok ")).map(String::from).collect();
    assert_eq!(text.lines().last(), Some(format!("{} passed, 0 failed", names.len()).as_str()), "{text}");
    assert!(names.len() >= least, "only {} checks:\n{text}", names.len());
    names
}

/// The exit codes, in order.
fn exits(report: &Report) -> Vec<u8> {
    let codes = report.output.lines().filter_map(|line| line.strip_prefix("[exit ")?.strip_suffix(']'));
    codes.map(|code| code.parse().unwrap()).collect()
}

fn of<'a>(report: &'a Report, line: &str) -> &'a str {
    report.of(line).unwrap_or_else(|| panic!("`{line}` did not run:\n{}", report.output))
}

#[test]
fn slow_the_driver_goes_on_terminate_and_comes_again() {
    let lines = ["3COMPKT 0x60", "CONFORM /FIXED /END", "PKTCTL status", "3COMPKT 0x61", "CONFORM /FIXED /INT=61 /END"];
    let report = qemu(Net::User).run(&job("", &lines)).unwrap();
    assert_eq!(exits(&report), [0, 0, 3, 0, 0], "{}", report.output);
    for line in [lines[1], lines[4]] {
        let names = passed(&report, line, CHECKS);
        assert!(names.iter().any(|name| name == "  no packet driver is left"), "{names:?}");
    }
}

#[test]
fn slow_programs_refuse_an_old_processor() {
    for cpu in ["8086", "286"] {
        let rig = DosboxX { cpu: cpu.into(), ..DosboxX::default() };
        let report = rig.run(&job("", &["PKTCTL status"])).unwrap();
        assert_eq!(of(&report, "PKTCTL status").trim_end(), "This program needs a 386 or later.");
        assert_eq!(exits(&report), [255]);
    }
}

#[test]
fn long_a_million_random_calls_change_nothing_but_what_they_may() {
    let lines: Vec<String> = (11..21).map(|seed| format!("FUZZ 100000 /SEED={seed}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = qemu(Net::User).run(&Job { limit: Duration::from_secs(3600), ..job("DEVICE=3COMPKT.SYS", &lines) }).unwrap();
    assert_eq!(exits(&report), [0; 10], "{}", report.output);
}

#[test]
fn a_changed_byte_is_seen_and_its_call_found() {
    let lines = ["FUZZ 8000 /POKE=5500", "FUZZ 8000 /POKE=5500 /FROM=5400"];
    let report = qemu(Net::User).run(&job("DEVICE=3COMPKT.SYS", &lines)).unwrap();
    assert!(of(&report, lines[0]).contains("made again, it was call 5500,"), "{}", report.output);
    assert!(of(&report, lines[1]).contains("changed by call 5500 "), "{}", report.output);
    assert_eq!(exits(&report), [1, 1]);
}

#[test]
fn frames_shorter_than_the_shortest_go_both_ways_unharmed() {
    let peer = Peer::new().unwrap();
    let line = "INTEGRIT 600 /MIN=26 /MAX=70";
    let report = qemu(peer.cable()).run(&job("DEVICE=3COMPKT.SYS", &[line])).unwrap();
    let text = of(&report, line);
    assert!(text.contains("600 frames received and 600 sent") && text.contains("every byte right"), "{text}");
    assert_eq!(exits(&report), [0], "{}", report.output);
}

#[test]
fn slow_without_a_test_peer_frame_shapes_are_asked_for_in_vain() {
    let line = "CONFORM /FIXED /PEER";
    let report = qemu(Net::User).run(&job("DEVICE=3COMPKT.SYS", &[line])).unwrap();
    assert!(of(&report, line).contains("FAIL a test peer answers"), "{}", report.output);
    assert_eq!(exits(&report), [1]);
}

/// No station answers. With -icount the machine's time runs faster than the host's, so that time-outs take little time.
#[test]
fn without_a_test_peer_frames_are_exchanged_in_vain() {
    let machine = Qemu { icount: true, ..qemu(Net::Hub(0)) };
    let report = machine.run(&job("DEVICE=3COMPKT.SYS", &["INTEGRIT"])).unwrap();
    assert!(of(&report, "INTEGRIT").contains("no answer from the test peer"), "{}", report.output);
    assert_eq!(exits(&report), [1]);
}

#[test]
fn pktctl_shows_the_driver_and_tests_the_network() {
    let lines = ["PKTCTL status", "PKTCTL test", "PKTCTL test 10.0.2.2 /count=2 /size=1472 /ip=10.0.2.15 /gw=10.0.2.2", "PKTCTL mem"];
    let report = qemu(Net::User).run(&job("DEVICE=3COMPKT.SYS", &lines)).unwrap();
    assert_eq!(exits(&report), [0; 4], "{}", report.output);
    let status = of(&report, lines[0]);
    for text in ["3COMPKT 0.1 on INT 60h", "ne2000", "port 0300h, IRQ 10", "52:54:00:12:34:56", "0 of 8 in use", "by DEVICE="] {
        assert!(status.contains(text), "no `{text}` in\n{status}");
    }
    let test = of(&report, lines[1]);
    for text in ["10.0.2.15 mask 255.255.255.0", "10.0.2.2 is at 52:55:0A:00:02:02", "4 sent, 4 answered"] {
        assert!(test.contains(text), "no `{text}` in\n{test}");
    }
    assert!(of(&report, lines[2]).contains("1472 bytes: ") && of(&report, lines[2]).contains("2 sent, 2 answered"));
    // The rows add up to the last row.
    let rows: Vec<u32> = of(&report, lines[3]).lines().skip(1).map(|row| row.split_whitespace().next().unwrap().parse().unwrap()).collect();
    let (all, parts) = rows.split_last().unwrap();
    assert_eq!(parts.iter().sum::<u32>(), *all, "{}", report.output);
    assert!(status.contains(&format!("{all} bytes at segment")), "{status}");
}

#[test]
fn pktctl_says_plainly_what_is_wrong() {
    let lines = ["PKTCTL status", "PKTCTL test", "PKTCTL mem", "PKTCTL test /COUNT=0", "PKTCTL nonsense", "PKTCTL", "PKTCTL status /INT=66"];
    let report = qemu(Net::User).run(&job("", &lines)).unwrap();
    assert_eq!(exits(&report), [3, 3, 3, 2, 2, 0, 3], "{}", report.output);
    assert!(of(&report, lines[0]).starts_with("No packet driver on INT 20h to FFh. Load one"));
    assert!(of(&report, lines[3]).starts_with("PKTCTL: /COUNT=0: not a value that this option takes."));
    assert!(of(&report, lines[6]).starts_with("No packet driver on INT 66h."));
}

#[test]
fn pktctl_says_of_a_foreign_driver_what_it_can() {
    let lines = ["FOREIGN", "PKTCTL status", "PKTCTL mem", "PKTCTL test"];
    let mut job = job("", &lines);
    job.files.push(("FOREIGN.COM".into(), fixture("foreign.asm", &[])));
    let report = qemu(Net::User).run(&job).unwrap();
    assert_eq!(exits(&report), [0, 0, 3, 3], "{}", report.output);
    let status = of(&report, "PKTCTL status");
    for text in ["Packet driver on INT 61h, not 3COMPKT", "calls itself FOREIGN, version 7, class 1", "02:03:04:05:06:07",
        "counters     it refuses to say (BAD_COMMAND)", "it has no get_parameters", "not known    port, IRQ, link"] {
        assert!(status.contains(text), "no `{text}` in\n{status}");
    }
    let mem = of(&report, "PKTCTL mem");
    assert!(mem.starts_with("INT 61h: FOREIGN, version 7, is not 3COMPKT"), "{mem}");
    assert!(of(&report, "PKTCTL test").contains("not sent (BAD_COMMAND)"), "{}", report.output);
}
