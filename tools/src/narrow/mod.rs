//! LLVM writes 386 code for 16-bit segments as if it were 32-bit code: every call, address and operation is 32 bits
//! wide and pays for it with prefixes and long displacements, although a unit has less than 64 KB and most of its
//! values have 16 bits. This pass takes the listing of a unit and writes it again, shorter, between rustc
//! and the linker ([`link`]):
//!
//! - Calls and returns are near: the return address has two bytes.
//! - The first argument is passed in BX instead of CX (the two change places everywhere), because BX can address.
//! - Addresses with a base in BX, BP, SI or DI are 16-bit ones. A segment ends at 64 KB, so both mean the same place
//!   whenever the long one is allowed.
//! - An operation on 32 bits becomes one on 16 bits when nobody looks at the high half of its result, and the flags
//!   that are looked at come out the same.
//! - Of the registers that a function keeps, one that addresses is not in CX ([`color`]).
//! - A saved register of which the function changes the low half only, or nobody wants the high half back, is pushed and
//!   popped as 16 bits.
//! - A private function's third argument goes in EAX ([`third`]).
//! - What is said then is said shorter, where what else is said is not looked at ([`peep`], [`values`], [`save`]), jumps
//!   are straightened ([`jumps`]), and functions stand where others fall into them ([`layout`]).

mod color;
mod effect;
mod flow;
mod insn;
mod known;
mod jumps;
mod layout;
pub mod link;
mod live;
mod peep;
pub mod rules;
mod save;
mod size;
mod stack;
mod third;
mod touch;
mod values;

use std::collections::{HashMap, HashSet};

use flow::Function;
use insn::{Arg, Insn, Line, Part};
use rules::{Options, Rule, on};

/// A listing's parts, in order.
enum Item {
    Text(String),
    Function(Function),
}

/// What a listing is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A resident unit: all code goes into one section, and functions may stand in any order. The rest of the driver calls some.
    Resident,
    /// A unit that goes when its work is done. The installer calls some of its functions.
    Discarded,
    /// A DOS program. What is called through a pointer gets its arguments, and gives its result, whole.
    Program,
}

/// Writes a listing of rustc's `--emit=asm` for code16 again.
///
/// # Errors
/// Names the function and what in it cannot be written near.
pub fn narrow(listing: &str) -> Result<String, String> {
    narrow_with(listing, &[], Kind::Discarded)
}

/// The same for code that is linked with near forms of some library functions (asm/memory.asm).
///
/// # Errors
/// As for [`narrow`].
pub fn narrow_with(listing: &str, library: &[&str], kind: Kind) -> Result<String, String> {
    narrow_by(listing, library, kind, Options::default())
}

/// The same with some rules off.
///
/// # Errors
/// As for [`narrow`].
pub fn narrow_by(listing: &str, library: &[&str], kind: Kind, options: Options) -> Result<String, String> {
    options.during(|| rewritten(listing, library, kind))
}

fn rewritten(listing: &str, library: &[&str], kind: Kind) -> Result<String, String> {
    let one_section = kind == Kind::Resident;
    let (mut items, labels_in_data) = read(listing);
    known::check(&items)?;
    let mut functions: Vec<&mut Function> = Vec::new();
    for item in &mut items {
        if let Item::Function(function) = item {
            functions.push(function);
        }
    }
    let mut own: Vec<Function> = functions.iter_mut().map(|function| std::mem::replace(*function, Function::empty())).collect();
    let aliases = aliases(listing, &own);
    own.iter_mut().for_each(|function| without_aliases(function, &aliases));
    // Functions that others than this listing's calls may reach: by their addresses or, exported, by a second name.
    let mut reached: HashSet<String> = own.iter().flat_map(|function| names_in_operands(function)).chain(labels_in_data.iter().cloned()).collect();
    reached.extend(listing.lines().filter_map(|line| Some(line.trim().strip_prefix(".globl")?.trim().to_string())));
    let first_names: Vec<String> = reached.iter().filter_map(|name| aliases.get(name).cloned()).collect();
    reached.extend(first_names);
    for function in &mut own {
        function.private &= !reached.contains(&function.name);
        // Whoever takes the function's own address calls it; only tables of jumps lead into it.
        let jumped = |name: &String| labels_in_data.contains(name) && *name != function.name;
        function.in_tables = function.labels.iter().filter(|(name, _)| jumped(name)).map(|(_, at)| *at).collect();
    }
    refuse_library(&own, library)?;
    if on(Rule::Third) {
        third::in_register(&mut own);
    }
    let mut known = live::Known::new(&own, kind);
    for (at, function) in own.iter_mut().enumerate() {
        let live = known.lines(at, function);
        if values::reuse(function, &live) {
            function.compact();
        }
    }
    if on(Rule::Registers) {
        own.iter_mut().for_each(color::recolor);
    }
    let popped = stack::popped(&own);
    for function in &mut own {
        if on(Rule::AsmPushes) {
            stack::rewrite(function, &popped, stack::Which::Inline)?;
        }
    }
    let decisions = flow::decide(&own, kind);
    for (at, function) in own.iter_mut().enumerate() {
        for (line, narrow) in function.lines.iter_mut().zip(&decisions.narrow[at]) {
            if let (Line::Insn(insn), true) = (&mut *line, *narrow) {
                shorten(insn);
                if insn.op == "movw" && insn.args.first() == insn.args.last() {
                    *line = Line::Text(String::new());
                }
            }
        }
        stack::rewrite(function, &popped, stack::Which::All(&decisions.high[at], &decisions.lost[at]))?;
    }
    own.iter_mut().for_each(Function::compact);
    let takes = stack::with_arguments(&own, &popped);
    loop {
        peep::shorten(&mut own, kind);
        if !own.iter_mut().fold(false, |changed, function| changed | jumps::straighten(function, &takes)) {
            break;
        }
    }
    if on(Rule::Exchange) {
        peep::exchange(&mut own, kind);
    }
    if one_section {
        save::together(&mut own);
    }
    for (place, function) in functions.into_iter().zip(own) {
        *place = function;
    }
    if one_section && on(Rule::Order) {
        items = layout::join(items);
    }
    let mut out = String::new();
    for item in &items {
        match item {
            Item::Text(text) => out += &format!("{text}\n"),
            Item::Function(function) => function.lines.iter().for_each(|line| insn::write(line, &mut out)),
        }
    }
    Ok(out)
}

