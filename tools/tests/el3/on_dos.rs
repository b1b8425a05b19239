//! The driver in QEMU with the model.

use crate::elink::*;
use tools::rig::qemu::{Net, Nic};

/// With a slow wire: a pause of the host within a frame is no underrun.
const CARD: &str = "el3,iobase=0x300,irq=10,wire=3000";

#[test]
fn slow_it_outlives_every_fault() {
    for fault in ["tx-underrun@20*5", "jabber@30*3", "max-collisions@15*9", "rx-overrun@3*3", "rx-crc@4*3", "adapter-failure@6*3", "lost-interrupt@40*2"] {
        let report = run(&qemu(&format!("{CARD},fault={fault}"), Net::User), &job(&[LINE], &["PKTCTL test /count=50", "PKTCTL status", "PKTCTL test"]));
        assert_eq!(exits(&report).last(), Some(&0), "{fault}: {}", report.output);
    }
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    refused(&qemu("el3,iobase=0x300,irq=10,fault=bad-checksum", Net::User), LINE, "EEPROM");
    refused(&qemu(CARD, Net::User), "DEVICE=3COMPKT.SYS /IO=320", "320");
    refused(&qemu(CARD, Net::User), "DEVICE=3COMPKT.SYS /IRQ=4", "IRQ");
    refused(&qemu("el3,iobase=0x300,irq=10,fault=stuck-command", Net::User), LINE, "does not answer");
}

#[test]
fn the_medium_can_be_chosen() {
    moves_frames(CARD, "DEVICE=3COMPKT.SYS /MEDIA=BNC", 100);
    moves_frames(CARD, "DEVICE=3COMPKT.SYS /media:tp,fd", 100);
    refused(&qemu(CARD, Net::User), "DEVICE=3COMPKT.SYS /MEDIA=TX", "/MEDIA=");
    refused(&qemu("ne2k_isa,iobase=0x300,irq=10", Net::User), "DEVICE=3COMPKT.SYS /MEDIA=TP", "ne2000: the card cannot be told");
}

#[test]
fn a_card_that_waits_for_the_pnp_key_works() {
    moves_frames("el3,iobase=0x300,irq=10,fault=id-deaf", LINE, 200);
}

#[test]
fn two_cards_have_a_driver_each() {
    let mut qemu = qemu(CARD, Net::User);
    qemu.nics.push(Nic { device: "el3,iobase=0x320,irq=11".into(), net: Net::User });
    let lines = ["PKTCTL test /INT=60", "PKTCTL test /INT=61", "PKTCTL test /INT=60", "PKTCTL status /INT=60", "PKTCTL status /INT=61"];
    let report = run(&qemu, &job(&[LINE, "DEVICE=3COMPKT.SYS /INT=61"], &lines));
    assert_eq!(exits(&report), [0; 5], "{}", report.output);
    assert!(report.of(lines[3]).unwrap().contains("port 0300h") && report.of(lines[4]).unwrap().contains("port 0320h"), "{}", report.output);
}

#[test]
fn two_cards_at_one_port_are_not_both_taken() {
    let mut qemu = qemu(CARD, Net::User);
    qemu.nics.push(Nic { device: CARD.into(), net: Net::User });
    let second = "DEVICE=3COMPKT.SYS /INT=61";
    let report = run(&qemu, &job(&[LINE, second], &["PKTCTL test /INT=60", "PKTCTL status /INT=61"]));
    assert_eq!(exits(&report), [0, 3], "{}", report.output);
    assert!(report.of(second).unwrap().contains("collides"), "{}", report.output);
}

#[test]
fn it_unloads_and_comes_again() {
    let lines = ["3COMPKT 0x60", "PKTCTL test", "3COMPKT /U", "3COMPKT 0x60", "PKTCTL test"];
    let report = run(&qemu(CARD, Net::User), &job(&[], &lines));
    assert_eq!(exits(&report), [0; 5], "{}", report.output);
}
