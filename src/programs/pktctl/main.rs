//! PKTCTL: the user's program for the resident packet driver, 3COMPKT or another.
#![no_std]
#![no_main]

mod bond;
mod config;
mod csv;
mod files;
mod handles;
mod install;
mod log;
mod mem;
mod nics;
mod one;
mod parts;
mod ping;
mod room;
mod stats;
mod status;
mod test;
mod unload;
mod watch;

use compkt::programs::commands::{self, Asked, BAD_LINE, CHOICES, CSV, COMMANDS, Command, DONE, EXITS, NO_DRIVER, What, Wrong};
use compkt::programs::rt::control::Control;
use compkt::programs::rt::packet::{Block, Driver, error};
use compkt::programs::rt::{self, console};
use compkt::say;

compkt::program!(main);

fn main() -> u8 {
    let tail = rt::tail();
    let asked = match commands::parse(&tail) {
        Ok(asked) => asked,
        Err(wrong) => {
            refuse(&wrong);
            return BAD_LINE;
        }
    };
    let Some(command) = asked.command() else {
        list();
        return DONE;
    };
    if asked.help {
        explain(command);
        return DONE;
    }
    match command.what {
        What::Status => status::run(&asked),
        What::Stats => stats::run(&asked),
        What::Nics => nics::run(&asked),
        What::Handles => handles::run(&asked),
        What::Config => config::run(&asked),
        What::Apply => config::settle(&asked, &Control::apply, c"in force"),
        What::Rollback => config::settle(&asked, &Control::rollback, c"forgotten"),
        What::Export => files::export(&asked),
        What::Import => files::import(&asked),
        What::Log => log::run(&asked),
        What::Mem => mem::run(&asked),
        What::Test => test::run(&asked),
        What::Bond => bond::run(&asked),
        What::Unload => unload::run(&asked),
        What::Install => install::run(&asked),
    }
}

/// Prints a text of the tables.
#[inline(never)]
fn text(text: &str) {
    console::bytes(text.as_bytes());
}

/// Prints why the command line was refused: one line.
#[inline(never)]
fn refuse(wrong: &Wrong) {
    say!(c"PKTCTL: ");
    if !wrong.word.is_empty() {
        console::bytes(wrong.word);
        say!(c": ");
    }
    text(wrong.why);
    say!(c". PKTCTL ");
    if let Some(command) = COMMANDS.iter().find(|command| Some(command.what) == wrong.what) {
        text(command.name);
        say!(c" ");
    }
    say!(c"/? lists what there is.\n");
}

/// `PKTCTL /?`: every command.
#[inline(never)]
fn list() {
    for command in &COMMANDS {
        say!(c"PKTCTL ");
        text(command.name);
        pad(command.name.len(), 9);
        text(command.help);
        say!(c"\n");
    }
    say!(c"PKTCTL COMMAND /? explains a command and its options.\nERRORLEVEL");
    for (code, meaning) in &EXITS {
        say!(c"  {d}  ", *code);
        text(meaning);
        say!(c"\n          ");
    }
    say!(c"\r");
}

/// `PKTCTL COMMAND /?`.
#[inline(never)]
fn explain(command: &Command) {
    say!(c"PKTCTL ");
    commands::usage(command, &mut text);
    say!(c"\n  ");
    text(command.help);
    say!(c"\n");
    for choice in CHOICES.iter().filter(|choice| choice.bit & command.takes != 0) {
        say!(c"  ");
        let letters = commands::written(choice, &mut text);
        pad(letters, 22);
        text(choice.help);
        say!(c"\n");
    }
}

/// Prints blanks behind `used` columns, to `columns`, at least one.
#[inline(never)]
fn pad(used: usize, columns: usize) {
    for _ in used..columns.max(used + 1) {
        console::byte(b' ');
    }
}

/// Prints a place on PCI.
#[inline(never)]
fn pci(place: u16) {
    say!(c"PCI {x}:{x}.{d}", place >> 8, place >> 3 & 31, place & 7);
}

/// The next driver after `last` on the vectors that were asked for. Prints a line if there is none at all.
#[inline(never)]
fn driver(asked: &Asked, last: Option<Driver>) -> Option<Driver> {
    if last.is_none() && !asked.has(CSV) {
        for number in (0x60..=0x80).filter(|number| asked.vector == 0 || asked.vector == *number) {
            if Driver::is_gone(number) {
                say!(c"INT {x}h points to a packet driver that is gone. 3COMPKT frees the vector.\n", number);
            }
        }
    }
    let found = if asked.vector == 0 {
        Driver::next(last.map_or(0, |driver| driver.vector))
    } else if last.is_none() {
        Driver::on(asked.vector)
    } else {
        None
    };
    if found.is_none() && last.is_none() {
        if asked.vector == 0 {
            say!(c"No packet driver on INT 20h to FFh. Load one, for example: 3COMPKT 0x60\n");
        } else {
            say!(c"No packet driver on INT {x}h. PKTCTL status looks at every vector.\n", asked.vector);
        }
    }
    found
}

/// Calls `show` for each 3COMPKT that was asked for, once for one with several vectors. Others get a line with the driver's name
/// that says what only 3COMPKT has; with `--csv` that line is left out. Returns the exit code.
#[inline(never)]
fn each(asked: &Asked, only: &core::ffi::CStr, show: &mut dyn FnMut(&Driver, &Block)) -> u8 {
    let mut code = NO_DRIVER;
    let mut shown = 0;
    let mut last = None;
    while let Some(driver) = self::driver(asked, last) {
        last = Some(driver);
        match driver.block() {
            Some(block) => {
                if block.info.segment != shown {
                    shown = block.info.segment;
                    show(&driver, &block);
                }
                code = DONE;
            }
            None if asked.has(commands::CSV) => {}
            None => foreign(&driver, only),
        }
    }
    code
}

/// Says that a driver is not 3COMPKT, and what that means.
#[inline(never)]
fn foreign(driver: &Driver, only: &core::ffi::CStr) {
    match driver.info() {
        Ok(info) => say!(c"INT {x}h: {s}, version {d}, is not 3COMPKT: {s}.\n", driver.vector, &info.name, info.version, only),
        Err(code) => say!(c"INT {x}h: a packet driver that does not tell its name ({s}), not 3COMPKT: {s}.\n",
            driver.vector, error::name(code), only),
    }
}

/// The name of the NIC's driver: for 3COMPKT the NIC's, for another what driver_info tells.
#[inline(never)]
fn name(driver: &Driver, block: Option<&Block>) -> [u8; 16] {
    let mut name = [0; 16];
    match block.and_then(|block| nic(driver, block)) {
        Some(nic) => name.iter_mut().zip(nic.name).for_each(|(to, from)| *to = from),
        None => match driver.info() {
            Ok(info) => name = info.name,
            Err(_) => name.iter_mut().zip(*b"(no name)").for_each(|(to, from)| *to = from),
        },
    }
    // A name with control characters or none at all would break a table.
    for letter in name.iter_mut().take_while(|letter| **letter != 0) {
        *letter = if letter.is_ascii_graphic() { *letter } else { b'_' };
    }
    name
}

/// The NIC behind this driver's vector.
fn nic(driver: &Driver, block: &Block) -> Option<compkt::info::NicInfo> {
    (0..block.info.nic_count).filter_map(|index| block.nic(index)).find(|nic| nic.vector == driver.vector)
}
