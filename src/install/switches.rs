//! The command line: `/NAME=value` switches, Crynwr's positional form, and what each is good for.
//!
//! One table serves the parser, `3COMPKT /?` and the manual.

use super::numbers::parse;
use crate::device::MacAddr;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// INT vector of the packet driver.
    pub vector: u8,
    /// First port; 0: find it.
    pub io: u16,
    /// Interrupt line; 0: find it.
    pub irq: u8,
    /// Entries in the handle table.
    pub handles: u8,
    /// Bytes of stack that receivers find.
    pub stack: u16,
    /// Which NIC.
    pub nic: Want<'a>,
    /// Unload.
    pub unload: bool,
    /// Explain.
    pub help: bool,
}

/// Which NIC the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want<'a> {
    /// The first found.
    Any,
    /// The first of a kind.
    Name(&'a [u8]),
    /// The one at a PCI place: bus in bits 15:8, device 7:3, function 2:0.
    Pci(u16),
    /// The one with an address.
    Mac(MacAddr),
}

/// A switch: its name, what its value looks like, its default, what it does.
pub struct Switch {
    /// Upper case, without the slash.
    pub name: &'static str,
    /// Empty when the switch takes no value.
    pub value: &'static str,
    /// One line.
    pub help: &'static str,
}

/// Every switch there is.
pub const SWITCHES: &[Switch] = &[
    Switch { name: "INT", value: "60", help: "packet driver vector, hexadecimal, 60 to 80" },
    Switch { name: "NIC", value: "name", help: "which one: a name, PCI place (0:3.0) or address" },
    Switch { name: "IO", value: "300", help: "its first port, hexadecimal (default: look)" },
    Switch { name: "IRQ", value: "10", help: "its interrupt, 2 to 15 (default: look)" },
    Switch { name: "HANDLES", value: "8", help: "handles, 1 to 64" },
    Switch { name: "STACK", value: "256", help: "stack for receivers in bytes, 128 to 2048" },
    Switch { name: "U", value: "", help: "unload the driver on /INT" },
    Switch { name: "?", value: "", help: "this list" },
];

/// Why a command line was refused. The text is the offending word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// The word as the user wrote it.
    pub word: &'a [u8],
    /// What is wrong with it, and the remedy.
    pub why: &'static str,
}

const UNKNOWN: &str = "no such switch; 3COMPKT /? lists them";
const BAD_VECTOR: &str = "the vector is 60 to 66, 68 to 6F, 78, 7B to 7E or 80 (hexadecimal)";
const BAD_IO: &str = "the port is 200 to FFE0 (hexadecimal), a multiple of 10";
const BAD_IRQ: &str = "the IRQ is 2 to 7, 9 to 12, 14 or 15";
const BAD_NIC: &str = "the NIC is a name (e.g. ne2000), a PCI place (0:3.0) or an address (52:54:00:12:34:56)";
const BAD_HANDLES: &str = "the number of handles is 1 to 64";
const BAD_STACK: &str = "the stack is 128 to 2048 bytes";
const NO_VALUE: &str = "this switch takes no value";

/// 67h is EMS, 70h to 77h the second PIC, 79h and 7Fh others' too, 7Ah IPX.
fn vector_allowed(vector: u32) -> bool {
    matches!(vector, 0x60..=0x66 | 0x68..=0x6F | 0x78 | 0x7B..=0x7E | 0x80)
}

fn vector(value: Option<u32>) -> Result<u8, &'static str> {
    value.filter(|&value| vector_allowed(value)).map(|value| value as u8).ok_or(BAD_VECTOR)
}

#[inline(never)]
fn io(value: Option<u32>) -> Result<u16, &'static str> {
    value.filter(|value| matches!(value, 0x200..=0xFFE0) && value & 15 == 0).map(|value| value as u16).ok_or(BAD_IO)
}

#[inline(never)]
fn irq(value: Option<u32>) -> Result<u8, &'static str> {
    let value = value.filter(|value| matches!(value, 2..=7 | 9..=12 | 14 | 15)).ok_or(BAD_IRQ)?;
    // The AT leads the old bus line 2 to the second PIC's 9.
    Ok(if value == 2 { 9 } else { value as u8 })
}

