//! Runs an entry of a program from a state, and notes what the outside sees of it.

use std::ffi::c_void;

use crate::contract::{Entry, Result};
use crate::hooks::*;
use crate::layout::*;
use crate::state::{Input, State, mix, outside};
use crate::unicorn::{self, EXECUTE, Engine, READ_WRITE, hook, reg};
use crate::unit::{Form, Program};

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It came back.
    Well,
    /// It touched what is not there, or a trap.
    Fault(i32),
    /// It took too long.
    TooLong,
}

/// What is left of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// Of all events.
    pub hash: u64,
    /// How many.
    pub count: u32,
    /// The events, if they were to be kept.
    pub events: Vec<Event>,
    /// Translated blocks that it took.
    pub blocks: u32,
    /// It ended because a return address was overwritten.
    pub overwrote: bool,
}

impl Outcome {
    /// Whether another form of the same function has done the same; of a run that did not come back, as far as it went.
    pub fn agrees(&self, other: &Outcome) -> bool {
        (self.hash, self.count) == (other.hash, other.count) && (self.ended != Ended::Well || other.ended == Ended::Well)
    }
}

/// A program in an engine.
pub struct Machine {
    engine: Engine,
    log: Box<Log>,
}

impl Machine {
    /// Puts a program in an engine.
    pub fn new(program: &Program) -> Machine {
        let engine = Engine::new();
        engine.map(BASE, DATA as usize, EXECUTE);
        engine.map(BASE + DATA, (0x1_0000 - DATA) as usize, READ_WRITE);
        engine.write(BASE, &program.image[..DATA as usize]);
        let mut log = Box::new(Log {
            form: program.form,
            stubs: program.stubs.values().map(|stub| (stub.name.clone(), stub.inline)).collect(),
            state: State::default(),
            keep: false,
            hash: 0,
            count: 0,
            before: 0,
            fault: None,
            answers: 0,
            events: Vec::new(),
            blocks: 0,
            too_long: false,
            astray: false,
            returns: Vec::new(),
            starts: program.symbols.iter().filter(|(name, _)| ![".L", "block.", "compare."].iter().any(|mark| name.starts_with(mark))).map(|(_, at)| *at).filter(|at| *at >= CODE && *at < DATA).collect(),
            by_pointer: false,
            overwrote: false,
            noise: 0,
            last: 0,
            seen: vec![0; DATA as usize],
            edges: vec![0; 0x4000],
            touched: Vec::new(),
            times: vec![0; 0x4000],
            pages: Vec::new(),
            reads: Vec::new(),
            read: vec![false; 0x1_0000],
            dirty: Vec::new(),
            top: TOP,
            variable: program.variable,
            fixed: program.image[DATA as usize..].iter().map(|byte| *byte != 0).collect(),
            compares: program.compares.iter().map(|(at, compare)| (*at, compare.clone())).collect(),
            traced: None,
            until: (u32::MAX, LIMIT),
        });
        let data = (&raw mut *log).cast::<c_void>();
        let all = (1, 0);
        // SAFETY: each has its kind's type; the log lives in a box as long as the machine.
        unsafe {
            engine.hook(hook::BLOCK, at_block as *mut c_void, data, all, 0);
            engine.hook(hook::INSN, at_in as *mut c_void, data, all, unicorn::IN);
            engine.hook(hook::INSN, at_out as *mut c_void, data, all, unicorn::OUT);
            engine.hook(hook::READ, at_read as *mut c_void, data, all, 0);
            engine.hook(hook::WRITE, at_write as *mut c_void, data, all, 0);
            for at in program.compares.keys().map(|at| u64::from(BASE + at)) {
                engine.hook(hook::CODE, at_compare as *mut c_void, data, (at, at), 0);
            }
            engine.hook(hook::FAULT, at_fault as *mut c_void, data, all, 0);
            engine.hook(hook::CODE, at_stub as *mut c_void, data, (u64::from(BASE + STUBS), u64::from(BASE + DATA - 1)), 0);
        }
        Machine { engine, log }
    }

