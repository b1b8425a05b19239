//! The command line's parser: every switch, its range, Crynwr's positional form and letters, bad input.

use compkt::install::lines::{LINES, Line};
use compkt::install::features::needs;
use compkt::bond::flows::{ADAPTIVE, HASH, LEAST, TURNS, WEIGHTED};
use compkt::bond::{BALANCE, LACP, LACP_SLOW, STANDBY, TRUNK};
use compkt::install::stages::bonds::{BOND_SWITCHES, Begin, Settings, settings};
use compkt::install::stages::switches::{Options, Refused, Rule, SWITCHES, Want, options};
use tools::random::Random;

fn good(tail: &str) -> Options {
    options(tail.as_bytes()).unwrap_or_else(|refused| panic!("{tail}: {}", said(refused.why)))
}

fn bad(tail: &str) -> Refused<'_> {
    both(tail.as_bytes()).expect_err(tail)
}

/// What both stages that read a command line say of it.
fn both(tail: &[u8]) -> Result<(), Refused<'_>> {
    if options(tail)?.others { settings(tail).map(drop) } else { Ok(()) }
}

fn said(why: Line) -> &'static str {
    LINES[why as usize]
}
/// A command tail is refused; the message names this word and has these words.
/// What a refused tail names, and that the reason holds some words.
fn refused(tail: &str, word: &str, words: &str) {
    let refused = bad(tail);
    assert_eq!(refused.word, word.as_bytes(), "{tail}");
    assert!(said(refused.why).contains(words), "{tail}: {}", said(refused.why));
}

#[test]
fn nothing_means_the_defaults() {
    let defaults = Options {
        vector: 0x60,
        vector_given: false,
        io: 0,
        irq: 0,
        handles: 8,
        stack: 256,
        nic: Want::Any,
        media: 0,
        needs: 0,
        burst: 8,
        waits: false,
        slots: 32,
        hold: 2,
        migrate: 8192,
        cache: 0,
        compact: false,
        unload: false,
        replace: false,
        apply: false,
        verbose: false,
        names: 0,
        vectors: 0,
        ask: 0,
        help: false,
        others: false,
    };
    for tail in ["", " ", "\t", "  \t  ", "\r\n"] {
        assert_eq!(good(tail), defaults, "{tail:?}");
    }
}

