//! The first stage: the command line, and what has to hold before a card is looked for.

use super::copies::is_packet_driver;
use super::owners::is_stale;
use super::switches::{self, Options, Refused};
use crate::bus::Addr;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::install::dos::{far, from_device, memory_end, peek, poke, request, version};
use crate::install::features::FEATURES;
use crate::install::header::{BUILD_AT, number};
use crate::install::kernel::{caller, header, open, read, say, unit};
use crate::install::lines::{HELP, Line};
use crate::install::plan::{Feature, Plan, QUIT, TAIL};
use crate::install::print::Print;
use crate::probe::VECTORS;

/// A file name of DOS's, with its path and a zero.
const NAME: usize = 80;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    let length = read_tail(&mut plan.tail);
    if !open_own(plan) {
        "3COMPKT: cannot read its own file again; give its full path\r\n".print();
        return QUIT;
    }
    let Some(build) = build() else { return QUIT };
    if build != header().build {
        say(Line::OtherBuild, b" ", build);
        return QUIT;
    }
    match switches::options(plan.tail.get(..length).unwrap_or(&[])) {
        Err(Refused { word, why }) => say(why, word, 0),
        Ok(options) if options.help => {
            if help().is_some() {
                plan.exit = 0;
            }
        }
        Ok(options) => {
            plan.options = options;
            forget_stale();
            plan.next = match options {
                _ if options.others || options.names != 0 || options.vectors != 0 => number::LIST,
                Options { unload: true, .. } => number::UNLOAD,
                _ if !may_stand(plan) => QUIT,
                Options { replace: true, .. } => number::TAKE,
                _ => number::SEARCH,
            };
            return if options.verbose { number::VERBOSE } else { plan.next };
        }
    }
    QUIT
}

/// The file's build. Behind all else in this unit: rustc ends a loop over the switches at an address some bytes behind them, and
/// the pack step refuses an address behind the unit.
static mut BUILD: u32 = 0;

/// The number of the file's build. None: it cannot be read.
fn build() -> Option<u16> {
    read(BUILD_AT, own(&raw mut BUILD as *mut u8), 2)?;
    // SAFETY: nobody else has it.
    Some(unsafe { BUILD } as u16)
}

/// Copies the words behind our name; their length. What is behind them is zero.
#[inline(never)]
fn read_tail(tail: &mut [u8; TAIL]) -> usize {
    let room = TAIL as u16 - 1;
    let length = if from_device() {
        copy_far(far(peek::<u32>(request().plus(0x12))), own(tail.as_mut_ptr()), room);
        let end = tail.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(TAIL);
        let name = tail.iter().take(end).position(|byte| *byte <= b' ').unwrap_or(end);
        tail.iter_mut().take(name).for_each(|byte| *byte = b' ');
        end
    } else {
        let at = address(caller().psp, 0x80);
        copy_far(at.plus(1), own(tail.as_mut_ptr()), room);
        peek::<u8>(at) as usize
    };
    tail.iter_mut().skip(length).for_each(|byte| *byte = 0);
    length
}

/// Opens our own file.
#[inline(never)]
fn open_own(plan: &mut Plan) -> bool {
    if from_device() {
        // The name ends where the switches begin; DOS wants a zero there, and the line is its own.
        const { assert!(NAME <= size_of::<[Feature; FEATURES]>()) };
        // SAFETY: any bytes are a list of features, and nothing is listed yet.
        let name = unsafe { &mut *(&raw mut plan.placed.features as *mut [u8; NAME]) };
        copy_far(far(peek::<u32>(request().plus(0x12))), own(name.as_mut_ptr()), NAME as u16 - 1);
        if let Some(end) = name.iter_mut().find(|byte| **byte <= b' ') {
            *end = 0;
        }
        return open(code_segment(), name.as_ptr() as u32 as u16);
    }
    let environment = peek::<u16>(address(caller().psp, 0x2C));
    let mut at = 0;
    while at < 0x7FF0 && peek::<u16>(address(environment, at)) != 0 {
        at += 1;
    }
    open(environment, at + 4)
}

/// Prints the list of switches and NICs, which the pack step wrote to the file, as far as it can be read, in whole lines.
#[inline(never)]
fn help() -> Option<()> {
    let text = unit(number::HELP)?;
    let mut at = 0;
    while at < text.bytes {
        let mut line = [0; HELP];
        read(text.offset + at as u32, own(line.as_mut_ptr()), HELP as u16)?;
        line.print();
        "\r\n".print();
        at += HELP as u16;
    }
    Some(())
}

/// Clears the vectors that lead to packet drivers that are gone: a warm boot leaves such vectors, and whoever calls one executes
/// what lies there now.
#[inline(never)]
fn forget_stale() {
    for number in VECTORS {
        if is_stale(number) {
            say(Line::Stale, b" ", number as u16);
            poke(Addr(number as u32 * 4), &0u32);
        }
    }
}

/// May a driver stand here? If not, a line has said why.
#[inline(never)]
fn may_stand(plan: &Plan) -> bool {
    let end = (code_segment() + (header().stack_top >> 4)) as u32;
    let why = if version() < 0x031E {
        Line::OldDos
    } else if from_device() && memory_end() < end {
        Line::NoRoomHere
    } else if !plan.options.replace && is_packet_driver(plan.options.vector) {
        Line::VectorTaken
    } else {
        return true;
    };
    say(why, b" ", plan.options.vector as u16);
    false
}
