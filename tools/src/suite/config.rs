//! PKTCTL and the control interrupt: parameters, files of them, the log, unloading.

use super::machine::{Lab, Rig, Steps, ne2000, qemu};
use super::runner::{Test, Verdict};
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use compkt::control::{BURST, LEVEL, MODE, PARAMETERS};
use compkt::programs::settings::{Place, Settings, Value, block};

const LOAD: &str = "3COMPKT /CTL";
const ALL: &str = "PKTCTL config --csv";

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/config/parameters", parameters),
        Test::new("qemu/config/without-ctl", without),
        Test::new("qemu/config/two-copies", two_copies),
        Test::new("qemu/config/import", import),
        Test::new("qemu/config/line", line),
        Test::new("qemu/config/log", log),
        Test::new("qemu/config/unload", unload),
        Test::new("dosbox-x/config/files", files).takes(5),
    ]
}

/// One parameter is shown, set, refused.
fn parameters(lab: &Lab) -> Verdict {
    let cases = [
        ("PKTCTL config BURST", 0, "BURST=8"),
        ("PKTCTL config burst=4", 0, "BURST=4"),
        ("PKTCTL config burst", 0, "BURST=4"),
        ("PKTCTL config BURST=0", 2, "PKTCTL: BURST=0: BURST takes 1 to 64."),
        ("PKTCTL config BURST=65", 2, "PKTCTL: BURST=65: BURST takes 1 to 64."),
        ("PKTCTL config ADDRESS=03:00:00:00:00:01", 2, "PKTCTL: ADDRESS=03:00:00:00:00:01: ADDRESS does not take this, but for example 02:00:00:00:00:01 or ROM."),
        ("PKTCTL config BRUST=4", 2, "PKTCTL: BRUST: no parameter has this name. PKTCTL config lists them."),
        ("PKTCTL config HANDLES", 0, "HANDLES=8"),
        ("PKTCTL config DELAY", 0, "DELAY=0"),
        ("PKTCTL config DELAY=9", 3, "DELAY: the card's driver fixes it."),
        ("PKTCTL config RXRING", 3, "RXRING: the card's driver fixes it."),
        ("PKTCTL config RXRING=32", 3, "RXRING: the card's driver fixes it."),
        ("PKTCTL config HANDLES=9", 3, "HANDLES: it is fixed at load: change the driver's line."),
        ("PKTCTL config ADDRESS=02:00:00:00:00:77", 0, "ADDRESS=02:00:00:00:00:77"),
        ("PKTCTL nics --csv", 0, "02:00:00:00:00:77"),
        ("PKTCTL config ADDRESS=ROM", 0, "ADDRESS=52:54:00:12:34:56"),
        ("PKTCTL config MULTICAST=01:00:5e:00:00:01,01-00-5E-00-00-02", 0, "MULTICAST=01:00:5E:00:00:01,01:00:5E:00:00:02"),
        ("PKTCTL config MULTICAST", 0, "MULTICAST=01:00:5E:00:00:01,01:00:5E:00:00:02"),
        ("PKTCTL config MULTICAST=", 0, "MULTICAST="),
        ("PKTCTL apply", 0, "INT 60h: no parameter waits."),
        ("PKTCTL config MEDIA=TX,FD", 0, "MEDIA=TX,FD after PKTCTL apply"),
        ("PKTCTL config MEDIA", 0, "MEDIA=DEFAULT\nMEDIA=TX,FD after PKTCTL apply"),
        ("PKTCTL rollback", 0, "  MEDIA=TX,FD\nINT 60h: forgotten."),
        ("PKTCTL rollback --int=60", 0, "INT 60h: no parameter waits."),
    ];
    let mut script = vec![LOAD];
    script.extend(cases.iter().map(|(line, ..)| *line));
    script.extend(["PKTCTL config", ALL]);
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for (line, code, said) in cases {
        steps.exits(line, code)?;
        steps.prints(line, said)?;
    }
    let table = &steps.first("PKTCTL config")?.text;
    steps.holds(table.lines().all(|line| line.len() < 80), "the table fits the screen")?;
    steps.holds(table.starts_with("INT 60h  ne2000\n  MODE       3                 receive mode"), "it begins with the mode")?;
    steps.prints(ALL, "60,\"BURST\",\"4\",\"4\",\"live\",1,64\n")?;
    steps.prints(ALL, "60,\"HANDLES\",\"8\",\"8\",\"fixed\",1,64")
}

