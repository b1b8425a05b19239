//! Which high halves are known to be zero, and which are looked at, over the functions of one unit.

use std::collections::{HashMap, HashSet};

use super::Kind;
use super::effect::{ALL, Live, Registers, before, writes_high, zero_after};
use super::insn::{Arg, BP, BX, CX, DI, Insn, Line, SI, SP};
use super::rules::{Mistake, Rule, on, wrong};
use super::touch::{Bits, all, low, touch};

/// A function of the listing.
pub struct Function {
    /// Its symbol.
    pub name: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Called by name, from this listing only.
    pub private: bool,
    /// Called by name from outside.
    pub global: bool,
    /// Its third argument is in EAX ([`super::third`]); it begins with this many pushes of registers as rustc wrote it.
    pub third: Option<usize>,
    /// Where its labels stand.
    pub labels: HashMap<String, usize>,
    /// Those that a jump table holds.
    pub in_tables: HashSet<usize>,
}

/// AX, DX and BX: what a call may change. BX is the first argument, DX the second, AX and DX the result.
const CALL: Registers = 1 | 1 << 2 | 1 << BX;
const RESULT: Registers = 1 | 1 << 2;
/// What a function keeps.
const KEPT: Registers = 1 << CX | 1 << BP | 1 << SI | 1 << DI;
const STACK: Registers = 1 << SP;

/// Routines that change no register (asm/strings.asm).
const FRAMES: &[&str] = &["ins_words", "ins_bytes", "ins_fifo", "outs_words", "outs_bytes", "outs_fifo"];

/// Whether a call comes back with all registers as they were.
fn keeps_all(call: &Insn) -> bool {
    call.inline && matches!(call.args.first(), Some(Arg::Target(name)) if FRAMES.contains(&name.as_str()) || wrong(Mistake::WordsInlineZero))
}

/// Whether what a caller looks at behind a call may have been there before it, in any register. rustc knows what an `asm!`
/// changes, and may look at all other registers behind it; what copies rings may change all three of a call's.
pub fn passes(call: &Insn, callee: Callee) -> bool {
    call.inline && !matches!(callee, Callee::Whole)
}

/// Where control goes from a line.
pub enum Next {
    /// To the next line.
    On,
    /// There, and if it `falls`, to the next line.
    Jump {
        /// The target.
        to: Place,
        /// Or on.
        falls: bool,
    },
    /// To one of a table's, or wherever a register says.
    Table,
    /// There, and then to the next line.
    Call(Callee),
    /// Back.
    Return,
}

/// A target.
pub enum Place {
    /// A line of the function.
    Here(usize),
    /// Another function, or itself again.
    Function(Callee),
}

/// Whom a call or a jump out of the function reaches.
#[derive(Clone, Copy)]
pub enum Callee {
    /// A function of the listing.
    Here(usize),
    /// A routine of ours in assembly: it gets the low halves of its arguments.
    Assembly,
    /// One of [`WHOLE`]: it gets BX and DX whole, and may leave anything there and in AX.
    Whole,
    /// Whatever a pointer points to.
    Anyone,
}

/// Routines of ours in assembly to which whole registers matter (asm/strings.asm, asm/rings.asm).
const WHOLE: [&str; 5] = ["ring_to_client", "client_to_ring", "flat_take", "flat_take_frame", "flat_give_frame"];

/// What is known of the functions.
struct Known {
    names: HashMap<String, usize>,
    /// Zero at the entry.
    zero: Vec<Registers>,
    /// Zero at the return.
    zero_result: Vec<Registers>,
    /// Looked at by the function.
    live: Vec<Registers>,
    /// Looked at by its callers.
    live_result: Vec<Registers>,
    /// Of the registers that a function keeps, those of which its callers want the high half back.
    keeps: Vec<Registers>,
    /// Those of which it changes the high half in its own lines.
    own: Vec<Registers>,
    /// Those of which it, or whom it calls, changes the high half at some time.
    changes: Vec<Registers>,
}

