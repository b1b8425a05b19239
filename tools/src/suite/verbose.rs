//! `/V`, which tells what was found; and vectors that lead to packet drivers that are gone.

use super::cards::machine;
use super::machine::{Lab, Rig, Steps, ne2000, qemu, qemu_of, watched};
use super::runner::{Test, Verdict};
use super::undi::rom;
use crate::nics::is_model;
use crate::process::TempDir;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Nic as Card};

/// Network functions on PCI, without a network: the device, and what `/V` says of it.
const PCI: [(&str, &str); 4] = [
    ("rtl8169-8126,addr=3", "  PCI 0:3.0 10EC:8126 RTL8126, IRQ 11: no driver yet; no ROM of it is in memory"),
    ("bnx2-5709,addr=4", "  PCI 0:4.0 14E4:1639 BCM5709, IRQ 11: no driver, for it needs firmware that may not be passed on; no ROM of it is in memory"),
    ("rocker,name=other,addr=6", "  PCI 0:6.0 1B36:0006 rocker, no IRQ: no driver, for it is no Ethernet card (class 280h)"),
    ("rtl8139,addr=7", "  PCI 0:7.0 10EC:8139 RTL8139, IRQ 11: rtl8139"),
];

/// What `/V` says of the link by way of each driver: those of Debian's QEMU, those of the models, and the one that
/// another QEMU has.
const SPEEDS: [&[(&str, &str, &str)]; 3] = [
    &[
        ("e1000", "e1000", "up, 1,000 Mbit/s"),
        ("e1000e", "e1000e", "up, 1,000 Mbit/s"),
        ("pcnet", "pcnet", "up, 10 Mbit/s"),
        ("rtl8139", "rtl8139", "up, 100 Mbit/s"),
        ("i8255x", "i82551", "up, 100 Mbit/s"),
        ("tulip", "tulip", "up, 100 Mbit/s"),
        ("vmxnet3", "vmxnet3", "up, 1,000 Mbit/s"),
        ("virtio_net", "virtio-net-pci", "up"),
        ("ne2000", "ne2k_isa,iobase=0x300,irq=10", "this card cannot tell"),
    ],
    &[
        ("rtl8169", "rtl8169-8168h", "up, 1,000 Mbit/s"),
        ("rtl8125", "rtl8169-8125b", "up, 2,500 Mbit/s"),
        ("tg3", "tg3-5751", "up, 1,000 Mbit/s"),
        ("pch", "pch-i217lm", "up, 1,000 Mbit/s"),
        ("vortex", "vortex-3c595", "up, 100 Mbit/s"),
        ("boomerang", "boomerang-3c905", "up, 100 Mbit/s"),
        ("el3", "el3,iobase=0x320,irq=10", "up, 10 Mbit/s"),
        ("corkscrew", "corkscrew", "up, 100 Mbit/s"),
    ],
    &[("igb", "igb", "up, 1,000 Mbit/s")],
];

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/verbose/every-card-on-pci", every_card_on_pci),
        Test::new("qemu/verbose/rom-of-a-card-without-driver", rom_of_a_card).takes(4),
        Test::new("qemu/verbose/every-card-on-isa", every_card_on_isa),
        Test::new("qemu/verbose/interrupt-and-link", interrupt_and_link).takes(10),
        Test::new("qemu/verbose/speed", |lab| speeds(lab, SPEEDS[0])).takes(15),
        Test::new("qemu/verbose/speed-of-models", |lab| speeds(lab, SPEEDS[1])).takes(15),
        Test::new("qemu/verbose/speed-of-igb", |lab| speeds(lab, SPEEDS[2])).takes(10),
        Test::new("qemu/verbose/who-has-the-vector", who_has_the_vector),
        Test::new("qemu/stale/vector-is-taken", |lab| taken(lab, "STALE")),
        Test::new("qemu/stale/vector-to-a-free-block-is-taken", |lab| taken(lab, "HOLE")),
        Test::new("qemu/stale/vector-is-taken-by-device", taken_by_device),
        Test::new("qemu/stale/live-vector-is-not-taken", live),
    ]
}

/// The lines of one run.
fn says(steps: &Steps, line: &str, said: &[&str]) -> Verdict {
    for words in said {
        steps.holds(steps.first(line)?.text.lines().any(|line| line == *words), format!("`{line}` prints the line `{words}`"))?;
    }
    Ok(())
}

