//! What the registers are known to hold, within a run of lines that is entered at its top only: what is there already
//! is not moved there again, and an address takes the register that has a 16-bit form.

use std::collections::HashMap;

use super::flow::Function;
use super::insn::{self, Arg, BP, BX, DI, Insn, Line, Mem, Number, Part, Reg, SI, SP};
use super::live::Live;
use super::rules::{Mistake, Rule, on, wrong};
use super::size;
use super::touch::{Touch, bits, touch};

/// A value, the same wherever it is.
type Id = u32;
/// Of bits 7:0, 15:8 and 31:16.
type Parts = [Id; 3];

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    /// A part's constant.
    Constant(u32, u8),
    /// What lies in memory: the address's parts, and how far from it.
    Memory(String, Option<(Id, Id)>, Option<(Id, Id)>, u8, u8),
}

struct State {
    registers: [Parts; 8],
    known: HashMap<Key, Id>,
    next: Id,
}

impl State {
    fn new() -> State {
        let mut state = State { registers: [[0; 3]; 8], known: HashMap::new(), next: 0 };
        state.forget();
        state
    }

    fn fresh(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    /// Nothing is known any more.
    fn forget(&mut self) {
        for number in 0..8 {
            self.spoil(0o7 << (3 * number));
        }
        self.forget_memory();
    }

    fn forget_memory(&mut self) {
        self.known.retain(|key, _| matches!(key, Key::Constant(..)));
    }

    fn spoil(&mut self, bits: u32) {
        for number in 0..8 {
            for part in 0..3 {
                if bits >> (3 * number + part) & 1 != 0 {
                    self.registers[number][part] = self.fresh();
                }
            }
        }
    }

    fn of(&mut self, key: Key) -> Id {
        match self.known.get(&key) {
            Some(id) => *id,
            None => {
                let id = self.fresh();
                self.known.insert(key, id);
                id
            }
        }
    }

    fn constant(&mut self, value: u32) -> Parts {
        [self.of(Key::Constant(value & 0xFF, 0)), self.of(Key::Constant(value >> 8 & 0xFF, 0)), self.of(Key::Constant(value >> 16, 1))]
    }

    /// The parts that an operand has, as many as its width names.
    fn operand(&mut self, arg: &Arg, width: u8) -> Option<Vec<Id>> {
        let count = match width {
            b'b' => 1,
            b'w' => 2,
            _ => 3,
        };
        match arg {
            Arg::Reg(Reg { number, part: Part::Byte { high } }) => Some(vec![self.registers[*number as usize][usize::from(*high)]]),
            Arg::Reg(reg) => Some(self.registers[reg.number as usize][..count].to_vec()),
            Arg::Imm(value) => {
                let value = insn::constant(value)?;
                Some(self.constant(value as u32)[..count].to_vec())
            }
            Arg::Mem(mem) if !mem.is_flat() => {
                let low = |state: &State, number: Option<Number>| number.map(|number| (state.registers[number as usize][0], state.registers[number as usize][1]));
                let (base, index) = (low(self, mem.base), low(self, mem.index));
                Some((0..count as u8).map(|part| self.of(Key::Memory(mem.disp.clone(), base, index, mem.scale, part))).collect())
            }
            _ => None,
        }
    }

    fn put(&mut self, reg: Reg, parts: &[Id]) {
        match reg.part {
            Part::Byte { high } => self.registers[reg.number as usize][usize::from(high)] = parts[0],
            _ => self.registers[reg.number as usize][..parts.len()].copy_from_slice(parts),
        }
    }

    /// What a move gives its register.
    fn moved(&mut self, insn: &Insn) -> Option<(Reg, Vec<Id>)> {
        let (stem, width) = insn.stem();
        let to = insn.destination().filter(|reg| reg.number != SP)?;
        let parts = match stem {
            "mov" => self.operand(&insn.args[0], width)?,
            "movzb" | "movzw" => {
                let source = self.operand(&insn.args[0], if stem == "movzb" { b'b' } else { b'w' })?;
                let zero = self.constant(0);
                let count = if width == b'l' { 3 } else { 2 };
                (0..count).map(|part| source.get(part).copied().unwrap_or(zero[part])).collect()
            }
            "xor" | "sub" if insn.args.len() == 2 && insn.args[0] == insn.args[1] => {
                let zero = Arg::Imm("0".into());
                self.operand(&zero, width)?
            }
            _ => return None,
        };
        Some((to, parts))
    }

    /// What is known after a line.
    fn step(&mut self, line: &Line, touch: Touch) {
        let Line::Insn(insn) = line else {
            if matches!(line, Line::Opaque(_)) {
                self.spoil(touch.spoils | 0o7 << 12);
                self.forget_memory();
            }
            return;
        };
        if let Some((to, parts)) = self.moved(insn) {
            self.put(to, &parts);
            return;
        }
        let (stem, width) = insn.stem();
        if stem == "xchg"
            && let [Arg::Reg(a), Arg::Reg(b)] = insn.args[..]
            && let (Some(of_a), Some(of_b)) = (self.operand(&insn.args[0], width), self.operand(&insn.args[1], width))
        {
            self.put(a, &of_b);
            self.put(b, &of_a);
            return;
        }
        let stack = matches!(stem, "push" | "pop" | "call") || insn.destination().is_some_and(|reg| reg.number == SP);
        self.spoil(touch.spoils | if stack { 0o7 << 12 } else { 0 });
        let harmless = matches!(stem, "in" | "out") || stem.starts_with('j') || stem == "pop" && matches!(insn.args[0], Arg::Reg(_));
        if touch.effect && !harmless && !wrong(Mistake::ReuseStored) {
            self.forget_memory();
            // What has just been stored is there.
            if let ("mov", [from, to @ Arg::Mem(mem)]) = (stem, &insn.args[..])
                && !mem.is_flat()
                && let (Some(parts), Some(_)) = (self.operand(from, width), self.operand(to, width))
            {
                let low = |state: &State, number: Option<Number>| number.map(|number| (state.registers[number as usize][0], state.registers[number as usize][1]));
                let (base, index) = (low(self, mem.base), low(self, mem.index));
                for (part, id) in parts.into_iter().enumerate() {
                    self.known.insert(Key::Memory(mem.disp.clone(), base, index, mem.scale, part as u8), id);
                }
            }
        }
    }

    /// A register with a 16-bit form that holds what an address's base holds.
    fn addressing(&self, number: Number) -> Option<Number> {
        let low = |number: Number| &self.registers[number as usize][..2];
        [BX, SI, DI, BP].into_iter().find(|other| low(*other) == low(number))
    }
}

/// Takes out what is there already. `live` is what is looked at after each line. Whether anything changed.
pub fn reuse(function: &mut Function, live: &[Live]) -> bool {
    if !on(Rule::Reuse) {
        return false;
    }
    let mut state = State::new();
    let mut changed = false;
    for at in 0..function.lines.len() {
        match &mut function.lines[at] {
            Line::Label(_) if !wrong(Mistake::ReuseLabel) => state.forget(),
            Line::Insn(insn) => {
                changed |= addresses(insn, &state);
                if let Some(new) = shorter(insn, &mut state, live[at + 1]) {
                    function.lines[at] = new;
                    changed = true;
                }
            }
            _ => {}
        }
        let line = &function.lines[at];
        state.step(line, touch(line));
    }
    changed
}

/// Gives an address another register, where that makes it short.
fn addresses(insn: &mut Insn, state: &State) -> bool {
    let mut changed = false;
    let far = insn.op == "leal";
    for arg in &mut insn.args {
        let Arg::Mem(mem) = arg else { continue };
        let (None, Some(base), false, false) = (mem.short(), mem.base, mem.is_flat(), far) else { continue };
        if base == SP {
            continue;
        }
        let index = mem.index;
        let shorter = |base: Number, index: Option<Number>| Some(Mem { base: Some(base), index, ..mem.clone() }).filter(|mem| mem.short().is_some());
        let bases = [Some(base), state.addressing(base)];
        let indexes = [index, index.and_then(|index| state.addressing(index))];
        let found = bases.into_iter().flatten().find_map(|base| indexes.into_iter().find_map(|other| shorter(base, other).filter(|new| new.index.is_some() == index.is_some())));
        if let Some(new) = found {
            *mem = new;
            changed = true;
        }
    }
    changed
}

/// A shorter line for a move.
fn shorter(insn: &Insn, state: &mut State, after: Live) -> Option<Line> {
    let (to, parts) = state.moved(insn)?;
    let touched = touch(&Line::Insn(insn.clone()));
    if after.flags & touched.flags_written != 0 {
        return None;
    }
    let held: Vec<Id> = match to.part {
        Part::Byte { high } => vec![state.registers[to.number as usize][usize::from(high)]],
        _ => state.registers[to.number as usize][..parts.len()].to_vec(),
    };
    // Of the parts that somebody looks at, those that are not there.
    let shift = 3 * to.number + if to.part == (Part::Byte { high: true }) { 1 } else { 0 };
    let missing: Vec<usize> = (0..parts.len()).filter(|part| parts[*part] != held[*part] && after.bits >> (shift as usize + part) & 1 != 0).collect();
    if missing.is_empty() {
        return Some(Line::Text(String::new()));
    }
    let mut new = insn.clone();
    match (&insn.args[..], &missing[..]) {
        ([Arg::Imm(value), _], [only]) if *only < 2 && to.number < 4 && parts.len() > 1 => {
            let byte = insn::constant(value)? >> (8 * only) & 0xFF;
            new.op = "movb".into();
            new.args = vec![Arg::Imm(byte.to_string()), Arg::Reg(Reg { number: to.number, part: Part::Byte { high: *only == 1 } })];
        }
        ([Arg::Imm(value), _], [.., last]) if *last < 2 && parts.len() == 3 => {
            new.op = "movw".into();
            new.args = vec![Arg::Imm((insn::constant(value)? as i16).to_string()), Arg::Reg(Reg { part: Part::Word, ..to })];
        }
        ([Arg::Mem(_), _], _) if insn.stem().0 == "mov" => {
            // Another register has it.
            let same = |number: &Number| state.registers[*number as usize][..parts.len()] == parts[..];
            let number = (0..8).filter(|number| *number != SP && matches!(to.part, Part::Word | Part::Long)).find(same)?;
            new.args[0] = Arg::Reg(Reg { number, part: to.part });
        }
        _ => return None,
    }
    (size::of(&new) < size::of(insn) && bits(to) != 0).then_some(Line::Insn(new))
}
