//! The 3C515 as a bus master: the tests of other cards with rings, and all cases in which it is driven by programmed I/O
//! instead.

use std::time::Duration;

use super::machine::{Lab, Rig, Steps, qemu, qemu_on};
use super::runner::{Test, Verdict};
use super::{faults, traffic, v86, vds};
use crate::nics::{Found, Nic};
use crate::peer::Peer;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{Net, Nic as Card, Qemu};

/// Longest time for a program.
const LIMIT: Duration = Duration::from_secs(240);
const EXCHANGE: &str = "PKTCTL test";
const LINE: &str = "DEVICE=3COMPKT.SYS";
const LOAD: &str = "3COMPKT 0x60";
const UNLOAD: &str = "3COMPKT /U";
/// The most resident bytes with rings in XMS.
const RESIDENT: u32 = 4_500;

/// A card whose EEPROM offers the lists of descriptors.
static LISTS: Nic = Nic {
    name: "corkscrew",
    cards: "3Com 3C515-TX (Fast EtherLink, ISA)",
    found: Found::Isa(2),
    memory: true,
    plain: true,
    devices: &["corkscrew,lists=on"],
    plugin: true,
};

/// Where its rings are, in the output of PKTCTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Xms,
    Low,
    Nowhere,
}

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, seconds, run: fn(&Lab) -> Verdict| Test::new(format!("qemu/corkscrew/lists/{what}"), run).takes(seconds);
    vec![
        test("exchange", 5, |lab| traffic::exchange(lab, &LISTS)),
        Test { slow: true, ..test("conform", 20, |lab| conform(lab, Place::Xms)) },
        Test { slow: true, ..test("conform/no-xms", 25, |lab| conform(lab, Place::Low)) },
        test("fuzz", 20, |lab| fuzz(lab, Place::Xms)),
        Test { slow: true, ..test("fuzz/no-xms", 20, |lab| fuzz(lab, Place::Low)) },
        test("integrity", 15, |lab| integrity(lab, Place::Xms)),
        test("integrity/no-xms", 15, |lab| integrity(lab, Place::Low)),
        test("integrity/hma", 6, |lab| traffic::intact_high(lab, &LISTS, Xms::V3)),
        test("integrity/hma/no-xms", 8, |lab| traffic::intact_high(lab, &LISTS, Xms::None)),
        test("cable", 6, |lab| traffic::cable(lab, &LISTS)),
        test("a20", 4, |lab| faults::a20(lab, &LISTS)),
        Test { slow: true, ..test("reload", 15, |lab| faults::reload(lab, &LISTS)) },
        test("pulled", 15, |lab| faults::pulled(lab, &LISTS)),
        test("overrun", 5, |lab| faults::overrun(lab, &LISTS)),
        test("vds", 5, |lab| vds::locked(lab, &LISTS)),
        test("late-v86", 5, |lab| v86::rests(lab, &LISTS, v86::LOAD)),
        Test { slow: true, ..test("faults", 20, every_fault) },
        test("resident", 4, resident),
        test("two", 8, two),
        Test { slow: true, ..test("harms-data", 8, harms_data) },
        test("xms-beyond-16-mb", 4, xms_beyond),
        test("vds-refuses", 4, vds_refuses),
        test("upper-without-rings", 4, upper_without_rings),
    ]
}

fn without_xms() -> Result<Qemu, String> {
    Ok(qemu(&LISTS)?.with_xms(Xms::None))
}

fn with_fault(fault: &str) -> Result<Qemu, String> {
    let nics = vec![Card { device: format!("{},fault={fault}", LISTS.devices[0]), net: Net::User }];
    Ok(Qemu { nics, ..qemu(&LISTS)? })
}

/// `PKTCTL mem` ran once, and showed the rings in this place.
fn rings_are(steps: &Steps, place: Place) -> Verdict {
    let text = &steps.first("PKTCTL mem")?.text;
    let (low, xms) = text.split_once("and in XMS").unwrap_or((text, ""));
    let found = match [low, xms].map(|part| part.contains("rings")) {
        [false, true] => Place::Xms,
        [true, false] => Place::Low,
        _ => Place::Nowhere,
    };
    steps.holds(found == place, format!("the rings are in this place: {place:?}"))
}

/// A program ends with exit code 0 and prints these words, with the driver's rings in this place.
fn judged(lab: &Lab, rig: &Qemu, place: Place, program: &str, words: &str) -> Verdict {
    let xms = if place == Place::Xms { Xms::V3 } else { Xms::None };
    let rig = rig.clone().with_xms(xms);
    let mut job = lab.job(&[LINE], &["PKTCTL mem", program])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = rig.steps(&job)?;
    rings_are(&steps, place)?;
    steps.exits(program, 0)?;
    steps.prints(program, words)
}

/// CONFORM with a peer.
fn conform(lab: &Lab, place: Place) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    judged(lab, &qemu_on(&LISTS, peer.cable())?, place, "CONFORM /PEER", " passed, 0 failed")
}

/// FUZZ without a station on the wire.
fn fuzz(lab: &Lab, place: Place) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(&LISTS, Net::Hub(0))? };
    let calls = if place == Place::Low { lab.calls / 10 } else { lab.calls / 2 };
    judged(lab, &rig, place, &format!("FUZZ {calls} /SEED=1"), "nothing else changed")
}

/// INTEGRIT: frames of every length in both directions at once, each byte checked on both sides.
fn integrity(lab: &Lab, place: Place) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    judged(lab, &qemu_on(&LISTS, peer.cable())?, place, &format!("INTEGRIT {}", lab.fewer_frames()), "every byte right")
}

