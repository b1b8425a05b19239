//! What the pass knows. Anything else is refused: a directive, an instruction, a suffix or an expression that it took for
//! something else would be wrong code without a word.

use super::Item;
use super::flow::Function;
use super::insn::{self, Arg, Insn, Line, Mem};

/// Directives outside of functions.
const DIRECTIVES: &[&str] = &[
    ".text", ".data", ".bss", ".section", ".code16", ".file", ".ident", ".globl", ".type", ".size", ".p2align", ".set", ".ascii", ".asciz",
    ".byte", ".short", ".long", ".quad", ".zero", ".local", ".comm",
];
/// Of these, those that may hold addresses.
const DATA: &[&str] = &[".short", ".long", ".quad", ".set"];

/// Instructions that read or write CX or BX without naming the register; `shld` and `shrd` with two operands are others.
/// The pass exchanges CX and BX by their names. Without a name it would count in the wrong register.
const HIDDEN: &[&str] = &["loop", "loope", "loopz", "loopne", "loopnz", "jcxz", "jecxz", "xlat", "xlatb", "cpuid", "cmpxchg8b", "rdmsr", "wrmsr"];
/// Instructions that stay as they stand: they leave the stack and the flow of control alone, and what they read and write
/// is known or taken for everything.
const OPAQUE: &[&str] = &["bsf", "bsr", "shl", "shr", "sar", "rol", "ror", "rcl", "rcr", "shld", "shrd", "mov", "xchg", "smsw", "cmp", "test", "sbb", "adc", "or"];
/// The same, whole. Behind a trap comes nothing; a unit with one is refused later.
const WORDS: &[&str] = &["ud2", "cld", "cli", "sti", "nop", "cwtl", "cltd", "cwtd", "cbtw", "movsb", "movsw", "movsl", "stosb", "stosw", "stosl", "lodsb", "lodsw", "lodsl"];
/// String operations behind `rep`.
const STRINGS: &[&str] = &["movs", "stos", "lods", "ins", "outs", "cmps", "scas"];

/// Refuses what is not known.
///
/// # Errors
/// Names the function and the line.
pub fn check(items: &[Item]) -> Result<(), String> {
    for item in items {
        match item {
            Item::Text(text) => outside(text.trim())?,
            Item::Function(function) => inside(function)?,
        }
    }
    Ok(())
}

fn refuse<T>(place: &str, text: &str, what: &str) -> Result<T, String> {
    Err(format!("{place}: {text}: {what} that the pass does not know"))
}

fn outside(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('#') || text.ends_with(':') {
        return Ok(());
    }
    let (directive, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !DIRECTIVES.contains(&directive) {
        return refuse("outside of functions", text, "a directive");
    }
    // Comments stand behind.
    let rest = rest.split('#').next().unwrap_or_default();
    let names = if directive == ".set" { rest.split_once(',').map_or(rest, |(_, value)| value) } else { rest };
    if DATA.contains(&directive) && !names.split(',').all(|value| is_expression(value.trim())) {
        return refuse("outside of functions", text, "an expression");
    }
    Ok(())
}

fn inside(function: &Function) -> Result<(), String> {
    for line in &function.lines {
        match line {
            Line::Text(text) if !text.trim().starts_with(".p2align") => return refuse(&function.name, text.trim(), "a directive"),
            Line::Opaque(text) if is_hidden(text) => return Err(format!("{}: {text}: an instruction that uses CX or BX without naming it", function.name)),
            Line::Opaque(text) if !is_opaque(text) => return refuse(&function.name, text, "an instruction"),
            Line::Insn(insn) => operands(function, insn)?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether CX or BX is an operand that the text does not name. Of string operations behind `rep` the pass knows that they
/// count in CX.
fn is_hidden(text: &str) -> bool {
    let (op, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let double = ["shld", "shrd"].iter().any(|stem| op.starts_with(stem));
    HIDDEN.contains(&op) || double && insn::operands(operands).len() < 3
}

fn is_opaque(text: &str) -> bool {
    if text.contains('@') {
        return false;
    }
    let (op, rest) = text.split_once([' ', '\t', ';']).unwrap_or((text, ""));
    if ["rep", "repe", "repz", "repne", "repnz"].contains(&op) {
        let string = rest.split_whitespace().next().unwrap_or_default();
        return !rest.contains(';') && STRINGS.iter().any(|name| string.strip_prefix(name).is_some_and(|width| ["b", "w", "l"].contains(&width)));
    }
    let stem = OPAQUE.iter().any(|stem| op.strip_prefix(stem).is_some_and(|width| ["b", "w", "l"].contains(&width)));
    !text.contains(';') && (WORDS.contains(&op) || stem)
}

fn operands(function: &Function, insn: &Insn) -> Result<(), String> {
    let refuse = |text: &str, what: &str| refuse(&function.name, &format!("{} {text}", insn.op), what);
    for arg in &insn.args {
        let inner = if let Arg::Through(inner) = arg { inner } else { arg };
        match inner {
            Arg::Imm(value) if !is_expression(value) => return refuse(value, "an expression"),
            Arg::Target(name) if !is_symbol(name) => return refuse(name, "a target"),
            Arg::Mem(Mem { disp, .. }) => {
                let disp = disp.strip_prefix("%fs:").unwrap_or(disp);
                if !disp.is_empty() && !is_expression(disp) {
                    return refuse(disp, "an expression");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A name; neither a number nor a local label's.
fn is_symbol(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || "._".contains(letter)) && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._$".contains(letter))
}

/// A number as `insn::constant` reads it, which would take another base for ten.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.strip_prefix("0x") {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0')),
    }
}

/// A number, a symbol, or a symbol and a number.
fn is_expression(text: &str) -> bool {
    let split = text.rfind(['+', '-']).filter(|at| *at != 0);
    is_number(text) || is_symbol(text) || split.is_some_and(|at| is_symbol(&text[..at]) && is_number(&text[at + 1..]))
}
