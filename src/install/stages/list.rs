//! The command line of several NICs: the lists of `/NIC=` and `/INT=`, and a bond's switches.

use super::bonds::settings;
use super::copies::is_packet_driver;
use super::numbers::parse;
use super::switches::{self, ALL, Want, vector, want};
use crate::install::features::needs;
use crate::install::header::number;
use crate::install::kernel::say;
use crate::install::lines::Line;
use crate::install::plan::{COUNTED, FIRST, Plan, QUIT, Several};
use crate::resident::several::MOST;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    if plan.options.others {
        match settings(&plan.tail) {
            Ok(settings) => plan.bond = settings,
            Err(switches::Refused { word, why }) => {
                say(why, word, 0);
                return QUIT;
            }
        }
    }
    if plan.options.unload {
        return number::UNLOAD;
    }
    match list(plan) {
        Ok(()) => {
            if plan.several.count == COUNTED { number::SEARCH } else { number::GATHER }
        }
        Err(Refused { word, line, number }) => {
            // SAFETY: the installer is one thread.
            let told = unsafe { &mut *&raw mut TOLD };
            told.iter_mut().take(WORD - 1).zip(word).for_each(|(to, from)| *to = *from);
            say(line, told, number);
            QUIT
        }
    }
}

/// Why the command line is refused.
struct Refused {
    /// The word that is wrong.
    word: &'static [u8],
    line: Line,
    number: u16,
}

/// Bytes of a word that are printed, and one more.
const WORD: usize = 24;
/// That word. Behind all else in this unit: rustc ends a loop over the switches at an address some bytes behind them, and the pack
/// step refuses an address behind the unit.
static mut TOLD: [u8; WORD] = [0; WORD];

/// The part of a list at an address, and where the next one begins; 0: it is the last one.
#[inline(never)]
pub fn part(at: u16) -> (&'static [u8], u16) {
    let start = at as u32 as *const u8;
    let mut len = 0;
    loop {
        // SAFETY: the command line is in the kernel's plan, and ends with a byte that is not above a blank.
        let (byte, part) = unsafe { (*start.wrapping_add(len as usize), core::slice::from_raw_parts(start, len as usize)) };
        if byte == b',' {
            return (part, at + len + 1);
        }
        if byte <= b' ' {
            return (part, 0);
        }
        len += 1;
    }
}

/// The vector that a part of a list is.
pub fn vector_of(part: &[u8]) -> Option<u8> {
    vector(parse(part, 16).filter(|number| (0x60..=0x80).contains(number))? as u16)
}

/// Checks both lists.
fn list(plan: &mut Plan) -> Result<(), Refused> {
    let options = &mut plan.options;
    let refused = |word: &'static [u8], line| Refused { word, line, number: 0 };
    if options.replace {
        return Err(refused(if options.apply { b"/APPLY" } else { b"/REPLACE" }, Line::OneNic));
    }
    if options.needs & needs::CTL != 0 {
        return Err(refused(b"/CTL", Line::OneNic));
    }
    if options.needs & needs::SHARE != 0 {
        return Err(refused(b"/SHARE", Line::OneNic));
    }
    if options.io != 0 || options.irq != 0 {
        return Err(refused(b"/IO=,/IRQ=", Line::OneNic));
    }
    if options.waits {
        return Err(refused(b"/XMS=,/MIGRATE=", Line::OneNic));
    }
    let mut several = Several { count: 1, done: 0, step: FIRST, vectors: 0, name: options.names, vector: options.vectors, nics: 0, interfaces: 0 };
    if plan.bond.begin.period != 0 {
        if options.names == 0 {
            if options.nic != Want::Any {
                return Err(Refused { word: b" ", line: Line::BondOfOne, number: 0 });
            }
            several.count = COUNTED;
        }
        if options.vectors != 0 {
            return Err(Refused { word: b" ", line: Line::BondVector, number: 0 });
        }
    }
    if options.names != 0 {
        several.count = 0;
        let mut next = options.names;
        while next != 0 {
            let at = next;
            let (name, behind) = part(at);
            next = behind;
            if several.count == 0 && next == 0 && name.eq_ignore_ascii_case(ALL) {
                (several.count, several.name) = (COUNTED, 0);
                break;
            }
            let Some(wanted) = want(name) else { return Err(refused(name, Line::Nic)) };
            let mut before = options.names;
            while before != at {
                let (other, behind) = part(before);
                if !matches!(wanted, Want::Name(_)) && want(other) == Some(wanted) {
                    return Err(refused(name, Line::Twice));
                }
                before = behind;
            }
            several.count += 1;
            if several.count > MOST {
                return Err(refused(name, Line::Most));
            }
        }
    }
    if options.vectors == 0 {
        several.vectors = 1;
        if is_packet_driver(options.vector) {
            return Err(Refused { word: b" ", line: Line::VectorTaken, number: options.vector as u16 });
        }
    }
    let mut next = options.vectors;
    while next != 0 {
        let at = next;
        let (text, behind) = part(at);
        next = behind;
        let Some(number) = vector_of(text) else { return Err(refused(text, Line::Vector)) };
        let mut before = options.vectors;
        while before != at {
            let (other, behind) = part(before);
            if vector_of(other) == Some(number) {
                return Err(refused(text, Line::Twice));
            }
            before = behind;
        }
        if is_packet_driver(number) {
            return Err(Refused { word: b" ", line: Line::VectorTaken, number: number as u16 });
        }
        several.vectors += 1;
    }
    if several.count == 1 {
        several.name = 0;
    }
    plan.several = several;
    Ok(())
}