    /// Runs an entry. `shift`: how much lower the stack lies than usually; a run that depends on it is none that the
    /// contract allows. `like`: a run that did not come back, of which the events are to be the first.
    pub fn run(&mut self, program: &Program, entry: &Entry, state: &State, shift: u32, keep: bool, like: Option<&Outcome>) -> Outcome {
        self.begin(program, state, shift, keep, like);
        self.place(program, entry, state, shift);
        let kept = self.load(program, entry, state, shift);
        if self.log.until.0 == 0 {
            return Outcome { ended: Ended::TooLong, hash: 0, count: 0, events: Vec::new(), blocks: 0, overwrote: false };
        }
        let error = self.engine.run(BASE + program.symbols[&entry.name], BASE + program.end);
        let ended = match (error, self.log.too_long) {
            (_, true) => Ended::TooLong,
            _ if self.log.astray => Ended::Fault(0),
            (0, _) => Ended::Well,
            (error, _) => Ended::Fault(error),
        };
        if ended == Ended::Well {
            self.note_end(program, entry, &kept);
        }
        let log = &mut self.log;
        // The access that failed has been noted, and in another form may be one that wraps.
        if let (Ended::Fault(1..), Some(_), 1..) = (ended, log.fault, log.count) {
            (log.hash, log.count) = (log.before, log.count - 1);
        }
        Outcome { ended, hash: log.hash, count: log.count, events: std::mem::take(&mut log.events), blocks: log.blocks, overwrote: log.overwrote }
    }

    /// Undoes what the last run left in memory, and empties the log.
    fn begin(&mut self, program: &Program, state: &State, shift: u32, keep: bool, like: Option<&Outcome>) {
        let (engine, log) = (self.engine, &mut self.log);
        log.dirty.sort_unstable();
        log.dirty.dedup();
        // Where a write failed there is no memory.
        log.dirty.drain(..).for_each(|at| _ = engine.write(at, &outside(at)));
        // Few, so that they are found soon.
        if log.pages.len() > PAGES / 3 {
            log.pages.drain(..).for_each(|page| engine.unmap(page, 0x1000));
        }
        log.top = TOP - shift;
        (log.keep, log.hash, log.before, log.count, log.answers, log.blocks, log.last) = (keep, 0, 0, 0, 0, 0, 0);
        log.fault = None;
        (log.too_long, log.astray, log.overwrote, log.noise) = (false, false, false, shift);
        log.until = like.filter(|like| like.ended != Ended::Well).map_or((u32::MAX, LIMIT), |like| (like.count, 2 * like.blocks + like.count / 2 + 1000));
        log.events.clear();
        log.by_pointer = false;
        log.returns.clear();
        log.returns.push(BASE + log.top - return_size(program));
        log.touched.drain(..).for_each(|edge| log.times[usize::from(edge)] = 0);
        for (at, _) in log.reads.drain(..) {
            log.read[usize::from(at)] = false;
        }
        log.state = state.clone();
    }

    /// Writes the state's memory, with the arguments and the return address on the stack.
    fn place(&mut self, program: &Program, entry: &Entry, state: &State, shift: u32) {
        let log = &self.log;
        let mut memory = state.memory(program, shift);
        if entry.private {
            let arguments = (log.top - DATA) as usize;
            memory[arguments..arguments + ARGUMENTS].copy_from_slice(&[u32::from(state.words[2]); ARGUMENTS / 4].map(u32::to_le_bytes).concat());
        }
        let size = return_size(program);
        let place = (log.top - size - DATA) as usize;
        memory[place..place + 2].copy_from_slice(&(program.end as u16).to_le_bytes());
        if size == 4 {
            memory[place + 2..place + 4].fill(0);
        }
        self.engine.write(BASE + DATA, &memory);
    }

    /// Sets the registers; gives those general ones that the entry has to keep.
    fn load(&mut self, program: &Program, entry: &Entry, state: &State, shift: u32) -> [u32; 8] {
        let engine = self.engine;
        let mut registers = state.registers;
        if entry.private {
            let [first, second, others] = state.words.map(u32::from);
            (registers[AX], registers[BX], registers[DX]) = (others, first, second);
        }
        if shift != 0 {
            // What the caller keeps there is not for the entry to see.
            [CX, 5, 6, 7].iter().for_each(|number| registers[*number] ^= mix(state.seed ^ *number as u64) as u32);
        }
        let kept = registers;
        if program.form == Form::Compiled {
            registers.swap(CX, BX);
        }
        registers[SP] = self.log.top - return_size(program);
        for (number, value) in registers.into_iter().enumerate() {
            engine.set(reg::GENERAL[number], value);
        }
        for segment in &reg::SEGMENTS[..4] {
            engine.set(*segment, u32::from(SEGMENT));
        }
        engine.set(reg::SEGMENTS[4], 0);
        engine.set(reg::SEGMENTS[5], 0);
        engine.set(reg::EFLAGS, 2 | state.flags & 0x8D5);
        kept
    }

