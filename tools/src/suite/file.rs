//! The driver's file cannot be read: it is cut short, changed, or on a disk whose n-th read fails, for every n. One line must
//! say so, and the machine must be unchanged. Also the room for the installer's stack.

use super::machine::{Lab, Rig, Steps, fixture, qemu};
use super::runner::{Test, Verdict};
use crate::nics::NICS;
use crate::rig::Job;
use crate::pack::image::STACK;
use crate::rig::image::{Dos, Xms, load_paras};
use crate::rig::qemu::Qemu;
use std::time::Duration;

/// The line for every such file.
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
    tests.push(Test::new("qemu/file/not-a-probe", not_a_probe));
    tests.push(Test::new("qemu/file/stack", stack).takes(8));
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
    STATE.iter().try_for_each(|line| steps.same(line))
}

/// The directory's offset, and its entries: kind, name, offset and bytes of the unit.
fn directory(file: &[u8]) -> (usize, Vec<(u8, String, usize, usize)>) {
    let word = |at: usize| file.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let short = if word(2) == 0 { 0 } else { 512 - word(2) };
    let start = word(4) * 512 - short;
    let entry = |at: usize| {
        let name = file[at..at + 12].iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        (file[at + 12], name, word(at + 16) | word(at + 18) << 16, word(at + 20))
    };
    let first = entry(start).2;
    (start, (start..first).step_by(ENTRY).map(entry).collect())
}

/// The file is cut: in the directory, a probe, a driver, a feature, the texts.
fn cut(lab: &Lab) -> Verdict {
    let file = whole(lab)?;
    let (start, units) = directory(&file);
    let middle = |kind: u8, name: &str| {
        let unit = units.iter().find(|unit| (unit.0, unit.1.as_str()) == (kind, name));
        unit.map(|unit| unit.2 + unit.3 / 2).ok_or_else(|| format!("the file has no {name}"))
    };
    let inside = |kind, name| middle(kind, name).map(|end| vec![end]);
    let texts = [start, start + 16, start + 5 * ENTRY, start + (units.len() - 1) * ENTRY, middle(6, "lines")?];
    check_cut(lab, &card("ne2000")?, "", &[&texts[..4], &[middle(2, "ne2000")?, middle(1, "ne2000")?, middle(3, "tick")?]].concat())?;
    check_cut(lab, &card("e1000")?, "", &[&texts[..4], &[middle(2, "e1000")?, middle(1, "e1000")?, middle(3, "flat")?]].concat())?;
    check_cut(lab, &Qemu::default(), "", &texts)?;
    check_cut(lab, &Qemu::default(), " /?", &inside(6, "help")?)
}

fn check_cut(lab: &Lab, rig: &Qemu, switches: &str, ends: &[usize]) -> Verdict {
    let file = whole(lab)?;
    let names: Vec<String> = (0..ends.len()).map(|number| format!("CUT{number}")).collect();
    let lines: Vec<String> = names.iter().map(|name| format!("{name}{switches}")).collect();
    let mut script = STATE.to_vec();
    for line in &lines {
        script.push(line);
        script.extend(STATE);
    }
    let mut job = lab.job(&[], &script)?;
    job.files.extend(names.iter().zip(ends).map(|(name, end)| (format!("{name}.EXE"), file[..*end].to_vec())));
    let steps = rig.steps(&job)?;
    lines.iter().try_for_each(|line| damaged(&steps, line))
}

/// The directory's offset of a probe leads to other bytes.
fn not_a_probe(lab: &Lab) -> Verdict {
    let mut file = whole(lab)?;
    let (_, units) = directory(&file);
    for (.., at, _) in units.iter().filter(|unit| unit.0 == 2) {
        file[*at] ^= 0xFF;
    }
    let line = "CHANGED";
    let mut job = lab.job(&[], &[&STATE[..], &[line], &STATE].concat())?;
    job.files.push(("CHANGED.EXE".into(), file));
    damaged(&card("ne2000")?.steps(&job)?, line)
}

/// A search that ends with a refusal leaves part of the installer's stack unused, for a BIOS, a DOS or resident programs that
/// need more than those of the tests.
fn stack(lab: &Lab) -> Verdict {
    const LEAST: u32 = 200;
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
            steps.exits(line, 1)?;
            let left = told.text.strip_prefix("[unused ").and_then(|rest| u32::from_str_radix(rest.strip_suffix(']')?, 16).ok());
            let Some(left) = left else { return steps.fail("the program tells what is left") };
            println!("        {name}, {line}: {left} bytes left");
            steps.holds(left >= LEAST, format!("`{line}` leaves {LEAST} bytes of the stack"))?;
        }
    }
    Ok(())
}

fn whole(lab: &Lab) -> Result<Vec<u8>, String> {
    let file = lab.files()?.iter().find(|(name, _)| name == "3COMPKT.EXE");
    file.map(|(_, bytes)| bytes.clone()).ok_or_else(|| "the build has no 3COMPKT.EXE".into())
}
