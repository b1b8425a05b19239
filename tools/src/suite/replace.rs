//! `3COMPKT /REPLACE`: another copy takes over from the one that is loaded; its clients keep their handles.
//!
//! The client is fixtures/client.asm: it stays resident with three handles, counts its frames, and sends at each timer tick.

use std::time::Duration;

use super::machine::{Lab, Steps, ne2000, numbers, peer, qemu_on, watched};
use super::runner::{Test, Verdict};
use super::traffic::is_quick;
use super::wide;
use crate::nics::{NICS, Nic};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::image::Xms;
use crate::rig::qemu::Qemu;

/// Frames for the client at each pause: so few that every card holds them.
pub(super) const FRAMES: usize = 3;
/// Frames at each line of a replacement under load, and the numbers of replacements: always, and by `--long`.
const FLOOD: usize = 30;
const ROUNDS: usize = 20;
const MANY_ROUNDS: usize = 100;
/// How often a client's marked frames are sent.
const MARKED_ROUNDS: usize = 5;
/// The low bytes of the types of both clients, and what is behind the type of frames that PART waits for.
const CLIENTS: [u8; 2] = [0x71, 0x76];
const MARK: u8 = 0x5B;
const LIMIT: Duration = Duration::from_secs(240);
pub(super) const STATUS: &str = "PKTCTL status";
pub(super) const EXCHANGE: &str = "PKTCTL test";
pub(super) const UNLOAD: &str = "3COMPKT /U";
pub(super) const REPLACE: &str = "3COMPKT /REPLACE";
/// The switches of a replacement by a larger driver, and back.
const LARGER: &str = "3COMPKT /REPLACE /XMS=48 /STATS /HANDLES=16";
pub(super) const GOES_ON: &str = "3COMPKT: the driver that was loaded goes on\n";
/// What the client sets with LONE.
const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0xAB, 0xCD];
const GROUP: [u8; 6] = [3, 0, 0, 0, 0, 5];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        let load = format!("3COMPKT /NIC={}", nic.name);
        let mut add = |what: &str, xms: Xms, load: &str, lines: &'static [&'static str]| {
            let load = load.to_string();
            let test = Test::new(format!("qemu/{}/replace{what}", nic.name), move |lab| replaced(lab, nic, xms, &load, lines)).takes(6);
            tests.push(Test { slow: !is_quick(nic), ..test });
        };
        add("", Xms::V3, &load, &[REPLACE, LARGER, REPLACE]);
        add("-control", Xms::V3, &format!("{load} /CTL"), &["3COMPKT /REPLACE /CTL", "3COMPKT /REPLACE /CTL /XMS=48", REPLACE]);
        if nic.memory {
            add("-low", Xms::None, &load, &[REPLACE, REPLACE]);
        }
        let test = Test::new(format!("qemu/{}/replace-back", nic.name), move |lab| goes_back(lab, nic)).takes(6);
        tests.push(Test { slow: !is_quick(nic), ..test });
    }
    for name in ["el3", "e1000", "ne2000"] {
        let nic = NICS.iter().find(|nic| nic.name == name).expect("the list has it");
        let test = |what: &str, run: fn(&Lab, &'static Nic) -> Verdict| Test::new(format!("qemu/{name}/replace-{what}"), move |lab| run(lab, nic)).takes(20);
        tests.push(Test { slow: true, ..test("other-build", other_build) });
        tests.push(Test { slow: true, ..test("flood", |lab, nic| flood(lab, nic, ROUNDS)) });
        tests.push(Test { slow: true, long: true, ..test("flood-long", |lab, nic| flood(lab, nic, MANY_ROUNDS)).takes(120) });
        tests.push(test("device-line", device_line));
    }
    // Of the quick ones, those whose card takes another address in QEMU.
    for name in ["el3", "e1000"] {
        let nic = NICS.iter().find(|nic| nic.name == name).expect("the list has it");
        tests.push(Test::new(format!("qemu/{name}/replace-settings"), move |lab| settings(lab, nic)).takes(6));
    }
    tests.push(Test::new("qemu/ne2000/replace-no-room", no_room).takes(6));
    tests.push(Test::new("qemu/ne2000/replace-refused", refused).takes(6));
    tests.push(Test::new("qemu/e1000/replace-gone", gone).takes(6));
    tests.push(Test::new("qemu/ne2000/replace-while-the-timer-interrupts", stepped).takes(10));
    tests
}

