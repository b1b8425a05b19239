//! The driver's file cannot be read: it is cut short, changed, or on a disk whose n-th read fails, for every n. One line must
//! say so, and the machine must be unchanged. Also the room for the installer's stack.

use super::cards::as_before;
use super::machine::{Lab, Rig, Steps, fixture, qemu, watched};
use super::runner::{Test, Verdict};
use crate::nics::NICS;
use crate::rig::Job;
use crate::pack::image::STACK;
use crate::rig::image::{Dos, Xms, load_paras};
use crate::rig::qemu::Qemu;
use std::time::Duration;

/// The line for every damaged file.
const DAMAGED: &str = "3COMPKT: the file is damaged; copy it again";
/// The state of the machine that is compared.
const STATE: [&str; 3] = ["mem", "ints", "COMMAND"];
/// Bytes of a directory entry (src/install/header.rs).
const ENTRY: usize = 44;
/// The state is compared after so many failing reads; what each of them left would add up.
const CHUNK: usize = 10;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    let mut add = |name: &str, line: &'static str, rig: fn() -> Result<Qemu, String>, slow| {
        tests.push(Test { slow, ..Test::new(format!("qemu/file/read-fails/{name}"), move |lab| each_read(lab, &rig()?, line)).takes(60) });
    };
    add("ne2000", "3COMPKT /XMS=48 /STATS", || card("ne2000"), true);
    add("e1000", "DEVICE=3COMPKT.SYS", || card("e1000"), false);
    add("vds", "3COMPKT", without_xms, true);
    add("corkscrew-rings", "3COMPKT", rings, true);
    add("no-nic", "3COMPKT", || Ok(Qemu::default()), true);
    add("help", "3COMPKT /?", || Ok(Qemu::default()), false);
    tests.push(Test::new("qemu/file/cut", cut).takes(6));
    tests.push(Test::new("qemu/file/changed", changed).takes(12));
    tests.push(Test::new("qemu/file/other-build", other_build));
    tests.push(Test::new("qemu/file/stack-of-refusals", stack_of_refusals).takes(8));
    tests.push(Test::new("qemu/file/stack-of-loads", stack_of_loads).takes(30));
    tests
}

fn card(name: &str) -> Result<Qemu, String> {
    qemu(NICS.iter().find(|nic| nic.name == name).ok_or("the list has no such NIC")?)
}

/// A card with rings in conventional memory, which the DMA services lock.
fn without_xms() -> Result<Qemu, String> {
    Ok(Qemu { dos: Dos { vds: true, xms: Xms::None, ..Dos::default() }, ..card("rtl8139")? })
}

/// A 3C515 whose EEPROM offers rings.
fn rings() -> Result<Qemu, String> {
    let mut rig = card("corkscrew")?;
    rig.nics.iter_mut().for_each(|nic| nic.device.push_str(",lists=on"));
    Ok(rig)
}

/// The n-th read fails, for every n.
fn each_read(lab: &Lab, rig: &Qemu, line: &str) -> Verdict {
    let config = line.starts_with("DEVICE=");
    let run = |script: &[&str]| {
        let none: &[&str] = &[];
        let job = if config { lab.job(script, none)? } else { lab.job(none, script)? };
        rig.steps(&Job { limit: Duration::from_secs(600), ..job })
    };
    let steps = run(&["READ FAIL 0", line, "READS"])?;
    let told = &steps.first("READS")?.text;
    let reads: usize = told.strip_prefix("[reads ").and_then(|rest| rest.strip_suffix(']')?.parse().ok()).unwrap_or_default();
    steps.holds(reads > 20, "its file was read")?;
    println!("        {line}: {reads} reads");
    let fails: Vec<String> = (1..=reads).map(|read| format!("READ FAIL {read}")).collect();
    let mut script = STATE.to_vec();
    for fails in fails.chunks(CHUNK) {
        fails.iter().for_each(|fail| script.extend([fail, line]));
        script.extend(STATE);
    }
    damaged(&run(&script)?, line)
}

