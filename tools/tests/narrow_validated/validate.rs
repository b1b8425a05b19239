//! Compares the forms of a unit, entry by entry.

use std::collections::BTreeSet;
use std::rc::Rc;

use tools::random::Random;

use crate::contract::{self, Entry};
use crate::machine::{Ended, Machine, Outcome};
use crate::state::{Input, State};
use crate::unit::{Form, Outside, Program, link, readable, with_blocks};
use crate::{compare, listing, remembered};

/// How far an entry is searched: states, translated blocks, and states in a row that reach nothing new.
struct Depth {
    states: u32,
    blocks: u64,
    idle: u32,
}

/// At first; for blocks that have not been reached; and, in resident units, for those that still have not.
const DEPTHS: [Depth; 3] = [
    Depth { states: 300, blocks: 1_000_000, idle: 150 },
    Depth { states: 40_000, blocks: 6_000_000, idle: 3_000 },
    Depth { states: 200_000, blocks: 40_000_000, idle: 40_000 },
];
/// How much higher the code lies where something may depend on it.
const SHIFT: u32 = 0x40;
/// How much lower the stack lies then. A byte of padding, which an entry may copy without having written it, is the same by chance
/// in one run of 256; in one of 16 million at each of these places.
const DEEPER: [u32; 3] = [SHIFT, 2 * SHIFT, 3 * SHIFT];
/// A run of so many blocks is not often repeated.
const LONG: u32 = 20_000;

/// A unit as rustc wrote it, and as the pass did.
pub struct Pair<'a> {
    /// What it is called.
    pub unit: &'a str,
    /// rustc's listing.
    pub whole: &'a str,
    /// The pass's, each with a name.
    pub written: &'a [(&'static str, String)],
    /// It stays in memory.
    pub resident: bool,
    /// Whether a block, by form and name, is known not to be reached.
    pub listed: &'a dyn Fn(&str) -> bool,
}

/// The blocks of all forms by name, and those that were reached.
#[derive(Default)]
pub struct Coverage {
    /// Form and name.
    pub all: BTreeSet<String>,
    /// See above.
    pub reached: BTreeSet<String>,
    /// States that were compared now, and those in which what an entry does depends on where code and stack lie.
    pub compared: [u32; 2],
}

impl Coverage {
    fn count(&mut self, search: &Search) {
        self.compared.iter_mut().zip(search.compared).for_each(|(all, more)| *all += more);
    }
}

/// The search for states of one entry.
struct Search {
    entry: Entry,
    hash: u64,
    constants: Rc<[u32]>,
    random: Random,
    found: Vec<Found>,
    seen: Vec<u8>,
    repaired: Option<State>,
    rounds: u32,
    idle: u32,
    blocks: u64,
    compared: [u32; 2],
}

/// A state that reached something new.
struct Found {
    state: State,
    /// What it read.
    reads: Vec<(u16, u8)>,
    /// How many answers it got.
    answers: u32,
    /// How long it took.
    blocks: u32,
    /// Inputs with which a comparison would have come out otherwise, once it has been traced.
    others: Option<Vec<(Input, u32)>>,
}