#[test]
fn each_switch_sets_its_option() {
    assert_eq!(good("/INT=61"), Options { vector: 0x61, vector_given: true, ..good("") });
    assert_eq!(good("/IO=340"), Options { io: 0x340, ..good("") });
    assert_eq!(good("/IRQ=5"), Options { irq: 5, ..good("") });
    assert_eq!(good("/HANDLES=64"), Options { handles: 64, ..good("") });
    assert_eq!(good("/STACK=2048"), Options { stack: 2048, ..good("") });
    assert_eq!(good("/NIC=ne2000"), Options { nic: Want::Name(*b"ne2000\0\0\0\0\0\0"), ..good("") });
    for (name, code) in [("AUTO", 9), ("tp", 1), ("Aui", 2), ("BNC", 4), ("tx", 5), ("FX", 6), ("MII", 7), ("tp,fd", 0x81), ("TX,FD", 0x85), ("FX,Fd", 0x86)] {
        assert_eq!(good(&format!("/MEDIA={name}")), Options { media: code, ..good("") }, "{name}");
    }
    for name in ["", "T", "TPX", "BNC,FD", "AUI,FD", "MII,FD", "AUTO,FD", "TP,", ",FD", "TP,HD", "100"] {
        refused(&format!("/MEDIA={name}"), &format!("/MEDIA={name}"), "the medium is");
    }
    assert_eq!(good("/STATS"), Options { needs: needs::STATS, ..good("") });
    assert_eq!(good("/COUNT"), Options { needs: needs::COUNT, ..good("") });
    assert_eq!(good("/CTL"), Options { needs: needs::CTL, ..good("") });
    assert_eq!(good("/REAP"), Options { needs: needs::REAP, ..good("") });
    assert_eq!(good("/SHARE"), Options { needs: needs::SHARE, ..good("") });
    assert_eq!(good("/APPLY"), Options { apply: true, ..good("/REPLACE") });
    assert_eq!(good("/COUNT /STATS"), Options { needs: needs::COUNT | needs::STATS, ..good("") });
    refused("/COUNT=1", "/COUNT=1", "takes no value");
    assert_eq!(good("/BURST=1"), Options { burst: 1, ..good("") });
    assert_eq!(good("/BURST=64"), Options { burst: 64, ..good("") });
    assert_eq!(good("/U"), Options { unload: true, ..good("") });
    assert_eq!(good("/REPLACE"), Options { replace: true, handles: 0, burst: 0, hold: 0, ..good("") }, "as the other copy has them");
    assert_eq!(good("/REPLACE /COMPACT"), Options { compact: true, handles: 4, ..good("/REPLACE") });
    assert_eq!(good("/?"), Options { help: true, ..good("") });
    assert_eq!(good("/XMS=48"), Options { waits: true, ..good("") });
    assert_eq!(good("/XMS=16"), Options { waits: true, slots: 10, ..good("") }, "whole slots only");
    assert_eq!(good("/XMS=1024"), Options { waits: true, slots: 682, ..good("") }, "as many as fit");
    assert_eq!(good("/XMS=16384"), Options { waits: true, slots: 10_922, ..good("") });
    assert_eq!(good("/HOLD=1"), Options { hold: 1, ..good("") });
    assert_eq!(good("/HOLD=250"), Options { hold: 250, ..good("") });
    assert_eq!(good("/MIGRATE=65024"), Options { waits: true, migrate: 65024, ..good("") });
    assert_eq!(good("/CACHE=2000"), Options { cache: 2000, ..good("") }, "alone it is of no use");
    assert_eq!(good("/COMPACT"), Options { compact: true, handles: 4, ..good("") });
    assert_eq!(good("/V"), Options { verbose: true, ..good("") });
    assert_eq!(good("/ASK"), Options { ask: 5, ..good("") });
    assert_eq!(good("/ASK=60"), Options { ask: 60, ..good("") });
    assert_eq!(SWITCHES.len(), 24, "a new switch wants a line above");
}

/// What a line says of a bond, by the stage that reads it.
fn bond(tail: &str) -> Settings {
    assert!(good(tail).others, "{tail}");
    settings(tail.as_bytes()).unwrap_or_else(|refused| panic!("{tail}: {:?}", refused.why))
}

