//! Reads the output of BENCH and PKTCTL, and makes the tables.

use std::collections::BTreeMap;
use std::io;

use super::{BURST, Waiting};
use super::registers::Accesses;
use crate::setup::fail;

/// Instructions for a frame of 60 and of 1,514 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Sending: the call, and the interrupts that it causes.
    pub send: [u32; 2],
    /// Receiving: from the interrupt to the second upcall.
    pub receive: [u32; 2],
    /// Receiving, up to the interrupt's end.
    pub whole: [u32; 2],
}

/// The cost of a burst: frames that are in the card before its interrupt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    /// Instructions for each.
    pub whole: u32,
    /// Interrupts for all.
    pub interrupts: u32,
}

/// A driver on a NIC: a row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The text in the first column.
    pub name: String,
    /// Its resident blocks, if it reports them.
    pub blocks: Vec<(String, u32)>,
    /// Bytes that DOS reserves for it, with XMS.
    pub resident: u32,
    /// The same without XMS, if that differs.
    pub without_xms: Option<u32>,
    /// Milliseconds of the machine's time from the command to the prompt.
    pub ready: Option<u32>,
    /// Instructions.
    pub cost: Cost,
    /// Instructions in the longest time with interrupts off, in a flood of frames of 60 and of 1,514 bytes.
    pub closed: [u32; 2],
    /// Instructions in a burst, if measured.
    pub burst: Option<Burst>,
    /// Register accesses, if counted.
    pub accesses: Option<Accesses>,
}

/// The blocks in conventional memory that `PKTCTL mem` prints.
///
/// # Errors
/// It prints none, or they do not add up to its last line.
pub fn blocks(text: &str) -> io::Result<Vec<(String, u32)>> {
    let mut blocks: Vec<(String, u32)> = Vec::new();
    for line in text.lines() {
        let Some((number, rest)) = line.trim_start().split_once(' ') else { continue };
        let Ok(bytes) = number.parse::<u32>() else { continue };
        let name = rest.trim_end_matches('#').trim();
        if name == "all" {
            let sum: u32 = blocks.iter().map(|block| block.1).sum();
            return if sum == bytes { Ok(blocks) } else { Err(fail(format!("the blocks do not add up:\n{text}"))) };
        }
        blocks.push((name.into(), bytes));
    }
    Err(fail(format!("no memory map:\n{text}")))
}

/// The figures of BENCH; none if one is missing.
pub fn cost(text: &str) -> Option<Cost> {
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let [what @ ("send" | "receive"), length, first, second] = words[..] {
            let number = |word: &str| word.parse::<u32>().ok();
            lines.insert((what.to_string(), number(length)?), (number(first)?, number(second)?));
        }
    }
    let mut cost = Cost::default();
    for (column, length) in [60, 1514].into_iter().enumerate() {
        let (call, interrupts) = *lines.get(&("send".to_string(), length))?;
        let (delivered, whole) = *lines.get(&("receive".to_string(), length))?;
        cost.send[column] = call + interrupts;
        cost.receive[column] = delivered;
        cost.whole[column] = whole;
    }
    Some(cost)
}

/// The figures of a burst of BENCH's.
pub fn burst(text: &str) -> Option<Burst> {
    let words: Vec<&str> = text.lines().find_map(|line| line.strip_prefix("burst "))?.split(' ').collect();
    let [_, whole, interrupts] = words[..] else { return None };
    Some(Burst { whole: whole.parse().ok()?, interrupts: interrupts.parse().ok()? })
}

/// The longest times with interrupts off that BENCH prints.
pub fn closed(text: &str) -> Option<[u32; 2]> {
    let longest = |length: u32| text.lines().find_map(|line| line.strip_prefix(&format!("closed {length} "))?.parse().ok());
    Some([longest(60)?, longest(1514)?])
}

/// The figures of frames that wait.
pub fn waiting(text: &str) -> Option<[Waiting; 2]> {
    let numbers = |what: &str| -> Vec<(u32, u32)> {
        let pair = |line: &str| line.strip_prefix(what)?.strip_prefix(' ')?.split_once(' ').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        text.lines().filter_map(pair).collect()
    };
    let both = numbers("kept").into_iter().zip(numbers("offered"));
    let rows: Vec<Waiting> = both.map(|((frames, kept), (_, offered))| Waiting { frames, kept, offered }).collect();
    rows.try_into().ok()
}

/// The tables.
pub fn text(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(10) + 2;
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.blocks) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut text = String::from("Resident bytes by DEVICE=, 8 handles, real mode (a peer's: of its memory block, from the prompt)\n");
    text.push_str(&format!("{:<width$}", "NIC"));
    for name in &names {
        text.push_str(&format!("{name:>12}"));
    }
    text.push_str(&format!("{:>12}{:>14}\n", "all", "without XMS"));
    for row in rows {
        text.push_str(&format!("{:<width$}", row.name));
        for name in &names {
            let size = row.blocks.iter().find(|block| block.0 == *name);
            text.push_str(&format!("{:>12}", size.map_or("-".into(), |size| size.1.to_string())));
        }
        let without = row.without_xms.map_or("-".into(), |bytes| bytes.to_string());
        text.push_str(&format!("{:>12}{without:>14}\n", row.resident));
    }
    text.push_str("\nInstructions for a frame of 60 / 1514 bytes, the client's own taken off\n");
    let columns = ["send", "receive", "whole interrupt", "ready after"];
    text.push_str(&format!("{:<width$}{:>16}{:>16}{:>18}{:>14}\n", "NIC", columns[0], columns[1], columns[2], columns[3]));
    let pair = |pair: [u32; 2]| format!("{} / {}", pair[0], pair[1]);
    for row in rows {
        let Cost { send, receive, whole } = row.cost;
        let ready = row.ready.map_or("-".into(), |ms| format!("{ms} ms"));
        text.push_str(&format!("{:<width$}{:>16}{:>16}{:>18}{ready:>14}\n", row.name, pair(send), pair(receive), pair(whole)));
    }
    text.push_str(&in_bursts(rows, width));
    text.push_str("\nLongest time with interrupts off while frames of 60 / 1514 bytes come without a pause, in instructions\n");
    for row in rows {
        text.push_str(&format!("{:<width$}{:>16}\n", row.name, pair(row.closed)));
    }
    text.push_str("send: the call of send_pkt and its interrupts. receive: from the interrupt to the second upcall.\nready: from the command to the prompt, in the machine's own time.\n");
    text
}

