//! `/REAP`: handles of programs that have ended are closed; those of programs that stay resident are not.
//!
//! LEAVE (fixtures/leave.asm) opens a handle for a type and ends in the way that its letter says. If the handle of an earlier one is
//! still open, it ends with 10, TYPE_INUSE.

use std::thread::sleep;
use std::time::Duration;

use super::machine::{Lab, Rig, Steps, ne2000, qemu, qemu_on, watched};
use super::runner::{Test, Verdict};
use crate::nics::NICS;
use crate::pack::checks::{Role, budget};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{self, Net, Qemu};

/// The type is open: an error of `access_type`.
const TYPE_INUSE: u8 = 10;
/// 3COMPKT: the driver cannot be unloaded.
const STAYS: u8 = 5;
/// Ways to end with which nothing stays in memory.
const ENDS: [&str; 6] = ["LEAVE C", "LEAVE A", "LEAVE 0", "LEAVE N", "LEAVE F", "LEAVE P"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/reap/without", without),
        Test::new("qemu/reap/stays", stays),
        Test::new("qemu/reap/nested", nested),
        Test::new("qemu/reap/upper", upper),
        Test::new("qemu/reap/flood", flood).takes(6),
        Test::new("qemu/reap/replace", replace),
        Test::new("qemu/reap/several", several),
        Test::new("dosbox-x/reap/ends", dosbox_x).takes(6),
    ];
    for (name, card, line) in [("alone", "ne2000", "3COMPKT /REAP"), ("device", "e1000", "DEVICE=3COMPKT.SYS /REAP"), ("all", "e1000", "3COMPKT /REAP /CTL /STATS /COUNT /XMS=48")] {
        tests.push(Test::new(format!("qemu/reap/ends/{name}"), move |lab| ends(lab, card, line)));
    }
    tests
}

fn card(name: &str) -> Result<Qemu, String> {
    qemu(NICS.iter().find(|nic| nic.name == name).ok_or("the list has no such NIC")?)
}

/// Each way to end: the next program opens the same type, and nothing is left, neither a handle nor a hook.
fn ends(lab: &Lab, name: &str, line: &'static str) -> Verdict {
    let device = line.starts_with("DEVICE=");
    let mut script = vec!["ints keep"];
    let look = ["mem", "ints"];
    if !device {
        script.extend([&look[..], &[line]].concat());
    }
    script.extend(["LEAVE C", "ints"]);
    script.extend(ENDS);
    script.extend(["LEAVE C", "PKTCTL mem", "PKTCTL test", "3COMPKT /U"]);
    script.extend(look);
    let config: &[&str] = if device { &[line] } else { &[] };
    let steps = card(name)?.with_xms(Xms::V3).steps(&lab.job(config, &script)?)?;
    for line in script.iter().filter(|line| !["ints keep", "mem", "ints"].contains(line)) {
        steps.exits(line, 0)?;
    }
    let row = format!("{}  reap ", budget("reap", Role::Resident));
    steps.holds(steps.first("PKTCTL mem")?.text.contains(&row), "it is in memory where it was asked for")?;
    let vectors: Vec<&str> = steps.each("ints").iter().map(|step| step.text.as_str()).collect();
    steps.holds(vectors.iter().all(|vectors| !vectors.contains("[int 22 ")), "vector 22h is as DOS has it")?;
    if !device {
        steps.same("mem")?;
        steps.holds(vectors.first() == vectors.last(), "all vectors are as before")?;
    }
    Ok(())
}

/// Without `/REAP` the handle stays open, and the driver cannot be unloaded: the tests above would see that.
fn without(lab: &Lab) -> Verdict {
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["3COMPKT", "LEAVE C", "LEAVE 0", "3COMPKT /U"])?)?;
    steps.exits("LEAVE C", 0)?;
    steps.exits("LEAVE 0", TYPE_INUSE)?;
    steps.exits("3COMPKT /U", STAYS)
}

/// A program that stays resident keeps its handle; so does a resident program for which another one has opened it.
fn stays(lab: &Lab) -> Verdict {
    let opened = ["LEAVE R 1", "LEAVE 7 2", "LEAVE V 3"];
    let again = ["LEAVE C 1", "LEAVE C 2", "LEAVE C 3"];
    let script = [&["3COMPKT /REAP", "LEAVE T"][..], &opened, &again, &["LEAVE C", "LEAVE 0", "3COMPKT /U", "PKTCTL test"]].concat();
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in opened.iter().chain(&["LEAVE C", "LEAVE 0", "PKTCTL test"]) {
        steps.exits(line, 0)?;
    }
    for line in again {
        steps.exits(line, TYPE_INUSE)?;
    }
    steps.exits("3COMPKT /U", STAYS)
}

