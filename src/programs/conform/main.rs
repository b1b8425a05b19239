//! CONFORM: calls every function of a packet driver, rightly and wrongly, and checks the results.
//!
//! It prints a line for each check, `ok NAME` or `FAIL NAME: expected …, got …`; the last line counts them. A station at
//! 10.0.2.2 must answer ARP; the frame shapes also need a test peer. A request without an answer is sent again, and
//! counted.
#![no_std]
#![no_main]

mod block;
mod calls;

mod handles;
mod mailbox;
mod sending;
mod shapes;
mod upcalls;

use compkt::programs::rt::check::Checks;
use compkt::device::MacAddr;
use compkt::programs::options::{self, same};
use compkt::programs::rt::{self, console, packet::Driver};
use compkt::say;

compkt::program!(main);

/// The driver under test, and what every group of checks needs.
pub struct Machine {
    /// The driver.
    pub driver: Driver,
    /// Its address in ROM.
    pub mac: MacAddr,
    /// The driver is 3COMPKT: what only 3COMPKT promises is checked, too.
    pub ours: bool,
    /// The card receives only for the address in its ROM, whatever address is set.
    pub fixed: bool,
}

fn main() -> u8 {
    let tail = rt::tail();
    let mut vector = 0x60;
    let mut peer = false;
    let mut fixed = false;
    let mut end = false;
    for word in options::words(&tail) {
        match options::switch(word) {
            Some((name, value)) if same(name, "INT") => vector = options::hex(value).unwrap_or(0) as u8,
            Some((name, _)) if same(name, "PEER") => peer = true,
            Some((name, _)) if same(name, "FIXED") => fixed = true,
            Some((name, _)) if same(name, "END") => end = true,
            _ => {
                say!(c"CONFORM cannot use \"");
                console::bytes(word);
                say!(c"\". It takes /INT=60, /PEER (a test peer must answer),\n\
/END (terminate it in the end) and /FIXED (the card receives only for the address in its ROM, as QEMU's NE2000).\n");
                return 2;
            }
        }
    }
    let Some(driver) = Driver::on(vector) else {
        say!(c"No packet driver on INT {x}h.\n", vector);
        return 2;
    };
    let mut checks = Checks::new();
    let mut machine = Machine { driver, mac: [0; 6], ours: driver.block().is_some(), fixed };
    calls::run(&mut checks, &mut machine);
    handles::run(&mut checks, &machine);
    block::run(&mut checks, &machine);
    sending::run(&mut checks, &machine);
    upcalls::run(&mut checks, &machine);
    shapes::run(&mut checks, &machine, peer);
    if end {
        calls::end(&mut checks, &driver);
    }
    say!(c"{d} questions again\n", mailbox::retries());
    say!(c"{d} passed, {d} failed\n", checks.passed, checks.failed);
    (checks.failed != 0) as u8
}
