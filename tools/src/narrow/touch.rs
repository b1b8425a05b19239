//! What a line reads and writes: the bytes of the registers, and the flags.

use super::insn::{Arg, BP, BX, CF, CX, DI, FLAGS, Insn, Line, Mem, Number, OF, Part, Reg, SI, condition, swapped_text};

/// Three bits for each register: bits 7:0, 15:8 and 31:16.
pub type Bits = u32;

/// AX.
pub const AX: Number = 0;
/// DX.
pub const DX: Number = 2;

/// All of a register.
pub const fn all(number: Number) -> Bits {
    7 << (3 * number)
}

/// Bits 15:0 of a register.
pub const fn low(number: Number) -> Bits {
    3 << (3 * number)
}

/// The part of a register that an operand names.
pub const fn bits(reg: Reg) -> Bits {
    let part = match reg.part {
        Part::Byte { high: false } => 1,
        Part::Byte { high: true } => 2,
        Part::Word => 3,
        Part::Long => 7,
    };
    part << (3 * reg.number)
}

/// Every register but SP, which nobody follows here.
pub const EVERY: Bits = 0xFF_FFFF & !all(4);
/// What a function keeps.
pub const KEPT: Bits = all(CX) | all(BP) | all(SI) | all(DI);

/// What is looked at, or changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Bytes of registers that are read.
    pub reads: Bits,
    /// Those that are written, whatever happens.
    pub writes: Bits,
    /// Those that may be changed.
    pub spoils: Bits,
    /// The same of the flags.
    pub flags_read: u8,
    /// Flags that are written, whatever happens.
    pub flags_written: u8,
    /// Memory, a port or the stack is written or read with an effect, or control goes elsewhere.
    pub effect: bool,
}

impl Touch {
    const UNKNOWN: Touch = Touch { reads: EVERY, writes: 0, spoils: EVERY, flags_read: FLAGS, flags_written: 0, effect: true };

    fn writes(mut self, bits: Bits) -> Touch {
        self.writes |= bits;
        self.spoils |= bits;
        self
    }
}

/// The registers of an address. `far`: all 32 bits are of the result.
fn address(mem: &Mem, far: bool) -> Bits {
    let one = |number: &Number| if far || mem.short().is_none() { all(*number) } else { low(*number) };
    (mem.base.iter().map(one).sum::<Bits>() | mem.index.iter().map(one).sum::<Bits>()) & EVERY
}

fn reads(arg: &Arg) -> Bits {
    match arg {
        Arg::Reg(reg) => bits(*reg) & EVERY,
        Arg::Mem(mem) => address(mem, false),
        Arg::Through(inner) => match inner.as_ref() {
            Arg::Reg(reg) => low(reg.number),
            inner => reads(inner),
        },
        _ => 0,
    }
}

/// What an operand's being written reads: the registers of its address; and what of it is written.
fn written(arg: Option<&Arg>) -> (Bits, Bits, bool) {
    match arg {
        Some(Arg::Reg(reg)) => (0, bits(*reg) & EVERY, reg.number == 4),
        Some(arg @ Arg::Mem(_)) => (reads(arg), 0, true),
        Some(Arg::Segment(_)) => (0, 0, true),
        _ => (0, 0, true),
    }
}

/// A line's, but for whom it calls and where it jumps to.
pub fn touch(line: &Line) -> Touch {
    match line {
        Line::Insn(insn) => of(insn),
        Line::Opaque(text) => opaque(text),
        _ => Touch::default(),
    }
}

/// Whether it is a conditional jump.
pub fn condition_of(insn: &Insn) -> bool {
    insn.op.starts_with('j') && condition(&insn.op).is_some()
}

