//! Random states of the machine at an entry, biased to what the function itself compares with, and changed by small
//! steps from those that reached something new.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tools::random::Random;

use crate::contract::prepare;
use crate::layout::*;
use crate::unit::Program;

/// A state, and what the outside answers.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What all is made of that stands nowhere else.
    pub seed: u64,
    /// General registers by asm/abi.inc: arguments in EBX and EDX.
    pub registers: [u32; 8],
    /// Flags.
    pub flags: u32,
    /// What a private function gets: the two arguments, and all others.
    pub words: [u16; 3],
    /// Bytes in the segment.
    pub bytes: BTreeMap<u16, u8>,
    /// The first answers.
    pub first: BTreeMap<u32, u32>,
    /// The others.
    pub others: Others,
    /// What the function's own instructions name.
    pub constants: Rc<[u32]>,
    /// What [`filled`] has given for each four bytes of memory: states that are steps from one have it in common.
    filled: Rc<[Cell<Option<u32>>]>,
}

/// What a run gets from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The answer of this number.
    Answer(u32),
    /// So many bytes at this offset.
    Memory(u16, u8),
}

/// Answers of which no one in particular is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Any.
    #[default]
    Random,
    /// Always this.
    Same(u32),
    /// Counting down, as the clock does.
    Down(u32),
}

/// A number from another one.
pub fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

/// What lies outside of the segment at first: 16 bytes.
pub fn outside(at: u32) -> [u8; 16] {
    let [a, b] = [mix(u64::from(at) << 8), mix(u64::from(at) << 8 | 1)];
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    bytes
}

/// A number that functions care for.
fn interesting(random: u64, constants: &[u32]) -> u32 {
    let more = (random >> 32) as u32;
    match random & 15 {
        0..=5 if !constants.is_empty() => {
            let value = constants[more as usize % constants.len()];
            match random >> 4 & 7 {
                0 => value.wrapping_add(1),
                1 => value.wrapping_sub(1),
                2 => !value,
                3 => value | more,
                _ => value,
            }
        }
        6 => 0,
        7 => u32::MAX,
        8 => 1 << (more & 31),
        9 => !(1 << (more & 31)),
        10 => more & 7,
        11 => more & 0xFF,
        12 => 0x8000_0000 >> (16 * (more & 1)),
        _ => more,
    }
}

/// Bytes of what arguments point to that a state fills.
const FILLED: u32 = 0x800;

/// A near address of something that may be read and written.
fn pointer(random: u64) -> u32 {
    THINGS + (random as u32 & 0x7C0)
}

/// Four bytes of memory.
fn filled(random: u64, constants: &[u32]) -> u32 {
    let more = (random >> 24) as u32;
    let word = |shift: u32| {
        let random = mix(random ^ u64::from(shift));
        if random & 7 < 2 { pointer(random >> 8) } else { interesting(random >> 3, constants) & 0xFFFF }
    };
    match random & 15 {
        0..=3 => FLAT + (more & 0xFFF0),
        4 => FAR + (more & 0xFFF0),
        // A far address.
        5 => (FAR >> 4 | more & 0x70) << 16 | more >> 8 & 0x7FFF,
        6 => interesting(mix(random), constants),
        _ => word(16) << 16 | word(0),
    }
}

/// An argument.
fn word(random: &mut Random, constants: &[u32]) -> u16 {
    let number = u64::from(random.word()) << 32 | u64::from(random.word());
    if random.one_in(3) { interesting(number, constants) as u16 } else { pointer(number) as u16 }
}

impl State {
    /// Any state of an entry with two arguments, each a near address or a word.
    pub fn fresh(random: &mut Random, constants: &Rc<[u32]>) -> State {
        let seed = u64::from(random.word()) << 32 | u64::from(random.word());
        let filled = vec![Cell::new(None); ((0x1_0000 - DATA) / 4) as usize].into();
        let mut state = State { seed, constants: constants.clone(), filled, ..State::default() };
        for (number, register) in state.registers.iter_mut().enumerate() {
            *register = interesting(mix(seed ^ number as u64), constants);
        }
        state.registers[3] = THINGS + 0x100;
        state.registers[2] = THINGS + 0x400;
        state.registers[0] &= 0xFFFF;
        state.flags = random.word();
        for number in 0..3 {
            state.words[number] = word(random, constants);
        }
        state.others = match random.below(4) {
            0 => Others::Same(interesting(mix(seed ^ 77), constants)),
            1 => Others::Down(1 + random.word() % 50),
            _ => Others::Random,
        };
        state
    }

    /// The next answer, and whether memory gives it instead of what lies there.
    pub fn answer(&self, number: u32) -> (u32, bool) {
        if let Some(answer) = self.first.get(&number) {
            return (*answer, true);
        }
        let random = mix(self.seed ^ u64::from(number) << 20 ^ 0x1234_5678);
        let answer = match self.others {
            Others::Random => interesting(random >> 2, &self.constants),
            Others::Same(value) => value,
            Others::Down(step) => (self.seed as u32).wrapping_sub(step.wrapping_mul(number)),
        };
        (answer, random & 3 != 0)
    }

    /// What a routine outside writes, and where.
    pub fn effect(&self, random: u64, variable: (u32, u32)) -> (u32, u32) {
        let (start, end) = if random & 1 == 0 && variable.1 > variable.0 + 4 { variable } else { (THINGS, THINGS + 0x600) };
        let at = start + (random >> 8) as u32 % (end - start - 3).max(1);
        (at & !1, filled(mix(random), &self.constants))
    }