/// A driver without `/CTL`, somebody else's driver, and none.
fn without(lab: &Lab) -> Verdict {
    let lines = ["PKTCTL config", "PKTCTL config BURST", "PKTCTL config BURST=4", "PKTCTL apply", "PKTCTL rollback", "PKTCTL export --text", "PKTCTL export --line", "PKTCTL import X", "PKTCTL log", "PKTCTL log --follow"];
    for (load, said) in [
        ("3COMPKT", "3COMPKT on INT 60h was loaded without /CTL. Load it with /CTL."),
        ("FOREIGN", "INT 60h: ODI,\"shim\", version 9, is not 3COMPKT: it has no "),
        ("mem", "No packet driver on INT 20h to FFh."),
    ] {
        let steps = qemu(ne2000())?.steps(&lab.job(&[], &[&[load][..], &lines, &["PKTCTL config --csv"]].concat())?)?;
        for line in lines {
            steps.exits(line, 3)?;
            steps.holds(steps.first(line)?.text.starts_with(said) && steps.first(line)?.text.lines().count() == 1, format!("`{line}` prints one line, `{said}`"))?;
        }
        steps.exits("PKTCTL config --csv", 3)?;
    }
    Ok(())
}

/// Of two copies, a command that changes one wants to know which; one that shows them shows both.
fn two_copies(lab: &Lab) -> Verdict {
    use crate::rig::qemu::{Net, Nic, Qemu};
    let card = |device: &str| Nic { device: device.into(), net: Net::User };
    let rig = Qemu { nics: vec![card("ne2k_isa,iobase=0x300,irq=10,mac=02:00:00:00:00:10"), card("e1000,mac=02:00:00:00:00:11")], ..Qemu::default() };
    let script = [
        "3COMPKT /NIC=ne2000 /CTL", "3COMPKT /INT=61 /CTL", "PKTCTL config BURST=4", "PKTCTL config BURST=4 --int=61", ALL, "PKTCTL log",
        "PKTCTL unload", "PKTCTL unload --int=60", "PKTCTL config BURST=5", ALL,
    ];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in ["PKTCTL config BURST=4", "PKTCTL unload"] {
        steps.exits(line, 3)?;
        steps.holds(steps.first(line)?.text == "3COMPKT is on INT 60h and 61h. Say which one, for example --int=60.", "it asks which")?;
    }
    steps.exits("PKTCTL unload --int=60", 0)?;
    let all = steps.each(ALL);
    steps.holds(all[0].text.contains("60,\"BURST\",\"8\"") && all[0].text.contains("61,\"BURST\",\"4\""), "one was set")?;
    steps.prints("PKTCTL log", "INT 60h  ne2000\n")?;
    steps.prints("PKTCTL log", "INT 61h  e1000\n")?;
    steps.prints("PKTCTL config BURST=5", "BURST=5")?;
    steps.holds(!all[1].text.contains("60,") && all[1].text.contains("61,\"BURST\",\"5\""), "the other one is left")
}

/// A block of these numbers.
fn packed(numbers: &[(u8, u16)]) -> Vec<u8> {
    let mut settings = Settings::new();
    for (number, value) in numbers {
        settings.add(&PARAMETERS[usize::from(*number) - 1], Value::number(*value), Place::Byte(0));
    }
    let mut bytes = [0; block::MOST];
    let length = block::write(&settings, &mut bytes);
    bytes[..length].to_vec()
}

