//! A card that its own ROM drives (`/NIC=undi`): Debian's iPXE ROMs on cards of QEMU's, and a ROM of our own that lies.

use std::time::Duration;

use super::cards::as_before;
use super::machine::{Lab, Rig, Steps, fixture, peer};
use super::runner::{Test, Verdict};
use super::{stack, traffic};
use crate::process::TempDir;
use crate::rig::Job;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Nic as Card, Qemu};

/// The cards, with QEMU's own ROM for each. The first one has all the tests.
const CARDS: [&str; 3] = ["e1000", "rtl8139", "ne2k_pci"];
const DEVICE: &str = "DEVICE=3COMPKT.SYS /NIC=undi";
const LIMIT: Duration = Duration::from_secs(240);

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/undi/conform", conform).takes(30),
        Test::new("qemu/undi/integrity", intact).takes(40),
        Test::new("qemu/undi/refusals", refusals).takes(6),
        Test::new("qemu/undi/falls-back", falls_back).takes(3),
        Test::new("qemu/undi/himem", himem).takes(6),
        Test::new("qemu/undi/verbose", verbose).takes(3),
        Test::new("qemu/undi/interrupt", interrupt).takes(4),
        Test::new("qemu/undi/left-over", left_over).takes(15),
        Test::new("qemu/undi/second-load", second_load).takes(10),
        Test::new("qemu/undi/v86", v86).takes(8),
        Test::new("qemu/undi/loads", loads).takes(35),
    ];
    for (lie, name) in LIES {
        tests.push(Test::new(format!("qemu/undi/liar/{name}"), move |lab| liar(lab, lie, name)).takes(8));
    }
    for device in ["pcnet", "virtio-net-pci"] {
        tests.push(Test::new(format!("qemu/undi/ping/{device}"), move |lab| ping(lab, device)).takes(5));
    }
    for device in CARDS {
        tests.push(Test::new(format!("qemu/undi/exchange/{device}"), move |lab| exchange(lab, device)).takes(8));
    }
    tests
}

/// A machine without XMS, with this card and its ROM, that boots from its disk.
fn machine(device: &str, net: Net) -> Qemu {
    let nics = vec![Card { device: device.into(), net }];
    let extra = ["-boot", "order=c"].map(String::from).to_vec();
    Qemu { nics, cpu: "qemu32".into(), roms: true, extra, ..Qemu::default() }.with_xms(Xms::None)
}

fn run(lab: &Lab, machine: &Qemu, config: &[&str], exec: &[&str]) -> Result<Steps, String> {
    machine.steps(&Job { limit: LIMIT, ..lab.job(config, exec)? })
}

/// All of CONFORM, with a peer, and the stack's margin.
fn conform(lab: &Lab) -> Verdict {
    let (peer, line) = (peer()?, "CONFORM /PEER");
    let steps = run(lab, &machine(CARDS[0], peer.cable()), &[DEVICE], &[line, stack::STATUS])?;
    traffic::judged(&steps, line)?;
    stack::has_margin(&steps, "undi")
}

/// INTEGRIT: every byte is right on both sides.
fn intact(lab: &Lab) -> Verdict {
    let (peer, line) = (peer()?, "INTEGRIT 10000");
    let steps = run(lab, &machine(CARDS[0], peer.cable()), &[DEVICE], &[line, "PKTCTL status"])?;
    steps.exits(line, 0)?;
    steps.prints(line, "every byte right")
}

/// Loads, exchanges, tells what it holds, unloads; ROMs of all cards.
fn exchange(lab: &Lab, device: &str) -> Verdict {
    let peer = peer()?;
    let (load, unload) = ("3COMPKT /NIC=undi", "3COMPKT /U");
    let exec = ["ints keep", "mem", "ints", load, "PKTCTL mem", "PKTCTL status", "INTEGRIT 250", unload, "mem", "ints"];
    let steps = run(lab, &machine(device, peer.cable()), &[], &exec)?;
    steps.exits(load, 0)?;
    steps.prints(load, "3COMPKT: undi: through the card's ROM, iPXE: ")?;
    steps.prints("PKTCTL mem", "ROM code")?;
    steps.prints("INTEGRIT 250", "every byte right")?;
    steps.exits(unload, 0)?;
    as_before(&steps, &["mem", "ints"])
}

