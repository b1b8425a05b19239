//! A unit's listing as a program that the engine can run: assembled, linked at the places of `layout.rs`, its blocks
//! named, and a stub for whatever it calls outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol};
use tools::process::TempDir;

use crate::compare::Comparison;
use crate::layout::{CODE, DATA, STUB, STUBS, THINGS};

/// Whose calling convention a listing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// rustc's: return addresses of four bytes, the first argument in ECX.
    Compiled,
    /// asm/abi.inc's: return addresses of two bytes, the first argument in EBX.
    Narrow,
}

/// Something outside of the unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Its symbol; of a table's entry, the table's and the offset.
    pub name: String,
    /// Called from an `asm!`, which expects its registers back.
    pub inline: bool,
}

/// A linked listing.
pub struct Program {
    /// Its convention.
    pub form: Form,
    /// The segment's bytes from 0 to the things.
    pub image: Vec<u8>,
    /// Offsets of its symbols.
    pub symbols: HashMap<String, u32>,
    /// Where its blocks begin, and their names.
    pub blocks: BTreeMap<u32, String>,
    /// What it calls, by the stub's offset.
    pub stubs: BTreeMap<u32, Stub>,
    /// Its comparisons by their offset; only as compiled.
    pub compares: BTreeMap<u32, Comparison>,
    /// Where runs end.
    pub end: u32,
    /// Where data lie that are not constants: the unit's own, and those of other units.
    pub variable: (u32, u32),
}

/// What is outside of a unit, by its listing as rustc wrote it.
pub struct Outside {
    code: Vec<Stub>,
    /// Tables of entries: symbol, offset, whether the call is a near one already.
    tables: BTreeSet<(String, u32, bool)>,
    data: Vec<String>,
}

/// The entries of a unit in slot B.
pub const SLOT_ENTRY: &str = "slot_entry";

/// Bytes of a symbol of another unit.
const FOREIGN: u32 = 192;

fn assemble(folder: &Path, name: &str, text: &str) -> Result<Vec<u8>, String> {
    let (source, object) = (folder.join(format!("{name}.s")), folder.join(format!("{name}.o")));
    fs::write(&source, text).unwrap();
    let done = Command::new("as").args(["--32", "--keep-locals"]).arg("-o").arg(&object).arg(&source).output().unwrap();
    if !done.status.success() {
        return Err(format!("not assembled: {}", String::from_utf8_lossy(&done.stderr)));
    }
    Ok(fs::read(object).unwrap())
}

/// The lines of a listing, each with whether it stands in an `asm!`.
fn lines(listing: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut inline = false;
    listing.lines().map(move |line| {
        match line.trim() {
            "#APP" => inline = true,
            "#NO_APP" => inline = false,
            _ => {}
        }
        (line.trim(), inline)
    })
}

impl Outside {
    /// Finds what a listing of rustc's names and does not have.
    pub fn of(listing: &str) -> Outside {
        let folder = TempDir::new("outside").unwrap();
        let object = assemble(folder.path(), "outside", listing).unwrap();
        let elf = ElfFile32::<object::Endianness>::parse(&*object).unwrap();
        let undefined: Vec<String> =
            elf.symbols().filter(|symbol| symbol.is_undefined()).filter_map(|symbol| symbol.name().ok().map(str::to_string)).filter(|name| !name.is_empty()).collect();
        let mut outside = Outside { code: Vec::new(), tables: BTreeSet::new(), data: Vec::new() };
        for name in undefined {
            let calls = |text: &str| text.split_once(char::is_whitespace).is_some_and(|(op, target)| (op.starts_with("call") || op.starts_with('j')) && target.trim() == name);
            let called: Vec<bool> = lines(listing).filter(|(text, _)| calls(text)).map(|(_, inline)| inline).collect();
            match called.first() {
                Some(inline) => outside.code.push(Stub { name, inline: *inline }),
                None => outside.data.push(name),
            }
        }
        for (text, _) in lines(listing) {
            let Some((op, operands)) = text.split_once(char::is_whitespace) else { continue };
            let called = op.starts_with("call") || op.starts_with("jmp");
            let place = operands.trim().strip_prefix('*').filter(|place| called && !place.contains(['%', '(']));
            // An entry of the kernel's may be loaded before it is called.
            let loaded = || operands.split([',', '(', ')']).map(str::trim).find(|word| word.starts_with("kernel_table") && outside.data.iter().any(|name| name == "kernel_table"));
            let Some(place) = place.or_else(loaded) else { continue };
            let (name, offset) = place.split_once('+').unwrap_or((place, "0"));
            outside.tables.insert((name.into(), offset.parse().unwrap(), op == "callw"));
        }
        outside
    }

