//! A listing's lines: instructions as LLVM writes them (AT&T), and how they are written again.

use std::fmt::Write;

use super::rules::{Mistake, Rule, on, wrong};

/// General registers by the machine's numbers: AX CX DX BX SP BP SI DI.
pub type Number = u8;
/// CX.
pub const CX: Number = 1;
/// BX.
pub const BX: Number = 3;
/// SP.
pub const SP: Number = 4;
/// BP.
pub const BP: Number = 5;
/// SI.
pub const SI: Number = 6;
/// DI.
pub const DI: Number = 7;

const LONG: [&str; 8] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const WORD: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const BYTE: [&str; 8] = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];
const SEGMENT: [&str; 6] = ["cs", "ds", "es", "fs", "gs", "ss"];

/// How much of a register an operand names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bits 7:0 or, of the first four, 15:8.
    Byte {
        /// AH, CH, DH, BH.
        high: bool,
    },
    /// Bits 15:0.
    Word,
    /// All.
    Long,
}

/// A register operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reg {
    /// Which.
    pub number: Number,
    /// How much of it.
    pub part: Part,
}

/// A memory operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mem {
    /// Symbol and displacement, as written.
    pub disp: String,
    /// Base register.
    pub base: Option<Number>,
    /// Index register.
    pub index: Option<Number>,
    /// 1, 2, 4 or 8.
    pub scale: u8,
}