/// DHCP and ping by ROMs that are not good enough for INTEGRIT: one adds two bytes to each frame, one tells too late that a
/// frame was sent.
fn ping(lab: &Lab, device: &str) -> Verdict {
    let (load, test) = ("3COMPKT /NIC=undi", "PKTCTL test");
    let steps = run(lab, &machine(device, Net::User), &[], &[load, test])?;
    [load, test].iter().try_for_each(|line| steps.exits(line, 0))
}

/// Each refusal is one line, and nothing stays.
fn refusals(lab: &Lab) -> Verdict {
    let load = "3COMPKT /NIC=undi";
    let exec = ["ints keep", "mem", "ints", load, "mem", "ints"];
    let said = "3COMPKT: no free card has a ROM with UNDI in memory; switch booting from the network (PXE) on in the BIOS setup";
    let steps = run(lab, &Qemu { roms: false, ..machine(CARDS[0], Net::Hub(0)) }, &[], &exec)?;
    steps.refuses(load)?;
    steps.holds(steps.first(load)?.text == said, format!("it prints `{said}` alone"))?;
    as_before(&steps, &["mem", "ints"])
}

/// iPXE works at the top of memory, which is HIMEM's: it is refused, and nothing stays.
fn himem(lab: &Lab) -> Verdict {
    let load = "3COMPKT /NIC=undi";
    let said = "3COMPKT: undi: the card's ROM works in memory that is HIMEM's; load the driver without HIMEM.SYS";
    let steps = run(lab, &machine(CARDS[0], Net::User).with_xms(Xms::V3), &[], &["ints keep", "mem", "ints", load, "mem", "ints"])?;
    steps.refuses(load)?;
    steps.holds(steps.first(load)?.text == said, format!("it prints `{said}` alone"))?;
    as_before(&steps, &["mem", "ints"])
}

/// In V86 mode a ROM is not called: the load is refused in one line and changes nothing. A driver that was loaded before rests,
/// and works again in real mode.
fn v86(lab: &Lab) -> Verdict {
    let (load, test, rests, again) = ("3COMPKT /NIC=undi", "PKTCTL test", "PKTCTL test /COUNT=4", "PKTCTL test /INT=60");
    let (on, off, unload) = ("V86 ON", "V86 OFF", "3COMPKT /U");
    let refused = "3COMPKT /NIC=undi 0x61";
    let exec = ["ints keep", on, "mem", "ints", refused, "mem", "ints", off, load, test, on, rests, off, again, unload, "mem", "ints"];
    let steps = run(lab, &machine(CARDS[0], Net::User), &[], &exec)?;
    let said = "3COMPKT: undi: a card's ROM cannot be used in V86 mode; start the machine without EMM386 or JEMMEX";
    steps.prints(on, "[v86 1]")?;
    steps.refuses(refused)?;
    steps.holds(steps.first(refused)?.text == said, format!("it prints `{said}` alone"))?;
    [load, test, again, unload].iter().try_for_each(|line| steps.exits(line, 0))?;
    steps.holds(steps.first(rests)?.exit != Some(0), "in V86 mode no frame is exchanged")?;
    as_before(&steps, &["mem", "ints"])
}

/// A card that no driver knows is driven by its ROM, ours, without `/NIC=`. If the ROM is not there, a line tells which card has
/// no driver.
fn falls_back(lab: &Lab) -> Verdict {
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let card = with_rom(&folder, UNKNOWN, rom("0", UNKNOWN_ID)?)?;
    let (load, unload) = ("3COMPKT", "3COMPKT /U");
    let exec = ["ints keep", "mem", "ints", load, unload, "mem", "ints"];
    let with = |card: &str| Qemu { extra: ["-boot", "order=c", "-device", card].map(String::from).to_vec(), nics: Vec::new(), ..machine("", Net::Hub(0)) };
    let steps = run(lab, &with(&card), &[], &exec)?;
    [load, unload].iter().try_for_each(|line| steps.exits(line, 0))?;
    steps.prints(load, "3COMPKT: undi: through the card's ROM, Liar 1: ")?;
    as_before(&steps, &["mem", "ints"])?;
    let steps = run(lab, &with(&format!("{UNKNOWN},romfile=")), &[], &exec[..4])?;
    steps.refuses(load)?;
    steps.prints(load, "3COMPKT: no driver for 1B36:0006 at 0:")
}

