//! Frames that wait: the pool with XMS, without it, and with an XMS driver that fails.

use super::machine::{Lab, Rig, Steps, ne2000, numbers, qemu_of, qemu_on};
use super::runner::{Test, Verdict};
use super::stack;
use super::traffic::{LIMIT, judged};
use crate::nics::{NICS, Nic};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Qemu};
use crate::setup;
use compkt::device::MAX_FRAME;
use compkt::memory::{FRAMES, SLOT, rounded};

/// A line that must work as it is.
pub(super) const COMPACT: &str = "DEVICE=3COMPKT.SYS /COMPACT /XMS=1024 /MIGRATE=8192";
const WITH_XMS: &str = "DEVICE=3COMPKT.SYS /XMS=48";
const WITHOUT: &str = "DEVICE=3COMPKT.SYS /MIGRATE=16384";
/// The most bytes that it may keep, for a card by 16-bit ports, one with a FIFO, and one with rings.
const COMPACT_MOST: [(&str, u32); 3] = [("ne2000", 6_400), ("el3", 6_016), ("e1000", 6_144)];
/// Calls of the XMS driver at load: allocate and lock.
const LOAD_CALLS: usize = 2;
/// The line when there is no XMS.
const NO_XMS: &str = "3COMPKT: no XMS: frames wait below 1 MB";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (name, line, xms) in [("xms", WITH_XMS, Xms::V3), ("compact", COMPACT, Xms::V2), ("no-xms", WITHOUT, Xms::None)] {
        let test = |what: &str, run: fn(&Lab, &str, Xms) -> Verdict| Test::new(format!("qemu/{what}-{name}"), move |lab| run(lab, line, xms));
        tests.push(Test { slow: true, ..test("virtio_net/waits", fast).takes(70) });
        // So few frames that a burst is longer than all that wait.
        let small = if line == WITH_XMS { "DEVICE=3COMPKT.SYS /XMS=16" } else { line };
        let long = Test::new(format!("qemu/virtio_net/waits-long-{name}"), move |lab| slow(lab, small, xms));
        tests.push(Test { slow: name != "compact", ..long.takes(15) });
        tests.push(Test { slow: name != "xms", ..test("el3/waits", |lab, line, xms| few(lab, nic("el3"), line, xms)).takes(15) });
        let test = Test::new(format!("qemu/ne2000/conform-pool-{name}"), move |lab| conform(lab, ne2000(), line, xms)).takes(15);
        tests.push(Test { slow: true, ..test });
        let test = Test::new(format!("qemu/ne2000/fuzz-pool-{name}"), move |lab| fuzz(lab, ne2000(), line, xms)).takes(20);
        tests.push(Test { slow: name != "xms", ..test });
    }
    for line in ["DEVICE=3COMPKT.SYS /XMS=16 /BURST=1", "DEVICE=3COMPKT.SYS /XMS=16 /BURST=64"] {
        let burst = line.rsplit('=').next().unwrap_or_default();
        let test = |what: &str, run: fn(&Lab, &str, Xms) -> Verdict| Test::new(format!("qemu/{what}-bursts-of-{burst}"), move |lab| run(lab, line, Xms::V3));
        tests.push(Test { slow: true, ..test("virtio_net/waits-long", slow).takes(15) });
        tests.push(Test { slow: true, ..test("el3/waits", |lab, line, xms| few(lab, nic("el3"), line, xms)).takes(15) });
    }
    // One card of each way to copy frames between it and XMS, and of each family of rings.
    for name in ["ne2000", "ne2k_pci", "vortex", "corkscrew", "e1000", "e1000e", "igb", "pch", "tg3", "rtl8169", "rtl8139", "pcnet", "i8255x", "tulip", "boomerang", "vmxnet3"] {
        let test = Test::new(format!("qemu/{name}/waits-compact"), move |lab| few(lab, nic(name), COMPACT, Xms::V3)).takes(15);
        tests.push(Test { slow: !matches!(name, "ne2000" | "e1000"), ..test });
    }
    for (name, most) in COMPACT_MOST {
        tests.push(Test::new(format!("qemu/{name}/seed-line"), move |lab| seed_line(lab, name, most)).takes(3));
    }
    tests.push(Test::new("qemu/virtio_net/waits-burst-of-600", burst).takes(15));
    tests.push(Test::new("qemu/ne2000/pool-no-cache", no_cache).takes(3));
    tests.push(Test::new("qemu/ne2000/pool-as-large-as-asked", as_large).takes(4));
    tests.push(Test { slow: true, ..Test::new("qemu/el3/waits-largest", |lab| few(lab, nic("el3"), "DEVICE=3COMPKT.SYS /MIGRATE=65024", Xms::None)).takes(15) });
    tests.push(Test { slow: true, ..Test::new("qemu/ne2000/pool-rounds", rounds).takes(20) });
    tests.push(Test::new("qemu/ne2000/pool-failures", failures).takes(10));
    tests.push(Test::new("qemu/ne2000/pool-not-on-top", not_on_top).takes(3));
    tests.push(Test::new("qemu/ne2000/pool-polled", polled).takes(5));
    for name in ["ne2000", "el3"] {
        tests.push(Test::new(format!("qemu/{name}/pool-a20"), move |lab| a20(lab, nic(name), true)).takes(5));
        tests.push(Test::new(format!("qemu/{name}/pool-a20-keyboard"), move |lab| a20(lab, nic(name), false)).takes(5));
    }
    tests.push(Test::new("qemu/ne2000/pool-a20-never", a20_never).takes(5));
    tests.push(Test { slow: true, ..Test::new("dosbox-x/ne2000/pool-v86", v86).takes(30) });
    tests
}

