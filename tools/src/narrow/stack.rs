//! The stack once a near call leaves two bytes instead of four: where the arguments lie, and which saved registers
//! need their low half only.

use std::collections::{BTreeMap, HashMap};

use super::effect::writes_high;
use super::flow::Function;
use super::insn::{self, Arg, BP, CX, DI, Insn, Line, Mem, Number, Part, Reg, SI, SP};

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

/// A push into, or a pop out of, a place under the return address.
#[derive(Default)]
struct Slot {
    pushes: Vec<usize>,
    pops: Vec<usize>,
    register: Option<Number>,
    /// Something else than one register's push and pop.
    mixed: bool,
}

/// What is known of a function's stack.
struct Frame<'a> {
    function: &'a Function,
    /// Bytes under the return address before each line; None: never reached.
    depth: Vec<Option<i32>>,
    /// BP is the frame's: at it the caller's BP, two words above it the arguments.
    by_bp: bool,
    slots: BTreeMap<i32, Slot>,
}

/// Rewrites a function for the near return address and narrows the pushes and pops that may be.
///
/// # Errors
/// A stack that does not come out even: a function that is called through a pointer, or is not Rust's, takes
/// arguments on the stack.
pub fn rewrite(function: &mut Function, popped: &HashMap<String, i32>) -> Result<(), String> {
    let frame = Frame::walk(function, popped)?;
    let mut narrow: Vec<i32> = Vec::new();
    if !frame.by_bp {
        for (at, slot) in &frame.slots {
            if *at != LONG * narrow.len() as i32 || !frame.narrowable(slot) {
                break;
            }
            narrow.push(*at);
        }
    }
    let depth = frame.depth.clone();
    let by_bp = frame.by_bp;
    let lines: Vec<usize> = narrow.iter().flat_map(|at| [&frame.slots[at].pushes[..], &frame.slots[at].pops[..]].concat()).collect();
    for (line, content) in function.lines.iter_mut().enumerate() {
        let (Line::Insn(insn), Some(depth)) = (content, depth[line]) else { continue };
        if lines.contains(&line) {
            insn.op = insn.op.replace('l', "w");
            if let Some(Arg::Reg(reg)) = insn.args.first_mut() {
                reg.part = Part::Word;
            }
            continue;
        }
        let saved = 2 * narrow.iter().filter(|at| **at < depth).count() as i32;
        for arg in &mut insn.args {
            if let Arg::Mem(mem) = arg {
                if mem.base == Some(SP) && !by_bp {
                    shift(mem, depth + LONG, 2 + saved)?;
                } else if mem.base == Some(BP) && by_bp {
                    shift(mem, 2 * LONG, 2)?;
                }
            }
        }
    }
    Ok(())
}

/// An operand at or above `arguments` comes `by` bytes nearer.
fn shift(mem: &mut Mem, arguments: i32, by: i32) -> Result<(), String> {
    let disp = if mem.disp.is_empty() { 0 } else { mem.disp.parse().map_err(|_| format!("{} on the stack", mem.disp))? };
    if disp >= arguments {
        mem.disp = (disp - by).to_string();
    }
    Ok(())
}

