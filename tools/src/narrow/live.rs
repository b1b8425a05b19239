//! Which bytes of the registers, and which flags, are looked at after each line.

use std::collections::HashMap;

use super::Kind;
use super::flow::{Callee, Function, Next, Place, next, passes};
use super::insn::{Arg, BX, Insn, Line, Part, SP};
use super::rules::{Mistake, wrong};
use super::touch::{AX, Bits, DX, EVERY, KEPT, all, bits, low, touch};

/// What is looked at later on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Bytes of registers.
    pub bits: Bits,
    /// Flags.
    pub flags: u8,
}

impl Live {
    fn and(self, other: Live) -> Live {
        Live { bits: self.bits | other.bits, flags: self.flags | other.flags }
    }
}

/// What an exchange of two registers reads, by what is looked at of both afterwards.
fn exchanged(line: &Line, after: Bits) -> Option<Bits> {
    let Line::Insn(insn) = line else { return None };
    let [Arg::Reg(a), Arg::Reg(b)] = insn.args[..] else { return None };
    if insn.stem().0 != "xchg" || a.part == (Part::Byte { high: true }) || b.part == (Part::Byte { high: true }) || a.number == SP || b.number == SP {
        return None;
    }
    let (low_a, low_b) = (3 * a.number, 3 * b.number);
    let (of_a, of_b) = ((after & bits(a)) >> low_a, (after & bits(b)) >> low_b);
    Some(of_a << low_b | of_b << low_a)
}

/// The pushes of registers that a function begins with. LLVM passes no argument in EAX: among them, a push of EAX makes room on
/// the stack, whatever EAX holds. A label ends them: a loop may come back there with a value in EAX.
///
/// A third argument in EAX ([`super::third`]) is a value, which a closure passes on with its first push. Only pushes that rustc
/// wrote at the beginning make room then, not those that come to stand there where the argument's load was.
pub fn room(function: &Function) -> impl Iterator<Item = usize> {
    let begins = |(at, line): &(usize, &Line)| match line {
        Line::Insn(insn) => insn.stem().0 == "push" && matches!(insn.args[..], [Arg::Reg(_)]),
        Line::Label(_) => *at == 0,
        Line::Text(_) => true,
        Line::Opaque(_) => false,
    };
    let pushes = function.lines.iter().enumerate().take_while(begins).filter(|(_, line)| matches!(line, Line::Insn(_))).map(|(at, _)| at);
    pushes.take(function.third.filter(|_| !wrong(Mistake::ThirdRoom)).unwrap_or(usize::MAX))
}

/// A push of EAX.
fn pushes_ax(line: &Line) -> bool {
    matches!(line, Line::Insn(insn) if matches!(insn.args[..], [Arg::Reg(reg)] if reg.number == AX))
}

/// What those who call a function without its being seen look at.
fn result(function: &Function, kind: Kind) -> Bits {
    match (function.private, function.global) {
        (true, _) => 0,
        _ if kind == Kind::Program => RESULTS,
        (_, true) if kind == Kind::Resident && VOID.contains(&function.name.as_str()) => 0,
        (_, true) => low(AX),
        _ => low(AX) | low(DX),
    }
}

/// What the functions of a unit want of each other.
pub struct Known {
    names: HashMap<String, usize>,
    /// Of AX, BX and DX at the entry.
    arguments: Vec<Bits>,
    /// Of AX and DX at the return.
    results: Vec<Bits>,
}

/// Entries without a result (src/units/mod.rs, src/units/core.rs). The core has set_rcv_mode and set_address with one.
const VOID: &[&str] = &["unmask", "peek", "copy", "discard", "stop", "catch_up"];
const ARGUMENTS: Bits = all(AX) | all(BX) | all(DX);
const RESULTS: Bits = all(AX) | all(DX);