#[inline(never)]
fn range(value: Option<u32>, low: u32, high: u32, why: &'static str) -> Result<u16, &'static str> {
    value.filter(|value| (low..=high).contains(value)).map(|value| value as u16).ok_or(why)
}

/// A name, `bus:device.function`, or an address with colons or hyphens.
fn want(text: &[u8]) -> Result<Want<'_>, &'static str> {
    if text.is_empty() {
        return Err(BAD_NIC);
    }
    let separators = text.iter().filter(|byte| matches!(byte, b':' | b'-')).count();
    if separators == 5 {
        let mut mac = [0; 6];
        for (byte, part) in mac.iter_mut().zip(text.split(|byte| matches!(byte, b':' | b'-'))) {
            *byte = parse(part, 16).filter(|value| *value <= 0xFF).ok_or(BAD_NIC)? as u8;
        }
        return Ok(Want::Mac(mac));
    }
    if text.contains(&b'.') {
        let mut parts = text.split(|byte| matches!(byte, b':' | b'.'));
        let mut place = |highest: u32| parts.next().and_then(|part| parse(part, 16)).filter(|value| *value <= highest);
        let (Some(bus), Some(device), Some(function)) = (place(255), place(31), place(7)) else { return Err(BAD_NIC) };
        return Ok(Want::Pci((bus << 8 | device << 3 | function) as u16));
    }
    Ok(Want::Name(text))
}

fn is(name: &[u8], switch: &str) -> bool {
    name.eq_ignore_ascii_case(switch.as_bytes())
}

#[inline(never)]
fn switch<'a>(options: &mut Options<'a>, name: &[u8], value: Option<&'a [u8]>) -> Result<(), &'static str> {
    let text = value.unwrap_or(b"");
    let (hex, decimal) = (parse(text, 16), parse(text, 10));
    if is(name, "INT") {
        options.vector = vector(hex)?;
    } else if is(name, "NIC") {
        options.nic = want(text)?;
    } else if is(name, "IO") {
        options.io = io(hex)?;
    } else if is(name, "IRQ") {
        options.irq = irq(decimal)?;
    } else if is(name, "HANDLES") {
        options.handles = range(decimal, 1, 64, BAD_HANDLES)? as u8;
    } else if is(name, "STACK") {
        options.stack = range(decimal, 128, 2048, BAD_STACK)?;
    } else if is(name, "U") || is(name, "?") {
        if value.is_some() {
            return Err(NO_VALUE);
        }
        options.unload |= is(name, "U");
        options.help |= is(name, "?");
    } else {
        return Err(UNKNOWN);
    }
    Ok(())
}

/// Crynwr's one-letter options: those that mean something here are done, the others refused by what they are.
#[inline(never)]
fn letter(options: &mut Options, letter: u8) -> Result<(), &'static str> {
    match letter.to_ascii_lowercase() {
        b'u' => options.unload = true,
        b'n' => return Err("Novell's 802.3 frames are not converted here; use a client that speaks Ethernet II"),
        b'd' => return Err("the card is always set up at load; leave the option out"),
        b'w' => return Err("Windows needs no special care here; leave the option out"),
        b'p' => return Err("promiscuous mode is the clients' choice here; leave the option out"),
        b'i' => return Err("class 11 (802.3) is always there beside class 1; leave the option out"),
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

/// Reads a command tail: the words behind the driver's name.
#[inline(never)]
pub fn options(tail: &[u8]) -> Result<Options<'_>, Refused<'_>> {
    let mut options = Options { vector: 0x60, io: 0, irq: 0, handles: 8, stack: 256, nic: Want::Any, unload: false, help: false };
    let mut positional = 0;
    for word in tail.split(|byte| *byte <= b' ').filter(|word| !word.is_empty()) {
        let result = match word {
            [b'/', rest @ ..] => {
                let at = rest.iter().position(|byte| matches!(byte, b'=' | b':'));
                let (name, value) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or((rest, b""));
                switch(&mut options, name, value.get(1..))
            }
            [b'-', one] => letter(&mut options, *one),
            [b'-', ..] => Err(UNKNOWN),
            _ => {
                positional += 1;
                match parse(word, 10) {
                    None => Err("not a number; 3COMPKT /? explains"),
                    value if positional == 1 => vector(value).map(|value| options.vector = value),
                    value @ Some(0x100..) => io(value).map(|value| options.io = value),
                    value if positional <= 3 => irq(value).map(|value| options.irq = value),
                    _ => Err("one number too many; 3COMPKT /? explains"),
                }
            }
        };
        result.map_err(|why| Refused { word, why })?;
    }
    Ok(options)
}
