//! PKTCTL's files of parameters (src/programs/settings): what is written is read again, what is damaged is refused with its place,
//! and a file is set as a whole or not at all.

mod driver;
mod mutated;
mod oracle;

use compkt::control::*;
use compkt::programs::settings::{self, Fault, Place, Settings, Value, block, text};
use std::collections::BTreeMap;
use tools::random::Random;

/// A text of all parameters, as a person would write it.
const TEXT: &str = "3COMPKT settings 1\r\n; the office\r\nMODE=3\r\naddress = 02-00-00-00-00-aa\r\n\r\n  MULTICAST=01:00:5E:00:00:01, 01:00:5e:00:00:FB\r\n\
    POLL=0\r\nBURST=8\r\nLOG=8\r\nMEDIA=TP,FD\r\nRXRING=32\r\nHANDLES=8\r\nEND\r\n";

fn written(settings: &Settings) -> Vec<u8> {
    let mut text = Vec::new();
    text::write(settings, &mut |part| text.extend_from_slice(part));
    text
}

fn packed(settings: &Settings) -> Vec<u8> {
    let mut block = [0xEE; block::MOST];
    let length = block::write(settings, &mut block);
    assert!(block[length..].iter().all(|byte| *byte == 0xEE));
    block[..length].to_vec()
}

/// The names and values of settings.
fn listed(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (parameter, value, _) in settings.all() {
        let mut word = Vec::new();
        text::write_value(parameter, value, &mut |part| word.extend_from_slice(part));
        all.push((parameter.name, String::from_utf8(word).unwrap()));
    }
    all
}

/// A random value that the parameter takes.
fn any(random: &mut Random, parameter: &Parameter) -> Value {
    let mut address = |first: u8| [first, random.word() as u8, random.word() as u8, random.word() as u8, random.word() as u8, random.word() as u8];
    match parameter.number {
        ADDRESS => {
            let own = address(0x02);
            Value::of(if random.one_in(4) { &[] } else { &own }).unwrap()
        }
        MULTICAST => {
            let list: Vec<u8> = (0..9).flat_map(|_| address(0x01)).collect();
            Value::of(&list[..6 * random.below(9)]).unwrap()
        }
        MEDIA => Value::number(random.of(&[0, 1, 2, 4, 5, 6, 7, 9, 0x81, 0x85, 0x86])),
        _ => {
            let between = parameter.low + random.below(usize::from(parameter.high - parameter.low) + 1) as u16;
            Value::number(random.of(&[parameter.low, parameter.high, between]))
        }
    }
}

/// Some parameters with random values.
fn some(random: &mut Random) -> Settings {
    let mut settings = Settings::new();
    for parameter in PARAMETERS.iter().filter(|_| !random.one_in(4)).collect::<Vec<_>>() {
        let value = any(random, parameter);
        assert!(settings::fits(parameter, &value), "{} {value:?}", parameter.name);
        settings.add(parameter, value, Place::Byte(0));
    }
    settings
}

#[test]
fn what_is_written_is_read_again() {
    let mut random = Random::new(15);
    for round in 0..2000 {
        let settings = some(&mut random);
        for file in [packed(&settings), written(&settings)] {
            let read = settings::read(&file).unwrap_or_else(|fault| panic!("round {round}: {fault:?} in {file:?}"));
            assert_eq!(listed(&read), listed(&settings), "round {round}");
        }
        assert!(written(&settings).len() < settings::FILE);
    }
}

#[test]
fn a_person_may_write_it() {
    let settings = settings::read(TEXT.as_bytes()).unwrap();
    let expected = [
        ("MODE", "3"), ("ADDRESS", "02:00:00:00:00:AA"), ("MULTICAST", "01:00:5E:00:00:01,01:00:5E:00:00:FB"), ("POLL", "0"), ("BURST", "8"),
        ("LOG", "8"), ("MEDIA", "TP,FD"), ("RXRING", "32"), ("HANDLES", "8"),
    ];
    let expected: BTreeMap<&str, String> = expected.map(|(name, value)| (name, value.to_string())).into();
    assert_eq!(listed(&settings).into_iter().collect::<BTreeMap<_, _>>(), expected);
    let place = |name: &str| settings.all().find(|(parameter, ..)| parameter.name == name).map(|(.., place)| place);
    assert_eq!([place("MODE"), place("ADDRESS"), place("MULTICAST")], [3, 4, 6].map(|line| Some(Place::Line(line))));
    // LF alone, no line end behind END, and the Ctrl-Z of old editors.
    for text in [TEXT.replace('\r', ""), TEXT.trim_end().to_string(), format!("{TEXT}\x1A"), format!("{TEXT}\x1Arest"), format!("{TEXT}\n;\n")] {
        assert_eq!(listed(&settings::read(text.as_bytes()).unwrap()), listed(&settings), "{text:?}");
    }
}

#[test]
fn every_medium_has_its_name_and_no_other_code_has_one() {
    let names: Vec<(u16, String)> = (0..=u16::MAX).filter_map(|code| text::medium(code).map(|(name, full)| (code, format!("{name}{}", if full { ",FD" } else { "" })))).collect();
    let expected = [
        (0, "DEFAULT"), (1, "TP"), (2, "AUI"), (4, "BNC"), (5, "TX"), (6, "FX"), (7, "MII"), (9, "AUTO"), (0x81, "TP,FD"), (0x85, "TX,FD"), (0x86, "FX,FD"),
    ];
    assert_eq!(names, expected.map(|(code, name)| (code, name.to_string())));
}