/// An instruction's.
pub fn of(insn: &Insn) -> Touch {
    let mut touch = Touch::default();
    let (stem, width) = insn.stem();
    let all_args = || insn.args.iter().map(reads).fold(0, |all, one| all | one);
    let source = insn.args.first().map_or(0, reads);
    let (place, result, effect) = written(insn.args.last());
    let same = insn.args.len() == 2 && insn.args[0] == insn.args[1];
    touch.effect = insn.args.iter().any(|arg| matches!(arg, Arg::Mem(mem) if mem.is_flat()));
    if let Some(flags) = condition(&insn.op) {
        touch.flags_read = flags;
        if stem.starts_with('j') {
            touch.effect = true;
            return touch;
        }
        touch.reads = place;
        touch.effect |= effect;
        return touch.writes(result);
    }
    match stem {
        "mov" | "movzb" | "movzw" | "movsb" | "movsw" => {
            touch.reads = source | place;
            touch.effect |= effect;
            touch.writes(result)
        }
        "lea" => {
            let far = width == b'l';
            touch.reads = match insn.args.first() {
                // Of a scaled sum of 16 bits only the low halves count.
                Some(Arg::Mem(mem)) if far => address(mem, true),
                Some(Arg::Mem(mem)) => mem.base.iter().chain(&mem.index).fold(0, |all, number| all | low(*number)) & EVERY,
                _ => 0,
            };
            touch.effect |= effect;
            touch.writes(result)
        }
        "add" | "sub" | "and" | "or" | "xor" | "adc" | "sbb" => {
            let carry = matches!(stem, "adc" | "sbb");
            touch.reads = if same && matches!(stem, "sub" | "xor" | "sbb") { 0 } else { all_args() };
            touch.flags_read = if carry { CF } else { 0 };
            touch.flags_written = FLAGS;
            touch.effect |= effect;
            touch.writes(result)
        }
        "cmp" | "test" => {
            touch.reads = all_args();
            touch.flags_written = FLAGS;
            touch
        }
        "inc" | "dec" | "neg" | "not" => {
            touch.reads = all_args();
            touch.flags_written = match stem {
                "neg" => FLAGS,
                "not" => 0,
                _ => FLAGS & !CF,
            };
            touch.effect |= effect;
            touch.writes(result)
        }
        "shl" | "shr" | "sar" | "rol" | "ror" => {
            touch.reads = all_args();
            let counts = match (&insn.args[0], insn.args.len()) {
                (Arg::Imm(count), 2) => count.parse().is_ok_and(|count: u8| (1..32).contains(&count)),
                (_, count) => count == 1,
            };
            let some = if matches!(stem, "rol" | "ror") { CF | OF } else { FLAGS };
            touch.flags_written = if counts { some } else { 0 };
            touch.effect |= effect;
            touch.writes(result)
        }
        "imul" if insn.args.len() > 1 => {
            touch.reads = if insn.args.len() == 2 { all_args() } else { source | reads(&insn.args[1]) };
            touch.flags_written = FLAGS;
            touch.writes(result)
        }
        "imul" | "mul" | "div" | "idiv" => {
            touch.reads = all_args() | all(AX) | all(DX);
            touch.spoils = all(AX) | all(DX);
            touch.flags_written = FLAGS;
            // A division may trap.
            touch.effect = true;
            touch
        }
        "bt" | "bts" | "btr" | "btc" => {
            touch.reads = all_args();
            touch.flags_written = CF;
            touch.effect |= matches!(insn.args.last(), Some(Arg::Mem(_)));
            if stem == "bt" { touch } else { touch.writes(result) }
        }
        "call" | "ret" | "jmp" => {
            touch.reads = all_args();
            touch.spoils = if stem == "call" { EVERY } else { 0 };
            touch.effect = true;
            touch
        }
        "push" => {
            touch.reads = source;
            touch.effect = true;
            touch
        }
        "pop" => {
            touch.reads = place;
            touch.effect = true;
            touch.writes(result)
        }
        "xchg" => {
            touch.reads = all_args();
            touch.effect |= insn.args.iter().any(|arg| !matches!(arg, Arg::Reg(_)));
            let both = insn.args.iter().map(|arg| written(Some(arg)).1).fold(0, |all, one| all | one);
            touch.writes(both)
        }
        "in" => {
            touch.reads = source;
            touch.effect = true;
            touch.writes(result)
        }
        "out" => {
            touch.reads = all_args();
            touch.effect = true;
            touch
        }
        "shld" | "shrd" => {
            touch.reads = all_args();
            touch.spoils = result;
            touch.effect |= effect;
            touch
        }
        _ => Touch::UNKNOWN,
    }
}

/// Of one that stays as it is written, in LLVM's names: its BX and CX are our CX and BX.
fn opaque(text: &str) -> Touch {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let named = swapped_text(text).fold(0, |all, reg| all | bits(reg)) & EVERY;
    if first == "rep" {
        let op = words.next().unwrap_or_default();
        let known = ["insb", "insw", "insl", "outsb", "outsw", "outsl", "movsb", "movsw", "movsl", "stosb", "stosw", "stosl", "lodsb"];
        if !known.contains(&op) {
            return Touch::UNKNOWN;
        }
        let count = if named & !0o33333333 != 0 { all(BX) } else { low(BX) };
        let stores = if op.starts_with("stos") { all(AX) } else { 0 };
        let pointers = named & (all(SI) | all(DI));
        return Touch { reads: named | count | stores, writes: 0, spoils: pointers | count, flags_read: 0, flags_written: 0, effect: true };
    }
    let shifts = ["shl", "shr", "sar", "rol", "ror"].iter().any(|stem| first.len() == 4 && first.starts_with(stem));
    if shifts && text.contains("%cl") && !text.contains('(') {
        return Touch { reads: named, writes: 0, spoils: named, flags_read: 0, flags_written: 0, effect: false };
    }
    match first {
        "cld" | "cli" | "sti" | "nop" => Touch { effect: true, ..Touch::default() },
        "lodsb" if !text.contains("%esi") => {
            Touch { reads: low(SI), writes: 1, spoils: low(SI) | 1, flags_read: 0, flags_written: 0, effect: true }
        }
        _ => Touch::UNKNOWN,
    }
}