/// Register accesses, and bursts.
fn in_bursts(rows: &[Row], width: usize) -> String {
    let mut text = format!("\nFrames of 60 bytes, one at a time and in bursts of {BURST}: register accesses for each frame, and the burst's cost\n");
    let columns = ["send", "receive", "in a burst", "instructions", "interrupts"];
    text.push_str(&format!("{:<width$}", "NIC"));
    columns.iter().for_each(|column| text.push_str(&format!("{column:>14}")));
    text.push('\n');
    for row in rows {
        text.push_str(&format!("{:<width$}", row.name));
        let accesses = row.accesses.map_or(["-", "-", "-"].map(String::from), |counts| counts.per_frame().map(|count| format!("{count:.2}")));
        let burst = row.burst.map_or(["-", "-"].map(String::from), |burst| [burst.whole.to_string(), burst.interrupts.to_string()]);
        accesses.iter().chain(&burst).for_each(|cell| text.push_str(&format!("{cell:>14}")));
        text.push('\n');
    }
    text
}

/// Bytes of each resident unit, and what they would be without the optional rules of `tools/src/narrow`.
pub fn sizes(narrow: &[(String, u16)], wide: &[(String, u16)]) -> String {
    let mut text = format!("Bytes of resident units, and of the same without the rules of tools/build --rules\n{:<12}{:>8}{:>8}\n", "unit", "narrow", "wide");
    let row = |name: &str, narrow: u32, wide: u32| format!("{name:<12}{narrow:>8}{wide:>8}\n");
    let (mut all, mut all_wide) = (0, 0);
    for (name, bytes) in narrow {
        let bytes = u32::from(*bytes);
        let other = wide.iter().find(|(other, _)| other == name).map_or(0, |(_, bytes)| u32::from(*bytes));
        text.push_str(&row(name, bytes, other));
        (all, all_wide) = (all + bytes, all_wide + other);
    }
    text + &row("all", all, all_wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_map_is_read_and_added_up() {
        let map = "3COMPKT at segment 03E8h, conventional memory:\n     3540  core        ####\n       36  NIC state   #\n     3576  all\nand in XMS:\n    64 KB  DMA rings \n";
        assert_eq!(blocks(map).unwrap(), [("core".into(), 3540), ("NIC state".into(), 36)]);
        assert!(blocks(&map.replace("3576", "3577")).is_err());
        assert!(blocks("No packet driver").is_err());
    }

    #[test]
    fn figures_are_read_and_none_may_be_missing() {
        let text = "send 60 300 40\nreceive 60 500 700\nsend 1514 1000 40\nreceive 1514 1300 1500";
        let cost = cost(text).unwrap();
        assert_eq!(cost, Cost { send: [340, 1040], receive: [500, 1300], whole: [700, 1500] });
        assert_eq!(super::cost(text.split_once('\n').unwrap().1), None);
        assert_eq!(super::cost("FAIL frame 0 of 60 bytes was not sent"), None);
    }

    #[test]
    fn the_longest_times_are_read_and_none_may_be_missing() {
        assert_eq!(closed("burst 60 1 1\nclosed 60 12\nclosed 1514 345\n"), Some([12, 345]));
        assert_eq!(closed("closed 60 12\nFAIL flood of 1514 bytes"), None);
    }

    #[test]
    fn both_sizes_of_a_unit_stand_beside_each_other() {
        let sizes = |core: u16| [("core".to_string(), core), ("flat".to_string(), 9)];
        let text = sizes_text(&sizes(5), &sizes(7));
        assert_eq!(text[2..], [vec!["core", "5", "7"], vec!["flat", "9", "9"], vec!["all", "14", "16"]]);
    }

    fn sizes_text(narrow: &[(String, u16)], wide: &[(String, u16)]) -> Vec<Vec<String>> {
        sizes(narrow, wide).lines().map(|line| line.split_whitespace().map(str::to_string).collect()).collect()
    }

    #[test]
    fn a_peer_stands_beside_with_what_is_known_of_it() {
        let ours = Row { name: "x".into(), blocks: vec![("core".into(), 9)], resident: 9, ..Row::default() };
        let peer = Row { name: "x (PEER.COM)".into(), resident: 4656, cost: Cost { send: [1, 2], ..Cost::default() }, closed: [3, 4], ..Row::default() };
        let text = text(&[ours, peer]);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2], ["x", "9", "9", "-"]);
        assert_eq!(lines[3], ["x", "(PEER.COM)", "-", "4656", "-"]);
        assert_eq!(lines[8][..5], ["x", "(PEER.COM)", "1", "/", "2"]);
        assert!(lines.contains(&vec!["x", "(PEER.COM)", "3", "/", "4"]));
    }
}
