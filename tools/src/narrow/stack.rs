//! The stack once a near call leaves two bytes instead of four: where the arguments lie, and which saved registers
//! need their low half only.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::effect::writes_high;
use super::flow::Function;
use super::rules::{Mistake, Rule, on, wrong};
use super::insn::{self, Arg, BP, CX, DI, Insn, Line, Mem, Number, Part, Reg, SI, SP};
use super::touch::{all, low, touch};

/// Bytes of a long push, and of the return address that LLVM counts on.
const LONG: i32 = 4;

/// Bytes that each function takes off the stack besides its return address.
pub fn popped(functions: &[Function]) -> HashMap<String, i32> {
    let of = |function: &Function| {
        function.lines.iter().find_map(|line| match line {
            Line::Insn(insn) if insn.stem().0 == "ret" => Some(number(insn.args.first()).unwrap_or(0)),
            _ => None,
        })
    };
    functions.iter().map(|function| (function.name.clone(), of(function).unwrap_or(0))).collect()
}

/// The functions that take arguments on the stack, whoever takes them off.
pub fn with_arguments(functions: &[Function], popped: &HashMap<String, i32>) -> HashSet<String> {
    let looks_above = |function: &&Function| {
        let frame = Frame::walk(function, popped);
        let above = |(line, content): (usize, &Line)| {
            let (Line::Insn(insn), Ok(frame)) = (content, &frame) else { return false };
            let Some((depth, _)) = &frame.before[line] else { return false };
            insn.args.clone().iter_mut().filter_map(Arg::memory).any(|mem| {
                let disp = displacement(mem).unwrap_or(0);
                mem.base == Some(SP) && disp > *depth || mem.base == Some(BP) && frame.by_bp && disp > LONG
            })
        };
        frame.is_err() || popped.get(&function.name).is_some_and(|bytes| *bytes != 0) || function.lines.iter().enumerate().any(above)
    };
    functions.iter().filter(looks_above).map(|function| function.name.clone()).collect()
}

/// Bytes under the return address before each line that is reached. `None`: unknown, or BP tells the places.
pub fn depths(function: &Function, popped: &HashMap<String, i32>) -> Option<Vec<Option<i32>>> {
    let frame = Frame::walk(function, popped).ok().filter(|frame| !frame.by_bp)?;
    Some(frame.before.iter().map(|before| before.as_ref().map(|(depth, _)| *depth)).collect())
}

fn number(arg: Option<&Arg>) -> Option<i32> {
    match arg {
        Some(Arg::Imm(value)) => value.parse().ok(),
        _ => None,
    }
}

fn register(arg: Option<&Arg>) -> Option<Number> {
    match arg {
        Some(Arg::Reg(Reg { number, part: Part::Long })) => Some(*number),
        _ => None,
    }
}

/// A push and its pops, or several that lead to the same pop.
#[derive(Default)]
struct Slot {
    pushes: Vec<usize>,
    pops: Vec<usize>,
    register: Option<Number>,
    /// Something else than one register's push and pop.
    mixed: bool,
    inline: bool,
}

/// What lies on the stack at a line: where, in bytes under the return address, and the push that put it there.
type Item = (i32, usize);

/// What is known of a function's stack.
struct Frame<'a> {
    function: &'a Function,
    /// Bytes under the return address before each line, and what has been pushed; None: never reached.
    before: Vec<Option<(i32, Vec<Item>)>>,
    /// BP is the frame's: at it the caller's BP, two words above it the arguments.
    by_bp: bool,
    /// By the line of one of its pushes; `same` leads there from the others.
    slots: BTreeMap<usize, Slot>,
    same: HashMap<usize, usize>,
}

/// Which pushes and pops become narrow, and whether arguments are two bytes nearer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those of an `asm!`, before the registers' high halves are looked at.
    Inline,
    /// All that may, with a near return address; for each line, the registers of which the high half is looked at
    /// after it, and those of which whom it calls does not give it back.
    All(&'a [u8], &'a [u8]),
}

