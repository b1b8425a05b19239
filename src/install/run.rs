//! The installation, step by step. Until the last one, nothing of the machine is changed for good.

use super::dos::{self, far, peek, poke};
use super::hardware::{self, is_packet_driver};
use super::header::{caller, header};
use super::lines::HELP;
use super::load::Units;
use super::place::{PSP_PARAS, build};
use super::print::{Hex, Print};
use super::switches::{self, Options, Refused};
use super::unload::unload;
use crate::bus::Addr;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::line;

/// The driver's version, major in the high byte.
pub const VERSION: u16 = 0x0001;

/// Runs the installation; returns only to DOS's INIT request.
pub fn install() {
    let mut tail = [0u8; 128];
    let length = read_tail(&mut tail);
    let code = match switches::options(tail.get(..length).unwrap_or(&[])) {
        Err(refused) => decline(&refused),
        Ok(options) if options.help => help(),
        Ok(options) if options.unload => unload(&options),
        Ok(options) => match stand(&options) {
            Some(paragraphs) => return done(paragraphs),
            None => 1,
        },
    };
    refuse(code);
}

/// Did DOS load us by DEVICE=?
pub fn from_device() -> bool {
    caller().psp == 0
}

fn request() -> Addr {
    address(caller().request_segment, caller().request_offset)
}

/// The segment behind the last that is ours.
pub fn memory_end() -> u32 {
    if !from_device() {
        return peek::<u16>(address(caller().psp, 2)) as u32;
    }
    // Before version 5 DOS left this field as it was.
    if dos::version() >= 0x0500 {
        let end = peek::<u32>(request().plus(0x0E));
        return (end >> 16) + ((end & 0xFFFF) >> 4);
    }
    // The BIOS's count of kilobytes.
    (peek::<u16>(Addr(0x413)) as u32) << 6
}

/// Copies the words behind our name; their length.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn read_tail(tail: &mut [u8; 128]) -> usize {
    let room = tail.len() as u16 - 1;
    if from_device() {
        copy_far(far(peek::<u32>(request().plus(0x12))), own(tail.as_mut_ptr()), room);
        let end = tail.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(tail.len());
        let name = tail.iter().take(end).position(|byte| *byte <= b' ').unwrap_or(end);
        tail.iter_mut().take(name).for_each(|byte| *byte = b' ');
        end
    } else {
        let at = address(caller().psp, 0x80);
        copy_far(at.plus(1), own(tail.as_mut_ptr()), room);
        peek::<u8>(at) as usize
    }
}

/// Says what is wrong with the command line.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn decline(refused: &Refused) -> u8 {
    if let Some(units) = open() {
        units.say(refused.why, refused.word, 0);
        units.complain();
    }
    1
}

/// The list of switches and NICs, which the pack step wrote to the file.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn help() -> u8 {
    let Some(units) = open() else { return 1 };
    if list(&units).is_some() {
        return 0;
    }
    units.complain();
    1
}

/// Prints it, as far as it can be read, and in whole lines.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn list(units: &Units) -> Option<()> {
    let text = units.feature("help")?;
    let mut at = 0;
    while at < text.bytes {
        let mut line = [0; HELP];
        units.text(&text, at, &mut line)?;
        line.print();
        "\r\n".print();
        at += HELP as u16;
    }
    Some(())
}

/// A file name of DOS's, with its path and a zero.
const NAME: usize = 80;

/// The name that DOS loaded us by.
#[unsafe(link_section = ".early_data")]
static mut FILE: [u8; NAME] = [0; NAME];

/// Where our own file's name stands.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn own_file() -> (u16, u16) {
    if from_device() {
        // The name ends where the switches begin; DOS wants a zero there, and the line is its own.
        // SAFETY: nobody else has it.
        let name = unsafe { &mut *&raw mut FILE };
        copy_far(far(peek::<u32>(request().plus(0x12))), own(name.as_mut_ptr()), NAME as u16 - 1);
        if let Some(end) = name.iter_mut().find(|byte| **byte <= b' ') {
            *end = 0;
        }
        return (code_segment(), name.as_ptr() as u32 as u16);
    }
    let environment = peek::<u16>(address(caller().psp, 0x2C));
    let mut at = 0;
    while at < 0x7FF0 && peek::<u16>(address(environment, at)) != 0 {
        at += 1;
    }
    (environment, at + 4)
}

/// Opens our own file.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn open() -> Option<Units> {
    let (segment, offset) = own_file();
    let units = Units::open(segment, offset);
    if units.is_none() {
        line!(early!("cannot read its own file again; give its full path"));
    }
    units
}

/// Opens our own file, if a driver may stand here.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn prepare(options: &Options) -> Option<Units> {
    if dos::version() < 0x031E {
        line!(early!("DOS 3.3 or later is needed"));
        return None;
    }
    if from_device() && memory_end() < (code_segment() + (header().stack_top >> 4)) as u32 {
        line!(early!("too little memory here; load it low with DEVICE= or give it more upper memory"));
        return None;
    }
    if is_packet_driver(options.vector) {
        line!(early!("INT "), Hex(options.vector as u16), early!("h has a packet driver already; choose another with /INT="));
        return None;
    }
    open()
}

/// Does everything; the resident paragraphs, or None when a line has said why not.
#[inline(never)]
fn stand(options: &Options) -> Option<u16> {
    let units = prepare(options)?;
    let stood = hardware::find(&units, options).and_then(|probe| build(options, &units, probe));
    if stood.is_none() {
        units.complain();
    }
    stood
}

/// Leaves the driver standing.
#[inline(never)]
fn done(paragraphs: u16) {
    if from_device() {
        let segment = caller().load_segment;
        // From now on the device's own routines answer.
        poke(address(segment, 6), &[header().core.strategy, header().core.interrupt]);
        answer(0x0100, segment + paragraphs);
        return;
    }
    let psp = caller().psp;
    let environment = address(psp, 0x2C);
    dos::free(peek::<u16>(environment));
    poke(environment, &0u16);
    dos::close_all(psp);
    dos::stay(PSP_PARAS + paragraphs);
}

/// Leaves nothing.
#[inline(never)]
fn refuse(code: u8) {
    if !from_device() {
        dos::exit(code);
    }
    // Error without done, and an end at the header: every DOS takes at least one of them for a refusal.
    answer(0x8003, caller().load_segment);
}

fn answer(status: u16, end: u16) {
    poke(request().plus(3), &status);
    poke(request().plus(0x0E), &((end as u32) << 16));
}

