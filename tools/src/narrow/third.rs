//! A third argument goes in EAX: LLVM passes it on the stack, where it costs a push, a pop and an address with a prefix.

use std::collections::{HashMap, HashSet};

use super::flow::Function;
use super::insn::{Arg, Insn, Line, Mem, Part, Reg, SP, constant};
use super::live;
use super::rules::{Mistake, wrong};
use super::stack;
use super::touch::{AX, all, condition_of, touch};

/// Bytes of an argument.
const LONG: i32 = 4;

/// For each private function of which all can be seen.
pub fn in_register(functions: &mut [Function]) {
    // What a jump leads to keeps its arguments (`pass`), so this stays true.
    let taking = stack::with_arguments(functions, &stack::popped(functions));
    let names: HashSet<String> = functions.iter().map(|function| function.name.clone()).collect();
    for at in 0..functions.len() {
        if hands_on(&functions[at], &|name| taking.contains(name) || !names.contains(name)) {
            continue;
        }
        let popped = stack::popped(functions);
        let pushes = live::room(&functions[at]).count();
        if let Some(changed) = without_push(functions, at, &popped) {
            for (at, lines) in changed {
                functions[at].lines = lines;
                functions[at].compact();
            }
            functions[at].third = Some(pushes);
        }
    }
}

/// The lines of the function and of its callers with the argument in EAX. `None`: it stays.
fn without_push(functions: &[Function], at: usize, popped: &HashMap<String, i32>) -> Option<Vec<(usize, Vec<Line>)>> {
    let function = &functions[at];
    let taken = popped.get(&function.name).copied().unwrap_or(0);
    if !function.private {
        return None;
    }
    let mut changed = vec![(at, callee(function, popped)?)];
    for (caller, other) in functions.iter().enumerate() {
        // A function that calls itself has two sides that change.
        let calls: Vec<usize> = (0..other.lines.len()).filter(|line| names(&other.lines[*line], &function.name)).collect();
        if calls.is_empty() {
            continue;
        }
        if caller == at {
            return None;
        }
        let mut lines = other.lines.clone();
        for call in calls {
            pass(&mut lines, call, taken)?;
        }
        changed.push((caller, lines));
    }
    Some(changed)
}

/// Whether a last call of the function, a jump, leads to one that takes arguments on the stack: they are the function's own, where
/// they lie, and nothing in the listing says so.
fn hands_on(function: &Function, takes: &dyn Fn(&str) -> bool) -> bool {
    function.lines.iter().any(|line| match line {
        Line::Insn(insn) if insn.stem().0.starts_with('j') => {
            matches!(insn.args.first(), Some(Arg::Target(name)) if !function.labels.contains_key(name) && takes(name))
        }
        _ => false,
    })
}

fn names(line: &Line, name: &str) -> bool {
    matches!(line, Line::Insn(Insn { args, .. }) if matches!(args.first(), Some(Arg::Target(target)) if target == name))
}

fn displacement(mem: &Mem) -> Option<i32> {
    if mem.disp.is_empty() { Some(0) } else { constant(&mem.disp)?.try_into().ok() }
}

/// Whether control comes to a line, or leaves it, otherwise than from the line before and to the next.
fn is_border(line: &Line) -> bool {
    match line {
        Line::Insn(insn) => condition_of(insn) || matches!(insn.stem().0, "jmp" | "call" | "ret"),
        Line::Label(_) | Line::Opaque(_) => true,
        Line::Text(_) => false,
    }
}

/// The function, looking for its first stack argument in EAX.
fn callee(function: &Function, popped: &HashMap<String, i32>) -> Option<Vec<Line>> {
    let depths = stack::depths(function, popped)?;
    let mut lines = function.lines.clone();
    let (mut straight, mut found) = (true, false);
    for (line, depth) in depths.iter().enumerate() {
        if let Some(exchanged) = exchange(&lines, line, *depth).filter(|_| straight) {
            lines.splice(line..line + 2, exchanged);
            (straight, found) = (false, true);
        }
        let content = &mut lines[line];
        let ends = is_border(content) && !(line == 0 && matches!(content, Line::Label(_)));
        let Line::Insn(insn) = content else {
            straight &= !ends;
            continue;
        };
        if insn.stem().0 == "ret" {
            take_off(insn);
        }
        let (op, width) = (insn.stem().0.to_string(), insn.stem().1);
        let count = insn.args.len();
        for (number, arg) in insn.args.iter_mut().enumerate() {
            if matches!(arg, Arg::Through(_)) && arg.memory().is_some_and(|mem| mem.base == Some(SP)) {
                return None;
            }
            let Arg::Mem(mem) = arg else { continue };
            // With an index it is a local's.
            if mem.base != Some(SP) || mem.index.is_some() {
                continue;
            }
            let above = displacement(mem)? - (*depth)?;
            if above < LONG {
                continue;
            }
            // The return address lies between.
            if above >= 2 * LONG {
                mem.disp = (displacement(mem)? - LONG).to_string();
                continue;
            }
            let reads = number + 1 < count && op != "lea" || matches!(op.as_str(), "push" | "cmp" | "test");
            if !straight || !reads || above != LONG {
                return None;
            }
            let part = match (op.as_str(), width) {
                ("movzb" | "movsb", _) | (_, b'b') => Part::Byte { high: false },
                ("movzw" | "movsw", _) | (_, b'w') => Part::Word,
                _ => Part::Long,
            };
            *arg = Arg::Reg(Reg { number: AX, part });
            found = true;
        }
        let after = touch(content);
        straight &= !ends && after.spoils & all(AX) == 0;
    }
    // Without a look at it there is nothing to tell the argument by.
    found.then_some(lines)
}