/// A frame for the client.
fn frame(to: [u8; 6]) -> Vec<u8> {
    frame_of(CLIENTS[0], to)
}

/// A frame for a client of this type.
fn frame_of(kind: u8, to: [u8; 6]) -> Vec<u8> {
    let mut frame = vec![0xA5; 100];
    frame[..6].copy_from_slice(&to);
    frame[6] = 2;
    frame[12..14].copy_from_slice(&[0x90, kind]);
    frame
}

/// Sends the frames that PART waits for.
fn feed_marked(peer: &Peer, kind: u8) {
    for _ in 0..FRAMES {
        let mut frame = frame_of(kind, [0xFF; 6]);
        frame[14] = MARK;
        peer.send(frame);
    }
}

/// Sends the client's frames.
pub(super) fn feed(peer: &Peer, to: [u8; 6]) {
    (0..FRAMES).for_each(|_| peer.send(frame(to)));
}

/// Runs a script; at each pause the client gets frames, as broadcasts.
pub(super) fn run(peer: &Peer, rig: &Qemu, job: Job, script: &[String]) -> Result<Steps, String> {
    let job = Job { exec: script.to_vec(), limit: LIMIT, ..job };
    watched(rig, &job, &mut |line, monitor| {
        if line == "[pause]" {
            feed(peer, [0xFF; 6]);
            let _ = monitor.resume();
        }
    })
}

/// A pause, and the check that the client has seen all frames so far.
pub(super) fn look(pauses: usize) -> [String; 2] {
    ["pause".into(), format!("SEEN {}", pauses * FRAMES)]
}

/// A resident client keeps its handles' numbers and gets its frames through every replacement.
fn replaced(lab: &Lab, nic: &'static Nic, xms: Xms, load: &str, lines: &[&str]) -> Verdict {
    kept(lab.job(&[] as &[&str], &[])?, nic, xms, load, lines)
}

fn kept(job: Job, nic: &'static Nic, xms: Xms, load: &str, lines: &[&str]) -> Verdict {
    let peer = peer()?;
    let mut script = vec![load.to_string(), "CLIENT".into()];
    script.extend(look(1));
    for (round, line) in lines.iter().enumerate() {
        script.extend([line.to_string(), EXCHANGE.into()]);
        script.extend(look(round + 2));
    }
    let steps = run(&peer, &qemu_on(nic, peer.cable())?.with_xms(xms), job, &script)?;
    for line in lines {
        steps.exits(line, 0)?;
        steps.prints(line, &format!("3COMPKT: {}", nic.name))?;
    }
    steps.exits(EXCHANGE, 0)?;
    for pauses in 1..=lines.len() + 1 {
        let [_, seen] = look(pauses);
        steps.exits(&seen, 0)?;
        steps.prints(&seen, &format!("[taken {}, for another handle 0, ", pauses * FRAMES))?;
    }
    Ok(())
}

/// The new copy cannot stand, because the card has not the medium: the old one goes on with its rings, its pool and its client.
fn goes_back(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    // No card has an FX in full duplex where it has no media, and those that have some are refused by their EEPROM.
    let line = "3COMPKT /REPLACE /MEDIA=FX,FD";
    let mut script = vec![format!("3COMPKT /NIC={} /XMS=48", nic.name), "CLIENT".into()];
    script.extend(look(1));
    script.extend([line, EXCHANGE, STATUS].map(String::from));
    script.extend(look(2));
    script.extend([line, EXCHANGE, REPLACE, EXCHANGE].map(String::from));
    script.extend(look(3));
    let steps = run(&peer, &qemu_on(nic, peer.cable())?, lab.job(&[] as &[&str], &[])?, &script)?;
    steps.refuses(line)?;
    steps.prints(line, "/MEDIA= or does not have it")?;
    steps.prints(line, GOES_ON.trim_end())?;
    steps.exits(EXCHANGE, 0)?;
    steps.prints(STATUS, "pool")?;
    steps.exits(REPLACE, 0)?;
    for pauses in 1..=3 {
        let [_, seen] = look(pauses);
        steps.exits(&seen, 0)?;
    }
    Ok(())
}