#[test]
fn a_bond_s_switches_are_those_of_another_stage() {
    let begin = Begin { mode: STANDBY, failover: 3, period: 91, hold: 36, target: [0; 4] };
    let standby = Settings { begin, algorithm: ADAPTIVE, flows: 1024 };
    assert_eq!(bond("/MODE=STANDBY"), standby);
    assert_eq!(bond("/NIC=ALL /mode:standby /INT=61 /V -u"), standby);
    assert_eq!(bond("/FAILOVER=100 /HEALTH=1 /MODE=STANDBY"), Settings { begin: Begin { failover: 100, period: 18, ..begin }, ..standby });
    assert_eq!(bond("/FAILOVER=1 /HEALTH=60 /MODE=STANDBY").begin.period, 1092, "a minute");
    assert_eq!(bond("/TARGET=10.0.2.255 /MODE=STANDBY").begin.target, [10, 0, 2, 255]);
    for mode in [LACP, LACP_SLOW] {
        let name = if mode == LACP { "LACP" } else { "LACP_SLOW" };
        assert_eq!(bond(&format!("/MODE={name}")).begin, Begin { mode, hold: 0, ..begin });
    }
    assert_eq!(bond("/MODE=TRUNK").begin, Begin { mode: TRUNK, ..begin });
    let all = Settings { begin: Begin { mode: BALANCE, ..begin }, ..standby };
    assert_eq!([bond("/MODE=ACTIVE_ACTIVE"), bond("/LB=ADAPTIVE"), bond("/FLOWS=1024")], [all; 3]);
    assert_eq!(bond("/LB=ADAPTIVE /FLOWS=2048 /CACHE=8192"), Settings { flows: 2048, ..all });
    assert_eq!(bond("/flows=1025 /lb=round_robin"), Settings { flows: 2048, algorithm: TURNS, ..all });
    assert_eq!([64, 65, 4095, 4096].map(|flows| bond(&format!("/FLOWS={flows}")).flows), [64, 128, 4096, 4096]);
    for (name, algorithm) in [("ROUND_ROBIN", TURNS), ("WEIGHTED", WEIGHTED), ("HASH", HASH), ("LEAST", LEAST)] {
        assert_eq!(bond(&format!("/LB={name}")), Settings { algorithm, ..all });
    }
    for (tail, word, part) in [
        ("/LB", "/LB", "ROUND_ROBIN"),
        ("/LB=STANDBY", "/LB=STANDBY", "ROUND_ROBIN"),
        ("/MODE=HASH", "/MODE=HASH", "the mode is"),
        ("/FLOWS=63", "/FLOWS=63", "64 to 4096"),
        ("/FLOWS=4097", "/FLOWS=4097", "64 to 4096"),
        ("/FLOWS=64 /MODE=STANDBY /LB=HASH", "/FLOWS=64", "one NIC sends"),
        ("/MODE", "/MODE", "the mode is"),
        ("/MODE=STAND", "/MODE=STAND", "the mode is"),
        ("/MODE=STANDBY /FAILOVER=0", "/FAILOVER=0", "1 to 100"),
        ("/MODE=STANDBY /FAILOVER=101", "/FAILOVER=101", "1 to 100"),
        ("/MODE=STANDBY /FAILOVER", "/FAILOVER", "1 to 100"),
        ("/MODE=STANDBY /HEALTH=0", "/HEALTH=0", "1 to 60"),
        ("/MODE=STANDBY /HEALTH=61", "/HEALTH=61", "1 to 60"),
        ("/MODE=STANDBY /HEALTH=4294967297", "/HEALTH=4294967297", "1 to 60"),
        ("/HEALTH=5 /FAILOVER=2", "/HEALTH=5", "give /MODE="),
        ("/TARGET=10.0.0.1", "/TARGET=10.0.0.1", "give /MODE="),
        ("/MODE=STANDBY /TARGET=", "/TARGET=", "address of a station"),
        ("/MODE=STANDBY /TARGET=10.0.0", "/TARGET=10.0.0", "address of a station"),
        ("/MODE=STANDBY /TARGET=10.0.0.1.2", "/TARGET=10.0.0.1.2", "address of a station"),
        ("/MODE=STANDBY /TARGET=10.0.0.256", "/TARGET=10.0.0.256", "address of a station"),
        ("/MODE=STANDBY /TARGET=224.0.0.1", "/TARGET=224.0.0.1", "address of a station"),
        ("/MODE=STANDBY /TARGET=0.0.0.1", "/TARGET=0.0.0.1", "address of a station"),
        ("/MODE=STANDBY /MODES", "/MODES", "no such switch"),
    ] {
        refused(tail, word, part);
    }
}

#[test]
fn compact_gives_way_to_what_is_said() {
    let all = good("/COMPACT /XMS=1024 /MIGRATE=8192");
    assert_eq!(all, Options { compact: true, waits: true, handles: 4, slots: 682, ..good("") });
    assert_eq!(good("/HANDLES=8 /CACHE=2048 /COMPACT"), Options { compact: true, cache: 2048, ..good("") });
}

#[test]
fn case_colons_and_order_do_not_matter() {
    let all = good("/INT=61 /IO=300 /IRQ=10 /HANDLES=4 /STACK=512 /NIC=0:3.0");
    assert_eq!(good("/nic:0:3.0 /stack:512 /Handles:4 /irq:10 /iO=300 /int:61"), all);
    assert_eq!(good(" \t/INT=61\t/IO=300  /IRQ=10 /HANDLES=4 /STACK=512 /NIC=0:3.0 \r\n"), all);
    assert_eq!(all, Options {
        vector: 0x61,
        vector_given: true,
        io: 0x300,
        irq: 10,
        handles: 4,
        stack: 512,
        nic: Want::Pci(3 << 3),
        ..good("")
    });
}

