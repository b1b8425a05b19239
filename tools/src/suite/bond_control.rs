//! `PKTCTL bond`: what it shows of a bond, and what it changes while frames flow; a program's routine that chooses NICs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bonds::{FLOWS, announced, by_nic, sent, until};
use super::machine::{Lab, Steps, unasked};
use super::runner::{Test, Verdict};
use super::several::{machine, run};
use super::watch;
use crate::setup::fail;

/// Rows of the screen.
const ROWS: usize = 25;

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/bond/shown", shown).takes(8),
        Test::new("qemu/bond/changed", changed).takes(10),
        Test::new("qemu/bond/out-and-in", out_and_in).takes(10),
        Test::new("qemu/bond/chosen-by-a-program", chosen).takes(8),
        Test::new("qemu/bond/no-such-nic-is-chosen", wrongly_chosen).takes(8),
        Test::new("qemu/bond/watched", watched).takes(8),
        Test::new("qemu/bond/none-to-show", none).takes(4),
    ]
}

/// Values of a column of `PKTCTL bond --csv`, by its name.
fn column(steps: &Steps, name: &str) -> Result<Vec<String>, String> {
    let text = &steps.first("PKTCTL bond --csv")?.text;
    let mut rows = text.lines().skip_while(|line| !line.starts_with("int,no,"));
    let head = rows.next().ok_or("no line of names")?;
    let at = head.split(',').position(|of| of == name).ok_or(format!("no column {name}"))?;
    Ok(rows.take_while(|row| row.contains(',')).filter_map(|row| Some(row.split(',').nth(at)?.trim_matches('"').to_string())).collect())
}

/// What is shown is so: every frame that came out of a NIC was counted, and the flows; each part has its lines.
fn shown(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139", "ne2k_isa,iobase=0x300,irq=10"])?;
    let line = "3COMPKT /LB=ROUND_ROBIN /FLOWS=64 /TARGET=10.0.2.2";
    let script = [line, "FLOWS", "INTEGRIT 24", "PKTCTL bond --csv", "pause", "PKTCTL bond", "PKTCTL bond health", "PKTCTL bond help", "PKTCTL nics", "3COMPKT /U"];
    let mut counted = Vec::new();
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |said, monitor| {
        if said == "[pause]" {
            sleep(Duration::from_millis(500));
            counted = peers.iter().map(|peer| sent(peer).len()).collect();
            let _ = monitor.resume();
        }
    })?;
    for line in script {
        if line != "pause" {
            steps.exits(line, 0)?;
        }
    }
    let number = |text: &String| text.parse::<usize>().unwrap_or(usize::MAX);
    let told: Vec<usize> = column(&steps, "sent")?.iter().map(number).collect();
    // Requests for the target may have gone between the two.
    let agree = told.len() == 3 && told.iter().zip(&counted).all(|(told, counted)| told <= counted && counted - told <= 3);
    steps.holds(agree, format!("frames sent are {told:?}, and the peers have {counted:?}"))?;
    let received: Vec<usize> = column(&steps, "received")?.iter().map(number).collect();
    steps.holds(received[0] >= 24, format!("the first NIC has received: {received:?}"))?;
    steps.holds(column(&steps, "place")? == ["PCI 00:02.0", "PCI 00:03.0", "port 0300h"], "the places of the cards")?;
    steps.holds(column(&steps, "state")? == ["sends and receives", "sends", "sends"], "what each of them does")?;
    let given: usize = column(&steps, "flows")?.iter().map(number).sum();
    steps.holds(given == FLOWS, format!("{given} flows: those of FLOWS"))?;
    for part in ["bond of 3 NICs, ACTIVE_ACTIVE", "LB=ROUND_ROBIN, STICKY=60 seconds, room for 64 flows", "HEALTH=5 seconds, FAILOVER=3 misses, HOLD=2 seconds, TARGET=10.0.2.2",
        "0 times another card took over", " frames of known ones, 60 of new ones, 0 left their card"] {
        steps.prints("PKTCTL bond", part)?;
    }
    steps.holds(steps.first("PKTCTL bond health")?.text.lines().count() == 2, "`PKTCTL bond health` has the health alone")?;
    steps.prints("PKTCTL bond help", "PKTCTL bond OUT=2")?;
    steps.prints("PKTCTL nics", "bond             several")
}

