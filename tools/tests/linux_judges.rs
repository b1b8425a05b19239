//! Linux's own drivers test the models of cards: pings of many lengths, 300 KB in both directions, no complaint of the
//! model, no error in the kernel's log or counters.

#[path = "linux_judges/lacp.rs"]
mod lacp;
#[path = "linux_judges/tg3.rs"]
mod tg3;

use std::fmt::Write;
use tools::peer::ip::sum;
use tools::rig::linux::{Linux, Verdict, crc32};

/// Data bytes of the pings: the shortest frame, odd lengths, around multiples of four, the longest frame.
const PINGS: [u32; 9] = [1, 18, 56, 57, 63, 511, 1000, 1471, 1472];
/// Words in the kernel's log that show a driver's trouble.
const TROUBLE: [&str; 14] = [
    "WARNING", "BUG", "Oops", "rror", "timed out", "Infinite loop", "INVALID", "Too much work", "did not complete", "nobody cared",
    "Bogus", "FAILED", "No MII", "broken",
];
/// Lines with such words that every boot of this machine prints, without a relation to the card.
const HARMLESS: [&str; 5] = [
    "Warning: Processor Platform Limit", "i8042: ", "RAS: Correctable Errors collector", "Direct firmware load for rtl_nic/",
    "Direct firmware load for tigon/",
];

/// 300 KB without a repetition.
fn file() -> Vec<u8> {
    let step = |seed: &mut u32| {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*seed >> 24) as u8)
    };
    std::iter::repeat_n((), 300 * 1024).scan(7u32, |seed, ()| step(seed)).collect()
}

/// The script for `count` cards: each gets its address, pings, and downloads; the first one uploads.
fn script(count: usize) -> String {
    let mut text = String::new();
    for card in 0..count {
        let net = 2 + card;
        writeln!(text, "ip link set eth{card} up && ip addr add 10.0.{net}.15/24 dev eth{card}").unwrap();
    }
    for card in 0..count {
        let net = 2 + card;
        // Some cards need a few seconds to select their media.
        writeln!(text, "until ping -c 1 -W 5 10.0.{net}.2 >/dev/null; do true; done").unwrap();
        for size in PINGS {
            writeln!(text, "again 'ping {size}' pings {size} 10.0.{net}.2 && echo PING eth{card} {size}").unwrap();
        }
        writeln!(text, "again download tftp -g -l /got{card} -r file -b 1468 10.0.{net}.2 && echo CRC eth{card} $(crc32 /got{card})").unwrap();
    }
    text.push_str("upload /got0\n");
    for card in 0..count {
        writeln!(text, "echo COUNTS eth{card} $(cat /sys/class/net/eth{card}/statistics/[rt]x_errors)").unwrap();
    }
    // In capitals, because the counters' names contain such words.
    text.push_str("grep Icmp: /proc/net/snmp | tr a-z A-Z; cat /proc/net/dev");
    text
}

/// Runs a machine, and prints what was repeated.
fn run(linux: &Linux) -> Verdict {
    let verdict = linux.run().unwrap_or_else(|error| panic!("{error}"));
    println!("{} tries again", verdict.retries);
    verdict
}

/// Packets that were sent again had been lost, not damaged: neither Linux nor the echoes on the first card's cable show a wrong
/// checksum.
fn undamaged(verdict: &Verdict) {
    // A line of names and one of values.
    let lines: Vec<Vec<&str>> = verdict.console.lines().filter(|line| line.starts_with("ICMP: ")).map(|line| line.split(' ').collect()).collect();
    let [names, values] = &lines[..] else { panic!("no counters of ICMP:\n{}", verdict.console) };
    let place = names.iter().position(|name| *name == "INCSUMERRORS").expect("Linux counts wrong checksums");
    assert_eq!(values[place], "0", "echoes with a wrong checksum:\n{}", verdict.console);
    let echoes = verdict.frames.iter().filter(|frame| frame.get(12..14) == Some(&[8, 0]) && frame.get(23) == Some(&1));
    let mut count = 0;
    for frame in echoes {
        let end = 14 + u16::from_be_bytes([frame[16], frame[17]]) as usize;
        assert_eq!(sum(&frame[34..end]), 0, "an echo of {} bytes is damaged on the cable", frame.len());
        count += 1;
    }
    assert!(count >= 4 * PINGS.len(), "{count} echoes on the cable");
}

/// Runs a machine and checks the results. `excused`: a complaint that is Linux's fault.
fn judge(cards: &[&str], modules: &[&str], excused: &str) -> Verdict {
    judge_with(cards, modules, excused, "")
}

