//! `PKTCTL bond`: a bond of several NICs, shown and changed.

use crate::csv::Row as Csv;
use crate::one;
use crate::watch::{Live, live};
use compkt::bond::flows::ADAPTIVE;
use compkt::info::NOT_PCI;
use compkt::programs::bonds::{ALGORITHMS, Bars, CHANGES, MODES, PARTS, Part, UNIT, Wish, draw, seconds, state, wish};
use compkt::programs::commands::{Asked, BAD_LINE, CSV, DONE, NO_DRIVER, WATCH};
use compkt::programs::rt::bond::{Bond, Refused};
use compkt::programs::rt::console;
use compkt::programs::rt::packet::Driver;
use compkt::programs::screen::Screen;
use compkt::resident::several::{MOST, Nic, irq_of};
use compkt::say;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let wish = match wish(asked.operand) {
        Ok(wish) => wish,
        Err(why) => {
            say!(c"PKTCTL: ");
            console::bytes(asked.operand);
            say!(c": ");
            crate::text(why);
            say!(c". PKTCTL bond help lists what there is.\n");
            return BAD_LINE;
        }
    };
    if wish == Wish::See(Part::Help) {
        help();
        return DONE;
    }
    let Some((driver, bond)) = find(asked) else { return NO_DRIVER };
    match wish {
        Wish::See(_) if asked.has(WATCH) => watch(&driver),
        Wish::See(_) if asked.has(CSV) => {
            values(&driver, &bond);
            DONE
        }
        Wish::See(part) => {
            see(&driver, &bond, part);
            DONE
        }
        Wish::Set(change) => match bond.change(change) {
            Ok(()) => {
                console::bytes(asked.operand);
                say!(c"\n");
                DONE
            }
            Err(why) => {
                say!(c"PKTCTL: ");
                console::bytes(asked.operand);
                say!(c": {s}.\n", match why {
                    Refused::NoFlows => c"with /MODE=STANDBY one card sends, and there are no flows to share",
                    Refused::NoNic => c"the bond has no such card",
                    Refused::Only => c"no other card can be used now",
                });
                NO_DRIVER
            }
        },
    }
}

/// The words.
#[inline(never)]
fn help() {
    for (name, _, what) in &PARTS {
        say!(c"PKTCTL bond ");
        crate::text(name);
        crate::pad(name.len(), 16);
        crate::text(what);
        say!(c"\n");
    }
    for (name, example, what) in &CHANGES {
        say!(c"PKTCTL bond ");
        crate::text(name);
        say!(c"=");
        crate::text(example);
        crate::pad(name.len() + 1 + example.len(), 16);
        crate::text(what);
        say!(c"\n");
    }
}

/// The only bond on the vectors that were asked for. Where there is none, or several, a line has said so.
#[inline(never)]
fn find(asked: &Asked) -> Option<(Driver, Bond)> {
    match one::find_one(asked, &|block| block.bond().is_some()) {
        Ok((driver, block)) => {
            let bond = Bond::of(&block, block.bond()?);
            Some((driver, bond))
        }
        Err(other) => {
            if other.is_some() {
                say!(c"There is no bond. Load one, for example: 3COMPKT /MODE=STANDBY\n");
            }
            None
        }
    }
}

/// Prints a NIC's place; returns its letters.
fn place(nic: &Nic) -> usize {
    if nic.pci == NOT_PCI {
        say!(c"port {X}h", nic.io);
        10
    } else {
        crate::pci(nic.pci);
        11
    }
}