/// The algorithm is another one at once; so are the other values; what is wrong is refused, and changes nothing.
fn changed(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /LB=ADAPTIVE";
    let changes = ["LB=WEIGHTED", "STICKY=3", "FAILOVER=9", "HEALTH=2", "HOLD=0", "TARGET=10.0.2.2"];
    let wrong = [("LB=FAST", 2), ("STICKY=2", 2), ("HEALTH=61", 2), ("TARGET=10.0.0", 2), ("OUT=3", 3), ("OUT=17", 2), ("WHAT", 2), ("WHAT=1", 2)];
    let commands: Vec<String> = changes.iter().copied().chain(wrong.iter().map(|(word, _)| *word)).map(|word| format!("PKTCTL bond {word}")).collect();
    let mut script = vec![line];
    script.extend(commands.iter().map(String::as_str));
    script.extend(["PKTCTL bond", "FLOWS", "PKTCTL bond TARGET=NONE", "PKTCTL bond health", "3COMPKT /U"]);
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |_, _| {})?;
    for (number, command) in commands.iter().enumerate() {
        steps.exits(command, number.checked_sub(changes.len()).map_or(0, |number| wrong[number].1))?;
    }
    for line in [line, "FLOWS", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    steps.prints("PKTCTL bond LB=FAST", "PKTCTL: LB=FAST: not a value that this name takes. PKTCTL bond help lists what there is.")?;
    steps.prints("PKTCTL bond OUT=3", "PKTCTL: OUT=3: the bond has no such card.")?;
    steps.prints("PKTCTL bond", "LB=WEIGHTED, STICKY=3 seconds, ")?;
    steps.prints("PKTCTL bond", "HEALTH=2 seconds, FAILOVER=9 misses, HOLD=0 seconds, TARGET=10.0.2.2")?;
    steps.prints("PKTCTL bond health", "TARGET=NONE")?;
    until(|| by_nic(&peers).iter().sum::<usize>() == FLOWS);
    let shares = by_nic(&peers);
    steps.holds(shares == [54, 6], format!("the shares are by weight, 1000 to 100 Mbit/s: {shares:?}"))
}

/// A card is taken out: another one receives and sends at once. The last one cannot be taken out. Put back, the first one takes over
/// again.
fn out_and_in(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139", "e1000"])?;
    let line = "3COMPKT /MODE=STANDBY";
    let script = [line, "INTEGRIT 24", "PKTCTL bond OUT=1", "pause", "INTEGRIT 25", "PKTCTL bond", "PKTCTL bond OUT=3", "PKTCTL bond OUT=2", "PKTCTL bond IN=1", "pause", "PKTCTL bond nics",
        "INTEGRIT 26", "PKTCTL bond LB=HASH", "3COMPKT /U"];
    let mut pauses = 0;
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |said, monitor| {
        if said == "[pause]" {
            pauses += 1;
            // It announces three times that it is the one now.
            until(|| if pauses == 1 { announced(&peers[1]) == 3 } else { announced(&peers[0]) == 3 });
            let _ = monitor.resume();
        }
    })?;
    for (line, code) in [(line, 0), ("INTEGRIT 24", 0), ("PKTCTL bond OUT=1", 0), ("INTEGRIT 25", 0), ("PKTCTL bond OUT=3", 0), ("PKTCTL bond OUT=2", 3), ("PKTCTL bond IN=1", 0), ("INTEGRIT 26", 0), ("PKTCTL bond LB=HASH", 3), ("3COMPKT /U", 0)] {
        steps.exits(line, code)?;
    }
    let states = |command: &str| -> Result<Vec<String>, String> {
        let text = &steps.first(command)?.text;
        let rows = text.lines().filter(|line| line.contains("PCI "));
        Ok(rows.map(|row| row.get(24..43).unwrap_or("").trim().to_string()).collect())
    };
    let (out, back) = (states("PKTCTL bond")?, states("PKTCTL bond nics")?);
    steps.holds(out == ["taken out", "active", "stands by"], format!("the states: {out:?}"))?;
    steps.holds(back == ["active", "stands by", "taken out"], format!("the states then: {back:?}"))?;
    steps.prints("PKTCTL bond", "1 times another card took over")?;
    steps.prints("PKTCTL bond OUT=2", "PKTCTL: OUT=2: no other card can be used now.")?;
    steps.prints("PKTCTL bond LB=HASH", "with /MODE=STANDBY one card sends, and there are no flows to share")
}

