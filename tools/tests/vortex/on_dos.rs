//! The driver in QEMU with the models.

use crate::elink::*;
use tools::nics::NICS;
use tools::rig::qemu::Net;

fn devices() -> impl Iterator<Item = &'static str> {
    NICS.iter().filter(|nic| matches!(nic.name, "vortex" | "boomerang")).flat_map(|nic| nic.devices.iter().copied())
}

/// Without the first device of each NIC, which the suite tests.
#[test]
fn slow_the_others_conform() {
    let nics = NICS.iter().filter(|nic| matches!(nic.name, "vortex" | "boomerang"));
    nics.flat_map(|nic| &nic.devices[1..]).for_each(|device| conforms(device, LINE));
}

#[test]
fn slow_each_outlives_every_fault() {
    for device in devices() {
        let fault = "tx-underrun@9*2+jabber@14+max-collisions@17*3+rx-overrun@4+rx-crc@6*2+adapter-failure@12+lost-interrupt@20";
        let lines = ["PKTCTL test /count=50", "PKTCTL status", "PKTCTL test"];
        let report = run(&qemu(&format!("{device},fault={fault}"), Net::User), &job(&[LINE], &lines));
        assert_eq!(exits(&report).last(), Some(&0), "{device}: {}", report.output);
    }
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    for device in ["vortex-3c595", "cyclone-3c905b"] {
        refused(&qemu(&format!("{device},fault=bad-checksum"), Net::User), LINE, "EEPROM");
        refused(&qemu(&format!("{device},fault=stuck-command"), Net::User), LINE, "does not answer");
    }
}

#[test]
fn a_sleeping_card_is_woken() {
    let report = run(&qemu("tornado-3c905c,power=d3", Net::User), &job(&[LINE], &["PKTCTL test"]));
    assert_eq!(exits(&report), [0], "{}", report.output);
}

#[test]
fn they_unload_and_come_again() {
    for device in ["vortex-3c595", "boomerang-3c905", "tornado-3c905c"] {
        let lines = ["3COMPKT 0x60", "PKTCTL test", "3COMPKT /U", "3COMPKT 0x60", "PKTCTL test"];
        let report = run(&qemu(device, Net::User), &job(&[], &lines));
        assert_eq!(exits(&report), [0; 5], "{device}: {}", report.output);
    }
}