/// Each network function has its line, whichever is taken, and another copy's card says whose it is. Nothing else stays than
/// without the switch.
fn every_card_on_pci(lab: &Lab) -> Verdict {
    let mut rig = machine(&PCI.map(|(device, _)| device))?;
    rig.nics.push(Card { device: "e1000,addr=5".into(), net: Net::User });
    let script = ["ints keep", "mem", "ints", "3COMPKT /V", "PKTCTL test", "3COMPKT /V /INT=61", "3COMPKT /U /INT=61", "3COMPKT /U", "mem", "ints"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    let lines: Vec<&str> = PCI.iter().map(|(_, said)| *said).collect();
    says(&steps, "3COMPKT /V", &[&["3COMPKT: what was found", "  PCI 0:5.0 8086:100E 82540EM, IRQ 10: e1000"], &lines[..]].concat())?;
    says(&steps, "3COMPKT /V /INT=61", &[&["  PCI 0:5.0 8086:100E 82540EM, IRQ 10: e1000, which has it on INT 60h"], &lines[..]].concat())?;
    steps.prints("3COMPKT /V", "3COMPKT: e1000 at ")?;
    steps.prints("3COMPKT /V /INT=61", "3COMPKT: rtl8139 at ")?;
    for line in ["3COMPKT /V", "PKTCTL test", "3COMPKT /V /INT=61", "3COMPKT /U /INT=61", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// Of a card that has no driver: whether its ROM has UNDI. That ROM drives it then.
fn rom_of_a_card(lab: &Lab) -> Verdict {
    let folder = TempDir::new("rom").map_err(|error| error.to_string())?;
    let path = folder.path().join("rom");
    let identity = ["VENDOR=0x10EC", "CARD=0x8126"];
    let begins = "  PCI 0:3.0 10EC:8126 RTL8126, IRQ 11: no driver yet; its ROM has ";
    for (lie, ends, stands) in [("0", "UNDI, which /NIC=undi uses", true), ("1", "no UNDI", false)] {
        std::fs::write(&path, rom(lie, identity)?).map_err(|error| error.to_string())?;
        let rig = machine(&[&format!("rtl8169-8126,addr=3,romfile={}", path.display())])?.with_xms(Xms::None);
        let steps = rig.steps(&lab.job(&[], &["3COMPKT /V", "3COMPKT /U"])?)?;
        says(&steps, "3COMPKT /V", &[&format!("{begins}{ends}")])?;
        for line in ["3COMPKT /V", "3COMPKT /U"] {
            if stands { steps.exits(line, 0)? } else { steps.refuses(line)? }
        }
    }
    Ok(())
}

/// The cards with Plug and Play, and those at the 3C509's ID port, have their lines, and the search finds them afterwards.
fn every_card_on_isa(lab: &Lab) -> Verdict {
    let mut rig = qemu_of("el3,iobase=0x320,irq=10", Net::User)?;
    rig.nics.push(Card { device: "corkscrew".into(), net: Net::User });
    let steps = rig.steps(&lab.job(&[], &["3COMPKT /V", "PKTCTL test", "3COMPKT /V /INT=61", "PKTCTL test", "PKTCTL test /INT=61"])?)?;
    says(&steps, "3COMPKT /V", &["  ID port 3C509 (9450), 52:54:00:12:34:56, port 320h, IRQ 10: el3"])?;
    let told = |line: &str, ends: &str| -> Verdict {
        let text = &steps.first(line)?.text;
        steps.holds(text.lines().any(|line| line.starts_with("  ISA PnP TCM50") && line.ends_with(ends)), format!("`{line}` tells of {ends}"))
    };
    for line in ["3COMPKT /V", "3COMPKT /V /INT=61"] {
        steps.exits(line, 0)?;
        told(line, ": corkscrew")?;
    }
    told("3COMPKT /V", ": el3")?;
    steps.prints("3COMPKT /V", "3COMPKT: el3 at port 320h, IRQ 10, ")?;
    steps.prints("3COMPKT /V /INT=61", "3COMPKT: corkscrew at port ")?;
    for line in ["PKTCTL test", "PKTCTL test /INT=61"] {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// What the interrupt test has found, and the link, are told when the driver stands.
fn interrupt_and_link(lab: &Lab) -> Verdict {
    let card = crate::nics::NICS.iter().find(|nic| nic.name == "rtl8139").ok_or("the list has no RTL8139")?;
    let up = "  link: up, 100 Mbit/s";
    for (before, said) in [
        ("NOLINES", ["  interrupt test: the card has no IRQ; it is polled", up]),
        ("DEADLINE", ["  interrupt test: it arrived at no line; the card is polled", up]),
        ("MOVELINE", ["  interrupt test: IRQ 5, not 10", up]),
        ("pause", ["  interrupt test: IRQ 10", "  link: down; look at the cable"]),
    ] {
        let steps = watched(&qemu(card)?, &lab.job(&[], &[before, "3COMPKT /V", "3COMPKT /U"])?, &mut |line, monitor| {
            if line == "[pause]" {
                let _ = monitor.set_link("n0", false).and_then(|()| monitor.resume());
            }
        })?;
        says(&steps, "3COMPKT /V", &said)?;
        steps.exits("3COMPKT /V", 0)?;
        steps.exits("3COMPKT /U", 0)?;
    }
    Ok(())
}

/// The link's speed is told when the driver stands, and the card goes on working.
fn speeds(lab: &Lab, cards: &[(&str, &str, &str)]) -> Verdict {
    // One of them that is a model, if there is any, brings the plugin that has them all.
    let first = cards.iter().find(|card| is_model(card.1)).unwrap_or(&cards[0]);
    let mut rig = qemu_of(first.1, Net::User)?;
    rig.nics = cards.iter().map(|(_, device, _)| Card { device: (*device).into(), net: Net::User }).collect();
    let script: Vec<String> = cards.iter().flat_map(|(name, ..)| [format!("3COMPKT /V /NIC={name}"), "PKTCTL test".into(), "3COMPKT /U".into()]).collect();
    let steps = rig.steps(&lab.job(&[], &script.iter().map(String::as_str).collect::<Vec<_>>())?)?;
    for ((.., said), line) in cards.iter().zip(script.iter().step_by(3)) {
        says(&steps, line, &[&format!("  link: {said}")])?;
    }
    script.iter().try_for_each(|line| steps.exits(line, 0))
}

/// The line about the vector names who has it: a program, this driver, nobody.
fn who_has_the_vector(lab: &Lab) -> Verdict {
    let script = ["FOREIGN", "3COMPKT /V", "3COMPKT /V /INT=61", "3COMPKT /INT=61 /V", "3COMPKT /V /INT=68"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    let holds = |line: &str, begins: &str, ends: &str| {
        let told = steps.first(line)?.text.lines().find(|line| line.starts_with("  INT ")).unwrap_or_default().to_string();
        steps.holds(told.starts_with(begins) && told.ends_with(ends), format!("`{line}` prints `{begins}…{ends}`"))
    };
    steps.refuses("3COMPKT /V")?;
    holds("3COMPKT /V", "  INT 60h: a packet driver at ", ":103, of FOREIGN")?;
    steps.exits("3COMPKT /V /INT=61", 0)?;
    holds("3COMPKT /V /INT=61", "  INT 61h: free", "")?;
    steps.refuses("3COMPKT /INT=61 /V")?;
    holds("3COMPKT /INT=61 /V", "  INT 61h: a packet driver at ", ", of 3COMPKT, 3COMPKT with ne2000")
}

const GONE: &str = "3COMPKT: INT 60h points to a packet driver that is gone; the vector is free again";

/// A vector is left by a program whose memory is free: it is taken, nobody calls it, and it is not there again afterwards. So
/// it is with another vector than the one that is asked for, which other programs would call.
fn taken(lab: &Lab, by: &str) -> Verdict {
    for (load, unload) in [("3COMPKT", "3COMPKT /U"), ("3COMPKT /INT=61", "3COMPKT /INT=61 /U")] {
        let script = ["ints keep", "ints", by, "PKTCTL nics", load, "PKTCTL test", unload, "ints"];
        let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
        for line in [by, load, "PKTCTL test", unload] {
            steps.exits(line, 0)?;
        }
        steps.exits("PKTCTL nics", 3)?;
        steps.prints("PKTCTL nics", "INT 60h points to a packet driver that is gone. 3COMPKT frees the vector.")?;
        says(&steps, load, &[GONE])?;
        let lines = steps.first(load)?.text.lines().filter(|line| line.starts_with("3COMPKT: ")).count();
        steps.holds(lines == 2, "one line says so, and one what was loaded")?;
        steps.holds(!steps.report.output.contains("[called]"), "what is left of the driver is not called")?;
        steps.same("ints")?;
    }
    Ok(())
}

/// The same, left by a driver of CONFIG.SYS, in memory that DOS gives to the next one.
fn taken_by_device(lab: &Lab) -> Verdict {
    let line = "DEVICE=3COMPKT.SYS";
    let steps = qemu(ne2000())?.steps(&lab.job(&["DEVICE=STALE.SYS", line], &["PKTCTL test"])?)?;
    says(&steps, line, &[GONE])?;
    steps.holds(!steps.report.output.contains("[called]"), "what is left of the driver is not called")?;
    steps.exits("PKTCTL test", 0)
}

/// A driver in a block that is in use keeps its vector, in a program's block and in one of DOS's.
fn live(lab: &Lab) -> Verdict {
    let taken = "3COMPKT: INT 60h has a packet driver already; choose another with /INT=";
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["STAYS", "3COMPKT", "STAYS", "3COMPKT /INT=61"])?)?;
    steps.exits("STAYS", 0)?;
    steps.refuses("3COMPKT")?;
    says(&steps, "3COMPKT", &[taken])?;
    steps.exits("3COMPKT /INT=61", 0)?;
    let steps = qemu(ne2000())?.steps(&lab.job(&["DEVICE=3COMPKT.SYS"], &["3COMPKT", "PKTCTL test"])?)?;
    says(&steps, "3COMPKT", &[taken])?;
    steps.exits("PKTCTL test", 0)
}