/// With `/V` each call of the load is told before it is made.
fn verbose(lab: &Lab) -> Verdict {
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let (load, plain) = ("3COMPKT /NIC=undi /V", "3COMPKT /NIC=undi");
    let steps = run(lab, &machine(&liars(&folder, "0")?, Net::Hub(0)), &[], &[load, "3COMPKT /U", plain])?;
    [load, plain].iter().try_for_each(|line| steps.exits(line, 0))?;
    let calls = |line| Ok::<_, String>(steps.first(line)?.text.lines().filter_map(|line| line.strip_prefix("3COMPKT: undi: calls ")).collect::<Vec<_>>().join(", "));
    let all = "its loader, START_UNDI, STARTUP, INITIALIZE, GET_INFORMATION, OPEN, TRANSMIT for an interrupt";
    steps.holds(calls(load)? == all && calls(plain)?.is_empty(), format!("with /V alone it tells of {all}"))
}

/// A ROM whose interrupt is seen to arrive is called at interrupts, too: an answer comes though the timer's is masked. The interrupt
/// never comes from a card whose ROM waits for the end of each transmission itself, and never ends with a lying ROM: these are polled.
fn interrupt(lab: &Lab) -> Verdict {
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let (load, unload, plain) = ("3COMPKT /NIC=undi /V", "3COMPKT /U", "UNTICKED");
    // The gateway answers only whom it has given an address.
    let mut job = lab.job(&[], &["ints keep", "mem", "ints", load, "PKTCTL status", "PKTCTL test", plain, unload, "mem", "ints"])?;
    job.files.push(("UNTICKED.COM".into(), fixture("unticked", &[]).map_err(|error| error.to_string())?));
    job.limit = LIMIT;
    let steps = machine(CARDS[0], Net::User).steps(&job)?;
    [load, plain, "PKTCTL test", unload].iter().try_for_each(|line| steps.exits(line, 0))?;
    let line = steps.first(load)?.text.lines().find_map(|line| line.strip_prefix("  interrupt test: ")).unwrap_or_default();
    steps.holds(line.starts_with("IRQ "), "the interrupt test names the line")?;
    steps.prints("PKTCTL status", line)?;
    as_before(&steps, &["mem", "ints"])?;
    for (device, arrives) in [(CARDS[1].into(), true), (CARDS[2].into(), false), (liars(&folder, STUCK)?, false)] {
        let steps = run(lab, &machine(&device, Net::User), &[], &[load, unload])?;
        steps.exits(load, 0)?;
        steps.holds(steps.first(load)?.text.contains(" is dead (polled), ") != arrives, format!("{device} interrupts: {arrives}"))?;
        steps.exits(unload, 0)?;
    }
    Ok(())
}

/// A ROM that is not packed, ours, is loaded and unloaded so often, and each byte is free again.
fn loads(lab: &Lab) -> Verdict {
    const TIMES: usize = 100;
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let device = liars(&folder, "0")?;
    let (load, unload) = ("3COMPKT /NIC=undi", "3COMPKT /U");
    let mut exec = vec!["ints keep", "mem", "ints"];
    exec.extend([load, unload].repeat(TIMES));
    exec.extend(["mem", "ints"]);
    let steps = run(lab, &machine(&device, Net::Hub(0)), &[], &exec)?;
    for line in [load, unload] {
        let each = steps.each(line);
        steps.holds(each.len() == TIMES && each.iter().all(|step| step.exit == Some(0)), format!("`{line}` succeeds each time"))?;
    }
    as_before(&steps, &["mem", "ints"])
}