/// An operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// `$…`
    Imm(String),
    /// A general register.
    Reg(Reg),
    /// A segment register.
    Segment(&'static str),
    /// Memory.
    Mem(Mem),
    /// A jump's or call's target.
    Target(String),
    /// `*…`: a jump or call through it.
    Through(Box<Arg>),
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insn {
    /// The mnemonic with its width.
    pub op: String,
    /// The operands, the destination last.
    pub args: Vec<Arg>,
    /// From an `asm!`.
    pub inline: bool,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A label.
    Label(String),
    /// A directive or nothing.
    Text(String),
    /// An instruction that is understood.
    Insn(Insn),
    /// One that is not: written as it stands, between two exchanges of BX and CX if it names or means either.
    Opaque(String),
}

/// LLVM's register for ours and the other way round. LLVM passes the first argument in ECX, which no 16-bit address
/// can use; the listing is written again with ECX and EBX in each other's place.
fn swapped(number: Number) -> Number {
    match number {
        CX => BX,
        BX => CX,
        other => other,
    }
}

/// Mnemonics whose operands say all that they read and write (with flags, and AX and DX of `mul` and `div`, apart).
const KNOWN: &[&str] = &[
    "mov", "movzb", "movzw", "movsb", "movsw", "lea", "add", "sub", "adc", "sbb", "and", "or", "xor", "cmp", "test", "inc",
    "dec", "neg", "not", "shl", "shr", "sar", "rol", "ror", "push", "pop", "xchg", "in", "out", "imul", "mul", "bt", "div",
    "idiv", "shld", "shrd", "bts", "btr", "btc",
];
/// Mnemonics without a width in their name.
const CONTROL: &[&str] = &["calll", "callw", "callq", "retl", "retw", "retq", "jmp", "jmpl", "jmpw"];
/// Conditions, and the flags that each reads.
const CONDITIONS: &[(&str, u8)] = &[
    ("e", ZF), ("ne", ZF), ("b", CF), ("ae", CF), ("be", CF | ZF), ("a", CF | ZF), ("s", SF), ("ns", SF), ("l", SF | OF),
    ("ge", SF | OF), ("le", ZF | SF | OF), ("g", ZF | SF | OF), ("o", OF), ("no", OF), ("p", PF), ("np", PF),
];
/// Zero.
pub const ZF: u8 = 1;
/// Carry.
pub const CF: u8 = 2;
/// Sign.
pub const SF: u8 = 4;
/// Overflow.
pub const OF: u8 = 8;
/// Parity.
pub const PF: u8 = 16;
/// All five.
pub const FLAGS: u8 = 31;

/// The flags that `j…` or `set…` reads.
pub fn condition(op: &str) -> Option<u8> {
    let name = op.strip_prefix("set").or_else(|| op.strip_prefix('j'))?;
    CONDITIONS.iter().find(|(condition, _)| *condition == name).map(|(_, flags)| *flags)
}

/// A constant as LLVM writes it, or a person in an `asm!`. `None`: a symbol's address.
pub fn constant(text: &str) -> Option<i64> {
    let (digits, negative) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    value.ok().map(|value| if negative { -value } else { value })
}

impl Insn {
    /// The mnemonic without its width, and the width: `b`, `w`, `l`, or 0 for a jump and the like.
    pub fn stem(&self) -> (&str, u8) {
        if let Some(stem) = ["call", "ret", "jmp"].into_iter().find(|stem| self.op.starts_with(stem)) {
            return (stem, 0);
        }
        if condition(&self.op).is_some() {
            return (&self.op, 0);
        }
        let (stem, width) = self.op.split_at(self.op.len() - 1);
        (stem, width.as_bytes()[0])
    }

    /// The register that is the last operand.
    pub fn destination(&self) -> Option<Reg> {
        match self.args.last() {
            Some(Arg::Reg(reg)) => Some(*reg),
            _ => None,
        }
    }
}

/// Reads one instruction. `None`: it has to stay as it stands.
pub fn parse(text: &str, inline: bool) -> Option<Insn> {
    let (op, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let insn = Insn { op: op.into(), args: Vec::new(), inline };
    let control = CONTROL.contains(&op) || (op.starts_with('j') && condition(op).is_some());
    if !control && !op.starts_with("set") {
        let (stem, width) = op.split_at(op.len().checked_sub(1)?);
        if !KNOWN.contains(&stem) || !["b", "w", "l"].contains(&width) {
            return None;
        }
    } else if !control && condition(op).is_none() {
        return None;
    }
    let args: Option<Vec<Arg>> = operands(rest).into_iter().map(|word| argument(word, control)).collect();
    let args = args?;
    // A count in CL stays CL.
    let in_cl = match op.get(..op.len() - 1) {
        Some("shl" | "shr" | "sar" | "rol" | "ror") => args.len() == 2 && matches!(args[0], Arg::Reg(_)),
        Some("shld" | "shrd") => args.len() != 3 || matches!(args[0], Arg::Reg(_)),
        _ => false,
    };
    if in_cl {
        return None;
    }
    if ["mul", "div", "idiv"].iter().any(|stem| op.starts_with(stem)) && args.len() != 1 {
        return None;
    }
    Some(Insn { args, ..insn })
}

/// Splits at the commas outside parentheses.
pub fn operands(text: &str) -> Vec<&str> {
    let (mut words, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                words.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(text[start..].trim());
    words.retain(|word| !word.is_empty());
    words
}

/// Our number of a long register in LLVM's text.
fn long(name: &str) -> Option<Number> {
    let name = name.trim().strip_prefix('%')?;
    LONG.iter().position(|long| *long == name).map(|number| swapped(number as u8))
}

fn argument(word: &str, control: bool) -> Option<Arg> {
    if let Some(through) = word.strip_prefix('*') {
        return Some(Arg::Through(Box::new(argument(through, false)?)));
    }
    if let Some(value) = word.strip_prefix('$') {
        return Some(Arg::Imm(value.into()));
    }
    if let Some(name) = word.strip_prefix('%').filter(|name| !name.contains(':')) {
        if let Some(segment) = SEGMENT.iter().find(|segment| **segment == name) {
            return Some(Arg::Segment(segment));
        }
        if let Some(number) = long(word) {
            return Some(Arg::Reg(Reg { number, part: Part::Long }));
        }
        if let Some(number) = WORD.iter().position(|word| *word == name) {
            return Some(Arg::Reg(Reg { number: swapped(number as u8), part: Part::Word }));
        }
        let number = BYTE.iter().position(|byte| *byte == name)? as u8;
        return Some(Arg::Reg(Reg { number: swapped(number & 3), part: Part::Byte { high: number >= 4 } }));
    }
    if control {
        return Some(Arg::Target(word.trim_end_matches("@PLT").into()));
    }
    let Some((disp, inner)) = word.split_once('(') else {
        return Some(Arg::Mem(Mem { disp: word.into(), base: None, index: None, scale: 1 }));
    };
    if disp.contains(':') && !disp.strip_prefix("%fs:").is_some_and(|number| number.bytes().all(|letter| letter.is_ascii_digit())) {
        return None;
    }
    let mut parts = inner.strip_suffix(')')?.split(',');
    let base = parts.next().filter(|base| !base.trim().is_empty());
    let index = parts.next();
    let scale = parts.next().map_or(Some(1), |scale| scale.trim().parse().ok())?;
    let mut mem = Mem { disp: disp.into(), base: None, index: None, scale };
    if let Some(base) = base {
        mem.base = Some(long(base)?);
    }
    if let Some(index) = index {
        mem.index = Some(long(index)?);
    }
    // An unscaled index alone is a base.
    if mem.base.is_none() && mem.scale == 1 {
        mem.base = mem.index.take();
    }
    Some(Arg::Mem(mem))
}

impl Arg {
    /// The memory that it names, or through which a call goes.
    pub fn memory(&mut self) -> Option<&mut Mem> {
        match self {
            Arg::Mem(mem) => Some(mem),
            Arg::Through(inner) => inner.memory(),
            _ => None,
        }
    }
}

impl Mem {
    /// In the flat segment: offsets have 32 bits, and the width of an access is what a device sees.
    pub fn is_flat(&self) -> bool {
        self.disp.contains(':')
    }

    /// The same place as 16-bit addressing names it, if it can: base and index.
    pub fn short(&self) -> Option<(Option<Number>, Option<Number>)> {
        let is_base = |number| number == BX || number == BP;
        let is_index = |number| number == SI || number == DI;
        match (self.base, self.index) {
            _ if self.is_flat() => None,
            (None, None) => Some((None, None)),
            _ if !on(Rule::Addresses) => None,
            (Some(CX), None) if wrong(Mistake::AddressesBase) => Some((Some(BX), None)),
            (Some(one), None) if is_base(one) || is_index(one) => Some((Some(one), None)),
            (Some(a), Some(b)) if self.scale == 1 && is_base(a) && is_index(b) => Some((Some(a), Some(b))),
            (Some(a), Some(b)) if self.scale == 1 && is_index(a) && is_base(b) => Some((Some(b), Some(a))),
            _ => None,
        }
    }
}

/// Writes a line. `retq` and `callq` (LLVM's outliner knows no 16-bit form) and the 32-bit forms come out near.
pub fn write(line: &Line, out: &mut String) {
    let result = match line {
        Line::Label(name) => writeln!(out, "{name}:"),
        Line::Text(text) => writeln!(out, "{text}"),
        Line::Opaque(text) => {
            // Only 32-bit names mean the high halves.
            let width = if LONG.iter().any(|name| text.contains(&format!("%{name}"))) { "l\t%ebx, %ecx" } else { "w\t%bx, %cx" };
            let exchange = if touches_swapped(text) && !wrong(Mistake::NoSwap) { format!("\txchg{width}\n") } else { String::new() };
            writeln!(out, "{exchange}\t{text}\n{exchange}")
        }
        Line::Insn(insn) => {
            // A 32-bit result wants 32-bit registers; elsewhere addresses are near.
            let far = insn.op == "leal";
            let args: Vec<String> = insn.args.iter().map(|arg| argument_text(arg, far)).collect();
            let op = match insn.op.as_str() {
                "calll" | "callq" => "callw",
                "retl" | "retq" => "retw",
                "jmpl" => "jmpw",
                op => op,
            };
            writeln!(out, "\t{op}\t{}", args.join(", "))
        }
    };
    result.expect("a string takes all");
}

fn argument_text(arg: &Arg, far: bool) -> String {
    match arg {
        Arg::Imm(value) => format!("${value}"),
        Arg::Segment(name) => format!("%{name}"),
        Arg::Target(name) => name.clone(),
        Arg::Through(arg) => match arg.as_ref() {
            // A near address: what lies above its 16 bits is not looked at.
            Arg::Reg(reg) => format!("*%{}", WORD[reg.number as usize]),
            arg => format!("*{}", argument_text(arg, far)),
        },
        Arg::Reg(Reg { number, part }) => {
            let name = match part {
                Part::Long => LONG[*number as usize],
                Part::Word => WORD[*number as usize],
                Part::Byte { high } => BYTE[*number as usize + if *high { 4 } else { 0 }],
            };
            format!("%{name}")
        }
        Arg::Mem(mem) => {
            let (names, (base, index)) = match mem.short() {
                Some(pair) if !far => (&WORD, pair),
                _ => (&LONG, (mem.base, mem.index)),
            };
            let mut text = mem.disp.clone();
            if base.is_some() || index.is_some() {
                text.push('(');
                base.iter().for_each(|base| text += &format!("%{}", names[*base as usize]));
                index.iter().for_each(|index| text += &format!(",%{}", names[*index as usize]));
                if mem.scale != 1 {
                    text += &format!(",{}", mem.scale);
                }
                text.push(')');
            }
            text
        }
    }
}

/// The registers that an opaque instruction names, by our names.
pub fn swapped_text(text: &str) -> impl Iterator<Item = Reg> {
    text.split('%').skip(1).filter_map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        match argument(&format!("%{}", &rest[..end]), false) {
            Some(Arg::Reg(reg)) => Some(reg),
            _ => None,
        }
    })
}

/// Whether an opaque instruction names all 32 bits of a register: it may change them.
pub fn names_long(text: &str, number: Number) -> bool {
    text.contains(&format!("%{}", LONG[swapped(number) as usize]))
}

/// Whether an opaque instruction names BX or CX, or counts in CX without naming it.
fn touches_swapped(text: &str) -> bool {
    let named = text.split('%').skip(1).any(|rest| {
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        ["ebx", "ecx", "bx", "cx", "bl", "cl", "bh", "ch"].contains(&name.as_str())
    });
    named || text.starts_with("rep")
}
