//! From cargo's binaries to what a user copies: `dist/`.

pub mod elf;
pub mod image;
pub mod manual;
pub mod program;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::setup::{self, fail};
use elf::Unit;
use crate::nics::{Found, NICS};
use image::{KIND_DRIVER, KIND_FEATURE, KIND_PROBE, Listed};

/// Optional features.
const FEATURES: &[&str] = &["flat", "poll"];

/// Where `build` leaves its files.
pub fn dist() -> PathBuf {
    setup::root().join("dist")
}

/// Where cargo leaves the binaries of units and programs.
pub fn binaries() -> PathBuf {
    setup::root().join("target/i386-dos/release")
}

/// Compiles the units for the 386 and gives the folder of their binaries.
pub fn compile() -> io::Result<PathBuf> {
    setup::nasm()?;
    setup::rust_src()?;
    let target = setup::root().join("target");
    let status = setup::cargo()
        .args(["build", "--quiet", "--release", "--package", "compkt", "--bins", "--features", "dos"])
        .args(["-Zbuild-std=core", "-Zbuild-std-features=compiler-builtins-mem", "-Zjson-target-spec"])
        .args(["--target", "i386-dos.json"])
        .env("CARGO_TARGET_DIR", &target)
        // The linker is this program (narrow/link.rs), which wants rustc's listings.
        .env("CARGO_TARGET_I386_DOS_LINKER", std::env::current_exe()?)
        .env("CARGO_TARGET_I386_DOS_RUSTFLAGS", "--emit=asm")
        .current_dir(setup::root())
        .status()?;
    if !status.success() {
        return Err(fail("the compiler's messages stand above"));
    }
    Ok(binaries())
}

/// Compiles, packs, and writes `dist/`. From a test, by way of the `tools` program, which is the linker too.
pub fn build() -> io::Result<()> {
    if std::env::current_exe()?.file_stem().is_none_or(|name| name != "tools") {
        let status = setup::cargo()
            .args(["run", "--quiet", "--package", "tools", "--", "build"])
            .current_dir(setup::root())
            .status()?;
        return if status.success() { Ok(()) } else { Err(fail("tools/build failed; its messages stand above")) };
    }
    let folder = compile()?;
    fs::create_dir_all(dist())?;
    let driver = driver(&folder)?;
    fs::write(dist().join("3COMPKT.SYS"), &driver)?;
    fs::write(dist().join("3COMPKT.EXE"), &driver)?;
    let cards: Vec<String> = NICS.iter().map(|nic| format!("  {:<11} {}", nic.name, nic.cards)).collect();
    fs::write(dist().join("3COMPKT.TXT"), manual::text(env!("CARGO_PKG_VERSION"), &cards))?;
    fs::write(dist().join("PKTCTL.EXE"), program::read(&folder, "pktctl")?)?;
    Ok(())
}

/// What a test machine is given, from the last build, by DOS name: the driver by both its names, PKTCTL, the test
/// programs.
///
/// # Errors
/// There was no build.
pub fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let read = || {
        let mut files = program::all(&setup::root().join("target/i386-dos/release"))?;
        for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
            files.push((name.into(), fs::read(dist().join(name))?));
        }
        Ok(files)
    };
    read().map_err(|error: io::Error| fail(format!("{error}: run tools/build first")))
}

/// The driver's file, from the folder of binaries.
fn driver(folder: &Path) -> io::Result<Vec<u8>> {
    let core = Unit::read(folder, "core")?;
    let installer = Unit::read(folder, "installer")?;
    let mut units = Vec::new();
    for nic in NICS {
        let order = match nic.found {
            Found::Pci => 0,
            Found::Isa(order) => order,
        };
        units.push((KIND_PROBE, order, nic.name.to_string(), Unit::read(folder, &format!("probe_{}", nic.name))?));
        units.push((KIND_DRIVER, 0, nic.name.to_string(), Unit::read(folder, nic.name)?));
        if nic.memory {
            let name = format!("{}v", nic.name);
            units.push((KIND_DRIVER, 0, name.clone(), Unit::read(folder, &name)?));
        }
    }
    for name in FEATURES {
        units.push((KIND_FEATURE, 0, name.to_string(), Unit::read(folder, name)?));
    }
    let listed: Vec<Listed> =
        units.iter().map(|(kind, bus, name, unit)| Listed { kind: *kind, bus: *bus, name, unit }).collect();
    image::compose(&core, &installer, &listed)
}