/// Files of both forms: good ones are set; of a bad one nothing is, and the line or byte is named.
fn import(lab: &Lab) -> Verdict {
    let good = packed(&[(MODE, 5), (BURST, 3), (LEVEL, 7)]);
    let mut damaged = good.clone();
    damaged[10] ^= 1;
    let mut newer = good.clone();
    newer[4] = 2;
    let text = |lines: &str| format!("3COMPKT settings 1\r\n{lines}\r\nEND\r\n").into_bytes();
    let files = [
        ("CUT.BIN", good[..good.len() - 1].to_vec(), 4, "CUT.BIN: byte 23: the file ends here, too early. Nothing was changed."),
        ("EMPTY.BIN", Vec::new(), 4, "EMPTY.BIN: line 1: the first line of such a file is \"3COMPKT settings 1\". Nothing was changed."),
        ("DAMAGED.BIN", damaged, 4, "DAMAGED.BIN: byte 20: the checksum is wrong, so the file is damaged. Nothing was changed."),
        ("NEWER.BIN", newer, 4, "NEWER.BIN: byte 4: a later version wrote this block. Nothing was changed."),
        ("LONG.TXT", text(&"; a long file\r\n".repeat(300)), 4, "LONG.TXT: byte 4096: no such file is so long. Nothing was changed."),
        ("WORD.TXT", text("BURST=5\r\nBRUST=6"), 4, "WORD.TXT: line 3: no parameter has this name. Nothing was changed."),
        ("VALUE.TXT", text("BURST=5\r\nMODE=9"), 4, "VALUE.TXT: line 3: the parameter does not take this value. Nothing was changed."),
        ("OLD.TXT", b"3COMPKT settings 0\nBURST=5\nEND\n".to_vec(), 4, "OLD.TXT: line 1: an earlier version wrote this file. Nothing was changed."),
        ("CUT.TXT", b"3COMPKT settings 1\nBURST=5\n".to_vec(), 4, "CUT.TXT: line 3: the file ends here, without a line END. Nothing was changed."),
        ("FIXED.TXT", text("BURST=5\r\nHANDLES=9"), 3, "FIXED.TXT: line 3: HANDLES: it is fixed at load: change the driver's line. Nothing was changed."),
        ("NONE.TXT", text("BURST=5\r\nRXRING=32"), 3, "NONE.TXT: line 3: RXRING: the card's driver fixes it. Nothing was changed."),
        ("GOOD.BIN", good, 0, "Parameters set: 3. As in the file before: 0."),
        ("GOOD.TXT", text("MODE=5\r\nHANDLES=8\r\nMEDIA=TX"), 0, "Parameters set: 1. As in the file before: 2. Waiting for PKTCTL apply: 1."),
        ("AGAIN.TXT", text("MODE=5\r\nMEDIA=TX"), 0, "Parameters set: 0. As in the file before: 2."),
    ];
    let mut script = vec![LOAD.to_string(), ALL.into()];
    for (name, ..) in &files {
        script.extend([format!("PKTCTL import {name}"), ALL.into()]);
    }
    script.push("PKTCTL import MISSING.TXT".into());
    let mut job: Job = lab.job(&[], &script)?;
    job.files.extend(files.iter().map(|(name, contents, ..)| (name.to_string(), contents.clone())));
    let steps = qemu(ne2000())?.steps(&job)?;
    let states = steps.each(ALL);
    for (number, (name, _, code, said)) in files.iter().enumerate() {
        let line = format!("PKTCTL import {name}");
        steps.exits(&line, *code)?;
        steps.holds(steps.first(&line)?.text.starts_with(said), format!("`{line}` prints `{said}`"))?;
        let same = states[number].text == states[number + 1].text;
        steps.holds(same == (*code != 0 || *name == "AGAIN.TXT"), format!("`{line}` changes what it should"))?;
    }
    for (name, value) in [("MODE", 5), ("BURST", 3), ("LOG", 7)] {
        steps.holds(states[states.len() - 1].text.contains(&format!("\"{name}\",\"{value}\"")), format!("{name} is {value}"))?;
    }
    steps.exits("PKTCTL import MISSING.TXT", 4)?;
    steps.prints("PKTCTL import MISSING.TXT", "MISSING.TXT: cannot be read: there is no such file or folder.")
}