/// The driver is unloaded by a program that another one runs, which is hooked: that one ends as DOS has it.
fn nested(lab: &Lab) -> Verdict {
    let script = ["ints keep", "mem", "ints", "3COMPKT /REAP", "LEAVE U", "mem", "ints", "3COMPKT /REAP", "LEAVE P", "LEAVE U", "mem", "ints"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in ["3COMPKT /REAP", "LEAVE U", "LEAVE P"] {
        steps.exits(line, 0)?;
    }
    steps.prints("LEAVE U", "3COMPKT: ne2000 unloaded")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Driver and programs in upper memory, whose blocks are not linked to the chain when a program ends.
fn upper(lab: &Lab) -> Verdict {
    let rig = Qemu { dos: Dos { umb_paras: Some(0xC00), ..Dos::default() }, ..qemu(ne2000())? };
    let lines = ["LH 3COMPKT /REAP", "LH LEAVE C", "LH LEAVE 0", "LH LEAVE F", "LEAVE C"];
    let script = [&["ints keep", "mem", "ints"][..], &lines, &["3COMPKT /U", "mem", "ints", "LH 3COMPKT /REAP", "LH LEAVE R 1", "LEAVE C 1", "PKTCTL test"]].concat();
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in lines.iter().chain(&["3COMPKT /U", "LH LEAVE R 1", "PKTCTL test"]) {
        steps.exits(line, 0)?;
    }
    steps.exits("LEAVE C 1", TYPE_INUSE)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Another program is loaded where one was that has ended, while frames of that one's type come: the driver calls nobody there.
/// Without `/REAP` it does.
fn flood(lab: &Lab) -> Verdict {
    for (line, code) in [("3COMPKT /REAP", 0), ("3COMPKT", 1)] {
        let peer = Peer::new().map_err(|error| error.to_string())?;
        let mut frame = vec![0xA5; 100];
        frame[..6].fill(0xFF);
        frame[6] = 2;
        frame[12..14].copy_from_slice(&[0x90, 0x70]);
        let job = Job { limit: Duration::from_secs(240), ..lab.job(&[], &[line, "LEAVE C", "OVER"])? };
        let steps = watched(&qemu_on(ne2000(), peer.cable())?, &job, &mut |line, _| {
            if line == "[over]" || line == "> OVER" {
                // A busy machine takes a part of them.
                for _ in 0..20 {
                    (0..10).for_each(|_| peer.send(frame.clone()));
                    sleep(Duration::from_millis(20));
                }
            }
        })?;
        steps.exits(line, 0)?;
        steps.exits("LEAVE C", 0)?;
        steps.exits("OVER", code)?;
    }
    Ok(())
}

/// `/REPLACE`: with `/REAP` it is refused. Of a driver that has it, it puts back what is hooked, also in a program that runs.
fn replace(lab: &Lab) -> Verdict {
    let (refused, does) = ("3COMPKT /REPLACE /REAP", "3COMPKT /REPLACE");
    let script = ["ints keep", "mem", "ints", "3COMPKT /REAP", "LEAVE C", refused, "LEAVE C", does, "LEAVE R 1", "LEAVE C", "LEAVE 0"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in ["3COMPKT /REAP", "LEAVE C", does, "LEAVE R 1"] {
        steps.exits(line, 0)?;
    }
    steps.refuses(refused)?;
    steps.exits("LEAVE 0", TYPE_INUSE)
}

/// Several NICs: a handle of each interface.
fn several(lab: &Lab) -> Verdict {
    let devices = ["ne2k_isa,iobase=0x300,irq=10", "e1000"];
    let nics = devices.iter().map(|device| qemu::Nic { device: device.to_string(), net: Net::User }).collect();
    let rig = Qemu { nics, ..Qemu::default() }.with_xms(Xms::V3);
    let load = "3COMPKT /NIC=ALL /INT=60,61 /REAP";
    let script = ["ints keep", "mem", "ints", load, "LEAVE C 1", "LEAVE I 1", "LEAVE C 1", "LEAVE I 1", "PKTCTL test /INT=60", "PKTCTL test /INT=61", "3COMPKT /U", "mem", "ints"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in &script[3..11] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// On a DOS that others wrote.
fn dosbox_x(lab: &Lab) -> Verdict {
    let script = ["3COMPKT /REAP", "LEAVE C", "LEAVE 0", "LEAVE N", "LEAVE P", "LEAVE C", "3COMPKT /U", "3COMPKT /REAP", "LEAVE R 1", "LEAVE C 1", "PKTCTL test"];
    let steps: Steps = DosboxX::default().steps(&lab.job(&[], &script)?)?;
    for line in ["3COMPKT /REAP", "LEAVE C", "LEAVE 0", "LEAVE N", "LEAVE P", "3COMPKT /U", "LEAVE R 1", "PKTCTL test"] {
        steps.exits(line, 0)?;
    }
    steps.exits("LEAVE C 1", TYPE_INUSE)
}