/// `movl R, %eax` and a load of the argument to R: then R and EAX change places.
fn exchange(lines: &[Line], at: usize, depth: Option<i32>) -> Option<[Line; 2]> {
    let (Line::Insn(first), Line::Insn(second)) = (lines.get(at)?, lines.get(at + 1)?) else { return None };
    let ([Arg::Reg(from), Arg::Reg(to)], [Arg::Mem(mem), Arg::Reg(loaded)]) = (&first.args[..], &second.args[..]) else { return None };
    let is_argument = mem.base == Some(SP) && mem.index.is_none() && displacement(mem)? == depth? + LONG;
    if first.op != "movl" || to.number != AX || from.number == SP || loaded != from || !is_argument {
        return None;
    }
    let rest = match second.op.as_str() {
        "movl" => Line::Text(String::new()),
        "movzwl" => Line::Insn(Insn { args: vec![Arg::Reg(Reg { part: Part::Word, ..*from }), Arg::Reg(*from)], ..second.clone() }),
        _ => return None,
    };
    let both = Line::Insn(Insn { op: if wrong(Mistake::ThirdMoved) { "movl" } else { "xchgl" }.into(), args: vec![Arg::Reg(*from), Arg::Reg(*to)], inline: false });
    Some([both, rest])
}

/// A return that takes one argument less off the stack.
fn take_off(insn: &mut Insn) {
    if let Some(Arg::Imm(bytes)) = insn.args.first()
        && let Some(bytes) = constant(bytes)
    {
        insn.args = if bytes > LONG as i64 { vec![Arg::Imm((bytes - LONG as i64).to_string())] } else { Vec::new() };
    }
}

/// A call with the last push before it turned into a move to EAX.
fn pass(lines: &mut [Line], call: usize, taken: i32) -> Option<()> {
    if !matches!(&lines[call], Line::Insn(insn) if insn.stem().0 == "call") {
        return None;
    }
    let mut push = call;
    loop {
        push = push.checked_sub(1)?;
        let Line::Insn(insn) = &lines[push] else { return None };
        if insn.stem().0 == "push" && insn.stem().1 == b'l' {
            break;
        }
        let touched = touch(&lines[push]);
        if is_border(&lines[push]) || insn.stem().0 == "pop" || insn.destination().is_some_and(|reg| reg.number == SP) || (touched.reads | touched.spoils) & all(AX) != 0 {
            return None;
        }
        nearer(&mut lines[push])?;
    }
    let Line::Insn(insn) = &lines[push] else { return None };
    let value = insn.args.first()?.clone();
    let eax = Arg::Reg(Reg { number: AX, part: Part::Long });
    if insn.inline || matches!(value, Arg::Segment(_)) {
        return None;
    }
    lines[push] = if value == eax {
        Line::Text(String::new())
    } else {
        Line::Insn(Insn { op: "movl".into(), args: vec![value, eax], inline: false })
    };
    if taken != 0 {
        return Some(());
    }
    // The caller takes it off.
    for line in call + 1..lines.len() {
        let border = is_border(&lines[line]);
        let Line::Insn(insn) = &mut lines[line] else { return None };
        match insn.stem() {
            ("pop", b'l') if !insn.inline => {
                lines[line] = Line::Text(String::new());
                return Some(());
            }
            ("add", b'l') if insn.destination().is_some_and(|reg| reg.number == SP) => {
                let Some(Arg::Imm(bytes)) = insn.args.first_mut() else { return None };
                let rest = constant(bytes)? - LONG as i64;
                if rest < 0 {
                    return None;
                }
                *bytes = rest.to_string();
                if rest == 0 {
                    lines[line] = Line::Text(String::new());
                }
                return Some(());
            }
            ("push" | "sub", _) if insn.stem().0 == "push" || insn.destination().is_some_and(|reg| reg.number == SP) => return None,
            _ if border => return None,
            _ => nearer(&mut lines[line])?,
        }
    }
    None
}

/// What an instruction names on the stack, with an argument less there.
fn nearer(line: &mut Line) -> Option<()> {
    let Line::Insn(insn) = line else { return None };
    for mem in insn.args.iter_mut().filter_map(Arg::memory) {
        if mem.base != Some(SP) {
            continue;
        }
        let disp = displacement(mem)?;
        // The argument itself.
        if disp < LONG {
            return None;
        }
        if !wrong(Mistake::ThirdPlace) {
            mem.disp = (disp - LONG).to_string();
        }
    }
    Some(())
}