/// Each run prints the line and nothing else; nothing stays.
fn damaged(steps: &Steps, line: &str) -> Verdict {
    let refused = format!("{DAMAGED}\n[device refused, status 8003]");
    for (step, before) in steps.all.iter().skip(1).zip(&steps.all).filter(|(step, _)| step.line == line) {
        // The part of `3COMPKT /?` that was read is printed before it.
        let last = step.text.lines().last().unwrap_or_default();
        let said = if line.ends_with("/?") { last == DAMAGED } else { step.text == DAMAGED || step.text == refused };
        steps.holds(said && step.exit != Some(0), format!("`{line}` after `{}` says that the file is damaged", before.line))?;
    }
    as_before(&steps, &STATE)
}

/// Two bytes of a file, as a number.
fn word(file: &[u8], at: usize) -> usize {
    file.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8)
}

/// The directory's offset, and its entries: offset, kind, name.
fn directory(file: &[u8]) -> (usize, Vec<(usize, u8, String)>) {
    let short = if word(file, 2) == 0 { 0 } else { 512 - word(file, 2) };
    let start = word(file, 4) * 512 - short;
    let entry = |at: usize| {
        let name = file[at..at + 12].iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        (at, file[at + 12], name)
    };
    let first = offset(file, start);
    (start, (start..first).step_by(ENTRY).map(entry).collect())
}

/// The offset of a directory entry's unit.
fn offset(file: &[u8], entry: usize) -> usize {
    word(file, entry + 16) | word(file, entry + 18) << 16
}

/// A byte of the file that belongs to a unit.
#[derive(Clone, Copy)]
enum Part {
    /// The unit's first byte.
    First,
    /// A byte in the unit's middle.
    Middle,
    /// The first byte of its fix-ups.
    Fixes,
    /// The first byte of its hooks.
    Hooks,
    /// A byte of its directory entry.
    Entry(usize),
}

/// The offset of such a byte in the file (directory entry: src/install/header.rs).
fn place(file: &[u8], kind: u8, name: &str, part: Part) -> Result<usize, String> {
    let (_, units) = directory(file);
    let (entry, ..) = *units.iter().find(|unit| (unit.1, unit.2.as_str()) == (kind, name)).ok_or_else(|| format!("the file has no {name}"))?;
    let (begin, bytes, fixes) = (offset(file, entry), word(file, entry + 20), word(file, entry + 24) + word(file, entry + 26));
    Ok(match part {
        Part::First => begin,
        Part::Middle => begin + bytes / 2,
        Part::Fixes => begin + bytes,
        Part::Hooks => begin + bytes + 2 * fixes,
        Part::Entry(at) => entry + at,
    })
}

/// Changed files, and how they are run.
struct Change {
    rig: Qemu,
    switches: &'static str,
    files: Vec<Vec<u8>>,
}

/// Each file prints that it is damaged, and leaves nothing.
fn all_damaged(lab: &Lab, change: Change) -> Verdict {
    let names: Vec<String> = (0..change.files.len()).map(|number| format!("FILE{number}")).collect();
    let lines: Vec<String> = names.iter().map(|name| format!("{name}{}", change.switches)).collect();
    let mut script = STATE.to_vec();
    for line in &lines {
        script.push(line);
        script.extend(STATE);
    }
    let mut job = lab.job(&[], &script)?;
    job.files.extend(names.iter().zip(change.files).map(|(name, file)| (format!("{name}.EXE"), file)));
    let steps = change.rig.steps(&job)?;
    lines.iter().try_for_each(|line| damaged(&steps, line))
}

/// The file is cut: in the directory, in a unit of each kind, in the texts.
fn cut(lab: &Lab) -> Verdict {
    let file = whole(lab)?;
    let (start, units) = directory(&file);
    let texts = [start, start + 16, start + 5 * ENTRY, start + (units.len() - 1) * ENTRY, place(&file, 6, "lines", Part::Middle)?];
    let no_nic = Change { rig: Qemu::default(), switches: "", files: texts.map(|end| file[..end].to_vec()).into() };
    all_damaged(lab, no_nic)?;
    for (nic, feature) in [("ne2000", "tick"), ("e1000", "flati")] {
        let mut ends = texts[..4].to_vec();
        for (kind, name) in parts_of(nic, feature) {
            ends.push(place(&file, kind, name, Part::Middle)?);
        }
        all_damaged(lab, Change { rig: card(nic)?, switches: "", files: ends.iter().map(|end| file[..*end].to_vec()).collect() })?;
    }
    let help = file[..place(&file, 6, "help", Part::Middle)?].to_vec();
    all_damaged(lab, Change { rig: Qemu::default(), switches: " /?", files: vec![help] })
}

