//! Jumps that need not be, and ends that are the same.

use std::collections::HashSet;

use super::flow::Function;
use super::rules::{Mistake, Rule, on, wrong};
use super::insn::{Arg, Insn, Line};
use super::touch::condition_of;

/// Of a jump, its target.
fn target(line: &Line) -> Option<&str> {
    match line {
        Line::Insn(insn) if insn.op.starts_with('j') => match insn.args.first() {
            Some(Arg::Target(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn is(line: &Line, stem: &str) -> bool {
    matches!(line, Line::Insn(insn) if insn.stem().0 == stem)
}

/// Whether control never gets behind it.
fn leaves(line: &Line) -> bool {
    is(line, "jmp") || is(line, "ret")
}

fn jump(op: &str, to: &str) -> Line {
    Line::Insn(Insn { op: op.into(), args: vec![Arg::Target(to.into())], inline: false })
}

/// A return that takes no arguments off.
fn plain_return(line: &Line) -> bool {
    matches!(line, Line::Insn(insn) if insn.stem().0 == "ret" && insn.args.is_empty())
}

/// The opposite condition.
fn inverse(op: &str) -> Option<&'static str> {
    const PAIRS: [(&str, &str); 8] =
        [("je", "jne"), ("jb", "jae"), ("jbe", "ja"), ("js", "jns"), ("jl", "jge"), ("jle", "jg"), ("jo", "jno"), ("jp", "jnp")];
    PAIRS.iter().find_map(|(a, b)| if op == *a { Some(*b) } else if op == *b { Some(*a) } else { None })
}

/// All that makes a function's jumps fewer. `takes` names the functions whose arguments lie on the stack, or that take
/// them off. Whether anything changed.
pub fn straighten(function: &mut Function, takes: &HashSet<String>) -> bool {
    let mut any = false;
    loop {
        let mut changed = false;
        let rules: [(Rule, fn(&mut Function) -> bool); 4] =
            [(Rule::Inverted, inverted), (Rule::Threads, threads), (Rule::Ends, same_ends), (Rule::Useless, useless)];
        for (_, rule) in rules.into_iter().filter(|(rule, _)| on(*rule)) {
            changed |= rule(function);
            // Places of lines are good until a line goes.
            function.compact();
        }
        changed |= on(Rule::LastCalls) && last_calls(function, takes);
        if !changed {
            return any;
        }
        any = true;
    }
}

/// The first instruction at a label, over further labels.
fn first_at(function: &Function, label: &str) -> Option<usize> {
    let at = *function.labels.get(label)?;
    (at..function.lines.len()).find(|line| matches!(function.lines[*line], Line::Insn(_) | Line::Opaque(_)))
}

/// A jump to a jump goes there at once; a jump to a return returns.
fn threads(function: &mut Function) -> bool {
    let mut changed = false;
    for line in 0..function.lines.len() {
        let Some(to) = target(&function.lines[line]) else { continue };
        let Some(next) = first_at(function, to) else { continue };
        let there = &function.lines[next];
        let unconditional = is(&function.lines[line], "jmp");
        if (unconditional || wrong(Mistake::ThreadsReturn)) && plain_return(there) {
            function.lines[line] = there.clone();
            changed = true;
        } else if is(there, "jmp") && next != line {
            let Some(further) = target(there).filter(|further| *further != to).map(str::to_string) else { continue };
            // Not round and round.
            if first_at(function, &further) == Some(next) {
                continue;
            }
            if let Line::Insn(insn) = &mut function.lines[line] {
                insn.args[0] = Arg::Target(further);
            }
            changed = true;
        }
    }
    changed
}

/// `jcc over; jmp far; over:` is `jncc far`.
fn inverted(function: &mut Function) -> bool {
    let mut changed = false;
    for line in 0..function.lines.len().saturating_sub(1) {
        let (Line::Insn(insn), Some(over)) = (&function.lines[line], target(&function.lines[line])) else { continue };
        let (true, Some(far)) = (condition_of(insn) && is(&function.lines[line + 1], "jmp"), target(&function.lines[line + 1])) else { continue };
        if first_at(function, over) != first_after(function, line + 2) || !function.labels.contains_key(far) {
            continue;
        }
        let Some(op) = inverse(&insn.op) else { continue };
        let op = if wrong(Mistake::InvertedCondition) { insn.op.clone() } else { op.into() };
        let new = jump(&op, far);
        function.lines[line] = new;
        function.lines[line + 1] = Line::Text(String::new());
        changed = true;
    }
    changed
}

/// The first instruction at or behind a line; only labels lie between.
fn first_after(function: &Function, line: usize) -> Option<usize> {
    (line..function.lines.len()).find(|line| matches!(function.lines[*line], Line::Insn(_) | Line::Opaque(_)))
}

/// A call right before the return is a jump.
fn last_calls(function: &mut Function, takes: &HashSet<String>) -> bool {
    let mut changed = false;
    for line in 0..function.lines.len() {
        let Line::Insn(insn) = &function.lines[line] else { continue };
        let (true, Some(Arg::Target(name))) = (insn.stem().0 == "call", insn.args.first()) else { continue };
        if takes.contains(name) && !wrong(Mistake::LastCallsArguments) || !first_after(function, line + 1).is_some_and(|next| plain_return(&function.lines[next])) {
            continue;
        }
        function.lines[line] = jump("jmp", &name.clone());
        changed = true;
    }
    changed
}

/// Jumps to the next line, lines that nothing leads to, labels that nobody names.
fn useless(function: &mut Function) -> bool {
    let mut changed = false;
    let named: HashSet<String> = super::names_in_operands(function)
        .into_iter()
        .chain(function.lines.iter().filter_map(|line| target(line).map(str::to_string)))
        .collect();
    let mut reached = true;
    for line in 0..function.lines.len() {
        match &function.lines[line] {
            Line::Label(name) => {
                let own = name.starts_with(".LBB") || name.starts_with(".Lasm") || name.starts_with(".Lend");
                if own && !named.contains(name) && (!function.in_tables.contains(&line) || wrong(Mistake::UselessTable)) {
                    function.lines[line] = Line::Text(String::new());
                    changed = true;
                } else {
                    reached = true;
                }
            }
            Line::Insn(_) | Line::Opaque(_) if !reached => {
                function.lines[line] = Line::Text(String::new());
                changed = true;
            }
            content => {
                let next = target(content).and_then(|to| function.labels.get(to)).copied();
                let over = |to: usize| to > line && function.lines[line + 1..to].iter().all(|line| !matches!(line, Line::Insn(_) | Line::Opaque(_)));
                if next.is_some_and(over) {
                    function.lines[line] = Line::Text(String::new());
                    changed = true;
                } else if leaves(content) {
                    reached = false;
                }
            }
        }
    }
    changed
}

/// Two ways to the same place that end with the same instructions share them: one of them jumps, and still does.
fn same_ends(function: &mut Function) -> bool {
    for line in 0..function.lines.len() {
        let Some(to) = target(&function.lines[line]).filter(|_| is(&function.lines[line], "jmp")) else { continue };
        // The other ways: falling in at the label, and jumps to it.
        let mut others: Vec<usize> = (0..function.lines.len())
            .filter(|other| *other != line && is(&function.lines[*other], "jmp") && target(&function.lines[*other]) == Some(to))
            .collect();
        others.extend(function.labels.get(to).copied());
        for other in others {
            let alike = alike(function, line, other);
            if alike == 0 {
                continue;
            }
            let label = fresh(function);
            let to_there = jump("jmp", &label);
            function.lines[line] = to_there;
            for gone in line - alike..line {
                function.lines[gone] = Line::Text(String::new());
            }
            function.lines.insert(other - alike, Line::Label(label));
            return true;
        }
    }
    false
}

/// How many instructions before two lines are the same. Labels end the search.
fn alike(function: &Function, one: usize, other: usize) -> usize {
    let lines = &function.lines;
    let mut count = 0;
    while count < one && count < other {
        let (a, b) = (&lines[one - count - 1], &lines[other - count - 1]);
        let plain = match a {
            Line::Insn(insn) => !insn.op.starts_with('j') && insn.stem().0 != "ret",
            _ => false,
        };
        if !plain || a != b || one - count - 1 == other || other - count - 1 == one {
            break;
        }
        count += 1;
    }
    // Neither may lie inside the other.
    let count = if wrong(Mistake::EndsMore) && count != 0 && count < one.min(other) { count + 1 } else { count };
    if one.abs_diff(other) <= count { 0 } else { count }
}

/// A label's name that is not in use.
fn fresh(function: &Function) -> String {
    let name = |number: usize| format!(".Lend{number}_{}", function.name);
    (0..).map(name).find(|name| !function.labels.contains_key(name)).unwrap_or_default()
}
