//! `PKTCTL stats`: the counters of every packet driver.

use crate::csv::Row;
use crate::status::OWN_TYPE;
use compkt::programs::commands::{Asked, CSV, DONE, NO_DRIVER, WATCH};
use compkt::programs::rt::{console, inbox};
use compkt::programs::rt::packet::{Driver, Statistics, error};
use compkt::say;
use core::ffi::CStr;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    if asked.has(WATCH) {
        return crate::watch::run(asked);
    }
    if asked.has(CSV) {
        if crate::driver(asked, None).is_none() {
            return NO_DRIVER;
        }
        head();
    }
    rows(asked)
}

/// The names of the values of `--csv`.
pub fn head() {
    say!(c"int,driver,in_frames,in_bytes,in_errors,not_taken,out_frames,out_bytes,out_errors\n");
}

/// Prints every driver's counters.
#[inline(never)]
pub fn rows(asked: &Asked) -> u8 {
    let csv = asked.has(CSV);
    let mut code = NO_DRIVER;
    let mut last = None;
    while let Some(driver) = crate::driver(asked, last) {
        last = Some(driver);
        let name = crate::name(&driver, driver.block().as_ref());
        match read(&driver) {
            Ok(counts) if csv => values(&driver, &name, &counts),
            Ok(counts) => table(&driver, &name, &counts),
            Err(_) if csv => continue,
            Err(why) => {
                say!(c"INT {x}h: {s} does not tell its counters ({s}).\n", driver.vector, &name, error::name(why));
                continue;
            }
        }
        code = DONE;
    }
    code
}

/// Calls `ask` with a handle of a driver; drivers want one for many calls. It is released again.
fn with_handle<R>(driver: &Driver, ask: impl FnOnce(u16) -> Result<R, u8>) -> Result<R, u8> {
    let handle = driver.access(driver.info()?.class, &OWN_TYPE, inbox::receiver())?;
    let result = ask(handle);
    let _ = driver.release(handle);
    result
}

/// A driver's address; zeros: it does not tell.
pub fn address(driver: &Driver) -> [u8; 6] {
    with_handle(driver, |handle| driver.address(handle)).unwrap_or_default()
}

/// A driver's counters.
pub fn read(driver: &Driver) -> Result<Statistics, u8> {
    with_handle(driver, |handle| driver.statistics(handle))
}

#[inline(never)]
fn table(driver: &Driver, name: &[u8; 16], counts: &Statistics) {
    say!(c"INT {x}h  {s}\n               frames        bytes       errors    not taken\n", driver.vector, name);
    line(c"  in    ", &[counts.packets_in, counts.bytes_in, counts.errors_in, counts.packets_lost]);
    line(c"  out   ", &[counts.packets_out, counts.bytes_out, counts.errors_out]);
}

fn line(head: &CStr, counts: &[u32]) {
    say!(c"{s}", head);
    for count in counts {
        say!(c"   ");
        console::decimal(*count, 10);
    }
    say!(c"\n");
}

#[inline(never)]
fn values(driver: &Driver, name: &[u8; 16], counts: &Statistics) {
    let mut row = Row::new();
    row.value(|| say!(c"{x}", driver.vector));
    row.text(name);
    for count in [
        counts.packets_in, counts.bytes_in, counts.errors_in, counts.packets_lost,
        counts.packets_out, counts.bytes_out, counts.errors_out,
    ] {
        row.number(count);
    }
    row.end();
}