/// The units that a NIC and a feature need: find unit, start unit, driver; the stages.
fn parts_of<'a>(nic: &'a str, feature: &'a str) -> Vec<(u8, &'a str)> {
    let stages = ["search", "place", "start", "stand"].map(|stage| (5, stage));
    [&[(2, nic), (4, nic), (1, nic), (3, feature)][..], &stages].concat()
}

/// A bit is changed: of a unit, of its fix-ups, of a feature's hooks, of a directory entry, of the table of PCI functions. The
/// line must never say that there is no NIC.
fn changed(lab: &Lab) -> Verdict {
    let file = whole(lab)?;
    for (nic, feature, switches) in [("ne2000", "count", " /COUNT"), ("e1000", "flati", "")] {
        let mut places = Vec::new();
        for (kind, name) in parts_of(nic, feature) {
            for part in [Part::First, Part::Middle, Part::Entry(13), Part::Entry(ENTRY - 1)] {
                places.push(place(&file, kind, name, part)?);
            }
        }
        places.push(place(&file, 1, nic, Part::Fixes)?);
        places.push(place(&file, 3, feature, Part::Hooks)?);
        if nic == "e1000" {
            places.extend([place(&file, 6, "pci", Part::First)?, place(&file, 6, "pci", Part::Middle)?, place(&file, 6, "pci", Part::Entry(20))?]);
        }
        let files = places.iter().map(|at| {
            let mut file = file.clone();
            file[*at] ^= 0x10;
            file
        });
        let files: Vec<Vec<u8>> = files.collect();
        for files in files.chunks(8) {
            all_damaged(lab, Change { rig: card(nic)?, switches, files: files.to_vec() })?;
        }
    }
    Ok(())
}

/// The file is another one than DOS has loaded: the build number shows it.
fn other_build(lab: &Lab) -> Verdict {
    let mut file = whole(lab)?;
    // The last two bytes of the MZ header.
    file[30] ^= 0x5A;
    let build = u16::from_le_bytes([file[30], file[31]]);
    let mut job = lab.job(&[], &[&STATE[..], &["OTHER1"], &STATE].concat())?;
    job.files.push(("OTHER1.EXE".into(), file));
    let steps = card("ne2000")?.steps(&job)?;
    steps.refuses("OTHER1")?;
    let said = format!("3COMPKT: the file is another one than was loaded: its build is {build:X}h; start the driver from the file that DOS loads");
    steps.holds(steps.first("OTHER1")?.text == said, format!("it says `{said}`"))?;
    as_before(&steps, &STATE)
}

/// Bytes of the installer's stack that must stay unused, for a BIOS, a DOS or resident programs that need more than those of the
/// tests.
const LEAST: usize = 200;

