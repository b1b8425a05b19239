//! CONTROL: calls every function of the control interrupt (`/CTL`), rightly and wrongly, and checks the results.
//!
//! `CONTROL [/INT=60] [/END] [/DOSBOX]`: as CONFORM, a line for each check. A station at 10.0.2.2 must answer ARP. `/END` uninstalls
//! the driver in the end. `CONTROL WILD [calls] [/SEED=n]` makes random calls of INT 2Dh, as FUZZ does of INT 60h.
#![no_std]
#![no_main]

mod amis;
mod callbacks;
#[allow(dead_code, reason = "FUZZ alone uses all of it")]
#[path = "../fuzz/memory.rs"]
mod memory;
mod parameters;
mod receiver;
mod wild;

use compkt::control;
use compkt::programs::options::{self, same};
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::packet::{Block, Driver};
use compkt::programs::rt::{self, Far, Regs, console, int};
use compkt::say;

compkt::program!(main);

/// The driver under test.
#[derive(Clone, Copy)]
pub struct Machine {
    /// The driver.
    pub driver: Driver,
    /// Its information block.
    pub block: Block,
}

impl Machine {
    /// Calls a function of the control interrupt.
    pub fn call(&self, al: u8, bx: u16, cx: u16, es_di: Far) -> Regs {
        let mut regs = Regs::ax((self.block.info.amis as u16) << 8 | al as u16);
        regs.ebx = bx as u32;
        regs.ecx = cx as u32;
        regs.es = es_di.segment();
        regs.edi = es_di.offset() as u32;
        int(control::INTERRUPT, &mut regs);
        regs
    }

    /// SET; its result.
    pub fn set(&self, parameter: u8, cx: u16, es_di: Far) -> u32 {
        self.call(control::SET, parameter as u16, cx, es_di).eax & 0xFF
    }

    /// GET: CX, if the result is [`control::DONE`].
    pub fn get(&self, parameter: u8) -> Option<u16> {
        let regs = self.call(control::GET, parameter as u16, 0xABCD, Far(0));
        (regs.eax as u8 == control::DONE).then_some(regs.ecx as u16)
    }

    /// Entries ever written to the log.
    pub fn written(&self) -> u16 {
        self.call(control::LOG, 0, 0, Far(0)).edx as u16
    }

    /// How many entries of the log behind the first `since` ones are these events, and the last of them. A link may go up or down at
    /// any time, too.
    pub fn logged(&self, since: u16, events: &[u8]) -> (u32, control::Entry) {
        let mut logged = (0, control::Entry::default());
        for behind in 0..self.written().wrapping_sub(since) {
            let entry = self.entry(since.wrapping_add(behind));
            if events.contains(&entry.event) {
                logged = (logged.0 + 1, entry);
            }
        }
        logged
    }

    /// Entry `number` of the log, counted from the first ever written.
    fn entry(&self, number: u16) -> control::Entry {
        let log = self.call(control::LOG, 0, 0, Far(0));
        let at = log.edi as u16 + number % control::LOG_ENTRIES as u16 * size_of::<control::Entry>() as u16;
        // SAFETY: an entry is made of integers.
        unsafe { Far::new(log.es, at).read_as() }
    }
}

fn main() -> u8 {
    let tail = rt::tail();
    let (mut vector, mut end, mut wild, mut calls, mut seed) = (0x60, false, false, 100_000, 1);
    for word in options::words(&tail) {
        match options::switch(word) {
            Some((name, value)) if same(name, "INT") => vector = options::hex(value).unwrap_or(0) as u8,
            Some((name, value)) if same(name, "SEED") => seed = options::number(value).unwrap_or(1),
            Some((name, _)) if same(name, "END") => end = true,
            None if same(word, "WILD") => wild = true,
            None if options::number(word).is_some() => calls = options::number(word).unwrap_or(0),
            _ => {
                say!(c"CONTROL cannot use \"");
                console::bytes(word);
                say!(c"\". It takes /INT=60 and /END, or WILD [calls] /SEED=1.\n");
                return 2;
            }
        }
    }
    let driver = Driver::on(vector);
    let (Some(driver), Some(block)) = (driver, driver.and_then(|driver| driver.block())) else {
        say!(c"3COMPKT is not on INT {x}h.\n", vector);
        return 2;
    };
    if block.info.amis == 0 {
        say!(c"The driver has no control interrupt.\n");
        return 3;
    }
    let machine = Machine { driver, block };
    if wild {
        return wild::run(&machine, calls, seed);
    }
    let mut checks = Checks::new();
    amis::run(&mut checks, &machine);
    parameters::run(&mut checks, &machine);
    callbacks::run(&mut checks, &machine);
    receiver::run(&mut checks, &machine);
    if end {
        amis::end(&mut checks, &machine);
    }
    say!(c"{d} passed, {d} failed\n", checks.passed, checks.failed);
    (checks.failed != 0) as u8
}
