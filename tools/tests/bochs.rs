//! The Bochs rig: the same jobs as in other rigs; and an access beyond a segment's limit, which only Bochs notices.

mod fixtures;

use fixtures::{check_nic, exits, fixture, job, number};
use std::time::Duration;
use tools::rig::bochs::{Bochs, Nic};

#[test]
fn a_job_runs_and_its_lines_are_told() {
    let lines = ["DEVICE=FIX.SYS /foo", "DEVICE=FIX.SYS /R"];
    let report = Bochs { nic: Nic::None, ..Bochs::default() }.run(&job(&lines, &["PROBE a  B", "PROBE"])).unwrap();
    assert!(report.output.starts_with("> DEVICE=FIX.SYS /foo\n"), "{}", report.output);
    assert!(report.output.ends_with("\n[exit 7]\n"), "{}", report.output);
    assert!(report.of(lines[0]).unwrap().contains("tail [FIX.SYS /foo]"));
    assert!(report.of("PROBE a  B").unwrap().starts_with("tail [ a  B] PE 0000"));
    assert_eq!(number(&report, "PROBE", "free"), number(&report, "PROBE a  B", "free"));
    assert_eq!(exits(&report), ["[exit 7]", "[exit 7]"]);
}

#[test]
fn an_access_past_a_segment_limit_is_an_error() {
    let mut job = job(&[], &["PROBE", "LIMIT"]);
    job.files.push(("LIMIT.COM".into(), fixture("limit.asm", &[])));
    job.limit = Duration::from_secs(10);
    let error = Bochs::default().run(&job).unwrap_err().to_string();
    assert!(error.contains("read beyond limit") && error.contains("> LIMIT"), "{error}");
}

#[test]
fn a_job_that_hangs_is_an_error_that_shows_what_was_printed() {
    let mut job = job(&[], &["PROBE", "HANG"]);
    job.files.push(("HANG.COM".into(), b"\xEB\xFE".to_vec()));
    job.limit = Duration::from_secs(4);
    let error = Bochs::default().run(&job).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("[exit 7]\n> HANG\n"), "{error}");
}

#[test]
fn the_ne2000_reaches_the_host_and_the_capture_has_both_ways() {
    let rig = Bochs { nic: Nic::Ne2000 { base: 0x320, irq: 3 }, real_time: true, ..Bochs::default() };
    check_nic(0x320, true, |job| rig.run(job).unwrap());
}

#[test]
fn the_pci_cards_are_there() {
    for (nic, vendor, device) in [(Nic::Ne2000Pci, 0x10EC, 0x8029), (Nic::E1000, 0x8086, 0x100E)] {
        let mut job = job(&[], &["PCI"]);
        job.files.push(("PCI.COM".into(), fixture("pci.asm", &[&format!("VENDOR={vendor}"), &format!("DEVICE={device}")])));
        let report = Bochs { nic, ..Bochs::default() }.run(&job).unwrap();
        assert_eq!(exits(&report), ["[exit 0]"], "{}", report.output);
        assert!((1..16).contains(&number(&report, "PCI", "line")), "{}", report.output);
        assert_ne!(number(&report, "PCI", "base"), 0);
    }
}
