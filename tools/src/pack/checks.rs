//! Checks of each unit before it is packed, and the table of sizes.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use compkt::install::slots::SLOT_A;

use super::elf::Unit;
use crate::process::TempDir;

/// The compiler for which the budgets are exact (`rustc -vV`, commit-hash); tools/prepare.sh installs the same.
pub const COMPILER: &str = "e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a";

/// The most bytes that a unit may take in memory, BSS included, exact for [`COMPILER`]. A unit that grows for a good
/// reason gets a new budget in the same commit, a new unit its row.
const BUDGETS: &[(&str, u16)] = &[
    ("core", 2_216),
    ("flat", 344),
    ("flati", 332),
    ("flatk", 364),
    ("many", 560),
    ("ifs", 676),
    ("count", 16),
    ("reap", 296),
    ("share", 472),
    ("shift", 160),
    ("ctl", 892),
    ("ctlp", 976),
    ("lacp", 1_740),
    ("tick", 84),
    ("vds", 36),
    ("stats", 164),
    ("pool", 1_588),
    ("xwords", 96),
    ("xbytes", 80),
    ("xfifo", 120),
    ("xrings", 48),
    ("xparts", 48),
    ("poolv", 2_664),
    ("poolc", 1_980),
    ("bond", 1_140),
    ("flows", 720),
    ("doubles", 240),
    ("ne2k_pci", 1_056),
    ("e1000", 1_236),
    ("e1000v", 1_316),
    ("e1000e", 1_300),
    ("e1000ev", 1_376),
    ("igb", 1_372),
    ("igbv", 1_476),
    ("pch", 1_312),
    ("pchv", 1_300),
    ("pcnet", 1_132),
    ("pcnetv", 1_484),
    ("rtl8139", 1_340),
    ("rtl8139v", 1_420),
    ("rtl8169", 1_416),
    ("rtl8169v", 1_500),
    ("rtl8125", 1_376),
    ("rtl8125v", 1_460),
    ("tg3", 1_488),
    ("tg3v", 1_780),
    ("virtio_net", 1_184),
    ("virtio_netv", 1_516),
    ("vmxnet3", 1_004),
    ("i8255x", 1_252),
    ("i8255xv", 1_404),
    ("tulip", 1_340),
    ("tulipv", 1_488),
    ("vortex", 684),
    ("boomerang", 1_108),
    ("boomerangv", 1_184),
    ("el3", 692),
    ("corkscrew", 684),
    ("corkscrewv", 1_088),
    ("corkscrewx", 1_016),
    ("ne2000", 1_056),
    ("ne1000", 1_076),
    ("undi", 1_300),
];
/// The most bytes of a discarded unit, which slot B has to hold. The largest such unit decides the size of the load image.
const DISCARDED: u16 = 6_272;
/// Discarded units of slot A, and the kernel.
const STAGES: &[(&str, u16)] =
    &[
        ("kernel", 4_208),
        ("stage_unload", SLOT_A),
        ("stage_search", SLOT_A),
        ("stage_start", 3_360),
        ("stage_stand", 3_632),
        ("stage_take", SLOT_A),
        ("stage_handover", SLOT_A),
        ("stage_back", SLOT_A),
        ("stage_verbose", SLOT_A),
        ("stage_join", SLOT_A),
    ];

/// Instructions that a 386 does not have, or that show that a trap can be reached. Names as in objdump, without the letter for
/// the size; a name with a star stands for all that begin with it.
const REFUSED: &[&str] = &[
    "bswap", "cmpxchg*", "xadd*", "cmov*", "cpuid", "invd", "wbinvd", "invlpg", "rdtsc*", "rdmsr", "wrmsr", "rdpmc", "rsm", "ud*",
    "sysenter", "sysexit", "syscall", "sysret", "nopw", "nopl", "endbr*", "prefetch*", "popcnt*", "lzcnt*", "tzcnt*", "movbe*",
    "mfence", "lfence", "sfence", "pause", "(bad)",
];

/// The kind of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It stays in memory.
    Resident,
    /// It finds or starts a NIC, or is a stage of the installation: its memory is used again.
    Discarded,
    /// It is the installer's kernel.
    Kernel,
}

/// The most bytes that the unit may take.
pub fn budget(name: &str, role: Role) -> u16 {
    match role {
        Role::Resident => BUDGETS.iter().find(|row| row.0 == name).map_or(0, |row| row.1),
        Role::Discarded | Role::Kernel => STAGES.iter().find(|row| row.0 == name).map_or(DISCARDED, |row| row.1),
    }
}