impl Frame<'_> {
    fn walk<'a>(function: &'a Function, popped: &HashMap<String, i32>) -> Result<Frame<'a>, String> {
        let count = function.lines.len();
        let mut frame = Frame { function, depth: vec![None; count], by_bp: false, slots: BTreeMap::new() };
        frame.by_bp = function.lines.iter().any(|line| matches!(line, Line::Insn(insn)
            if insn.stem().0 == "mov" && matches!(insn.args[..], [Arg::Reg(Reg { number: SP, .. }), Arg::Reg(Reg { number: BP, .. })])));
        let uneven = |line: usize| format!("{}: the stack is uneven at line {line}: what is called through a pointer or is not Rust takes at most two arguments", function.name);
        let mut todo = vec![(0, 0)];
        // A jump through a register where the stack is even is a last call, or a table's: then nothing else leads to
        // the table's targets.
        let mut last_calls = false;
        loop {
            let Some((mut line, mut depth)) = todo.pop() else {
                let unseen = function.in_tables.iter().find(|target| frame.depth[**target].is_none());
                let Some(target) = unseen.filter(|_| last_calls) else { break };
                todo.push((*target, 0));
                continue;
            };
            while line < count {
                if let Some(known) = frame.depth[line] {
                    if known != depth && !frame.by_bp {
                        return Err(uneven(line));
                    }
                    break;
                }
                frame.depth[line] = Some(depth);
                if let Line::Insn(insn) = &function.lines[line] {
                    let (stem, first) = (insn.stem().0, insn.args.first());
                    let target = match first {
                        Some(Arg::Target(name)) => function.labels.get(name).copied(),
                        _ => None,
                    };
                    match stem {
                        "ret" => {
                            if depth != 0 && !frame.by_bp {
                                return Err(uneven(line));
                            }
                            break;
                        }
                        "call" => {
                            if let Some(Arg::Target(name)) = first {
                                depth -= popped.get(name).copied().unwrap_or(0);
                            }
                        }
                        "jmp" => {
                            match (target, first) {
                                (Some(target), _) => todo.push((target, depth)),
                                (None, Some(Arg::Target(_))) if depth != 0 && !frame.by_bp => return Err(uneven(line)),
                                (None, Some(Arg::Target(_))) => {}
                                (None, Some(Arg::Through(through))) if depth == 0 && matches!(**through, Arg::Reg(_)) => last_calls = true,
                                _ => function.in_tables.iter().for_each(|target| todo.push((*target, depth))),
                            }
                            break;
                        }
                        _ if stem.starts_with('j') => target.iter().for_each(|target| todo.push((*target, depth))),
                        _ => depth = frame.moved(line, insn, depth),
                    }
                } else if let Line::Opaque(text) = &function.lines[line]
                    && (text.contains("%esp") || (text.contains("push") || text.contains("pop")) && !text.contains('f'))
                {
                    return Err(format!("{}: {text}", function.name));
                }
                line += 1;
            }
        }
        Ok(frame)
    }

    /// The depth after an instruction that is no jump; notes pushes and pops.
    fn moved(&mut self, line: usize, insn: &Insn, depth: i32) -> i32 {
        let (stem, width) = insn.stem();
        let bytes = if width == b'w' { 2 } else { LONG };
        let reg = register(insn.args.first());
        match stem {
            "push" => {
                let slot = self.slots.entry(depth).or_default();
                slot.pushes.push(line);
                slot.mixed |= insn.inline || reg.is_none() || slot.register.is_some_and(|known| Some(known) != reg);
                slot.register = reg;
                depth + bytes
            }
            "pop" => {
                let slot = self.slots.entry(depth - bytes).or_default();
                slot.pops.push(line);
                slot.mixed |= insn.inline || reg.is_none() || slot.register != reg;
                depth - bytes
            }
            _ if !insn.destination().is_some_and(|reg| reg.number == SP && reg.part != Part::Byte { high: true }) => depth,
            "add" | "sub" => {
                let by = number(insn.args.first()).unwrap_or(0);
                let after = if stem == "add" { depth - by } else { depth + by };
                // Slots that are left without a pop.
                for slot in self.slots.range_mut(after.min(depth)..after.max(depth)).map(|(_, slot)| slot) {
                    slot.mixed = true;
                }
                after
            }
            "lea" => match insn.args.first() {
                Some(Arg::Mem(mem)) if mem.base == Some(BP) => LONG - mem.disp.parse().unwrap_or(0),
                Some(Arg::Mem(mem)) if mem.base == Some(SP) => depth - mem.disp.parse().unwrap_or(0),
                _ => depth,
            },
            _ => depth,
        }
    }

    /// Whether a slot saves a register of which the function changes no high half.
    fn narrowable(&self, slot: &Slot) -> bool {
        let Some(number) = slot.register.filter(|number| [CX, SI, DI, BP].contains(number)) else { return false };
        if slot.mixed || slot.pops.is_empty() {
            return false;
        }
        self.function.lines.iter().enumerate().all(|(line, content)| match content {
            Line::Insn(insn) => slot.pops.contains(&line) || !writes_high(insn, number),
            Line::Opaque(text) => !text.starts_with("rep") && !insn::names_long(text, number),
            _ => true,
        })
    }
}
