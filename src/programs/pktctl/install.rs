//! `PKTCTL install`: the driver's line in CONFIG.SYS, after a question; `--u` takes it back.

use crate::files::{failed, switches};
use crate::one;
use crate::room::ROOM;
use compkt::programs::commands::{Asked, BAD_FILE, DONE, NO_DRIVER, STOPPED, UNDO, YES};
use compkt::programs::config_sys::{MOST, added, edit, loading};
use compkt::programs::rt::control::Control;
use compkt::programs::rt::file::{self, File};
use compkt::programs::rt::keyboard::{self, Key};
use compkt::programs::rt::packet::Driver;
use compkt::programs::rt::shell::beside;
use compkt::programs::rt::{Regs, console, int, interrupted};
use compkt::say;
use core::ffi::CStr;

/// Letters of a line; DOS takes no longer ones.
const LINE: usize = 255;
/// DOS's error: there is no such file.
const NO_FILE: u16 = 2;
const READ_ONLY: u16 = 1;
/// What FreeDOS answers as the maker of the DOS.
const FREEDOS: u8 = 0xFD;


/// The files in the root of the disk that DOS starts from.
struct Names {
    /// `C:\CONFIG.SYS`
    config: [u8; 16],
    /// The file as it was before.
    backup: [u8; 16],
    /// The file while it is written.
    part: [u8; 16],
}

/// A line that is put together.
struct Line {
    letters: [u8; LINE],
    length: usize,
    whole: bool,
}

impl Line {
    fn put(&mut self, bytes: &[u8]) {
        match self.letters.get_mut(self.length..self.length + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.whole = false,
        }
    }

    fn letters(&self) -> &[u8] {
        self.letters.get(..self.length).unwrap_or(&[])
    }
}

/// A path without the zeros behind it.
fn trimmed(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// The letter of the disk that DOS was started from; C where DOS does not tell.
fn boot_disk() -> u8 {
    let mut regs = Regs::ax(0x3305);
    int(0x21, &mut regs);
    match regs.edx as u8 {
        disk @ 1..=26 if !regs.carry() && regs.eax as u8 != 0xFF => b'A' - 1 + disk,
        _ => b'C',
    }
}

/// FreeDOS reads FDCONFIG.SYS where there is one.
fn names() -> Names {
    let disk = boot_disk();
    let at = |mut path: [u8; 16]| {
        path[0] = disk;
        path
    };
    let free = at(*b"C:\\FDCONFIG.SYS\0");
    let mut regs = Regs::ax(0x3000);
    int(0x21, &mut regs);
    let part = at(*b"C:\\3COMPKT.$$$\0\0");
    if (regs.ebx >> 8) as u8 == FREEDOS && file::attributes(trimmed(&free)).is_ok() {
        return Names { config: free, backup: at(*b"C:\\FDCONFIG.3CP\0"), part };
    }
    Names { config: at(*b"C:\\CONFIG.SYS\0\0\0"), backup: at(*b"C:\\CONFIG.3CP\0\0\0"), part }
}

/// A file's contents. One that is not there is empty; of one that is too long, one byte too many is returned.
fn contents<'a>(path: &[u8], to: &'a mut [u8]) -> Result<&'a [u8], u16> {
    match File::open(path) {
        Ok(file) => file.read(to),
        Err(NO_FILE) => Ok(&[]),
        Err(code) => Err(code),
    }
}

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let names = names();
    let config = trimmed(&names.config);
    // SAFETY: this command uses it as this alone.
    let now = match contents(config, unsafe { &mut (*ROOM.get()).contents }) {
        Ok(now) => now,
        Err(code) => return failed(config, c"cannot be read", code),
    };
    if now.len() > MOST {
        console::bytes(config);
        say!(c" is longer than {d} bytes: write the line by hand. PKTCTL export --line prints it.\n", MOST as u16);
        return BAD_FILE;
    }
    let attributes = file::attributes(config).unwrap_or(0);
    if attributes & READ_ONLY != 0 {
        console::bytes(config);
        say!(c" is read-only. ATTRIB -R allows to change it.\n");
        return BAD_FILE;
    }
    if asked.has(UNDO) { take_back(asked, &names, now) } else { install(asked, &names, now) }
}

#[inline(never)]
fn install(asked: &Asked, names: &Names, now: &[u8]) -> u8 {
    let mut line = Line { letters: [0; LINE], length: 0, whole: true };
    if !compose(asked, &mut line) {
        return NO_DRIVER;
    }
    if !line.whole {
        say!(c"The line would be longer than {d} letters: write it by hand, with fewer switches.\n", LINE as u16);
        return BAD_FILE;
    }
    let config = trimmed(&names.config);
    let old = loading(now);
    if old == Some(line.letters()) {
        console::bytes(config);
        say!(c" has this line already:\n  ");
        console::bytes(line.letters());
        say!(c"\n");
        return DONE;
    }
    console::bytes(config);
    if let Some(old) = old {
        say!(c", instead of\n  ");
        console::bytes(old);
        say!(c"\n");
    } else {
        say!(c", as the last line:\n");
    }
    say!(c"  ");
    console::bytes(line.letters());
    say!(c"\n");
    if let Some(code) = refused(asked, c"Write it (Y, N)? ") {
        return code;
    }
    // The backup is the file without the driver's line: a line that was replaced keeps it.
    let keep = old.is_none() && !now.is_empty();
    match write(names, now, Some(line.letters()), keep) {
        Ok(()) => {
            console::bytes(config);
            say!(c" is written");
            if keep {
                say!(c"; as it was before it is in {s}", &names.backup);
            }
            say!(c". Restart the computer to load the driver.\n");
            DONE
        }
        Err(code) => failed(config, c"cannot be written", code),
    }
}

