//! What functions keep of the registers. Those that asm/ calls where all are saved keep none. PUSHA and POPA do for several
//! registers in functions without a result: what they put back besides is nobody's. They take more of the stack, so only
//! where that of a receiver is free: what the core calls while none runs.

use std::collections::{HashMap, HashSet};

use super::Kind;
use super::flow::{Callee, Function, Next, Place, next};
use super::insn::{Arg, BP, BX, CX, DI, Insn, Line, Part, Reg, SI, SP, constant};
use super::live::Known;
use super::rules::{Mistake, Rule, on, wrong};
use super::stack;
use super::touch::{AX, DX, all, low, touch};

/// Entries of a driver without a result, and not called from inside a receiver.
const ENTRIES: &[&str] = &["peek", "copy", "discard", "stop"];

/// Functions of INT 60h and what settles, which asm/int60.asm and asm/irq.asm call behind `save`, or asm/pool.inc for them.
const SAVED: &[&str] = &[
    "access_type", "as_send_pkt", "as_send_pkt_iocb", "catch_up", "drop_pkt", "get_address", "get_info", "get_multicast_list",
    "release_type", "reset_interface", "send_pkt", "set_address", "set_multicast_list", "set_rcv_mode",
];

/// A driver's or a filter's entries that asm/irq.asm alone calls, behind `save` too. (A filter calls the one below its own
/// and has nothing left to do.)
const SETTLED: &[&str] = &["irq", "unmask", "set_rcv_mode", "set_address"];

/// How a function keeps registers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// All at once.
    Together,
    /// Not at all.
    Never,
}

/// Wherever it is shorter.
pub fn together(functions: &mut [Function]) {
    let popped = stack::popped(functions);
    // A driver has entries of the same names, which the core's Rust calls.
    let core = functions.iter().any(|function| function.global && function.name == "catch_up");
    let free = |name: &str| on(Rule::SaveNone) && (SETTLED.contains(&name) || core && SAVED.contains(&name) || wrong(Mistake::SaveNoneOthers));
    for function in functions.iter_mut().filter(|function| function.global && free(&function.name)) {
        if let Some(lines) = saved(function, &[], &popped, How::Never) {
            function.lines = lines;
            function.compact();
        }
    }
    if !on(Rule::SaveAll) {
        return;
    }
    let shallow = shallow(functions);
    let popped = stack::popped(functions);
    let mut known = Known::new(functions, Kind::Resident);
    for at in shallow {
        let live = known.lines(at, &functions[at]);
        let bits: Vec<u32> = live.iter().map(|live| live.bits).collect();
        if let Some(lines) = saved(&functions[at], &bits, &popped, How::Together) {
            functions[at].lines = lines;
            functions[at].compact();
        }
    }
}

/// The entries, and private functions that only these call.
fn shallow(functions: &[Function]) -> Vec<usize> {
    let names: HashMap<String, usize> = functions.iter().enumerate().map(|(at, function)| (function.name.clone(), at)).collect();
    let is_entry = |function: &Function| function.global && ENTRIES.contains(&function.name.as_str());
    let mut found: HashSet<usize> = (0..functions.len()).filter(|at| is_entry(&functions[*at]) || functions[*at].private).collect();
    loop {
        let before = found.len();
        let others: Vec<&Function> = functions.iter().enumerate().filter(|(at, _)| !found.contains(at)).map(|(_, function)| function).collect();
        for function in others {
            for line in &function.lines {
                let Line::Insn(insn) = line else { continue };
                if let Next::Call(Callee::Here(callee)) | Next::Jump { to: Place::Function(Callee::Here(callee)), .. } = next(&names, function, insn) {
                    found.remove(&callee);
                }
            }
        }
        if found.len() == before {
            break;
        }
    }
    let mut found: Vec<usize> = found.into_iter().collect();
    found.sort_unstable();
    found
}

/// The register that a line pushes or pops, and how much of it.
fn register(line: &Line, stem: &str) -> Option<Reg> {
    match line {
        Line::Insn(insn) if insn.stem().0 == stem && !insn.inline => match insn.args[..] {
            [Arg::Reg(reg)] if [CX, SI, DI, BP].contains(&reg.number) => Some(reg),
            _ => None,
        },
        _ => None,
    }
}

