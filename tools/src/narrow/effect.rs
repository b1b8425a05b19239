//! What one instruction does to the high halves of the registers and to the flags, and whether its 16-bit form does
//! the same to all that is looked at afterwards.

use super::rules::{Mistake, wrong};
use super::insn::{Arg, CF, FLAGS, Insn, Mem, Number, OF, PF, Part, Reg, SF, SP, ZF, condition, constant};

/// One bit for each register.
pub type Registers = u8;
/// Every register but SP, whose high half is always zero and never asked for.
pub const ALL: Registers = !(1 << SP);

/// What is looked at later on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Registers whose bits 31:16 are.
    pub high: Registers,
    /// Flags.
    pub flags: u8,
}

impl Live {
    /// Both.
    pub fn and(self, other: Live) -> Live {
        Live { high: self.high | other.high, flags: self.flags | other.flags }
    }

    fn kill(&mut self, number: Number) {
        self.high &= !(1 << number);
    }

    fn high(&self, number: Number) -> bool {
        self.high >> number & 1 != 0
    }

    fn want(&mut self, number: Number) {
        self.high |= 1 << number & ALL;
    }

    /// The registers of an address that has no 16-bit form.
    fn want_address(&mut self, mem: &Mem) {
        if mem.short().is_none() && !wrong(Mistake::WordsAddress) {
            mem.base.iter().chain(&mem.index).for_each(|number| self.want(*number));
        }
    }

    /// With the high halves of all operands.
    fn wanting(mut self, insn: &Insn) -> Live {
        insn.args.iter().for_each(|arg| self.want_arg(arg));
        self
    }

    fn want_arg(&mut self, arg: &Arg) {
        if let Arg::Reg(Reg { number, part: Part::Long }) = arg {
            self.want(*number);
        }
    }
}

/// A register as a long operand.
fn long(arg: Option<&Arg>) -> Option<Number> {
    match arg {
        Some(Arg::Reg(Reg { number, part: Part::Long })) => Some(*number),
        _ => None,
    }
}

/// Whether bits 31:16 of an operand are zero, given the registers of which that is known.
fn is_zero_high(arg: &Arg, zero: Registers) -> bool {
    match arg {
        // A symbol's address is near.
        Arg::Imm(value) => constant(value).is_none_or(|value| (0..0x1_0000).contains(&value)),
        Arg::Reg(Reg { number, part: Part::Long }) => zero >> number & 1 != 0,
        _ => false,
    }
}

/// What is looked at before an instruction, given what is after it and the registers whose high half is zero before
/// it; and whether its 16-bit form does as well. Calls, returns and jumps are the caller's affair, except for the
/// registers of their addresses.
pub fn before(insn: &Insn, after: Live, zero: Registers) -> (Live, bool) {
    let (mut live, narrow) = before_address(insn, after, zero);
    // Also when the register of the address is the one that is loaded.
    for arg in &insn.args {
        match arg {
            Arg::Mem(mem) if insn.op != "leal" => live.want_address(mem),
            Arg::Through(inner) => {
                if let Arg::Mem(mem) = inner.as_ref() {
                    live.want_address(mem);
                }
            }
            _ => {}
        }
    }
    // What flat memory holds may be a device's register: the width is the driver's choice. What is more than a move
    // then looks at all of its register.
    let is_flat = insn.args.iter().any(|arg| matches!(arg, Arg::Mem(mem) if mem.is_flat()));
    if is_flat && insn.stem().0 != "mov" {
        insn.args.iter().for_each(|arg| live.want_arg(arg));
    }
    (live, narrow && !is_flat)
}

/// The same, but for what addresses in memory look at.
fn before_address(insn: &Insn, after: Live, zero: Registers) -> (Live, bool) {
    if let Some(flags) = condition(&insn.op) {
        return (Live { flags: after.flags | flags, ..after }, false);
    }
    let (stem, width) = insn.stem();
    match stem {
        "mov" | "movzw" | "movzb" | "movsw" | "movsb" | "lea" | "xchg" | "push" | "pop" | "in" | "out" if width == b'l' => moving(insn, after),
        "add" | "sub" | "and" | "or" | "xor" | "cmp" | "test" | "adc" | "sbb" => {
            let live = Live { flags: after.flags & !FLAGS | if matches!(stem, "adc" | "sbb") { CF } else { 0 }, ..after };
            if width != b'l' {
                return (live, false);
            }
            (arithmetic(insn, stem, after, live, zero), arithmetic_narrow(insn, stem, after, zero))
        }
        "bt" | "bts" | "btr" | "btc" => one_bit(insn, after),
        "inc" | "dec" | "neg" | "not" | "shl" | "shr" | "sar" | "rol" | "ror" => unary(insn, after, zero),
        "shld" | "shrd" => (Live { flags: 0, ..after }.wanting(insn), false),
        "imul" | "mul" | "div" | "idiv" => product(insn, after),
        _ => (after, false),
    }
}

