//! `PKTCTL log`: what happened, with the time; `--follow` goes on. Its output goes to any DOS file or device: `>COM1`.

use crate::csv::Row;
use crate::one;
use compkt::control::{
    APPLY_FAILED, CHANGED, DROPPED, Entry, LINK_DOWN, LINK_UP, LOG_ENTRIES, OVERRUN, SEND_FAILED, SPURIOUS,
};
use compkt::programs::commands::{Asked, BAD_FILE, CSV, DONE, FOLLOW, NO_DRIVER, STOPPED};
use compkt::programs::rt::control::Control;
use compkt::programs::rt::keyboard::{self, Key};
use compkt::programs::rt::packet::Driver;
use compkt::programs::rt::{console, interrupted};
use compkt::programs::settings;
use compkt::say;
use core::ffi::CStr;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    if asked.has(FOLLOW) {
        let Some((driver, _, control)) = one::controlled(asked) else { return NO_DRIVER };
        return follow(asked, &driver, &control);
    }
    let csv = asked.has(CSV);
    if csv {
        head();
    }
    one::each(asked, c"it has no log", &mut |driver, control| {
        let Ok((written, _)) = control.log(0) else { return };
        let first = first(&control, written);
        if first == written && !csv {
            say!(c"  nothing has happened yet\n");
        }
        show(asked, driver, &control, first);
    })
}

fn head() {
    say!(c"int,number,time,event,detail,text\n");
}

/// The oldest entry that the log still has. The count wraps, so that a small count may mean a full log.
fn first(control: &Control, written: u16) -> u16 {
    let oldest = written.wrapping_sub(LOG_ENTRIES as u16);
    let full = written >= LOG_ENTRIES as u16 || control.log(oldest).is_ok_and(|(_, entry)| entry.event != 0);
    if full { oldest } else { 0 }
}

/// Prints the entries from `next` on; returns the number of the one behind them.
#[inline(never)]
fn show(asked: &Asked, driver: &Driver, control: &Control, mut next: u16) -> u16 {
    while let Ok((written, entry)) = control.log(next) {
        let waiting = written.wrapping_sub(next);
        if waiting == 0 {
            break;
        }
        if waiting > LOG_ENTRIES as u16 {
            // Newer ones lie in their places.
            let lost = waiting - LOG_ENTRIES as u16;
            if !asked.has(CSV) {
                say!(c"  {d} entries were lost: newer ones took their places\n", lost);
            }
            next = next.wrapping_add(lost);
            continue;
        }
        print(asked.has(CSV), driver, next, &entry);
        next = next.wrapping_add(1);
    }
    next
}

/// Hours, minutes and seconds of a tick count. A day has 1,573,040 ticks.
fn time(entry: &Entry) {
    let [low, middle, high] = entry.ticks;
    let ticks = u32::from_le_bytes([low, middle, high, 0]);
    // 86,400 s / 1,573,040, shortened.
    let seconds = ticks.min(1_573_039) * 1080 / 19_663;
    for (part, behind) in [(seconds / 3600, c":"), (seconds / 60 % 60, c":"), (seconds % 60, c"")] {
        say!(c"{d}{d}{s}", part / 10, part % 10, behind);
    }
}

#[inline(never)]
fn print(csv: bool, driver: &Driver, number: u16, entry: &Entry) {
    let event = event(entry);
    if csv {
        let mut row = Row::new();
        row.value(|| say!(c"{x}", driver.vector));
        row.number(number);
        row.value(|| time(entry));
        row.number(entry.event);
        row.number(entry.detail);
        row.text(event.to_bytes());
        return row.end();
    }
    say!(c"  ");
    time(entry);
    say!(c"  {s}", event);
    match entry.event {
        CHANGED => {
            if let Some(parameter) = settings::parameter(entry.detail) {
                say!(c": ");
                crate::text(parameter.name);
            }
        }
        LINK_DOWN | LINK_UP | APPLY_FAILED | DROPPED | SEND_FAILED | OVERRUN | SPURIOUS => {}
        _ => say!(c" {d}, detail {d}", entry.event, entry.detail),
    }
    say!(c"\n");
}

fn event(entry: &Entry) -> &'static CStr {
    match entry.event {
        LINK_DOWN => c"link down",
        LINK_UP => c"link up",
        APPLY_FAILED => c"wanted values were refused; all is as before",
        DROPPED => c"a callback was dropped: its code was overwritten",
        SEND_FAILED => c"frames could not be sent",
        OVERRUN => c"the card lost frames",
        CHANGED => c"parameter set",
        SPURIOUS => c"interrupts came without a cause",
        _ => c"event",
    }
}

/// Goes on until a key is pressed, the driver is gone, or the output cannot be written.
#[inline(never)]
fn follow(asked: &Asked, driver: &Driver, control: &Control) -> u8 {
    if asked.has(CSV) {
        head();
    }
    let Ok((written, _)) = control.log(0) else { return NO_DRIVER };
    let mut next = first(control, written);
    loop {
        next = show(asked, driver, control, next);
        if console::failed() {
            return BAD_FILE;
        }
        match keyboard::key() {
            Some(Key::Break) => return STOPPED,
            Some(_) => return DONE,
            None => {}
        }
        if interrupted() {
            return STOPPED;
        }
        // The driver may be unloaded by a program that runs in the time slices given up here.
        let block = Driver::on(driver.vector).and_then(|driver| driver.block());
        if block.and_then(|block| Control::of(driver, &block)).is_none() {
            return NO_DRIVER;
        }
        keyboard::idle();
    }
}
