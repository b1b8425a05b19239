//! Reads a command line: its words, and the numbers and addresses in them.

use crate::programs::net::Ip;

/// The words of a DOS command tail: split at blanks and tabs, ended by CR or NUL.
pub fn words(tail: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = tail.iter().position(|byte| matches!(byte, 0x0D | 0x0A | 0)).unwrap_or(tail.len());
    tail.get(..end).unwrap_or(&[]).split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// Splits `/NAME=value`, `/NAME:value`, `/NAME` and the same with `-`; `None` for a word that is no switch.
pub fn switch(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let (b'/' | b'-', rest) = word.split_first()? else { return None };
    let at = rest.iter().position(|byte| matches!(byte, b'=' | b':')).unwrap_or(rest.len());
    Some((rest.get(..at).unwrap_or(&[]), rest.get(at + 1..).unwrap_or(&[])))
}

/// Whether both words are the same, except for case.
pub fn same(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// A decimal number, or a hexadecimal one with `0x`; at most 7FFFFFFh. `None` if the word has anything else.
pub fn number(word: &[u8]) -> Option<u32> {
    match word {
        [b'0', b'x' | b'X', digits @ ..] => digits_of(digits, 16),
        _ => digits_of(word, 10),
    }
}

/// A hexadecimal number, with or without `0x`; at most 7FFFFFFh.
pub fn hex(word: &[u8]) -> Option<u32> {
    match word {
        [b'0', b'x' | b'X', digits @ ..] => digits_of(digits, 16),
        _ => digits_of(word, 16),
    }
}

fn digits_of(word: &[u8], base: u32) -> Option<u32> {
    let mut value = 0;
    for byte in word {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        } as u32;
        if digit >= base || value >= 0x80_0000 {
            return None;
        }
        value = value * base + digit;
    }
    if word.is_empty() { None } else { Some(value) }
}

/// An IPv4 address, `10.0.2.2`.
pub fn ip(word: &[u8]) -> Option<Ip> {
    let mut ip = [0; 4];
    let mut parts = word.split(|byte| *byte == b'.');
    for byte in &mut ip {
        let value = digits_of(parts.next()?, 10)?;
        if value > 255 {
            return None;
        }
        *byte = value as u8;
    }
    if parts.next().is_some() { None } else { Some(ip) }
}