/// A copy whose code has other sizes takes over, and is taken over from: the handle table lies elsewhere. The larger one is built
/// without the rules that make code small.
fn other_build(lab: &Lab, nic: &'static Nic) -> Verdict {
    let mut job = lab.job(&[] as &[&str], &[])?;
    let wide = wide::files()?.into_iter().find(|(name, _)| name == "3COMPKT.EXE").ok_or("there is no such build")?;
    job.files.push(("WIDE.EXE".into(), wide.1));
    let load = format!("3COMPKT /NIC={}", nic.name);
    let larger = "WIDE /REPLACE /STACK=512";
    kept(job, nic, Xms::V3, &load, &[larger, "WIDE /REPLACE /STACK=640 /XMS=48", REPLACE, "WIDE /REPLACE /STACK=768"])
}

/// Address, multicast list and receive mode stay, in the card, too.
fn settings(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let load = format!("3COMPKT /NIC={} /STATS", nic.name);
    let replace = "3COMPKT /REPLACE /STATS";
    let mut script = vec![load, "LONE".into()];
    script.extend(["pause".into(), format!("SEEN {}", 2 * FRAMES), STATUS.into(), replace.into(), STATUS.into(), "pause".into(), format!("SEEN {}", 4 * FRAMES)]);
    let job = Job { exec: script, limit: LIMIT, ..lab.job(&[] as &[&str], &[])? };
    let steps = watched(&qemu_on(nic, peer.cable())?, &job, &mut |line, monitor| {
        if line == "[pause]" {
            [ADDRESS, GROUP, [3, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 3]].into_iter().for_each(|to| feed(&peer, to));
            let _ = monitor.resume();
        }
    })?;
    for pauses in [2, 4] {
        steps.exits(&format!("SEEN {}", pauses * FRAMES), 0)?;
    }
    steps.exits(replace, 0)?;
    let counts = format!("type 9071: {} frames and {} bytes taken, 0 frames refused", 2 * FRAMES, 2 * FRAMES * 100);
    for text in ["address      02:00:00:00:AB:CD", "(mode 4)", &counts] {
        steps.prints(STATUS, text)?;
    }
    // The counters go on from where they were.
    let counts = |step: &super::machine::Step| -> Vec<u32> {
        let row = step.text.lines().find(|row| row.trim_start().starts_with("in ")).unwrap_or_default();
        row.split([' ', ',']).filter_map(|word| word.parse().ok()).collect()
    };
    let all: Vec<Vec<u32>> = steps.each(STATUS).into_iter().map(counts).collect();
    steps.holds(all.len() == 2 && all[1].first() >= Some(&(2 * FRAMES as u32)), "the frames of before are counted, too")
}

/// Frames for two clients and for nobody come all the time. The clients keep the numbers of their handles and get no frames but
/// theirs; what was sent, refused, taken and lost is counted, through all replacements; all memory is given back.
fn flood(lab: &Lab, nic: &'static Nic, rounds: usize) -> Verdict {
    let steps = flooded(lab, nic, rounds)?;
    let before = flooded(lab, nic, 0)?;
    let free = |steps: &Steps| -> Result<String, String> {
        let text = &steps.first("mem")?.text;
        Ok(text.lines().find(|line| line.starts_with("[free ")).unwrap_or("no line").into())
    };
    let (free, least) = (free(&steps)?, free(&before)?);
    steps.holds(free == least && free != "no line", format!("memory is given back: {least} without a replacement"))
}