/// The same, with lines for the script that come first.
fn judge_with(cards: &[&str], modules: &[&str], excused: &str, first: &str) -> Verdict {
    judge_by(cards, modules, excused, first, "")
}

/// The same as [`judge`], without message-signalled interrupts.
fn judge_by_line(cards: &[&str], modules: &[&str]) -> Verdict {
    judge_by(cards, modules, "", "", "pci=nomsi")
}

/// The same, with further words for the kernel's command line.
fn judge_by(cards: &[&str], modules: &[&str], excused: &str, first: &str, kernel: &str) -> Verdict {
    let file = file();
    let linux = Linux {
        cards: cards.iter().map(|card| card.to_string()).collect(),
        modules: modules.iter().map(|module| module.to_string()).collect(),
        kernel: kernel.into(),
        script: format!("{first}\n{}", script(cards.len())),
        file: file.clone(),
        ..Linux::default()
    };
    let verdict = run(&linux);
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
    undamaged(&verdict);
    assert!(verdict.received == file, "{} bytes of upload, or wrong ones:\n{console}", verdict.received.len());
    no_trouble(console);
    verdict
}

/// The kernel's log shows no trouble.
fn no_trouble(console: &str) {
    for line in console.lines() {
        let harmless = HARMLESS.iter().any(|known| line.contains(known));
        assert!(harmless || !TROUBLE.iter().any(|word| line.contains(word)), "the kernel says: {line}\n{console}");
    }
}

/// The 3C509B, found and configured by Linux's ISA PnP core.
#[test]
fn el3_by_isa_pnp() {
    let verdict = judge(&["el3,mac=52:54:00:12:34:56"], &["3c509"], "");
    assert!(verdict.console.contains("isapnp: 1 Plug & Play card detected total"), "{}", verdict.console);
}

/// The 3C509B by its ID port, with the port and line of its EEPROM.
#[test]
fn el3_by_id_port() {
    let verdict = judge(&["el3,mac=52:54:00:12:34:56,iobase=0x320,irq=5,pnp=off"], &["3c509"], "");
    assert!(verdict.console.contains("3c5x9 found at 0x320, 10baseT port, address 52:54:00:12:34:56, IRQ 5"), "{}", verdict.console);
}

/// Two 3C509B: the one with the lower address wins each contention at the ID port.
#[test]
fn slow_two_el3_contend_for_the_id_port() {
    let cards = ["el3,mac=52:54:00:12:34:56,iobase=0x320,irq=5,pnp=off", "el3,mac=52:54:00:12:34:57,iobase=0x300,irq=10,pnp=off"];
    let verdict = judge(&cards, &["3c509"], "");
    let at = |text: &str| verdict.console.find(text).unwrap_or_else(|| panic!("no {text}:\n{}", verdict.console));
    assert!(at("found at 0x320, 10baseT port, address 52:54:00:12:34:56") < at("found at 0x300, 10baseT port, address 52:54:00:12:34:57"));
}

/// The 3C515 by programmed I/O, as Linux drives a card whose EEPROM has 11C7h.
#[test]
fn corkscrew_by_programmed_io() {
    let verdict = judge(&["corkscrew,mac=52:54:00:12:34:56"], &["3c515"], "");
    assert!(verdict.console.contains("3Com 3c515 at"), "{}", verdict.console);
}