/// The machine has booted from the network, and its boot program has left the UNDI in memory: it is used where it is, also
/// after it was given back.
fn left_over(lab: &Lab) -> Verdict {
    let folder = TempDir::new("tftp").map_err(|error| error.to_string())?;
    let program = fixture("nbp", &[]).map_err(|error| error.to_string())?;
    std::fs::write(folder.path().join("nbp"), program).map_err(|error| error.to_string())?;
    let net = format!("user,id=u,restrict=on,tftp={},bootfile=nbp", folder.path().display());
    let card = format!("{},netdev=u", CARDS[0]);
    // For the second card the ROM that the first one's driver uses would be asked.
    let other = format!("{},romfile=", CARDS[1]);
    let extra = ["-netdev", &net, "-device", &card, "-device", &other].map(String::from).to_vec();
    let machine = Qemu { cpu: "qemu32".into(), roms: true, extra, ..Qemu::default() }.with_xms(Xms::None);
    let (load, unload, exchange) = ("3COMPKT /NIC=undi", "3COMPKT /U", "PKTCTL test");
    let second = "3COMPKT /NIC=undi 0x61";
    let exec = ["ints keep", "mem", "ints", load, "PKTCTL mem", second, exchange, unload, "mem", "ints", load, exchange, unload, "mem", "ints"];
    let steps = run(lab, &machine, &[], &exec)?;
    [load, unload, exchange].iter().try_for_each(|line| steps.exits(line, 0))?;
    steps.prints(load, "3COMPKT: undi: through the card's ROM, iPXE, which a network boot has left in memory")?;
    steps.refuses(second)?;
    steps.holds(steps.first(second)?.text == ONCE, format!("`{second}` prints `{ONCE}` alone"))?;
    steps.holds(!steps.first("PKTCTL mem")?.text.contains("ROM code"), "the ROM's code is not loaded again")?;
    as_before(&steps, &["mem", "ints"])
}

/// What a second load prints.
const ONCE: &str = "3COMPKT: undi: a card's ROM (UNDI) can be loaded only once; restart the machine to load it again";

/// iPXE's ROM was seen to hang in a second load, which is refused before anything changes, also for another card and for a driver that
/// is to be replaced, which goes on working.
fn second_load(lab: &Lab) -> Verdict {
    let mut machine = machine(CARDS[0], Net::User);
    machine.nics.push(Card { device: CARDS[1].into(), net: Net::Hub(0) });
    let (load, second, replace, unload) = ("3COMPKT /NIC=undi", "3COMPKT /NIC=undi 0x61", "3COMPKT /REPLACE /NIC=undi", "3COMPKT /U");
    let exec = ["ints keep", "mem", "ints", load, second, replace, "PKTCTL test", unload, "mem", "ints", load, "mem", "ints"];
    let steps = run(lab, &machine, &[], &exec)?;
    let (loads, refused) = (steps.each(load), [steps.first(second)?, steps.first(replace)?]);
    steps.holds(loads.len() == 2 && loads[0].exit == Some(0), "the first load succeeds")?;
    for step in refused.into_iter().chain(loads.get(1).copied()) {
        steps.holds(step.exit == Some(3) && step.text == ONCE, format!("`{}` prints `{ONCE}` alone", step.line))?;
    }
    ["PKTCTL test", unload].iter().try_for_each(|line| steps.exits(line, 0))?;
    as_before(&steps, &["mem", "ints"])
}

