//! What has to hold before a card is looked for: the user does not leave the driver out, and it may stand here. Or prints the
//! list of switches.

use super::copies::is_packet_driver;
use super::owners::is_stale;
use super::switches::Options;
use crate::bus::Addr;
use crate::bus::real::{code_segment, own};
use crate::install::dos::{from_device, memory_end, peek, poke, regs, version};
use crate::install::features::needs;
use crate::install::header::number;
use crate::install::kernel::{header, read, say, unit};
use crate::install::lines::{HELP, Line};
use crate::install::plan::{Plan, QUIT};
use crate::install::print::Print;
use crate::probe::VECTORS;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    let options = plan.options;
    if from_device() && peek::<u8>(SHIFT_KEYS) & BOTH == BOTH {
        say(Line::ShiftKeys, b" ", 0);
        return QUIT;
    }
    if options.help {
        // Where the list cannot be read the kernel says so.
        let _ = help();
        return QUIT;
    }
    if !options.unload && options.ask != 0 && is_declined(options.ask) {
        say(Line::Declined, b" ", 0);
        return QUIT;
    }
    if options.replace && options.needs & needs::REAP != 0 {
        // The stage `handover` has no room for how it attaches.
        say(Line::NoReaping, b" ", 0);
        return QUIT;
    }
    if options.needs & needs::SHARE != 0 && (options.replace || options.waits || options.needs & needs::STATS != 0) {
        // The pool and the counts of each handle know one handle for a frame.
        say(Line::NotShared, b" ", 0);
        return QUIT;
    }
    forget_stale();
    plan.next = match options {
        _ if options.others || options.names != 0 || options.vectors != 0 => number::LIST,
        Options { unload: true, .. } => number::UNLOAD,
        _ if !may_stand(plan) => QUIT,
        Options { replace: true, .. } => number::TAKE,
        _ => number::SEARCH,
    };
    if options.verbose { number::VERBOSE } else { plan.next }
}

/// The BIOS's byte of the keys that are held down, and in it the bits of both Shift keys.
const SHIFT_KEYS: Addr = Addr(0x417);
const BOTH: u8 = 3;
/// In FLAGS: no key was there.
const ZERO: u16 = 1 << 6;
/// The keyboard is asked so often in a second,
const LOOKS: u16 = 8;
/// and the BIOS waits so many microseconds in between.
const PAUSE: u32 = 1_000_000 / LOOKS as u32;

/// `/ASK`: asks whether to load. True: the user has said no. False: yes, or no answer in so many seconds, at most 60. A BIOS that
/// cannot wait (INT 15h, AH=86h) gives no time for an answer.
#[inline(never)]
fn is_declined(seconds: u8) -> bool {
    say(Line::Question, b" ", seconds as u16);
    for _ in 0..seconds.min(60) as u16 * LOOKS {
        let key = regs(0x0600);
        key.dx = 0xFF;
        key.interrupt(0x21);
        if key.flags & ZERO == 0 {
            match key.ax as u8 {
                b'n' | b'N' | ESCAPE => return true,
                b'y' | b'Y' | b'\r' => return false,
                _ => {}
            }
        }
        let wait = regs(0x8600);
        wait.cx = (PAUSE >> 16) as u16;
        wait.dx = PAUSE as u16;
        wait.interrupt(0x15);
    }
    false
}

/// The code of the key Esc.
const ESCAPE: u8 = 0x1B;

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
