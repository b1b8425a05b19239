//! The control interrupt of `/CTL`: AMIS, parameters, callbacks and log by CONTROL; other programs in its chain.

use super::codes;
use super::machine::{Lab, Rig, Steps, fixture, ne2000, numbers, peer, qemu, qemu_on, unasked, watched};
use super::runner::{Test, Verdict};
use super::traffic::LIMIT;
use crate::nics::{NICS, Nic};
use crate::pack::checks::{Role, budget};
use crate::rig::Job;
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
    for (name, card, mode, load, xms) in [
        ("cache", "ne2000", "V86 ON", "3COMPKT 0x60 /CTL /XMS=48 /CACHE=4096", Xms::V3),
        ("low", "el3", "V86 OFF", "3COMPKT 0x60 /CTL /MIGRATE=8192", Xms::None),
        ("no-pool", "ne2000", "V86 OFF", "3COMPKT 0x60 /CTL", Xms::V3),
    ] {
        tests.push(Test::new(format!("qemu/control/xms-pending-{name}"), move |lab| no_xms(lab, card, mode, load, xms)));
    }
    tests.push(Test::new("qemu/control/xms-pending-v86", v86_after));
    for (name, medium) in [("el3", "TP"), ("boomerang", "AUTO")] {
        tests.push(Test::new(format!("qemu/{name}/apply-media"), move |lab| media(lab, name, medium)));
    }
    for name in ["e1000", "rtl8139", "ne2000", "virtio_net"] {
        tests.push(Test::new(format!("qemu/{name}/apply-xms"), move |lab| amount(lab, name)));
    }
    for name in ["e1000e", "el3"] {
        tests.push(Test::new(format!("qemu/{name}/apply-in-flood"), move |lab| flooded(lab, name)).takes(10));
    }
    for name in ["el3", "ne2000", "e1000", "e1000e", "virtio_net", "pcnet"] {
        tests.push(Test::new(format!("qemu/{name}/frames-in-the-stopped-card"), move |lab| in_the_card(lab, name)).takes(10));
    }
    for name in ["el3", "ne2000", "e1000", "e1000e", "virtio_net"] {
        tests.push(Test::new(format!("qemu/{name}/set-in-traffic"), move |lab| traffic(lab, name)).takes(10));
    }
    for name in CARDS {
        tests.push(Test::new(format!("qemu/{name}/control"), move |lab| device(lab, nic(name))));
    }
    for name in ["e1000", "rtl8139"] {
        tests.push(Test::new(format!("qemu/{name}/control-polled"), move |lab| polled(lab, name)));
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

/// A card without an interrupt line: POLL is 1 and cannot be changed, and everything else works.
fn polled(lab: &Lab, card: &str) -> Verdict {
    let peer = peer()?;
    let (load, show, set, exchange) = ("3COMPKT /CTL", "PKTCTL config POLL", "PKTCTL config POLL=0", "INTEGRIT 100");
    let script = ["NOLINES", "mem", "ints", load, show, "CONTROL", set, show, exchange, "3COMPKT /U", "mem", "ints"];
    let job = Job { limit: LIMIT, ..lab.job(&[], &script)? };
    let steps = watched(&qemu_on(nic(card), peer.cable())?, &job, &mut |_, _| {})?;
    for line in [load, show, "CONTROL", exchange, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.prints(show, "POLL=1")?;
    steps.exits(set, 3)?;
    steps.prints(set, "the card has no interrupt of its own to change from or to")?;
    steps.prints(exchange, "every byte right")?;
    steps.same("mem")?;
    steps.same("ints")
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

/// Every live parameter is set again and again while frames come and go. CHANGE fails if no frame is received after a SET, if a
/// byte, a length or a handle is wrong, and if the driver allows SET in a receiver. Lost frames are no failure: cards hold few.
fn traffic(lab: &Lab, card: &str) -> Verdict {
    let peer = peer()?;
    let load = format!("3COMPKT /NIC={card} /CTL /XMS=48");
    // QEMU's e1000 receives nothing until a second of the machine's time after the last write of RCTL (hw/net/e1000.c:
    // set_rx_control starts flush_queue_timer, and e1000_can_receive is false until it ends).
    let change = if card == "e1000" { "CHANGE 2" } else { "CHANGE 9" };
    let script = [load.as_str(), change, "PKTCTL log", "INTEGRIT 300"];
    let steps = watched(&qemu_on(nic(card), peer.cable())?, &Job { limit: LIMIT, ..lab.job(&[], &script)? }, &mut |_, _| {})?;
    let text = &steps.first(change)?.text;
    println!("        {card}: {text}");
    for line in [load.as_str(), change, "INTEGRIT 300"] {
        steps.exits(line, 0)?;
    }
    steps.prints("INTEGRIT 300", "every byte right")?;
    let [sets, busy, ..] = numbers(text)[..] else { return steps.fail("CHANGE prints its counts") };
    steps.holds(sets >= 15 * u32::from(change.as_bytes()[7] - b'0') && busy != 0, "each parameter was set in each round, and in the receiver")?;
    let log = &steps.first("PKTCTL log")?.text;
    for name in ["MODE", "ADDRESS", "MULTICAST", "BURST", "LOG", "INTERVAL", "HOLD"] {
        let set = format!("parameter set: {name}");
        steps.holds(log.lines().any(|line| line.ends_with(&set)), set)?;
    }
    Ok(())
}

/// Frames come all the time while parameters are put in force, with success and without: the driver receives and sends afterwards.
fn flooded(lab: &Lab, card: &str) -> Verdict {
    let peer = peer()?;
    let load = format!("3COMPKT /NIC={card} /CTL /XMS=48");
    let (more, less, stats) = ("PKTCTL config XMS=96", "PKTCTL config XMS=48", "PKTCTL stats");
    let script = [load.as_str(), more, APPLY, less, APPLY, more, APPLY, stats, "INTEGRIT 300", "PKTCTL status"];
    let job = Job { limit: LIMIT, ..lab.job(&[], &script)? };
    let steps = watched(&qemu_on(nic(card), peer.cable())?, &job, &mut |line, _| {
        if line == format!("> {APPLY}") {
            (0..FLOOD).for_each(|number| peer.send(unasked(number, 60 + number * 37 % 1000)));
        }
    })?;
    for line in [load.as_str(), more, less, APPLY, "INTEGRIT 300"] {
        steps.exits(line, 0)?;
    }
    steps.prints(APPLY, "the pending parameters are in force")?;
    let sent = peer.frames().iter().filter(|frame| frame.0 == crate::peer::From::Peer).count();
    let status = &steps.first("PKTCTL status")?.text;
    // `in N frames, N bytes, N errors, N not taken`.
    let counted = numbers(status.lines().find(|line| line.trim_start().starts_with("in ")).unwrap_or_default());
    println!("        {card}: {sent} frames sent to it, counted {counted:?}");
    // The rest came while the card was stopped, or the card lost it without a count.
    steps.holds(counted.len() == 4 && counted[0] as usize <= sent, "no frame is counted twice")?;
    steps.prints("INTEGRIT 300", "every byte right")
}

/// Frames that are in the card when it is stopped, by `/APPLY` or by `/REPLACE`, are counted as lost. They stay there until then,
/// because its line and the timer's are masked in the interrupt controller. Each case is tried twice: on a machine that is slow enough,
/// frames come later than that.
fn in_the_card(lab: &Lab, card: &str) -> Verdict {
    let peer = peer()?;
    let load = format!("3COMPKT /NIC={card} /CTL /XMS=48");
    let (more, less, replace, status) = ("PKTCTL config XMS=96", "PKTCTL config XMS=48", "3COMPKT /REPLACE /CTL /XMS=48", "PKTCTL status");
    let cases = [[more, "UNHEARD", APPLY, "HEARD", status], [less, "UNHEARD", APPLY, "HEARD", status], ["ints", "UNHEARD", replace, "HEARD", status], ["ints", "UNHEARD", replace, "HEARD", status]];
    let script: Vec<&str> = [load.as_str(), status].into_iter().chain(cases.into_iter().flatten()).collect();
    let job = Job { limit: LIMIT, ..lab.job(&[], &script)? };
    let steps = watched(&qemu_on(nic(card), peer.cable())?, &job, &mut |line, _| {
        if line == "[unheard]" {
            (0..HELD).for_each(|number| peer.send(unasked(number, 60)));
        }
    })?;
    for line in [load.as_str(), APPLY, replace] {
        steps.exits(line, 0)?;
    }
    // `in N frames, N bytes, N errors, N not taken`: the driver has received the first, and all that it has counted are the last.
    let counts: Vec<Vec<u32>> = steps.each(status).iter().map(|step| numbers(step.text.lines().find(|line| line.trim_start().starts_with("in ")).unwrap_or_default())).collect();
    steps.holds(counts.len() == 1 + cases.len() && counts.iter().all(|counts| counts.len() == 4), "the status has the counts")?;
    let counted = |case: usize| (counts[case + 1][0] - counts[case][0], counts[case + 1][3] - counts[case][3]);
    let all = (0, HELD as u32);
    println!("        {card}: {:?}", [0, 1, 2, 3].map(counted));
    steps.holds(counted(0) == all || counted(1) == all, "/APPLY counts the frames in the card")?;
    steps.holds(counted(2) == all || counted(3) == all, "/REPLACE counts the frames in the card")
}

/// Frames that every card holds.
const HELD: usize = 8;
/// Frames of a flood, more than a card holds.
const FLOOD: usize = 2000;

const APPLY: &str = "3COMPKT /APPLY";
/// The same by PKTCTL.
const BY_PKTCTL: &str = "PKTCTL apply";

/// A medium is put in force; one that the card has not got is refused, and the card goes on with the one before.
fn media(lab: &Lab, card: &str, medium: &str) -> Verdict {
    let load = format!("3COMPKT /NIC={card} /CTL");
    let (good, bad) = (format!("PKTCTL config MEDIA={medium}"), "PKTCTL config MEDIA=FX");
    let (test, show) = ("PKTCTL test", "PKTCTL config MEDIA");
    let script = ["mem", "ints", load.as_str(), APPLY, &good, APPLY, show, test, bad, APPLY, show, "PKTCTL log", test, "CONTROL", "3COMPKT /U", "mem", "ints"];
    let steps = qemu(nic(card))?.steps(&lab.job(&[], &script)?)?;
    for line in [load.as_str(), &good, bad, test, "CONTROL", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    let applied = steps.each(APPLY);
    let ends = |index: usize, code: u8, text: &str| {
        let step = &applied[index];
        steps.holds(step.exit == Some(code) && step.text.contains(text), format!("/APPLY number {index} ends with {code} and says `{text}`"))
    };
    ends(0, 0, "no parameter waits")?;
    ends(1, 0, "the pending parameters are in force")?;
    ends(2, 1, "the driver that was loaded goes on")?;
    let shown = steps.each(show);
    steps.holds(shown[0].text == format!("MEDIA={medium}"), "the medium is in force")?;
    steps.holds(shown[1].text == format!("MEDIA={medium}\nMEDIA=FX after PKTCTL apply"), "the other one is still wanted")?;
    steps.prints("PKTCTL log", "all is as before")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// XMS where no frame waits there in real mode: it cannot be changed, PKTCTL says why, and nothing else has changed.
fn no_xms(lab: &Lab, card: &str, mode: &str, load: &str, xms: Xms) -> Verdict {
    let (set, show, test) = ("PKTCTL config XMS=96", "PKTCTL config", "PKTCTL test");
    let script = [mode, "mem", load, show, "CONTROL", set, APPLY, show, test, "3COMPKT /U", "mem"];
    let steps = qemu(nic(card))?.with_xms(xms).steps(&lab.job(&[], &script)?)?;
    for line in [load, "CONTROL", test, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.exits(set, 3)?;
    steps.prints(set, "XMS: only /XMS= at load sets it, in V86 mode and where no frames wait in XMS.")?;
    steps.prints(APPLY, "no parameter waits")?;
    steps.same(show)?;
    steps.same("mem")
}

/// XMS is pending when V86 mode begins: `/APPLY` is refused there and changes nothing; in real mode it is done.
fn v86_after(lab: &Lab) -> Verdict {
    let (load, set, show, test) = ("3COMPKT 0x60 /CTL /XMS=48", "PKTCTL config XMS=96", "PKTCTL config XMS", "PKTCTL test");
    let script = ["V86 OFF", load, set, "V86 ON", APPLY, show, "V86 OFF", test, BY_PKTCTL, show, test, "3COMPKT /U"];
    let steps = qemu(nic("rtl8139"))?.with_xms(Xms::V3).steps(&lab.job(&[], &script)?)?;
    for line in [load, set, test, BY_PKTCTL, "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.refuses(APPLY)?;
    steps.prints(APPLY, "a memory manager or a program came after the driver; unload that first")?;
    let shown: Vec<&str> = steps.each(show).iter().map(|step| step.text.as_str()).collect();
    steps.holds(shown == ["XMS=48\nXMS=96 after PKTCTL apply", "XMS=96"], "it is pending, then in force")
}

/// More XMS for frames that wait, then less, then more than there is.
fn amount(lab: &Lab, card: &str) -> Verdict {
    let load = format!("3COMPKT /NIC={card} /CTL /XMS=48");
    let (more, less, most) = ("PKTCTL config XMS=96", "PKTCTL config XMS=18", "PKTCTL config XMS=16384");
    let (test, show, map) = ("PKTCTL test", "PKTCTL config XMS", "PKTCTL mem");
    let script = ["mem", "ints", load.as_str(), map, more, APPLY, map, test, less, BY_PKTCTL, map, test, most, APPLY, map, show, "PKTCTL log", test, "CONTROL", "3COMPKT /U", "mem", "ints"];
    let steps = qemu(nic(card))?.steps(&lab.job(&[], &script)?)?;
    for line in [load.as_str(), more, less, most, test, "CONTROL", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    let codes: Vec<_> = steps.each(APPLY).iter().map(|step| step.exit).collect();
    let last = steps.each(APPLY).last().and_then(|step| codes::of(&step.text));
    steps.holds(codes == [Some(0), last] && last.is_some(), format!("/APPLY ends with 0, and with {last:?}, not {codes:?}"))?;
    steps.exits(BY_PKTCTL, 0)?;
    steps.prints(BY_PKTCTL, "XMS=18\n3COMPKT: the pending parameters are in force")?;
    for (map, frames) in steps.each(map).iter().zip([32, 64, 12, 12]) {
        steps.holds(map.text.contains(&format!("in XMS: room for {frames} frames")), format!("room for {frames} frames"))?;
    }
    steps.prints(show, "XMS=18\nXMS=16384 after PKTCTL apply")?;
    steps.prints("PKTCTL log", "all is as before")?;
    steps.same("mem")?;
    steps.same("ints")
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
    steps.refuses("3COMPKT /U")?;
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
    // The unit and its entry in the list of blocks are whole paragraphs, so it is the same for every card.
    steps.holds(with - without == u32::from(budget("ctl", Role::Resident)) + 4, format!("{without} bytes without it and {with} with it"))?;
    steps.same("ints")
}

/// The bytes of the line at load.
fn resident(text: &str) -> Option<u32> {
    text.split(" bytes resident").next()?.rsplit(' ').next()?.replace(',', "").parse().ok()
}
