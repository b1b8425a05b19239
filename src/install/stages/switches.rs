//! The command line: `/NAME=value` switches, Crynwr's positional form, and what each is good for.
//!
//! One table serves the parser, `3COMPKT /?` and the manual. What the last two say of a switch is not in the image: the
//! pack step writes it to the file.

use super::numbers::parse;
use crate::device::MacAddr;
use crate::install::features::needs;
use crate::install::lines::Line;
use crate::memory::{FRAMES, SLOT, direct};
use crate::probe::media;
use crate::resident::table;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Options {
    /// INT vector of the packet driver.
    pub vector: u8,
    /// It was the user who said so.
    pub vector_given: bool,
    /// First port; 0: find it.
    pub io: u16,
    /// Interrupt line; 0: find it.
    pub irq: u8,
    /// Entries in the handle table; 0, with `/REPLACE` alone: as many as the other copy has.
    pub handles: u8,
    /// Bytes of stack that receivers find.
    pub stack: u16,
    /// Which NIC.
    pub nic: Want,
    /// A list of NICs, or [`ALL`]: its address; 0: one NIC.
    pub names: u16,
    /// A list of vectors: its address; 0: one vector.
    pub vectors: u16,
    /// The card's medium (see [`media`]); 0: as its EEPROM says.
    pub media: u8,
    /// Ask before loading, for so many seconds; 0: do not ask. (Here, in a byte that would be unused: the plan is in the load image.)
    pub ask: u8,
    /// What features it takes ([`needs`]), as far as the machine and the card do not decide that.
    pub needs: u32,
    /// Frames that are taken before other interrupts are looked for; 0, with `/REPLACE` alone: not given.
    pub burst: u8,
    /// Frames may wait: KB of extended memory or bytes of conventional memory were given for them.
    pub waits: bool,
    /// Slots in extended memory for frames that wait.
    pub slots: u16,
    /// Ticks for which a refused frame is offered again; 0, with `/REPLACE` alone: not given.
    pub hold: u16,
    /// Queued bytes at which frames go there; without XMS, bytes for all that wait.
    pub migrate: u16,
    /// Bytes of conventional memory before extended memory; 0: not given.
    pub cache: u16,
    /// As little memory as can be.
    pub compact: bool,
    /// Unload.
    pub unload: bool,
    /// Take over from the copy that is loaded.
    pub replace: bool,
    /// Put the pending parameters of the copy that is loaded in force; then `replace` is set, too.
    pub apply: bool,
    /// Tell what is found.
    pub verbose: bool,
    /// Explain.
    pub help: bool,
    /// There are switches that are not in [`SWITCHES`]: the stage `list` looks whether a bond has them.
    pub others: bool,
}

impl Options {
    /// Sets BURST and HOLD if no switch has: to these values of the copy that is replaced, or to the defaults.
    #[inline(always)]
    pub fn fill(&mut self, burst: Option<u16>, hold: Option<u16>) {
        if self.burst == 0 {
            self.burst = burst.map_or(table::BURST, |burst| burst as u8);
        }
        if self.hold == 0 {
            self.hold = hold.unwrap_or(direct::HOLD);
        }
    }
}

/// Letters of a NIC's name that are looked at: more than any has.
pub const NAME: usize = 12;

/// Which NIC the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, u8)]
pub enum Want {
    /// The first found.
    Any,
    /// The first of a kind, by its first letters; zeros behind them.
    Name([u8; NAME]),
    /// The one at a PCI place: bus in bits 15:8, device 7:3, function 2:0.
    Pci(u16),
    /// The one with an address.
    Mac(MacAddr),
}

/// What values a switch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// None.
    Bare,
    /// None; a feature is placed for this need.
    Needs(u16),
    /// A hexadecimal number in a range.
    Hex(u16, u16),
    /// A decimal number in a range.
    Dec(u16, u16),
    /// [`Want`].
    Nic,
    /// One of [`MEDIA`], perhaps in full duplex; for a bond, one of its names (`bonds.rs`).
    Media,
}

/// A switch: its name, its values, its default, what it does.
pub struct Switch {
    /// Upper case, without the slash.
    pub name: &'static str,
    /// An example or the default; empty when the switch takes no value.
    #[cfg(not(target_os = "none"))]
    pub value: &'static str,
    /// One line.
    #[cfg(not(target_os = "none"))]
    pub help: &'static str,
    /// Its values.
    pub rule: Rule,
    /// What is said when a value does not fit.
    pub why: Line,
}