/// A program's routine chooses the third NIC for each new flow.
fn chosen(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139", "e1000"])?;
    let line = "3COMPKT /LB=ROUND_ROBIN";
    let script = [line, "FLOWS", "CHOOSE2", "FLOWS2", "FLOWS", "ASKED", "PKTCTL bond policy", "INTEGRIT 24"];
    let steps = run(&rig, &lab.job(&[], &script)?, &mut |_, _| {})?;
    for line in [line, "FLOWS", "FLOWS2", "INTEGRIT 24"] {
        steps.exits(line, 0)?;
    }
    until(|| by_nic(&peers).iter().sum::<usize>() == 3 * FLOWS);
    // Flows that were known keep their NIC.
    let shares = by_nic(&peers);
    steps.holds(shares == [40, 40, 40 + FLOWS], format!("the new flows go by the third NIC: {shares:?}"))?;
    steps.prints("ASKED", "[asked 60]")?;
    steps.prints("PKTCTL bond policy", "; a program chooses first")
}

/// One that names a NIC that does not exist is not asked again, and the driver chooses.
fn wrongly_chosen(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "rtl8139"])?;
    let line = "3COMPKT /LB=ROUND_ROBIN";
    let steps = run(&rig, &lab.job(&[], &[line, "CHOOSE9", "FLOWS", "ASKED", "PKTCTL bond policy"])?, &mut |_, _| {})?;
    steps.exits("FLOWS", 0)?;
    until(|| by_nic(&peers).iter().sum::<usize>() == FLOWS);
    let shares = by_nic(&peers);
    steps.holds(shares == [30, 30], format!("the shares are the driver's: {shares:?}"))?;
    steps.prints("ASKED", "[asked 1]")?;
    steps.holds(!steps.first("PKTCTL bond policy")?.text.contains("chooses first"), "it is forgotten")
}

/// The live screen shows which NIC sends; when its cable is pulled, the other one.
fn watched(lab: &Lab) -> Verdict {
    let (mut rig, peers) = machine(&["e1000", "rtl8139"])?;
    rig.extra.extend(["-device".into(), "isa-vga".into()]);
    let line = "PKTCTL bond --watch";
    let report = rig.run_with(&lab.job(&[], &["3COMPKT /MODE=STANDBY", line, "3COMPKT /U"])?, &mut |said, monitor| {
        if said != format!("> {line}") {
            return Ok(());
        }
        watch::until(monitor, ROWS, "the first NIC as the active one", &|rows| rows[2].starts_with("  1  PCI 00:02.0  active ") && rows[6].contains(" stands by "))?;
        let begun = Instant::now();
        let (mut number, mut bar) = (0, false);
        while !bar && begun.elapsed() < Duration::from_secs(60) {
            peers[0].send(unasked(number, 100));
            number += 1;
            sleep(Duration::from_millis(20));
            bar = watch::screen(monitor, ROWS)?[4].contains('\u{DB}');
        }
        if !bar {
            return Err(fail("no bar shows that the first NIC receives"));
        }
        monitor.set_link("n0", false)?;
        watch::until(monitor, ROWS, "the second NIC as the active one", &|rows| rows[2].contains(" no link ") && rows[6].contains(" active ") && rows[0].contains("moves     1"))?;
        watch::press(monitor, "esc")
    });
    let steps = report.map(Steps::of).map_err(|error| error.to_string())?;
    steps.exits(line, 0)?;
    steps.exits("3COMPKT /U", 0)
}

/// Without a bond a line says so.
fn none(lab: &Lab) -> Verdict {
    let (rig, _peers) = machine(&["e1000"])?;
    let steps = run(&rig, &lab.job(&[], &["PKTCTL bond", "3COMPKT", "PKTCTL bond OUT=1"])?, &mut |_, _| {})?;
    steps.exits("PKTCTL bond", 3)?;
    steps.prints("PKTCTL bond", "No packet driver on INT 20h to FFh.")?;
    steps.exits("PKTCTL bond OUT=1", 3)?;
    steps.prints("PKTCTL bond OUT=1", "There is no bond. Load one, for example: 3COMPKT /MODE=STANDBY")
}