/// What there is to know of a unit's lines.
pub struct Decisions {
    /// For each line of each function, whether its 16-bit form will do.
    pub narrow: Vec<Vec<bool>>,
    /// The registers whose high half is looked at after it.
    pub high: Vec<Vec<Registers>>,
    /// The registers whose high half whom it calls changes without putting it back.
    pub lost: Vec<Vec<Registers>>,
}

/// Looks at all functions of a unit: first as if each had to keep its registers whole, then with what that leaves.
pub fn decide(functions: &[Function], kind: Kind) -> Decisions {
    let whole = decide_with(functions, vec![0; functions.len()], KEPT, kind);
    let own = functions.iter().zip(&whole.narrow).map(|(function, narrow)| {
        function.lines.iter().zip(narrow).fold(0, |all, (line, narrow)| all | changed(line, *narrow))
    });
    decide_with(functions, own.collect(), 0, kind)
}

/// `own`: the kept registers of which a function changes the high half in its own lines; `keeps`: those that private
/// functions keep whole, wanted or not.
fn decide_with(functions: &[Function], own: Vec<Registers>, keeps: Registers, kind: Kind) -> Decisions {
    let count = functions.len();
    let unknown = |private: Registers, other: Registers| -> Vec<Registers> {
        functions.iter().map(|function| if function.private { private } else { other }).collect()
    };
    let mut known = Known {
        names: functions.iter().enumerate().map(|(at, function)| (function.name.clone(), at)).collect(),
        // An entry's arguments are near addresses, and its result has 16 bits (asm/abi.inc).
        zero: unknown(0xFF, if kind == Kind::Program { STACK } else { CALL | STACK }),
        zero_result: vec![0xFF; count],
        live: vec![0; count],
        live_result: unknown(0, if kind == Kind::Program { RESULT } else { 0 }),
        keeps: unknown(keeps, KEPT),
        own,
        changes: vec![0; count],
    };
    let mut zero: Vec<Vec<Registers>> = functions.iter().map(|function| vec![0xFF; function.lines.len() + 1]).collect();
    while functions.iter().enumerate().fold(false, |changed, (at, function)| {
        changed | known.zeros(at, function, &mut zero[at])
    }) {}
    let mut live: Vec<Vec<Live>> = functions.iter().map(|function| vec![Live::default(); function.lines.len() + 1]).collect();
    while functions.iter().enumerate().fold(false, |changed, (at, function)| {
        changed | known.lives(at, function, &zero[at], &mut live[at])
    }) {}
    let narrow = |(at, function): (usize, &Function)| -> Vec<bool> {
        let one = |(line, content): (usize, &Line)| match content {
            Line::Insn(insn) => on(Rule::Words) && before(insn, live[at][line + 1], zero[at][line]).1,
            _ => false,
        };
        function.lines.iter().enumerate().map(one).collect()
    };
    let narrow: Vec<Vec<bool>> = functions.iter().enumerate().map(narrow).collect();
    while functions.iter().enumerate().fold(false, |any, (at, function)| {
        let all = function.lines.iter().zip(&narrow[at]).fold(0, |all, (line, narrow)| all | known.changed(function, line, *narrow));
        any | join(&mut known.changes[at], all)
    }) {}
    Decisions {
        narrow,
        // What operations of 32 bits look at has not been worked out.
        high: live.iter().map(|lines| lines[1..].iter().map(|live| if on(Rule::Words) { live.high } else { ALL }).collect()).collect(),
        lost: functions.iter().map(|function| function.lines.iter().map(|line| known.lost(function, line)).collect()).collect(),
    }
}

