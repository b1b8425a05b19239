//! Random Rust functions, compiled for the units' target, run as rustc wrote them and as `tools/src/narrow` writes
//! them again, on the same random inputs, in QEMU: both give back the same.

mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tools::narrow::{Kind, narrow_with};
use tools::pack;
use tools::process::TempDir;
use tools::random::Random;
use tools::rig::Job;
use tools::rig::qemu::Qemu;
use tools::setup;

/// Entries of a crate; two digits in the harness.
const ENTRIES: u32 = 24;
/// Calls of each.
const INPUTS: u32 = 60;
/// What rustc is told: units are compiled with `z`.
const LEVELS: [&str; 3] = ["z", "z", "s"];
const MEMORY: [&str; 4] = ["memcpy", "memset", "memcmp", "bcmp"];

/// A command's success, or what it said.
fn do_it(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&done.stderr));
}

/// The units' `core`, as the build left it.
fn core_library() -> PathBuf {
    pack::build().unwrap();
    let newest = fs::read_dir(pack::binaries().join("deps")).unwrap().flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    });
    newest.max_by_key(|entry| entry.metadata().unwrap().modified().unwrap()).expect("the build made core").path()
}

/// rustc's listing of a crate.
fn listing(folder: &Path, text: &str, level: &str, core: &Path) -> String {
    let (source, output) = (folder.join("random.rs"), folder.join("random.s"));
    fs::write(&source, text).unwrap();
    let mut command = setup::rustc();
    command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "asm", "-Awarnings", "-Zunstable-options"]);
    command.args(["-Cpanic=abort", "-Ccodegen-units=1", "-Zmerge-functions=disabled"]).arg(format!("-Copt-level={level}"));
    command.arg("--target").arg(setup::root().join("i386-dos.json"));
    command.arg("--extern").arg(format!("noprelude:core={}", core.display()));
    command.arg("-L").arg(core.parent().unwrap()).arg("-o").arg(&output).arg(&source);
    do_it(&mut command);
    fs::read_to_string(output).unwrap()
}

/// A .COM of a listing and the harness.
fn program(folder: &Path, name: &str, listing: &str, narrow: bool) -> Vec<u8> {
    let path = |extension: &str| folder.join(format!("{name}.{extension}"));
    fs::write(path("s"), listing).unwrap();
    do_it(Command::new("as").arg("--32").arg("-o").arg(path("o")).arg(path("s")));
    let mut assembler = Command::new(setup::nasm().unwrap());
    assembler.args(["-felf32", "-Werror", &format!("-DENTRIES={ENTRIES}"), &format!("-DINPUTS={INPUTS}")]);
    assembler.args(narrow.then_some("-DNARROW"));
    let here = setup::root().join("tools/tests/narrow_random");
    do_it(assembler.arg("-o").arg(path("h.o")).arg(here.join("harness.asm")));
    let mut objects = vec![path("h.o"), path("o")];
    if narrow {
        let asm = setup::root().join("asm");
        let mut assembler = Command::new(setup::nasm().unwrap());
        do_it(assembler.args(["-felf32", "-I"]).arg(&asm).arg("-o").arg(path("m.o")).arg(asm.join("memory.asm")));
        objects.push(path("m.o"));
    }
    // A page between code and data: QEMU translates a page again when it is written.
    let script = "SECTIONS { . = 0x100; .all : { *(.text.0start) *(.text*) *(.rodata*) . += 4096; *(.data*) } \
        .bss : { *(.bss*) *(COMMON) } /DISCARD/ : { *(*) } }";
    fs::write(path("ld"), script).unwrap();
    do_it(Command::new("ld").args(["-m", "elf_i386", "--oformat", "binary", "-T"]).arg(path("ld")).arg("-o").arg(path("com")).args(objects));
    fs::read(path("com")).unwrap()
}

/// One function's lines of a listing.
fn function<'a>(listing: &'a str, name: &str) -> &'a str {
    let start = listing.find(&format!("\n{name}:")).unwrap_or(0);
    let end = listing[start..].find(".size").map_or(listing.len(), |at| start + at);
    &listing[start..end]
}

/// Crates of these seeds, in one machine.
fn agree(seeds: std::ops::Range<u64>) {
    static CORE: OnceLock<PathBuf> = OnceLock::new();
    let core = CORE.get_or_init(core_library);
    let folder = TempDir::new("narrow").unwrap();
    let (mut job, mut texts) = (Job::default(), Vec::new());
    for seed in seeds {
        let text = source::generate(&mut Random::new(seed), ENTRIES);
        let whole = listing(folder.path(), &text, LEVELS[seed as usize % LEVELS.len()], core);
        let short = match narrow_with(&whole, &MEMORY, Kind::Resident) {
            Ok(short) => short,
            // An instruction that the pass does not know stays as it is, but for the stack, which moves.
            Err(why) if why.contains("(%esp)") => continue,
            Err(why) => panic!("seed {seed}: {why}:\n{}", function(&whole, why.split(':').next().unwrap_or_default())),
        };
        for (name, listing, narrow) in [("W", &whole, false), ("N", &short, true)] {
            let name = format!("{name}{seed}");
            let bytes = program(folder.path(), &name, listing, narrow);
            assert!(bytes.len() < 0xE000, "seed {seed}: {} bytes", bytes.len());
            job.files.push((format!("{name}.COM"), bytes));
            job.exec.push(name);
        }
        texts.push((seed, whole, short));
    }
    assert!(texts.len() >= 6, "most crates can be narrowed");
    job.limit = std::time::Duration::from_secs(120);
    let report = Qemu::default().run(&job).unwrap_or_else(|error| panic!("{error}"));
    for (seed, whole, short) in texts {
        let (wide, near) = (report.of(&format!("W{seed}")).unwrap(), report.of(&format!("N{seed}")).unwrap());
        assert_eq!(wide.lines().count(), ENTRIES as usize, "seed {seed} ran:\n{}", report.output);
        for (a, b) in wide.lines().zip(near.lines()) {
            let name = format!("e{}", a[..2].trim_start_matches('0'));
            let name = if name == "e" { "e0" } else { &name };
            assert_eq!(a, b, "seed {seed}, {name}:\n{}\n\nagainst\n{}", function(&whole, name), function(&short, name));
        }
        assert_eq!(wide, near, "seed {seed}");
    }
}

#[test]
fn random_functions_do_the_same_in_16_bits() {
    agree(0..8);
}

#[test]
fn long_many_random_functions_do_the_same_in_16_bits() {
    for first in (8..200).step_by(8) {
        agree(first..first + 8);
    }
}
