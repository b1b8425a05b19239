//! The first stage: opens the file and reads the command line.

use super::switches::{self, Refused};
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::install::dos::{far, from_device, peek, request};
use crate::install::header::{BUILD_AT, number};
use crate::install::kernel::{caller, header, open, read, say};
use crate::install::lines::{Line, UNREADABLE};
use crate::install::plan::{Plan, QUIT, TAIL};
use crate::install::print::Print;

/// A file name of DOS's, with its path and a zero.
const NAME: usize = 80;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    let length = read_tail(&mut plan.tail);
    if !open_own() {
        "3COMPKT: cannot read its own file again; give its full path\r\n".print();
        plan.exit = UNREADABLE;
        return QUIT;
    }
    let Some(build) = build() else { return QUIT };
    if build != header().build {
        say(Line::OtherBuild, b" ", build);
        return QUIT;
    }
    match switches::options(plan.tail.get(..length).unwrap_or(&[])) {
        Ok(options) => {
            plan.options = options;
            number::READY
        }
        Err(Refused { word, why }) => {
            say(why, word, 0);
            QUIT
        }
    }
}

/// The number of the file's build. None: it cannot be read.
fn build() -> Option<u16> {
    let mut build: u16 = 0;
    read(BUILD_AT, own(&raw mut build as *mut u8), 2)?;
    Some(build)
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

/// The name that DOS loaded us by.
static mut FILE: [u8; NAME] = [0; NAME];

/// Opens our own file.
#[inline(never)]
fn open_own() -> bool {
    if from_device() {
        // The name ends where the switches begin; DOS wants a zero there, and the line is its own.
        // SAFETY: nobody else has it.
        let name = unsafe { &mut *&raw mut FILE };
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
