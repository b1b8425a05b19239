//! What a run compared: a state that is to go another way gets, where an input is one side of a comparison, the other side.

use std::collections::HashMap;

use crate::state::Input;
use crate::unicorn::{Engine, reg};
use crate::layout::BASE;

/// An operand of a comparison.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A register, from this bit on.
    Register(usize, u8),
    /// A number or an address.
    Constant(u32),
    /// Memory: displacement, base, index, scale.
    Memory(u32, Option<usize>, Option<usize>, u32),
}

/// A comparison of so many bytes.
#[derive(Clone, Debug)]
pub struct Comparison {
    bytes: u8,
    operands: [Operand; 2],
}

const NAMES: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const BYTES: [&str; 8] = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];

fn register(text: &str) -> Option<(usize, u8)> {
    let name = text.trim().strip_prefix('%')?;
    if let Some(number) = BYTES.iter().position(|byte| *byte == name) {
        return Some((number & 3, if number >= 4 { 8 } else { 0 }));
    }
    let number = NAMES.iter().position(|word| *word == name.strip_prefix('e').unwrap_or(name))?;
    Some((number, 0))
}

/// A number, a symbol, or their sum.
fn value(text: &str, symbols: &HashMap<String, u32>) -> Option<u32> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number as u32);
    }
    let at = text.rfind(['+', '-']).filter(|at| *at != 0).unwrap_or(text.len());
    let symbol = *symbols.get(&text[..at])?;
    let number = if at == text.len() { 0 } else { text[at..].trim_start_matches('+').parse::<i64>().ok()? };
    Some(symbol.wrapping_add(number as u32))
}

fn operand(text: &str, symbols: &HashMap<String, u32>) -> Option<Operand> {
    let text = text.trim();
    if let Some(number) = text.strip_prefix('$') {
        return Some(Operand::Constant(value(number, symbols)?));
    }
    if let Some((number, shift)) = register(text) {
        return Some(Operand::Register(number, shift));
    }
    let (disp, inside) = text.split_once('(').unwrap_or((text, ""));
    let disp = if disp.is_empty() { 0 } else { value(disp, symbols)? };
    let mut parts = inside.trim_end_matches(')').split(',');
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_string);
    let number = |text: Option<String>| text.and_then(|text| register(&text)).map(|(number, _)| number);
    let (base, index) = (number(part()), number(part()));
    let scale = part().and_then(|scale| scale.parse().ok()).unwrap_or(1);
    Some(Operand::Memory(disp, base, index, scale))
}

impl Comparison {
    /// Of a line of rustc's.
    pub fn of(line: &str, symbols: &HashMap<String, u32>) -> Option<Comparison> {
        let (op, rest) = line.trim().split_once(char::is_whitespace)?;
        let bytes = match op {
            "cmpb" => 1,
            "cmpw" => 2,
            "cmpl" => 4,
            _ => return None,
        };
        // The comma between the operands is the one outside of parentheses.
        let mut depth = 0;
        let comma = rest.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            letter == ',' && depth == 0
        })?;
        Some(Comparison { bytes, operands: [operand(&rest[..comma], symbols)?, operand(&rest[comma + 1..], symbols)?] })
    }

    /// Both sides, now.
    pub fn sides(&self, engine: Engine) -> (u8, [u32; 2]) {
        let general = |number: usize| engine.get(reg::GENERAL[number]);
        let mask = if self.bytes == 4 { u32::MAX } else { (1 << (8 * self.bytes)) - 1 };
        let side = |operand: &Operand| match operand {
            Operand::Register(number, shift) => general(*number) >> shift,
            Operand::Constant(value) => *value,
            Operand::Memory(disp, base, index, scale) => {
                let at = disp.wrapping_add(base.map_or(0, general)).wrapping_add(index.map_or(0, general).wrapping_mul(*scale));
                let mut bytes = [0; 4];
                engine.read(BASE.wrapping_add(at), &mut bytes);
                u32::from_le_bytes(bytes)
            }
        };
        (self.bytes, [&self.operands[0], &self.operands[1]].map(|operand| side(operand) & mask))
    }
}

/// Comparisons and inputs at the end of a run that are tried with each other.
const LAST: usize = 6;
/// Other inputs that are kept.
const MOST: usize = 500;

/// Inputs that would have made a comparison come out as it did not: what was compared, the inputs and their values.
pub fn others(compared: &[(u8, [u32; 2])], inputs: &[(Input, u32)]) -> Vec<(Input, u32)> {
    let mut found: Vec<(Input, u32)> = Vec::new();
    // What was compared may be a sum with an input: change that by as much as the sides differ.
    for (_, [one, other]) in compared.iter().rev().take(LAST) {
        for (input, value) in inputs.iter().rev().take(LAST) {
            for difference in [other.wrapping_sub(*one), one.wrapping_sub(*other)] {
                found.extend([0, 1, u32::MAX].map(|more| (*input, value.wrapping_add(difference).wrapping_add(more))));
            }
        }
    }
    for (bytes, sides) in compared.iter().rev() {
        let mask = if *bytes == 4 { u32::MAX } else { (1 << (8 * bytes)) - 1 };
        for (side, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            for shift in (0..32).step_by(8) {
                for (input, value) in inputs.iter().rev().filter(|(_, value)| value >> shift & mask == side) {
                    for wanted in [other, other.wrapping_add(1), other.wrapping_sub(1)].map(|wanted| wanted & mask) {
                        let new = (*input, value & !(mask << shift) | wanted << shift);
                        if wanted != side && !found.contains(&new) {
                            found.push(new);
                        }
                    }
                    if found.len() > MOST {
                        return found;
                    }
                }
            }
        }
    }
    found
}