/// Rewrites a function for the near return address and narrows the pushes and pops that may be.
///
/// # Errors
/// A stack that does not come out even: a function that is called through a pointer, or is not Rust's, takes
/// arguments on the stack.
pub fn rewrite(function: &mut Function, popped: &HashMap<String, i32>, which: Which<'_>) -> Result<(), String> {
    let frame = Frame::walk(function, popped)?;
    let narrow: Vec<usize> = frame.slots.iter().filter(|(_, slot)| !frame.by_bp && frame.narrowable(slot, which)).map(|(at, _)| *at).collect();
    let returns = if which == Which::Inline || wrong(Mistake::StackPlace) { 0 } else { 2 };
    // Of each line: its depth, the end of the saved registers, and what of them and of later pushes becomes narrow.
    let mut near: Vec<Option<(i32, i32, Vec<i32>)>> = Vec::new();
    for before in &frame.before {
        let narrowed = |items: &Vec<Item>| items.iter().filter(|(_, id)| narrow.contains(&frame.class(*id))).map(|(at, _)| *at).collect();
        near.push(before.as_ref().map(|(depth, items)| (*depth, frame.saved(items), narrowed(items))));
    }
    let by_bp = frame.by_bp;
    let lines: Vec<usize> = narrow.iter().flat_map(|at| [&frame.slots[at].pushes[..], &frame.slots[at].pops[..]].concat()).collect();
    for (line, content) in function.lines.iter_mut().enumerate() {
        let (Line::Insn(insn), Some((depth, saved, near))) = (content, &near[line]) else { continue };
        if lines.contains(&line) {
            insn.op = insn.op.replace('l', "w");
            if let Some(Arg::Reg(reg)) = insn.args.first_mut() {
                reg.part = Part::Word;
            }
            continue;
        }
        for arg in &mut insn.args {
            if let Some(mem) = arg.memory() {
                if mem.base == Some(SP) && !by_bp {
                    let at = depth - displacement(mem)?;
                    // An address among the saved registers, or with an index, is that of a local, with a negative
                    // index: arguments are words.
                    let is_local = mem.index.is_some() || (-LONG < at && at < *saved);
                    let between = near.iter().filter(|slot| **slot >= if is_local { *saved } else { at }).count() as i32;
                    shift(mem, 0, 2 * between)?;
                    if at <= -LONG && !is_local {
                        shift(mem, 0, returns)?;
                    }
                } else if mem.base == Some(BP) && by_bp {
                    shift(mem, 2 * LONG, returns)?;
                }
            }
        }
    }
    Ok(())
}

fn displacement(mem: &Mem) -> Result<i32, String> {
    if mem.disp.is_empty() { Ok(0) } else { mem.disp.parse().map_err(|_| format!("{} on the stack", mem.disp)) }
}

/// An operand at or above `arguments` comes `by` bytes nearer.
fn shift(mem: &mut Mem, arguments: i32, by: i32) -> Result<(), String> {
    let disp = displacement(mem)?;
    if by != 0 && disp >= arguments {
        mem.disp = (disp - by).to_string();
    }
    Ok(())
}

/// Whether an instruction that stays as it stands names the stack pointer, or pushes or pops.
fn moves_stack(text: &str) -> bool {
    text.contains("%esp") || (text.contains("push") || text.contains("pop")) && !text.contains('f')
}

