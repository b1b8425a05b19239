//! Frames that wait in XMS in real mode, while something else happens to the machine or the driver.
//!
//! The client is fixtures/keeper.asm, which refuses frames until it is told to take them.

use super::machine::{Lab, Steps, ne2000, numbers, peer, qemu_on, watched};
use super::runner::{Test, Verdict};
use super::traffic::LIMIT;
use crate::nics::{NICS, Nic};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::image::Dos;
use crate::rig::qemu::{Nic as Card, Qemu};

/// So long that frames still wait when a busy host has run the script.
const LOAD: &str = "3COMPKT /XMS=48 /HOLD=250";
const STATUS: &str = "PKTCTL status";
const TEST: &str = "PKTCTL test";
const UNLOAD: &str = "3COMPKT /U";
const OPEN: &str = "KEEPER OPEN";
const CLOSE: &str = "KEEPER CLOSE";
/// Frames that wait.
const FRAMES: u8 = 8;
const NONE_WAITS: &str = "  waiting      0 frames now";

/// Cards for each way to copy frames between them and XMS (xwords, xbytes, xfifo, xparts, xrings); virtio's sends so late that its ring
/// fills up.
const LENGTHS: [(&str, &str); 5] = [
    ("ne2000", "ne2k_isa,iobase=0x300,irq=10"),
    ("ne1000", "ne2k_isa,iobase=0x300,irq=10"),
    ("el3", ""),
    ("rtl8139", ""),
    ("virtio_net", "virtio-net-pci,tx=timer,x-txtimer=20000000"),
];

/// A card that sends its frames after a second, so that many wait.
const SLOW_SENDER: &str = "virtio-net-pci,tx=timer,x-txtimer=1000000000";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for name in ["ne2000", "virtio_net"] {
        tests.push(Test::new(format!("qemu/{name}/late-v86/frames-wait"), move |lab| late_v86(lab, named(name))).takes(8));
    }
    tests.push(Test::new("qemu/ne2000/unload-frames-wait", unloaded).takes(5));
    tests.push(Test::new("qemu/virtio_net/terminate-frames-wait", terminated).takes(8));
    tests.push(Test::new("qemu/ne2000/terminate-between-bursts", between_bursts).takes(5));
    tests.push(Test::new("qemu/ne2000/pool-a20-flips", flips).takes(5));
    for (name, device) in LENGTHS {
        tests.push(Test::new(format!("qemu/{name}/waits-lengths"), move |lab| lengths(lab, name, device)).takes(8));
    }
    for name in ["ne2000", "el3", "e1000"] {
        tests.push(Test::new(format!("qemu/{name}/waits-order"), move |lab| order(lab, named(name))).takes(8));
    }
    tests.push(Test::new("qemu/virtio_net/waits-stuck", stuck).takes(8));
    // in_v86.rs has cards with rings.
    tests.push(Test::new("qemu/el3/v86-waits", |lab| cache(lab, named("el3"))).takes(10));
    tests
}

fn named(name: &str) -> &'static Nic {
    NICS.iter().find(|nic| nic.name == name).expect("the list has it")
}

/// Frame `index` as KEEPER expects it.
fn frame(index: u8) -> Vec<u8> {
    let len = 60 + 200 * usize::from(index);
    let mut frame = [&[0xFF; 6][..], &[2, 0, 0, 0, 0, 9], &[0x90, 0x71, index]].concat();
    frame.extend((15..len).map(|at| index.wrapping_mul(13).wrapping_add(at as u8)));
    frame
}

/// Runs a script in which KEEPER's frames are sent when it has opened its handle.
fn run(lab: &Lab, rig: &Qemu, peer: &Peer, script: &[&str]) -> Result<Steps, String> {
    watched(rig, &Job { limit: LIMIT, ..lab.job(&[], script)? }, &mut |line, _| {
        if line == "[open]" {
            (0..FRAMES).for_each(|index| peer.send(frame(index)));
        }
    })
}

/// The numbers that KEEPER prints: frames taken, lost in all, and wrong.
fn told(steps: &Steps, line: &str) -> Result<[u32; 3], String> {
    let text = &steps.first(line)?.text;
    println!("        {text}");
    numbers(text).try_into().or_else(|_| steps.fail(format!("`{line}` prints three numbers")))
}