/// The DEVICE= line that is printed gives the same driver: memory map, parameters, and the line again.
fn line(lab: &Lab) -> Verdict {
    let export = "PKTCTL export --line";
    for load in ["3COMPKT /CTL", "3COMPKT /INT=65 /HANDLES=5 /STACK=1000 /BURST=3 /STATS /COUNT /CTL", "3COMPKT /CTL /XMS=48 /CACHE=2048", "3COMPKT /CTL /COMPACT /XMS=24"] {
        let show = ["PKTCTL mem", "PKTCTL config --csv", export];
        let steps = qemu(ne2000())?.steps(&lab.job(&[], &[&[load][..], &show].concat())?)?;
        steps.exits(export, 0)?;
        let first = steps.first(export)?.text.lines().next().unwrap_or_default().to_string();
        let Some(switches) = first.strip_prefix("DEVICE=3COMPKT.SYS ") else { return steps.fail("it prints a DEVICE= line") };
        let again = format!("3COMPKT {switches}");
        let other = qemu(ne2000())?.steps(&lab.job(&[], &[&[again.as_str()][..], &show].concat())?)?;
        other.exits(&again, 0)?;
        for line in show {
            other.holds(other.first(line)?.text == steps.first(line)?.text, format!("`{line}` is as before, which was\n{}", steps.first(line)?.text))?;
        }
    }
    Ok(())
}

/// The log: what happened, in order; `--follow` prints what happens, and ends by a key.
fn log(lab: &Lab) -> Verdict {
    let card = crate::nics::NICS.iter().find(|nic| nic.name == "e1000").ok_or("the list has no e1000")?;
    let follow = ["PKTCTL log --follow", "PKTCTL log --follow --csv"];
    let script = [LOAD, "PKTCTL config BURST=4", follow[0], "PKTCTL config MODE=2", follow[1], "PKTCTL log", "PKTCTL log --csv", "PKTCTL config LOG=0", "PKTCTL config BURST=5", "PKTCTL log"];
    let (mut following, mut now, mut pulled) = (0, false, false);
    let report = qemu(card)?.run_with(&lab.job(&[], &script)?, &mut |line, monitor| {
        if line.starts_with("> ") {
            now = line.contains("--follow");
            following += u8::from(now);
            pulled = false;
            return Ok(());
        }
        let last = if following == 1 { "parameter set: BURST" } else { ",5,1,\"parameter set\"" };
        if now && !pulled && line.ends_with(last) {
            pulled = true;
            monitor.set_link("c0", false)?;
        } else if pulled && line.contains("link down") {
            monitor.set_link("c0", true)?;
        } else if pulled && line.contains("link up") {
            pulled = false;
            monitor.command(if following == 1 { "sendkey q" } else { "sendkey ctrl-c" })?;
        }
        Ok(())
    });
    let steps = Steps::of(report.map_err(|error| error.to_string())?);
    steps.exits(follow[0], 0)?;
    steps.exits(follow[1], 5)?;
    steps.exits("PKTCTL log", 0)?;
    let events = |text: &str| -> Vec<String> { text.lines().filter_map(|line| line.strip_prefix("  ")?.get(10..).map(str::to_string)).collect() };
    let logs = steps.each("PKTCTL log");
    let all = events(&logs[0].text);
    let expected = ["link up", "parameter set: BURST", "link down", "link up", "parameter set: MODE", "link down", "link up"];
    steps.holds(all == expected, format!("the log has all, in order: {all:?}"))?;
    steps.holds(events(&logs[1].text) == all, "LOG=0 logs nothing more, not even itself")?;
    steps.holds(events(&steps.first(follow[0])?.text) == all[..4], "what was followed")?;
    let times: Vec<&str> = logs[0].text.lines().skip(1).filter_map(|line| line.get(2..10)).collect();
    steps.holds(times.windows(2).all(|pair| pair[0] <= pair[1]) && times.iter().all(|time| time.as_bytes()[2] == b':'), format!("times: {times:?}"))?;
    let rows = &steps.first("PKTCTL log --csv")?.text;
    steps.holds(rows.starts_with("int,number,time,event,detail,text\n60,0,") && rows.lines().count() == 8, "a row for each")
}