/// Of what moves 32 bits, or a shorter value into 32.
fn moving(insn: &Insn, after: Live) -> (Live, bool) {
    let stem = insn.stem().0;
    let target = long(insn.args.last());
    let needed = is_needed(insn, after);
    let mut live = after;
    if let ("xchg", Some((a, b))) = (stem, both(insn)) {
        // What is looked at of one afterwards is looked at of the other before.
        live.kill(a);
        live.kill(b);
        if after.high(a) {
            live.want(b);
        }
        if after.high(b) {
            live.want(a);
        }
        return (live, !after.high(a) && !after.high(b));
    }
    match (stem, target) {
        ("push" | "xchg" | "out", _) => return (live.wanting(insn), false),
        ("mov", None) => {
            insn.args.first().iter().for_each(|arg| live.want_arg(arg));
            return (live, false);
        }
        _ => target.iter().for_each(|number| live.kill(*number)),
    }
    match (stem, insn.args.first()) {
        ("mov", Some(source)) if needed => live.want_arg(source),
        ("lea", Some(Arg::Mem(mem))) if needed => mem.base.iter().chain(&mem.index).for_each(|number| live.want(*number)),
        _ => {}
    }
    (live, !needed && !matches!(stem, "pop" | "in"))
}

/// Of the instructions for one bit.
fn one_bit(insn: &Insn, after: Live) -> (Live, bool) {
    let live = Live { flags: after.flags & !CF, ..after };
    let is_low = matches!(insn.args.first(), Some(Arg::Imm(number)) if matches!(number.parse(), Ok(0..16)));
    let narrow = insn.stem().0 == "bt" && is_low && long(insn.args.last()).is_some();
    (if narrow { live } else { live.wanting(insn) }, narrow)
}

/// Of one operand, which is also the result, and shifts of it.
fn unary(insn: &Insn, after: Live, zero: Registers) -> (Live, bool) {
    let (stem, width) = insn.stem();
    let target = long(insn.args.last());
    let is_zero = target.is_some_and(|number| zero >> number & 1 != 0);
    // The flags that stay as they were, and those that come out different in 16 bits.
    let (kept, differ) = match stem {
        "inc" | "dec" => (CF, ZF | SF | OF),
        "neg" => (0, if is_zero { SF | OF } else { ZF | CF | SF | OF }),
        "not" => (FLAGS, 0),
        "shl" => (0, FLAGS),
        "shr" => (0, OF),
        "sar" => (0, FLAGS),
        _ => (ZF | SF | PF, FLAGS),
    };
    // These move bits of the high half into the low one.
    let downward = match stem {
        "shr" => !is_zero && !wrong(Mistake::WordsShift),
        "sar" | "rol" | "ror" => true,
        _ => false,
    };
    let wide = is_needed(insn, after) || downward || after.flags & differ != 0;
    let mut live = Live { flags: after.flags & kept, ..after };
    let Some(number) = target.filter(|_| width == b'l') else { return (live, false) };
    if wide {
        live.want(number);
    } else {
        live.kill(number);
    }
    (live, !wide)
}

/// Of products and quotients.
fn product(insn: &Insn, after: Live) -> (Live, bool) {
    let width = insn.stem().1;
    let mut live = Live { flags: 0, ..after };
    if is_product(insn) {
        return (if width == b'l' { Live { high: ALL, flags: 0 } } else { live }, false);
    }
    if is_needed(insn, after) || after.flags != 0 {
        return (live.wanting(insn), false);
    }
    let target = long(insn.args.last());
    target.iter().for_each(|number| live.kill(*number));
    (live, width == b'l' && target.is_some())
}

/// Whether the high half of the result is looked at.
fn is_needed(insn: &Insn, after: Live) -> bool {
    long(insn.args.last()).is_some_and(|number| after.high(number)) && !(wrong(Mistake::WordsMove) && insn.stem().0 == "mov")
}

/// The two long registers of an exchange.
fn both(insn: &Insn) -> Option<(Number, Number)> {
    Some((long(insn.args.first())?, long(insn.args.get(1))?))
}

