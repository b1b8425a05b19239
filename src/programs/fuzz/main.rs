//! FUZZ: random calls of INT 60h, with checksums over all memory around the driver.
//!
//! `FUZZ [calls] [/SEED=n] [/FROM=call] [/INT=60]`. The same seed makes the same calls. Memory is checked every 1,000 calls; if
//! it has changed, the last 1,000 are made again with a check after each. `/FROM=` checks after each call from that one on;
//! for a machine that has just started. `/POKE=call` lets FUZZ itself change a byte with that call, to show that it is
//! found.
#![no_std]
#![no_main]

mod calls;
mod memory;

use calls::Calls;
use compkt::programs::options::{self, same};
use compkt::programs::rt::packet::{Block, Driver};
use compkt::programs::rt::{self, console, interrupted};
use compkt::say;

compkt::program!(main);

/// Calls between two checks of the memory.
const STRIDE: u32 = 1000;
/// Calls between two lines of progress.
const PROGRESS: u32 = 25_000;

struct Options {
    calls: u32,
    seed: u32,
    from: u32,
    vector: u8,
    poke: u32,
}

fn main() -> u8 {
    let tail = rt::tail();
    let mut asked = Options { calls: 100_000, seed: 1, from: u32::MAX, vector: 0x60, poke: u32::MAX };
    for word in options::words(&tail) {
        let good = match options::switch(word) {
            None => set(&mut asked.calls, options::number(word)),
            Some((name, value)) if same(name, "SEED") => set(&mut asked.seed, options::number(value)),
            Some((name, value)) if same(name, "FROM") => set(&mut asked.from, options::number(value)),
            Some((name, value)) if same(name, "INT") => set(&mut asked.vector, options::hex(value).map(|v| v as u8)),
            Some((name, value)) if same(name, "POKE") => set(&mut asked.poke, options::number(value)),
            Some(_) => false,
        };
        if !good {
            say!(c"FUZZ cannot use \"");
            console::bytes(word);
            say!(c"\". It takes [calls] /SEED=1 /FROM=1000 /INT=60.\n");
            return 2;
        }
    }
    let Some(driver) = Driver::on(asked.vector) else {
        say!(c"No packet driver on INT {x}h.\n", asked.vector);
        return 2;
    };
    let Some(block) = driver.block() else {
        say!(c"FUZZ must know what memory is the driver's: it takes only 3COMPKT.\n");
        return 2;
    };
    run(&asked, driver, &block)
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn run(asked: &Options, driver: Driver, block: &Block) -> u8 {
    let mut calls = Calls::new(driver, asked.seed);
    memory::keep(block.info.segment, block.info.paragraphs);
    let mut state = calls.state();
    let mut done = 0;
    while done < asked.calls {
        if !one(&mut calls, done, asked) {
            say!(c"FAIL call {d} of seed {d}\n", done, asked.seed);
            calls.end();
            return 1;
        }
        done += 1;
        if done % STRIDE != 0 && done != asked.calls && done <= asked.from {
            continue;
        }
        if let Some(at) = memory::changed() {
            say!(c"FAIL memory near {X}:0000 changed by call {d} or one before it, seed {d}\n", at, done - 1, asked.seed);
            if done <= asked.from {
                replay(&mut calls, state, done, asked);
            }
            calls.end();
            return 1;
        }
        if interrupted() {
            break;
        }
        if done % PROGRESS == 0 {
            say!(c"{d} calls\n", done);
            // Printing has changed DOS's memory.
            memory::keep(block.info.segment, block.info.paragraphs);
        }
        state = calls.state();
    }
    finish(&mut calls, driver, block, done, asked.seed)
}

fn one(calls: &mut Calls, call: u32, asked: &Options) -> bool {
    if call == asked.poke {
        memory::poke();
    }
    calls.one()
}

/// Makes the last calls again, with a check after each.
fn replay(calls: &mut Calls, state: u32, done: u32, asked: &Options) {
    let first = (done - 1) / STRIDE * STRIDE;
    memory::keep_again();
    calls.restart(state);
    for call in first..done {
        let good = one(calls, call, asked);
        if let Some(at) = memory::changed() {
            say!(c"     made again, it was call {d}, near {X}:0000:\n", call, at);
            calls.show();
            return;
        }
        if !good {
            return;
        }
    }
    say!(c"     made again, they changed nothing: try FUZZ {d} /SEED={d} /FROM={d} in a fresh machine\n", done, asked.seed, first);
}

/// Checks that the driver still works.
fn finish(calls: &mut Calls, driver: Driver, block: &Block, done: u32, seed: u32) -> u8 {
    calls.end();
    let mut good = driver.info().is_ok();
    match driver.access(1, &[0x90, 0x70], calls::receiver()) {
        Ok(handle) => {
            good &= driver.address(handle).is_ok_and(|mac| block.nic(0).is_some_and(|nic| nic.rom == mac));
            good &= calls.send_good(&driver);
            good &= driver.release(handle).is_ok();
        }
        Err(_) => good = false,
    }
    if !good {
        say!(c"FAIL after {d} calls of seed {d} the driver does not work\n", done, seed);
        return 1;
    }
    say!(c"{d} calls, {d} succeeded, {d} refused, {d} frames received, seed {d}: nothing else changed\n",
        done, calls.succeeded, calls.refused, calls::received(), seed);
    0
}