    /// Data of these names, and nothing else.
    pub fn data(names: Vec<String>) -> Outside {
        Outside { code: Vec::new(), tables: BTreeSet::new(), data: names }
    }

    /// The routines that are called by name.
    pub fn called(&self) -> impl Iterator<Item = &str> {
        self.code.iter().map(|stub| &*stub.name)
    }

    /// Assembly of stubs and foreign data, and the stubs in their order.
    fn text(&self, form: Form) -> (String, Vec<Stub>) {
        let mut stubs = Vec::new();
        let mut text = String::from(".code16\n.section .stubs,\"ax\"\n.globl run_ends\nrun_ends: hlt\n.balign 4\n");
        let mut stub = |text: &mut String, label: &str, near: bool, stub: Stub| {
            let ret = if near || form == Form::Narrow { "retw" } else { "retl" };
            writeln!(text, ".globl \"{label}\"\n\"{label}\": {ret}\n.balign {STUB}").unwrap();
            stubs.push(stub);
        };
        for code in &self.code {
            stub(&mut text, &code.name, false, code.clone());
        }
        for (table, offset, near) in &self.tables {
            stub(&mut text, &format!("{table}..{offset}"), *near, Stub { name: format!("{table}+{offset}"), inline: *near });
        }
        // What stages call in a unit that the kernel has read.
        stub(&mut text, SLOT_ENTRY, false, Stub { name: SLOT_ENTRY.into(), inline: false });
        text += ".section .foreign,\"aw\"\n";
        for name in &self.data {
            writeln!(text, ".balign 4\n.globl \"{name}\"\n\"{name}\":").unwrap();
            let mut at = 0;
            for (_, offset, near) in self.tables.iter().filter(|(table, ..)| table == name) {
                let (directive, size) = if *near || form == Form::Narrow { (".short", 2) } else { (".long", 4) };
                writeln!(text, ".zero {}\n{directive} \"{name}..{offset}\"", offset - at).unwrap();
                at = offset + size;
            }
            writeln!(text, ".zero {}", FOREIGN - at).unwrap();
        }
        (text, stubs)
    }
}

/// A listing with a symbol at each block's beginning, and the blocks' names.
pub fn with_blocks(listing: &str) -> (String, Vec<String>) {
    let (mut out, mut names) = (String::new(), Vec::new());
    let (mut section, mut label, mut function, mut begins, mut jumps) = (String::new(), String::new(), String::new(), false, 0);
    let mut functions: BTreeSet<&str> = BTreeSet::new();
    for raw in listing.lines() {
        let text = raw.trim();
        if let Some(name) = text.strip_prefix(".type").and_then(|rest| rest.trim().strip_suffix(",@function")) {
            functions.insert(name);
        }
        if text.starts_with(".section") || text == ".text" || text == ".data" {
            section = text.into();
        }
        let code = section.contains(".text") || section.contains("_code") || section.contains(".init");
        if let Some(name) = text.strip_suffix(':').filter(|name| !name.contains(char::is_whitespace)) {
            if functions.contains(name) {
                function = name.into();
            }
            (label, begins, jumps) = (name.into(), true, 0);
        }
        let instruction = code && text.starts_with(|letter: char| letter.is_ascii_lowercase()) && !text.ends_with(':');
        if instruction {
            if begins {
                writeln!(out, "block.{}:", names.len()).unwrap();
                let place = if label == function { String::new() } else { format!(" {}", label.trim_start_matches('.')) };
                let further = if jumps == 0 { String::new() } else { format!(" +{jumps}") };
                names.push(format!("{}{place}{further}", readable(&function)));
                begins = false;
            }
            let op = text.split_whitespace().next().unwrap_or_default();
            if op.starts_with('j') && !op.starts_with("jmp") {
                (begins, jumps) = (true, jumps + 1);
            }
        }
        out += raw;
        out.push('\n');
    }
    (out, names)
}

/// The words of a mangled name (Rust's v0 scheme), without what changes with the compiler.
pub fn readable(name: &str) -> String {
    let Some(mut rest) = name.strip_prefix("_R") else { return name.into() };
    let mut words: Vec<&str> = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let number = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let ends = rest[number..].starts_with('_');
        // A reference back, a constant's value, and what tells crates and blocks of one name apart.
        if "BK".contains(letter) && ends || letter == 's' && ends && rest[number + 1..].starts_with(|next: char| next.is_ascii_digit() || next.is_ascii_uppercase()) {
            rest = &rest[number + 1..];
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let length: usize = rest[..digits].parse().unwrap_or(0);
        rest = rest[digits..].strip_prefix('_').unwrap_or(&rest[digits..]);
        let (word, behind) = rest.split_at(length.min(rest.len()));
        if !["", "compkt", "core"].contains(&word) && (words.is_empty() || words[0] != word) {
            words.push(word);
        }
        rest = behind;
    }
    words.join("::")
}

