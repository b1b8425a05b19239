//! The text form of a file, which a person can edit: a first line with the version, lines `NAME=value`, a last line `END`.
//!
//! Blanks at both ends of a line, empty lines and lines that begin with `;` are ignored. A line ends with LF or CR LF. Some
//! editors end a file with Ctrl-Z, which ends it here, too.

use super::{Fault, Place, Settings, VERSION, Value, fits, has_bytes};
use crate::control::{
    ADDRESS, BURST, CACHE, DELAY, HANDLES, HOLD, INTERVAL, LEVEL, MEDIA, MIGRATE, MODE, MULTICAST, PARAMETERS, POLL, Parameter, RX_RING, STACK,
    TX_RING, XMS,
};
use crate::install::stages::switches::{MEDIA as NAMES, medium as medium_of};
use crate::probe::media::FULL;

/// The first line, before the version.
pub const TITLE: &str = "3COMPKT settings";
/// The last line.
pub const END: &str = "END";
/// The card's address that its ROM has.
const ROM: &str = "ROM";
/// The medium that the card's EEPROM has.
const DEFAULT: &str = "DEFAULT";

/// The first line is another.
pub const NO_TITLE: &str = "the first line of such a file is \"3COMPKT settings 1\"";
/// The version is above ours.
pub const NEWER: &str = "a later version wrote this file";
/// The version is below ours.
pub const OLDER: &str = "an earlier version wrote this file";
/// There is no last line.
pub const TRUNCATED: &str = "the file ends here, without a line END";
/// There are lines behind the last.
pub const TOO_LONG: &str = "a line behind END";
/// The line has no `=`.
pub const NO_EQUALS: &str = "not NAME=value";
/// The name is unknown.
pub const UNKNOWN: &str = "no parameter has this name";
/// The name was there before.
pub const TWICE: &str = "this parameter was there before";
/// The value does not fit.
pub const BAD_VALUE: &str = "the parameter does not take this value";

/// The name of a medium without `,FD`, and whether that follows; `None`: there is no such medium.
#[inline(never)]
pub fn medium(code: u16) -> Option<(&'static str, bool)> {
    if code == 0 {
        return Some((DEFAULT, false));
    }
    let (name, bare) = NAMES.iter().find(|(_, known)| *known as u16 == code & !(FULL as u16))?;
    let full = code != *bare as u16;
    // Only three of them have a full duplex.
    let mut word = [0; 8];
    word.iter_mut().zip(name.bytes().chain(*b",FD")).for_each(|(to, from)| *to = from);
    (!full || medium_of(word.get(..name.len() + 3)?).is_some()).then_some((*name, full))
}

/// A decimal number of at most 65,535, without a sign.
fn number(text: &[u8]) -> Option<u16> {
    let mut value = 0u32;
    for digit in text {
        value = value * 10 + digit.checked_sub(b'0').filter(|digit| *digit < 10)? as u32;
        if value > 0xFFFF {
            return None;
        }
    }
    (!text.is_empty()).then_some(value as u16)
}

/// Addresses with commas between, each as `02:00:00:00:00:01`.
fn addresses(text: &[u8]) -> Option<Value> {
    let mut bytes = [0; super::MOST];
    let mut used = 0;
    if !text.is_empty() {
        for address in text.split(|byte| *byte == b',') {
            let mut parts = 0;
            for part in address.trim_ascii().split(|byte| matches!(byte, b':' | b'-')) {
                let &[high, low] = part else { return None };
                *bytes.get_mut(used)? = (digit(high)? << 4) | digit(low)?;
                used += 1;
                parts += 1;
            }
            if parts != 6 {
                return None;
            }
        }
    }
    Value::of(bytes.get(..used)?)
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// A parameter's value from its text; `None` if it does not take that.
#[inline(never)]
pub fn value(parameter: &Parameter, text: &[u8]) -> Option<Value> {
    let is = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    let value = match parameter.number {
        ADDRESS if is(ROM) => Value::of(&[])?,
        // Without text the address would be the ROM's.
        ADDRESS if text.is_empty() => return None,
        MEDIA if is(DEFAULT) => Value::number(0),
        MEDIA => Value::number(medium_of(text)? as u16),
        _ if has_bytes(parameter) => addresses(text)?,
        _ => Value::number(number(text)?),
    };
    fits(parameter, &value).then_some(value)
}

/// A value for a parameter that takes more than a number in a range.
pub fn example(parameter: &Parameter) -> Option<&'static str> {
    match parameter.number {
        ADDRESS => Some("02:00:00:00:00:01 or ROM"),
        MULTICAST => Some("01:00:5E:00:00:01,01:00:5E:00:00:FB"),
        MEDIA => Some("DEFAULT, AUTO, TX or TX,FD"),
        _ => None,
    }
}

