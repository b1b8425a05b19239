//! Shorter ways to say the same, where what is said besides is not looked at. The listing is narrow already.

use super::Kind;
use super::flow::Function;
use super::insn::{self, Arg, FLAGS, Insn, Line, Mem, PF, Part, Reg, SF, SP, ZF};
use super::live::{Known, Live};
use super::rules::{Mistake, Rule, on, wrong};
use super::size;
use super::touch::{self, AX, Bits, all, bits, touch};
use super::values;

/// Lines, and what stands there instead.
type Edit = Vec<(usize, Line)>;

const NOTHING: Line = Line::Text(String::new());

/// All rules, until none fits.
pub fn shorten(functions: &mut [Function], kind: Kind) {
    loop {
        let mut known = Known::new(functions, kind);
        let mut changed = false;
        for (at, function) in functions.iter_mut().enumerate() {
            loop {
                let live = known.lines(at, function);
                if !sweep(function, &live) && !values::reuse(function, &live) {
                    break;
                }
                function.compact();
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// A move that is the last use of its source, to or from AX, is an exchange: a byte less. After all else, since an
/// exchange reads what it overwrites.
pub fn exchange(functions: &mut [Function], kind: Kind) {
    let mut known = Known::new(functions, kind);
    for (at, function) in functions.iter_mut().enumerate() {
        let live = known.lines(at, function);
        for (line, content) in function.lines.iter_mut().enumerate() {
            let Line::Insn(insn) = content else { continue };
            if !matches!(insn.op.as_str(), "movw" | "movl") {
                continue;
            }
            let [Arg::Reg(from), Arg::Reg(to)] = insn.args[..] else { continue };
            let to_or_from = (from.number == AX) != (to.number == AX) && from.number != SP && to.number != SP;
            if to_or_from && (live[line + 1].bits & bits(from) == 0 || wrong(Mistake::ExchangeSource)) {
                insn.op = insn.op.replace("mov", "xchg");
            }
        }
    }
}

/// One pass over a function; whether anything changed.
fn sweep(function: &mut Function, live: &[Live]) -> bool {
    let mut changed = false;
    let mut line = 0;
    while line < function.lines.len() {
        let lines = &function.lines;
        let rules: [(Rule, fn(&[Line], usize, &[Live]) -> Option<Edit>); 2] = [(Rule::Single, one), (Rule::Pairs, pair)];
        let edit = rules.into_iter().filter(|(rule, _)| on(*rule)).find_map(|(_, rule)| rule(lines, line, live));
        // A folded address is looked at further down: what is alive has to be found out again.
        let folded = if edit.is_none() && on(Rule::Fold) { fold(lines, line, live) } else { None };
        let again = folded.is_some();
        if let Some(edit) = edit.or(folded) {
            changed = true;
            line = edit.iter().map(|(at, _)| *at).max().unwrap_or(line);
            edit.into_iter().for_each(|(at, new)| function.lines[at] = new);
            if again {
                return true;
            }
        }
        line += 1;
    }
    changed
}

fn insn(line: Option<&Line>) -> Option<&Insn> {
    match line {
        Some(Line::Insn(insn)) => Some(insn),
        _ => None,
    }
}

fn number(arg: Option<&Arg>) -> Option<i64> {
    match arg {
        Some(Arg::Imm(value)) => insn::constant(value),
        _ => None,
    }
}

fn of(op: &str, args: Vec<Arg>) -> Line {
    Line::Insn(Insn { op: op.into(), args, inline: false })
}

fn imm(value: i64) -> Arg {
    Arg::Imm(value.to_string())
}

/// The part of a register that an operation's width names.
fn part(width: u8) -> Part {
    if width == b'l' { Part::Long } else { Part::Word }
}

/// An instruction with a register as its result, and what is looked at afterwards.
struct Seen<'a> {
    insn: &'a Insn,
    stem: &'a str,
    width: u8,
    to: Reg,
    /// The first operand, where it is a number.
    value: Option<i64>,
    after: Live,
    /// Of the flags that it writes, those that are looked at.
    flags: u8,
    /// Of the bytes that the destination has, those that are looked at.
    wanted: Bits,
}

impl Seen<'_> {
    fn byte(&self, high: bool) -> Arg {
        Arg::Reg(Reg { number: self.to.number, part: Part::Byte { high } })
    }

    /// A value without another effect than its register's and the flags'.
    fn is_pure(&self) -> bool {
        matches!(self.stem, "mov" | "movzb" | "movzw" | "movsb" | "movsw" | "lea" | "add" | "sub" | "and" | "or" | "xor" | "inc" | "dec" | "neg" | "not")
    }

    /// Whether its high half alone is looked at by nobody, which edits since the choice of widths have brought about.
    fn is_too_wide(&self) -> bool {
        let is_flat = self.insn.args.iter().any(|arg| matches!(arg, Arg::Mem(mem) if mem.is_flat()));
        let is_wide = self.is_pure() && self.width == b'l' && !is_flat && self.to.part == Part::Long && !matches!(self.insn.args[0], Arg::Imm(_));
        is_wide && self.wanted & 4 == 0 && self.flags == 0
    }
}

/// One instruction for another.
fn one(lines: &[Line], at: usize, live: &[Live]) -> Option<Edit> {
    let insn = insn(lines.get(at))?;
    if insn.inline && insn.args.iter().any(|arg| matches!(arg, Arg::Mem(_))) {
        return None;
    }
    let after = live[at + 1];
    let touch = touch::of(insn);
    let (stem, width) = insn.stem();
    let Some(Arg::Reg(to)) = insn.args.last().cloned() else { return None };
    let (flags, wanted) = (after.flags & touch.flags_written, (after.bits & touch.writes) >> (3 * to.number) & 7);
    let seen = Seen { insn, stem, width, to, value: number(insn.args.first()), after, flags, wanted };
    let memory = insn.args.iter().any(|arg| matches!(arg, Arg::Mem(_))) && stem != "lea";
    if seen.is_pure() && !touch.effect && !memory && flags == 0 && wanted == 0 {
        return Some(vec![(at, NOTHING)]);
    }
    if seen.is_too_wide() {
        let mut new = insn.clone();
        super::shorten(&mut new);
        return Some(vec![(at, Line::Insn(new))]);
    }
    Some(vec![(at, another(&seen)?)])
}

fn another(seen: &Seen) -> Option<Line> {
    let Seen { insn, stem, width, to, value, flags, wanted, .. } = *seen;
    match (stem, width) {
        ("mov", b'w' | b'l') if insn.args[0] == insn.args[1] => Some(NOTHING),
        ("mov", b'w' | b'l') => another_constant(seen),
        ("movzb" | "movsb", _) if wanted <= 1 && to.number < 4 => {
            let byte = seen.byte(false);
            Some(if insn.args[0] == byte { NOTHING } else { of("movb", vec![insn.args[0].clone(), byte]) })
        }
        ("rol" | "ror", b'w') if value == Some(8) && to.number < 4 && flags == 0 => Some(of("xchgb", vec![seen.byte(false), seen.byte(true)])),
        ("and" | "or" | "xor" | "test", b'w' | b'l') if value.is_some() && to.number < 4 => another_mask(seen),
        ("and", b'l') if value == Some(0xFFFF) && flags == 0 => Some(of("movzwl", vec![Arg::Reg(Reg { part: Part::Word, ..to }), Arg::Reg(to)])),
        ("cmp", _) => another_comparison(seen),
        ("add" | "sub", b'w') if to.number == SP && flags == 0 => another_stack(seen),
        _ => None,
    }
}

/// A constant by fewer bytes.
fn another_constant(seen: &Seen) -> Option<Line> {
    let Seen { width, to, after, wanted, .. } = *seen;
    let value = seen.value?;
    match (wanted, to.number) {
        (0..=3, _) if width == b'l' => Some(of("movw", vec![imm(value as i16 as i64), Arg::Reg(Reg { part: Part::Word, ..to })])),
        (1, 0..4) => Some(of("movb", vec![imm(value & 0xFF), seen.byte(false)])),
        (2, 0..4) => Some(of("movb", vec![imm(value >> 8 & 0xFF), seen.byte(true)])),
        _ if after.flags == 0 && value == 0 => Some(of(&format!("xor{}", width as char), vec![Arg::Reg(to), Arg::Reg(to)])),
        _ if after.flags == 0 && width == b'l' && value as i32 == -1 => Some(of("orl", vec![imm(-1), Arg::Reg(to)])),
        _ => None,
    }
}

/// A constant that leaves all but one byte as it is.
fn another_mask(seen: &Seen) -> Option<Line> {
    let Seen { insn, stem, width, flags, wanted, .. } = *seen;
    let all = if width == b'l' { u32::MAX } else { 0xFFFF };
    let value = seen.value? as u32 & all;
    if stem == "and" && flags & !ZF == 0 && wanted == 0 {
        return Some(of(&format!("test{}", width as char), insn.args.clone()));
    }
    let rest = if stem == "and" { !value & all } else { value };
    // Bytes that nobody looks at may stay.
    let rest = if stem == "test" { rest } else { rest & mask(wanted) };
    let high = match rest {
        0..0x100 => false,
        _ if rest & !0xFF00 == 0 => true,
        _ => return None,
    };
    let byte_value = (value >> if high != wrong(Mistake::SingleByte) { 8 } else { 0 }) & 0xFF;
    // Of TEST's flags ZF comes out the same, and SF where both are clear.
    let same = if stem != "test" { 0 } else if byte_value < 0x80 { ZF | SF } else { ZF };
    if flags & !same != 0 && !wrong(Mistake::SingleFlags) {
        return None;
    }
    let new = of(&format!("{stem}b"), vec![imm(byte_value as i64), seen.byte(high)]);
    (size::of_line(&new) < size::of(insn)).then_some(new)
}

/// A comparison with 1 or -1 that is the last look at its register counts the register to zero.
fn another_comparison(seen: &Seen) -> Option<Line> {
    let Seen { width, to, after, flags, .. } = *seen;
    if flags != ZF || after.bits & bits(to) != 0 && !wrong(Mistake::SingleCompare) || to.number == SP {
        return None;
    }
    let op = match seen.value? {
        -1 => "inc",
        0xFF if width == b'b' => "inc",
        0xFFFF if width == b'w' => "inc",
        0xFFFF_FFFF if width == b'l' => "inc",
        1 if !(width == b'b' && to.number == AX && to.part == Part::Byte { high: false }) => "dec",
        _ => return None,
    };
    Some(of(&format!("{op}{}", width as char), vec![Arg::Reg(to)]))
}

/// Room on the stack is made by a push of anything, and given back by a pop to a register that nobody looks at.
fn another_stack(seen: &Seen) -> Option<Line> {
    let free = [3, 0, 2].into_iter().find(|register| seen.after.bits & all(*register) == 0)?;
    let (op, number, part) = match (seen.stem, seen.value?) {
        ("add", 2) => ("popw", free, Part::Word),
        ("add", 4) => ("popl", free, Part::Long),
        ("sub", 2) => ("pushw", AX, Part::Word),
        ("sub", 4) => ("pushl", AX, Part::Long),
        _ => return None,
    };
    Some(of(op, vec![Arg::Reg(Reg { number, part })]))
}

/// The bits of a register that bytes are.
fn mask(bytes: Bits) -> u32 {
    [(1, 0xFF), (2, 0xFF00), (4, 0xFFFF_0000)].into_iter().filter(|(byte, _)| bytes & byte != 0).map(|(_, mask)| mask).sum()
}

/// A sum: what `add`, `sub`, `inc` or `dec` adds to its register.
fn addend(insn: &Insn) -> Option<Arg> {
    match (insn.stem().0, insn.args.first()?) {
        ("inc", _) => Some(imm(1)),
        ("dec", _) => Some(imm(-1)),
        ("add", arg @ (Arg::Imm(_) | Arg::Reg(_))) => Some(arg.clone()),
        ("sub", arg @ Arg::Imm(_)) => Some(imm(-number(Some(arg))?)),
        _ => None,
    }
}

/// The flags that are looked at where a jump leads; out of the function: none.
fn flags_at(target: &Arg, lines: &[Line], live: &[Live]) -> u8 {
    let Arg::Target(name) = target else { return FLAGS };
    lines.iter().position(|line| matches!(line, Line::Label(label) if label == name)).map_or(0, |at| live[at].flags)
}

/// Two instructions that follow each other.
fn pair(lines: &[Line], at: usize, live: &[Live]) -> Option<Edit> {
    let (first, second) = (insn(lines.get(at))?, insn(lines.get(at + 1))?);
    let after = live[at + 2];
    let ((a, width), (b, other)) = (first.stem(), second.stem());
    // A bit that is looked at for a jump alone, in its byte.
    let jump = match second.op.as_str() {
        "jb" => "jne",
        "jae" => "je",
        _ => "",
    };
    if a == "bt" && !jump.is_empty() && after.flags == 0 && flags_at(&second.args[0], lines, live) == 0
        && let [Arg::Imm(bit), Arg::Reg(reg)] = &first.args[..]
        && let Some(bit @ 0..16) = insn::constant(bit)
        && reg.number < 4
    {
        let byte = Arg::Reg(Reg { number: reg.number, part: Part::Byte { high: bit >= 8 && !wrong(Mistake::PairsBit) } });
        return Some(vec![(at, of("testb", vec![imm(1 << (bit & 7)), byte])), (at + 1, of(jump, second.args.clone()))]);
    }
    if b == "test" && second.args[0] == second.args[1] && first.args.last() == second.args.last() && width == other {
        // The flags of what has just been computed.
        let same = match a {
            "and" | "or" | "xor" => FLAGS,
            "add" | "sub" | "neg" | "inc" | "dec" | "adc" | "sbb" => ZF | SF | PF,
            _ => 0,
        };
        if same != 0 && after.flags & !same == 0 {
            return Some(vec![(at + 1, NOTHING)]);
        }
    }
    if width != other || !matches!(width, b'w' | b'l') {
        return None;
    }
    let Some(Arg::Reg(first_to)) = first.args.last() else { return None };
    let Some(Arg::Reg(second_to)) = second.args.last() else { return None };
    if first_to.number == SP || second_to.number == SP || first.args.len() > 2 {
        return None;
    }
    let dead = |reg: &Reg| after.bits & bits(*reg) == 0 || wrong(Mistake::PairsDead);
    let no_flags = |insn: &Insn| after.flags & touch::of(insn).flags_written == 0 || wrong(Mistake::PairsFlags);
    // A copy, and a sum in the copy; or a sum, and a copy of it.
    let (source, to, sum) = match (&first.args[..], &second.args[..]) {
        ([Arg::Reg(from), Arg::Reg(to)], _) if a == "mov" && to == second_to && no_flags(second) => (*from, *to, addend(second)),
        (_, [Arg::Reg(from), Arg::Reg(to)]) if b == "mov" && from == first_to && from != to && dead(from) && no_flags(first) => {
            (*from, *to, addend(first))
        }
        _ => (*first_to, *second_to, None),
    };
    if let Some(sum) = sum.filter(|_| source.number != SP) {
        let mem = match sum {
            Arg::Imm(disp) => Mem { disp, base: Some(source.number), index: None, scale: 1 },
            Arg::Reg(reg) if reg.number == to.number && a == "mov" => Mem { disp: String::new(), base: Some(source.number), index: Some(source.number), scale: 1 },
            Arg::Reg(reg) if reg.number != SP => Mem { disp: String::new(), base: Some(source.number), index: Some(reg.number), scale: 1 },
            _ => return None,
        };
        let new = of(&format!("lea{}", width as char), vec![Arg::Mem(mem), Arg::Reg(to)]);
        if size::of_line(&new) <= size::of(first) + size::of(second) {
            return Some(vec![(at, NOTHING), (at + 1, new)]);
        }
    }
    // What is loaded, or computed without a look at the register, goes at once to where it is moved.
    if b == "mov" && second.args[0] == Arg::Reg(*first_to) && first_to != second_to && dead(first_to) && matches!(a, "mov" | "movzb" | "movzw" | "movsb" | "movsw" | "lea") {
        let mut new = first.clone();
        *new.args.last_mut()? = Arg::Reg(*second_to);
        return Some(vec![(at, NOTHING), (at + 1, Line::Insn(new))]);
    }
    None
}

/// An address that is computed into a register for nothing but to be used goes where it is used.
fn fold(lines: &[Line], at: usize, live: &[Live]) -> Option<Edit> {
    let def = insn(lines.get(at))?;
    let (stem, width) = def.stem();
    let Some(Arg::Reg(reg)) = def.args.last() else { return None };
    if !matches!(width, b'w' | b'l') || reg.number == SP || reg.part != part(width) {
        return None;
    }
    let own = Mem { disp: String::new(), base: Some(reg.number), index: None, scale: 1 };
    let ea = match (stem, def.args.first()?) {
        ("lea", Arg::Mem(mem)) if !mem.is_flat() => mem.clone(),
        ("mov", Arg::Imm(value)) => Mem { disp: value.clone(), base: None, index: None, scale: 1 },
        ("mov", Arg::Reg(from)) => Mem { base: Some(from.number), ..own },
        ("add" | "sub" | "inc" | "dec", _) => match addend(def)? {
            Arg::Imm(disp) => Mem { disp, ..own },
            Arg::Reg(other) if other.number != reg.number => Mem { index: Some(other.number), ..own },
            _ => return None,
        },
        _ => return None,
    };
    let sources = ea.base.iter().chain(&ea.index).fold(0, |all, number| all | touch::all(*number));
    if sources & all(SP) != 0 {
        return None;
    }
    let flags = touch::of(def).flags_written;
    // Until the uses are through, the flags that the sum made are not looked at, or are made anew.
    if live[at + 1].flags & flags != 0 {
        return None;
    }
    let mut edit = vec![(at, NOTHING)];
    let (mut old, mut new) = (size::of(def), 0);
    let mut intact = true;
    for line in at + 1..lines.len().min(at + 16) {
        let content = &lines[line];
        let Line::Insn(use_) = content else { return None };
        if touch::condition_of(use_) || matches!(use_.stem().0, "call" | "ret" | "jmp") {
            return None;
        }
        let touched = touch(content);
        let mut changed = use_.clone();
        let mut uses = 0;
        for arg in &mut changed.args {
            let Arg::Mem(mem) = arg else { continue };
            if use_.stem().0 == "lea" || (mem.base != Some(reg.number) && mem.index != Some(reg.number)) {
                continue;
            }
            uses += 1;
            *mem = composed(mem, &ea, reg.number, width)?;
        }
        let reads_otherwise = otherwise(use_);
        if reads_otherwise & all(reg.number) != 0 || (touched.spoils & all(reg.number) & !touched.writes != 0) {
            return None;
        }
        if uses != 0 {
            if !intact && !wrong(Mistake::FoldIntact) {
                return None;
            }
            old += size::of(use_);
            new += size::of(&changed);
            edit.push((line, Line::Insn(changed)));
        }
        if (touched.spoils & sources & !all(reg.number)) != 0 {
            intact = false;
        }
        if touched.writes & bits(*reg) == bits(*reg) || live[line + 1].bits & all(reg.number) == 0 {
            return (edit.len() > 1 && new <= old).then_some(edit);
        }
        if touched.spoils & all(reg.number) != 0 {
            return None;
        }
    }
    None
}

/// The registers that an instruction reads besides those of its address.
fn otherwise(whole: &Insn) -> Bits {
    if whole.stem().0 == "lea" {
        return touch::of(whole).reads;
    }
    let mut padded = whole.clone();
    for arg in &mut padded.args {
        if let Arg::Mem(mem) = arg {
            *mem = Mem { disp: "0".into(), base: None, index: None, scale: 1 };
        }
    }
    touch::of(&padded).reads
}

/// An operand with the address in place of the register that held it.
fn composed(mem: &Mem, ea: &Mem, register: insn::Number, width: u8) -> Option<Mem> {
    let flat = mem.is_flat();
    let (prefix, disp) = if flat { mem.disp.split_at(mem.disp.find(':')? + 1) } else { ("", mem.disp.as_str()) };
    let (base, index, scale) = match (mem.base, mem.index) {
        (Some(base), None) if base == register => (ea.base, ea.index, ea.scale),
        (Some(base), Some(other)) if base == register && other != register && ea.index.is_none() => match ea.base {
            None if mem.scale == 1 => (Some(other), None, 1),
            base => (base, Some(other), mem.scale),
        },
        (Some(base), Some(other)) if other == register && base != register && mem.scale == 1 && ea.index.is_none() => match ea.base {
            None => (Some(base), None, 1),
            other => (Some(base), other, 1),
        },
        _ => return None,
    };
    let sum = match (insn::constant(if disp.is_empty() { "0" } else { disp }), insn::constant(if ea.disp.is_empty() { "0" } else { &ea.disp })) {
        (Some(a), Some(0)) => if a == 0 { String::new() } else { disp.to_string() },
        (Some(a), Some(b)) => {
            let sum = if wrong(Mistake::FoldSum) { b } else { a + b } as i32;
            if sum == 0 && base.is_some() { String::new() } else { sum.to_string() }
        }
        (Some(0), None) => ea.disp.clone(),
        (None, Some(0)) => disp.to_string(),
        _ => return None,
    };
    let new = Mem { disp: format!("{prefix}{sum}"), base, index, scale };
    let nowhere = new.base.is_none() && new.index.is_none();
    if flat {
        let near = nowhere && insn::constant(&sum).is_some_and(|at| (0..0x1_0000).contains(&at));
        return (width == b'l' && (near || !nowhere)).then_some(new);
    }
    if nowhere {
        // A place by its name or number, in 16 bits.
        return insn::constant(&sum).is_none_or(|at| (0..0x1_0000).contains(&at)).then_some(new);
    }
    (new.short().is_some() || (width == b'l' && mem.short().is_none())).then_some(new)
}
