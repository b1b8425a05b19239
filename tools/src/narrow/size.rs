//! How many bytes an instruction takes in a 16-bit segment. Jumps count as short ones.

use super::insn::{self, Arg, BP, Insn, Line, Mem, Part, Reg, SP};

/// Of a line.
pub fn of_line(line: &Line) -> usize {
    match line {
        Line::Insn(insn) => of(insn),
        Line::Opaque(_) => 8,
        _ => 0,
    }
}

/// Of an instruction.
pub fn of(insn: &Insn) -> usize {
    let (stem, width) = insn.stem();
    let far = insn.op == "leal";
    let memory = insn.args.iter().find_map(|arg| match arg {
        Arg::Mem(mem) => Some(mem),
        Arg::Through(inner) => match inner.as_ref() {
            Arg::Mem(mem) => Some(mem),
            _ => None,
        },
        _ => None,
    });
    if stem.starts_with("set") {
        return 3 + memory.map_or(0, |mem| address(mem, false));
    }
    let place = 1 + memory.map_or(0, |mem| address(mem, far));
    let long = if width == b'l' { 1 } else { 0 };
    let full = match width {
        b'b' => 1,
        b'l' => 4,
        _ => 2,
    };
    let imm = match insn.args.first() {
        Some(Arg::Imm(value)) => Some(insn::constant(value)),
        _ => None,
    };
    let small = matches!(imm, Some(Some(value)) if is_small(value, width));
    let last = insn.args.last();
    let wide = width != b'b';
    let accumulator = matches!(last, Some(Arg::Reg(Reg { number: 0, part })) if *part != Part::Byte { high: true });
    let bare = |mem: &Mem| mem.base.is_none() && mem.index.is_none();
    long + match stem {
        "call" if matches!(insn.args[0], Arg::Target(_)) => 3,
        "call" => 1 + place,
        "ret" => 1 + 2 * insn.args.len(),
        "jmp" if matches!(insn.args[0], Arg::Through(_)) => 1 + place,
        _ if stem.starts_with('j') => 2,
        "mov" if imm.is_some() => full + if memory.is_some() { 1 + place } else { 1 },
        "mov" if memory.is_some_and(bare) && insn.args.iter().any(|arg| matches!(arg, Arg::Reg(Reg { number: 0, part }) if *part != Part::Byte { high: true })) => place,
        "movzb" | "movzw" | "movsb" | "movsw" => 2 + place,
        "add" | "sub" | "adc" | "sbb" | "and" | "or" | "xor" | "cmp" if imm.is_some() => match (small && wide, accumulator) {
            (true, _) => 2 + place,
            (_, true) => 1 + full,
            _ => 1 + place + full,
        },
        "test" if imm.is_some() => full + if accumulator { 1 } else { 1 + place },
        "inc" | "dec" if wide && memory.is_none() => 1,
        "shl" | "shr" | "sar" | "rol" | "ror" => 1 + place + if matches!(imm, Some(Some(value)) if value != 1) { 1 } else { 0 },
        "push" | "pop" if imm.is_some() => if small { 2 } else { 1 + full },
        "push" | "pop" if memory.is_none() => 1,
        "xchg" if wide && memory.is_none() && insn.args.iter().any(|arg| matches!(arg, Arg::Reg(Reg { number: 0, .. }))) => 1,
        "in" | "out" => if insn.args.iter().any(|arg| matches!(arg, Arg::Imm(_))) { 2 } else { 1 },
        "imul" if insn.args.len() == 3 => 1 + place + if small { 1 } else { full },
        "imul" if insn.args.len() == 2 => 2 + place,
        "bt" | "bts" | "btr" | "btc" => 2 + place + if imm.is_some() { 1 } else { 0 },
        "shld" | "shrd" => 3 + place,
        _ => 1 + place,
    }
}

/// Whether a constant is a byte with its sign.
pub fn is_small(value: i64, width: u8) -> bool {
    let value = if width == b'l' { value as i32 as i64 } else { value as i16 as i64 };
    (-128..128).contains(&value)
}

/// What an address takes beyond the byte that every operand has, with its prefixes.
fn address(mem: &Mem, far: bool) -> usize {
    let (flat, text) = mem.disp.rsplit_once(':').map_or((0, mem.disp.as_str()), |(_, rest)| (1, rest));
    let disp = if text.is_empty() { Some(0) } else { insn::constant(text) };
    let none = mem.base.is_none() && mem.index.is_none();
    if none {
        return flat + 2;
    }
    let short = !far && mem.short().is_some();
    let wide = if short { 2 } else { 4 };
    let size = match disp {
        _ if !short && mem.base.is_none() => 4,
        Some(0) if mem.base != Some(BP) => 0,
        Some(value) if (-128..128).contains(&value) => 1,
        _ => wide,
    };
    let more = if short { 0 } else { 1 + if mem.index.is_some() || mem.base == Some(SP) { 1 } else { 0 } };
    flat + size + more
}
