//! From the prompt: loading, unloading, and every refusal, which must leave the machine unchanged.

use super::machine::{Lab, Rig, Steps, ne2000, qemu};
use super::runner::{Test, Verdict};
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::Dos;
use crate::rig::qemu::Qemu;
use std::time::Duration;

/// Arguments of 3COMPKT that are refused, and the text of the line.
const BAD: &[(&str, &str)] = &[
    ("/BAD", "/BAD: no such switch"),
    ("/", "/: no such switch"),
    ("/BAD=1", "/BAD=1: no such switch"),
    ("-x", "-x: no such switch"),
    ("-", "-: no such switch"),
    ("0x5F", "0x5F: the vector is "),
    ("0x67", "0x67: the vector is "),
    ("0x70", "0x70: the vector is "),
    ("0x81", "0x81: the vector is "),
    ("99999999999", "99999999999: the vector is "),
    ("0x", "0x: "),
    ("nonsense", "nonsense: "),
    ("0x60 1", "1: the IRQ is "),
    ("0x60 8", "8: the IRQ is "),
    ("0x60 13", "13: the IRQ is "),
    ("0x60 16", "16: the IRQ is "),
    ("0x60 10 0x305", "0x305: the port is "),
    ("0x60 10 0x10000", "0x10000: the port is "),
    ("0x60 10 0x300 7", "7: one number too many"),
    ("/INT", "/INT: the vector is "),
    ("/INT=", "/INT=: the vector is "),
    ("/INT=5F", "/INT=5F: the vector is "),
    ("/INT=100", "/INT=100: the vector is "),
    ("/IO=1F0", "/IO=1F0: the port is "),
    ("/IO=301", "/IO=301: the port is "),
    ("/IO=GGG", "/IO=GGG: the port is "),
    ("/IRQ=0", "/IRQ=0: the IRQ is "),
    ("/IRQ=16", "/IRQ=16: the IRQ is "),
    ("/IRQ=A", "/IRQ=A: the IRQ is "),
    ("/HANDLES=0", "/HANDLES=0: the number of handles is 1 to 64"),
    ("/HANDLES=65", "/HANDLES=65: the number of handles is 1 to 64"),
    ("/HANDLES=4294967297", "/HANDLES=4294967297: the number of handles is 1 to 64"),
    ("/STACK=191", "/STACK=191: the stack is 192 to 2048 bytes"),
    ("/STACK=2049", "/STACK=2049: the stack is 192 to 2048 bytes"),
    ("/NIC=", "/NIC=: the NIC is "),
    ("/NIC=0:32.0", "/NIC=0:32.0: the NIC is "),
    ("/NIC=52:54:00:12:34:5G", "/NIC=52:54:00:12:34:5G: the NIC is "),
    ("/U=1", "/U=1: this switch takes no value"),
    ("-n", "-n: Novell"),
    ("-d", "-d: the card"),
    ("-w", "-w: Windows"),
    ("-p", "-p: promiscuous"),
    ("-i", "-i: class 11"),
    ("0x61 /IO=300 /BAD /IRQ=10", "/BAD: no such switch"),
];

/// Arguments that are right but not for this machine.
const HOPELESS: &[(&str, &str)] = &[
    ("/NIC=nosuch", "3COMPKT: nosuch: no such driver; 3COMPKT /? lists them"),
    ("/NIC=0:1F.7", "no such card is free; leave it out"),
    ("/NIC=02:00:00:00:00:77", "no such card is free; leave it out"),
    ("/NIC=ne2k_pci", "no such card is free; leave it out"),
    ("/IO=320", "no NIC answers at port 320h; check the card's jumpers or leave /IO= out"),
    ("0x60 10 0x320", "no NIC answers at port 320h"),
    ("/U", "INT 60h is not this driver's; give the vector"),
    ("/U /INT=61", "INT 61h is not this driver's; give the vector"),
];