/// The driver is small enough, and each kind of memory is used for its purpose.
fn resident(lab: &Lab) -> Verdict {
    let script = [EXCHANGE, "PKTCTL mem"];
    let steps = qemu(&LISTS)?.steps(&lab.job(&[LINE], &script)?)?;
    steps.exits(EXCHANGE, 0)?;
    rings_are(&steps, Place::Xms)?;
    let text = &steps.first(LINE)?.text;
    let kept = text.split_once("[device resident ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<u32>().ok());
    steps.holds(kept.is_some_and(|kept| kept <= RESIDENT), format!("at most {RESIDENT} bytes stay"))?;
    let steps = without_xms()?.steps(&lab.job(&[LINE], &script)?)?;
    steps.exits(EXCHANGE, 0)?;
    rings_are(&steps, Place::Low)
}

/// Transmit and receive errors while it runs.
fn every_fault(lab: &Lab) -> Verdict {
    // The trial's frames come first: 64 and four, each sent and received.
    let fault = "tx-underrun@79*2+jabber@84+max-collisions@87*3+rx-overrun@74+rx-crc@76*2+adapter-failure@82+lost-interrupt@20";
    let steps = with_fault(fault)?.steps(&lab.job(&[LINE], &["PKTCTL mem", "PKTCTL test /count=50", EXCHANGE])?)?;
    rings_are(&steps, Place::Xms)?;
    steps.exits(EXCHANGE, 0)
}

/// Two cards, each with ports, a line and a DMA channel of its own.
fn two(lab: &Lab) -> Verdict {
    let card = |last: u8| Card { device: format!("{},mac=52:54:00:12:34:{last:02x}", LISTS.devices[0]), net: Net::User };
    let rig = Qemu { nics: vec![card(0x56), card(0x57)], ..qemu(&LISTS)? };
    let lines = [LINE, "DEVICE=3COMPKT.SYS /INT=61"];
    let script = [EXCHANGE, "PKTCTL test /INT=61", "PKTCTL mem", "PKTCTL mem /INT=61", EXCHANGE];
    let steps = rig.steps(&lab.job(&lines, &script)?)?;
    steps.exits(EXCHANGE, 0)?;
    steps.exits("PKTCTL test /INT=61", 0)?;
    rings_are(&steps, Place::Xms)?;
    steps.prints("PKTCTL mem /INT=61", "and in XMS")
}

/// Data arrive changed or not at all: no rings, by DEVICE= and from the prompt, without a message.
fn harms_data(lab: &Lab) -> Verdict {
    for fault in ["dma-corrupt@70", "dma-hang@5"] {
        let rig = with_fault(fault)?;
        let steps = rig.steps(&lab.job(&[LINE], &[EXCHANGE, "PKTCTL mem"])?)?;
        steps.exits(EXCHANGE, 0)?;
        rings_are(&steps, Place::Nowhere)?;
        let said = steps.first(LINE)?.text.lines().filter(|line| line.starts_with("3COMPKT")).count();
        steps.holds(said == 1, "one line tells that it is there")?;
        let script = ["mem", "ints keep", "ints", LOAD, EXCHANGE, "PKTCTL mem", UNLOAD, "mem", "ints", LOAD, EXCHANGE, UNLOAD];
        let steps = rig.steps(&lab.job(&[], &script)?)?;
        for line in [LOAD, EXCHANGE, UNLOAD] {
            steps.exits(line, 0)?;
        }
        rings_are(&steps, Place::Nowhere)?;
        steps.same("mem")?;
        steps.same("ints")?;
        // The fault happens once: the second load gets rings.
        let [first, second] = steps.each(LOAD)[..] else { return steps.fail("it loads twice") };
        steps.holds(first.text != second.text, "the second time it has rings")?;
    }
    Ok(())
}

/// XMS beyond the ISA bus's reach is freed, and conventional memory used.
fn xms_beyond(lab: &Lab) -> Verdict {
    let rig = Qemu { memory: 32, ..qemu(&LISTS)? };
    let script = ["HOGXMS", "mem", LOAD, EXCHANGE, "PKTCTL mem", UNLOAD, "mem"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in ["HOGXMS", LOAD, EXCHANGE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    rings_are(&steps, Place::Low)?;
    steps.same("mem")
}

/// The DMA services refuse to lock its rings: it works without them.
fn vds_refuses(lab: &Lab) -> Verdict {
    let rig = Qemu { dos: Dos { xms: Xms::None, vds: true, ..Dos::default() }, ..qemu(&LISTS)? };
    let script = ["mem", "vds fail", LOAD, EXCHANGE, "PKTCTL mem", "vds", UNLOAD, "mem"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in [LOAD, EXCHANGE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    rings_are(&steps, Place::Nowhere)?;
    steps.prints("vds", "[vds locks 0 unlocks 0 sum 0000]")?;
    steps.same("mem")
}

/// The upper block has no room for rings and there is no XMS: it works without rings.
fn upper_without_rings(lab: &Lab) -> Verdict {
    let line = "DEVICEHIGH=C:\\3COMPKT.SYS";
    let file = lab.files()?.iter().find(|(name, _)| name == "3COMPKT.SYS").ok_or("the build has no 3COMPKT.SYS")?;
    let umb_paras = Some(crate::rig::image::load_paras(&file.1));
    let rig = Qemu { dos: Dos { umb_paras, xms: Xms::None, ..Dos::default() }, ..qemu(&LISTS)? };
    let steps = rig.steps(&lab.job(&[line], &[EXCHANGE, "PKTCTL mem"])?)?;
    steps.exits(EXCHANGE, 0)?;
    rings_are(&steps, Place::Nowhere)?;
    steps.holds(!steps.report.output.contains("[written past"), "nothing was written past the upper block")
}
