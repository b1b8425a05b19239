//! The block form of a file: signature, version, number of parameters, length; the parameters; a checksum.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `3CPS` |
//! | 4 | 1 | version, 1 |
//! | 5 | 1 | number of parameters |
//! | 6 | 2 | bytes of the whole file |
//! | 8 | 2 + n each | a parameter: its number, n, its value |
//! | last four | 4 | CRC-32 of all before, as in Ethernet and ZIP |
//!
//! Numbers are little endian. A number's value has two bytes.

use super::{Fault, Place, Settings, VERSION, Value, fits, has_bytes, parameter};

/// The first four bytes.
pub const SIGNATURE: [u8; 4] = *b"3CPS";
const HEAD: usize = 8;
const TAIL: usize = 4;
/// The most bytes that [`write`] gives.
pub const MOST: usize = HEAD + TAIL + crate::control::PARAMETERS.len() * 4 + 6 + super::MOST;

const VERSION_AT: usize = 4;
const LENGTH_AT: usize = 6;

/// The file ends before the byte.
pub const TRUNCATED: &str = "the file ends here, too early";
/// There are bytes behind the end.
pub const TOO_LONG: &str = "the block has ended, the file goes on";
/// The version is above ours.
pub const NEWER: &str = "a later version wrote this block";
/// The version is below ours.
pub const OLDER: &str = "an earlier version wrote this block";
/// The length is less than that of a block.
pub const BAD_LENGTH: &str = "no block is so short";
/// The checksum differs.
pub const DAMAGED: &str = "the checksum is wrong, so the file is damaged";
/// A parameter's number is unknown.
pub const UNKNOWN: &str = "no parameter has this number";
/// A parameter is there twice.
pub const TWICE: &str = "this parameter was there before";
/// A value has a wrong length or is out of range.
pub const BAD_VALUE: &str = "the parameter does not take this value";
/// The number of parameters is wrong.
pub const BAD_COUNT: &str = "so many parameters are not there";

/// CRC-32, polynomial EDB88320h, bit by bit: a table would be longer than the code.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= *byte as u32;
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
        }
    }
    !crc
}

/// Reads a block.
///
/// # Errors
/// The first place that is wrong.
#[inline(never)]
pub fn read(file: &[u8]) -> Result<Settings, Fault> {
    let fault = |at: usize, why| Err(Fault { place: Place::Byte(at as u16), why });
    let &[_, _, _, _, version, count, low, high, ..] = file else { return fault(file.len(), TRUNCATED) };
    if version != VERSION {
        return fault(VERSION_AT, if version > VERSION { NEWER } else { OLDER });
    }
    let length = u16::from_le_bytes([low, high]) as usize;
    if length < HEAD + TAIL {
        return fault(LENGTH_AT, BAD_LENGTH);
    }
    if file.len() > length {
        return fault(length, TOO_LONG);
    }
    let end = length - TAIL;
    let (Some(covered), Some(sum)) = (file.get(..end), file.get(end..length)) else { return fault(file.len(), TRUNCATED) };
    if sum != crc(covered).to_le_bytes() {
        return fault(end, DAMAGED);
    }
    let mut settings = Settings::new();
    let mut rest = covered.get(HEAD..).unwrap_or(&[]);
    while let [number, len, values @ ..] = rest {
        let at = end - rest.len();
        let Some((bytes, behind)) = values.split_at_checked(*len as usize) else { return fault(at + 1, BAD_VALUE) };
        let Some(parameter) = parameter(*number) else { return fault(at, UNKNOWN) };
        let value = match bytes {
            _ if has_bytes(parameter) => Value::of(bytes),
            [low, high] => Some(Value::number(u16::from_le_bytes([*low, *high]))),
            _ => None,
        };
        let Some(value) = value.filter(|value| fits(parameter, value)) else { return fault(at + 2, BAD_VALUE) };
        if !settings.add(parameter, value, Place::Byte(at as u16)) {
            return fault(at, TWICE);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        return fault(end - rest.len(), TRUNCATED);
    }
    if settings.len() != count as usize {
        return fault(VERSION_AT + 1, BAD_COUNT);
    }
    Ok(settings)
}

/// Writes a block; returns its length.
pub fn write(settings: &Settings, to: &mut [u8; MOST]) -> usize {
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        to.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
        at += bytes.len();
    };
    put(&SIGNATURE);
    put(&[VERSION, settings.len() as u8, 0, 0]);
    for (parameter, value, _) in settings.all() {
        let number = value.number.to_le_bytes();
        let bytes = if has_bytes(parameter) { value.bytes() } else { &number };
        put(&[parameter.number, bytes.len() as u8]);
        put(bytes);
    }
    let length = (at + TAIL) as u16;
    to.iter_mut().skip(LENGTH_AT).zip(length.to_le_bytes()).for_each(|(to, from)| *to = from);
    let sum = crc(to.get(..at).unwrap_or(&[])).to_le_bytes();
    to.iter_mut().skip(at).zip(sum).for_each(|(to, from)| *to = from);
    at + TAIL
}
