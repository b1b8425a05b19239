//! `/SHARE`: several handles are open for one type, and each frame comes to all of them.
//!
//! SHARING (fixtures/sharing.asm) opens six handles, and checks each call of each receiver.

use super::machine::{Lab, Rig, Steps, ne2000, qemu, qemu_on, watched};
use super::runner::{Test, Verdict};
use crate::nics::NICS;
use crate::pack::checks::{Role, budget};
use crate::peer::Peer;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Qemu};

/// The type is open: an error of `access_type`.
const TYPE_INUSE: u8 = 10;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![Test::new("qemu/share/without", without), Test::new("qemu/share/resident", resident)];
    for (name, card, line, frames) in [("alone", "ne2000", "3COMPKT /SHARE", FEW), ("rings", "e1000", "3COMPKT /SHARE", FRAMES), ("all", "e1000", "3COMPKT /SHARE /REAP /CTL /COUNT", FRAMES)] {
        tests.push(Test::new(format!("qemu/share/offered/{name}"), move |lab| offered(lab, card, line, frames)));
    }
    for (name, line, says) in REFUSED {
        tests.push(Test::new(format!("qemu/share/refused/{name}"), move |lab| refused(lab, line, says)));
    }
    tests
}

/// What is said where the switch goes with no other one.
const NOT_WITH: &str = "3COMPKT: /SHARE cannot be had with /STATS, /XMS=, /MIGRATE= or /REPLACE; leave one of them out\n";
/// Lines that are refused, and what is said.
const REFUSED: [(&str, &str, &str); 4] = [
    ("stats", "3COMPKT /SHARE /STATS", NOT_WITH),
    ("xms", "3COMPKT /XMS=48 /SHARE", NOT_WITH),
    ("replace", "3COMPKT /REPLACE /SHARE", NOT_WITH),
    ("several", "3COMPKT /SHARE /NIC=ALL", "3COMPKT: /SHARE is for one NIC; leave it out, or name one with /NIC=\n"),
];

fn card(name: &str, net: Net) -> Result<Qemu, String> {
    qemu_on(NICS.iter().find(|nic| nic.name == name).ok_or("the list has no such NIC")?, net)
}

/// A broadcast whose bytes from 20 on are like byte 14.
fn frame(kind: [u8; 2], number: usize, len: usize) -> Vec<u8> {
    let mut frame = vec![number as u8; len];
    frame[..6].fill(0xFF);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..14].copy_from_slice(&kind);
    frame
}

/// An 802.3 frame with these LSAPs.
fn ieee(number: usize, len: usize, lsap: u8) -> Vec<u8> {
    let mut frame = frame([((len - 14) >> 8) as u8, (len - 14) as u8], number, len);
    frame[14..16].fill(lsap);
    frame
}

/// Frames of type 9071 in one go.
const FRAMES: usize = 24;
/// The same where the card holds few frames.
const FEW: usize = 6;

