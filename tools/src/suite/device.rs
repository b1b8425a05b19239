//! `DEVICE=` and `DEVICEHIGH=` in all variants of DOS.

use super::machine::{Lab, Rig, Steps, ne2000, qemu};
use super::runner::{Test, Verdict};
use crate::nics::{NICS, Nic};
use crate::rig::bochs::Bochs;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::{Dos, TailEnd, Xms, load_paras};
use crate::rig::qemu::Qemu;

/// The driver's answers to DOS's later requests: done; for the last one, unknown command.
const ANSWERS: &str = "[answers 0D:0100 03:0100 04:0100 06:0100 08:0100 0A:0100 0C:0100 0E:0100 13:0100 80:8103]";
const EXCHANGE: &str = "PKTCTL test";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (upper_tail, case) in [(false, "kept"), (true, "upper")] {
        for (tail_end, end) in [(TailEnd::Cr, "cr"), (TailEnd::CrLf, "crlf"), (TailEnd::BlankCrLf, "blank")] {
            for request_len in [0x16, 0x17, 0x18, 0x1E] {
                let dos = Dos { upper_tail, tail_end, request_len, ..Dos::default() };
                tests.push(Test::new(format!("qemu/device/{case}-{end}-{request_len:x}"), move |lab| variant(lab, dos)));
            }
        }
    }
    tests.push(Test::new("qemu/device/low", |lab| moves_frames(lab, &qemu(ne2000())?, "DEVICE=C:\\3COMPKT.SYS", "by DEVICE=")));
    tests.push(Test::new("qemu/device/exe", |lab| moves_frames(lab, &qemu(ne2000())?, "DEVICE=3COMPKT.EXE", "by DEVICE=")));
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        tests.push(Test::new(format!("qemu/{}/umb-exact", nic.name), move |lab| high(lab, nic, image_paras(lab)?)));
    }
    tests.push(Test::new("qemu/device/umb-large", |lab| high(lab, ne2000(), 0xC00)));
    tests.push(Test::new("qemu/device/umb-careless", umb_careless));
    tests.push(Test::new("qemu/device/umb-too-small", umb_too_small));
    tests.push(Test::new("qemu/device/umb-without-rings", umb_without_rings));
    tests.push(Test::new("bochs/device/low", |lab| moves_frames(lab, &bochs(), "DEVICE=3COMPKT.SYS", "by DEVICE=")).takes(12));
    for (name, v86, line, words) in [
        ("low", false, "DEVICE=C:\\3COMPKT.SYS", "by DEVICE="),
        ("umb", false, "DEVICEHIGH=C:\\3COMPKT.SYS", "upper memory, by DEVICE="),
        ("v86", true, "DEVICE=C:\\3COMPKT.SYS", "V86 mode, by DEVICE="),
        ("v86-umb", true, "DEVICEHIGH=C:\\3COMPKT.SYS", "upper memory, V86 mode, by DEVICE="),
    ] {
        let rig = DosboxX { v86, ..DosboxX::default() };
        tests.push(Test::new(format!("dosbox-x/device/{name}"), move |lab| moves_frames(lab, &rig, line, words)).takes(6));
    }
    tests
}

/// Bochs. Its network answers only if the machine's clock does not run faster than the host's.
pub fn bochs() -> Bochs {
    Bochs { real_time: true, ..Bochs::default() }
}

/// The switches are read, whatever follows them in the request.
fn variant(lab: &Lab, dos: Dos) -> Verdict {
    let line = "DEVICE=C:\\3Compkt.Sys /int=61 /Io=300 /irq:10 /Handles=5";
    let rig = Qemu { dos, ..qemu(ne2000())? };
    let steps = rig.steps(&lab.job(&[line], &["PKTCTL status /INT=61", "ints"])?)?;
    loaded(&steps, line)?;
    steps.prints(line, "port 300h, IRQ 10")?;
    steps.exits("PKTCTL status /INT=61", 0)?;
    steps.prints("PKTCTL status /INT=61", "0 of 5 in use")?;
    steps.holds(!steps.first("ints")?.text.contains("int 60"), "only the vector that was asked for is taken")
}

