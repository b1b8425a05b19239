//! What a file has, read in another way than PKTCTL does: with the host's strings and maps.

use compkt::control::PARAMETERS;
use std::collections::BTreeMap;

/// Names and values, as the text form writes them.
pub type Pairs = BTreeMap<&'static str, String>;

/// CRC-32 by a table.
pub fn crc(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256).map(|n: u32| (0..8).fold(n, |n, _| if n & 1 == 1 { n >> 1 ^ 0xEDB8_8320 } else { n >> 1 })).collect();
    !bytes.iter().fold(!0, |crc, byte| table[(crc as u8 ^ byte) as usize] ^ crc >> 8)
}

const MEDIA: [(u16, &str); 11] = [
    (0, "DEFAULT"), (1, "TP"), (2, "AUI"), (4, "BNC"), (5, "TX"), (6, "FX"), (7, "MII"), (9, "AUTO"), (0x81, "TP,FD"), (0x85, "TX,FD"), (0x86, "FX,FD"),
];

fn shown(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn bytes(name: &str, bytes: &[u8]) -> Option<String> {
    let first = |address: &[u8]| address[0] & 1;
    match (name, bytes.len()) {
        ("ADDRESS", 0) => Some("ROM".into()),
        ("ADDRESS", 6) => (first(bytes) == 0 && bytes != [0; 6]).then(|| shown(bytes)),
        ("MULTICAST", len) if len % 6 == 0 && len <= 48 => {
            bytes.chunks(6).all(|group| first(group) == 1).then(|| bytes.chunks(6).map(shown).collect::<Vec<_>>().join(","))
        }
        _ => None,
    }
}

fn number(name: &str, value: u16) -> Option<String> {
    if name == "MEDIA" {
        return MEDIA.iter().find(|(code, _)| *code == value).map(|(_, name)| name.to_string());
    }
    let parameter = PARAMETERS.iter().find(|parameter| parameter.name == name)?;
    (parameter.low..=parameter.high).contains(&value).then(|| value.to_string())
}

/// A block; `None`: it is not valid.
pub fn block(file: &[u8]) -> Option<Pairs> {
    let end = file.len().checked_sub(4).filter(|end| *end >= 8)?;
    let word = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
    let whole = &file[..4] == b"3CPS" && file[4] == 1 && usize::from(word(6)) == file.len() && crc(&file[..end]).to_le_bytes() == file[end..];
    let mut pairs = Pairs::new();
    let mut at = 8;
    while whole && at < end {
        let (id, len) = (*file[..end].get(at)?, usize::from(*file[..end].get(at + 1)?));
        let value = file[..end].get(at + 2..at + 2 + len)?;
        let name = PARAMETERS.iter().find(|parameter| parameter.number == id)?.name;
        let text = match name {
            "ADDRESS" | "MULTICAST" => bytes(name, value)?,
            _ => number(name, u16::from_le_bytes(value.try_into().ok()?))?,
        };
        if pairs.insert(name, text).is_some() {
            return None;
        }
        at += 2 + len;
    }
    (whole && pairs.len() == usize::from(file[5])).then_some(pairs)
}

/// A text; the error is its first wrong line.
pub fn text(file: &[u8]) -> Result<Pairs, usize> {
    // Latin-1: each byte is a character.
    let all: String = file.iter().take_while(|byte| **byte != 0x1A).map(|byte| char::from(*byte)).collect();
    let blanks = [' ', '\t', '\r', '\x0C'];
    let mut pairs = Pairs::new();
    let mut ended = false;
    let lines: Vec<&str> = all.split('\n').map(|line| line.trim_matches(blanks)).collect();
    let title = lines[0].to_ascii_lowercase();
    let version = title.strip_prefix("3compkt settings").map(|rest| rest.trim_matches(blanks));
    if version.is_none_or(|version| version.trim_start_matches('0') != "1") {
        return Err(1);
    }
    for (index, line) in lines.iter().enumerate().skip(1) {
        let wrong = Err(index + 1);
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if ended {
            return wrong;
        }
        if line.eq_ignore_ascii_case("end") {
            ended = true;
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { return wrong };
        let (name, value) = (name.trim_matches(blanks).to_ascii_uppercase(), value.trim_matches(blanks).to_ascii_uppercase());
        let Some(name) = PARAMETERS.iter().map(|parameter| parameter.name).find(|known| *known == name) else { return wrong };
        let Some(value) = value_of(name, &value, &blanks) else { return wrong };
        if pairs.insert(name, value).is_some() {
            return wrong;
        }
    }
    if ended { Ok(pairs) } else { Err(lines.len()) }
}

fn value_of(name: &str, value: &str, blanks: &[char]) -> Option<String> {
    match name {
        "ADDRESS" if value == "ROM" => Some(value.into()),
        "ADDRESS" if value.is_empty() => None,
        "ADDRESS" | "MULTICAST" => {
            let mut all = Vec::new();
            for address in value.split(',').map(|address| address.trim_matches(blanks)).filter(|_| !value.is_empty()) {
                let parts: Vec<&str> = address.split([':', '-']).collect();
                if parts.len() != 6 || parts.iter().any(|part| part.len() != 2 || part.starts_with('+')) {
                    return None;
                }
                for part in parts {
                    all.push(u8::from_str_radix(part, 16).ok()?);
                }
            }
            bytes(name, &all)
        }
        "MEDIA" => MEDIA.iter().find(|(_, known)| *known == value).map(|(_, known)| known.to_string()),
        _ if value.starts_with('+') => None,
        _ => number(name, value.parse().ok()?),
    }
}