/// The function with its registers saved in another way. `None`: they cannot be, or it is no shorter. `live`: what is
/// looked at behind each line, for [`How::Together`].
fn saved(function: &Function, live: &[u32], popped: &HashMap<String, i32>, how: How) -> Option<Vec<Line>> {
    let start = function.lines.iter().position(|line| !matches!(line, Line::Label(_)))?;
    let pushes: Vec<Reg> = function.lines[start..].iter().map_while(|line| register(line, "push")).collect();
    let size: usize = pushes.iter().map(|reg| if reg.part == Part::Long { 2 } else { 1 }).sum();
    let long = pushes.iter().any(|reg| reg.part == Part::Long);
    if pushes.is_empty() || how == How::Together && (pushes.len() < 2 || size <= if long { 2 } else { 1 }) {
        return None;
    }
    let depth: i32 = pushes.iter().map(|reg| if reg.part == Part::Long { 4 } else { 2 }).sum();
    let depths = stack::depths(function, popped)?;
    let one = |op: &str| match how {
        How::Together => Line::Insn(Insn { op: format!("{op}{}", if long { "l" } else { "w" }), args: Vec::new(), inline: false }),
        How::Never => Line::Text(String::new()),
    };
    let mut lines = function.lines.clone();
    for line in start..lines.len() {
        let Line::Insn(insn) = &function.lines[line] else { continue };
        // What lies above the saved registers would be further away.
        for mem in insn.args.clone().iter_mut().filter_map(Arg::memory) {
            let disp = if mem.disp.is_empty() { 0 } else { constant(&mem.disp).unwrap_or(i64::MAX) };
            if mem.base == Some(SP) && mem.index.is_none() && disp >= (depths[line].unwrap_or(0) - depth) as i64 {
                return None;
            }
        }
        let leaves = insn.stem().0 == "ret" || matches!(insn.args.first(), Some(Arg::Target(name)) if insn.op.starts_with('j') && !function.labels.contains_key(name));
        if !leaves {
            continue;
        }
        let first = line.checked_sub(pushes.len())?;
        let pops: Option<Vec<Reg>> = function.lines[first..line].iter().rev().map(|line| register(line, "pop")).collect();
        if insn.stem().0 != "ret" && insn.op != "jmp" || pops? != pushes {
            return None;
        }
        let wanted = live.get(line).map_or(0, |live| live & (all(AX) | all(BX) | all(DX)));
        if wanted != 0 {
            // The first argument again, which comes back by itself.
            let again = first.checked_sub(1)?;
            if wanted & !low(BX) != 0 || !is_first_argument(function, start + pushes.len(), again) && !wrong(Mistake::SaveAllResult) {
                return None;
            }
            lines[again] = Line::Text(String::new());
        }
        lines[first..line].fill(Line::Text(String::new()));
        lines[first] = one("popa");
    }
    lines[start..start + pushes.len()].fill(Line::Text(String::new()));
    lines[start] = one("pusha");
    Some(lines)
}

/// Whether a line moves to BX what was there at the entry, from a register that nothing else is ever moved to.
fn is_first_argument(function: &Function, start: usize, line: usize) -> bool {
    let moved = |line: &Line| match line {
        Line::Insn(insn) if matches!(insn.op.as_str(), "movw" | "movl") => match insn.args[..] {
            [Arg::Reg(from), Arg::Reg(to)] => Some((from.number, to.number)),
            _ => None,
        },
        _ => None,
    };
    let Some((holder, BX)) = moved(&function.lines[line]) else { return false };
    let Some(kept) = (start..line).find(|at| moved(&function.lines[*at]) == Some((BX, holder))) else { return false };
    let straight = function.lines[start..kept].iter().all(|line| {
        matches!(line, Line::Insn(insn) if !insn.op.starts_with('j') && insn.stem().0 != "call") && touch(line).spoils & low(BX) == 0
    });
    let only = function.lines.iter().enumerate().all(|(at, line)| {
        let call = matches!(line, Line::Insn(insn) if insn.stem().0 == "call");
        at == kept || call || register(line, "pop").is_some_and(|reg| reg.number == holder) || touch(line).spoils & low(holder) == 0
    });
    [CX, SI, DI, BP].contains(&holder) && straight && only
}