/// How the lying ROM (fixtures/undirom.asm) lies.
const LIES: [(&str, &str); 12] = [
    ("1", "sizes"),
    ("2", "loader"),
    ("3", "structure"),
    ("4", "errors"),
    ("5", "wild"),
    ("6", "endless"),
    ("7", "beyond"),
    ("8", "giant"),
    ("9", "pieces"),
    ("10", "keeps"),
    ("11", "calls"),
    ("13", "hooks"),
];
/// The lie of one whose interrupt never ends.
const STUCK: &str = "12";
/// The card that it belongs to, and bytes of it.
const LIARS_CARD: &str = "rtl8139";
const LIARS_ID: [&str; 2] = ["VENDOR=0x10EC", "CARD=0x8139"];
/// A network card of QEMU's without a driver here, and its identity.
const UNKNOWN: &str = "rocker,name=r,len-ports=0";
const UNKNOWN_ID: [&str; 2] = ["VENDOR=0x1B36", "CARD=0x0006"];
const LIARS_SIZE: &str = "SIZE=4096";

/// The ROM with its checksums.
pub(super) fn rom(lie: &str, id: [&str; 2]) -> Result<Vec<u8>, String> {
    let lie = format!("LIE={lie}");
    let mut bytes = fixture("undirom", &[&lie, id[0], id[1], LIARS_SIZE]).map_err(|error| error.to_string())?;
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    let id = usize::from(u16::from_le_bytes([bytes[0x16], bytes[0x17]]));
    bytes[id + 5] = sum(&bytes[id..id + 0x16]).wrapping_neg();
    let last = bytes.len() - 1;
    bytes[last] = sum(&bytes).wrapping_neg();
    Ok(bytes)
}

/// The card with this ROM, which lies in the folder.
fn liars(folder: &TempDir, lie: &str) -> Result<String, String> {
    with_rom(folder, LIARS_CARD, rom(lie, LIARS_ID)?)
}

fn with_rom(folder: &TempDir, card: &str, rom: Vec<u8>) -> Result<String, String> {
    let path = folder.path().join("rom");
    std::fs::write(&path, rom).map_err(|error| error.to_string())?;
    Ok(format!("{card},romfile={}", path.display()))
}

/// The lying ROM is refused in one line, or what it says is counted; nothing else in the machine changes.
fn liar(lab: &Lab, lie: &str, name: &str) -> Verdict {
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let machine = machine(&liars(&folder, lie)?, Net::Hub(0));
    // Each call of a driver whose ROM has no end takes long, and each send_pkt inside a call of the ROM.
    let fuzz = if matches!(name, "endless" | "calls") { "FUZZ 10 /SEED=1" } else { "FUZZ 500 /SEED=1" };
    let (load, unload) = ("3COMPKT /NIC=undi", "3COMPKT /U");
    let refused = match name {
        "sizes" => "3COMPKT: undi: the card's ROM has no UNDI (PXE); switch booting from the network on in the BIOS setup",
        "loader" | "structure" | "errors" | "hooks" => "3COMPKT: undi: the card's ROM (UNDI) does not start; restart the machine, or use another card",
        _ => "",
    };
    if !refused.is_empty() {
        let steps = run(lab, &machine, &[], &["ints keep", "mem", "ints", load, "mem", "ints"])?;
        steps.refuses(load)?;
        steps.holds(steps.first(load)?.text == refused, format!("it prints `{refused}` alone"))?;
        return as_before(&steps, &["mem", "ints"]);
    }
    let exec = ["ints keep", "mem", "ints", load, "PKTCTL status", "UNTOUCH", fuzz, "PKTCTL status", unload, "ints", "mem"];
    let steps = run(lab, &machine, &[], &exec)?;
    steps.exits(load, 0)?;
    steps.prints("UNTOUCH", "[untouched]")?;
    steps.prints(fuzz, "nothing else changed")?;
    steps.exits(unload, 0)?;
    steps.same("ints")?;
    let status = &steps.first("PKTCTL status")?.text;
    let counts = match name {
        // Twenty frames: no length of theirs can be.
        "beyond" | "giant" => " 20 errors, 0 not taken",
        "pieces" => " 0 errors, 20 not taken",
        _ => " 0 errors, 0 not taken",
    };
    steps.holds(status.contains(counts), format!("the driver has counted{counts}"))?;
    // A ROM that keeps interrupts keeps its memory.
    if name == "keeps" { steps.holds(steps.each("mem")[0].text != steps.each("mem")[1].text, "the memory stays") } else { steps.same("mem") }
}