/// Where an instruction leads.
pub fn next(names: &HashMap<String, usize>, function: &Function, insn: &Insn) -> Next {
    let callee = |name: &String| match names.get(name) {
        Some(at) => Callee::Here(*at),
        None if WHOLE.contains(&name.as_str()) => Callee::Whole,
        None => Callee::Assembly,
    };
    let place = |name: &String| match function.labels.get(name) {
        Some(at) => Place::Here(*at),
        None => Place::Function(callee(name)),
    };
    match (insn.stem().0, insn.args.first()) {
        ("call", Some(Arg::Target(name))) => Next::Call(callee(name)),
        ("call", _) => Next::Call(Callee::Anyone),
        ("ret", _) => Next::Return,
        ("jmp", Some(Arg::Target(name))) => Next::Jump { to: place(name), falls: false },
        ("jmp", _) => Next::Table,
        (stem, Some(Arg::Target(name))) if stem.starts_with('j') => Next::Jump { to: place(name), falls: true },
        _ => Next::On,
    }
}

impl Known {
    /// One pass forward; whether anything became known to be less.
    fn zeros(&mut self, at: usize, function: &Function, zero: &mut [Registers]) -> bool {
        let mut changed = meet(&mut zero[0], self.zero[at] & (CALL | STACK) | STACK);
        for (line, content) in function.lines.iter().enumerate() {
            let now = zero[line];
            changed |= match content {
                Line::Insn(insn) => self.zeros_behind(at, function, insn, line, zero),
                Line::Opaque(_) => meet(&mut zero[line + 1], now & !high(touch(content).spoils) | STACK),
                _ => meet(&mut zero[line + 1], now),
            };
        }
        changed
    }

    /// The same of one instruction, wherever it leads.
    fn zeros_behind(&mut self, at: usize, function: &Function, insn: &Insn, line: usize, zero: &mut [Registers]) -> bool {
        let now = zero[line];
        match next(&self.names, function, insn) {
            Next::On => meet(&mut zero[line + 1], zero_after(insn, now)),
            Next::Call(callee) => {
                let result = self.zero_result(callee) & 1;
                let kept = if keeps_all(insn) { now } else { now & (KEPT | STACK) | result };
                self.called(callee, now) | meet(&mut zero[line + 1], kept)
            }
            Next::Return => meet(&mut self.zero_result[at], now),
            Next::Table => {
                let changed = meet(&mut self.zero_result[at], 0);
                function.in_tables.iter().fold(changed, |changed, target| changed | meet(&mut zero[*target], now))
            }
            Next::Jump { to, falls } => {
                let changed = falls && meet(&mut zero[line + 1], now);
                changed | match to {
                    Place::Here(target) => meet(&mut zero[target], now),
                    Place::Function(callee) => {
                        let result = self.zero_result(callee);
                        meet(&mut self.zero_result[at], result) | self.called(callee, now)
                    }
                }
            }
        }
    }

    /// A callee begins with no more zeros than these; whether they are less than before.
    fn called(&mut self, callee: Callee, zero: Registers) -> bool {
        let Callee::Here(callee) = callee else { return false };
        meet(&mut self.zero[callee], zero)
    }

    /// One pass backward; whether anything more is looked at.
    fn lives(&mut self, at: usize, function: &Function, zero: &[Registers], live: &mut [Live]) -> bool {
        let mut changed = false;
        for line in (0..function.lines.len()).rev() {
            let after = live[line + 1];
            let now = match &function.lines[line] {
                Line::Insn(insn) => {
                    let (after, more) = self.behind(at, function, insn, after, live);
                    changed |= more;
                    before(insn, after, zero[line]).0
                }
                line @ Line::Opaque(_) => {
                    let touch = touch(line);
                    Live { high: after.high | high(touch.reads), flags: after.flags | touch.flags_read }
                }
                _ => after,
            };
            if live[line].and(now) != live[line] {
                live[line] = live[line].and(now);
                changed = true;
            }
        }
        changed | join(&mut self.live[at], live[0].high & CALL)
    }