/// All checks of a unit except that of its size.
///
/// # Errors
/// The text names what is wrong and where.
pub fn check(unit: &Unit, role: Role) -> Result<(), String> {
    if role == Role::Resident {
        no_panic(unit)?;
    }
    looks_outside(unit, role)?;
    fixes_stay_inside(unit)?;
    opcodes(unit)
}

/// Checks the unit's size against its budget.
///
/// # Errors
/// The text names both sizes.
pub fn fits(unit: &Unit, role: Role) -> Result<(), String> {
    let most = budget(&unit.name, role);
    if unit.total > most {
        return Err(format!("{} has {} bytes and a budget of {most} (tools/src/pack/checks.rs)", unit.name, unit.total));
    }
    Ok(())
}

/// Checks that neither a path to a panic nor core::fmt is in the unit.
fn no_panic(unit: &Unit) -> Result<(), String> {
    let found = unit.functions.iter().find(|(name, ..)| {
        // Both manglings write a name behind its length.
        name.contains("4core") && (name.contains("9panicking") || name.contains("3fmt")) || name.contains("rust_begin_unwind")
    });
    found.map_or(Ok(()), |(name, ..)| Err(format!("{} has a panic path or core::fmt: {name}", unit.name)))
}

/// Checks the unit's references to other units. Each unit is linked by itself and knows others by fixed offsets only: a
/// resident unit those of the core, a stage the kernel's header and table, the kernel and the units that find or start a NIC
/// none. So no unit can call, jump or read into a slot whose contents have changed.
fn looks_outside(unit: &Unit, role: Role) -> Result<(), String> {
    let allowed: &[&str] = match role {
        Role::Resident => &["core_clock", "work", "core_state", "getter", "busy", "pending", "open"],
        Role::Discarded if unit.name.starts_with("stage_") => &["image_header", "kernel_table"],
        Role::Discarded | Role::Kernel => &[],
    };
    match unit.outside.iter().find(|name| !allowed.contains(&name.as_str())) {
        Some(name) => Err(format!("{} looks at {name}, which is another unit's", unit.name)),
        None => Ok(()),
    }
}

/// Checks that everything to which the loader adds the unit's base is an offset in the unit.
fn fixes_stay_inside(unit: &Unit) -> Result<(), String> {
    let value = |at: u16, size: usize| -> Option<u32> {
        let bytes = unit.bytes.get(usize::from(at)..usize::from(at) + size)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    let base = u32::from(unit.base);
    let all = unit.fixes16.iter().map(|at| (*at, 2)).chain(unit.fixes32.iter().map(|at| (*at, 4)));
    for (at, size) in all {
        match value(at, size) {
            Some(target) if (base..=base + u32::from(unit.total)).contains(&target) => {}
            Some(target) => return Err(format!("{}: the address at {at:#x} points out of the unit, to {target:#x}", unit.name)),
            None => return Err(format!("{}: a fix-up at {at:#x}, behind the unit's bytes", unit.name)),
        }
    }
    Ok(())
}

/// Checks that the compiler has used no instruction newer than the 386. (NASM checks its own: src/build.rs sets `cpu 386`.)
fn opcodes(unit: &Unit) -> Result<(), String> {
    for (function, instruction) in disassembled(unit)? {
        let name = instruction.split_whitespace().find(|word| !is_prefix(word)).unwrap_or_default();
        let refused = REFUSED.iter().any(|row| match row.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *row || name.strip_suffix(['w', 'l']) == Some(row),
        });
        // Nor of a coprocessor, MMX or SSE.
        if refused || name.starts_with('f') || instruction.contains("mm") {
            return Err(format!("{}: not a 386's instruction in {function}: {instruction}", unit.name));
        }
    }
    Ok(())
}

fn is_prefix(word: &str) -> bool {
    matches!(word, "data32" | "addr32" | "data16" | "addr16" | "lock" | "rep" | "repz" | "repnz" | "cs" | "ds" | "es" | "fs" | "gs" | "ss")
}