/// Puts the line together: the path of the driver beside this program, and the switches of one that is loaded with `/CTL`.
#[inline(never)]
fn compose(asked: &Asked, line: &mut Line) -> bool {
    let path = beside(b"3COMPKT.SYS\0").filter(|path| file::attributes(trimmed(path)).is_ok());
    let Some(path) = path else {
        say!(c"3COMPKT.SYS is not in PKTCTL's folder. Copy both into one folder of the disk that DOS starts from.\n");
        return false;
    };
    line.put(b"DEVICE=");
    line.put(trimmed(&path));
    if asked.vector == 0 && Driver::next(0).is_none() {
        say!(c"No driver is loaded: the line has no switches, and the driver looks for the card.\n");
        return true;
    }
    // Several drivers would need several lines: which of them is meant has to be said.
    let Some((driver, block)) = one::find(asked) else { return false };
    match Control::of(&driver, &block) {
        Some(mut control) => {
            switches(&driver, &block, &mut control, &mut |bytes| line.put(bytes));
        }
        None => say!(c"The driver in memory has no /CTL, so that its switches are not known: add them to the line yourself.\n"),
    }
    true
}

#[inline(never)]
fn take_back(asked: &Asked, names: &Names, now: &[u8]) -> u8 {
    let config = trimmed(&names.config);
    let Some(old) = loading(now) else {
        console::bytes(config);
        say!(c" has no line that loads 3COMPKT.\n");
        return DONE;
    };
    console::bytes(config);
    say!(c" without\n  ");
    console::bytes(old);
    say!(c"\n");
    if let Some(code) = refused(asked, c"Write it (Y, N)? ") {
        return code;
    }
    let backup = trimmed(&names.backup);
    // If nothing but the line was added since, the file is as it was, to the byte.
    let written = if behind(backup, now).is_some_and(added) {
        file::delete(config).and_then(|()| file::rename(backup, config))
    } else {
        write(names, now, None, false)
    };
    match written {
        Ok(()) => {
            let _ = file::delete(backup);
            console::bytes(config);
            say!(c" no longer loads 3COMPKT.\n");
            DONE
        }
        Err(code) => failed(config, c"cannot be written", code),
    }
}

/// What stands behind the contents of the file at a path, if `now` begins with these.
#[inline(never)]
fn behind<'a>(path: &[u8], now: &'a [u8]) -> Option<&'a [u8]> {
    let file = File::open(path).ok()?;
    let mut rest = now;
    loop {
        let mut part = [0; 64];
        let read = file.read(&mut part).ok()?;
        rest = rest.strip_prefix(read)?;
        if read.len() < 64 {
            return Some(rest);
        }
    }
}

/// Asks, unless `--yes` was given. Returns the exit code if the user does not want it.
#[inline(never)]
fn refused(asked: &Asked, question: &CStr) -> Option<u8> {
    if asked.has(YES) {
        return None;
    }
    say!(question);
    console::flush();
    loop {
        let code = match keyboard::key() {
            Some(Key::Letter(b'Y')) => {
                say!(c"Y\n");
                return None;
            }
            Some(Key::Break) => STOPPED,
            Some(Key::Escape | Key::Letter(b'N')) => DONE,
            _ if interrupted() => STOPPED,
            _ => {
                keyboard::idle();
                continue;
            }
        };
        say!(c"N\nNothing was changed.\n");
        return Some(code);
    }
}

/// Writes the file anew beside the old one, which goes, or becomes the backup, when the new one is whole.
#[inline(never)]
fn write(names: &Names, from: &[u8], line: Option<&[u8]>, keep: bool) -> Result<(), u16> {
    let (config, backup, part) = (trimmed(&names.config), trimmed(&names.backup), trimmed(&names.part));
    let file = File::create(part)?;
    let mut wrong = None;
    let mut empty = true;
    edit(from, line, &mut |bytes| {
        if wrong.is_none() && !bytes.is_empty() {
            empty = false;
            wrong = file.write(bytes).err();
        }
    });
    if let Some(code) = file.close().err().or(wrong) {
        let _ = file::delete(part);
        return Err(code);
    }
    let attributes = file::attributes(config);
    if keep {
        let _ = file::delete(backup);
        file::rename(config, backup)?;
    } else if attributes.is_ok() {
        file::delete(config)?;
    }
    // A file that had nothing but the driver's line was made for it.
    if empty {
        return file::delete(part);
    }
    if let Err(code) = file::rename(part, config) {
        if keep {
            let _ = file::rename(backup, config);
        }
        return Err(code);
    }
    if let Ok(attributes) = attributes {
        let _ = file::set_attributes(config, attributes);
    }
    Ok(())
}
