//! `PKTCTL stats --watch`: what the screen shows, the keys that leave it, and the screen and vectors that it gives back. The
//! machine's video memory is read from outside.

use super::machine::{Lab, Rig, Steps, fixture, ne2000, qemu_on, unasked};
use super::runner::{Test, Verdict};
use crate::peer::Peer;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::qemu::{Monitor, Net, Qemu};
use crate::rig::{Job, Report};
use crate::setup::fail;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LINE: &str = "PKTCTL stats --watch";
/// The video memory, and its cells of one row.
const VIDEO: usize = 0xB_8000;
const COLUMNS: usize = 80;
/// The BIOS's data: the cursor's place and shape.
const CURSOR: usize = 0x450;
const SHAPE: usize = 0x460;
/// The longest time for an event on the screen.
const PATIENCE: Duration = Duration::from_secs(120);
/// A part of the last row.
pub const FOOT: &str = " Esc or Q leaves";
/// Few enough for the card's ring.
const FRAMES: usize = 10;

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/watch/frames", frames),
        Test::new("qemu/watch/keys", keys),
        Test::new("qemu/watch/any-moment", any_moment),
        Test::new("qemu/watch/nested", nested),
        Test::new("qemu/watch/lines", lines),
        Test::new("dosbox-x/watch/keys", dosbox_x).takes(5),
    ]
}

/// The NE2000 in a machine with a screen.
fn machine(net: Net) -> Result<Qemu, String> {
    Ok(Qemu { extra: vec!["-device".into(), "isa-vga".into()], ..qemu_on(ne2000(), net)? })
}

/// A screen's cells: a letter and its colours each.
pub fn cells(monitor: &mut Monitor, rows: usize) -> io::Result<Vec<u8>> {
    monitor.memory(VIDEO, rows * COLUMNS * 2)
}

/// A screen: rows of text.
pub fn screen(monitor: &mut Monitor, rows: usize) -> io::Result<Vec<String>> {
    Ok(cells(monitor, rows)?.chunks(COLUMNS * 2).map(|row| row.chunks(2).map(|cell| char::from(cell[0])).collect()).collect())
}

/// All that has to come back: cells, cursor, its shape.
fn state(monitor: &mut Monitor, rows: usize) -> io::Result<Vec<u8>> {
    let mut all = cells(monitor, rows)?;
    all.extend(monitor.memory(CURSOR, 2)?);
    all.extend(monitor.memory(SHAPE, 2)?);
    Ok(all)
}

/// At a `pause`: keeps the state at the first one, and compares it at the others.
fn paused(monitor: &mut Monitor, rows: usize, before: &mut Vec<u8>) -> io::Result<()> {
    let now = state(monitor, rows)?;
    if before.is_empty() {
        *before = now;
    } else if *before != now {
        return Err(fail("the screen is not given back"));
    }
    monitor.resume()
}

/// Waits for a picture.
pub fn until(monitor: &mut Monitor, rows: usize, what: &str, seen: &dyn Fn(&[String]) -> bool) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let rows = screen(monitor, rows)?;
        if seen(&rows) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(fail(format!("the screen does not show {what}:\n{}", rows.join("\n"))));
        }
        sleep(Duration::from_millis(20));
    }
}

/// Waits until the picture is whole, on a screen of so many rows.
fn whole(monitor: &mut Monitor, rows: usize) -> io::Result<()> {
    until(monitor, rows, "the picture", &|text| text[rows - 1].starts_with(FOOT) && text[2].starts_with("INT 60h  ne2000"))
}

/// Presses a key.
pub fn press(monitor: &mut Monitor, key: &str) -> io::Result<()> {
    monitor.command(&format!("sendkey {key}")).map(drop)
}

/// Frames that come are shown; the time slice is given up; the screen and the vectors are as before.
fn frames(lab: &Lab) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let script = ["SLICES", "3COMPKT", "ints keep", "ints", "pause", LINE, "pause", "ints", "SLICES"];
    let mut before = Vec::new();
    let report = machine(peer.cable())?.run_with(&lab.job(&[], &script)?, &mut |line, monitor| {
        if line == "[pause]" {
            paused(monitor, 25, &mut before)?;
        } else if line == format!("> {LINE}") {
            whole(monitor, 25)?;
            (0..FRAMES).for_each(|number| peer.send(unasked(number, 1000)));
            let counted = format!("  in {FRAMES:>11} frames {:>11} bytes        0 errors", FRAMES * 1000);
            until(monitor, 25, &counted, &|text| text.iter().any(|row| row.starts_with(&counted)))?;
            press(monitor, "esc")?;
        }
        Ok(())
    });
    let steps = ended(report)?;
    steps.exits(LINE, 0)?;
    steps.same("ints")?;
    steps.holds(steps.each("SLICES")[1].text == "[28h 9][1680h 9]", "it gives up its time by INT 28h and INT 2Fh")
}

fn ended(report: io::Result<Report>) -> Result<Steps, String> {
    report.map(Steps::of).map_err(|error| error.to_string())
}

