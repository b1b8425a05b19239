//! The control interrupt of `/CTL`: AMIS, parameters, callbacks and log by CONTROL; other programs in its chain.

use super::machine::{Lab, Rig, Steps, fixture, ne2000, qemu, qemu_on};
use super::runner::{Test, Verdict};
use crate::nics::{NICS, Nic};
use crate::pack::checks::{Role, budget};
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Qemu};

/// Cards of each kind: polled and by interrupt, ports and memory, with and without rings, with and without link events.
const CARDS: [&str; 6] = ["ne2000", "e1000", "rtl8139", "virtio_net", "pcnet", "el3"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("dosbox-x/control/prompt", |lab| prompt(lab, &DosboxX::default())),
        Test::new("qemu/control/prompt", |lab| prompt(lab, &qemu(ne2000())?)),
        Test::new("qemu/control/wild", wild).takes(20),
        Test::new("qemu/control/features", features),
        Test::new("qemu/control/pool-flat", |lab| pool(lab, "rtl8139", "V86 OFF", "3COMPKT 0x60 /CTL /XMS=48", "in XMS: room for")),
        Test::new("qemu/control/pool-cache", |lab| pool(lab, "ne2000", "V86 ON", "3COMPKT 0x60 /CTL /XMS=48 /CACHE=4096", "bytes of cache")),
        Test::new("qemu/control/pool-low", |lab| pool(lab, "el3", "V86 ON", "3COMPKT 0x60 /CTL /MIGRATE=8192", "bytes of conventional memory")),
        Test::new("qemu/control/chain", chain),
        Test::new("qemu/control/instructions", instructions),
        Test::new("qemu/control/stranger", stranger),
        Test::new("qemu/control/without", without),
    ];
    for name in CARDS {
        tests.push(Test::new(format!("qemu/{name}/control"), move |lab| device(lab, nic(name))));
    }
    tests
}

/// The NIC with this name.
fn nic(name: &str) -> &'static Nic {
    NICS.iter().find(|nic| nic.name == name).expect("a driver's name")
}

