//! Several cards in one machine, with a copy of the driver for each; and a card with an address that no card can have.

use super::machine::{Lab, Rig, Steps, qemu};
use super::runner::{Test, Verdict};
use crate::nics::{Found, NICS, Nic};
use crate::rig::Job;
use crate::rig::qemu::{Net, Nic as Card, Qemu};
use crate::setup;
use std::time::Duration;

/// Six PCI cards in the order of their slots: driver and QEMU device.
const PCI: [(&str, &str); 6] = [
    ("ne2k_pci", "ne2k_pci"),
    ("e1000", "e1000"),
    ("pcnet", "pcnet"),
    ("rtl8139", "rtl8139"),
    ("i8255x", "i82551"),
    ("virtio_net", "virtio-net-pci"),
];
/// Six ISA cards in the order in which the driver looks for them.
const ISA: [(&str, &str); 6] = [
    ("ne2000", "ne2k_isa,iobase=0x300,irq=3"),
    ("ne2000", "ne2k_isa,iobase=0x320,irq=4"),
    ("ne2000", "ne2k_isa,iobase=0x340,irq=5"),
    ("ne2000", "ne2k_isa,iobase=0x360,irq=7"),
    ("ne2000", "ne2k_isa,iobase=0x280,irq=10"),
    ("ne2000", "ne2k_isa,iobase=0x2a0,irq=11"),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/copies/six-pci", |lab| copies(lab, &PCI)).takes(20),
        Test::new("qemu/copies/six-isa", |lab| copies(lab, &ISA)).takes(20),
        Test { slow: true, ..Test::new("qemu/copies/six-of-a-kind", |lab| copies(lab, &[("rtl8139", "rtl8139"); 6])).takes(20) },
        Test { slow: true, ..Test::new("qemu/copies/pci-and-isa", |lab| copies(lab, &[&PCI[1..5], &ISA[..3]].concat())).takes(25) },
    ];
    tests.push(Test::new("qemu/unknown-nic", unknown));
    tests.push(Test::new("qemu/unknown-nic/several", several));
    tests.push(Test::new("qemu/unknown-nic/bnx2", firmware));
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        let name = format!("qemu/{}/address-of-a-group", nic.name);
        tests.push(Test::new(name, move |lab| group_address(lab, nic)));
    }
    tests
}

/// Loads a copy for each card, on consecutive vectors: each drives a card of its own; one more copy finds none.
fn copies(lab: &Lab, cards: &[(&str, &str)]) -> Verdict {
    let mac = |number: usize| format!("52:54:00:12:34:{:02X}", 0x40 + number);
    let nics = cards.iter().enumerate().map(|(number, (_, device))| Card { device: format!("{device},mac={}", mac(number)), net: Net::User });
    let rig = Qemu { nics: nics.collect(), ..Qemu::default() };
    let line = |command: &str| -> Vec<String> { (0..cards.len()).map(|number| format!("{command} /INT={:X}", 0x60 + number)).collect() };
    let (loads, exchanges, unloads) = (line("3COMPKT"), line("PKTCTL test"), line("3COMPKT /U"));
    // 67h is skipped: it is EMS's.
    let more = if cards.len() < 7 { format!("3COMPKT /INT={:X}", 0x60 + cards.len()) } else { "3COMPKT /INT=68".to_string() };
    let mut script = vec!["ints keep", "mem", "ints", "COMMAND"];
    script.extend(loads.iter().map(String::as_str));
    script.push(&more);
    for _ in 0..2 {
        script.extend(exchanges.iter().map(String::as_str));
    }
    // In the order of loading: a copy must be unloaded while later copies on its line have hooked its vector.
    script.extend(unloads.iter().map(String::as_str));
    script.extend(["mem", "ints"]);
    let steps = rig.steps(&Job { limit: Duration::from_secs(240), ..lab.job(&[], &script)? })?;
    for (number, load) in loads.iter().enumerate() {
        steps.exits(load, 0)?;
        steps.prints(load, &format!("3COMPKT: {} at ", cards[number].0))?;
        steps.prints(load, &mac(number))?;
    }
    steps.refuses(&more)?;
    steps.holds(steps.first(&more)?.text == "3COMPKT: no other NIC found; give /IO= and /IRQ= if there is one", "one more finds no card")?;
    for line in exchanges.iter().chain(&unloads) {
        steps.exits(line, 0)?;
    }
    as_before(&steps, &["mem", "ints"])
}

/// Each of these lines prints the same whenever it runs.
pub fn as_before(steps: &Steps, lines: &[&str]) -> Verdict {
    lines.iter().try_for_each(|line| steps.same(line))
}

