//! `PKTCTL install`: the driver's line in CONFIG.SYS, in a DOS with files.

use super::machine::{Lab, Rig};
use super::runner::{Test, Verdict};
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;

const FILE: &str = "FILES=40\r\nDEVICE=C:\\DOS\\HIMEM.SYS";
const TYPE: &str = "TYPE C:\\CONFIG.SYS";
const INSTALL: &str = "PKTCTL install";
const YES: &str = "PKTCTL install --yes";
const BACK: &str = "PKTCTL install /U /YES";

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("dosbox-x/install/line", line).takes(5),
        Test::new("dosbox-x/install/refused", refused).takes(5),
    ]
}

fn job(lab: &Lab, file: Option<&str>, script: &[&str]) -> Result<Job, String> {
    let mut job = lab.job(&[], script)?;
    job.files.extend(file.map(|text| ("CONFIG.SYS".into(), text.as_bytes().to_vec())));
    Ok(job)
}

/// Asked for, written, changed for a driver with switches, and taken back: the file is as it was.
fn line(lab: &Lab) -> Verdict {
    let script = [
        TYPE, BACK, "KEY 6E", INSTALL, TYPE, "KEY 79", INSTALL, TYPE, INSTALL, "3COMPKT /CTL /XMS=48 /BURST=4", YES, TYPE, "TYPE C:\\CONFIG.3CP", BACK, TYPE,
        "IF EXIST C:\\CONFIG.3CP ECHO the backup is left", "IF EXIST C:\\3COMPKT.$$$ ECHO a part is left",
    ];
    let steps = DosboxX::default().steps(&job(lab, Some(FILE), &script)?)?;
    for line in [INSTALL, YES, BACK] {
        steps.exits(line, 0)?;
    }
    let plain = "DEVICE=C:\\3COMPKT.SYS";
    let full = "DEVICE=C:\\3COMPKT.SYS /NIC=ne2000 /IO=300 /IRQ=10 /CTL";
    let before = FILE.replace('\r', "");
    let typed: Vec<&str> = steps.each(TYPE).iter().map(|step| step.text.trim_end()).collect();
    steps.holds(typed[0] == before && typed[1] == before, "the answer N changes nothing")?;
    steps.holds(typed[2] == format!("{before}\n{plain}"), format!("the answer Y writes the line, behind one without an end: {}", typed[2]))?;
    steps.holds(typed[3].starts_with(&format!("{before}\n{full} /")) && typed[3].contains("/XMS=48") && typed[3].lines().count() == 3, format!("the driver's switches replace it: {}", typed[3]))?;
    steps.holds(typed[4] == before, "taken back, the file is as it was")?;
    steps.holds(steps.first("TYPE C:\\CONFIG.3CP")?.text.trim_end() == before, "the backup is the file of before")?;
    let said: Vec<&str> = steps.each(INSTALL).iter().map(|step| step.text.as_str()).collect();
    steps.holds(said[0].ends_with("Nothing was changed."), "it says that nothing was changed")?;
    steps.holds(said[2].contains("has this line already"), "a second time it says that the line is there")?;
    steps.holds(steps.each(BACK)[0].text == "C:\\CONFIG.SYS has no line that loads 3COMPKT.", "there is nothing to take back at first")?;
    for left in ["IF EXIST C:\\CONFIG.3CP ECHO the backup is left", "IF EXIST C:\\3COMPKT.$$$ ECHO a part is left"] {
        steps.holds(steps.first(left)?.text.is_empty(), left)?;
    }
    Ok(())
}

/// No file at first: it is made, and goes again. A file that is read-only or too long is left as it is.
fn refused(lab: &Lab) -> Verdict {
    let there = "IF EXIST C:\\CONFIG.SYS ECHO there";
    let steps = DosboxX::default().steps(&job(lab, None, &[YES, TYPE, BACK, there])?)?;
    steps.exits(YES, 0)?;
    steps.exits(BACK, 0)?;
    steps.prints(TYPE, "DEVICE=C:\\3COMPKT.SYS")?;
    steps.holds(steps.first(there)?.text.is_empty(), "a file that was made for the line goes with it")?;
    let long = "REM a long file\r\n".repeat(400);
    for (file, before, said) in [(FILE, "ATTRIB +R C:\\CONFIG.SYS", "is read-only"), (&long, "VER", "is longer than 6144 bytes")] {
        let steps = DosboxX::default().steps(&job(lab, Some(file), &[before, YES, TYPE])?)?;
        steps.exits(YES, 4)?;
        steps.prints(YES, said)?;
        steps.holds(steps.first(TYPE)?.text.trim_end() == file.replace('\r', "").trim_end(), "the file is left")?;
    }
    Ok(())
}
