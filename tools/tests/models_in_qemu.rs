//! The models in the rig with the boot DOS: as many at once as the bus has places for, and a complaint is an error. Not the fronts of
//! the 82576's family, each of which takes three places.

use std::path::Path;
use tools::rig::Job;
use tools::rig::image;
use tools::rig::qemu::{Net, Nic, Qemu};
use tools::setup;

/// Runs the fixture with these cards.
fn run(cards: &[&str], defines: &[&str]) -> std::io::Result<String> {
    let program = image::assemble(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/el3_touch.asm"), defines)?;
    let job = Job { files: vec![("TOUCH.COM".into(), program)], exec: vec!["TOUCH".into()], ..Job::default() };
    let nics = cards.iter().map(|card| Nic { device: card.to_string(), net: Net::User }).collect();
    let plugins = vec![setup::models()?.display().to_string()];
    Ok(Qemu { nics, plugins, ..Qemu::default() }.run(&job)?.output)
}

#[test]
fn every_model_can_be_plugged_in_and_a_program_finds_the_3c509b() {
    /// A PCI bus has 32 places, and some are the machine's.
    const PLACES: usize = 24;
    let isa = ["el3", "corkscrew"];
    let older = ["vortex-3c590", "vortex-3c595", "boomerang-3c900", "boomerang-3c905", "cyclone-3c905b", "tornado-3c905c", "e1000-ports"];
    let (rtl8169, pch, tg3) = (models::rtl8169::PARTS, models::pch::PARTS, models::tg3::PARTS);
    let own = rtl8169.map(|(name, _)| name).into_iter().chain(pch.map(|(name, _)| name)).chain(tg3.map(|(name, _)| name));
    let pci: Vec<&str> = older.into_iter().chain(own).collect();
    for some in pci.chunks(PLACES) {
        let output = run(&[&isa, some].concat(), &[]).unwrap();
        assert!(output.contains("[exit 0]"), "{output}");
    }
    let output = run(&isa[1..], &[]).unwrap();
    assert!(output.contains("[exit 1]"), "{output}");
}

#[test]
fn a_complaint_makes_the_run_fail() {
    let error = run(&["el3"], &["WRONG"]).unwrap_err().to_string();
    assert!(error.starts_with("MODEL COMPLAINS: el3/n0: read of window 0 offset 1, width 1"), "{error}");
}

#[test]
fn a_wrong_property_is_refused_in_words() {
    let wrong = [
        ("el3,fault=tea", "no such fault: tea"),
        ("el3,iobase=0x123", "0x200 to 0x3e0"),
        ("tornado-3c905c,power=d1", "one of d0, d3"),
        ("rtl8169-8168h,left=on", "one of quiet, interrupting"),
        ("pch-i217lm,me=busy", "one of off, on, blocking"),
        ("tg3-5720,address=eeprom", "one of both, registers, nvram"),
        ("igb-i226v,left=on", "one of quiet, disconnected"),
        ("igb-i226v,fault=tea", "no such fault: tea"),
    ];
    for (card, text) in wrong {
        let error = run(&[card], &[]).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}
