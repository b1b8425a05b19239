//! The counts of `/STATS` and `/COUNT`, compared with the frames that were sent.

use super::machine::{Lab, Steps, ne2000, qemu_on};
use super::runner::{Test, Verdict};
use crate::pack::checks::{Role, budget};
use crate::peer::Peer;
use crate::rig::Job;

/// Frames of each kind.
const FRAMES: usize = 20;
const BYTES: usize = 100;
/// The type that HOLD and TAKE receive.
const KIND: [u8; 2] = [0x90, 0x71];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("qemu/stats/refused", |lab| counted(lab, "HOLD", 0, FRAMES)),
        Test::new("qemu/stats/taken", |lab| counted(lab, "TAKE", FRAMES, 0)),
    ];
    for (name, line) in [("alone", "3COMPKT /COUNT"), ("stats", "3COMPKT /COUNT /STATS"), ("xms", "3COMPKT /XMS=48 /COUNT")] {
        tests.push(Test::new(format!("qemu/count/{name}"), move |lab| example(lab, line)));
    }
    tests
}

/// The example feature of the README, alone and with others: it counts only the frames that a receiver takes; it is unloaded with
/// the driver; without its switch it takes no memory.
fn example(lab: &Lab, line: &str) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let takes = format!("TAKES {FRAMES}");
    let script = ["ints keep", "mem", "ints", line, &takes, "PKTCTL status", "PKTCTL mem", "3COMPKT /U", "mem", "ints", "3COMPKT", "PKTCTL mem"];
    let report = qemu_on(ne2000(), peer.cable())?.run_with(&lab.job(&[], &script)?, &mut |line, _| {
        if line == "[ready]" {
            (0..FRAMES / 4).for_each(|_| peer.send(frame([0x90, 0x72])));
            (0..FRAMES).for_each(|_| peer.send(frame(KIND)));
        }
        Ok(())
    });
    let steps = Steps::of(report.map_err(|error| error.to_string())?);
    for done in [line, &takes, "3COMPKT /U", "3COMPKT"] {
        steps.exits(done, 0)?;
    }
    steps.prints("PKTCTL status", &format!("  counted      {FRAMES} frames taken\n"))?;
    let maps: Vec<&str> = steps.each("PKTCTL mem").iter().map(|step| step.text.as_str()).collect();
    let has = |map: &str, name: &str, size: u16| map.lines().any(|row| row.trim_start().starts_with(&format!("{size}  {name} ")));
    let (count, core) = (budget("count", Role::Resident), budget("core", Role::Resident));
    steps.holds(has(maps[0], "count", count) && !maps[1].contains("count "), "it is in memory where it was asked for, alone")?;
    steps.holds(maps.iter().all(|map| has(map, "core", core)), "the core has its size, whether it is attached or not")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// A program holds a handle; frames for that handle come, and as many for none.
fn counted(lab: &Lab, program: &str, taken: usize, refused: usize) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let line = "DEVICE=3COMPKT.SYS /STATS";
    // Waits for the frames, which a busy host may send late.
    let wait = format!("AWAIT {}", 2 * FRAMES);
    let script = [program, "pause", &wait, "PKTCTL status", "PKTCTL mem"];
    let job = Job { config: vec![line.into()], ..lab.job(&[], &script)? };
    let report = qemu_on(ne2000(), peer.cable())?.run_with(&job, &mut |line, monitor| {
        if line == "[pause]" {
            for kind in [KIND, [0x90, 0x72]] {
                (0..FRAMES).for_each(|_| peer.send(frame(kind)));
            }
            monitor.resume()?;
        }
        Ok(())
    });
    let steps = Steps::of(report.map_err(|error| error.to_string())?);
    steps.exits(program, 0)?;
    steps.exits(&wait, 0)?;
    let bytes = taken * BYTES;
    let text = format!("Ethernet, type 9071: {taken} frames and {bytes} bytes taken, {refused} frames refused");
    steps.prints("PKTCTL status", &text)?;
    // For each type the first frame was searched for, and one more after AWAIT opened its handle: that clears the type cache.
    let types = steps.first("PKTCTL status")?.text.lines().find(|line| line.contains("types")).map(str::to_string);
    let numbers: Vec<usize> = types.iter().flat_map(|line| line.split(' ').filter_map(|word| word.parse().ok())).collect();
    steps.holds(numbers.iter().sum::<usize>() == 2 * FRAMES && numbers.last().is_some_and(|searches| (2..=4).contains(searches)), "each type was searched for once, or once more")?;
    steps.prints("PKTCTL mem", "counts")
}

fn frame(kind: [u8; 2]) -> Vec<u8> {
    let mut frame = vec![0xA5; BYTES];
    frame[..6].fill(0xFF);
    frame[6] = 2;
    frame[12..14].copy_from_slice(&kind);
    frame
}