/// Arguments, and the text of the line when there is no card.
const NO_NIC: &[(&str, &str)] = &[
    ("", "no NIC found; give /IO= and /IRQ= if there is one"),
    ("/IO=300", "no NIC answers at port 300h"),
    ("0x61 10 0x300", "no NIC answers at port 300h"),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/prompt/loads", |lab| loads(lab, &["3COMPKT", "3compkt 0x60", "3COMPKT 0x60 10 0x300", "3COMPKT /io=300 /INT=60"])),
        Test::new("qemu/prompt/lh-upper", |lab| lh(lab, Some(0xC00))),
        Test::new("qemu/prompt/lh-without-upper", |lab| lh(lab, None)),
        Test { slow: true, ..Test::new("qemu/prompt/hundred-rounds", hundred_rounds).takes(8) },
        Test::new("qemu/prompt/bad-switches", |lab| refused(lab, &qemu(ne2000())?, BAD)).takes(6),
        Test::new("qemu/prompt/not-for-this-machine", |lab| refused(lab, &qemu(ne2000())?, HOPELESS)),
        Test::new("qemu/prompt/no-nic", |lab| refused(lab, &Qemu::default(), NO_NIC)),
        Test::new("qemu/device/bad-switches", |lab| refused_device(lab, &qemu(ne2000())?, BAD)).takes(6),
        Test::new("qemu/device/not-for-this-machine", |lab| refused_device(lab, &qemu(ne2000())?, HOPELESS)),
        Test::new("qemu/device/no-nic", |lab| refused_device(lab, &Qemu::default(), NO_NIC)),
        Test::new("qemu/device/help", help_by_device),
        Test::new("qemu/device/second-copy", second_copy_by_device),
        Test::new("qemu/prompt/help", help),
        Test::new("qemu/prompt/second-copy", second_copy),
        Test::new("qemu/prompt/second-copy-pci", second_copy_pci),
        Test::new("qemu/prompt/environment", environment),
        Test::new("qemu/unload/only-copy", only_copy),
        Test::new("qemu/prompt/vector-of-another", vector_of_another),
        Test::new("qemu/prompt/little-memory", little_memory),
        Test::new("qemu/unload/int60-hooked", |lab| not_on_top(lab, "HOOK60", "3COMPKT: HOOK60 has hooked")),
        Test::new("qemu/unload/irq-hooked", |lab| not_on_top(lab, "HOOK72", "3COMPKT: HOOK72 has hooked")),
        Test::new("qemu/unload/below-sharers", below_sharers),
        Test::new("qemu/unload/handle-open", |lab| not_on_top(lab, "HOLD", "a program still has the driver open")),
        Test::new("qemu/unload/device-copy", unload_device),
    ];
    for cpu in ["8086", "286"] {
        tests.push(Test::new(format!("dosbox-x/cpu/{cpu}"), move |lab| old_cpu(lab, cpu)).takes(5));
    }
    tests.push(Test::new("dosbox-x/prompt/loads", dosbox_x).takes(6));
    tests.push(Test::new("qemu/prompt/redirected", |lab| redirected(lab, &qemu(ne2000())?)).takes(6));
    tests.push(Test::new("dosbox-x/prompt/redirected", |lab| redirected(lab, &DosboxX { files: Some(20), ..DosboxX::default() })).takes(12));
    tests
}