/// All instructions of the compiler's functions, by binutils' objdump.
fn disassembled(unit: &Unit) -> Result<Vec<(String, String)>, String> {
    /// One byte long: any instruction before it ends there.
    const NOP: u8 = 0x90;
    const GAP: usize = 16;
    let mut code = Vec::new();
    let mut starts = BTreeMap::new();
    for (name, at, size) in &unit.functions {
        let bytes = unit.bytes.get(usize::from(*at)..usize::from(*at) + usize::from(*size));
        starts.insert(code.len(), name);
        code.extend(bytes.ok_or_else(|| format!("{}: {name} is not in the image", unit.name))?);
        code.resize(code.len() + GAP, NOP);
    }
    // The unit has only assembly.
    if code.is_empty() {
        return Ok(Vec::new());
    }
    let io = |error: std::io::Error| format!("objdump: {error}");
    let folder = TempDir::new("objdump").map_err(io)?;
    let path = folder.path().join("code");
    fs::write(&path, &code).map_err(io)?;
    let done = Command::new("objdump").args(["-D", "-z", "-b", "binary", "-m", "i8086", "--no-show-raw-insn"]).arg(&path).output().map_err(io)?;
    if !done.status.success() {
        return Err(format!("objdump: {} {}", done.status, String::from_utf8_lossy(&done.stderr)));
    }
    let mut all = Vec::new();
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let Some((at, text)) = line.split_once(":\t") else { continue };
        let Ok(at) = usize::from_str_radix(at.trim(), 16) else { continue };
        let name = starts.range(..=at).next_back().map_or("", |(_, name)| name.as_str());
        all.push((name.to_string(), text.trim().to_string()));
    }
    if all.is_empty() {
        return Err("objdump shows no instruction".into());
    }
    Ok(all)
}