#[test]
fn every_parameter_is_explained() {
    for parameter in &PARAMETERS {
        let about = text::about(parameter);
        assert!(!about.is_empty() && about.len() <= 47, "{}: {about}", parameter.name);
        // An example is a value that the parameter takes.
        for word in text::example(parameter).iter().flat_map(|words| words.split([' ']).filter(|word| *word != "or")) {
            let word = if parameter.number == MEDIA { word.trim_end_matches(',') } else { word };
            assert!(text::value(parameter, word.as_bytes()).is_some(), "{}: {word}", parameter.name);
        }
    }
}

#[test]
fn the_wrong_line_is_named() {
    let line = |number: u16, why| Fault { place: Place::Line(number), why };
    for (old, new, fault) in [
        ("settings 1", "settings 2", line(1, text::NEWER)),
        ("settings 1", "settings 0", line(1, text::OLDER)),
        ("settings 1", "settings", line(1, text::NO_TITLE)),
        ("settings 1", "settings one", line(1, text::NO_TITLE)),
        ("3COMPKT settings 1\r\n", "", line(1, text::NO_TITLE)),
        ("MODE=3", "MODE=7", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE=0", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE=", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE=+3", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE=65539", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE=4294967299", line(3, text::BAD_VALUE)),
        ("MODE=3", "MODE 3", line(3, text::NO_EQUALS)),
        ("MODE=3", "MOD=3", line(3, text::UNKNOWN)),
        ("MODE=3", "=3", line(3, text::UNKNOWN)),
        ("02-00-00-00-00-aa", "", line(4, text::BAD_VALUE)),
        ("02-00-00-00-00-aa", "03-00-00-00-00-aa", line(4, text::BAD_VALUE)),
        ("02-00-00-00-00-aa", "02-00-00-00-00", line(4, text::BAD_VALUE)),
        ("02-00-00-00-00-aa", "00:00:00:00:00:00", line(4, text::BAD_VALUE)),
        ("01:00:5E:00:00:01,", "00:00:5E:00:00:01,", line(6, text::BAD_VALUE)),
        ("POLL=0", "BURST=9", line(8, text::TWICE)),
        ("MEDIA=TP,FD", "MEDIA=BNC,FD", line(10, text::BAD_VALUE)),
        ("END\r\n", "", line(13, text::TRUNCATED)),
        ("END", "END\r\nMODE=3", line(14, text::TOO_LONG)),
    ] {
        let broken = TEXT.replacen(old, new, 1);
        assert_ne!(broken, TEXT);
        assert_eq!(settings::read(broken.as_bytes()).unwrap_err(), fault, "{old} -> {new}");
    }
    assert_eq!(settings::read(b"").unwrap_err(), line(1, text::NO_TITLE));
    assert_eq!(settings::read(&[0; 100]).unwrap_err(), line(1, text::NO_TITLE));
}

/// Gives a changed block the checksum that it would have.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    let end = block.len() - 4;
    let sum = oracle::crc(&block[..end]);
    block[end..].copy_from_slice(&sum.to_le_bytes());
    block
}

#[test]
fn the_wrong_byte_is_named() {
    let byte = |number: usize, why| Fault { place: Place::Byte(number as u16), why };
    let mut settings = Settings::new();
    // A value that all three take.
    for number in [MODE, BURST, LEVEL] {
        settings.add(&PARAMETERS[usize::from(number) - 1], Value::number(4), Place::Byte(0));
    }
    // They are at 8, 12, 16, MODE first; the checksum is at 20.
    let block = packed(&settings);
    assert_eq!((block.len(), block[8]), (24, MODE));
    let with = |at: usize, value: u8| {
        let mut block = block.clone();
        block[at] = value;
        block
    };
    for len in 4..block.len() {
        assert_eq!(settings::read(&block[..len]).unwrap_err(), byte(len, block::TRUNCATED), "{len} bytes");
    }
    for (file, fault) in [
        (with(4, 0), byte(4, block::OLDER)),
        (with(4, 2), byte(4, block::NEWER)),
        (with(6, 11), byte(6, block::BAD_LENGTH)),
        ([&block[..], &[0]].concat(), byte(24, block::TOO_LONG)),
        (with(10, 2), byte(20, block::DAMAGED)),
        (with(20, block[20] ^ 1), byte(20, block::DAMAGED)),
        (sealed(with(8, 0)), byte(8, block::UNKNOWN)),
        (sealed(with(8, 99)), byte(8, block::UNKNOWN)),
        (sealed(with(10, 7)), byte(10, block::BAD_VALUE)),
        (sealed(with(9, 1)), byte(10, block::BAD_VALUE)),
        (sealed(with(17, 3)), byte(17, block::BAD_VALUE)),
        (sealed(with(16, MODE)), byte(16, block::TWICE)),
        (sealed(with(5, 2)), byte(5, block::BAD_COUNT)),
        (sealed(with(5, 4)), byte(5, block::BAD_COUNT)),
    ] {
        assert_eq!(settings::read(&file).unwrap_err(), fault, "{file:?}");
    }
    assert_eq!(block::crc(b"123456789"), 0xCBF4_3926);
}