/// Loads by each line, exchanges frames, and unloads; the machine is unchanged.
fn loads(lab: &Lab, lines: &[&str]) -> Verdict {
    let mut script = vec!["ints keep", "mem", "ints"];
    for line in lines {
        script.extend([line, "PKTCTL test", "3COMPKT /U", "mem", "ints"]);
    }
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in lines {
        steps.exits(line, 0)?;
        steps.prints(line, "3COMPKT: ne2000 at port 300h, IRQ 10, ")?;
        let text = &steps.first(line)?.text;
        let lines: Vec<&str> = text.lines().collect();
        let [banner, resident] = lines[..] else { return steps.fail(format!("`{line}` prints one line")) };
        let bytes = banner.split(' ').rev().nth(2).unwrap_or_default().replace(',', "");
        let kept = resident.split(' ').nth(1).and_then(|bytes| bytes.parse::<u32>().ok()).unwrap_or_default();
        // The part of the PSP that stays is added.
        let least = bytes.parse().unwrap_or(u32::MAX);
        steps.holds((least..=least + 256).contains(&kept), "DOS keeps what the line tells")?;
    }
    steps.exits("PKTCTL test", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.prints("3COMPKT /U", "3COMPKT: ne2000 unloaded")?;
    steps.same("mem")?;
    steps.same("ints")
}

fn lh(lab: &Lab, umb_paras: Option<u16>) -> Verdict {
    let rig = Qemu { dos: Dos { umb_paras, ..Dos::default() }, ..qemu(ne2000())? };
    let script = ["ints keep", "mem", "ints", "LH 3COMPKT", "PKTCTL status", "PKTCTL test", "3COMPKT /U", "mem", "ints"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in ["LH 3COMPKT", "PKTCTL test", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    let upper = steps.first("PKTCTL status")?.text.contains("upper memory");
    steps.holds(upper == umb_paras.is_some(), "it lies high if there is room")?;
    steps.same("mem")?;
    steps.same("ints")
}

fn hundred_rounds(lab: &Lab) -> Verdict {
    let mut script = vec!["ints keep", "mem", "ints"];
    for _ in 0..100 {
        script.extend(["3COMPKT", "3COMPKT /U"]);
    }
    script.extend(["mem", "ints", "3COMPKT", "PKTCTL test"]);
    let steps = qemu(ne2000())?.steps(&Job { limit: Duration::from_secs(240), ..lab.job(&[], &script)? })?;
    for line in ["3COMPKT", "3COMPKT /U", "PKTCTL test"] {
        steps.exits(line, 0)?;
    }
    steps.same("3COMPKT")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Each prints one line with the reason, and leaves the machine unchanged.
fn refused(lab: &Lab, rig: &Qemu, cases: &[(&str, &str)]) -> Verdict {
    let lines: Vec<String> = cases.iter().map(|(tail, _)| format!("3COMPKT {tail}").trim_end().to_string()).collect();
    let mut script: Vec<&str> = vec!["ints keep", "mem", "ints"];
    for line in &lines {
        script.extend([line.as_str(), "mem", "ints"]);
    }
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for (line, (_, words)) in lines.iter().zip(cases) {
        one_line(&steps, line, &steps.first(line)?.text, words)?;
        steps.refuses(line)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

fn one_line(steps: &Steps, line: &str, text: &str, words: &str) -> Verdict {
    let good = text.starts_with("3COMPKT: ") && text.lines().count() == 1 && text.len() > 20;
    steps.holds(good, format!("`{line}` prints one line, by name"))?;
    steps.holds(text.len() < 160, format!("`{line}` prints a line that two rows of a screen hold"))?;
    steps.holds(text.contains(words), format!("`{line}` says `{words}`"))
}

/// The same by DEVICE=.
fn refused_device(lab: &Lab, rig: &Qemu, cases: &[(&str, &str)]) -> Verdict {
    let lines: Vec<String> = cases.iter().map(|(tail, _)| format!("DEVICE=3COMPKT.SYS {tail}").trim_end().to_string()).collect();
    let mut script: Vec<&str> = vec!["mem", "ints"];
    for line in &lines {
        script.extend([line.as_str(), "mem", "ints"]);
    }
    let steps = rig.steps(&lab.job(&script, &[])?)?;
    for (line, (_, words)) in lines.iter().zip(cases) {
        let text = &steps.first(line)?.text;
        let Some((said, status)) = text.rsplit_once('\n') else { return steps.fail(format!("`{line}` prints one line")) };
        steps.holds(status == "[device refused, status 8003]", format!("`{line}` is refused"))?;
        one_line(&steps, line, said, words)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

fn help(lab: &Lab) -> Verdict {
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["ints keep", "mem", "ints", "3COMPKT /?", "mem", "ints"])?)?;
    steps.exits("3COMPKT /?", 0)?;
    for switch in compkt::install::stages::switches::SWITCHES.iter().chain(&compkt::install::stages::bonds::BOND_SWITCHES) {
        steps.prints("3COMPKT /?", &format!("  /{}", switch.name))?;
    }
    for nic in crate::nics::NICS {
        steps.prints("3COMPKT /?", &format!(" {} ", nic.name))?;
    }
    steps.holds(steps.first("3COMPKT /?")?.text.lines().all(|line| line.len() < 80), "every line fits the screen")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// `/?` by DEVICE= prints the same list, and nothing stays.
fn help_by_device(lab: &Lab) -> Verdict {
    let line = "DEVICE=3COMPKT.SYS /?";
    let steps = qemu(ne2000())?.steps(&lab.job(&["mem", "ints", line, "mem", "ints"], &["3COMPKT /?"])?)?;
    let (list, status) = steps.first(line)?.text.rsplit_once('\n').unwrap_or_default();
    steps.holds(status == "[device refused, status 8003]", "a list of switches is no driver")?;
    steps.holds(list == steps.first("3COMPKT /?")?.text, "the list is that of the prompt")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Two lines in CONFIG.SYS for one card, or for one vector: the second is refused, and the first copy works.
fn second_copy_by_device(lab: &Lab) -> Verdict {
    let lines = [
        ("DEVICE=3COMPKT.SYS /IO=300", "INT 60h has a packet driver already; choose another with /INT="),
        ("DEVICE=3COMPKT.SYS /INT=61 /IO=300", "this card belongs to the driver on INT 60h; leave /IO= and /NIC= out"),
        ("DEVICE=3COMPKT.SYS /INT=61", "no other NIC found"),
    ];
    let mut config = vec!["DEVICE=C:\\3COMPKT.SYS /IO=300", "mem", "ints"];
    for (line, _) in lines {
        config.extend([line, "mem", "ints"]);
    }
    let steps = qemu(ne2000())?.steps(&lab.job(&config, &["PKTCTL test"])?)?;
    steps.prints(config[0], "3COMPKT: ne2000 at port 300h, ")?;
    for (line, words) in lines {
        let Some((said, status)) = steps.first(line)?.text.rsplit_once('\n') else { return steps.fail(format!("`{line}` prints one line")) };
        steps.holds(status == "[device refused, status 8003]", format!("`{line}` is refused"))?;
        one_line(&steps, line, said, words)?;
    }
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("PKTCTL test", 0)
}

/// A second copy: on the same vector, on the same card, and without another card.
fn second_copy(lab: &Lab) -> Verdict {
    let lines = ["3COMPKT", "3COMPKT /INT=61", "3COMPKT /INT=61 /IO=300", "3COMPKT 0x61 10 0x300"];
    let mut script = vec!["3COMPKT /HANDLES=4", "mem", "ints"];
    for line in lines {
        script.extend([line, "mem", "ints"]);
    }
    script.push("PKTCTL test");
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    steps.exits(script[0], 0)?;
    for line in lines {
        steps.refuses(line)?;
        one_line(&steps, line, &steps.first(line)?.text, "")?;
    }
    steps.prints("3COMPKT", "INT 60h has a packet driver already; choose another with /INT=")?;
    for line in &lines[2..] {
        steps.prints(line, "this card belongs to the driver on INT 60h")?;
    }
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("PKTCTL test", 0)
}

/// The second copy asks for the card by its place on the bus, and by its address.
fn second_copy_pci(lab: &Lab) -> Verdict {
    let lines = ["3COMPKT /INT=61 /NIC=0:2.0", "3COMPKT /INT=61 /NIC=52:54:00:12:34:56"];
    let mut script = vec!["3COMPKT /HANDLES=4", "mem", "ints"];
    for line in lines {
        script.extend([line, "mem", "ints"]);
    }
    script.push("PKTCTL test");
    let card = crate::nics::NICS.iter().find(|nic| nic.name == "ne2k_pci").ok_or("the list has no NE2000 on PCI")?;
    let steps = qemu(card)?.steps(&lab.job(&[], &script)?)?;
    for line in lines {
        steps.refuses(line)?;
        one_line(&steps, line, &steps.first(line)?.text, "this card belongs to the driver on INT 60h")?;
    }
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("PKTCTL test", 0)
}

/// One block stays; the environment is freed.
fn environment(lab: &Lab) -> Verdict {
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["mem", "3COMPKT", "mem"])?)?;
    let owners = |text: &str| -> Vec<String> {
        let words = text.lines().filter_map(|line| line.strip_prefix("[block ")?.split(' ').nth(2).map(str::to_string));
        words.filter(|owner| owner != "0000").collect()
    };
    let tables = steps.each("mem");
    let before = owners(&tables[0].text);
    let added: Vec<String> = owners(&tables[1].text).into_iter().filter(|owner| !before.contains(owner)).collect();
    steps.holds(added.len() == 1, format!("one block is the driver's: {added:?}"))
}

/// `/U` finds the only copy, whatever its vector. With several copies it asks which.
fn only_copy(lab: &Lab) -> Verdict {
    let script = ["ints keep", "mem", "ints", "3COMPKT /INT=62", "3COMPKT /U", "mem", "ints"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    steps.exits("3COMPKT /INT=62", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Another packet driver keeps its vector.
fn vector_of_another(lab: &Lab) -> Verdict {
    let script = ["OTHER", "mem", "ints", "3COMPKT", "mem", "ints", "3COMPKT /U", "mem", "ints", "3COMPKT /INT=62", "PKTCTL test /INT=62"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    steps.refuses("3COMPKT")?;
    steps.refuses("3COMPKT /U")?;
    steps.prints("3COMPKT", "INT 60h has a packet driver already; choose another with /INT=")?;
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("3COMPKT /INT=62", 0)?;
    steps.exits("PKTCTL test /INT=62", 0)
}

/// Less and less memory, down to less than DOS starts the driver in: it loads, or is refused and nothing stays.
fn little_memory(lab: &Lab) -> Verdict {
    for paragraphs in ["0D00", "0B00", "0A00", "0900", "0800", "0600", "0400"] {
        let hog = format!("HOG {paragraphs}");
        let script = [hog.as_str(), "ints keep", "mem", "ints", "3COMPKT /HANDLES=64 /STACK=2047", "3COMPKT /U", "mem", "ints"];
        let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
        steps.exits(&hog, 0)?;
        let load = steps.first(script[4])?;
        let refused = load.text.starts_with("Cannot run: error 8") || load.text.contains("too little memory");
        steps.holds(load.exit == Some(0) || refused && load.text.lines().count() == 1, "it loads, or there is too little memory")?;
        // It may lie where a second copy, which unloads it, has no room.
        let stays = steps.first("3COMPKT /U")?.text.starts_with("Cannot run: error 8");
        if refused || !stays {
            steps.same("mem")?;
            steps.same("ints")?;
        }
        if paragraphs == "0400" {
            steps.holds(refused, "16 KB are too little")?;
        }
    }
    Ok(())
}

/// Programs that follow the Interrupt Sharing Protocol hook the interrupts' vectors after the driver. The driver is unloaded
/// below them, which leaves the vectors to them, and is loaded again.
fn below_sharers(lab: &Lab) -> Verdict {
    let load = "3COMPKT /XMS=48";
    let script = [load, "SHARE08", "SHARE72", "PKTCTL test", "3COMPKT /U", "ints", load, "PKTCTL test", "3COMPKT /U", "ints"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in script.iter().filter(|line| **line != "ints") {
        steps.exits(line, 0)?;
    }
    steps.prints("3COMPKT /U", "3COMPKT: ne2000 unloaded")?;
    steps.same("ints")
}

fn not_on_top(lab: &Lab, other: &str, words: &str) -> Verdict {
    let script = ["3COMPKT", other, "mem", "ints", "3COMPKT /U", "mem", "ints", "PKTCTL test", "3COMPKT /U", "mem", "ints"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    steps.exits("3COMPKT", 0)?;
    steps.exits(other, 0)?;
    for step in steps.each("3COMPKT /U") {
        steps.holds(step.exit == Some(5), "it refuses to go")?;
        one_line(&steps, "3COMPKT /U", &step.text, words)?;
    }
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("PKTCTL test", 0)
}

/// Unloading a copy from DEVICE= frees everything but its memory; another copy takes the card.
fn unload_device(lab: &Lab) -> Verdict {
    let script = ["3COMPKT /U", "ints", "3COMPKT /U", "3COMPKT", "PKTCTL test", "3COMPKT /U", "ints"];
    let steps = qemu(ne2000())?.steps(&lab.job(&["ints", "DEVICE=3COMPKT.SYS"], &script)?)?;
    let unloads = steps.each("3COMPKT /U");
    steps.holds(unloads[0].exit == Some(0) && unloads[0].text.contains("memory stays with DOS"), "it says what stays")?;
    steps.holds(unloads[1].exit == Some(5), "it goes only once")?;
    steps.holds(unloads[2].exit == Some(0), "the copy from the prompt goes")?;
    steps.exits("3COMPKT", 0)?;
    steps.exits("PKTCTL test", 0)?;
    steps.same("ints")
}

/// A processor below a 386.
fn old_cpu(lab: &Lab, cpu: &str) -> Verdict {
    let rig = DosboxX { cpu: cpu.into(), umb: false, xms: false, ..DosboxX::default() };
    let device = "DEVICE=C:\\3COMPKT.SYS";
    let steps = rig.steps(&lab.job(&[device], &["3COMPKT", "PKTCTL status", "3COMPKT /U"])?)?;
    steps.holds(steps.first(device)?.text.trim_end() == "3COMPKT needs a 386 or later.", "DEVICE= is refused with one line")?;
    for line in ["3COMPKT", "3COMPKT /U"] {
        steps.refuses(line)?;
        steps.holds(steps.first(line)?.text == "3COMPKT needs a 386 or later.", "it says so in one line")?;
    }
    steps.exits("PKTCTL status", 255)?;
    steps.holds(steps.first("PKTCTL status")?.text == "This program needs a 386 or later.", "PKTCTL says so, too")
}

/// DOSBox-X's DOS: from the prompt, low and high, and unloaded.
fn dosbox_x(lab: &Lab) -> Verdict {
    let script = ["3COMPKT", "PKTCTL test", "3COMPKT /U", "LH 3COMPKT", "PKTCTL status", "PKTCTL test", "3COMPKT /BAD", "3COMPKT /U"];
    let steps = DosboxX::default().steps(&lab.job(&[], &script)?)?;
    for line in ["3COMPKT", "PKTCTL test", "3COMPKT /U", "LH 3COMPKT"] {
        steps.exits(line, 0)?;
    }
    steps.refuses("3COMPKT /BAD")?;
    steps.prints("PKTCTL status", "upper memory")
}

/// Loaded and unloaded twenty times with its output in a file, which must be closed each time and have all text. Each DOS here
/// allows fewer than twenty open files.
fn redirected(lab: &Lab, rig: &impl Rig) -> Verdict {
    let mut script = Vec::new();
    for _ in 0..20 {
        script.extend(["3COMPKT 0x60 >OUT", "TYPE OUT", "3COMPKT /U >OUT", "TYPE OUT"]);
    }
    let steps = rig.steps(&Job { limit: Duration::from_secs(240), ..lab.job(&[], &script)? })?;
    for (number, said) in steps.each("TYPE OUT").iter().enumerate() {
        let words = if number % 2 == 0 { "3COMPKT: ne2000 at port 300h, IRQ 10, " } else { "3COMPKT: ne2000 unloaded" };
        steps.holds(said.text.starts_with(words), format!("file {number} has the line `{words}`"))?;
    }
    steps.exits("3COMPKT 0x60 >OUT", 0)?;
    steps.exits("3COMPKT /U >OUT", 0)
}