/// `xor` and `sub` of a register with itself.
fn is_zeroing(insn: &Insn, stem: &str) -> bool {
    matches!(stem, "xor" | "sub") && insn.args.len() == 2 && insn.args[0] == insn.args[1]
}

fn arithmetic_narrow(insn: &Insn, stem: &str, after: Live, zero: Registers) -> bool {
    let (Some(a), Some(b)) = (insn.args.first(), insn.args.last()) else { return false };
    // Memory may be narrowed as a source only: two bytes are read instead of four.
    let compares = matches!(stem, "cmp" | "test");
    if matches!(b, Arg::Mem(_)) {
        return false;
    }
    if !compares && long(Some(b)).is_some_and(|number| after.high(number)) {
        return false;
    }
    let differ = if is_zeroing(insn, stem) {
        0
    } else {
        let (a, b) = (is_zero_high(a, zero), is_zero_high(b, zero));
        match stem {
            "and" | "test" if a || b => SF,
            "or" | "xor" if a && b => SF,
            "cmp" | "sub" if a && b => SF | OF,
            "and" | "test" | "or" | "xor" => ZF | SF,
            _ => ZF | CF | SF | OF,
        }
    };
    after.flags & differ == 0 || wrong(Mistake::WordsFlags)
}

fn arithmetic(insn: &Insn, stem: &str, after: Live, mut live: Live, zero: Registers) -> Live {
    let number = long(insn.args.last());
    let compares = matches!(stem, "cmp" | "test");
    let same = insn.args.first() == insn.args.last();
    if is_zeroing(insn, stem) || (stem == "sbb" && same) || arithmetic_narrow(insn, stem, after, zero) {
        if !compares {
            number.iter().for_each(|number| live.kill(*number));
        }
        return live;
    }
    insn.args.iter().for_each(|arg| live.want_arg(arg));
    // The mask clears what the register has above.
    if stem == "and" && insn.args.first().is_some_and(|mask| matches!(mask, Arg::Imm(_)) && is_zero_high(mask, 0)) {
        number.iter().for_each(|number| live.kill(*number));
    }
    live
}

/// What goes to AX and DX whatever the operand is: a product, a quotient.
fn is_product(insn: &Insn) -> bool {
    matches!(insn.stem().0, "mul" | "imul" | "div" | "idiv") && insn.args.len() == 1
}

/// The registers whose high half is zero after an instruction, given those before it. Calls are the caller's affair.
pub fn zero_after(insn: &Insn, zero: Registers) -> Registers {
    let (stem, width) = insn.stem();
    let Some(Reg { number, part: Part::Long }) = insn.destination() else {
        return if is_product(insn) && width == b'l' { zero & !0b101 } else { zero };
    };
    let bit = 1 << number;
    let source = insn.args.first();
    let of_source = source.is_some_and(|arg| is_zero_high(arg, zero));
    let old = zero & bit != 0;
    let yes = match stem {
        "cmp" | "test" | "bt" | "push" | "out" => old,
        "add" if wrong(Mistake::WordsZero) => old,
        "mov" => of_source,
        "movzw" | "movzb" => true,
        "and" => old || of_source,
        "or" => old && of_source,
        "xor" | "sub" if is_zeroing(insn, stem) => true,
        "xor" => old && of_source,
        "lea" => matches!(source, Some(Arg::Mem(mem)) if mem.base == Some(SP) && mem.index.is_none()),
        "shr" => old || matches!(source, Some(Arg::Imm(count)) if insn.args.len() == 2 && count.parse().is_ok_and(|count: u8| (16..32).contains(&count))),
        _ if is_product(insn) => return zero & !0b101,
        "xchg" => {
            // Both are registers or one is memory.
            let Some((a, b)) = both(insn) else { return zero & !bit | (1 << SP & zero) };
            let [of_a, of_b] = [a, b].map(|number| zero >> number & 1);
            return zero & !(1 << a | 1 << b) | of_a << b | of_b << a | (1 << SP & zero);
        }
        _ => false,
    };
    let after = if yes { zero | bit } else { zero & !bit };
    after | 1 << SP
}

/// Whether a wide instruction writes bits 31:16 of a register.
pub fn writes_high(insn: &Insn, number: Number) -> bool {
    let (stem, width) = insn.stem();
    let destination = insn.args.iter().any(|arg| long(Some(arg)) == Some(number));
    match stem {
        "cmp" | "test" | "bt" | "push" | "out" => false,
        "xchg" => destination,
        _ if is_product(insn) => width == b'l' && (number == 0 || number == 2),
        _ => long(insn.args.last()) == Some(number),
    }
}