/// A unit's programs and engines.
struct Rig {
    /// As it was compiled.
    compiled: (Program, Machine),
    /// The same with its code elsewhere.
    moved: (Program, Machine),
    /// The pass's.
    written: Vec<(&'static str, Program, Machine)>,
}

impl Pair<'_> {
    /// Runs the entries that `wanted` names and that have not been run before.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, wanted: impl Fn(&Entry) -> bool) -> Result<Coverage, String> {
        let mut coverage = Coverage::default();
        let mut searches = Vec::new();
        for entry in contract::entries(self.whole, self.resident).into_iter().filter(wanted) {
            let text = listing::closure(self.whole, &entry.name);
            let written: Vec<String> = self.written.iter().map(|(_, listing)| listing::closure(listing, &entry.name)).collect();
            let texts: Vec<&str> = [&entry.name, &text].into_iter().chain(&written).map(String::as_str).collect();
            let hash = remembered::hash(&texts);
            match remembered::recall(hash) {
                Some(reached) => coverage.reached.extend(reached),
                None => searches.push(Search::new(entry, hash, listing::constants(&text))),
            }
        }
        if searches.is_empty() {
            coverage.all = self.block_names();
            return Ok(coverage);
        }
        let mut rig = Rig::new(self).map_err(|why| format!("{}: {why}", self.unit))?;
        for depth in 0..2 {
            for search in &mut searches {
                rig.add(&mut coverage);
                if depth == 0 || self.is_worth(&coverage, &search.entry.name, &|_| false) {
                    search.run(&mut rig, depth).map_err(|why| format!("{} {}: {why}", self.unit, search.entry.name))?;
                }
            }
        }
        // What the entries' states do not reach is called by itself.
        for name in listing::code(self.whole) {
            rig.add(&mut coverage);
            let own = |block: &String| is_of(block, &name) && !coverage.reached.contains(block);
            if self.block_names().iter().any(own) && !searches.iter().any(|search| search.entry.name == name) {
                let text = listing::closure(self.whole, &name);
                let mut search = Search::new(Entry::private(&name), 0, listing::constants(&text));
                for depth in 0..2 {
                    search.run(&mut rig, depth).map_err(|why| format!("{} {name}, by itself: {why}", self.unit))?;
                }
                coverage.count(&search);
            }
        }
        for search in searches.iter_mut().filter(|_| self.resident) {
            rig.add(&mut coverage);
            if self.is_worth(&coverage, &search.entry.name, self.listed) {
                search.run(&mut rig, 2).map_err(|why| format!("{} {}: {why}", self.unit, search.entry.name))?;
            }
        }
        rig.add(&mut coverage);
        for search in &searches {
            coverage.count(search);
            let functions = listing::functions(self.whole, &search.entry.name);
            let own = |block: &&String| functions.iter().any(|name| is_of(block, name));
            remembered::remember(search.hash, &coverage.reached.iter().filter(own).cloned().collect());
        }
        coverage.all = self.block_names();
        Ok(coverage)
    }

    /// Form and name of each block of all listings.
    fn block_names(&self) -> BTreeSet<String> {
        let of = |form: &'static str, listing: &str| with_blocks(listing).1.into_iter().map(move |name| format!("{form} {name}"));
        let written = self.written.iter().flat_map(|(form, listing)| of(form, listing));
        of("compiled", self.whole).chain(written).collect()
    }

    /// Whether a block of the entry's has not been reached, but for those that `given_up` names.
    fn is_worth(&self, coverage: &Coverage, entry: &str, given_up: &dyn Fn(&str) -> bool) -> bool {
        let functions = listing::functions(self.whole, entry);
        let missing = self.block_names();
        let mut missing = missing.difference(&coverage.reached).filter(|block| !given_up(block));
        missing.any(|block| functions.iter().any(|name| is_of(block, name)))
    }
}

/// Whether a block is of a function.
fn is_of(block: &str, function: &str) -> bool {
    block.split(' ').nth(1) == Some(&*readable(function))
}

impl Rig {
    fn new(pair: &Pair<'_>) -> Result<Rig, String> {
        let outside = Outside::of(pair.whole);
        let load = |listing: &str, form: Form, shift: u32| {
            let program = link(listing, &outside, form, shift)?;
            let machine = Machine::new(&program);
            Ok::<_, String>((program, machine))
        };
        let mut written = Vec::new();
        for (name, listing) in pair.written {
            let (program, machine) = load(listing, Form::Narrow, 0)?;
            written.push((*name, program, machine));
        }
        Ok(Rig { compiled: load(pair.whole, Form::Compiled, 0)?, moved: load(pair.whole, Form::Compiled, SHIFT)?, written })
    }

    /// Adds what has run.
    fn add(&self, coverage: &mut Coverage) {
        let (program, machine) = &self.compiled;
        for (form, program, machine) in std::iter::once((&"compiled", program, machine)).chain(self.written.iter().map(|(form, program, machine)| (form, program, machine))) {
            let covered = machine.covered();
            let reached = program.blocks.iter().filter(|(at, _)| covered[**at as usize]);
            coverage.reached.extend(reached.map(|(_, name)| format!("{form} {name}")));
        }
    }
}

impl Search {
    fn new(entry: Entry, hash: u64, constants: Rc<[u32]>) -> Search {
        Search { entry, hash, constants, random: Random::new(1), found: Vec::new(), seen: Vec::new(), repaired: None, rounds: 0, idle: 0, blocks: 0, compared: [0; 2] }
    }