/// The driver prints one line; DOS keeps the device and its name, and gets its answers.
fn loaded(steps: &Steps, line: &str) -> Verdict {
    let text = &steps.first(line)?.text;
    let lines: Vec<&str> = text.lines().collect();
    let [banner, resident, device, answers] = lines[..] else { return steps.fail(format!("`{line}` prints one line")) };
    steps.holds(banner.starts_with("3COMPKT: ") && banner.ends_with(" bytes resident"), "the line tells what was loaded")?;
    let bytes = banner.split(' ').rev().nth(2).unwrap_or_default().replace(',', "");
    steps.holds(resident.starts_with(&format!("[device resident {bytes} bytes at ")), "the line tells what DOS keeps")?;
    steps.holds(device == "[device PKTDRV$0 attribute 8000]", "the device has its name")?;
    steps.holds(answers == ANSWERS, "later requests are answered")
}

/// The driver loads and reaches the network.
fn moves_frames(lab: &Lab, rig: &impl Rig, line: &str, words: &str) -> Verdict {
    let steps = rig.steps(&lab.job(&[line], &["PKTCTL status", EXCHANGE])?)?;
    steps.prints(line, "3COMPKT: ne2000 at port 300h, IRQ ")?;
    steps.prints("PKTCTL status", words)?;
    steps.exits(EXCHANGE, 0)
}

/// The driver loads into an upper block of this size and reaches the network. A block of [`image_paras`] is exactly as large as
/// what DOS reads from the file.
fn high(lab: &Lab, nic: &Nic, paragraphs: u16) -> Verdict {
    let line = "DEVICEHIGH=C:\\3COMPKT.SYS";
    let rig = Qemu { dos: Dos { umb_paras: Some(paragraphs), ..Dos::default() }, ..qemu(nic)? };
    let steps = rig.steps(&lab.job(&["mem", line], &["PKTCTL status", EXCHANGE, "mem"])?)?;
    loaded(&steps, line)?;
    steps.prints("PKTCTL status", "upper memory, by DEVICE=")?;
    steps.exits(EXCHANGE, 0)?;
    steps.holds(!steps.report.output.contains("[written past"), "nothing was written past the upper block")
}

/// A DOS that does not compare sizes loads the driver into an upper block that is one paragraph too small: one line, and nothing
/// stays. (What is behind the block, that DOS itself has overwritten.)
fn umb_careless(lab: &Lab) -> Verdict {
    let rig = Qemu { dos: Dos { umb_paras: Some(image_paras(lab)? - 1), careless: true, ..Dos::default() }, ..qemu(ne2000())? };
    let line = "DEVICEHIGH=C:\\3COMPKT.SYS";
    let steps = rig.steps(&lab.job(&["ints", line, "ints"], &[])?)?;
    let said = "3COMPKT: too little memory here; load it low with DEVICE= or give it more upper memory";
    steps.holds(steps.first(line)?.text == format!("{said}\n[device refused, status 8003]"), "one line says why")?;
    steps.same("ints")
}

fn umb_too_small(lab: &Lab) -> Verdict {
    let rig = Qemu { dos: Dos { umb_paras: Some(image_paras(lab)? - 1), ..Dos::default() }, ..qemu(ne2000())? };
    let line = "DEVICEHIGH=C:\\3COMPKT.SYS";
    let steps = rig.steps(&lab.job(&[line], &["PKTCTL status", EXCHANGE, "mem"])?)?;
    loaded(&steps, line)?;
    steps.holds(!steps.first("PKTCTL status")?.text.contains("upper memory"), "it lies low")?;
    steps.exits(EXCHANGE, 0)
}

/// The upper block has room for the image, but not for the rings that a card needs there without XMS: one line, nothing stays.
fn umb_without_rings(lab: &Lab) -> Verdict {
    let card = NICS.iter().find(|nic| nic.name == "rtl8139").ok_or("the list has no RTL8139")?;
    let rig = Qemu { dos: Dos { umb_paras: Some(image_paras(lab)?), xms: Xms::None, ..Dos::default() }, ..qemu(card)? };
    let line = "DEVICEHIGH=C:\\3COMPKT.SYS";
    let steps = rig.steps(&lab.job(&["mem", "ints", line, "mem", "ints"], &[])?)?;
    let Some((said, status)) = steps.first(line)?.text.rsplit_once('\n') else { return steps.fail("one line says why") };
    steps.holds(status == "[device refused, status 8003]", "it is refused")?;
    steps.holds(said.starts_with("3COMPKT: ") && said.lines().count() == 1 && said.contains("memory"), "one line says why")?;
    steps.same("mem")?;
    steps.same("ints")
}

fn image_paras(lab: &Lab) -> Result<u16, String> {
    let file = lab.files()?.iter().find(|(name, _)| name == "3COMPKT.SYS");
    file.map(|(_, bytes)| load_paras(bytes)).ok_or_else(|| "the build has no 3COMPKT.SYS".into())
}