/// What a parameter is, in at most 47 letters.
pub fn about(parameter: &Parameter) -> &'static str {
    match parameter.number {
        MODE => "receive mode, 1 off to 6 everything",
        ADDRESS => "the card's address",
        MULTICAST => "multicast addresses",
        BURST => "frames before other interrupts",
        POLL => "1: the driver polls, 0: the card interrupts",
        LEVEL => "events above this number are not logged",
        INTERVAL => "seconds between readings of stats --watch",
        MEDIA => "the card's medium",
        XMS => "KB of XMS for frames that wait",
        HANDLES => "handles",
        CACHE => "bytes below 1 MB before that XMS",
        STACK => "bytes of stack for receivers",
        HOLD => "ticks that a refused frame waits",
        MIGRATE => "waiting bytes before XMS is used",
        DELAY => "microseconds before the card interrupts",
        RX_RING => "frames in the receive ring",
        TX_RING => "frames in the send ring",
        _ => "",
    }
}

/// The parameter with this name.
pub fn parameter(name: &[u8]) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| name.eq_ignore_ascii_case(parameter.name.as_bytes()))
}

/// Splits `NAME=value`.
pub fn pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b'=')?;
    Some((line.get(..at)?.trim_ascii(), line.get(at + 1..)?.trim_ascii()))
}

/// Reads a text.
///
/// # Errors
/// The first line that is wrong.
#[inline(never)]
pub fn read(file: &[u8]) -> Result<Settings, Fault> {
    let end = file.iter().position(|byte| *byte == 0x1A).unwrap_or(file.len());
    let text = file.get(..end).unwrap_or(&[]);
    let mut settings = Settings::new();
    let (mut line, mut titled, mut ended) = (0, false, false);
    let fault = |line, why| Err(Fault { place: Place::Line(line), why });
    for part in text.split(|byte| *byte == b'\n') {
        line += 1;
        let part = part.trim_ascii();
        if !titled {
            titled = true;
            let version = part.split_at_checked(TITLE.len()).filter(|(title, _)| title.eq_ignore_ascii_case(TITLE.as_bytes()));
            match version.and_then(|(_, version)| number(version.trim_ascii())) {
                Some(version) if version == VERSION as u16 => continue,
                Some(version) => return fault(line, if version > VERSION as u16 { NEWER } else { OLDER }),
                None => return fault(line, NO_TITLE),
            }
        }
        if part.is_empty() || part.starts_with(b";") {
            continue;
        }
        if ended {
            return fault(line, TOO_LONG);
        }
        if part.eq_ignore_ascii_case(END.as_bytes()) {
            ended = true;
            continue;
        }
        let Some((name, text)) = pair(part) else { return fault(line, NO_EQUALS) };
        let Some(parameter) = parameter(name) else { return fault(line, UNKNOWN) };
        let Some(value) = value(parameter, text) else { return fault(line, BAD_VALUE) };
        if !settings.add(parameter, value, Place::Line(line)) {
            return fault(line, TWICE);
        }
    }
    if ended { Ok(settings) } else { fault(line, TRUNCATED) }
}

/// Calls `put` with the pieces of a parameter's value.
#[inline(never)]
pub fn write_value(parameter: &Parameter, value: &Value, put: &mut dyn FnMut(&[u8])) {
    if has_bytes(parameter) {
        if parameter.number == ADDRESS && value.bytes().is_empty() {
            put(ROM.as_bytes());
        }
        for (place, byte) in value.bytes().iter().enumerate() {
            if place != 0 {
                put(if place % 6 == 0 { b"," } else { b":" });
            }
            put(&[byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }));
        }
        return;
    }
    if parameter.number == MEDIA {
        if let Some((name, full)) = medium(value.number) {
            put(name.as_bytes());
            put(if full { b",FD" } else { b"" });
            return;
        }
    }
    let mut digits = [0; 5];
    let mut rest = value.number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    put(digits.get(digits.len() - used..).unwrap_or(&[]));
}

/// Calls `put` with the pieces of a text that [`read`] understands.
pub fn write(settings: &Settings, put: &mut dyn FnMut(&[u8])) {
    put(TITLE.as_bytes());
    put(b" 1\r\n");
    for (parameter, value, _) in settings.all() {
        put(parameter.name.as_bytes());
        put(b"=");
        write_value(parameter, value, put);
        put(b"\r\n");
    }
    put(END.as_bytes());
    put(b"\r\n");
}

const _: () = assert!(VERSION == 1, "write() has the version in its first line");