impl Frame<'_> {
    fn walk<'a>(function: &'a Function, popped: &HashMap<String, i32>) -> Result<Frame<'a>, String> {
        let count = function.lines.len();
        let mut frame = Frame { function, before: vec![None; count], by_bp: false, slots: BTreeMap::new(), same: HashMap::new() };
        frame.by_bp = function.lines.iter().any(|line| matches!(line, Line::Insn(insn)
            if insn.stem().0 == "mov" && matches!(insn.args[..], [Arg::Reg(Reg { number: SP, .. }), Arg::Reg(Reg { number: BP, .. })])));
        let uneven = |line: usize| format!("{}: the stack is uneven at line {line}: what is called through a pointer or is not Rust takes at most two arguments", function.name);
        let mut todo: Vec<(usize, i32, Vec<Item>)> = vec![(0, 0, Vec::new())];
        // A jump through a register where the stack is even is a last call, or a table's: then nothing else leads to
        // the table's targets.
        let mut last_calls = false;
        loop {
            let Some((mut line, mut depth, mut items)) = todo.pop() else {
                let unseen = function.in_tables.iter().find(|target| frame.before[**target].is_none());
                let Some(target) = unseen.filter(|_| last_calls) else { break };
                todo.push((*target, 0, Vec::new()));
                continue;
            };
            while line < count {
                if let Some((known, other)) = frame.before[line].clone() {
                    if known != depth && !frame.by_bp {
                        return Err(uneven(line));
                    }
                    frame.join(&other, &items);
                    break;
                }
                frame.before[line] = Some((depth, items.clone()));
                let insn = match &function.lines[line] {
                    Line::Insn(insn) => insn,
                    Line::Opaque(text) if moves_stack(text) => return Err(format!("{}: {text}", function.name)),
                    _ => {
                        line += 1;
                        continue;
                    }
                };
                let (stem, first) = (insn.stem().0, insn.args.first());
                let target = match first {
                    Some(Arg::Target(name)) => function.labels.get(name).copied(),
                    _ => None,
                };
                match (stem, first) {
                    ("ret", _) if depth != 0 && !frame.by_bp => return Err(uneven(line)),
                    ("ret", _) => break,
                    ("call", Some(Arg::Target(name))) => {
                        depth -= popped.get(name).copied().unwrap_or(0);
                        frame.drop(&mut items, depth);
                    }
                    ("call", _) => {}
                    ("jmp", Some(Arg::Target(_))) => match target {
                        Some(target) => {
                            todo.push((target, depth, items));
                            break;
                        }
                        None if depth != 0 && !frame.by_bp => return Err(uneven(line)),
                        None => break,
                    },
                    ("jmp", Some(Arg::Through(through))) if depth == 0 && matches!(**through, Arg::Reg(_)) => {
                        last_calls = true;
                        break;
                    }
                    ("jmp", _) => {
                        todo.extend(function.in_tables.iter().map(|target| (*target, depth, items.clone())));
                        break;
                    }
                    _ if stem.starts_with('j') => todo.extend(target.map(|target| (target, depth, items.clone()))),
                    _ => depth = frame.moved(line, insn, depth, &mut items),
                }
                line += 1;
            }
        }
        Ok(frame)
    }

    /// The end of what is pushed before anything else.
    fn saved(&self, items: &[Item]) -> i32 {
        items.iter().fold(0, |end, (at, push)| match &self.function.lines[*push] {
            Line::Insn(insn) if *at == end && !insn.inline => end + if insn.stem().1 == b'w' { 2 } else { LONG },
            _ => end,
        })
    }

    /// The slot that a push is of.
    fn class(&self, mut push: usize) -> usize {
        while let Some(other) = self.same.get(&push) {
            push = *other;
        }
        push
    }

    /// Two ways to the same line: what lies at the same place is one slot; what only one has is none.
    fn join(&mut self, known: &[Item], items: &[Item]) {
        for (some, others) in [(known, items), (items, known)] {
            for (at, push) in some {
                let one = self.class(*push);
                match others.iter().find(|(other, _)| other == at) {
                    Some((_, push)) => {
                        let other = self.class(*push);
                        self.unite(one, other);
                    }
                    None => self.slots.entry(one).or_default().mixed = true,
                }
            }
        }
    }

    fn unite(&mut self, one: usize, other: usize) {
        if one == other {
            return;
        }
        let gone = self.slots.remove(&other).unwrap_or_default();
        let kept = self.slots.entry(one).or_default();
        kept.mixed |= gone.mixed || gone.register != kept.register || gone.inline != kept.inline;
        kept.pushes.extend(gone.pushes);
        kept.pops.extend(gone.pops);
        self.same.insert(other, one);
    }

    /// What lies under `depth` is left without a pop.
    fn drop(&mut self, items: &mut Vec<Item>, depth: i32) {
        while let Some((at, push)) = items.pop_if(|(at, _)| *at >= depth) {
            debug_assert!(at >= depth);
            let class = self.class(push);
            self.slots.entry(class).or_default().mixed = true;
        }
    }

    /// The depth after an instruction that is no jump; notes pushes and pops.
    fn moved(&mut self, line: usize, insn: &Insn, depth: i32, items: &mut Vec<Item>) -> i32 {
        let (stem, width) = insn.stem();
        let bytes = if width == b'w' { 2 } else { LONG };
        let reg = register(insn.args.first());
        let after = match stem {
            "push" => {
                let slot = Slot { pushes: vec![line], pops: Vec::new(), register: reg, mixed: reg.is_none(), inline: insn.inline };
                self.slots.insert(line, slot);
                items.push((depth, line));
                return depth + bytes;
            }
            "pop" => {
                if let Some((at, push)) = items.pop_if(|(at, _)| *at == depth - bytes) {
                    debug_assert_eq!(at, depth - bytes);
                    let class = self.class(push);
                    let slot = self.slots.entry(class).or_default();
                    slot.pops.push(line);
                    slot.mixed |= reg.is_none() || slot.register != reg || slot.inline != insn.inline;
                }
                depth - bytes
            }
            _ if !insn.destination().is_some_and(|reg| reg.number == SP && reg.part != Part::Byte { high: true }) => depth,
            "add" | "sub" => {
                let by = number(insn.args.first()).unwrap_or(0);
                if stem == "add" { depth - by } else { depth + by }
            }
            "lea" => match insn.args.first() {
                Some(Arg::Mem(mem)) if mem.base == Some(BP) => LONG - mem.disp.parse().unwrap_or(0),
                Some(Arg::Mem(mem)) if mem.base == Some(SP) => depth - mem.disp.parse().unwrap_or(0),
                _ => depth,
            },
            _ => depth,
        };
        self.drop(items, after);
        after
    }

    /// Whether a slot saves a register of which no high half is changed until it is put back.
    fn narrowable(&self, slot: &Slot, which: Which<'_>) -> bool {
        let Some(number) = slot.register.filter(|number| [CX, SI, DI, BP].contains(number)) else { return false };
        if slot.mixed || slot.pops.is_empty() || (which == Which::Inline && !slot.inline) || (which != Which::Inline && !on(Rule::Pushes)) || (slot.inline && !on(Rule::AsmPushes)) {
            return false;
        }
        if wrong(if which == Which::Inline { Mistake::AsmPushesAll } else { Mistake::PushesAll }) {
            return true;
        }
        if let Which::All(high, _) = which
            && slot.pops.iter().all(|pop| high[*pop] >> number & 1 == 0)
        {
            return true;
        }
        self.function.lines.iter().enumerate().all(|(line, content)| {
            if let Which::All(_, lost) = which
                && lost[line] >> number & 1 != 0
            {
                return false;
            }
            let Some((_, items)) = &self.before[line] else { return true };
            if slot.pops.contains(&line) || !items.iter().any(|(_, push)| slot.pushes.contains(push)) {
                return true;
            }
            match content {
                Line::Insn(insn) => !writes_high(insn, number),
                Line::Opaque(text) if text.starts_with("rep") => touch(content).spoils & all(number) & !low(number) == 0,
                Line::Opaque(text) => !insn::names_long(text, number),
                _ => true,
            }
        })
    }
}