/// The machine of [`flood`].
fn flooded(lab: &Lab, nic: &'static Nic, rounds: usize) -> Result<Steps, String> {
    let peer = peer()?;
    let parts = ["PART", "PART2"].map(|name| format!("{name} {FRAMES}"));
    let mut script = vec![format!("3COMPKT /NIC={}", nic.name), "CLIENT".into(), "CLIENT2".into()];
    script.extend((0..rounds).map(|round| if round % 2 == 0 { LARGER.into() } else { REPLACE.into() }));
    script.extend(["SEEN 0", "SEEN2 0", "pause", &parts[0], &parts[1], STATUS, UNLOAD, "mem"].map(String::from));
    let limit = LIMIT + Duration::from_secs(10) * rounds as u32;
    let job = Job { exec: script, limit, ..lab.job(&[] as &[&str], &[])? };
    let (mut offered, mut ends) = (0, false);
    let steps = watched(&qemu_on(nic, peer.cable())?, &job, &mut |line, monitor| {
        ends |= line == "> SEEN 0";
        if line == "[pause]" {
            // The rest of the flood may still overrun the card's ring: some of these come behind it.
            for _ in 0..MARKED_ROUNDS {
                for client in CLIENTS {
                    feed_marked(&peer, client);
                    offered += FRAMES;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            let _ = monitor.resume();
        } else if !ends && (line.starts_with('>') || line.starts_with("3COMPKT")) {
            offered += FLOOD;
            for number in 0..FLOOD {
                peer.send(match CLIENTS.get(number % 4) {
                    Some(kind) => frame_of(*kind, [0xFF; 6]),
                    None => super::machine::unasked(number, 60 + number * 37 % 1000),
                });
            }
        }
    })?;
    let lines = [LARGER, REPLACE];
    for line in [&lines[..if rounds == 0 { 0 } else { 2 }], &["SEEN 0", "SEEN2 0", &parts[0], &parts[1], STATUS, UNLOAD]].concat() {
        steps.exits(line, 0)?;
    }
    // `[taken N, for another handle N, sent N, refused N]`.
    let mut clients = [0; 4];
    for part in &parts {
        let counts = numbers(&steps.first(part)?.text);
        steps.holds(counts.len() == 4, "a client prints four counts")?;
        clients.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let [taken, _, sent, refused] = clients;
    // `in N frames, N bytes, N errors, N not taken`, `out N frames, N bytes, N errors`.
    let status = &steps.first(STATUS)?.text;
    let row = |name: &str| numbers(status.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default());
    let (input, output) = (row("in "), row("out "));
    steps.holds(input.len() == 4 && output.len() == 3, "both rows of counters are there")?;
    steps.holds(output[0] == sent - refused, format!("each of the {sent} frames that was not refused, {refused} were, is counted as sent"))?;
    steps.holds(output[2] == refused, "each refused frame is counted")?;
    steps.holds(taken <= input[0] && input[0] as usize <= offered, format!("{taken} taken, {offered} offered: no frame is counted twice"))?;
    // Marked frames may come when a client has printed its counts already.
    let late = (MARKED_ROUNDS * CLIENTS.len() * FRAMES) as u32;
    steps.holds(input[0] <= taken + input[3] + late, format!("{taken} taken: each other frame is counted as lost"))?;
    Ok(steps)
}

/// A client has hooked the timer above the driver. Between any two instructions of a replacement and of `/U`, a timer interrupt finds
/// its way through the handlers: vectors and links were once written byte by byte with interrupts on.
fn stepped(lab: &Lab) -> Verdict {
    let (load, replace) = ("3COMPKT /NIC=ne2000 /CTL", "3COMPKT /REPLACE /CTL");
    let script = [load, "CLIENT", "STEP", replace, UNLOAD, "PKTCTL unload", "STEPS", "PART 0", UNLOAD, "STEPS"].map(String::from);
    let peer = peer()?;
    let steps = run(&peer, &qemu_on(ne2000(), peer.cable())?, lab.job(&[] as &[&str], &[])?, &script)?;
    steps.exits(replace, 0)?;
    steps.exits("STEPS", 0)?;
    steps.holds(steps.each("STEPS").len() == 2 && steps.each(UNLOAD).len() == 2, "all was run")?;
    steps.holds(steps.each(UNLOAD)[1].text.contains("unloaded"), "the driver goes from below the client")
}

/// The old copy came by DEVICE=: its memory stays DOS's.
fn device_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let load = format!("DEVICE=3COMPKT.SYS /NIC={}", nic.name);
    let script: Vec<String> = [&["CLIENT".to_string()][..], &look(1), &[REPLACE.into(), EXCHANGE.into()], &look(2)].concat();
    let steps = run(&peer, &qemu_on(nic, peer.cable())?, lab.job(&[load.as_str()], &[])?, &script)?;
    steps.exits(REPLACE, 0)?;
    steps.exits(EXCHANGE, 0)?;
    for pauses in 1..=2 {
        let [_, seen] = look(pauses);
        steps.exits(&seen, 0)?;
    }
    Ok(())
}

/// There is room for what is read before the card is stopped, and none for the driver: the old copy goes on. The first machine
/// finds out how much that is, and has a little less.
fn no_room(lab: &Lab) -> Verdict {
    // The line names at most 65,535 bytes.
    let (nic, least) = (ne2000(), 0x2000);
    let line = "3COMPKT /REPLACE /HANDLES=64 /STACK=2048";
    let script = |paragraphs: usize| {
        let mut script = vec!["3COMPKT".into(), "CLIENT".into(), format!("HOG {paragraphs:X}"), line.into()];
        script.extend(look(1));
        script
    };
    let machine = |paragraphs: usize| {
        let peer = peer()?;
        run(&peer, &qemu_on(nic, peer.cable())?, lab.job(&[] as &[&str], &[])?, &script(paragraphs))
    };
    let steps = machine(least)?;
    let text = &steps.first(line)?.text;
    let bytes: Option<String> = text.split_once("too little memory: ").and_then(|(_, rest)| Some(rest.split_once(' ')?.0.replace(',', "")));
    let Some(bytes) = bytes.and_then(|bytes| bytes.parse::<usize>().ok()) else { return steps.fail("no number of bytes is named") };
    steps.holds(!text.contains("goes on"), "the card was not stopped")?;
    let steps = machine(least + bytes.div_ceil(16) + 2)?;
    steps.refuses(line)?;
    steps.prints(line, "too little memory")?;
    steps.prints(line, GOES_ON.trim_end())?;
    let [_, seen] = look(1);
    steps.exits(&seen, 0)
}

/// What is in the way is named, and the driver works as before.
fn refused(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let cases = [
        ("3COMPKT /REPLACE /NIC=el3", "leave /NIC= and /IO= out"),
        ("3COMPKT /REPLACE /IO=320", "leave /NIC= and /IO= out"),
        ("3COMPKT /REPLACE /HANDLES=2", "/HANDLES=: the programs that have the driver open need 3"),
        ("3COMPKT /REPLACE /INT=61", "INT 61h is not this driver's"),
    ];
    let mut script: Vec<String> = vec!["3COMPKT /REPLACE /STATS".into(), "3COMPKT".into(), "CLIENT".into()];
    script.extend(cases.map(|(line, _)| line.to_string()));
    script.extend(["HOOK72".into(), REPLACE.into()]);
    script.extend(look(1));
    script.extend(["OTHER".into(), "3COMPKT /REPLACE /INT=60".into()]);
    let steps = run(&peer, &qemu_on(ne2000(), peer.cable())?, lab.job(&[] as &[&str], &[])?, &script)?;
    steps.prints("3COMPKT /REPLACE /STATS", "INT 60h is not this driver's")?;
    for (line, text) in cases {
        steps.refuses(line)?;
        steps.prints(line, text)?;
    }
    steps.refuses(REPLACE)?;
    steps.prints(REPLACE, "HOOK72 has hooked the driver's interrupts after it")?;
    let [_, seen] = look(1);
    steps.exits(&seen, 0)?;
    steps.refuses("3COMPKT /REPLACE /INT=60")?;
    steps.prints("3COMPKT /REPLACE /INT=60", "INT 60h is not this driver's")
}

/// The card is gone: a line says so, the driver answers its clients, and can be unloaded.
fn gone(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let nic = NICS.iter().find(|nic| nic.name == "e1000").expect("the list has it");
    let script = ["3COMPKT", "EJECT", REPLACE, STATUS, UNLOAD].map(String::from).to_vec();
    let steps = run(&peer, &qemu_on(nic, peer.cable())?, lab.job(&[] as &[&str], &[])?, &script)?;
    steps.refuses(REPLACE)?;
    steps.prints(REPLACE, "the card could not be started again")?;
    steps.exits(STATUS, 0)?;
    steps.exits(UNLOAD, 0)
}