/// A network card on PCI that no driver knows is named, unless another card is found or the user wants one of another kind.
fn unknown(lab: &Lab) -> Verdict {
    let nameless = machine(&["rtl8169-8126,addr=3"])?;
    let named = "3COMPKT: no driver for 10EC:8126 at 0:3.0";
    let lines = [
        ("3COMPKT", named),
        ("3COMPKT /NIC=0:3.0", named),
        ("3COMPKT /NIC=0:4.0", "3COMPKT: /NIC=: no such card is free; leave it out to take the first one"),
        ("3COMPKT /NIC=e1000", "3COMPKT: /NIC=: no such card is free; leave it out to take the first one"),
        ("3COMPKT /IO=300", "3COMPKT: no NIC answers at port 300h; check the card's jumpers or leave /IO= out"),
    ];
    let mut script = vec!["ints keep", "mem", "ints", "COMMAND"];
    script.extend(lines.map(|(line, _)| line));
    script.extend(["mem", "ints", "COMMAND"]);
    let steps = nameless.steps(&lab.job(&[], &script)?)?;
    for (line, said) in lines {
        steps.refuses(line)?;
        steps.holds(steps.first(line)?.text == said, format!("`{line}` prints `{said}` alone"))?;
    }
    as_before(&steps, &["mem", "ints", "COMMAND"])?;
    let mut both = nameless;
    both.nics.push(Card { device: "e1000,addr=4".into(), net: Net::User });
    let steps = both.steps(&lab.job(&["DEVICE=3COMPKT.SYS"], &["PKTCTL test /INT=60", "3COMPKT /INT=61"])?)?;
    steps.holds(!steps.first("DEVICE=3COMPKT.SYS")?.text.contains("no driver"), "the card behind it is taken without a word")?;
    steps.exits("PKTCTL test /INT=60", 0)?;
    steps.holds(steps.first("3COMPKT /INT=61")?.text == named, "a second copy names it")
}

/// A machine with these devices, in this order and without networks.
pub(super) fn machine(devices: &[&str]) -> Result<Qemu, String> {
    let plugins = vec![setup::models().map_err(|error| error.to_string())?.display().to_string()];
    let extra = devices.iter().flat_map(|device| ["-device".to_string(), device.to_string()]).collect();
    Ok(Qemu { plugins, extra, ..Qemu::default() })
}

/// Of several functions without a driver the first Ethernet card is named; another network function (class 0280h, as of wireless
/// cards) only without one; a bridge never, but a card behind it is.
fn several(lab: &Lab) -> Verdict {
    /// A network function that is no Ethernet card, in slot 3.
    const OTHER: &str = "rocker,name=other,addr=3";
    /// A bridge without a card, in slot 2.
    const BRIDGE: &str = "pci-bridge,id=b,chassis_nr=1,shpc=off,addr=2";
    for (devices, said) in [
        (&["rtl8169-8126,addr=5", "bnx2-5709,addr=4"][..], "no driver for 14E4:1639 at 0:4.0 (bnx2); the card's own ROM (UNDI) may drive it"),
        (&["bnx2-5709,addr=5", "rtl8169-8126,addr=4"], "no driver for 10EC:8126 at 0:4.0"),
        (&[OTHER], "no driver for 1B36:0006 at 0:3.0"),
        (&[OTHER, "rtl8169-8126,addr=4"], "no driver for 10EC:8126 at 0:4.0"),
        (&["rtl8169-8126,addr=2", OTHER, "bnx2-5709,addr=4"], "no driver for 10EC:8126 at 0:2.0"),
        (&[BRIDGE], "no NIC found; give /IO= and /IRQ= if there is one"),
        (&[BRIDGE, "rtl8169-8126,bus=b,addr=3"], "no driver for 10EC:8126 at 1:3.0"),
    ] {
        let steps = machine(devices)?.steps(&lab.job(&["DEVICE=3COMPKT.SYS"], &["mem", "3COMPKT", "mem"])?)?;
        let said = format!("3COMPKT: {said}");
        steps.refuses("3COMPKT")?;
        steps.holds(steps.first("3COMPKT")?.text == said, format!("with {devices:?} it prints `{said}` alone"))?;
        // DOS says behind it that the driver refused.
        let first = steps.first("DEVICE=3COMPKT.SYS")?.text.lines().next();
        steps.holds(first == Some(&*said), format!("with {devices:?} DEVICE= prints `{said}`"))?;
        as_before(&steps, &["mem"])?;
    }
    Ok(())
}

/// A card that needs firmware which may not be passed on is named, too, with what may drive it instead.
fn firmware(lab: &Lab) -> Verdict {
    let steps = machine(&["bnx2-5709,addr=3"])?.steps(&lab.job(&[], &["mem", "3COMPKT", "mem"])?)?;
    steps.refuses("3COMPKT")?;
    let said = "3COMPKT: no driver for 14E4:1639 at 0:3.0 (bnx2); the card's own ROM (UNDI) may drive it";
    steps.holds(steps.first("3COMPKT")?.text == said, format!("one line: {said}"))?;
    as_before(&steps, &["mem"])
}

/// A card with a group address in its ROM is refused with one line that names it: it would receive nothing.
fn group_address(lab: &Lab, nic: &'static Nic) -> Verdict {
    let mut rig = qemu(nic)?;
    rig.nics.iter_mut().for_each(|card| card.device.push_str(",mac=03:00:00:00:00:01"));
    let line = format!("3COMPKT /NIC={}", nic.name);
    let state: &[&str] = if nic.found == Found::Pci { &["mem", "ints", "COMMAND"] } else { &["mem", "ints"] };
    let script = [&["ints keep"], state, &[&line], state].concat();
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    steps.refuses(&line)?;
    let said = format!("3COMPKT: {}: the card's EEPROM holds no valid address; repair it with the card's own setup program", nic.name);
    steps.holds(steps.first(&line)?.text == said, "one line says why")?;
    as_before(&steps, state)
}
