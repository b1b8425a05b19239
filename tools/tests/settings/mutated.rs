//! 10,000 mutated files of each form: accepted only if they are valid, and then all that they have is set; else nothing is.

use super::driver::{Driver, expected};
use super::oracle::{self, Pairs};
use super::{listed, packed, sealed, some, written};
use compkt::control::Class;
use compkt::programs::settings::{self, Place, set::set};
use tools::random::Random;

const FILES: u64 = 10_000;

/// Changes a file at up to three places.
fn mutate(random: &mut Random, file: &mut Vec<u8>, words: &[&[u8]]) {
    let many = if random.one_in(2) { 1 } else { 1 + random.below(3) };
    for _ in 0..many {
        if file.is_empty() {
            return;
        }
        // Another digit for one of the text's; in a block, another low byte.
        if random.one_in(3) {
            let digits: Vec<usize> = (18.min(file.len() - 1)..file.len()).filter(|at| file[*at].is_ascii_digit() || file.starts_with(b"3CPS")).collect();
            if !digits.is_empty() {
                let at = random.of(&digits);
                file[at] = file[at] & 0xF0 | random.below(10) as u8;
            }
            continue;
        }
        let at = random.below(file.len());
        let len = 1 + random.below(8);
        let end = file.len().min(at + len);
        match random.below(8) {
            0 => file[at] ^= 1 << random.below(8),
            1 => file[at] = random.word() as u8,
            2 => drop(file.drain(at..end)),
            3 => file.truncate(at),
            4 => {
                let copy = file[at..end].to_vec();
                let to = random.below(file.len());
                file.splice(to..to, copy);
            }
            5 => {
                let word = random.of(words);
                file.splice(at..end, word.iter().copied());
            }
            6 => {
                let word = random.of(words);
                file.splice(at..at, word.iter().copied());
            }
            _ => file[at] = random.of(b"0123456789=:,;\n\rABEND \x1A"),
        }
    }
}

/// Reads the file and sets a driver by it. The oracle says whether the file is valid.
fn check(seed: u64, random: &mut Random, file: &[u8], valid: Option<&Pairs>) {
    let mut driver = Driver::any(random);
    let before = driver.clone();
    match settings::read(file) {
        Ok(settings) => {
            let read: Pairs = listed(&settings).into_iter().collect();
            assert_eq!(Some(&read), valid, "seed {seed}: accepted {file:?}");
            // Of the fixed parameters a file may have the driver's own values.
            for (parameter, value, _) in settings.all().filter(|(parameter, ..)| parameter.class == Class::Fixed) {
                driver.values[usize::from(parameter.number) - 1] = Some((*value, *value));
            }
            let before = driver.clone();
            set(&mut driver, &settings).unwrap();
            assert_eq!(driver.values, expected(&before, &settings), "seed {seed}");
        }
        Err(fault) => {
            assert_eq!(valid, None, "seed {seed}: refused {file:?}: {fault:?}");
            assert!(!fault.why.is_empty());
            assert_eq!(driver, before);
        }
    }
}

#[test]
fn texts() {
    let words: &[&[u8]] = &[b"MODE=4\r\n", b"END\r\n", b"=", b"BURST=64", b"65535", b";", b"\r\n", b"ADDRESS=ROM\n", b"MEDIA=TX,FD\n", b"01:00:5E:00:00:02", b"3COMPKT settings 1"];
    let mut accepted = 0;
    for seed in 0..FILES {
        let mut random = Random::new(seed);
        let mut file = written(&some(&mut random));
        mutate(&mut random, &mut file, words);
        let valid = oracle::text(&file);
        check(seed, &mut random, &file, valid.as_ref().ok());
        // The block's signature is not a text's; all else has the line.
        if let (Err(line), Err(fault)) = (&valid, settings::read(&file)) {
            assert_eq!(fault.place, Place::Line(*line as u16), "seed {seed}: {}", String::from_utf8_lossy(&file));
        }
        accepted += u64::from(valid.is_ok());
    }
    println!("seeds 0 to {}: {accepted} accepted", FILES - 1);
    assert!((FILES / 20..FILES / 2).contains(&accepted), "{accepted} of {FILES} were valid: the mutations are too weak or too strong");
}

#[test]
fn blocks() {
    let words: &[&[u8]] = &[&[1, 2, 3, 0], &[2, 0], &[3, 6, 1, 0, 0x5E, 0, 0, 1], b"3CPS", &[0, 0], &[0xFF, 0xFF], &[11, 2, 5, 0]];
    let mut accepted = 0;
    for seed in 0..FILES {
        let mut random = Random::new(seed);
        let mut file = packed(&some(&mut random));
        mutate(&mut random, &mut file, words);
        // Half of them get the checksum of their bytes, and most of these their length and count: else the checksum alone refuses them.
        if seed % 2 == 0 && file.len() >= 12 {
            if !random.one_in(8) {
                let len = file.len() as u16;
                file[6..8].copy_from_slice(&len.to_le_bytes());
            }
            if random.one_in(2) {
                file[5] = file[5].wrapping_add(random.of(&[0, 1, 255]));
            }
            file = sealed(file);
        }
        if file.starts_with(b"3CPS") {
            let valid = oracle::block(&file);
            check(seed, &mut random, &file, valid.as_ref());
            accepted += u64::from(valid.is_some());
        } else {
            check(seed, &mut random, &file, oracle::text(&file).ok().as_ref());
        }
    }
    println!("seeds 0 to {}: {accepted} accepted", FILES - 1);
    assert!((FILES / 20..FILES / 2).contains(&accepted), "{accepted} of {FILES} were valid: the mutations are too weak or too strong");
}
