//! Linux's own drivers judge our models of the 3Com cards: ping of every kind of length, 300 KB in both directions, no
//! complaint from the model, nothing bad in the kernel's log or counters.

use std::fmt::Write;
use tools::rig::linux::{Linux, Verdict, crc32};

/// Data bytes of the pings: a shortest frame, odd ones, around multiples of four, a longest frame.
const PINGS: [u32; 9] = [1, 18, 56, 57, 63, 511, 1000, 1471, 1472];
/// Words that the kernel prints when a driver meets trouble.
const TROUBLE: [&str; 14] = [
    "WARNING", "BUG", "Oops", "rror", "timed out", "Infinite loop", "INVALID", "Too much work", "did not complete", "nobody cared",
    "Bogus", "FAILED", "No MII", "broken",
];
/// Lines of every boot in this machine that hold such a word and have nothing to do with a card.
const HARMLESS: [&str; 3] = ["Warning: Processor Platform Limit", "i8042: ", "RAS: Correctable Errors collector"];

/// 300 KB that repeat nowhere.
fn file() -> Vec<u8> {
    let step = |seed: &mut u32| {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*seed >> 24) as u8)
    };
    std::iter::repeat_n((), 300 * 1024).scan(7u32, |seed, ()| step(seed)).collect()
}

/// The script for `count` cards: each gets its address, pings and downloads; the first uploads.
fn script(count: usize) -> String {
    let mut text = String::new();
    for card in 0..count {
        let net = 2 + card;
        writeln!(text, "ip link set eth{card} up && ip addr add 10.0.{net}.15/24 dev eth{card}").unwrap();
    }
    // Media selection of some cards takes a few seconds.
    text.push_str("sleep 1\n");
    for card in 0..count {
        let net = 2 + card;
        writeln!(text, "ping -c 1 -w 20 10.0.{net}.2 >/dev/null").unwrap();
        for size in PINGS {
            writeln!(text, "ping -q -c 2 -w 6 -i 0.05 -s {size} 10.0.{net}.2 | grep -q ' 0% packet loss' && echo PING eth{card} {size}").unwrap();
        }
        writeln!(text, "tftp -g -l /got{card} -r file -b 1468 10.0.{net}.2 && echo CRC eth{card} $(crc32 /got{card})").unwrap();
    }
    text.push_str("nc 10.0.2.100 7000 < /got0 & sleep 2; kill $!\n");
    for card in 0..count {
        writeln!(text, "echo COUNTS eth{card} $(cat /sys/class/net/eth{card}/statistics/[rt]x_errors)").unwrap();
    }
    text.push_str("cat /proc/net/dev");
    text
}

/// Runs it and holds it against what is due. `excused`: a complaint that is Linux's fault.
fn judge(cards: &[&str], modules: &[&str], excused: &str) -> Verdict {
    let file = file();
    let linux = Linux {
        cards: cards.iter().map(|card| card.to_string()).collect(),
        modules: modules.iter().map(|module| module.to_string()).collect(),
        kernel: String::new(),
        script: script(cards.len()),
        file: file.clone(),
    };
    let verdict = linux.run().unwrap_or_else(|error| panic!("{error}"));
    let console = &verdict.console;
    let complaints: Vec<&String> = verdict.complaints.iter().filter(|line| excused.is_empty() || !line.contains(excused)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}\n{console}");
    for card in 0..cards.len() {
        for size in PINGS {
            assert!(console.contains(&format!("PING eth{card} {size}\n")), "no ping of {size} bytes on eth{card}:\n{console}");
        }
        let sum = format!("CRC eth{card} {:08x}", crc32(&file));
        assert!(console.contains(&sum), "download on eth{card}, not {sum}{console}");
        assert!(console.contains(&format!("COUNTS eth{card} 0 0\n")), "errors counted on eth{card}:\n{console}");
    }
    assert!(verdict.received == file, "{} bytes of upload, or wrong ones:\n{console}", verdict.received.len());
    for line in console.lines() {
        let harmless = HARMLESS.iter().any(|known| line.contains(known));
        assert!(harmless || !TROUBLE.iter().any(|word| line.contains(word)), "the kernel says: {line}\n{console}");
    }
    verdict
}

/// The 3C509B where Linux's ISA PnP core finds it and gives it its resources.
#[test]
fn el3_by_isa_pnp() {
    let verdict = judge(&["el3,mac=52:54:00:12:34:56"], &["3c509"], "");
    assert!(verdict.console.contains("isapnp: 1 Plug & Play card detected total"), "{}", verdict.console);
}

/// The 3C509B by its ID port, at the port and line of its EEPROM.
#[test]
fn el3_by_id_port() {
    let verdict = judge(&["el3,mac=52:54:00:12:34:56,iobase=0x320,irq=5,pnp=off"], &["3c509"], "");
    assert!(verdict.console.contains("3c5x9 found at 0x320, 10baseT port, address 52:54:00:12:34:56, IRQ 5"), "{}", verdict.console);
}

/// Two 3C509B: the one with the lower address wins each contention at the ID port.
#[test]
fn two_el3_contend_for_the_id_port() {
    let cards = ["el3,mac=52:54:00:12:34:56,iobase=0x320,irq=5,pnp=off", "el3,mac=52:54:00:12:34:57,iobase=0x300,irq=10,pnp=off"];
    let verdict = judge(&cards, &["3c509"], "");
    let at = |text: &str| verdict.console.find(text).unwrap_or_else(|| panic!("no {text}:\n{}", verdict.console));
    assert!(at("found at 0x320, 10baseT port, address 52:54:00:12:34:56") < at("found at 0x300, 10baseT port, address 52:54:00:12:34:57"));
}

/// The 3C515 by programmed I/O: what Linux does with a card whose EEPROM says 11C7h.
#[test]
fn corkscrew_by_programmed_io() {
    let verdict = judge(&["corkscrew,mac=52:54:00:12:34:56"], &["3c515"], "");
    assert!(verdict.console.contains("3Com 3c515 at"), "{}", verdict.console);
}

/// The 3C515 by its list engines, which the EEPROM must offer first. Linux asks for no memory below 16 MB, so that on
/// a real ISA bus this would fail; QEMU lets it pass.
#[test]
fn corkscrew_by_lists() {
    judge(&["corkscrew,mac=52:54:00:12:34:56,lists=on"], &["3c515"], "beyond the ISA bus");
}

/// The 3C900 and the 3C905: lists, and a PHY on the second.
#[test]
fn boomerang() {
    judge(&["boomerang-3c900,mac=52:54:00:12:34:56", "boomerang-3c905,mac=52:54:00:12:34:57"], &["mii", "3c59x"], "");
}

/// The 3C905B and the 3C905C: lists, autonegotiation, checksums by the card.
#[test]
fn cyclone_and_tornado() {
    judge(&["cyclone-3c905b,mac=52:54:00:12:34:56", "tornado-3c905c,mac=52:54:00:12:34:57"], &["mii", "3c59x"], "");
}