fn nic(name: &str) -> &'static Nic {
    NICS.iter().find(|nic| nic.name == name).expect("the list has it")
}

/// A third of 10,000 frames is refused at first, and no frame is lost.
fn fast(lab: &Lab, line: &str, xms: Xms) -> Verdict {
    let exchange = format!("WAITS {}", lab.calls / 10);
    let steps = waits(lab, nic("virtio_net"), "virtio-net-pci", line, xms, &exchange)?;
    steps.prints(&exchange, "\n0 lost, 0 batches again\n")
}

/// A card that sends its frames after 200 ms: bursts are longer than its ring and the queue together, even on a busy host. A ring
/// without XMS holds one frame, for which 20 ms are enough.
fn slow(lab: &Lab, line: &str, xms: Xms) -> Verdict {
    let exchange = "WAITS 120";
    let device = format!("virtio-net-pci,tx=timer,x-txtimer={}", if xms == Xms::None { 20_000_000 } else { 200_000_000 });
    let steps = waits(lab, nic("virtio_net"), &device, line, xms, exchange)?;
    let text = &steps.first(exchange)?.text;
    let told = text.lines().find(|line| line.contains("sent by as_send_pkt")).unwrap_or_default();
    println!("        {line}: {told}");
    let numbers = numbers(told);
    // A megabyte holds a burst.
    let refused = if line == COMPACT { numbers.get(2) == Some(&0) } else { numbers.get(2).is_some_and(|refused| *refused != 0) };
    let waited = [0, 1, 3].map(|at| numbers.get(at).is_some_and(|number| *number != 0));
    steps.holds(refused && waited == [true; 3], "frames wait, are refused, and are dropped")
}

/// Fewer frames, on a card that may lose some: an el3's FIFO holds few and can be read once only.
pub(super) fn few(lab: &Lab, card: &Nic, line: &str, xms: Xms) -> Verdict {
    let device = card.devices.first().ok_or("no machine has this card")?;
    waits(lab, card, device, line, xms, "WAITS 240 /GAP=8000 /AGAIN=50").map(drop)
}