/// A name from a table.
fn name_of(names: &[&'static str], number: u8) -> &'static str {
    names.get(number as usize).copied().unwrap_or("?")
}

#[inline(never)]
fn see(driver: &Driver, bond: &Bond, part: Part) {
    let all = part == Part::Status;
    say!(c"INT {x}h  bond of {d} NICs, ", driver.vector, bond.rows().len() as u32);
    crate::text(name_of(&MODES, bond.fields.mode));
    say!(c"\n");
    if all || part == Part::Nics {
        nics(bond);
    }
    if all || part == Part::Policy {
        policy(bond);
    }
    if all || part == Part::Health {
        health(bond);
    }
    if all || part == Part::Metrics {
        metrics(bond);
    }
}

#[inline(never)]
fn nics(bond: &Bond) {
    say!(c"  no  place        IRQ  state                     sent    received  flows  misses\n");
    for (number, row) in bond.rows().iter().enumerate() {
        let nic = bond.nic(row);
        say!(c"  {2}  ", number as u32 + 1);
        crate::pad(place(&nic), 13);
        match irq_of(nic.line) {
            0 => say!(c"  -  "),
            line => say!(c"{3}  ", line),
        }
        let state = state(row, bond.is_active(number), bond.fields.mode);
        crate::text(state);
        crate::pad(state.len(), 19);
        console::decimal(row.sent, 11);
        say!(c" ");
        console::decimal(row.received, 11);
        say!(c"{7}{8}\n", row.given, row.misses);
    }
}

#[inline(never)]
fn policy(bond: &Bond) {
    let Some(flows) = &bond.flows else {
        say!(c"  policy       the first card that can be used\n");
        return;
    };
    say!(c"  policy       LB=");
    crate::text(name_of(&ALGORITHMS, flows.algorithm));
    say!(c", STICKY={d} seconds, room for {d} flows{s}\n", seconds(flows.sticky as u32 * UNIT), bond.entries(),
        if flows.hook != 0 { c"; a program chooses first" } else { c"" });
    if flows.algorithm == ADAPTIVE || bond.rows().iter().any(|row| row.load != 0) {
        say!(c"  loads       ");
        bond.rows().iter().for_each(|row| say!(c" {d}", row.load));
        say!(c"\n");
    }
}

#[inline(never)]
fn health(bond: &Bond) {
    let fields = bond.fields;
    let (period, hold, target) = (fields.period, fields.hold, fields.target.to_le_bytes());
    say!(c"  health       HEALTH={d} seconds, FAILOVER={d} misses, HOLD={d} seconds, ",
        seconds(period as u32), fields.failover, seconds(hold as u32));
    if target == [0; 4] { say!(c"TARGET=NONE\n") } else { say!(c"TARGET={i}\n", &target) }
}

#[inline(never)]
fn metrics(bond: &Bond) {
    let (moves, ignored) = (bond.fields.moves, bond.fields.ignored);
    say!(c"  moves        {d} times another card took over; {d} frames of others dropped\n", moves, ignored);
    if let Some(flows) = &bond.flows {
        let (hits, moved) = (flows.hits, flows.moved);
        let new = bond.rows().iter().fold(0u32, |new, row| new + row.given as u32);
        say!(c"  flows        {d} frames of known ones, {d} of new ones, {d} left their card\n", hits, new, moved);
    }
}

#[inline(never)]
fn values(driver: &Driver, bond: &Bond) {
    say!(c"int,no,place,irq,state,address,sent,received,flows,misses,load\n");
    for (number, row) in bond.rows().iter().enumerate() {
        let nic = bond.nic(row);
        let mut line = Csv::new();
        line.value(|| say!(c"{x}", driver.vector));
        line.number(number as u32 + 1);
        line.value(|| {
            say!(c"\"");
            place(&nic);
            say!(c"\"");
        });
        line.number(irq_of(nic.line));
        line.text(state(row, bond.is_active(number), bond.fields.mode).as_bytes());
        line.value(|| say!(c"{m}", &row.own));
        line.number(row.sent);
        line.number(row.received);
        line.number(row.given);
        line.number(row.misses);
        line.number(row.load);
        line.end();
    }
}

/// The live screen of a bond.
struct Shown {
    vector: u8,
    bond: Option<Bond>,
    bars: [Bars; MOST as usize],
}

impl Live for Shown {
    fn read(&mut self, passed: u16) {
        // It may have been unloaded meanwhile, from a shell of ours.
        let block = Driver::on(self.vector).and_then(|driver| driver.block());
        let Some((block, head)) = block.and_then(|block| Some((block, block.bond()?))) else { return };
        let bond = Bond::of(&block, head);
        for (bars, row) in self.bars.iter_mut().zip(bond.rows()) {
            let nic: Nic = bond.nic(row);
            (bars.pci, bars.io) = (nic.pci, nic.io);
            bars.take(row, passed);
        }
        self.bond = Some(bond);
    }

    fn draw(&mut self, screen: &mut Screen, rows: usize, seconds: u16, write: &mut dyn FnMut(usize, &[u16])) {
        let Some(bond) = &self.bond else { return };
        let algorithm = bond.flows.map_or("", |flows| name_of(&ALGORITHMS, flows.algorithm));
        let bars = self.bars.get(..bond.rows().len()).unwrap_or(&[]);
        draw(screen, rows, (&bond.fields, self.vector, algorithm), bars, seconds, write);
    }

    fn reset(&mut self) {}
}

#[inline(never)]
fn watch(driver: &Driver) -> u8 {
    let mut shown = Shown { vector: driver.vector, bond: None, bars: [Bars::NONE; MOST as usize] };
    // What was counted until now is no rate.
    shown.read(0);
    live(&mut shown, 1)
}
