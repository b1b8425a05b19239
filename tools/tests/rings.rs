//! Cards that do DMA: rings in extended memory behind a closed A20 gate, rings below 1 MB, and other drivers' leavings.

use std::sync::OnceLock;
use std::time::Duration;

use tools::nics::{Found, NICS};
use tools::pack;
use tools::peer::Peer;
use tools::rig::image::{Dos, Xms};
use tools::rig::qemu::{Net, Nic, Qemu};
use tools::rig::{Job, Report};
use tools::setup;

const LINE: &str = "DEVICE=3COMPKT.SYS";

/// The driver and all programs.
fn files() -> Vec<(String, Vec<u8>)> {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let make = || {
        pack::build().unwrap();
        let mut files = pack::program::all(&setup::root().join("target/i386-dos/release")).unwrap();
        for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
            files.push((name.into(), std::fs::read(pack::dist().join(name)).unwrap()));
        }
        files
    };
    FILES.get_or_init(make).clone()
}

fn job(config: &[&str], exec: &[&str]) -> Job {
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
    Job { files: files(), config: lines(config), exec: lines(exec), limit: Duration::from_secs(60), ..Job::default() }
}

/// The devices of every DMA card that stock QEMU has; with `NIC=name` in the environment, those of one driver.
fn devices() -> impl Iterator<Item = &'static str> {
    let only = std::env::var("NIC").ok();
    let cards = NICS.iter().filter(|nic| nic.found == Found::Pci && nic.memory && !nic.plugin);
    cards.filter(move |nic| only.as_ref().is_none_or(|only| nic.name == only)).flat_map(|nic| nic.devices.iter().copied())
}

fn with(device: &str, net: Net) -> Qemu {
    Qemu { nics: vec![Nic { device: device.into(), net }], ..Qemu::default() }
}

fn run(device: &str, qemu: &Qemu, job: &Job) -> Report {
    qemu.run(job).unwrap_or_else(|error| panic!("{device}: {error}"))
}

/// Every program ended well; the text of one of them.
fn good<'a>(device: &str, report: &'a Report, line: &str) -> &'a str {
    let bad = report.output.lines().any(|line| line.starts_with("[exit") && line != "[exit 0]");
    assert!(!bad, "{device}: {}", report.output);
    report.of(line).unwrap_or_else(|| panic!("{device}: {}", report.output))
}

/// What DOS and the drivers before us think is at the megabyte's edge stays there.
#[test]
fn a_closed_a20_gate_is_opened_for_the_driver_alone() {
    for device in devices() {
        let peer = Peer::new().unwrap();
        let job = job(&[LINE], &["A20 OFF", "PKTCTL test", "A20", "INTEGRIT 300", "A20", "A20 ON", "PKTCTL test", "A20"]);
        let report = run(device, &with(device, peer.cable()), &job);
        let gates: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[a20")).collect();
        assert_eq!(gates, ["[a20 0]", "[a20 0]", "[a20 1]"], "{device}: {}", report.output);
        assert!(good(device, &report, "INTEGRIT 300").contains("every byte right"), "{device}: {}", report.output);
    }
}

#[test]
fn rings_fit_below_a_megabyte_where_there_is_no_xms() {
    for device in devices() {
        let peer = Peer::new().unwrap();
        let job = job(&[LINE], &["PKTCTL test", "INTEGRIT 300", "PKTCTL status"]);
        let qemu = Qemu { dos: Dos { xms: Xms::None, ..Dos::default() }, ..with(device, peer.cable()) };
        let report = run(device, &qemu, &job);
        assert!(good(device, &report, "INTEGRIT 300").contains("every byte right"), "{device}: {}", report.output);
    }
}

/// iPXE has driven the card and left it as it likes.
#[test]
fn a_card_that_firmware_used_is_reset() {
    for device in devices() {
        let qemu = Qemu { roms: true, cpu: "qemu32".into(), ..with(device, Net::User) };
        good(device, &run(device, &qemu, &job(&[LINE], &["PKTCTL test"])), "PKTCTL test");
    }
}

/// Loaded, used and unloaded ten times: XMS memory and handles come back, and the card is quiet.
#[test]
fn xms_comes_back_when_the_driver_goes() {
    for device in devices() {
        let round = ["3COMPKT", "PKTCTL test", "3COMPKT /U"];
        let job = job(&[], &[&round[..]; 10].concat());
        good(device, &run(device, &with(device, Net::User), &job), "3COMPKT /U");
    }
}

/// Slots 2 and 6 of QEMU's PC have one interrupt line.
#[test]
fn two_cards_on_one_line_keep_out_of_each_other() {
    for device in devices() {
        let peers = [Peer::new().unwrap(), Peer::new().unwrap()];
        let nic = |slot, mac, net| Nic { device: format!("{device},addr={slot},mac=52:54:00:12:34:{mac}"), net };
        let qemu = Qemu { nics: vec![nic(2, 56, peers[0].cable()), nic(6, 57, peers[1].cable())], ..Qemu::default() };
        let job = job(
            &[LINE, "DEVICE=3COMPKT.SYS /INT=61"],
            &["PKTCTL status", "INTEGRIT 300", "INTEGRIT 300 /INT=61", "PKTCTL test", "PKTCTL test /INT=61", "PKTCTL status /INT=61"],
        );
        let report = run(device, &qemu, &job);
        for line in ["INTEGRIT 300", "INTEGRIT 300 /INT=61"] {
            assert!(good(device, &report, line).contains("every byte right"), "{device}: {}", report.output);
        }
        let irq = |line: &str| report.of(line).unwrap().split("IRQ ").nth(1).unwrap().lines().next().unwrap().to_string();
        assert_eq!(irq("PKTCTL status"), irq("PKTCTL status /INT=61"), "{device}: the slots do not share their line");
    }
}

/// With the cable out nothing hangs, and with it back in everything goes on.
#[test]
fn sending_into_a_pulled_cable_ends_in_bounded_time() {
    for device in devices() {
        let job = job(&[LINE], &["pause", "PKTCTL test", "PKTCTL status", "pause", "PKTCTL test"]);
        let mut up = true;
        let report = with(device, Net::User).run_with(&job, &mut |line, monitor| {
            if line == "[pause]" {
                up = !up;
                monitor.set_link("c0", up)?;
                monitor.resume()?;
            }
            Ok(())
        });
        let report = report.unwrap_or_else(|error| panic!("{device}: {error}"));
        let exits: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
        assert!(exits.last() == Some(&"[exit 0]") && exits[1] != "[exit 0]", "{device}: {}", report.output);
        let status = report.of("PKTCTL status").unwrap();
        assert!(status.contains("link         down") || status.contains("link         unknown"), "{device}: {status}");
    }
}
