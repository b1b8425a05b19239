//! Random Rust for the units' target: private functions of every convention that the units use, and entries that call
//! them. What is compiled from it ends, and touches nothing but the two blocks of data and its own stack.

use std::fmt::Write;

use tools::random::Random;

/// A type and its bits.
type Type = (&'static str, u32);
const TYPES: [Type; 7] = [("u8", 8), ("u16", 16), ("u16", 16), ("u32", 32), ("i16", 16), ("i32", 32), ("u64", 64)];
/// Arrays of `Data`: a power of two elements each.
const ARRAYS: [(&str, &str, u32); 4] = [("b", "u8", 64), ("w", "u16", 32), ("d", "u32", 16), ("s", "i16", 16)];
const FIELDS: [(&str, Type); 6] =
    [("count", ("u16", 16)), ("sum", ("u32", 32)), ("flag", ("u8", 8)), ("level", ("i16", 16)), ("at", ("i32", 32)), ("total", ("u64", 64))];

/// What stands before the functions. The layout is the harness's: 256 bytes.
const HEAD: &str = "\
#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[derive(Clone, Copy)] #[repr(C)]
pub struct Data { total: u64, b: [u8; 64], w: [u16; 32], d: [u32; 16], s: [i16; 16], sum: u32, at: i32, count: u16, level: i16, flag: u8, pair: [u16; 3], rest: u8 }
const _: () = assert!(size_of::<Data>() == 256);
#[unsafe(no_mangle)] pub static mut BLOCK: Data = Data { total: 0, b: [0; 64], w: [0; 32], d: [0; 16], s: [0; 16], sum: 0, at: 0, count: 0, level: 0, flag: 0, pair: [0; 3], rest: 0 };
unsafe extern \"fastcall\" { safe fn mixed(a: u32, b: u32) -> u16; }
#[inline(always)] fn port(number: u16, value: u16) -> u16 {
    let mut value = value;
    unsafe { core::arch::asm!(\"xor ax, dx\", inout(\"ax\") value, in(\"dx\") number, options(nomem, nostack)) };
    value
}
#[inline(always)] unsafe fn flat_get(at: u32) -> u32 {
    let value;
    unsafe { core::arch::asm!(\"mov {0:e}, fs:[{1:e}]\", out(reg) value, in(reg) at, options(nostack, preserves_flags)) };
    value
}
#[inline(always)] unsafe fn flat_put(at: u32, value: u32) {
    unsafe { core::arch::asm!(\"mov fs:[{0:e}], {1:e}\", in(reg) at, in(reg) value, options(nostack, preserves_flags)) };
}
";

/// Entries without a result, as a driver's: the pass saves all registers at once in them.
const VOID: [&str; 3] = ["peek", "copy", "stop"];

/// A function that others may call.
struct Callee {
    name: String,
    arguments: Vec<Type>,
}

/// Writes one function.
struct Body<'a> {
    random: &'a mut Random,
    callees: &'a [Callee],
    locals: Vec<(String, Type)>,
    text: String,
    names: u32,
    loops: u32,
}

impl Body<'_> {
    fn literal(&mut self, (name, bits): Type) -> String {
        let edges = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, u64::MAX];
        let value = if self.random.below(2) == 0 { self.random.of(&edges) } else { self.random.below(1 << 20) as u64 };
        let value = if bits == 64 { value } else { value & ((1 << bits) - 1) };
        format!("({value}u64 as {name})")
    }

    fn index(&mut self, depth: u32, count: u32) -> String {
        let ty = self.random.of(&[("u8", 8), ("u16", 16), ("u32", 32)]);
        let index = self.expression(ty, depth.saturating_sub(1));
        format!("(({index}) as usize & {})", count - 1)
    }

    /// Behind `d` or in the static.
    fn place(&mut self) -> &'static str {
        self.random.of(&["(*d)", "(*d)", "BLOCK"])
    }

    fn load(&mut self, (name, bits): Type, depth: u32) -> String {
        let place = self.place();
        if let Some((array, _, count)) = ARRAYS.into_iter().find(|(_, element, _)| *element == name).filter(|_| self.random.below(3) != 0) {
            let index = self.index(depth, count);
            return format!("*(&raw const {place}.{array} as *const {name}).add({index})");
        }
        match FIELDS.iter().find(|(_, ty)| *ty == (name, bits)) {
            Some((field, _)) => format!("{place}.{field}"),
            None => self.literal((name, bits)),
        }
    }

    fn leaf(&mut self, ty: Type, depth: u32) -> String {
        let fitting: Vec<String> = self.locals.iter().filter(|(_, other)| *other == ty).map(|(name, _)| name.clone()).collect();
        match self.random.below(8) {
            0 => self.literal(ty),
            1 | 2 => self.load(ty, depth),
            _ if !fitting.is_empty() => fitting[self.random.below(fitting.len())].clone(),
            _ if !self.locals.is_empty() => {
                let at = self.random.below(self.locals.len());
                format!("({} as {})", self.locals[at].0, ty.0)
            }
            _ => self.literal(ty),
        }
    }

    fn expression(&mut self, ty: Type, depth: u32) -> String {
        let (name, bits) = ty;
        if depth == 0 {
            return self.leaf(ty, 0);
        }
        let one = |body: &mut Self| body.expression(ty, depth - 1);
        let shift = 1 + self.random.below(bits as usize - 1);
        match self.random.below(22) {
            0..=1 => format!("({}).wrapping_add({})", one(self), one(self)),
            2..=3 => format!("({}).wrapping_sub({})", one(self), one(self)),
            4 => format!("({}).wrapping_mul({})", one(self), one(self)),
            5 => format!("({} & {})", one(self), one(self)),
            6 => format!("({} | {})", one(self), one(self)),
            7 => format!("({} ^ {})", one(self), one(self)),
            8 => format!("(({}) << {shift})", one(self)),
            9 => format!("(({}) >> {shift})", one(self)),
            10 => format!("({}).rotate_left({shift})", one(self)),
            11 if bits < 64 => {
                let by = self.expression(("u8", 8), depth - 1);
                let which = self.random.of(&["wrapping_shl", "wrapping_shr", "rotate_right"]);
                format!("({}).{which}(({by}) as u32)", one(self))
            }
            12 => format!("(!({}))", one(self)),
            13 => match self.random.below(3) {
                0 => format!("(({}).{}() as {name})", one(self), self.random.of(&["leading_zeros", "trailing_zeros", "count_ones"])),
                _ => format!("({}).wrapping_neg()", one(self)),
            },
            14..=15 => {
                let condition = self.condition(depth - 1);
                format!("(if {condition} {{ {} }} else {{ {} }})", one(self), one(self))
            }
            16..=17 => {
                let other = self.random.of(&TYPES);
                format!("(({}) as {name})", self.expression(other, depth - 1))
            }
            18 if bits < 64 => {
                let by = self.expression(ty, depth - 1);
                // No quotient overflows.
                let (a, b) = if name.starts_with('i') { ("as u16 as i32", "as u8 as i32") } else { ("", "") };
                format!("(((({}) {a}) / ((({by}) {b}) | 1)) as {name})", one(self))
            }
            19 => format!("({}).{}({})", one(self), self.random.of(&["min", "max", "saturating_add", "saturating_sub"]), one(self)),
            20 => {
                let how = self.random.of(&["overflowing_add", "overflowing_sub"]);
                format!("{{ let (value, over) = ({}).{how}({}); if over {{ value.wrapping_add({}) }} else {{ value }} }}", one(self), one(self), one(self))
            }
            _ => self.call(ty, depth),
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        let ty = self.random.of(&TYPES);
        let (a, b) = (self.expression(ty, depth.min(1)), self.expression(ty, depth.min(1)));
        match self.random.below(8) {
            0..=3 => format!("({a}) {} ({b})", self.random.of(&["<", "<=", ">", ">=", "==", "!="])),
            4 => format!("({a}) & {} != 0", self.literal(ty)),
            5 => format!("({a}) == {}", self.literal(ty)),
            6 => format!("({a}) < {}", self.literal(ty)),
            _ => format!("(({a}) == ({b})) ^ ({})", if depth == 0 { "true".into() } else { self.condition(depth - 1) }),
        }
    }

    fn call(&mut self, (name, bits): Type, depth: u32) -> String {
        if self.random.below(6) == 0 {
            let (a, b) = (self.expression(("u32", 32), depth - 1), self.expression(("u16", 16), depth - 1));
            return match self.random.below(3) {
                0 => format!("(mixed({a}, ({b}) as u32) as {name})"),
                1 => format!("(port({b}, ({a}) as u16) as {name})"),
                _ => {
                    // Through a pointer: near addresses and words only, and a result of 16 bits.
                    let index = self.index(depth, 4);
                    format!("((*TABLE.as_ptr().add({index}))(d, {b}) as {name})")
                }
            };
        }
        let Some(which) = self.callees.len().checked_sub(1).map(|last| self.random.below(last + 1)) else {
            return self.leaf((name, bits), depth);
        };
        let callee = &self.callees[which];
        let arguments: Vec<String> = callee.arguments.iter().map(|ty| self.expression(*ty, (depth - 1).min(1))).collect();
        format!("({}(d, {}) as {name})", callee.name, arguments.join(", "))
    }

    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn statement(&mut self, depth: u32) {
        let ty = self.random.of(&TYPES);
        match self.random.below(12) {
            0..=2 => {
                let value = self.expression(ty, 2);
                let name = self.fresh();
                self.line(&format!("let mut {name}: {} = {value};", ty.0));
                self.locals.push((name, ty));
            }
            3..=4 if !self.locals.is_empty() => {
                let at = self.random.below(self.locals.len());
                let (name, ty) = self.locals[at].clone();
                let value = self.expression(ty, 2);
                self.line(&format!("{name} = {value};"));
            }
            5..=6 => {
                let place = self.place();
                let (field, ty) = self.random.of(&FIELDS);
                let value = self.expression(ty, 2);
                self.line(&format!("{place}.{field} = {value};"));
            }
            7 => {
                let place = self.place();
                let (array, element, count) = self.random.of(&ARRAYS);
                let ty = TYPES.into_iter().find(|(name, _)| *name == element).unwrap();
                let (index, value) = (self.index(2, count), self.expression(ty, 2));
                self.line(&format!("*(&raw mut {place}.{array} as *mut {element}).add({index}) = {value};"));
            }
            8 => {
                let condition = self.condition(1);
                self.line(&format!("if {condition} {{"));
                self.block(depth);
                if self.random.below(2) == 0 {
                    self.line("} else {");
                    self.block(depth);
                }
                self.line("}");
            }
            9 if depth != 0 && self.loops == 0 => self.round(depth),
            10 if depth != 0 => {
                let value = self.expression(("u16", 16), 1);
                self.line(&format!("match ({value}) & 7 {{"));
                for arm in 0..6 {
                    self.line(&format!("{arm} => {{"));
                    self.block(0);
                    self.line("}");
                }
                self.line("_ => {} }");
            }
            11 if depth != 0 && self.random.below(2) == 0 => self.memory_or_call(),
            _ => {
                let line = self.random.of(&[
                    "(*d).pair = BLOCK.pair;",
                    "core::ptr::copy_nonoverlapping(&raw const (*d).d, &raw mut BLOCK.d, 1);",
                    "core::ptr::swap(&raw mut (*d).sum, &raw mut BLOCK.sum);",
                    "(*d).b = [0x5A; 64];",
                    "(*d).w[3] = u16::from_be_bytes([(*d).b[5], BLOCK.b[6]]);",
                    "(*d).d[2] = u32::from_le_bytes([(*d).b[5], BLOCK.b[6], (*d).flag, 7]);",
                ]);
                self.line(line);
            }
        }
    }

    /// An access to flat memory, a call of an entry without a result, or an array on the stack.
    fn memory_or_call(&mut self) {
        match self.random.below(4) {
            0 => {
                let (place, index) = (self.place(), self.index(1, 16));
                let value = self.expression(("u32", 32), 1);
                self.line(&format!("flat_put(&raw const {place}.d as u32 + 4 * ({index}) as u32, {value});"));
            }
            1 => {
                let (place, index, name) = (self.place(), self.index(1, 16), self.fresh());
                self.line(&format!("let mut {name}: u32 = flat_get((&raw const {place}.d as u32).wrapping_add(4 * ({index}) as u32));"));
                self.locals.push((name, ("u32", 32)));
            }
            2 if !self.callees.is_empty() => {
                let (name, value) = (self.random.of(&VOID), self.expression(("u16", 16), 1));
                self.line(&format!("{name}(d, {value});"));
            }
            _ => {
                let value = self.expression(("u32", 32), 1);
                self.line(&format!("{{ let mut local = [(0u32, 0u16, 0u32); 4]; let mut k = 0; while k < 4 {{ local[k] = ((*d).d[k], (*d).w[k + 1], {value}); k += 1; }}"));
                self.line("let mut k = 0; while k < 4 { let (a, b, c) = *(&raw const local[k]); (*d).total = (*d).total.rotate_left(5) ^ (a ^ c) as u64 ^ b as u64; k += 1; } }");
            }
        }
    }

    /// A loop of at most 20 rounds.
    fn round(&mut self, depth: u32) {
        self.loops += 1;
        let (name, counter) = (self.fresh(), self.random.of(&["u8", "u16", "u32", "i16"]));
        let rounds = 1 + self.random.below(20);
        if self.random.below(2) == 0 {
            self.line(&format!("let mut {name}: {counter} = 0; while {name} < {rounds} {{ {name} += 1;"));
        } else {
            self.line(&format!("let mut {name}: {counter} = {rounds}; loop {{ {name} -= 1; if {name} == 0 {{ break; }}"));
        }
        let known = self.locals.len();
        self.block(depth);
        let place = self.place();
        self.line(&format!("{place}.w[({name} as usize) & 31] ^= {name} as u16;"));
        if self.random.below(2) == 0 {
            let condition = self.condition(1);
            self.line(&format!("if {condition} {{ break; }}"));
        }
        self.line("}");
        self.locals.truncate(known);
        self.loops -= 1;
    }

    fn block(&mut self, depth: u32) {
        let known = self.locals.len();
        for _ in 0..1 + self.random.below(2) {
            self.statement(depth.saturating_sub(1));
        }
        self.locals.truncate(known);
    }
}

/// A crate with `entries` entries, `e0` and so on: fastcall, a near address and a word, and a result of 16 bits.
pub fn generate(random: &mut Random, entries: u32) -> String {
    let mut text = HEAD.to_string();
    let mut callees: Vec<Callee> = Vec::new();
    for number in 0..entries / 2 {
        let arguments: Vec<Type> = (0..random.below(4)).map(|_| random.of(&TYPES)).collect();
        let result = random.of(&TYPES);
        let list: Vec<String> = arguments.iter().enumerate().map(|(at, ty)| format!("mut a{at}: {}", ty.0)).collect();
        let head = format!("#[inline(never)] unsafe fn f{number}(d: *mut Data, {}) -> {} {{ unsafe {{\n", list.join(", "), result.0);
        // A function calls only those before it: it ends.
        let shown = callees.len().min(6);
        let body = function(random, &callees[callees.len() - shown..], &arguments, result);
        write!(text, "{head}{body}}} }}\n").expect("a string takes all");
        callees.push(Callee { name: format!("f{number}"), arguments });
    }
    for number in 0..4 {
        let body = function(random, &[], &[("u16", 16)], ("u16", 16));
        let body = body.replace("TABLE", "NOBODY");
        write!(text, "unsafe extern \"fastcall\" fn p{number}(d: *mut Data, mut a0: u16) -> u16 {{ unsafe {{\n{body}}} }}\n").expect("a string takes all");
    }
    text += "unsafe extern \"fastcall\" fn nobody(_: *mut Data, a: u16) -> u16 { a ^ 0x5A }\n";
    text += "static NOBODY: [unsafe extern \"fastcall\" fn(*mut Data, u16) -> u16; 4] = [nobody; 4];\n";
    text += "static TABLE: [unsafe extern \"fastcall\" fn(*mut Data, u16) -> u16; 4] = [p0, p1, p2, p3];\n";
    for name in VOID {
        let body = function(random, &[], &[("u16", 16)], ("u16", 16));
        write!(text, "#[unsafe(no_mangle)] pub unsafe extern \"fastcall\" fn {name}(d: *mut Data, mut a0: u16) {{ unsafe {{\nlet last = {{ {body} }}; (*d).count ^= last; }} }}\n")
            .expect("a string takes all");
    }
    for number in 0..entries {
        let body = function(random, &callees, &[("u16", 16)], ("u16", 16));
        write!(text, "#[unsafe(no_mangle)] pub unsafe extern \"fastcall\" fn e{number}(d: *mut Data, mut a0: u16) -> u16 {{ unsafe {{\n{body}}} }}\n")
            .expect("a string takes all");
    }
    text
}

fn function(random: &mut Random, callees: &[Callee], arguments: &[Type], result: Type) -> String {
    let locals = arguments.iter().enumerate().map(|(at, ty)| (format!("a{at}"), *ty)).collect();
    let mut body = Body { random, callees, locals, text: String::new(), names: 0, loops: 0 };
    for _ in 0..2 + body.random.below(5) {
        body.statement(2);
    }
    let value = body.expression(result, 2);
    body.text + &value + "\n"
}