/// Runs WAITS, and checks what PKTCTL shows.
fn waits(lab: &Lab, nic: &Nic, device: &str, line: &str, xms: Xms, exchange: &str) -> Result<Steps, String> {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let mut job = lab.job(&[line], &["PKTCTL mem", exchange, "PKTCTL status", "3COMPKT /U"])?;
    job.limit = LIMIT;
    let machine = qemu_of(device, peer.cable())?.with_xms(xms);
    let steps = machine.steps(&job)?;
    steps.exits(exchange, 0)?;
    steps.prints("PKTCTL status", "  waiting      0 frames now")?;
    stack::has_margin(&steps, &format!("{} {line}", nic.name))?;
    steps.exits("3COMPKT /U", 0)?;
    let said = steps.first(line)?.text.contains(NO_XMS);
    steps.holds(said == (xms == Xms::None), "it says when there is no XMS, and only then")?;
    let map = &steps.first("PKTCTL mem")?.text;
    // As many frames as fit.
    let given: usize = line.split_once("/XMS=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).unwrap_or(0);
    let room = format!("{:6} KB  frames", (given * 1024 / usize::from(SLOT) * 3).div_ceil(2));
    steps.holds(map.contains(&room) == (xms != Xms::None), "PKTCTL shows where frames wait")?;
    Ok(steps)
}

/// The smallest form keeps few bytes, and works.
fn seed_line(lab: &Lab, name: &str, most: u32) -> Verdict {
    let steps = qemu_on(nic(name), Net::User)?.steps(&lab.job(&[COMPACT], &["PKTCTL mem", "PKTCTL test", "3COMPKT /U"])?)?;
    steps.exits("PKTCTL test", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.prints("PKTCTL mem", "  1023 KB  frames")?;
    let map = &steps.first("PKTCTL mem")?.text;
    let all = map.lines().find_map(|line| line.trim().strip_suffix("  all")?.trim().parse::<u32>().ok());
    println!("        {name}: {all:?} bytes");
    steps.holds(all.is_some_and(|all| all <= most), "it keeps no more than its limit")
}

/// A burst of 600 frames into a client that takes eight a tick, for which they may wait long enough: all arrive. Into one that takes
/// one a tick: each arrives or is counted.
fn burst(lab: &Lab) -> Verdict {
    // /HOLD=, frames a tick, and the least that arrive.
    for (hold, takes, least) in [(120, 8, 600), (40, 1, 20), (2, 1, 2)] {
        let (line, exchange) = (format!("DEVICE=3COMPKT.SYS /XMS=1280 /HOLD={hold}"), format!("WAITS /SLOW /TAKES={takes}"));
        let peer = Peer::new().map_err(|error| error.to_string())?;
        let mut job = lab.job(&[&line], &[&exchange, &"PKTCTL status".into(), &"3COMPKT /U".into()])?;
        job.limit = LIMIT;
        let steps = qemu_on(nic("virtio_net"), peer.cable())?.steps(&job)?;
        steps.exits(&exchange, 0)?;
        steps.exits("3COMPKT /U", 0)?;
        let text = &steps.first(&exchange)?.text;
        println!("        {line}, {takes} a tick: {}", text.trim());
        let numbers = numbers(text);
        steps.holds(numbers.first() == Some(&600), "QEMU gives the driver all frames of the burst")?;
        steps.holds(numbers.get(2).is_some_and(|came| *came >= least), "frames wait for as many ticks as they may")?;
    }
    Ok(())
}

/// Without XMS `/MIGRATE=` takes the bytes that it asks for. If they are not free, or more than all frames need, a line says
/// how many it takes.
fn as_large(lab: &Lab) -> Verdict {
    const FEWER: &str = "bytes below 1 MB for frames that wait; no more are free or of use";
    let all = FRAMES as u32 * u32::from(rounded(MAX_FRAME));
    let loads = [("36864", 36_864), ("48508", 48_508), ("65024", all)];
    let lines = loads.map(|(number, _)| format!("3COMPKT /MIGRATE={number}"));
    // About 80 KB are left then: the installer needs a part, and `/U`.
    let (hog, tight) = ("HOG 1400", "3COMPKT /MIGRATE=40000");
    let mut script: Vec<&str> = Vec::new();
    for line in &lines {
        script.extend([line, "PKTCTL mem", "PKTCTL test", "3COMPKT /U"]);
    }
    script.extend([hog, tight, "3COMPKT /U"]);
    let steps = qemu_on(ne2000(), Net::User)?.with_xms(Xms::None).steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for done in ["PKTCTL test", "3COMPKT /U", tight] {
        steps.exits(done, 0)?;
    }
    for ((line, (number, bytes)), map) in lines.iter().zip(loads).zip(steps.each("PKTCTL mem")) {
        let has = |row: &str| row.trim().split_once("  pool frames").and_then(|(bytes, _)| bytes.parse().ok());
        let is: u32 = map.text.lines().find_map(has).unwrap_or(0);
        steps.holds(is == bytes, format!("{line} gives {is} bytes"))?;
        let said = steps.first(line)?.text.contains(FEWER);
        steps.holds(said == (number != bytes.to_string()), format!("{line}: it says so when it takes fewer bytes, and only then"))?;
    }
    let text = &steps.first(tight)?.text;
    println!("        {}", text.lines().find(|line| line.contains(FEWER)).unwrap_or_default());
    let fewer = text.split_once("/MIGRATE=: ").and_then(|(_, rest)| rest.split_once(' ')?.0.replace(',', "").parse::<u32>().ok());
    steps.holds(text.contains(FEWER) && fewer.is_some_and(|bytes| (20_000..40_000).contains(&bytes)), "it takes what is free")
}

/// `/CACHE=` is accepted, and a line says that it does nothing.
fn no_cache(lab: &Lab) -> Verdict {
    let line = "3COMPKT /XMS=48 /CACHE=2048";
    let steps = qemu_on(ne2000(), Net::User)?.steps(&lab.job(&[], &[line, "PKTCTL mem", "3COMPKT /U", "3COMPKT /XMS=48", "3COMPKT /U"])?)?;
    steps.prints(line, "3COMPKT: /CACHE= is not needed: frames wait in XMS alone")?;
    let said = steps.first("3COMPKT /XMS=48")?.text.contains("/CACHE=");
    steps.holds(!said, "only if it was given")?;
    let map = &steps.first("PKTCTL mem")?.text;
    steps.holds(map.matches("pool frames").count() == 0 && map.matches("KB  frames").count() == 1, "nothing is kept below 1 MB")
}

/// CONFORM has the same results as without the pool.
fn conform(lab: &Lab, nic: &Nic, line: &str, xms: Xms) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let asked = "CONFORM /PEER /FIXED";
    // With the number of handles that CONFORM needs, also for /COMPACT.
    let line = format!("{line} /HANDLES=8");
    let mut job = lab.job(&[line.as_str()], &[asked, "PKTCTL status"])?;
    job.limit = LIMIT;
    let steps = qemu_on(nic, peer.cable())?.with_xms(xms).steps(&job)?;
    let lines = judged(&steps, asked)?;
    stack::has_margin(&steps, &format!("{} {line}", nic.name))?;
    lab.note(&format!("qemu/{} {line}", nic.name), lines);
    Ok(())
}

/// FUZZ.
fn fuzz(lab: &Lab, nic: &Nic, line: &str, xms: Xms) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(nic, Net::Hub(0))?.with_xms(xms) };
    let calls = format!("FUZZ {} /SEED=3", lab.calls / 2);
    let mut job = lab.job(&[line], &[calls.as_str(), "PKTCTL status"])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = rig.steps(&job)?;
    steps.exits(&calls, 0)?;
    steps.prints(&calls, "nothing else changed")
}