/// A search that ends with a refusal leaves [`LEAST`] bytes of the installer's stack unused.
fn stack_of_refusals(lab: &Lab) -> Verdict {
    let size = usize::from(load_paras(&whole(lab)?)) * 16;
    // DOS loads this program where the driver was: its name is as long as 3COMPKT.EXE's.
    let look = fixture("unused", &[&format!("SIZE={size}"), &format!("STACK={STACK}")]).map_err(|error| error.to_string())?;
    for (name, lines) in [
        ("e1000", ["3COMPKT /NIC=nosuch", "3COMPKT /NIC=ne2000", "3COMPKT /MEDIA=TX"]),
        ("virtio_net", ["3COMPKT /NIC=0:1F.7", "3COMPKT /NIC=ne2000", "3COMPKT /MEDIA=TX"]),
        ("ne2000", ["3COMPKT /IO=320", "3COMPKT /NIC=e1000", "3COMPKT /MEDIA=TX"]),
        ("el3", ["3COMPKT /IO=320", "3COMPKT /NIC=e1000", "3COMPKT /MEDIA=TX"]),
        ("corkscrew", ["3COMPKT /IO=320", "3COMPKT /NIC=e1000", "3COMPKT /MEDIA=BNC"]),
    ] {
        let script = lines.iter().flat_map(|line| [*line, "UNUSED1"]).collect::<Vec<_>>();
        let mut job = lab.job(&[], &script)?;
        job.files.push(("UNUSED1.COM".into(), look.clone()));
        let steps = card(name)?.steps(&job)?;
        for (line, told) in lines.iter().zip(steps.each("UNUSED1")) {
            steps.refuses(line)?;
            let left = told.text.strip_prefix("[unused ").and_then(|rest| usize::from_str_radix(rest.strip_suffix(']')?, 16).ok());
            let Some(left) = left else { return steps.fail("the program tells what is left") };
            enough(&steps, name, line, left)?;
        }
    }
    Ok(())
}

fn enough(steps: &Steps, name: &str, line: &str, left: usize) -> Verdict {
    println!("        {name}, {line}: {left} bytes left");
    steps.holds(left >= LEAST, format!("`{line}` leaves {LEAST} bytes of the stack"))
}

/// So does a load: of each card, with and without XMS, with all features, and with rings that are tried first.
fn stack_of_loads(lab: &Lab) -> Verdict {
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        for line in ["3COMPKT", "3COMPKT /XMS=48 /STATS /COUNT"] {
            load_leaves(lab, nic.name, &qemu(nic)?, line)?;
        }
        if nic.memory {
            let dos = Dos { vds: true, xms: Xms::None, ..Dos::default() };
            load_leaves(lab, nic.name, &Qemu { dos, ..qemu(nic)? }, "3COMPKT /MIGRATE=8192 /STATS")?;
        }
    }
    load_leaves(lab, "corkscrew with rings", &rings()?, "3COMPKT")
}

/// Loads the driver as the machine's first program, and reads the stack by QEMU's monitor. Unused bytes are zeros: DOS has
/// copied them from the load image. If the installer has moved up, it has moved the stack with its zeros. Behind the stack is
/// only memory that no program has used, which QEMU fills with zeros.
fn load_leaves(lab: &Lab, name: &str, rig: &Qemu, line: &str) -> Verdict {
    /// The furthest that the installer looks for memory: a segment.
    const FURTHEST: usize = 0x10000;
    let size = usize::from(load_paras(&whole(lab)?)) * 16;
    let mut segment = None;
    let mut memory = Vec::new();
    let steps = watched(rig, &lab.job(&[], &[line, "pause"])?, &mut |line, monitor| {
        if let Some((_, at)) = line.strip_prefix("[resident ").and_then(|rest| rest.strip_suffix(']')?.split_once(" bytes at ")) {
            segment = usize::from_str_radix(at, 16).ok();
        } else if line == "[pause]" {
            // Behind the PSP.
            let start = (segment.unwrap_or(0) + 0x10) * 16 + size - STACK;
            memory = monitor.memory(start, FURTHEST).unwrap_or_default();
            // The run ends by its limit where this fails.
            let _ = monitor.resume();
        }
    })?;
    steps.exits(line, 0)?;
    let Some(top) = memory.iter().rposition(|byte| *byte != 0) else { return steps.fail("the stack was seen") };
    let top = (top + 1).next_multiple_of(16);
    let Some(stack) = top.checked_sub(STACK).and_then(|bottom| memory.get(bottom..top)) else { return steps.fail("the stack lies there") };
    enough(&steps, name, line, stack.iter().take_while(|byte| **byte == 0).count())
}

fn whole(lab: &Lab) -> Result<Vec<u8>, String> {
    let file = lab.files()?.iter().find(|(name, _)| name == "3COMPKT.EXE");
    file.map(|(_, bytes)| bytes.clone()).ok_or_else(|| "the build has no 3COMPKT.EXE".into())
}