/// Frames that wait when V86 mode begins are offered afterwards, in order and with every byte right, or counted as lost.
fn late_v86(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let (waits, take) = (format!("AWAIT {FRAMES}"), format!("KEEPER TAKE {FRAMES}"));
    // The first thing in real mode is a call of INT 60h: nothing else has begun a round yet.
    let script = [
        "V86 OFF", "KEEPER", "ints keep", "mem", "ints", LOAD, OPEN, &waits, STATUS, "V86 ON", "CLOCK", TEST, "V86 OFF", &take, STATUS, TEST, CLOSE,
        UNLOAD, "mem", "ints",
    ];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &peer, &script)?;
    for line in [LOAD, OPEN, &waits, &take, CLOSE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    let [before, after] = steps.each(STATUS)[..] else { return steps.fail("two states are shown") };
    steps.holds(before.text.contains(&format!("  waiting      {FRAMES} frames now")), "all frames wait")?;
    steps.holds(after.text.contains(NONE_WAITS), "none waits in the end")?;
    let exchanges: Vec<Option<u8>> = steps.each(TEST).iter().map(|step| step.exit).collect();
    steps.holds(exchanges == [Some(3), Some(0)], "the driver rests in V86 mode, and works afterwards")?;
    let [took, lost, wrong] = told(&steps, &take)?;
    steps.holds(took + lost == u32::from(FRAMES) && wrong == 0, "each frame comes as it was, or is counted")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// `/U` with frames that wait: refused while their client has its handle, and then all memory is given back. The next driver in
/// the same place has none of them.
fn unloaded(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let waits = format!("AWAIT {FRAMES}");
    let script = [
        "KEEPER", "ints keep", "mem", "ints", LOAD, OPEN, &waits, STATUS, UNLOAD, STATUS, CLOSE, "3COMPKT /U /INT=60", "mem", "ints", LOAD, TEST,
        "PKTCTL status /INT=60", "3COMPKT /U /INT=60", "mem", "ints",
    ];
    let steps = run(lab, &qemu_on(ne2000(), peer.cable())?, &peer, &script)?;
    for line in [LOAD, OPEN, &waits, CLOSE, "3COMPKT /U /INT=60", TEST] {
        steps.exits(line, 0)?;
    }
    steps.refuses(UNLOAD)?;
    steps.prints(STATUS, &format!("  waiting      {FRAMES} frames now"))?;
    steps.prints("PKTCTL status /INT=60", NONE_WAITS)?;
    for line in ["mem", "ints", LOAD] {
        steps.same(line)?;
    }
    Ok(())
}

/// The last client terminates the driver while its refused frames wait; then, while frames wait to be sent, it does so, and `/U`
/// does. All memory is given back each time.
fn terminated(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let mut rig = qemu_on(named("virtio_net"), peer.cable())?;
    rig.nics = vec![Card { device: SLOW_SENDER.into(), net: peer.cable() }];
    let waits = format!("AWAIT {FRAMES}");
    let (end, full, send) = ("KEEPER END", "KEEPER FULL", "KEEPER SEND");
    let script = [
        "KEEPER", "ints keep", "mem", "ints", LOAD, OPEN, &waits, STATUS, end, "mem", "ints", LOAD, OPEN, full, "mem", "ints", LOAD, send, UNLOAD, "mem",
        "ints", LOAD, TEST, UNLOAD,
    ];
    let steps = run(lab, &rig, &peer, &script)?;
    for line in [full, send] {
        println!("        {}", steps.first(line)?.text);
    }
    steps.prints(STATUS, &format!("  waiting      {FRAMES} frames now"))?;
    for line in [LOAD, OPEN, &waits, end, full, send, UNLOAD, TEST] {
        steps.exits(line, 0)?;
    }
    // Those in the card's ring, too.
    let queued = numbers(&steps.first(full)?.text);
    steps.holds(queued.first().is_some_and(|queued| *queued >= 24), "the queue is full of frames")?;
    // A client's `terminate` leaves the line enabled in the interrupt controller.
    steps.holds(steps.each("ints").iter().all(|ints| !ints.text.contains("[int ")), "all vectors are restored")?;
    steps.same("mem")?;
    steps.same(LOAD)
}

/// A program terminates the driver while a burst of frames that waited has frames left: refused, because the driver goes on
/// with them when that program ends.
fn between_bursts(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let (load, waits, pause) = ("3COMPKT /XMS=48 /HOLD=250 /BURST=1", format!("AWAIT {FRAMES}"), format!("KEEPER PAUSE {FRAMES}"));
    let steps = run(lab, &qemu_on(ne2000(), peer.cable())?, &peer, &["KEEPER", "mem", load, OPEN, &waits, &pause, CLOSE, TEST, UNLOAD, "mem"])?;
    for line in [load, OPEN, &waits, &pause, CLOSE, TEST, UNLOAD] {
        steps.exits(line, 0)?;
    }
    let text = &steps.first(&pause)?.text;
    println!("        {}", text.replace('\n', "; "));
    let [took, lost, wrong, refused, gone] = numbers(text)[..] else { return steps.fail("it prints five numbers") };
    steps.holds(refused != 0 && gone == 0, "it is asked between two bursts, and refuses")?;
    steps.holds(took + lost == u32::from(FRAMES) && wrong == 0, "each frame comes as it was, or is counted")?;
    steps.same("mem")
}

/// Another program switches A20 between any two frames. Every byte is right, and the gate is always as that program left it.
fn flips(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let waits = "WAITS 120 /GAP=8000 /AGAIN=50";
    let steps = run(lab, &qemu_on(ne2000(), peer.cable())?, &peer, &[LOAD, "FLIP ON", waits, "FLIP OFF", STATUS, UNLOAD])?;
    for line in [LOAD, waits, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(waits, "every byte right")?;
    steps.prints(STATUS, NONE_WAITS)?;
    let text = &steps.first("FLIP OFF")?.text;
    println!("        {text}");
    steps.holds(matches!(numbers(text)[..], [ticks, 0] if ticks > 10), "the gate stays as it was set")
}

/// A frame of every length is kept, offered again and taken, and one is sent, in XMS where the card is busy, with every byte right.
fn lengths(lab: &Lab, name: &str, device: &str) -> Verdict {
    let peer = peer()?;
    // QEMU's NE2000 also works as in a slot of 8 bits.
    let mut rig = qemu_on(named(if name == "ne1000" { "ne2000" } else { name }), peer.cable())?;
    if !device.is_empty() {
        rig.nics = vec![Card { device: device.into(), net: peer.cable() }];
    }
    let load = format!("{LOAD} /NIC={name}");
    // An el3's FIFO holds few.
    let waits = if name == "el3" { "WAITS /LENGTHS /AGAIN=50" } else { "WAITS /LENGTHS /GAP=0 /AGAIN=50" };
    let steps = run(lab, &rig, &peer, &[&load, waits, STATUS, UNLOAD])?;
    for line in [&load, waits, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(&load, &format!("3COMPKT: {name} at "))?;
    steps.prints(STATUS, NONE_WAITS)?;
    let text = &steps.first(waits)?.text;
    println!("        {name}: {}", text.replace('\n', "; "));
    let waited = text.split("as_send_pkt, ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    steps.holds(name != "virtio_net" || waited.is_some_and(|waited| waited != 0), "frames wait until virtio's ring has room")
}

/// Frames that wait come before newer ones of the same handle, also when the receiver begins to take frames between two bursts.
fn order(lab: &Lab, nic: &'static Nic) -> Verdict {
    for burst in [1, 3] {
        let peer = peer()?;
        let (load, waits) = (format!("3COMPKT /XMS=1280 /HOLD=250 /BURST={burst}"), "WAITS /SLOW /PAUSE /TAKES=5 /GAP=2000");
        let steps = run(lab, &qemu_on(nic, peer.cable())?, &peer, &[&load, waits, STATUS, UNLOAD])?;
        let text = &steps.first(waits)?.text;
        println!("        {}, bursts of {burst}: {text}", nic.name);
        for line in [&load, waits, UNLOAD] {
            steps.exits(line, 0)?;
        }
        let numbers = numbers(text);
        steps.holds(numbers.get(2).is_some_and(|came| *came > 100), "frames come")?;
        steps.holds(numbers.last().is_some_and(|refused| *refused > 5), "frames wait")?;
    }
    Ok(())
}

/// A receiver that refuses for ever.
fn stuck(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let mut rig = qemu_on(named("virtio_net"), peer.cable())?;
    rig.nics = vec![Card { device: "virtio-net-pci,tx=timer,x-txtimer=200000000".into(), net: peer.cable() }];
    let (load, waits) = ("3COMPKT /XMS=48 /HOLD=36", "WAITS /STUCK /AGAIN=50");
    let steps = run(lab, &rig, &peer, &[load, waits, UNLOAD])?;
    for line in [load, waits, UNLOAD] {
        steps.exits(line, 0)?;
    }
    println!("        {}", steps.first(waits)?.text.replace('\n', "; "));
    Ok(())
}

/// The form of the pool for V86 mode: frames go to XMS from a cache and come back, by the XMS driver; a card with rings has them
/// below 1 MB, locked by the DMA services.
pub(super) fn cache(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let rig = Qemu { dos: Dos { vds: true, ..Dos::default() }, ..qemu_on(nic, peer.cable())? };
    let (load, waits) = ("3COMPKT /XMS=48 /COMPACT", "WAITS 240 /GAP=8000 /AGAIN=50");
    let steps = run(lab, &rig, &peer, &["V86 ON", "mem", load, waits, STATUS, UNLOAD, "vds", "mem"])?;
    for line in [load, waits, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints("V86 ON", "[v86 1]")?;
    steps.prints(STATUS, "V86 mode")?;
    steps.prints(STATUS, NONE_WAITS)?;
    let locks = if nic.memory { "[vds locks 1 unlocks 1 " } else { "[vds locks 0 unlocks 0 " };
    steps.prints("vds", locks)?;
    let text = &steps.first(waits)?.text;
    println!("        {}: {}", nic.name, text.replace('\n', "; "));
    // Frames were fetched from XMS, and nothing failed.
    let fetched = text.split(" hits, ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    steps.holds(fetched.is_some_and(|fetched| fetched != 0), "frames come back from XMS")?;
    steps.holds(text.contains(" failures, flags 0"), "no call of the XMS driver fails")?;
    steps.same("mem")
}