/// Each key that leaves: the exit code tells Ctrl-C and Ctrl-Break from the others. Other keys are no end.
fn keys(lab: &Lab) -> Verdict {
    let keys = [("esc", 0), ("q", 0), ("ctrl-c", 5), ("ctrl-pause", 5), ("esc", 0)];
    let mut script = vec!["3COMPKT", "ints keep", "ints"];
    keys.iter().for_each(|_| script.extend([LINE, "ints"]));
    let mut next = keys.iter();
    let report = machine(Net::User)?.run_with(&lab.job(&[], &script)?, &mut |line, monitor| {
        if line == format!("> {LINE}") {
            let Some((key, _)) = next.next() else { return Ok(()) };
            whole(monitor, 25)?;
            for other in ["x", "f1", "spc", "r"] {
                press(monitor, other)?;
            }
            whole(monitor, 25)?;
            press(monitor, key)?;
        }
        Ok(())
    });
    let steps = ended(report)?;
    for (step, (key, code)) in steps.each(LINE).iter().zip(keys) {
        steps.holds(step.exit == Some(code) && step.text.is_empty(), format!("{key} ends it with {code}"))?;
    }
    steps.same("ints")
}

/// Ctrl-C and Ctrl-Break at any moment, from DOS's EXEC to the picture: PKTCTL ends, and gives back what it found. A key that comes
/// before PKTCTL runs waits in the BIOS's buffer.
fn any_moment(lab: &Lab) -> Verdict {
    let rounds = 24;
    let mut script = vec!["3COMPKT", "ints keep", "ints", "mem", "pause"];
    (0..rounds).for_each(|_| script.extend([LINE, "pause", "ints", "mem"]));
    script.push("PKTCTL handles");
    let (mut before, mut round) = (Vec::new(), 0);
    let report = machine(Net::User)?.run_with(&lab.job(&[], &script)?, &mut |line, monitor| {
        if line == "[pause]" {
            paused(monitor, 25, &mut before)?;
        } else if line == format!("> {LINE}") {
            sleep(Duration::from_millis(round * 3));
            round += 1;
            press(monitor, if round % 2 == 0 { "ctrl-c" } else { "ctrl-pause" })?;
        }
        Ok(())
    });
    let steps = ended(report)?;
    steps.exits(LINE, 5)?;
    steps.same("ints")?;
    steps.same("mem")?;
    steps.prints("PKTCTL handles", "0 of 8 in use")
}

/// A PKTCTL in a shell of another one: Ctrl-C ends the inner one alone, and each gives back what it found.
fn nested(lab: &Lab) -> Verdict {
    for key in ["ctrl-c", "ctrl-pause", "q"] {
        let shell = fixture("shell", &[]).map_err(|error| error.to_string())?;
        let mut job: Job = lab.job(&[], &["3COMPKT", "ints keep", "ints", "mem", "pause", LINE, "pause", "ints", "mem", "PKTCTL handles"])?;
        job.files.push(("X".into(), shell));
        let mut before = Vec::new();
        let report = machine(Net::User)?.run_with(&job, &mut |line, monitor| {
            if line == "[pause]" {
                paused(monitor, 25, &mut before)?;
            } else if line == format!("> {LINE}") {
                whole(monitor, 25)?;
                press(monitor, "d")?;
            } else if line == "[shell]" || line.starts_with("[inner ") {
                // The shell's user sees what was there before, but for what the shell printed to the debug console.
                if state(monitor, 25)? != before {
                    return Err(fail(format!("the screen is not given back at {line}")));
                }
                press(monitor, "ret")?;
                whole(monitor, 25)?;
                press(monitor, key)?;
            }
            Ok(())
        });
        let steps = ended(report)?;
        let code = if key == "q" { 0 } else { 5 };
        steps.exits(LINE, code)?;
        steps.prints(LINE, &format!("[inner {code}]"))?;
        steps.same("ints")?;
        steps.same("mem")?;
        steps.prints("PKTCTL handles", "0 of 8 in use")?;
    }
    Ok(())
}

/// Screens of 43 and 50 lines.
fn lines(lab: &Lab) -> Verdict {
    for (program, rows) in [("LINES43", 43), ("LINES50", 50)] {
        let script = ["3COMPKT", program, "pause", LINE, "pause"];
        let mut before = Vec::new();
        let report = machine(Net::User)?.run_with(&lab.job(&[], &script)?, &mut |line, monitor| {
            if line == "[pause]" {
                paused(monitor, rows, &mut before)?;
            } else if line == format!("> {LINE}") {
                whole(monitor, rows)?;
                press(monitor, "q")?;
            }
            Ok(())
        });
        ended(report)?.exits(LINE, 0)?;
    }
    Ok(())
}

/// The keys, and lines of values, in another DOS. The keys are pressed before the program starts.
fn dosbox_x(lab: &Lab) -> Verdict {
    let csv = "PKTCTL stats --watch --csv";
    let script = ["3COMPKT", "KEY 71", LINE, "KEY 03", LINE, "KEY 1B", LINE, "KEY 1B", csv, "KEY 03", "PKTCTL stats --watch --csv --int=60"];
    let steps = DosboxX::default().steps(&lab.job(&[], &script)?)?;
    let codes: Vec<Option<u8>> = steps.each(LINE).iter().map(|step| step.exit).collect();
    steps.holds(codes == [Some(0), Some(5), Some(0)], format!("Q, Ctrl-C and Esc leave: {codes:?}"))?;
    steps.exits(csv, 0)?;
    steps.exits("PKTCTL stats --watch --csv --int=60", 5)?;
    let text = &steps.first(csv)?.text;
    steps.holds(text.lines().count() == 2 && text.lines().nth(1).is_some_and(|row| row.starts_with("60,\"ne2000\",")), "a line of values")
}