/// CONTROL with the driver from the prompt, which it uninstalls: memory and vectors are as before.
fn prompt(lab: &Lab, rig: &impl Rig) -> Verdict {
    let script = ["mem", "ints", "3COMPKT /CTL", "CONTROL /END", "mem", "ints", "3COMPKT /CTL", "3COMPKT /U", "mem", "ints"];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    steps.exits("3COMPKT /CTL", 0)?;
    steps.exits("CONTROL /END", 0)?;
    steps.exits("3COMPKT /U", 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// CONTROL with the driver by DEVICE=.
fn device(lab: &Lab, nic: &'static Nic) -> Verdict {
    let line = format!("DEVICE=3COMPKT.SYS /NIC={} /CTL", nic.name);
    let steps = qemu(nic)?.steps(&lab.job(&[line.as_str()], &["CONTROL", "PKTCTL mem", "PKTCTL test", "CONTROL /END"])?)?;
    steps.exits("CONTROL", 0)?;
    steps.exits("PKTCTL test", 0)?;
    steps.exits("CONTROL /END", 0)
}

/// With every other feature.
fn features(lab: &Lab) -> Verdict {
    let line = "3COMPKT /CTL /STATS /COUNT /XMS=48";
    let steps = qemu(nic("rtl8139"))?.steps(&lab.job(&[], &["mem", "ints", line, "CONTROL", "PKTCTL test", "3COMPKT /U", "mem", "ints"])?)?;
    for line in [line, "CONTROL", "PKTCTL test", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// The parameters of each form of the pool.
fn pool(lab: &Lab, card: &str, mode: &str, load: &str, form: &str) -> Verdict {
    let xms = if load.contains("/XMS=") { Xms::V3 } else { Xms::None };
    let rig = qemu(nic(card))?.with_xms(xms);
    let steps = rig.steps(&lab.job(&[], &[mode, load, "PKTCTL mem", "CONTROL", "PKTCTL config", "PKTCTL test", "3COMPKT /U"])?)?;
    steps.prints("PKTCTL mem", form)?;
    for line in [load, "CONTROL", "PKTCTL test", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    let config = &steps.first("PKTCTL config")?.text;
    steps.holds(config.contains("  HOLD       2"), "HOLD is that of the load")?;
    let has = |name: &str| config.contains(&format!("\n  {name}"));
    steps.holds(has("MIGRATE") == form.contains("cache") && has("XMS") == load.contains("/XMS="), "the parameters are those of the form")
}

/// Programs that have hooked INT 2Dh after the driver and share it, and a second copy of the driver: unloaded in any order, all
/// others go on.
fn chain(lab: &Lab) -> Verdict {
    // Two cards with an interrupt line each: `/U` masks the line of the card that it stops.
    let mut rig = qemu(nic("pcnet"))?;
    rig.nics.extend(qemu(nic("e1000"))?.nics);
    let (first, second) = ("3COMPKT /NIC=pcnet /CTL", "3COMPKT /NIC=e1000 /INT=61 /CTL");
    let (gone, left) = ("3COMPKT /U /INT=60", "3COMPKT /U /INT=61");
    let script = [
        first, second, "CONTROL /INT=61", gone, "CONTROL /INT=61", left, "ints",
        first, "SHARE2D", second, "SHARE2D", gone, "CONTROL WILD 1000 /INT=61", left, first, "CONTROL WILD 1000", gone,
    ];
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in script.iter().filter(|line| !matches!(**line, "ints" | "SHARE2D")) {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// GET and SET take at most 2,000 instructions each, also where SET changes the card's registers.
fn instructions(lab: &Lab) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(nic("e1000"), Net::Hub(0))? };
    let mut job = lab.job(&["DEVICE=3COMPKT.SYS /CTL"], &["CTLCOST"])?;
    job.files.push(("CTLCOST.COM".into(), fixture("ctlcost", &[]).map_err(|error| error.to_string())?));
    rig.steps(&job)?.exits("CTLCOST", 0)
}

/// A program that has hooked INT 2Dh after the driver and does not share it is in the way, and named.
fn stranger(lab: &Lab) -> Verdict {
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &["3COMPKT /CTL", "HOOK2D", "3COMPKT /U", "CONTROL WILD 1000", "PKTCTL test"])?)?;
    steps.exits("3COMPKT /U", 1)?;
    steps.prints("3COMPKT /U", "hooked the driver's interrupts after it")?;
    steps.exits("CONTROL WILD 1000", 0)?;
    steps.exits("PKTCTL test", 0)
}

/// Random calls.
fn wild(lab: &Lab) -> Verdict {
    let rig = Qemu { icount: true, ..qemu_on(ne2000(), Net::User)? };
    let lines = [1, 2].map(|seed| format!("CONTROL WILD {} /SEED={seed}", lab.calls));
    let mut job = lab.job(&["DEVICE=3COMPKT.SYS /CTL"], &[lines[0].as_str(), lines[1].as_str(), "CONTROL"])?;
    job.limit = super::traffic::LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = rig.steps(&job)?;
    for line in &lines {
        steps.exits(line, 0)?;
        steps.prints(line, "nothing else changed")?;
    }
    steps.exits("CONTROL", 0)
}

/// Without the switch there is no control interrupt, and no byte of it.
fn without(lab: &Lab) -> Verdict {
    let script = ["ints", "3COMPKT", "CONTROL", "PKTCTL mem", "3COMPKT /U", "3COMPKT /CTL", "PKTCTL mem", "3COMPKT /U", "ints"];
    let steps: Steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    steps.exits("CONTROL", 3)?;
    let sizes: Vec<Option<u32>> = ["3COMPKT", "3COMPKT /CTL"].map(|line| resident(&steps.first(line).ok()?.text)).into();
    let [Some(without), Some(with)] = sizes[..] else { return steps.fail("no line says how much is resident") };
    // Two entries of the list of blocks; the sum is rounded up to a paragraph.
    let most = u32::from(budget("ctl", Role::Resident) + budget("tick", Role::Resident)) + 8 + 15;
    steps.holds(with - without <= most, format!("{without} bytes without it and {with} with it, which is not more than {most}"))?;
    steps.same("ints")
}

/// The bytes of the line at load.
fn resident(text: &str) -> Option<u32> {
    text.split(" bytes resident").next()?.rsplit(' ').next()?.replace(',', "").parse().ok()
}