#[test]
fn the_last_word_counts() {
    assert_eq!(good("/INT=61 /INT=62").vector, 0x62);
    assert_eq!(good("0x61 /INT=62").vector, 0x62);
    assert_eq!(good("/IO=300 /IO=320").io, 0x320);
}

#[test]
fn numbers_have_their_switch_s_radix_unless_they_say_otherwise() {
    assert_eq!(good("/INT=0x61").vector, 0x61);
    assert_eq!(good("/IO=0X300").io, 0x300);
    assert_eq!(good("/IRQ=0xA").irq, 10);
    assert_eq!(good("/HANDLES=010").handles, 10);
    refused("/IRQ=A", "/IRQ=A", "the IRQ is");
    refused("/HANDLES=-1", "/HANDLES=-1", "1 to 64");
    refused("/HANDLES=+1", "/HANDLES=+1", "1 to 64");
}

#[test]
fn ranges_end_where_the_reasons_say() {
    for switch in &SWITCHES {
        let (low, high, radix) = match switch.rule {
            Rule::Hex(low, high) => (low, high, 16),
            Rule::Dec(low, high) => (low, high, 10),
            Rule::Bare | Rule::Needs(_) | Rule::Nic | Rule::Media => continue,
        };
        let tail = |value: u32| if radix == 16 { format!("/{}={value:X}", switch.name) } else { format!("/{}={value}", switch.name) };
        for value in [u32::from(low), u32::from(high)] {
            good(&tail(value));
        }
        for value in [u32::from(low) - 1, u32::from(high) + 1, 0x1_0000 + u32::from(low), u32::MAX] {
            let tail = tail(value);
            assert_eq!(bad(&tail).why, switch.why, "{tail}");
        }
    }
}

#[test]
fn vectors_that_are_others_are_refused() {
    let accepted: Vec<u32> = (0..0x100).filter(|number| options(format!("/INT={number:X}").as_bytes()).is_ok()).collect();
    let expected: Vec<u32> = (0x60..=0x66).chain(0x68..=0x6F).chain([0x78]).chain(0x7B..=0x7E).chain([0x80]).collect();
    assert_eq!(accepted, expected);
}

#[test]
fn lines_that_no_card_has_are_refused() {
    let accepted: Vec<u32> = (0..300).filter(|number| options(format!("/IRQ={number}").as_bytes()).is_ok()).collect();
    assert_eq!(accepted, [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15]);
    assert_eq!(good("/IRQ=2").irq, 9, "the AT's line 2 is 9");
}

#[test]
fn ports_are_multiples_of_sixteen() {
    for port in ["200", "300", "FFE0", "C000"] {
        good(&format!("/IO={port}"));
    }
    for port in ["301", "308", "1F0", "FFE8", "FFF0", "10300", "0"] {
        refused(&format!("/IO={port}"), &format!("/IO={port}"), "200 to FFE0");
    }
}

#[test]
fn a_nic_is_a_name_a_place_or_an_address() {
    assert_eq!(good("/NIC=NE2K_PCI").nic, Want::Name(*b"NE2K_PCI\0\0\0\0"));
    assert_eq!(good("/NIC=0:1F.7").nic, Want::Pci(0x1F << 3 | 7));
    assert_eq!(good("/NIC=ff:0.0").nic, Want::Pci(0xFF00));
    let mac = Want::Mac([0x52, 0x54, 0, 0x12, 0xAB, 0xFF]);
    for text in ["52:54:00:12:AB:FF", "52-54-0-12-ab-ff"] {
        assert_eq!(good(&format!("/NIC={text}")).nic, mac);
    }
    for text in ["", "0:20.0", "0:0.8", "100:0.0", "0:3.", ".", "52:54:00:12:34:100", "52:54:00:12:34:5G", "::::: "] {
        let tail = format!("/NIC={text}");
        assert!(said(bad(&tail).why).starts_with(": the NIC is a name"), "{tail}");
    }
}