/// Unloading: with and without the control interrupt, refused while a program has a handle, and by DEVICE=.
fn unload(lab: &Lab) -> Verdict {
    let unload = "PKTCTL unload";
    // Programs that keep the Interrupt Sharing Protocol may have hooked the driver's interrupts since.
    let script = [LOAD, "SHARE08", "SHARE72", "PKTCTL test", unload, "ints", LOAD, "PKTCTL test", unload, "ints"];
    let below = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in script.iter().filter(|line| **line != "ints") {
        below.exits(line, 0)?;
    }
    below.same("ints")?;
    for load in ["3COMPKT", LOAD] {
        let script = ["ints keep", "mem", "ints", load, "HOLD", unload];
        let held = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
        held.exits(unload, 3)?;
        held.prints(unload, "INT 60h: ne2000 stays: a program has it open or has hooked its interrupts.\n3COMPKT /U /INT=60 says which.")?;
        let script = ["ints keep", "mem", "ints", load, unload, "mem", "ints", load, "PKTCTL test", unload, "mem", "ints"];
        let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
        steps.exits(load, 0)?;
        steps.exits(unload, 0)?;
        steps.exits("PKTCTL test", 0)?;
        steps.prints(unload, "INT 60h: ne2000 unloaded.")?;
        steps.same("mem")?;
        steps.same("ints")?;
        let device = format!("DEVICE={load}").replace("3COMPKT", "3COMPKT.SYS");
        let steps = qemu(ne2000())?.steps(&lab.job(&["ints", &device], &[unload, "ints", unload])?)?;
        steps.prints(&device, "ne2000 at port 300h")?;
        let unloads = steps.each(unload);
        steps.holds(unloads[0].text == "INT 60h: ne2000 stopped; its memory stays with DOS.", "it says what stays")?;
        steps.holds(unloads[1].exit == Some(3), "it goes once")?;
        steps.same("ints")?;
    }
    Ok(())
}

/// Files that PKTCTL writes on a disk, in another DOS: each is imported again after the driver was loaded anew.
fn files(lab: &Lab) -> Verdict {
    let set = ["PKTCTL config BURST=7", "PKTCTL config MODE=5", "PKTCTL config MULTICAST=01:00:5E:00:00:01", "PKTCTL config INTERVAL=2"];
    let mut script = vec![LOAD];
    script.extend(set);
    script.extend([ALL, "PKTCTL export A.TXT --text", "PKTCTL export B.BIN", "PKTCTL export C.SYS --line", "TYPE A.TXT", "TYPE C.SYS"]);
    for import in ["PKTCTL import A.TXT", "PKTCTL import B.BIN"] {
        script.extend(["3COMPKT /U", LOAD, import, ALL]);
    }
    script.extend(["PKTCTL export Q:\\NONE\\A.TXT --text", "PKTCTL log >L.TXT", "TYPE L.TXT", "KEY 71", "PKTCTL log --follow >M.TXT", "TYPE M.TXT", "PKTCTL unload"]);
    let steps = DosboxX::default().steps(&lab.job(&[], &script)?)?;
    for line in script.iter().filter(|line| line.starts_with("PKTCTL") && !line.contains("NONE")) {
        steps.exits(line, 0)?;
    }
    steps.same(ALL)?;
    steps.prints(ALL, "60,\"BURST\",\"7\"")?;
    for line in ["3COMPKT settings 1", "BURST=7", "MODE=5", "MULTICAST=01:00:5E:00:00:01", "ADDRESS=ROM", "END"] {
        steps.prints("TYPE A.TXT", line)?;
    }
    steps.prints("TYPE C.SYS", "DEVICE=3COMPKT.SYS /NIC=ne2000 /IO=300 /IRQ=10 /CTL /BURST=7")?;
    steps.exits("PKTCTL export Q:\\NONE\\A.TXT --text", 4)?;
    steps.prints("PKTCTL export Q:\\NONE\\A.TXT --text", "Q:\\NONE\\A.TXT: cannot be made: ")?;
    steps.prints("TYPE L.TXT", "parameter set: MODE")?;
    steps.prints("TYPE M.TXT", "parameter set: MODE")
}