/// The table of sizes, a line for each unit.
pub fn table(units: &[(&Unit, Role)]) -> String {
    let mut text = format!("{:<16}{:>7}{:>7}{:>9}{:>8}\n", "unit", "bytes", "BSS", "fix-ups", "budget");
    for (unit, role) in units {
        let budget = budget(&unit.name, *role);
        let bss = usize::from(unit.total).saturating_sub(unit.bytes.len());
        let fixes = unit.fixes16.len() + unit.fixes32.len();
        text.push_str(&format!("{:<16}{:>7}{bss:>7}{fixes:>9}{budget:>8}\n", unit.name, unit.bytes.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit of one function.
    fn unit(code: &[u8]) -> Unit {
        Unit {
            name: "bad".into(),
            bytes: code.to_vec(),
            total: code.len() as u16,
            functions: vec![("function".into(), 0, code.len() as u16)],
            ..Unit::default()
        }
    }

    #[test]
    fn a_386_s_instructions_pass() {
        // bsf eax,edx; shld ax,bx,3; bts [si],ax; movzx eax,bl; seta al; o32 push fs:[bx]; lea si,[si+0]; retd
        let code = b"\x66\x0F\xBC\xC2\x0F\xA4\xD8\x03\x0F\xAB\x04\x66\x0F\xB6\xC3\x0F\x97\xC0\x64\x66\xFF\x37\x8D\x74\x00\x66\xC3";
        assert_eq!(check(&unit(code), Role::Resident), Ok(()));
    }

    #[test]
    fn newer_instructions_are_refused() {
        for (name, code) in [
            ("bswap", &b"\x66\x0F\xC8\xC3"[..]),
            ("xadd", b"\x0F\xC1\x07\xC3"),
            ("cmpxchg", b"\xF0\x66\x0F\xB1\x0F\xC3"),
            ("cmov", b"\x0F\x44\xC1\xC3"),
            ("cpuid", b"\x0F\xA2\xC3"),
            ("invd", b"\x0F\x08\xC3"),
            ("wbinvd", b"\x0F\x09\xC3"),
            ("rdtsc", b"\x90\x0F\x31\xC3"),
            ("ud2", b"\x0F\x0B"),
            ("nopw", b"\x0F\x1F\x44\x00\x00\xC3"),
            ("fld", b"\xD9\xE8\xC3"),
            ("movd", b"\x0F\x6E\xC0\xC3"),
        ] {
            for role in [Role::Resident, Role::Discarded, Role::Kernel] {
                let error = check(&unit(code), role).expect_err(name);
                assert!(error.contains("not a 386's instruction in function: ") && error.contains(name), "{name}: {error}");
            }
        }
    }

    #[test]
    fn data_is_not_taken_for_instructions() {
        let mut unit = unit(b"\xC3\x0F\xA2");
        unit.functions[0].2 = 1;
        assert_eq!(check(&unit, Role::Resident), Ok(()));
    }

    #[test]
    fn panics_and_formatting_are_refused_in_what_stays() {
        for name in ["_RNvNtCs1_4core9panicking5panic", "_ZN4core3fmt5Write9write_fmt17h0E", "_ZN4core9panicking18panic_bounds_check17h1E"] {
            let mut unit = unit(b"\xC3");
            unit.functions[0].0 = name.into();
            assert!(check(&unit, Role::Resident).is_err_and(|error| error.contains(name)));
            assert_eq!(check(&unit, Role::Discarded), Ok(()));
        }
    }

    #[test]
    fn an_address_outside_of_the_unit_is_refused() {
        let mut unit = unit(b"\xB8\x00\x00\x00\x00\xC3");
        unit.fixes16 = vec![1];
        unit.bytes[1] = 6;
        assert_eq!(check(&unit, Role::Resident), Ok(()));
        unit.bytes[1] = 7;
        assert!(check(&unit, Role::Resident).is_err_and(|error| error.contains("points out of the unit, to 0x7")));
        unit.fixes16 = vec![];
        unit.fixes32 = vec![1];
        unit.bytes[1] = 6;
        unit.bytes[4] = 1;
        assert!(check(&unit, Role::Resident).is_err_and(|error| error.contains("to 0x1000006")));
        unit.fixes32 = vec![3];
        assert!(check(&unit, Role::Resident).is_err_and(|error| error.contains("behind the unit's bytes")));
    }

    #[test]
    fn a_unit_over_its_budget_is_refused() {
        let mut unit = unit(b"\xC3");
        assert!(fits(&unit, Role::Resident).is_err_and(|error| error.contains("bad has 1 bytes and a budget of 0")));
        unit.name = "vds".into();
        unit.total = 36;
        assert_eq!(fits(&unit, Role::Resident), Ok(()));
        unit.total = 37;
        assert!(fits(&unit, Role::Resident).is_err_and(|error| error.contains("37 bytes and a budget of 36")));
        unit.total = DISCARDED + 1;
        assert!(fits(&unit, Role::Discarded).is_err());
    }

    /// What `ld -r` makes of a unit in assembly; the kernel's table is at its fixed place.
    fn linked(text: &str) -> Result<Unit, String> {
        let folder = TempDir::new("as").unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("unit.s"), text).unwrap();
        let runs = |command: &mut Command| assert!(command.status().unwrap().success());
        runs(Command::new("as").args(["--32", "-o"]).arg(path("unit.o")).arg(path("unit.s")));
        runs(Command::new("ld").args(["-melf_i386", "-r", "--defsym=kernel_table=0x17A8", "-o"]).arg(path("unit")).arg(path("unit.o")));
        Unit::parse("bad", &fs::read(path("unit")).unwrap())
    }

    const HEAD: &str = ".code16\n.section .image,\"ax\"\n";

    #[test]
    fn what_no_linker_finished_is_refused() {
        assert!(linked(&format!("{HEAD}f: ret\n.globl f\n")).is_ok());
        assert_eq!(linked(".code16\nret\n").err(), Some("no .image section".into()));
        assert_eq!(linked(&format!("{HEAD}movw $a_unit_can_panic, %ax\n")).err(), Some("undefined symbol a_unit_can_panic".into()));
        let error = linked(&format!("{HEAD}g: .byte g\n.globl g\n")).err().unwrap_or_default();
        assert!(error.contains("relocation of kind 22 at 0x0"), "{error}");
    }

    #[test]
    fn a_jump_or_call_out_of_the_unit_is_refused() {
        for code in ["call kernel_table", "jmp kernel_table", "jne kernel_table", ".code32\ncall kernel_table"] {
            let error = linked(&format!("{HEAD}{code}\n")).err().unwrap_or_default();
            assert_eq!(error, "a jump or call out of the unit, to kernel_table", "{code}");
        }
        for code in ["call 0x17A8", "jmp 0x17A8"] {
            let error = linked(&format!("{HEAD}{code}\n")).err().unwrap_or_default();
            assert!(error.starts_with("at 0x1 a place that is a number"), "{code}: {error}");
        }
        assert!(linked(&format!("{HEAD}call f\nf: ret\n.globl f\n")).is_ok(), "inside it");
    }

    #[test]
    fn a_unit_that_looks_at_another_one_is_refused() {
        let reads = |name: &str, code: &str| Unit { name: name.into(), ..linked(&format!("{HEAD}{code}\n")).unwrap() };
        let looks = |name, role| check(&reads(name, "movw kernel_table, %ax"), role);
        assert_eq!(looks("stage_place", Role::Discarded), Ok(()));
        for (name, role) in [("kernel", Role::Kernel), ("find_e1000", Role::Discarded), ("start_e1000", Role::Discarded), ("e1000", Role::Resident)] {
            assert_eq!(looks(name, role), Err(format!("{name} looks at kernel_table, which is another unit's")));
        }
        let work = Unit { outside: vec!["work".into()], ..unit(b"\xC3") };
        assert_eq!(check(&work, Role::Resident), Ok(()));
        assert_eq!(check(&work, Role::Kernel), Err("bad looks at work, which is another unit's".into()));
        assert!(check(&Unit { name: "stage_place".into(), ..work }, Role::Discarded).is_err());
    }
}
