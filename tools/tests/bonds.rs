//! `PKTCTL bond` (src/programs/bonds.rs): its words, and the rows of its live screen.

use compkt::bond::{Fields, LACP, Row, STANDBY, TRUNK};
use compkt::info::NOT_PCI;
use compkt::install::stages::bonds::settings;
use compkt::programs::bonds::{ALGORITHMS, Bars, CHANGES, Change, MODES, NO_VALUE, NO_WORD, PARTS, Part, UNIT, Wish, draw, is_dispensable, seconds, state, wish};
use compkt::programs::screen::{CELLS, COLUMNS, Screen};

#[test]
fn names_and_limits_are_those_of_the_switches() {
    for (number, name) in MODES.iter().enumerate() {
        assert_eq!(settings(format!("/MODE={name}").as_bytes()).unwrap().begin.mode, number as u8);
    }
    for (number, name) in ALGORITHMS.iter().enumerate() {
        assert_eq!(settings(format!("/LB={name}").as_bytes()).unwrap().algorithm, number as u8);
        assert_eq!(wish(format!("lb:{}", name.to_lowercase()).as_bytes()), Ok(Wish::Set(Change::Algorithm(number as u8))));
    }
    for value in 0..200 {
        let begin = |switch: &str| settings(format!("/MODE=STANDBY /{switch}={value}").as_bytes()).ok().map(|settings| settings.begin);
        let set = |name: &str| wish(format!("{name}={value}").as_bytes()).ok();
        assert_eq!(set("FAILOVER"), begin("FAILOVER").map(|begin| Wish::Set(Change::Failover(begin.failover))), "{value}");
        assert_eq!(set("HEALTH").is_some(), begin("HEALTH").is_some(), "{value}");
        if let (Some(Wish::Set(Change::Period(ticks))), Some(begin)) = (set("HEALTH"), begin("HEALTH")) {
            assert!(ticks.abs_diff(begin.period) <= 1 && seconds(ticks.into()) == value && seconds(begin.period.into()) == value, "{value}");
        }
    }
    for text in ["10.0.0.1", "0.0.0.1", "224.0.0.1", "10.0.0", "10.0.0.256", "10.0.0.1.2", ""] {
        let switch = settings(format!("/MODE=STANDBY /TARGET={text}").as_bytes()).ok().map(|settings| Wish::Set(Change::Target(settings.begin.target)));
        assert_eq!(wish(format!("TARGET={text}").as_bytes()).ok(), switch, "{text}");
    }
}

#[test]
fn what_is_set_is_what_is_shown() {
    for value in 3..=175 {
        let Ok(Wish::Set(Change::Sticky(units))) = wish(format!("STICKY={value}").as_bytes()) else { panic!("{value}") };
        assert_eq!(seconds(units as u32 * UNIT), value);
        assert!((3..=200).contains(&units), "the flow table's limits");
    }
    for value in 0..=60 {
        let Ok(Wish::Set(Change::Hold(ticks))) = wish(format!("HOLD={value}").as_bytes()) else { panic!("{value}") };
        assert_eq!(seconds(ticks as u32), value);
    }
}

#[test]
fn words_are_read_and_wrong_ones_refused() {
    assert_eq!(wish(b""), Ok(Wish::See(Part::Status)));
    for (name, part, help) in &PARTS {
        assert_eq!(wish(name.to_uppercase().as_bytes()), Ok(Wish::See(*part)));
        assert!(help.len() < 50, "{help}");
    }
    for (name, example, help) in &CHANGES {
        assert!(matches!(wish(format!("{name}={example}").as_bytes()), Ok(Wish::Set(_))), "{name}");
        assert!("PKTCTL bond ".len() + 16 + help.len() < 80, "{help}");
    }
    assert_eq!(wish(b"OUT=16"), Ok(Wish::Set(Change::Out(15))));
    assert_eq!(wish(b"TARGET=none"), Ok(Wish::Set(Change::Target([0; 4]))));
    for word in ["OUT=0", "OUT=17", "OUT=", "OUT", "IN=x", "STICKY=2", "STICKY=176", "HOLD=61", "LB=", "LB=STANDBY", "TARGET=NO"] {
        assert_eq!(wish(word.as_bytes()), Err(NO_VALUE), "{word}");
    }
    for word in ["x", "statu", "=", "MODE=STANDBY", "nics=1"] {
        assert_eq!(wish(word.as_bytes()), Err(NO_WORD), "{word}");
    }
}

