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

    fn reading(args: &[Arg]) -> Touch {
        Touch { reads: args.iter().map(reads).fold(0, |all, one| all | one), ..Touch::default() }
    }

    fn writes(mut self, bits: Bits) -> Touch {
        self.writes |= bits;
        self.spoils |= bits;
        self
    }

    /// The result goes to this operand.
    fn stores(mut self, target: Option<&Arg>) -> Touch {
        let (place, result, effect) = written(target);
        self.reads |= place;
        self.effect |= effect;
        self.writes(result)
    }

    fn sets(self, flags: u8) -> Touch {
        Touch { flags_written: flags, ..self }
    }

    fn acts(self) -> Touch {
        Touch { effect: true, ..self }
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
    let mut touch = by_operation(insn);
    touch.effect |= insn.args.iter().any(|arg| matches!(arg, Arg::Mem(mem) if mem.is_flat()));
    touch
}

/// The same, but for the effect of an access to flat memory.
fn by_operation(insn: &Insn) -> Touch {
    let target = insn.args.last();
    if let Some(flags) = condition(&insn.op) {
        let touch = Touch { flags_read: flags, ..Touch::default() };
        return if condition_of(insn) { touch.acts() } else { touch.stores(target) };
    }
    let source = Touch::reading(insn.args.get(..1).unwrap_or_default());
    let all_read = Touch::reading(&insn.args);
    match insn.stem().0 {
        "mov" | "movzb" | "movzw" | "movsb" | "movsw" => source.stores(target),
        "lea" => Touch { reads: sum(insn), ..Touch::default() }.stores(target),
        "add" | "and" | "or" => all_read.sets(FLAGS).stores(target),
        "adc" => Touch { flags_read: CF, ..all_read }.sets(FLAGS).stores(target),
        "sub" | "xor" => Touch { reads: difference(insn), ..Touch::default() }.sets(FLAGS).stores(target),
        "sbb" => Touch { reads: difference(insn), flags_read: CF, ..Touch::default() }.sets(FLAGS).stores(target),
        "cmp" | "test" => all_read.sets(FLAGS),
        "inc" | "dec" => all_read.sets(FLAGS & !CF).stores(target),
        "neg" => all_read.sets(FLAGS).stores(target),
        "not" => all_read.stores(target),
        "shl" | "shr" | "sar" if shifts(insn) => all_read.sets(FLAGS).stores(target),
        "rol" | "ror" if shifts(insn) => all_read.sets(CF | OF).stores(target),
        "shl" | "shr" | "sar" | "rol" | "ror" => all_read.stores(target),
        "shld" | "shrd" => {
            let (_, result, effect) = written(target);
            Touch { spoils: result, effect, ..all_read }
        }
        "bt" => Touch { effect: matches!(target, Some(Arg::Mem(_))), ..all_read }.sets(CF),
        "bts" | "btr" | "btc" => all_read.sets(CF).stores(target),
        "imul" if insn.args.len() > 1 => Touch::reading(&insn.args[..2]).sets(FLAGS).stores(target),
        // A division may trap.
        "imul" | "mul" | "div" | "idiv" => {
            let pair = all(AX) | all(DX);
            Touch { reads: all_read.reads | pair, spoils: pair, ..all_read }.sets(FLAGS).acts()
        }
        "xchg" => {
            let both = insn.args.iter().map(|arg| written(Some(arg)).1).fold(0, |all, one| all | one);
            Touch { effect: insn.args.iter().any(|arg| !matches!(arg, Arg::Reg(_))), ..all_read }.writes(both)
        }
        "call" => Touch { spoils: EVERY, ..all_read }.acts(),
        "ret" | "jmp" | "out" => all_read.acts(),
        "push" => source.acts(),
        "pop" => Touch::default().stores(target).acts(),
        "in" => source.stores(target).acts(),
        _ => Touch::UNKNOWN,
    }
}

/// What `lea` reads.
fn sum(insn: &Insn) -> Bits {
    match insn.args.first() {
        Some(Arg::Mem(mem)) if insn.stem().1 == b'l' => address(mem, true),
        // Of a scaled sum of 16 bits only the low halves count.
        Some(Arg::Mem(mem)) => mem.base.iter().chain(&mem.index).fold(0, |all, number| all | low(*number)) & EVERY,
        _ => 0,
    }
}

/// What `sub`, `sbb` and `xor` read: of a register and itself nothing.
fn difference(insn: &Insn) -> Bits {
    if insn.args.len() == 2 && insn.args[0] == insn.args[1] { 0 } else { Touch::reading(&insn.args).reads }
}

/// Whether a shift surely moves a bit: only then it sets the flags.
fn shifts(insn: &Insn) -> bool {
    match insn.args[..] {
        [_] => true,
        [Arg::Imm(ref count), _] => count.parse().is_ok_and(|count: u8| (1..32).contains(&count)),
        _ => false,
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