    /// What is looked at behind an instruction, wherever it leads, given what is behind it in the listing; and whether more is
    /// looked at of whom it calls.
    fn behind(&mut self, at: usize, function: &Function, insn: &Insn, after: Live, live: &[Live]) -> (Live, bool) {
        match next(&self.names, function, insn) {
            Next::On => (after, false),
            Next::Call(callee) => {
                // A function that has nothing to put back itself is not to begin with it.
                let keeps = after.high & KEPT | self.keeps[at] & !self.own[at];
                let keeps = if wrong(Mistake::PushesLost) { 0 } else { keeps };
                let changed = self.want(callee, after.high & RESULT, keeps);
                let kept = if passes(insn, callee) && !wrong(Mistake::WordsInlineCall) { ALL } else { KEPT };
                (Live { high: after.high & kept | self.wanted(callee), flags: 0 }, changed)
            }
            Next::Return => (Live { high: self.keeps[at] | self.live_result[at], flags: 0 }, false),
            Next::Table => {
                let targets = function.in_tables.iter().fold(Live::default(), |all, target| all.and(live[*target]));
                (Live { high: ALL, flags: targets.flags }, false)
            }
            Next::Jump { to, falls } => {
                let on = if falls { after } else { Live::default() };
                let (there, changed) = match to {
                    Place::Here(target) => (live[target], false),
                    Place::Function(callee) => {
                        let changed = self.want(callee, self.live_result[at], self.keeps[at]);
                        (Live { high: self.keeps[at] | self.wanted(callee), flags: 0 }, changed)
                    }
                };
                (on.and(there), changed)
            }
        }
    }

    /// Of a callee these high halves are looked at in its result, and are to be kept; whether they are more than before.
    fn want(&mut self, callee: Callee, result: Registers, keeps: Registers) -> bool {
        let Callee::Here(callee) = callee else { return false };
        join(&mut self.live_result[callee], result) | join(&mut self.keeps[callee], keeps)
    }

    /// The kept registers of which a line, or whom it calls, changes the high half.
    fn changed(&self, function: &Function, line: &Line, narrow: bool) -> Registers {
        let own = changed(line, narrow);
        let Line::Insn(insn) = line else { return own };
        let callee = match next(&self.names, function, insn) {
            Next::Call(callee) | Next::Jump { to: Place::Function(callee), .. } => callee,
            _ => return own,
        };
        own | if let Callee::Here(callee) = callee { self.changes[callee] } else { 0 }
    }

    /// Those that whom a line calls does not give back.
    fn lost(&self, function: &Function, line: &Line) -> Registers {
        let Line::Insn(insn) = line else { return 0 };
        match next(&self.names, function, insn) {
            Next::Call(Callee::Here(callee)) => self.changes[callee] & !self.keeps[callee],
            _ => 0,
        }
    }

    /// What a function looks at of what its caller leaves in AX, BX and DX.
    fn wanted(&self, callee: Callee) -> Registers {
        match callee {
            Callee::Here(callee) => self.live[callee],
            Callee::Assembly => 0,
            Callee::Whole if wrong(Mistake::WordsWhole) => 0,
            Callee::Whole => 1 << BX | 1 << 2,
            Callee::Anyone => CALL,
        }
    }

    fn zero_result(&self, callee: Callee) -> Registers {
        match callee {
            Callee::Here(callee) => self.zero_result[callee],
            _ => 0,
        }
    }
}

/// The kept registers of which a line itself changes the high half; to put it back is no change.
fn changed(line: &Line, narrow: bool) -> Registers {
    let own = |insn: &Insn| (0..8).filter(|number| writes_high(insn, *number)).map(|number| 1 << number).sum::<Registers>();
    KEPT & match line {
        Line::Insn(insn) if narrow || insn.stem().0 == "pop" => 0,
        Line::Insn(insn) => own(insn),
        _ => high(touch(line).spoils),
    }
}

/// The registers whose bits 31:16 are among these.
fn high(bits: Bits) -> Registers {
    (0..8).filter(|number| bits & all(*number) & !low(*number) != 0).map(|number| 1 << number).sum()
}

fn meet(known: &mut Registers, also: Registers) -> bool {
    let old = *known;
    *known &= also;
    *known != old
}

fn join(known: &mut Registers, also: Registers) -> bool {
    let old = *known;
    *known |= also;
    *known != old
}