impl Known {
    /// Of a whole unit; of a resident one the entries without a result are known.
    pub fn new(functions: &[Function], kind: Kind) -> Known {
        let mut known = Known {
            names: functions.iter().enumerate().map(|(at, function)| (function.name.clone(), at)).collect(),
            arguments: vec![0; functions.len()],
            // What is called from outside gives a result of 16 bits (asm/abi.inc). Through a pointer, a pair of them.
            results: functions.iter().map(|function| result(function, kind)).collect(),
        };
        let mut lines: Vec<Vec<Live>> = functions.iter().map(|function| vec![Live::default(); function.lines.len() + 1]).collect();
        while functions.iter().enumerate().fold(false, |changed, (at, function)| changed | known.pass(at, function, &mut lines[at])) {}
        known
    }

    /// Of one function, before each line and at its end.
    pub fn lines(&mut self, at: usize, function: &Function) -> Vec<Live> {
        let mut lines = vec![Live::default(); function.lines.len() + 1];
        while self.pass(at, function, &mut lines) {}
        lines
    }

    /// One pass backward; whether anything more is looked at.
    fn pass(&mut self, at: usize, function: &Function, lines: &mut [Live]) -> bool {
        let mut changed = false;
        // Behind the last push that makes room.
        let room = room(function).last().map_or(0, |last| last + 1);
        for line in (0..function.lines.len()).rev() {
            let content = &function.lines[line];
            let (after, more) = match content {
                Line::Insn(insn) => self.behind(at, function, insn, lines[line + 1], lines),
                _ => (lines[line + 1], false),
            };
            changed |= more;
            let touch = touch(content);
            // An exchange looks only at what is looked at afterwards.
            let reads = if line < room && pushes_ax(content) { 0 } else { exchanged(content, after.bits).unwrap_or(touch.reads) };
            let now = Live { bits: after.bits & !touch.writes | reads, flags: after.flags & !touch.flags_written | touch.flags_read };
            if lines[line].and(now) != lines[line] {
                lines[line] = lines[line].and(now);
                changed = true;
            }
        }
        let arguments = lines[0].bits & ARGUMENTS | self.arguments[at];
        changed |= arguments != self.arguments[at];
        self.arguments[at] = arguments;
        changed
    }

    /// What is looked at behind an instruction, wherever it leads, given what is behind it in the listing; and whether more is
    /// looked at of whom it calls.
    fn behind(&mut self, at: usize, function: &Function, insn: &Insn, after: Live, lines: &[Live]) -> (Live, bool) {
        match next(&self.names, function, insn) {
            Next::On => (after, false),
            Next::Call(callee) => {
                let changed = self.want(callee, after.bits & RESULTS);
                let kept = if passes(insn, callee) { EVERY } else { KEPT };
                (Live { bits: after.bits & kept | self.argument(callee), flags: 0 }, changed)
            }
            Next::Return => (Live { bits: KEPT | self.results[at], flags: 0 }, false),
            Next::Table => {
                let flags = function.in_tables.iter().fold(0, |all, target| all | lines[*target].flags);
                (Live { bits: EVERY, flags }, false)
            }
            Next::Jump { to, falls } => {
                let on = if falls { after } else { Live::default() };
                let (there, changed) = match to {
                    Place::Here(target) => (lines[target], false),
                    Place::Function(callee) => {
                        let changed = self.want(callee, self.results[at]);
                        (Live { bits: KEPT | self.argument(callee), flags: 0 }, changed)
                    }
                };
                (on.and(there), changed)
            }
        }
    }

    fn want(&mut self, callee: Callee, results: Bits) -> bool {
        let Callee::Here(callee) = callee else { return false };
        let old = self.results[callee];
        self.results[callee] |= results;
        self.results[callee] != old
    }

    /// What a callee looks at of AX, BX and DX.
    fn argument(&self, callee: Callee) -> Bits {
        match callee {
            Callee::Here(callee) => self.arguments[callee],
            Callee::Assembly => low(BX) | low(DX) | low(AX),
            Callee::Whole => all(BX) | all(DX) | low(AX),
            Callee::Anyone => all(BX) | all(DX),
        }
    }
}
