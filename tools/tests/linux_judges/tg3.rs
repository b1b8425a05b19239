//! Linux's tg3 tests the models of Broadcom's NetXtreme.

use super::*;

/// The drivers; the 57780's PHY has one of its own.
const TG3: [&str; 5] = ["libphy", "bcm-phy-lib", "bcm-phy-ptp", "broadcom", "tg3"];

/// Every chip, all in one machine, as the rtl8169's are: some left by an earlier driver with their line high, one in D3, one at a
/// partner of 100 Mb/s, some with their address not in SRAM. Linux has no tags on the 5788, and lacks firmware for its segments. Each takes an address of IPv6 from an announcement to all nodes, so
/// that its table of multicast addresses works.
#[test]
fn tg3() {
    let chips = [
        ("5751,left=interrupting", "5750 "), ("5787,address=registers", "5787 "), ("5906,left=interrupting", "5906 "),
        ("57780,address=nvram", "57780"), ("57765,power=d3", "57765 "), ("5720,partner=100", "5720C "),
        ("5788", "5705 "),
    ];
    let mut cards = Vec::new();
    let mut groups = String::new();
    for (card, (chip, _)) in chips.iter().enumerate() {
        cards.push(format!("tg3-{chip},mac=52:54:00:12:34:{:02x}", 0x56 + card));
        writeln!(groups, "ip link set eth{card} up; until ip addr show eth{card} | grep -q fec0::5054:ff:fe12; do sleep 0.1; done; echo GROUP eth{card}").unwrap();
        // Once more, after a reset.
        writeln!(groups, "ip link set eth{card} down").unwrap();
    }
    let verdict = judge_with(&cards.iter().map(String::as_str).collect::<Vec<_>>(), &TG3, "", &groups);
    let has = |text: &str| assert!(verdict.console.contains(text), "no {text}:\n{}", verdict.console);
    for (card, (_, phy)) in chips.iter().enumerate() {
        has(&format!("GROUP eth{card}\n"));
        has(&format!("MAC address 52:54:00:12:34:{:02x}\n", 0x56 + card));
        has(if phy.starts_with("57780") { "Broadcom BCM57780 " } else { phy });
    }
    has("eth5: Link is up at 100 Mbps, full duplex");
    has("eth4: Link is up at 1000 Mbps, full duplex");
}

/// The cable: Linux hears of it by the status block, here without tags.
#[test]
fn tg3_a_pulled_cable_reaches_linux() {
    let verdict = pull_cable("tg3-5788", &TG3);
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    let told: Vec<&str> = verdict.console.lines().filter_map(|line| line.split_once("eth0: Link is ")).map(|(_, what)| &what[..2]).collect();
    assert!(told.starts_with(&["up", "do", "up"]), "{told:?}\n{}", verdict.console);
}

/// Linux recovers from the faults of a chip, and says which it sees.
#[test]
fn tg3_faults_reach_linux_and_it_recovers() {
    let cards = [
        "tg3-5751,fault=rx-crc@3+rx-overrun@6+silent-firmware*0", "tg3-5720,fault=rx-crc@3+adapter-failure@6", "tg3-57765,fault=stays-owned@5",
        "tg3-5787,fault=stuck-nvram*0",
    ];
    let mut script = String::new();
    for card in 0..cards.len() {
        let net = 2 + card;
        writeln!(script, "ip addr add 10.0.{net}.15/24 dev eth{card}; ip link set eth{card} up; carrier eth{card}").unwrap();
        writeln!(script, "for n in $(seq 12); do ping -q -c 1 -W 1 10.0.{net}.2; done").unwrap();
        writeln!(script, "for n in $(seq 5); do again recovery ping -q -c 1 -W 5 10.0.{net}.2 && echo RECOVERED eth{card} $n; done").unwrap();
    }
    script.push_str("echo COUNTS $(cat /sys/class/net/eth0/statistics/rx_crc_errors /sys/class/net/eth0/statistics/rx_missed_errors)");
    let linux = Linux {
        cards: cards.map(String::from).to_vec(),
        modules: TG3.map(String::from).to_vec(),
        kernel: "ipv6.disable=1".into(),
        script,
        ..Linux::default()
    };
    let verdict = run(&linux);
    // Linux prints all registers when a queue stands.
    let complaints: Vec<&String> = verdict.complaints.iter().filter(|line| !line.contains(" is read")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let has = |text: &str| assert!(verdict.console.contains(text), "no {text}:\n{}", verdict.console);
    for card in 0..cards.len() {
        has(&format!("RECOVERED eth{card} 5\n"));
    }
    has("COUNTS 1 1\n");
    has("transmit queue 0 timed out");
    has("eth0: No firmware running");
}
