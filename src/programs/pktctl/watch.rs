//! `PKTCTL stats --watch`: the live screen; with `--csv`, lines of values every second.

use crate::room::ROOM;
use crate::stats;
use compkt::control::INTERVAL;
use compkt::programs::commands::{Asked, BAD_FILE, CSV, DONE, NO_DRIVER, STOPPED};
use compkt::programs::rates::Counts;
use compkt::programs::rt::clock::ticks;
use compkt::programs::rt::control::Control;
use compkt::programs::rt::keyboard::{self, Key};
use compkt::programs::rt::packet::{Driver, Statistics};
use compkt::programs::rt::video::Video;
use compkt::programs::rt::{console, interrupted, shell};
use compkt::programs::screen::Screen;
use compkt::programs::watch::{DRIVERS, Panel, draw};
use compkt::say;

/// Something that is shown again and again.
pub trait Live {
    /// Reads it anew, so many ticks after the last time.
    fn read(&mut self, passed: u16);
    /// Draws it.
    fn draw(&mut self, screen: &mut Screen, rows: usize, seconds: u16, write: &mut dyn FnMut(usize, &[u16]));
    /// Forgets the greatest rates.
    fn reset(&mut self);
}

/// The drivers that are watched.
struct Watch {
    panels: [Panel; DRIVERS],
    used: usize,
}

fn counts(counts: &Statistics) -> Counts {
    Counts {
        frames_in: counts.packets_in,
        bytes_in: counts.bytes_in,
        errors_in: counts.errors_in,
        lost: counts.packets_lost,
        frames_out: counts.packets_out,
        bytes_out: counts.bytes_out,
        errors_out: counts.errors_out,
    }
}

impl Live for Watch {
    fn read(&mut self, passed: u16) {
        for panel in self.panels.iter_mut().take(self.used) {
            let driver = Driver { vector: panel.vector };
            let new = Driver::on(panel.vector).and_then(|driver| stats::read(&driver).ok()).map(|new| counts(&new));
            if let (Some(old), Some(new)) = (&panel.counts, &new) {
                panel.rates.take(old, new, passed);
            }
            panel.counts = new;
            if new.is_none() {
                continue;
            }
            let block = driver.block();
            if let Some(nic) = block.as_ref().and_then(|block| crate::nic(&driver, block)) {
                panel.link = nic.link;
                panel.address = nic.mac;
            }
        }
    }

    fn draw(&mut self, screen: &mut Screen, rows: usize, seconds: u16, write: &mut dyn FnMut(usize, &[u16])) {
        draw(screen, rows, self.panels.get(..self.used).unwrap_or(&[]), seconds, write);
    }

    fn reset(&mut self) {
        self.panels.iter_mut().for_each(|panel| panel.rates.reset());
    }
}

/// Seconds between two readings: the parameter of the first driver that has it, else one.
fn interval(asked: &Asked) -> u16 {
    let mut last = None;
    while let Some(driver) = next(asked, last) {
        last = Some(driver);
        let control = driver.block().and_then(|block| Control::of(&driver, &block));
        if let Some(seconds) = control.and_then(|mut control| control.number(INTERVAL)) {
            return seconds.clamp(1, 3600);
        }
    }
    1
}

/// The next driver that was asked for.
fn next(asked: &Asked, last: Option<Driver>) -> Option<Driver> {
    match (asked.vector, last) {
        (0, last) => Driver::next(last.map_or(0, |driver| driver.vector)),
        (vector, None) => Driver::on(vector),
        _ => None,
    }
}

/// BIOS ticks of so many seconds.
fn ticks_of(seconds: u16) -> u16 {
    ((seconds as u32 * 182 + 5) / 10).min(u16::MAX as u32) as u16
}

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    if crate::driver(asked, None).is_none() {
        return NO_DRIVER;
    }
    let seconds = interval(asked);
    if asked.has(CSV) {
        return rows(asked, seconds);
    }
    let mut watch = Watch { panels: [Panel::new(0); DRIVERS], used: 0 };
    let mut last = None;
    while let Some(driver) = next(asked, last) {
        last = Some(driver);
        let Some(panel) = watch.panels.get_mut(watch.used) else { break };
        *panel = Panel { name: crate::name(&driver, driver.block().as_ref()), address: stats::address(&driver), ..Panel::new(driver.vector) };
        watch.used += 1;
    }
    live(&mut watch, seconds)
}

/// Shows something every `seconds`, until the user leaves.
#[inline(never)]
pub fn live(shown: &mut dyn Live, seconds: u16) -> u8 {
    let Some(mut video) = Video::take() else {
        say!(c"--watch needs a text screen of 80 columns (MODE CO80) and 8 KB. Or use --csv.\n");
        return NO_DRIVER;
    };
    // SAFETY: this command uses it as this alone.
    let screen = unsafe { &mut *(*ROOM.get()).screen };
    let mut read_at = ticks();
    let code = loop {
        let now = ticks();
        shown.read(now.wrapping_sub(read_at));
        read_at = now;
        shown.draw(screen, video.rows, seconds, &mut |first, cells| video.write(first, cells));
        match pause(seconds) {
            None => {}
            Some(Key::Escape | Key::Letter(b'Q')) => break DONE,
            Some(Key::Break) => break STOPPED,
            Some(Key::Letter(b'R')) => shown.reset(),
            Some(Key::Letter(b'D')) => {
                video.give_back();
                say!(c"EXIT goes back to PKTCTL.\n");
                let shell = shell::run();
                // The shell may have changed the screen's mode.
                let Some(new) = Video::take() else { return NO_DRIVER };
                video = new;
                screen.forget();
                if shell.is_err() {
                    video.give_back();
                    say!(c"PKTCTL cannot run the shell that COMSPEC names, or there is too little memory.\n");
                    return NO_DRIVER;
                }
            }
            Some(_) => {}
        }
    };
    video.give_back();
    code
}

/// Waits for the next reading, or for a key.
fn pause(seconds: u16) -> Option<Key> {
    let start = ticks();
    while ticks().wrapping_sub(start) < ticks_of(seconds) {
        if let Some(key) = keyboard::key() {
            return Some(key);
        }
        if interrupted() {
            return Some(Key::Break);
        }
        keyboard::idle();
    }
    None
}

/// Lines of values.
#[inline(never)]
fn rows(asked: &Asked, seconds: u16) -> u8 {
    stats::head();
    loop {
        if stats::rows(asked) != DONE {
            return NO_DRIVER;
        }
        if console::failed() {
            return BAD_FILE;
        }
        match pause(seconds) {
            None => {}
            Some(Key::Break) => return STOPPED,
            Some(_) => return DONE,
        }
    }
}