fn row(state: u8) -> Row {
    Row { state, ..Row::NEW }
}

#[test]
fn a_state_has_its_worst_cause_and_fits() {
    let well = Row::USABLE | Row::HEARD;
    for (bits, active, mode, text) in [
        (well, true, STANDBY, "active"), (well, false, STANDBY, "stands by"), (well, true, 1, "sends and receives"), (well, false, 1, "sends"),
        (well, false, TRUNK, "sends and receives"), (0, true, STANDBY, "waits"), (Row::NO_LINK, true, STANDBY, "no link"),
        (Row::NO_LINK | Row::SILENT, false, LACP, "no link or partner"), (Row::SILENT | Row::USABLE, true, 1, "silent"),
        (Row::OUT | Row::NO_LINK | Row::SILENT | Row::USABLE, true, 1, "taken out"),
    ] {
        assert_eq!(state(&row(bits), active, mode), text);
        assert!(text.len() < 19);
    }
}

#[test]
fn the_last_nic_that_can_be_used_is_not_taken_out() {
    let rows = [row(Row::USABLE), row(Row::USABLE | Row::OUT), row(Row::NO_LINK), row(0)];
    assert!(!is_dispensable(&rows, 0) && is_dispensable(&rows, 1) && is_dispensable(&rows, 3));
    assert!(!is_dispensable(&[], 0));
}

#[test]
fn the_screen_shows_rates_as_bars_of_one_scale() {
    let mut screen = Screen::new();
    let fields = Fields { first: 0x100, active: 0x100 + Row::SIZE, moves: 7, ..Fields::NEW };
    let mut bars = [Bars { pci: 2 << 3, ..Bars::NONE }, Bars { io: 0x300, ..Bars::NONE }];
    assert_eq!(bars[1].pci, NOT_PCI);
    // Two seconds; the counter has wrapped.
    bars[1].row.sent = u32::MAX - 99;
    bars[1].take(&Row { sent: 1900, received: 500, given: 12, misses: 3, state: Row::USABLE, ..Row::NEW }, 36);
    bars[0].take(&row(Row::NO_LINK), 36);
    assert_eq!((bars[1].sent, bars[1].received), (1011, 252));
    for rows in [25, 50] {
        let mut cells = vec![0u16; CELLS];
        screen.forget();
        draw(&mut screen, rows, (&fields, 0x60, "ADAPTIVE"), &bars, 1, &mut |at, new| cells[at..at + new.len()].copy_from_slice(new));
        let text = |row: usize| -> String {
            let letter = |cell: &u16| match *cell as u8 { 0xDB => '#', 0xB0 => '-', byte => char::from(byte) };
            cells[row * COLUMNS..(row + 1) * COLUMNS].iter().map(letter).collect::<String>().trim_end().to_string()
        };
        assert_eq!(text(0), " Bond on INT 60h  STANDBY  ADAPTIVE             moves     7   every   1 s");
        assert_eq!(text(2), "  1  PCI 00:02.0  no link               flows     0   misses   0");
        assert_eq!(text(6), "  2  port 0300h   active                flows    12   misses   3");
        assert_eq!(text(7), format!("     out     1011 frames/s  {}{}", "#".repeat(20), "-".repeat(20)));
        assert_eq!(text(8), format!("     in       252 frames/s  {}{}", "#".repeat(5), "-".repeat(35)));
        assert_eq!(text(rows - 1), " Esc or Q leaves   D is a DOS shell           full bar    2000 frames/s");
        assert!(cells[rows * COLUMNS..].iter().all(|cell| *cell == 0));
    }
}