/// Every receiver gets each frame that fits, once and whole, in the order of opening; a receiver that refuses, sends, closes and
/// opens handles, or changes its frame does not matter to the others.
fn offered(lab: &Lab, name: &str, line: &str, frames: usize) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let program = format!("SHARING {frames}");
    let script = ["ints keep", "mem", "ints", line, &program, "PKTCTL mem", "PKTCTL stats", "PKTCTL test", "3COMPKT /U", "mem", "ints"];
    let rig = card(name, peer.cable())?.with_xms(Xms::V3);
    let steps = watched(&rig, &lab.job(&[], &script)?, &mut |said, _| match said {
        "[ready]" | "[again]" => {
            for number in 1..=frames {
                // The first lengths are a multiple of four, and one, two, three more; one is the greatest.
                let len = [60, 61, 62, 63, 1514, 301, 590, 1513][number % 8];
                peer.send(ieee(number, len, if number % 2 == 0 { 0xF0 } else { 0xE0 }));
                peer.send(frame([0x90, 0x72], number, len));
                peer.send(frame([0x90, 0x71], number, len));
            }
        }
        "[close]" => peer.send(frame([0x90, 0x71], 1, 100)),
        _ => {}
    })?;
    steps.exits(line, 0)?;
    steps.exits(&program, 0)?;
    let (thirds, twice) = (frames / 3, 2 * frames);
    let all = |times: usize, order: &str| {
        let n = times * frames;
        format!("[A {n} B {} S {} E {n} L {n} M {}, {order}]\n", n - times * thirds, 3 * n, n / 2)
    };
    let text = format!("{}\n", steps.first(&program)?.text);
    // The last frame of type 9071 is one that B refuses.
    for part in [all(1, "ABSas"), all(2, "BSAsa"), format!("[A {} B {} S {} E {twice} L {twice} M {frames}, BSAsa]\n", twice + 1, twice - 2 * thirds, 3 * twice + 1)] {
        steps.holds(text.contains(&part), format!("`{program}` prints `{}`", part.trim_end()))?;
    }
    steps.holds(is_loaded(&steps)?, "it is in memory where it was asked for")?;
    steps.exits("PKTCTL test", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// Without `/SHARE` a type that is open cannot be opened again, and nothing of the feature is in memory.
fn without(lab: &Lab) -> Verdict {
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["3COMPKT", "SHARING 1", "PKTCTL mem"])?)?;
    steps.exits("SHARING 1", TYPE_INUSE)?;
    steps.holds(!is_loaded(&steps)?, "nothing of it is in memory")
}

/// Whether `PKTCTL mem` lists the unit, by its bytes and its name.
fn is_loaded(steps: &Steps) -> Result<bool, String> {
    let row = format!("{}  share ", budget("share", Role::Resident));
    Ok(steps.first("PKTCTL mem")?.text.contains(&row))
}

/// A resident program and one in the foreground have the same type; a second resident one refuses all frames.
fn resident(lab: &Lab) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let takes = format!("TAKES {FRAMES}");
    let script = ["3COMPKT /SHARE", "HOLD", "TAKE", &takes, "PKTCTL handles", "PKTCTL stats"];
    let steps: Steps = watched(&qemu_on(ne2000(), peer.cable())?, &lab.job(&[], &script)?, &mut |said, _| {
        if said == "[ready]" {
            (0..FRAMES).for_each(|number| peer.send(frame([0x90, 0x71], number, 100 + number)));
        }
    })?;
    for line in &script {
        steps.exits(line, 0)?;
    }
    let handles = steps.first("PKTCTL handles")?.text.clone();
    steps.holds(handles.lines().filter(|row| row.contains("9071")).count() == 2, "two resident programs have the type")?;
    let counts = steps.first("PKTCTL stats")?.text.clone();
    let row: Vec<&str> = counts.lines().find(|row| row.trim_start().starts_with("in ")).into_iter().flat_map(str::split_whitespace).collect();
    steps.holds(row == ["in", &FRAMES.to_string(), row.get(2).copied().unwrap_or_default(), "0", "0"], "each frame is counted once, and none as lost")
}

/// A line is refused, and nothing is left behind.
fn refused(lab: &Lab, line: &str, says: &str) -> Verdict {
    let rig = Qemu::default();
    let nics = vec![crate::rig::qemu::Nic { device: "e1000".into(), net: Net::User }, crate::rig::qemu::Nic { device: "e1000".into(), net: Net::User }];
    let steps = Qemu { nics, ..rig }.steps(&lab.job(&[], &["ints keep", "mem", "ints", line, "mem", "ints", "3COMPKT /SHARE"])?)?;
    steps.refuses(line)?;
    steps.holds(format!("{}\n", steps.first(line)?.text).ends_with(says), format!("`{line}` says `{says}`"))?;
    steps.exits("3COMPKT /SHARE", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}