impl Function {
    fn empty() -> Function {
        Function { name: String::new(), lines: Vec::new(), private: true, global: false, third: None, labels: HashMap::new(), in_tables: HashSet::new() }
    }
}

impl Function {
    /// Takes out the lines that are nothing.
    fn compact(&mut self) {
        let tables: HashSet<String> = self.labels.iter().filter(|(_, at)| self.in_tables.contains(at)).map(|(name, _)| name.clone()).collect();
        self.lines.retain(|line| !matches!(line, Line::Text(text) if text.is_empty()));
        self.index(&tables);
    }

    /// Finds the labels again; `tables` are those that a jump table holds.
    fn index(&mut self, tables: &HashSet<String>) {
        let place = |(at, line): (usize, &Line)| match line {
            Line::Label(name) => Some((name.clone(), at)),
            _ => None,
        };
        self.labels = self.lines.iter().enumerate().filter_map(place).collect();
        self.in_tables = self.labels.iter().filter(|(name, _)| tables.contains(*name)).map(|(_, at)| *at).collect();
    }
}

/// Takes a listing apart; and the names that its data hold.
fn read(listing: &str) -> (Vec<Item>, HashSet<String>) {
    let (mut items, mut names) = (Vec::new(), HashSet::new());
    let (mut kinds, mut globals) = (HashSet::new(), HashSet::new());
    let mut function: Option<Function> = None;
    let mut inline = false;
    let mut block = 0;
    for raw in listing.lines() {
        let text = raw.trim();
        if text == "#APP" || text == "#NO_APP" {
            inline = text == "#APP";
            block += 1;
            continue;
        }
        let text = text.split('#').next().unwrap_or("").trim();
        let unique = if inline { numbered(text, block) } else { None };
        let text = unique.as_deref().unwrap_or(text);
        if let Some(name) = text.strip_prefix(".type").and_then(|rest| rest.trim().strip_suffix(",@function")) {
            kinds.insert(name.to_string());
        }
        if let Some(name) = text.strip_prefix(".globl") {
            globals.insert(name.trim().to_string());
        }
        if [".long", ".short", ".word", ".quad"].iter().any(|data| text.starts_with(data)) {
            names.extend(identifiers(text));
        }
        if let Some(name) = text.strip_suffix(':').filter(|name| kinds.contains(*name)) {
            items.extend(function.take().map(Item::Function));
            function = Some(Function { name: name.into(), private: !globals.contains(name), global: globals.contains(name), ..Function::empty() });
        }
        let Some(now) = &mut function else {
            items.push(Item::Text(raw.into()));
            continue;
        };
        if text.starts_with(".size") {
            items.extend(function.take().map(Item::Function));
            items.push(Item::Text(raw.into()));
            continue;
        }
        let text = &*constant(now, text);
        let line = if let Some(label) = text.strip_suffix(':') {
            now.labels.insert(label.into(), now.lines.len());
            Line::Label(label.into())
        } else if text.is_empty() {
            continue;
        } else if text.starts_with('.') {
            Line::Text(raw.into())
        } else {
            insn::parse(text, inline).map_or_else(|| Line::Opaque(text.into()), Line::Insn)
        };
        now.lines.push(line);
    }
    items.extend(function.map(Item::Function));
    (items, names)
}