/// Makes a table of switches.
macro_rules! switches {
    ($(#[$doc:meta])* $table:ident: $($index:ident $name:literal $value:literal $rule:expr, $why:expr, $help:literal;)*) => {
        /// Their places in it. Those of switches that the table says all about are not used.
        #[allow(dead_code)]
        enum Index {
            $($index,)*
        }
        $(#[$doc])*
        pub static $table: [Switch; [$($name),*].len()] = [$(
            Switch {
                name: $name,
                #[cfg(not(target_os = "none"))]
                value: $value,
                #[cfg(not(target_os = "none"))]
                help: $help,
                rule: $rule,
                why: $why,
            },
        )*];
    };
}
pub(super) use switches;

switches! {
    /// Every switch but a bond's.
    SWITCHES:
    Int "INT" "60" Rule::Hex(0x60, 0x80), Line::Vector,
        "packet driver vector, hexadecimal, 60 to 80; or a list";
    Nic "NIC" "name" Rule::Nic, Line::Nic,
        "a name, PCI place (0:3.0) or address; a list; ALL";
    Io "IO" "300" Rule::Hex(0x200, 0xFFE0), Line::Port,
        "its first port, hexadecimal (default: look)";
    Irq "IRQ" "10" Rule::Dec(2, 15), Line::Irq,
        "its interrupt, 2 to 15 (default: look)";
    Handles "HANDLES" "8" Rule::Dec(1, 64), Line::Handles,
        "handles, 1 to 64";
    Stack "STACK" "256" Rule::Dec(192, 2048), Line::Stack,
        "stack for receivers in bytes, 192 to 2048";
    Media "MEDIA" "TP" Rule::Media, Line::Medium,
        "3Com: AUTO TP AUI BNC TX FX MII; full duplex: TP,FD";
    Xms "XMS" "48" Rule::Dec(16, 16384), Line::Xms,
        "KB of XMS for frames that wait, 16 to 16384";
    Migrate "MIGRATE" "8192" Rule::Dec(1536, 65024), Line::Migrate,
        "bytes of them below 1 MB, 1536 to 65024";
    Cache "CACHE" "4096" Rule::Dec(1536, 32768), Line::Cache,
        "bytes below 1 MB in V86 mode, 1536 to 32768";
    Hold "HOLD" "2" Rule::Dec(1, 250), Line::Hold,
        "ticks (55 ms) for which they wait for a buffer";
    Compact "COMPACT" "" Rule::Bare, Line::NoValue,
        "as small as can be: /HANDLES=4 /CACHE=1536";
    Stats "STATS" "" Rule::Needs(low(needs::STATS)), Line::NoValue,
        "count frames for each handle; PKTCTL status shows them";
    Count "COUNT" "" Rule::Needs(low(needs::COUNT)), Line::NoValue,
        "count the frames that receivers take (an example)";
    Reap "REAP" "" Rule::Needs(low(needs::REAP)), Line::NoValue,
        "close what programs leave open when they end";
    Share "SHARE" "" Rule::Needs(low(needs::SHARE)), Line::NoValue,
        "several programs may use the same kind of frames";
    Ctl "CTL" "" Rule::Needs(low(needs::CTL)), Line::NoValue,
        "the control interrupt: PKTCTL changes settings, and a log";
    Burst "BURST" "8" Rule::Dec(1, 64), Line::Burst,
        "frames taken before other interrupts, 1 to 64";
    Unload "U" "" Rule::Bare, Line::NoValue,
        "unload the driver; /INT says which, if there are several";
    Replace "REPLACE" "" Rule::Bare, Line::NoValue,
        "take over from the copy that is loaded, handles and all";
    Apply "APPLY" "" Rule::Bare, Line::NoValue,
        "as PKTCTL apply: reset the card, use pending parameters";
    Verbose "V" "" Rule::Bare, Line::NoValue,
        "tell what cards there are, and who drives them or why none";
    Ask "ASK" "5" Rule::Dec(1, 60), Line::Ask,
        "ask before loading; load after so many seconds, 1 to 60";
    Help "?" "" Rule::Bare, Line::NoValue,
        "this list";
}

const INT: usize = Index::Int as usize;
const IO: usize = Index::Io as usize;
const IRQ: usize = Index::Irq as usize;
const HANDLES: usize = Index::Handles as usize;
const STACK: usize = Index::Stack as usize;
const XMS: usize = Index::Xms as usize;
const MIGRATE: usize = Index::Migrate as usize;
const CACHE: usize = Index::Cache as usize;
const HOLD: usize = Index::Hold as usize;
const COMPACT: usize = Index::Compact as usize;
const BURST: usize = Index::Burst as usize;
const UNLOAD: usize = Index::Unload as usize;
const REPLACE: usize = Index::Replace as usize;
const APPLY: usize = Index::Apply as usize;
const VERBOSE: usize = Index::Verbose as usize;
const ASK: usize = Index::Ask as usize;

/// Media by name.
pub static MEDIA: [(&str, u8); 7] = [
    ("AUTO", media::AUTO),
    ("TP", media::TP),
    ("AUI", media::AUI),
    ("BNC", media::BNC),
    ("TX", media::TX),
    ("FX", media::FX),
    ("MII", media::MII),
];

/// Why a command line was refused. The text is the offending word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// The word as the user wrote it.
    pub word: &'a [u8],
    /// What is wrong with it, and the remedy.
    pub why: Line,
}

/// Vectors that are others': 67h is EMS, 70h to 77h the second PIC, 7Ah IPX, 79h and 7Fh in use here and there.
const NO_VECTORS: u32 = 1 << 0x07 | 0xFF << 0x10 | 1 << 0x19 | 1 << 0x1A | 1 << 0x1F;
/// Lines of the timer, keyboard and cascade, the clock, the coprocessor.
const NO_LINES: u32 = 1 << 8 | 1 << 13;

/// A need of the first sixteen: a row of the switches has no room for others.
const fn low(need: u32) -> u16 {
    assert!(need <= u16::MAX as u32);
    need as u16
}

/// What `/NIC=` takes for every card there is.
pub const ALL: &[u8] = b"ALL";

/// The address of a list, which the stage `list` reads; 0: the value is no list.
#[inline(never)]
fn listed(text: &[u8]) -> u16 {
    if text.contains(&b',') || text.eq_ignore_ascii_case(ALL) { text.as_ptr() as usize as u16 } else { 0 }
}

/// The vector that a number is; None: no packet driver may be there.
#[inline(always)]
pub fn vector(value: u16) -> Option<u8> {
    (NO_VECTORS >> (value & 31) & 1 == 0 || value == 0x80).then_some(value as u8)
}

/// A name, `bus:device.function`, or an address with colons or hyphens.
#[inline(never)]
pub fn want(text: &[u8]) -> Option<Want> {
    if text.is_empty() {
        return None;
    }
    let separators = text.iter().filter(|byte| matches!(byte, b':' | b'-')).count();
    if separators == 5 {
        let mut mac = [0; 6];
        for (byte, part) in mac.iter_mut().zip(text.split(|byte| matches!(byte, b':' | b'-'))) {
            *byte = parse(part, 16).filter(|value| *value <= 0xFF)? as u8;
        }
        return Some(Want::Mac(mac));
    }
    if text.iter().any(|byte| *byte == b'.') {
        let mut place = 0;
        let mut parts = text.split(|byte| matches!(byte, b':' | b'.'));
        // Bus, device, function.
        for bits in [8, 5, 3] {
            let part = parse(parts.next()?, 16).filter(|value| value >> bits == 0)?;
            place = place << bits | part;
        }
        return Some(Want::Pci(place as u16));
    }
    let mut name = [0; NAME];
    name.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    Some(Want::Name(name))
}

/// A name of [`MEDIA`], or one of three with `,FD`.
#[inline(never)]
pub fn medium(text: &[u8]) -> Option<u8> {
    let (name, full) = match text {
        [name @ .., b',', b'F' | b'f', b'D' | b'd'] => (name, media::FULL),
        _ => (text, 0),
    };
    let (_, code) = MEDIA.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
    // Negotiation finds the duplex by itself, and shared cables have none.
    (full == 0 || matches!(*code, media::TP | media::TX | media::FX)).then_some(code | full)
}

/// Takes a number for the switch `index`; false when it does not fit.
#[inline(never)]
fn number(options: &mut Options, index: usize, value: u16) -> bool {
    match index {
        INT if NO_VECTORS >> (value & 31) & 1 == 0 || value == 0x80 => {
            options.vector = value as u8;
            options.vector_given = true;
        }
        IO if value & 15 == 0 => options.io = value,
        // The AT leads the old bus line 2 to the second PIC's 9.
        IRQ if NO_LINES >> value & 1 == 0 => options.irq = if value == 2 { 9 } else { value as u8 },
        HANDLES => options.handles = value as u8,
        STACK => options.stack = value,
        XMS => (options.waits, options.slots) = (true, (value as u32 * 1024 / SLOT as u32) as u16),
        MIGRATE => (options.waits, options.migrate) = (true, value),
        CACHE => options.cache = value,
        HOLD => options.hold = value,
        BURST => options.burst = value as u8,
        ASK => options.ask = value as u8,
        _ => return false,
    }
    true
}

/// Takes a value for the switch `index`; with `forced`, a number in that radix.
#[inline(never)]
fn value(options: &mut Options, index: usize, text: Option<&[u8]>, forced: u32) -> Result<(), Line> {
    let Some(switch) = SWITCHES.get(index) else {
        options.others = true;
        return Ok(());
    };
    let (low, high, radix) = match switch.rule {
        Rule::Bare | Rule::Needs(_) if text.is_some() => return Err(switch.why),
        Rule::Needs(need) => {
            options.needs |= need as u32;
            return Ok(());
        }
        Rule::Bare => {
            match index {
                COMPACT => options.compact = true,
                UNLOAD => options.unload = true,
                REPLACE => options.replace = true,
                VERBOSE => options.verbose = true,
                APPLY => (options.replace, options.apply) = (true, true),
                _ => options.help = true,
            }
            return Ok(());
        }
        Rule::Nic => {
            let text = text.unwrap_or(b"");
            options.names = listed(text);
            if options.names == 0 {
                options.nic = want(text).ok_or(switch.why)?;
            }
            return Ok(());
        }
        Rule::Media => {
            options.media = medium(text.unwrap_or(b"")).ok_or(switch.why)?;
            return Ok(());
        }
        Rule::Hex(low, high) => {
            if index == INT {
                options.vectors = listed(text.unwrap_or(b""));
                if options.vectors != 0 {
                    return Ok(());
                }
            }
            (low, high, 16)
        }
        Rule::Dec(low, high) => (low, high, 10),
    };
    let radix = if forced != 0 { forced } else { radix };
    // The one switch that may do without its value.
    let default: &[u8] = if index == ASK { b"5" } else { b"" };
    let fits = parse(text.unwrap_or(default), radix).filter(|number| (low as u32..=high as u32).contains(number));
    if fits.is_some_and(|fits| number(options, index, fits as u16)) { Ok(()) } else { Err(switch.why) }
}

/// Crynwr's one-letter options that are refused by what they are.
static LETTERS: [(u8, Line); 5] =
    [(b'n', Line::Novell), (b'd', Line::Delayed), (b'w', Line::Windows), (b'p', Line::Promiscuous), (b'i', Line::Class11)];

/// Takes one of Crynwr's one-letter options.
#[inline(never)]
fn letter(options: &mut Options, letter: u8) -> Result<(), Line> {
    let letter = letter.to_ascii_lowercase();
    if letter == b'u' {
        options.unload = true;
        return Ok(());
    }
    Err(LETTERS.iter().find(|(known, _)| *known == letter).map_or(Line::NoSwitch, |(_, why)| *why))
}

/// Reads a command tail: the words behind the driver's name.
#[inline(never)]
pub fn options(tail: &[u8]) -> Result<Options, Refused<'_>> {
    let mut options = Options {
        vector: 0x60,
        vector_given: false,
        io: 0,
        irq: 0,
        handles: 0,
        stack: crate::resident::table::STACK,
        nic: Want::Any,
        names: 0,
        vectors: 0,
        media: 0,
        needs: 0,
        burst: 0,
        waits: false,
        slots: FRAMES as u16,
        hold: 0,
        migrate: 8192,
        cache: 0,
        compact: false,
        unload: false,
        replace: false,
        apply: false,
        verbose: false,
        ask: 0,
        help: false,
        others: false,
    };
    let mut positional = 0;
    for word in tail.split(|byte| *byte <= b' ').filter(|word| !word.is_empty()) {
        let result = match word {
            [b'/', rest @ ..] => {
                let at = rest.iter().position(|byte| matches!(byte, b'=' | b':'));
                let (name, text) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or((rest, b""));
                let index = SWITCHES.iter().position(|switch| name.eq_ignore_ascii_case(switch.name.as_bytes()));
                value(&mut options, index.unwrap_or(SWITCHES.len()), text.get(1..), 0)
            }
            [b'-', one] => letter(&mut options, *one),
            [b'-', ..] => Err(Line::NoSwitch),
            _ => {
                positional += 1;
                // A number of 100h or more is a port, wherever the others stand.
                let index = match parse(word, 10) {
                    _ if positional == 1 => INT,
                    Some(0x100..) => IO,
                    _ => IRQ,
                };
                if positional <= 3 {
                    value(&mut options, index, Some(word), 10)
                } else {
                    Err(Line::TooMany)
                }
            }
        };
        result.map_err(|why| Refused { word, why })?;
    }
    if options.handles == 0 {
        options.handles = match options {
            Options { compact: true, .. } => 4,
            Options { replace: true, .. } => 0,
            _ => 8,
        };
    }
    // With `/REPLACE` the stage `take` asks the copy that is loaded.
    if !options.replace {
        options.fill(None, None);
    }
    Ok(options)
}