/// Assembles and links. `shift`: how much higher the code lies than usually.
///
/// # Errors
/// What assembler and linker say.
pub fn link(listing: &str, outside: &Outside, form: Form, shift: u32) -> Result<Program, String> {
    let folder = TempDir::new("validated").unwrap();
    // The machine status word says whether this is V86 mode: here a port says it, which may give any answer.
    let (marked, names) = with_blocks(&listing.replace("smsww\t%ax", "inw\t$119, %ax"));
    let (marked, compares) = if form == Form::Compiled { with_compares(&marked) } else { (marked, Vec::new()) };
    assemble(folder.path(), "unit", &marked)?;
    link_objects(&folder, outside, form, shift, &names, &compares)
}

/// Links `unit.o` in a folder with what is outside of it. `names` and `compares`: of its blocks and comparisons, if they are
/// marked there.
///
/// # Errors
/// What assembler and linker say.
pub fn link_objects(folder: &TempDir, outside: &Outside, form: Form, shift: u32, names: &[String], compares: &[&str]) -> Result<Program, String> {
    let (foreign, stubs) = outside.text(form);
    assemble(folder.path(), "foreign", &foreign)?;
    let script = format!(
        "SECTIONS {{ . = {:#x}; .code : {{ *(.text .text.* .move_up .init) }} ASSERT(. <= {STUBS:#x}, \"code\") \
         . = {STUBS:#x}; .stubs : {{ *(.stubs) }} . = {DATA:#x}; \
         .constant : {{ *(.rodata .rodata.* .kernel_table .image_header) *(.unit_header) }} \
         .variable ALIGN(4) : {{ *(.data .data.* .work .work.* .entries) *(.bss .bss.*) *(COMMON) . = ALIGN(4); *(.foreign) }} \
         ASSERT(. <= {THINGS:#x}, \"data\") .linker : {{ *(.got .got.plt .igot.plt .iplt .rel.got .rel.iplt) }} /DISCARD/ : {{ *(.attach) *(.comment) *(.note*) *(.eh_frame*) }} }}",
        CODE + shift
    );
    let path = |name: &str| folder.path().join(name);
    fs::write(path("script.ld"), script).unwrap();
    let mut linker = Command::new("ld");
    linker.args(["-m", "elf_i386", "--orphan-handling=error", "--no-warn-rwx-segments", "--discard-none", "-e", "run_ends", "-T"]).arg(path("script.ld"));
    let done = linker.arg("-o").arg(path("unit")).arg(path("unit.o")).arg(path("foreign.o")).output().unwrap();
    if !done.status.success() {
        return Err(format!("not linked: {}", String::from_utf8_lossy(&done.stderr)));
    }
    Ok(read(&fs::read(path("unit")).unwrap(), form, names, &stubs, compares))
}

/// A listing with a symbol at each comparison, and the comparisons' lines.
fn with_compares(listing: &str) -> (String, Vec<&str>) {
    let (mut out, mut lines) = (String::new(), Vec::new());
    for line in listing.lines() {
        if line.trim().starts_with("cmp") {
            writeln!(out, "compare.{}:", lines.len()).unwrap();
            lines.push(line);
        }
        out += line;
        out.push('\n');
    }
    (out, lines)
}

fn read(data: &[u8], form: Form, names: &[String], stubs: &[Stub], compares: &[&str]) -> Program {
    let elf = ElfFile32::<object::Endianness>::parse(data).unwrap();
    let mut image = vec![0; THINGS as usize];
    let mut variable = (DATA, DATA);
    for section in elf.sections() {
        let (at, size) = (section.address() as u32, section.size() as u32);
        let name = section.name().unwrap();
        if ![".code", ".stubs", ".constant", ".variable"].contains(&name) {
            continue;
        }
        let bytes = section.data().unwrap();
        image[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        if name == ".variable" {
            variable = (at, at + size);
        }
    }
    let symbols: HashMap<String, u32> = elf.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_string(), symbol.address() as u32))).collect();
    let block = |(number, name): (usize, &String)| (symbols[&format!("block.{number}")], name.clone());
    let stub = |(number, stub): (usize, &Stub)| (STUBS + STUB * (1 + number as u32), stub.clone());
    let compare = |(number, line): (usize, &&str)| Some((*symbols.get(&format!("compare.{number}"))?, Comparison::of(line, &symbols)?));
    Program {
        form,
        image,
        compares: compares.iter().enumerate().filter_map(compare).collect(),
        blocks: names.iter().enumerate().map(block).collect(),
        stubs: stubs.iter().enumerate().map(stub).collect(),
        end: STUBS,
        symbols,
        variable,
    }
}
