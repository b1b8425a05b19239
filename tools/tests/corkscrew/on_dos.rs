//! The driver in QEMU with the model.

use crate::elink;
use tools::rig::qemu::{Net, Nic};

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    let qemu = |fault: &str| elink::qemu(&format!("corkscrew{fault}"), Net::User);
    elink::refused(&qemu(",fault=bad-checksum"), elink::LINE, "EEPROM");
    elink::refused(&qemu(",fault=stuck-command"), elink::LINE, "does not answer");
    elink::refused(&qemu(""), "DEVICE=3COMPKT.SYS /IO=310", "ports");
    let mut beside = qemu("");
    beside.nics.push(Nic { device: "ne2k_isa,iobase=0x2a0,irq=9".into(), net: Net::User });
    elink::refused(&beside, "DEVICE=3COMPKT.SYS /NIC=corkscrew /IO=2A0", "collides");
}

#[test]
fn it_unloads_and_comes_again() {
    let lines = ["3COMPKT 0x60", "PKTCTL test", "3COMPKT /U", "3COMPKT 0x60", "PKTCTL test"];
    let report = elink::run(&elink::qemu("corkscrew", Net::User), &elink::job(&[], &lines));
    assert_eq!(elink::exits(&report), [0; 5], "{}", report.output);
}
