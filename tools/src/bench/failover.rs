//! `tools/bench --failover`: the time from a card's lost link to the first frame by the other card.
//!
//! The machine's clock counts its instructions (`-icount`), and QEMU's captures have the times of that clock. POUR sends a frame in
//! each millisecond. A pulled cable ends the frames in its card's capture at once, so the time between the last one there
//! and the first one of the same flows in the other card's capture is the time of the failover, and at most one such interval more.
//! When the host pulls the cable, the timer's next tick may be near or far: the longest of several times is printed.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::LIMIT;
use crate::nics::NICS;
use crate::pack;
use crate::peer::pcap;
use crate::rig::Job;
use crate::rig::qemu::{Net, Nic, Qemu};
use crate::setup::fail;
use crate::suite::machine::{Lab, fixture};

/// The modes.
const MODES: [&str; 4] = ["STANDBY", "ACTIVE_ACTIVE", "TRUNK", "LACP"];
/// Cards of QEMU's own that notice their cables, and the longest time for each in milliseconds: those that interrupt for the link,
/// and one whose link is read at the timer's tick.
const CARDS: [(&str, u32); 6] = [("e1000", 20), ("e1000e", 20), ("rtl8139", 20), ("virtio_net", 20), ("vmxnet3", 20), ("pcnet", 100)];
/// How often a cable is pulled.
const ROUNDS: u8 = 3;
/// Time on the host between POUR's line and the cable, so that the tick is not always as near.
const WHILE: [u64; 3] = [0, 7, 13];
/// Time on the host between the cable and POUR's key.
const APART: Duration = Duration::from_millis(200);
/// Places in POUR's frames: the port of the sender, the round, and whether a cable may be pulled.
const PORT: usize = 34;
const ROUND: usize = 42;
const PULLED: usize = 43;
/// The station that POUR sends to.
const TO: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// A frame of POUR's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    at: Duration,
    flow: [u8; 2],
    round: u8,
    pulled: bool,
}

/// The frames of POUR's in a capture.
fn sent(path: &Path) -> io::Result<Vec<Sent>> {
    let frames = pcap::read(path)?.into_iter().filter(|frame| frame.bytes.len() > PULLED && frame.bytes[..6] == TO);
    Ok(frames.map(|frame| Sent { at: frame.at, flow: [frame.bytes[PORT], frame.bytes[PORT + 1]], round: frame.bytes[ROUND], pulled: frame.bytes[PULLED] == 1 }).collect())
}

/// The time of a round in which the cable of the first of two cards was pulled. None: this card did not send, or no frame of its flows
/// went by the other one.
fn time(round: u8, card: &[Sent], other: &[Sent]) -> Option<Duration> {
    let end = card.iter().chain(other).filter(|frame| frame.round == round && frame.pulled).map(|frame| frame.at).max()?;
    let of_round = |frame: &&Sent| frame.round == round && frame.at <= end;
    let here: Vec<&Sent> = card.iter().filter(of_round).collect();
    let last = here.last()?.at;
    let flows: BTreeSet<[u8; 2]> = here.iter().map(|frame| frame.flow).collect();
    let next = other.iter().filter(of_round).find(|frame| frame.at > last && flows.contains(&frame.flow))?;
    Some(next.at - last)
}

/// The card whose cable is pulled in a round: the first one; with LACP without a partner the one that carries may be any.
fn pulled(mode: &str, round: u8) -> usize {
    if mode == "LACP" { usize::from(round - 1) % 2 } else { 0 }
}

/// The times of all rounds.
fn measured(name: &str, mode: &str) -> io::Result<Vec<Duration>> {
    let nic = NICS.iter().find(|nic| nic.name == name).ok_or_else(|| fail("there is no such NIC"))?;
    let cards = (0..2).map(|hub| Nic { device: super::device(nic).into(), net: Net::Hub(hub) }).collect();
    let load = format!("3COMPKT /MODE={mode}");
    let mut files = pack::files()?;
    files.push(("POUR.COM".into(), fixture("pour", &[&format!("ROUNDS={ROUNDS}")])?));
    let job = Job { files, exec: vec![load.clone(), "POUR".into()], limit: LIMIT, capture: true, ..Job::default() };
    let rig = Lab::new(0).apart(&Qemu { nics: cards, icount: true, ..Qemu::default() }, &job);
    let mut round = 0;
    let report = rig.run_with(&job, &mut |line, monitor| {
        if line == "[pull]" {
            round += 1;
            sleep(Duration::from_millis(WHILE[usize::from(round) % WHILE.len()]));
        }
        if line == "[pull]" || line == "[plug]" {
            monitor.set_link(&format!("n{}", pulled(mode, round)), line == "[plug]")?;
            // The key comes when the frames go by the other card: its interrupt takes time.
            sleep(APART);
            monitor.resume()?;
        }
        Ok(())
    })?;
    let captures = report.pcap.iter().flat_map(|first| [first.clone(), first.with_extension("1.pcap")]);
    let mut frames = Vec::new();
    for capture in captures {
        frames.push(sent(&capture)?);
        let _ = std::fs::remove_file(capture);
    }
    if round != ROUNDS || frames.len() != 2 || !report.output.contains(" refused 0000000000]") {
        return Err(fail(format!("POUR did not send all frames:\n{}", report.output)));
    }
    let of = |round: u8| {
        let card = pulled(mode, round);
        time(round, &frames[card], &frames[1 - card])
    };
    Ok((1..=ROUNDS).filter_map(of).collect())
}

/// Measures and prints the table, of one card if `only` names it.
///
/// # Errors
/// A driver does not load, or refuses a frame.
pub fn run(only: Option<&str>) -> io::Result<()> {
    println!("Milliseconds of the machine's clock from a lost link to the first frame by the other card, the longest of {ROUNDS} times");
    println!("{:<12}{}{:>9}", "NIC", MODES.map(|mode| format!("{mode:>15}")).concat(), "limit");
    for (name, limit) in CARDS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        print!("{name:<12}");
        for mode in MODES {
            let times = measured(name, mode)?;
            eprintln!("{name} {mode} {times:?}");
            let longest = times.into_iter().max().map_or("-".into(), |time| format!("{:.1}", time.as_secs_f64() * 1000.0));
            print!("{longest:>15}");
            io::stdout().flush()?;
        }
        println!("{limit:>9}");
    }
    println!("No call of send_pkt returned an error. A frame was sent each millisecond. LACP without a partner: the card that carries was pulled.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_a_flow_that_has_moved() {
        let frame = |ms: u64, flow: u8, round: u8, pulled: bool| Sent { at: Duration::from_millis(ms), flow: [0, flow], round, pulled };
        let card = [frame(1, 1, 1, false), frame(2, 1, 1, true), frame(3, 2, 1, true), frame(90, 1, 1, false), frame(95, 1, 2, true)];
        // Flow 3 has always gone by the other card.
        let other = [frame(2, 3, 1, true), frame(4, 3, 1, true), frame(8, 2, 1, true), frame(9, 1, 1, true)];
        assert_eq!(time(1, &card, &other), Some(Duration::from_millis(5)));
        // The cable was pulled before the first frame that says so.
        assert_eq!(time(1, &card[..1], &other), Some(Duration::from_millis(8)));
        assert_eq!(time(2, &card, &other), None);
        assert_eq!(time(1, &[], &other), None);
    }
}