    /// The segment from the data on. Constants are the unit's.
    pub fn memory(&self, program: &Program, shift: u32) -> Vec<u8> {
        let mut memory = vec![0; (0x1_0000 - DATA) as usize];
        let image = &program.image[DATA as usize..];
        memory[..image.len()].copy_from_slice(image);
        let (start, end) = program.variable;
        for (start, end) in [(start & !3, end), (THINGS, THINGS + FILLED), (TOP - shift - DEPTH, TOP)] {
            let place = (start - DATA) as usize..(end - DATA) as usize;
            let cells = &self.filled[place.start / 4..];
            for ((at, cell), bytes) in (start..).step_by(4).zip(cells).zip(memory[place].as_chunks_mut().0) {
                let value = cell.get().unwrap_or_else(|| filled(mix(self.seed ^ u64::from(at) << 32), &self.constants));
                cell.set(Some(value));
                let value = value.to_le_bytes();
                match bytes {
                    [0, 0, 0, 0] => *bytes = value,
                    // The unit gives bytes here.
                    _ => bytes.iter_mut().zip(value).filter(|(byte, _)| **byte == 0).for_each(|(byte, value)| *byte = value),
                }
            }
        }
        for (at, value) in &self.bytes {
            memory[usize::from(*at) - DATA as usize] = *value;
        }
        prepare(&program.symbols, &mut memory);
        memory
    }

    /// The state with another input.
    pub fn with(&self, program: &Program, input: Input, value: u32) -> State {
        let mut state = self.clone();
        match input {
            Input::Answer(number) => _ = state.first.insert(number, value),
            Input::Memory(at, size) => state.put(program, at, &value.to_le_bytes()[..usize::from(size.min(4))]),
        }
        state
    }

    /// A step to another state: `reads` are the places that this one's run looked at, `answers` how often it asked.
    pub fn changed(&self, random: &mut Random, program: &Program, reads: &[(u16, u8)], answers: u32) -> State {
        let mut state = self.clone();
        for _ in 0..1 + random.below(3) {
            let value = |random: &mut Random| interesting(u64::from(random.word()) << 32 | u64::from(random.word()), &self.constants);
            match random.below(10) {
                0..=4 if !reads.is_empty() => {
                    // What was read last stands before what has not been reached.
                    let last = random.one_in(2) && reads.len() > 4;
                    let (at, size) = if last { reads[reads.len() - 1 - random.below(4)] } else { random.of(reads) };
                    let value = match random.below(6) {
                        0 => filled(u64::from(random.word()) << 32 | u64::from(random.word()), &self.constants),
                        1 => {
                            let (from, _) = random.of(reads);
                            let memory = state.memory(program, 0);
                            let place = usize::from(from) - DATA as usize;
                            let bytes = &memory[place..place + 4];
                            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).wrapping_add(random.of(&[0, 0, 1, u32::MAX]))
                        }
                        _ => value(random),
                    };
                    state.put(program, at, &value.to_le_bytes()[..usize::from(size.min(4))]);
                }
                5..=7 if answers != 0 => {
                    let number = if random.one_in(2) { answers - 1 - random.below(answers.min(4) as usize) as u32 } else { random.below(answers as usize) as u32 };
                    let value = value(random);
                    state.first.insert(number, value);
                }
                8 => {
                    state.others = match random.below(4) {
                        0 | 1 => Others::Same(value(random)),
                        2 => Others::Down(1 + random.word() % 50),
                        _ => Others::Random,
                    }
                }
                _ if random.one_in(2) => state.words[random.below(3)] = word(random, &self.constants),
                _ => match random.below(3) {
                    0 => state.registers[2] = pointer(u64::from(random.word())),
                    1 => state.seed = u64::from(random.word()) << 32 | u64::from(random.word()),
                    _ => state.registers[0] = value(random) & 0xFFFF,
                },
            }
        }
        state
    }

    /// The state with another address where a run failed at `fault`, if a place that it read holds about that.
    pub fn repaired(&self, random: &mut Random, program: &Program, reads: &[(u16, u8)], fault: u32) -> Option<State> {
        let memory = self.memory(program, 0);
        let value = |at: u16| {
            let place = usize::from(at) - DATA as usize;
            let bytes = &memory[place..place + 4];
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        let near = |value: u32| fault.wrapping_sub(value).wrapping_add(0x1000) < 0x1_2000;
        let found = reads.iter().rev().find_map(|(at, size)| match size {
            4 if near(value(*at)) => Some((*at, if random.one_in(3) { FAR } else { FLAT } + (random.word() & 0xFF00))),
            4 if near(value(*at) & 0xFFFF) || near(BASE.wrapping_add(value(*at))) => Some((*at, pointer(u64::from(random.word())))),
            // A far address, of which the halves are read.
            2 | 4 if near(value(*at) >> 16 << 4) => Some((*at, (FAR >> 4 | random.word() & 0x7F0) << 16 | random.word() & 0x3FFF)),
            2 if near(BASE + (value(*at) & 0xFFFF)) => Some((*at, pointer(u64::from(random.word())))),
            _ => None,
        });
        let (at, value) = found?;
        let mut state = self.clone();
        let size = if reads.contains(&(at, 4)) || value > 0xFFFF { 4 } else { 2 };
        state.put(program, at, &value.to_le_bytes()[..size]);
        Some(state)
    }

    /// Bytes in memory, but not in place of a unit's constants.
    fn put(&mut self, program: &Program, at: u16, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            let (start, end) = program.variable;
            let offset = u32::from(at);
            let own = (start..end).contains(&offset) && program.image[offset as usize] == 0;
            if own || (THINGS..STACK).contains(&offset) {
                self.bytes.insert(at, *byte);
            }
        }
    }
}