    fn run(&mut self, rig: &mut Rig, depth: usize) -> Result<(), String> {
        rig.compiled.1.set_edges(std::mem::take(&mut self.seen));
        self.idle = 0;
        let mut result = Ok(());
        let most = &DEPTHS[depth];
        while result.is_ok() && self.blocks < most.blocks && self.rounds < most.states && (self.rounds < 100 || self.idle < most.idle) {
            let state = self.next(rig);
            result = self.one(rig, &state, depth);
            self.rounds += 1;
        }
        self.seen = rig.compiled.1.edges();
        result
    }

    /// A state to try.
    fn next(&mut self, rig: &mut Rig) -> State {
        if let Some(state) = self.repaired.take() {
            return state;
        }
        if self.found.is_empty() || self.rounds < 30 || self.random.one_in(8) {
            return State::fresh(&mut self.random, &self.constants);
        }
        // Rather one that came last, rather a short run.
        let count = self.found.len();
        let mut pick = || if self.random.one_in(2) { count - 1 - self.random.below(count.min(4)) } else { self.random.below(count) };
        let mut number = pick();
        for _ in 0..3 {
            if self.found[number].blocks < LONG {
                break;
            }
            number = pick();
        }
        let (program, machine) = &mut rig.compiled;
        let found = &mut self.found[number];
        if self.random.one_in(2) {
            let others = found.others.get_or_insert_with(|| {
                let (compared, inputs) = machine.trace(program, &self.entry, &found.state);
                compare::others(&compared, &inputs)
            });
            if !others.is_empty() {
                let (input, value) = others[self.random.below(others.len())];
                return found.state.with(program, input, value);
            }
        }
        found.state.changed(&mut self.random, program, &found.reads, found.answers)
    }

    fn one(&mut self, rig: &mut Rig, state: &State, depth: usize) -> Result<(), String> {
        let Rig { compiled: (program, compiled), moved: (elsewhere, moved), written } = rig;
        let first = compiled.run(program, &self.entry, state, 0, false, None);
        self.blocks += u64::from(first.blocks);
        let is_new = compiled.is_new();
        self.idle = if is_new { 0 } else { self.idle + 1 };
        if is_new {
            let (reads, answers) = (compiled.reads(), compiled.answered());
            self.found.push(Found { state: state.clone(), reads, answers, blocks: first.blocks, others: None });
        }
        if let Some(fault) = compiled.fault().filter(|_| !self.random.one_in(16)) {
            self.repaired = state.repaired(&mut self.random, program, &compiled.reads(), fault);
        }
        // The same long way once more tells nothing; and the search looks for ways that are new.
        if !is_new && (first.blocks >= LONG && first.ended == Ended::TooLong || depth != 0 && !self.random.one_in(4)) {
            return Ok(());
        }
        self.compared[0] += 1;
        let mut all = written.iter_mut().map(|(form, program, machine)| {
            let second = machine.run(program, &self.entry, state, 0, false, Some(&first));
            (form, program, machine, second)
        });
        let Some((form, other, machine, second)) = all.find(|(.., second)| !first.agrees(second)) else { return Ok(()) };
        // A copy over the stack reaches a return address earlier where return addresses are shorter.
        let until = if first.overwrote && second.overwrote { Some(&second) } else { None };
        let same = until.is_some_and(|until| until.agrees(&compiled.run(program, &self.entry, state, 0, false, Some(until))));
        // What depends on where code and stack lie is not for the entry to see.
        if same || DEEPER.iter().any(|shift| !first.agrees(&moved.run(elsewhere, &self.entry, state, *shift, false, Some(&first)))) {
            self.compared[1] += 1;
            return Ok(());
        }
        let first = compiled.run(program, &self.entry, state, 0, true, None);
        let second = machine.run(other, &self.entry, state, 0, true, Some(&first));
        let outside: Vec<(usize, &str)> = program.stubs.values().map(|stub| &*stub.name).enumerate().collect();
        let difference = difference(form, &first, &second);
        Err(format!("state {}, registers {:x?}, words {:x?}\n{difference}\ncalls: {outside:?}", self.rounds, state.registers, state.words))
    }
}

fn difference(form: &str, first: &Outcome, second: &Outcome) -> String {
    let at = first.events.iter().zip(&second.events).position(|(a, b)| a != b).unwrap_or(first.events.len().min(second.events.len()));
    let show = |outcome: &Outcome| format!("{:?}, {} events: {:x?}", outcome.ended, outcome.count, outcome.events.get(at.saturating_sub(12)..(at + 2).min(outcome.events.len())));
    format!("event {at}\ncompiled: {}\n{form}: {}", show(first), show(second))
}