/// Thirty loads and unloads of each form leave no memory, vector or XMS handle changed.
fn rounds(lab: &Lab) -> Verdict {
    for (line, xms) in [("3COMPKT /XMS=48", Xms::V3), ("3COMPKT /MIGRATE=4096", Xms::None)] {
        let mut script = vec!["ints keep", "mem", "ints"];
        for _ in 0..30 {
            script.extend([line, "3COMPKT /U"]);
        }
        script.extend(["mem", "ints", line, "PKTCTL test"]);
        let job = Job { limit: LIMIT, ..lab.job(&[], &script)? };
        let steps = qemu_on(ne2000(), Net::User)?.with_xms(xms).steps(&job)?;
        for done in [line, "3COMPKT /U", "PKTCTL test"] {
            steps.exits(done, 0)?;
        }
        for same in [line, "mem", "ints"] {
            steps.same(same)?;
        }
    }
    Ok(())
}

/// Each call of the XMS driver fails in turn, and all of them: at load frames wait in conventional memory, and no XMS stays
/// allocated; at `/U` all else is given back, and the driver can be loaded again.
fn failures(lab: &Lab) -> Verdict {
    let line = "3COMPKT /XMS=48";
    // The calls of a load. The last one is not made.
    let calls: Vec<String> = (0..=LOAD_CALLS).map(|call| format!("xms fail 1 {call}")).chain(["xms fail 99".into()]).collect();
    let mut script = vec!["ints keep", "mem", "ints"];
    for fail in &calls {
        script.extend([fail, line, "PKTCTL status", "PKTCTL test", "xms fail 0", "3COMPKT /U", "mem", "ints"]);
    }
    // Those of `/U`.
    for fail in ["xms fail 1 0", "xms fail 1 1", "xms fail 99"] {
        script.extend([line, fail, "3COMPKT /U", "xms fail 0", "mem", "ints"]);
    }
    script.extend([line, "PKTCTL test", "3COMPKT /U"]);
    let steps = qemu_on(ne2000(), Net::User)?.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for done in [line, "PKTCTL test", "3COMPKT /U"] {
        steps.exits(done, 0)?;
    }
    for (at, load) in steps.each(line).iter().enumerate() {
        let fails = at != LOAD_CALLS && at < calls.len();
        let said = load.text.lines().filter(|line| line.starts_with(NO_XMS)).count();
        steps.holds(said == usize::from(fails), format!("load {at}: one line says that conventional memory serves, if a call failed"))?;
    }
    for (at, status) in steps.each("PKTCTL status").iter().enumerate() {
        let said = status.text.contains("in conventional memory: no XMS, or its driver failed");
        steps.holds(said == (at != LOAD_CALLS), format!("load {at}: PKTCTL says it, too"))?;
    }
    let maps = steps.each("mem");
    let conventional = |at: usize| maps[at].text.split("xms handles").next().unwrap_or_default().to_string();
    for at in 1..maps.len() {
        let same = if at <= calls.len() { maps[at].text == maps[0].text } else { conventional(at) == conventional(0) };
        steps.holds(same, format!("round {at}: all memory is given back"))?;
    }
    steps.same("ints")
}

