//! The driver is left out when the user wants that: both Shift keys at DEVICE=, and `/ASK`.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::machine::{Lab, Rig, Steps, ne2000, qemu, watched};
use super::runner::{Test, Verdict};
use crate::process::TempDir;
use crate::rig::Job;
use crate::rig::qemu::Qemu;

const QUESTION: &str = "3COMPKT: load it? [Y/n] After ";
const SHIFT_KEYS: &str = "3COMPKT: not loaded: both Shift keys are held down";
const DECLINED: &str = "3COMPKT: not loaded, as you said";
const DEVICE: &str = "DEVICE=3COMPKT.SYS";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/ask/shift-keys", both_keys),
        Test::new("qemu/ask/prompt", prompt),
        Test::new("qemu/ask/device", device),
    ];
    for (name, keys) in [("left", &["shift", "ret"][..]), ("right", &["shift_r", "ret"]), ("none", &["ret"])] {
        tests.push(Test::new(format!("qemu/ask/shift-keys-{name}"), move |lab| {
            let steps = held(&lab.job(&["ints", "mem", "pause", DEVICE, "ints", "mem"], &["PKTCTL test"])?, keys)?;
            steps.prints(DEVICE, "3COMPKT: ne2000 at port 300h")?;
            steps.exits("PKTCTL test", 0)
        }));
    }
    tests
}

/// Keys of QEMU's, Enter the last of them, are pressed at the pause before DEVICE=, and held until the machine ends.
fn held(job: &Job, keys: &[&str]) -> Result<Steps, String> {
    let folder = TempDir::new("qmp").map_err(|error| error.to_string())?;
    let socket = folder.path().join("qmp");
    let extra = ["-qmp".into(), format!("unix:{},server=on,wait=off", socket.display())];
    watched(&Qemu { extra: extra.into(), ..qemu(ne2000())? }, job, &mut |line, _| {
        if line == "[pause]" {
            // The run ends by its limit where this fails.
            let _ = press(&socket, keys);
        }
    })
}

/// Presses keys, by QEMU's machine protocol: the monitor's `sendkey` releases them again.
fn press(socket: &Path, keys: &[&str]) -> io::Result<()> {
    let stream = UnixStream::connect(socket)?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    let key = |key: &&str| format!(r#"{{"type":"key","data":{{"down":true,"key":{{"type":"qcode","data":"{key}"}}}}}}"#);
    let events = keys.iter().map(key).collect::<Vec<_>>().join(",");
    for command in [r#"{"execute":"qmp_capabilities"}"#.into(), format!(r#"{{"execute":"input-send-event","arguments":{{"events":[{events}]}}}}"#)] {
        // The greeting, or the answer to the command before.
        answers.next().transpose()?;
        writeln!(&stream, "{command}")?;
    }
    answers.next().transpose().map(drop)
}

/// Both Shift keys: one line, and nothing stays. At the prompt they mean nothing.
fn both_keys(lab: &Lab) -> Verdict {
    let keys = ["shift", "shift_r", "ret"];
    let steps = held(&lab.job(&["ints", "mem", "pause", DEVICE, "ints", "mem"], &[])?, &keys)?;
    let said = format!("{SHIFT_KEYS}\n[device refused, status 8003]");
    steps.holds(steps.first(DEVICE)?.text == said, format!("it says `{said}` alone"))?;
    steps.same("mem")?;
    steps.same("ints")?;
    held(&lab.job(&["pause"], &["3COMPKT"])?, &keys)?.exits("3COMPKT", 0)
}

/// `/ASK` at the prompt: each answer, and none in time. It does not ask before it unloads.
fn prompt(lab: &Lab) -> Verdict {
    // KEY takes codes: n, N, Esc; y, Y, Enter; x, then n.
    let (no, yes) = (["6E", "4E", "1B", "78 6E"], ["79", "59", "0D", "78 79"]);
    let line = "3COMPKT /ASK=60";
    let mut script: Vec<String> = ["ints keep", "mem", "ints"].map(String::from).to_vec();
    for keys in no {
        script.extend([format!("KEY {keys}"), line.into(), "mem".into(), "ints".into()]);
    }
    let refused = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    refused.refuses(line)?;
    for step in refused.each(line) {
        refused.holds(step.exit == Some(8), "8 is the exit code")?;
        refused.holds(step.text == format!("{QUESTION}60 seconds it is loaded\n{DECLINED}"), "it asks, and says that it is not loaded")?;
    }
    refused.same("mem")?;
    refused.same("ints")?;
    script.clear();
    for keys in yes {
        script.extend([format!("KEY {keys}"), line.into(), "3COMPKT /U /ASK".into()]);
    }
    // Nobody answers.
    script.extend(["3COMPKT /ASK=1".into(), "3COMPKT /U".into(), "3COMPKT /ASK".into(), "PKTCTL test".into()]);
    let loaded = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for line in [line, "3COMPKT /U /ASK", "3COMPKT /ASK=1", "3COMPKT /ASK", "PKTCTL test"] {
        loaded.exits(line, 0)?;
    }
    loaded.prints("3COMPKT /ASK=1", &format!("{QUESTION}1 seconds it is loaded\n3COMPKT: ne2000 at "))?;
    loaded.prints("3COMPKT /ASK", &format!("{QUESTION}5 seconds it is loaded\n3COMPKT: ne2000 at "))?;
    loaded.holds(!loaded.first("3COMPKT /U /ASK")?.text.contains("load it?"), "it does not ask before it unloads")
}

/// `/ASK` at DEVICE=, with keys of a keyboard.
fn device(lab: &Lab) -> Verdict {
    let line = "DEVICE=3COMPKT.SYS /ASK=60";
    for (key, loads) in [("n", false), ("esc", false), ("ret", true)] {
        let steps = watched(&qemu(ne2000())?, &lab.job(&["mem", "ints", line, "mem", "ints"], &["PKTCTL test"])?, &mut |line, monitor| {
            if line.starts_with(QUESTION) {
                let _ = monitor.command(&format!("sendkey {key}"));
            }
        })?;
        if loads {
            steps.exits("PKTCTL test", 0)?;
            continue;
        }
        steps.prints(line, &format!("{DECLINED}\n[device refused, status 8003]"))?;
        steps.same("mem")?;
        steps.same("ints")?;
    }
    Ok(())
}