#[test]
fn crynwr_s_positional_form() {
    assert_eq!(good("0x60"), Options { vector_given: true, ..good("") });
    assert_eq!(good("0x61 10 0x300"), Options { vector: 0x61, vector_given: true, irq: 10, io: 0x300, ..good("") });
    assert_eq!(good("0x61 0x300 10"), good("0x61 10 0x300"), "a number of 100h or more is a port");
    assert_eq!(good("0x61 0x300"), Options { vector: 0x61, vector_given: true, io: 0x300, ..good("") });
    assert_eq!(good("97 10 768"), good("0x61 10 0x300"), "decimal, as every Crynwr driver has it");
    assert_eq!(good("0x61 /HANDLES=4 0xB").irq, 11);
    refused("60", "60", "the vector is");
    refused("0x60 10 0x300 7", "7", "one number too many");
    refused("0x60 8", "8", "the IRQ is");
    refused("0x60 10 0x305", "0x305", "the port is");
    refused("nonsense", "nonsense", "the vector is");
    refused("0x60 nonsense", "nonsense", "the IRQ is");
}

#[test]
fn crynwr_s_letters_are_done_or_refused_by_name() {
    assert_eq!(good("-u 0x61"), Options { vector: 0x61, vector_given: true, unload: true, ..good("") });
    assert!(good("-U").unload);
    for (letter, words) in [("n", "Novell"), ("d", "at load"), ("w", "Windows"), ("p", "promiscuous"), ("i", "class 11")] {
        for tail in [format!("-{letter}"), format!("-{}", letter.to_uppercase())] {
            refused(&tail, &tail, words);
        }
    }
    for tail in ["-", "-x", "-uu", "-?", "--help"] {
        refused(tail, tail, "no such switch");
    }
}

#[test]
fn switches_that_do_not_exist_or_want_no_value() {
    for tail in ["/", "/=", "/BAD", "/BAD=1", "/INTX=60", "/IN=60", "//?", "/U?"] {
        refused(tail, tail, "no such switch");
    }
    for tail in ["/U=1", "/U=", "/?=x", "/u:"] {
        refused(tail, tail, "takes no value");
    }
    for switch in SWITCHES.iter().filter(|switch| !matches!(switch.rule, Rule::Bare | Rule::Needs(_))) {
        for tail in [format!("/{}", switch.name), format!("/{}=", switch.name)] {
            // The one switch that may do without its value.
            if tail == "/ASK" {
                continue;
            }
            assert_eq!(bad(&tail).why, switch.why, "{tail}");
        }
    }
}

#[test]
fn the_first_bad_word_is_the_one_that_is_named() {
    refused("0x61 /IO=300 /BAD /WORSE", "/BAD", "no such switch");
    // Whether a bond has a switch, a later stage says.
    refused("0x61 /IO=300 /BAD /IRQ=99", "/IRQ=99", "the IRQ is");
    refused("/IRQ=99 /BAD", "/IRQ=99", "the IRQ is");
}

#[test]
fn numbers_too_long_for_32_bits_are_refused() {
    for value in ["4294967296", "4294967297", "99999999999999999999"] {
        refused(&format!("/HANDLES={value}"), &format!("/HANDLES={value}"), "1 to 64");
    }
    refused("/IO=100000300", "/IO=100000300", "200 to FFE0");
}

#[test]
fn any_bytes_are_an_answer_and_never_a_panic() {
    // What DOS hands over is not always text.
    let mut random = Random::new(0x3C0);
    let alphabet = b"/-=:.0x60 IONTRQUa?\xFF\x80\x00\t52";
    for _ in 0..200_000 {
        let mut tail = Vec::new();
        for _ in 0..random.below(24) {
            tail.push(random.of(alphabet));
        }
        if let Err(refused) = both(&tail) {
            assert!(tail.windows(refused.word.len()).any(|part| part == refused.word));
        }
    }
}

#[test]
fn every_line_of_help_fits_a_screen() {
    for switch in SWITCHES.iter().chain(&BOND_SWITCHES) {
        assert!(switch.name.len() + switch.value.len() < 15 && switch.help.len() + 18 < 80, "{}", switch.name);
        assert!(switch.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'?'), "{}", switch.name);
    }
}