/// A program that hooked the timer later keeps the driver from being unloaded; the driver goes on working.
fn not_on_top(lab: &Lab) -> Verdict {
    let script = ["3COMPKT /XMS=48", "HOOK08", "mem", "ints", "3COMPKT /U", "mem", "ints", "PKTCTL test"];
    let steps = qemu_on(ne2000(), Net::User)?.steps(&lab.job(&[], &script)?)?;
    steps.refuses("3COMPKT /U")?;
    steps.prints("3COMPKT /U", "another program has hooked the driver's interrupts after it; unload that first")?;
    for same in ["mem", "ints"] {
        steps.same(same)?;
    }
    steps.exits("PKTCTL test", 0)
}

/// A card without an interrupt is polled by the tick feature.
fn polled(lab: &Lab) -> Verdict {
    let script = ["ints keep", "mem", "ints", "NOLINES", "3COMPKT /XMS=48", "PKTCTL test", "3COMPKT /U", "mem", "ints"];
    let steps = qemu_on(nic("e1000"), Net::User)?.steps(&lab.job(&[], &script)?)?;
    steps.prints("3COMPKT /XMS=48", ", no IRQ (polled), ")?;
    steps.exits("PKTCTL test", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.same("ints")
}

/// Under another memory manager: the XMS driver moves frames, and its chain is hooked.
fn v86(lab: &Lab) -> Verdict {
    let rig = DosboxX { v86: true, ..DosboxX::default() };
    let line = "3COMPKT /XMS=48 /CACHE=1536";
    // On a busy host the machine stands still for two ticks, after which the driver would give frames up.
    let patient = "3COMPKT /XMS=48 /CACHE=1536 /HOLD=18";
    let first = [line, "PKTCTL mem", "PKTCTL test", "CONFORM", "3COMPKT /U"];
    let mut job = lab.job(&[], &[&first[..], &[patient, "WAITS /ALONE", "PKTCTL status", "PKTCTL test", "3COMPKT /U"]].concat())?;
    job.limit = LIMIT;
    let steps = rig.steps(&job)?;
    for done in [line, patient, "PKTCTL test", "WAITS /ALONE", "3COMPKT /U"] {
        steps.exits(done, 0)?;
    }
    println!("        V86: {}", steps.first("WAITS /ALONE")?.text.replace('\n', "; "));
    steps.prints("PKTCTL status", "V86 mode")?;
    steps.prints("PKTCTL mem", "    48 KB  frames")?;
    let lines = judged(&steps, "CONFORM")?;
    lab.note(&format!("dosbox-x v86 {line}"), lines);
    Ok(())
}

/// Frames are moved to XMS and back with A20 off; A20 stays as it was. By port 92h, and on a machine without that port by the
/// keyboard controller.
fn a20(lab: &Lab, nic: &'static Nic, port: bool) -> Verdict {
    let line = "3COMPKT /XMS=48 /CACHE=1536 /MIGRATE=1536";
    let waits = "WAITS 60 /GAP=8000 /AGAIN=50";
    for (gate, state) in [("A20 OFF", "[a20 0]"), ("A20 ON", "[a20 1]")] {
        let peer = Peer::new().map_err(|error| error.to_string())?;
        let mut rig = qemu_on(nic, peer.cable())?;
        if !port {
            without(&mut rig, "no-port92")?;
        }
        let script = ["mem", gate, line, "a20", "A20 OFF", waits, "a20", "PKTCTL status", "A20 ON", "PKTCTL test", "a20", "3COMPKT /U", "mem"];
        let steps = rig.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
        for done in [line, "PKTCTL test", waits, "3COMPKT /U"] {
            steps.exits(done, 0)?;
        }
        steps.prints(waits, "every byte right")?;
        steps.holds(!steps.first("PKTCTL status")?.text.contains("to XMS       0 frames"), "frames went to XMS")?;
        let gates: Vec<&str> = steps.each("a20").iter().map(|step| step.text.as_str()).collect();
        steps.holds(gates == [state, "[a20 0]", "[a20 1]"], "the gate stays as it was set")?;
        steps.same("mem")?;
    }
    Ok(())
}

/// Adds one of the models that disable ports.
pub(super) fn without(rig: &mut Qemu, device: &str) -> Verdict {
    rig.plugins = vec![setup::models().map_err(|error| error.to_string())?.display().to_string()];
    rig.extra = vec!["-device".into(), device.into()];
    Ok(())
}

/// Nothing opens A20's gate: frames wait in conventional memory, because writes to XMS would go to low memory.
fn a20_never(lab: &Lab) -> Verdict {
    let line = "3COMPKT /XMS=48";
    let mut rig = qemu_on(ne2000(), Net::User)?;
    without(&mut rig, "no-a20")?;
    let script = ["mem", "NOGATE", "a20", line, "PKTCTL test", "PKTCTL status", "3COMPKT /U", "mem"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for done in [line, "PKTCTL test", "3COMPKT /U"] {
        steps.exits(done, 0)?;
    }
    steps.prints("a20", "[a20 0]")?;
    steps.prints(line, NO_XMS)?;
    steps.prints("PKTCTL status", "in conventional memory: no XMS, or its driver failed")?;
    steps.same("mem")
}