/// The 3C515 by its list engines, which the EEPROM must offer. For such a card Linux asks for no memory below 16 MB and sets up
/// no DMA channel: on a real ISA bus this would fail, in QEMU it works.
#[test]
fn slow_corkscrew_by_lists() {
    judge(&["corkscrew,mac=52:54:00:12:34:56,lists=unasked"], &["3c515"], "beyond the ISA bus");
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

/// The 3C59x by programmed I/O. Linux 6.1's Vortex driver reports queued frames but not sent ones, so that Linux's queue stops
/// after one frame. So only the packet generator, which bypasses that queue, sends by the card, with random lengths. Pings and
/// the download are received by the card, and their requests sent by another one.
fn judge_vortex(card: &str) {
    const GENERATED: usize = 600;
    let file = file();
    let mut script = String::from(
        "ip link set eth0 arp off up\n\
         M=$(cat /sys/class/net/eth1/address)\n\
         ip link set eth1 address $(cat /sys/class/net/eth0/address)\n\
         ip addr add 10.0.2.15/24 dev eth1; ip link set eth1 up; carrier eth1\n\
         arping -U -c 2 -I eth1 10.0.2.15\n\
         ip link set eth1 down; ip link set eth1 address $M; ip link set eth1 arp off up\n\
         ip neigh add 10.0.2.2 lladdr 52:55:0a:00:02:02 dev eth1; carrier eth1\n",
    );
    for size in PINGS {
        writeln!(script, "again 'ping {size}' pings {size} 10.0.2.2 && echo PING {size}").unwrap();
    }
    script.push_str("again download tftp -g -l /got -r file -b 1468 10.0.2.2 && echo CRC $(crc32 /got)\n");
    script.push_str("P=/proc/net/pktgen; echo add_device eth0 > $P/kpktgend_0\n");
    writeln!(
        script,
        "for c in 'count {GENERATED}' 'min_pkt_size 60' 'max_pkt_size 1514' 'flag TXSIZE_RND' 'flag UDPCSUM' 'delay 0' 'dst 10.0.2.2' \
         'src_min 10.0.2.15' 'src_max 10.0.2.15' 'dst_mac 52:55:0a:00:02:02'; do echo $c > $P/eth0; done"
    )
    .unwrap();
    script.push_str("echo start > $P/pgctrl; grep Result $P/eth0\n");
    script.push_str("echo COUNTS $(cat /sys/class/net/eth0/statistics/[rt]x_errors); cat /proc/net/dev");
    let linux = Linux {
        cards: vec![format!("{card},mac=52:54:00:12:34:56"), "cyclone-3c905b,mac=52:54:00:12:34:57".into()],
        modules: ["mii", "3c59x", "pktgen"].map(String::from).to_vec(),
        kernel: "ipv6.disable=1".into(),
        script,
        file: file.clone(),
        hub: true,
        ..Linux::default()
    };
    let verdict = run(&linux);
    let console = &verdict.console;
    assert!(verdict.complaints.is_empty(), "{:#?}\n{console}", verdict.complaints);
    for size in PINGS {
        assert!(console.contains(&format!("PING {size}\n")), "no ping of {size} bytes:\n{console}");
    }
    assert!(console.contains(&format!("CRC {:08x}", crc32(&file))), "download:\n{console}");
    assert!(console.contains("COUNTS 0 0\n"), "{console}");
    no_trouble(console);
    let received: usize = verdict.frames.iter().filter(|frame| frame[..6] == [0x52, 0x54, 0, 0x12, 0x34, 0x56]).map(Vec::len).sum();
    assert!(received > file.len(), "only {received} bytes came in through the card");
    // The generator's frames: a magic number behind the UDP header, then a counter.
    let made: Vec<&Vec<u8>> = verdict.frames.iter().filter(|frame| frame.get(42..46) == Some(&[0xBE, 0x9B, 0xE9, 0x55])).collect();
    assert_eq!(made.len(), GENERATED, "{console}");
    for (number, frame) in made.into_iter().enumerate() {
        assert_eq!(frame[46..50], (number as u32 + 1).to_be_bytes(), "out of order, or twice");
        assert_eq!(udp_sum(frame), 0xFFFF, "frame {number} of {} bytes is damaged", frame.len());
    }
}

/// The one's complement sum of a UDP datagram in an IPv4 packet without options, pseudo header and checksum included.
fn udp_sum(frame: &[u8]) -> u32 {
    let end = 14 + u16::from_be_bytes([frame[16], frame[17]]) as usize;
    let words = frame[26..end].chunks(2).map(|pair| (pair[0] as u32) << 8 | *pair.get(1).unwrap_or(&0) as u32);
    let mut sum = words.sum::<u32>() + 17 + (end - 34) as u32;
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum
}

/// The 3C590, at 10 Mb/s.
#[test]
fn slow_vortex_3c590() {
    judge_vortex("vortex-3c590");
}

/// The 3C595, at 100 Mb/s.
#[test]
fn vortex_3c595() {
    judge_vortex("vortex-3c595");
}

/// Faults from the device's property appear in Linux's counters, and it recovers. One echo at a time: on a busy host the card
/// would have further overruns.
#[test]
fn faults_reach_linux_and_it_recovers() {
    let script = "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; carrier eth0\n\
                  for n in $(seq 20); do ping -q -c 1 -W 1 10.0.2.2; done\n\
                  for n in $(seq 5); do again recovery ping -q -c 1 -W 5 10.0.2.2 && echo RECOVERED $n; done\n\
                  echo COUNTS $(cat /sys/class/net/eth0/statistics/rx_crc_errors /sys/class/net/eth0/statistics/rx_over_errors \
                  /sys/class/net/eth0/statistics/tx_aborted_errors)";
    let card = "el3,mac=52:54:00:12:34:56,fault=rx-crc@3+rx-overrun@5+tx-underrun@9+jabber@13+max-collisions@16";
    let linux = Linux {
        cards: vec![card.into()],
        modules: vec!["3c509".into()],
        kernel: "ipv6.disable=1".into(),
        script: script.into(),
        ..Linux::default()
    };
    let verdict = run(&linux);
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    assert!(verdict.console.contains("RECOVERED 5\n"), "{}", verdict.console);
    let counts = verdict.console.lines().find_map(|line| line.strip_prefix("COUNTS ")).unwrap_or_default();
    let counts: Vec<u32> = counts.split_whitespace().filter_map(|count| count.parse().ok()).collect();
    // On a busy host there may be one more: the guest may pause between two accesses to the FIFO.
    assert!(matches!(counts[..], [1, overruns, aborted] if overruns >= 1 && aborted >= 3), "{}", verdict.console);
}

/// The monitor pulls the cable and plugs it in.
fn pull_cable(card: &str, modules: &[&str]) -> Verdict {
    // The host reads PULL and PLUG on the console, some time later.
    let script = "answers() { ping -q -c 1 -W 5 10.0.2.2; }\n\
                  ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up\nuntil answers; do true; done; echo BEFORE\n\
                  echo PULL; while answers; do true; done; echo SILENT\n\
                  echo PLUG; until answers; do true; done; echo AFTER";
    let linux = Linux {
        cards: vec![card.into()],
        modules: modules.iter().map(|module| module.to_string()).collect(),
        script: script.into(),
        cable: vec![("PULL".into(), false), ("PLUG".into(), true)],
        ..Linux::default()
    };
    let verdict = run(&linux);
    for word in ["BEFORE", "SILENT", "AFTER"] {
        assert!(verdict.console.contains(&format!("{word}\n")), "not {word}:\n{}", verdict.console);
    }
    verdict
}

/// The cable of a 3C509B.
#[test]
fn a_pulled_cable_reaches_linux() {
    pull_cable("el3", &["3c509"]);
}

/// A PCI card that a warm start left in D3: Linux wakes it first.
#[test]
fn slow_a_sleeping_card_is_woken() {
    judge(&["tornado-3c905c,mac=52:54:00:12:34:56,power=d3"], &["mii", "3c59x"], "");
}

/// The drivers of the rtl8169, each behind those that it needs.
const RTL8169: [&str; 7] = ["libphy", "fixed_phy", "fwnode_mdio", "of_mdio", "mdio_devres", "realtek", "r8169"];

/// Judges cards, each of which also takes an address of IPv6: QEMU's router announces itself to all nodes, so that a card whose
/// table of multicast addresses works hears it.
fn judge_groups(cards: &[String], modules: &[&str], excused: &str) -> Verdict {
    let mut groups = String::new();
    for card in 0..cards.len() {
        writeln!(groups, "ip link set eth{card} up; until ip addr show eth{card} | grep -q fec0::5054:ff:fe12; do sleep 0.1; done; echo GROUP eth{card}").unwrap();
        // Once more, after a reset.
        writeln!(groups, "ip link set eth{card} down").unwrap();
    }
    let verdict = judge_with(&cards.iter().map(String::as_str).collect::<Vec<_>>(), modules, excused, &groups);
    for card in 0..cards.len() {
        assert!(verdict.console.contains(&format!("GROUP eth{card}\n")), "{}", verdict.console);
    }
    verdict
}

/// Every chip that this Linux knows (not the 8125D), all in one machine: its start takes longer than they do. Some are left by an
/// earlier driver with their line high, one in D3.
#[test]
fn rtl8169() {
    let chips = [
        ("8110s", "RTL8110s"), ("8169sb", "RTL8169sb/8110sb"), ("8169sc", "RTL8169sc/8110sc"), ("8168b", "RTL8168b/8111b"),
        ("8101e,left=interrupting", "RTL8101e/RTL8100e"), ("8168c", "RTL8168c/8111c"), ("8168evl,power=d3", "RTL8168evl/8111evl"),
        ("8168f", "RTL8168f/8111f"), ("8168h,left=interrupting", "RTL8168h/8111h"), ("8168g", "RTL8168g/8111g"), ("8107e", "RTL8107e"),
        ("8125b,left=interrupting", "RTL8125B"), ("8125a", "RTL8125A"),
    ];
    let cards: Vec<String> = chips.iter().zip(0x56..).map(|((chip, _), last)| format!("rtl8169-{chip},mac=52:54:00:12:34:{last:02x}")).collect();
    // Some share a line. When Linux switches off, it reads one of them that sleeps already.
    let verdict = judge_groups(&cards, &RTL8169, "not in D0");
    for (_, name) in chips {
        assert!(verdict.console.contains(&format!("{name}, ")), "no {name}: {}", verdict.console);
    }
    for speed in ["100Mbps", "1Gbps", "2.5Gbps"] {
        assert!(verdict.console.contains(&format!("Link is Up - {speed}/Full")), "no {speed}: {}", verdict.console);
    }
}

/// The cable of an RTL8168H: Linux hears of it by an interrupt.
#[test]
fn rtl8169_a_pulled_cable_reaches_linux() {
    let verdict = pull_cable("rtl8169-8168h", &RTL8169);
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    let told: Vec<&str> = verdict.console.lines().filter_map(|line| line.split_once("eth0: Link is ")).map(|(_, what)| &what[..2]).collect();
    assert!(told.starts_with(&["Do", "Up", "Do", "Up"]), "{told:?}\n{}", verdict.console);
}

/// Linux recovers from the faults of a chip: an overflow of the FIFO that stops the receiver, a failure of the bus, a transmitter
/// that hangs, a descriptor that stays the card's.
#[test]
fn rtl8169_faults_reach_linux_and_it_recovers() {
    let cards = ["rtl8169-8168b,fault=rx-crc@3+rx-overrun@6", "rtl8169-8110s,fault=rx-crc@3+adapter-failure@6", "rtl8169-8168h,fault=stays-owned@5"];
    let mut script = String::new();
    for card in 0..cards.len() {
        let net = 2 + card;
        writeln!(script, "ip addr add 10.0.{net}.15/24 dev eth{card}; ip link set eth{card} up; carrier eth{card}").unwrap();
        writeln!(script, "for n in $(seq 12); do ping -q -c 1 -W 1 10.0.{net}.2; done").unwrap();
        writeln!(script, "for n in $(seq 5); do again recovery ping -q -c 1 -W 5 10.0.{net}.2 && echo RECOVERED eth{card} $n; done").unwrap();
    }
    let linux = Linux {
        cards: cards.map(String::from).to_vec(),
        modules: RTL8169.map(String::from).to_vec(),
        kernel: "ipv6.disable=1".into(),
        script,
        ..Linux::default()
    };
    let verdict = run(&linux);
    let complaints: Vec<&String> = verdict.complaints.iter().filter(|line| !line.contains("not in D0")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    for card in 0..cards.len() {
        assert!(verdict.console.contains(&format!("RECOVERED eth{card} 5\n")), "{}", verdict.console);
    }
    assert!(verdict.console.contains("PCI error (cmd"), "{}", verdict.console);
    assert!(verdict.console.contains("transmit queue 0 timed out"), "{}", verdict.console);
}

/// Judges parts of the PCH family: as the rtl8169, with the address from a multicast announcement.
fn judge_pch(parts: &[&str]) -> Verdict {
    let cards: Vec<String> = parts.iter().zip(0x56..).map(|(part, last)| format!("pch-{part},mac=52:54:00:12:34:{last:02x}")).collect();
    judge_groups(&cards, &["e1000e"], "")
}

/// The I217, the I218 and the I219, the last one without a base address register for its flash. The management engine lets the PHY of
/// two of them out of its low power.
#[test]
fn pch_i217_i218_and_i219() {
    judge_pch(&["i217lm,left=slow", "i218lm,left=interrupting", "i219lm2,fault=held-descriptors*0"]);
}

/// The 82577, which loses frames if K1 stays on, the 82579 with its arbiter, and the I219 of the 300 series.
#[test]
fn slow_pch_82577_82579_and_i219_of_the_300_series() {
    judge_pch(&["82577lm,k1=loses", "82579lm,left=interrupting", "i219lm7"]);
}

/// Without a management engine Linux lets the PHY out of its low power itself; the engine may forbid resets of the PHY.
#[test]
fn long_pch_without_engine_and_with_one_that_forbids() {
    judge_pch(&["i218lm,me=off", "i219lm7,me=off", "i217lm,me=blocking"]);
}

/// The cable of an I219: descriptors that it holds are flushed before the reset, or it would hang.
#[test]
fn slow_pch_a_pulled_cable_reaches_linux() {
    let verdict = pull_cable("pch-i219lm2", &["e1000e"]);
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    let told: Vec<&str> = verdict.console.lines().filter_map(|line| line.split_once("eth0: NIC Link is ")).map(|(_, what)| &what[..2]).collect();
    assert!(told.starts_with(&["Up", "Do", "Up"]), "{told:?}\n{}", verdict.console);
}

/// Linux recovers from tails that get lost and from overflows; it refuses a flash with a wrong checksum and a part whose semaphore
/// never comes.
#[test]
fn long_pch_faults_reach_linux() {
    let cards = ["pch-i219lm2,fault=rx-crc@3+rx-overrun@6", "pch-82579lm,fault=lost-write@20", "pch-i217lm,fault=bad-checksum", "pch-i217lm,fault=stuck-semaphore*0"];
    let mut script = String::new();
    for card in 0..2 {
        let net = 2 + card;
        writeln!(script, "ip addr add 10.0.{net}.15/24 dev eth{card}; ip link set eth{card} up; carrier eth{card}").unwrap();
        writeln!(script, "for n in $(seq 12); do ping -q -c 1 -W 1 10.0.{net}.2; done").unwrap();
        writeln!(script, "for n in $(seq 5); do again recovery ping -q -c 1 -W 5 10.0.{net}.2 && echo RECOVERED eth{card} $n; done").unwrap();
    }
    script.push_str("echo COUNTS $(cat /sys/class/net/eth0/statistics/rx_crc_errors /sys/class/net/eth0/statistics/rx_missed_errors); ls /sys/class/net");
    let linux = Linux {
        cards: cards.map(String::from).to_vec(),
        modules: vec!["e1000e".into()],
        kernel: "ipv6.disable=1".into(),
        script,
        ..Linux::default()
    };
    let verdict = run(&linux);
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    let has = |text: &str| assert!(verdict.console.contains(text), "no {text}:\n{}", verdict.console);
    for card in 0..2 {
        has(&format!("RECOVERED eth{card} 5\n"));
    }
    has("ME firmware caused invalid");
    has("The NVM Checksum Is Not Valid");
    has("COUNTS 1 1\n");
    assert!(!verdict.console.contains("eth2"), "{}", verdict.console);
}

/// The ports of the 8254x: Linux's e1000 resets these cards by them. In QEMU without the front, that write is lost.
#[test]
fn e1000_by_ports() {
    let verdict = judge(&["e1000-ports,mac=52:54:00:12:34:56", "e1000-82544gc-ports,mac=52:54:00:12:34:57"], &["e1000"], "");
    assert!(verdict.console.contains("Intel(R) PRO/1000 Network Connection"), "{}", verdict.console);
}

/// The I225 and the I226 before QEMU's 82576, with their interrupt line: PHY, semaphores, sizes of buffers, queues.
#[test]
fn igc() {
    // Apart, because the virtual functions of QEMU's card take the places behind its own.
    let cards = ["igb-i225v,addr=4,mac=52:54:00:12:34:56", "igb-i226v,addr=8,mac=52:54:00:12:34:57"];
    let verdict = judge_by_line(&cards, &["igc"]);
    for card in 0..cards.len() {
        let up = format!("eth{card}: NIC Link is Up 1000 Mbps Full Duplex");
        assert!(verdict.console.contains(&up), "no {up}: {}", verdict.console);
    }
}

/// Relatives of the 82576 before QEMU's, with their interrupt line, all in one machine. Linux checks the NVM of each: one sum, or
/// one for each port.
#[test]
fn slow_igb_parts() {
    let parts = ["82575eb", "82580", "i350", "i354", "i210", "i211"];
    // Every second place: the eight virtual functions of QEMU's card take two others.
    let device = |(card, part): (usize, &&str)| format!("igb-{part},addr={:x},mac=52:54:00:12:34:{:02x}", 3 + 2 * card, 0x56 + card);
    let cards: Vec<String> = parts.iter().enumerate().map(device).collect();
    let verdict = judge_by_line(&cards.iter().map(String::as_str).collect::<Vec<_>>(), &IGB);
    for card in 0..cards.len() {
        let up = format!("eth{card}: igb: eth{card} NIC Link is Up 1000 Mbps Full Duplex");
        assert!(verdict.console.contains(&up), "no {up}: {}", verdict.console);
    }
}

/// Linux's igb, behind what it needs.
const IGB: [&str; 2] = ["i2c-algo-bit", "igb"];