/// Second names of functions (`.set NAME, FUNCTION`): LLVM merges those that are alike.
fn aliases(listing: &str, functions: &[Function]) -> HashMap<String, String> {
    let pairs = listing.lines().filter_map(|line| line.trim().strip_prefix(".set")?.split_once(','));
    let pairs = pairs.map(|(alias, name)| (alias.trim().to_string(), name.trim().to_string()));
    pairs.filter(|(_, name)| functions.iter().any(|function| function.name == *name)).collect()
}

/// Calls and jumps by the first name.
fn without_aliases(function: &mut Function, aliases: &HashMap<String, String>) {
    for line in &mut function.lines {
        let Line::Insn(insn) = line else { continue };
        for arg in &mut insn.args {
            if let Arg::Target(target) = arg
                && let Some(name) = aliases.get(target)
            {
                *target = name.clone();
            }
        }
    }
}

/// A pop right behind the push of a constant is a move: shorter once it is narrow. Takes the push back.
fn constant(function: &mut Function, text: &str) -> String {
    if let Some(Line::Insn(push)) = function.lines.last()
        && on(Rule::Constants)
        && push.op == "pushl"
        && let [Arg::Imm(value)] = &push.args[..]
        && let Some(register) = text.strip_prefix("popl")
    {
        let line = format!("movl\t${value}, {}", register.trim());
        if !rules::wrong(rules::Mistake::ConstantsPush) {
            function.lines.pop();
        }
        return line;
    }
    text.into()
}

/// A numeric label of an `asm!`, or a jump to one, with a name of its own: a label stands once in a block.
fn numbered(text: &str, block: u32) -> Option<String> {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = text.strip_suffix(':').filter(|word| is_number(word)) {
        return Some(format!(".Lasm{block}_{number}:"));
    }
    let (op, target) = text.split_once(char::is_whitespace)?;
    let number = target.trim().strip_suffix(['f', 'b']).filter(|word| op.starts_with('j') && is_number(word))?;
    Some(format!("{op} .Lasm{block}_{number}"))
}

fn identifiers(text: &str) -> impl Iterator<Item = String> {
    let part = |letter: char| letter.is_ascii_alphanumeric() || "._$@".contains(letter);
    text.split(move |letter| !part(letter)).filter(|word| !word.is_empty()).map(str::to_string)
}

/// Functions that are neither here nor ours in assembly keep rustc's calling convention: they cannot be called.
fn refuse_library(functions: &[Function], given: &[&str]) -> Result<(), String> {
    const LIBRARY: &[&str] = &["memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen"];
    for function in functions {
        for line in &function.lines {
            let Line::Insn(Insn { args, .. }) = line else { continue };
            let Some(Arg::Target(name)) = args.first() else { continue };
            let known = functions.iter().any(|function| function.name == *name) || function.labels.contains_key(name);
            let library = LIBRARY.contains(&name.as_str()) || name.starts_with('_');
            if library && !known && !given.contains(&name.as_str()) {
                return Err(format!("{}: calls {name}, which is not the unit's own", function.name));
            }
        }
    }
    Ok(())
}

/// The symbols that a function names as values or in addresses.
fn names_in_operands(function: &Function) -> Vec<String> {
    let of_arg = |arg: &Arg| match arg {
        Arg::Imm(value) => value.clone(),
        Arg::Mem(mem) => mem.disp.clone(),
        Arg::Through(inner) => match inner.as_ref() {
            Arg::Mem(mem) => mem.disp.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let mut names = Vec::new();
    for line in &function.lines {
        match line {
            Line::Insn(insn) => insn.args.iter().for_each(|arg| names.extend(identifiers(&of_arg(arg)))),
            Line::Opaque(text) => names.extend(identifiers(&text.replace('$', " "))),
            _ => {}
        }
    }
    names
}

/// The 16-bit form.
fn shorten(insn: &mut Insn) {
    insn.op = match insn.op.as_str() {
        "movzwl" | "movswl" => "movw".into(),
        op => format!("{}w", &op[..op.len() - 1]),
    };
    for arg in &mut insn.args {
        match arg {
            Arg::Reg(reg) if reg.part == Part::Long => reg.part = Part::Word,
            Arg::Imm(value) => {
                if let Some(number) = insn::constant(value) {
                    *value = (number as i16).to_string();
                }
            }
            _ => {}
        }
    }
}