    /// Notes what the entry came back with.
    fn note_end(&mut self, program: &Program, entry: &Entry, kept: &[u32; 8]) {
        let (engine, log) = (self.engine, &mut self.log);
        let mut now = reg::GENERAL.map(|register| engine.get(register));
        if program.form == Form::Compiled {
            now.swap(CX, BX);
        }
        let sp = if entry.private { 0 } else { now[SP].wrapping_sub(log.top) };
        let mut values = vec![sp, engine.get(reg::EFLAGS) & 0x400];
        values.extend(reg::SEGMENTS[1..].iter().map(|segment| engine.get(*segment)));
        let words = match entry.result {
            Result::Nothing | Result::Registers => 0,
            Result::Byte | Result::Word => 1,
            Result::Pair => 2,
        };
        let bits = if entry.result == Result::Byte { 0xFF } else { 0xFFFF };
        values.extend([AX, DX][..words].iter().map(|number| log.shown(now[*number] & bits)));
        if entry.result == Result::Registers {
            values.extend([AX, BX, DX].map(|number| now[number]));
        }
        if entry.keeps {
            let mask = if entry.private { 0xFFFF } else { u32::MAX };
            values.extend([CX, 5, 6, 7].map(|number| (now[number] ^ kept[number]) & mask));
        }
        log.note(Event::End(values));
    }

    /// Runs once more, and gives what it compared, and its inputs with their values.
    pub fn trace(&mut self, program: &Program, entry: &Entry, state: &State) -> (Vec<(u8, [u32; 2])>, Vec<(Input, u32)>) {
        self.log.traced = Some(Default::default());
        self.run(program, entry, state, 0, false, None);
        let (compared, mut inputs) = self.log.traced.take().unwrap_or_default();
        let memory = state.memory(program, 0);
        inputs.extend(self.log.reads.iter().map(|(at, size)| {
            let place = usize::from(*at) - DATA as usize;
            let value = memory[place..place + usize::from(*size)].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
            (Input::Memory(*at, *size), value)
        }));
        (compared, inputs)
    }

    /// Whether the last run took a way that none did before, or took one many times more.
    pub fn is_new(&mut self) -> bool {
        let log = &mut self.log;
        let mut new = false;
        for edge in &log.touched {
            let bucket = 1 << log.times[usize::from(*edge)].ilog2().min(7);
            let edge = &mut log.edges[usize::from(*edge)];
            new |= *edge & bucket == 0;
            *edge |= bucket;
        }
        new
    }

    /// The places that the last run read.
    pub fn reads(&self) -> Vec<(u16, u8)> {
        self.log.reads.clone()
    }

    /// The address at which the last run failed.
    pub fn fault(&self) -> Option<u32> {
        self.log.fault
    }

    /// How many answers it got.
    pub fn answered(&self) -> u32 {
        self.log.answers
    }

    /// Which instructions have run.
    pub fn covered(&self) -> Vec<bool> {
        let mut covered = vec![false; DATA as usize];
        for (at, size) in self.log.seen.iter().enumerate() {
            let end = (at + usize::from(*size)).min(covered.len());
            covered[at..end].fill(true);
        }
        covered
    }

    /// The ways that were taken, for [`Machine::set_edges`].
    pub fn edges(&self) -> Vec<u8> {
        self.log.edges.clone()
    }

    /// What is not new any more; none: all is.
    pub fn set_edges(&mut self, edges: Vec<u8>) {
        self.log.edges = edges;
        self.log.edges.resize(0x4000, 0);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.engine.close();
    }
}

/// Bytes of a return address.
fn return_size(program: &Program) -> u32 {
    if program.form == Form::Compiled { 4 } else { 2 }
}
