//! From cargo's binaries to what a user copies: `dist/`.

pub mod elf;
pub mod image;
pub mod program;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::setup::{self, fail};
use elf::Unit;
use image::Listed;

/// The NICs, in the order in which the installer probes them: name, and 0 for PCI or the ISA order.
const NICS: &[(&str, u8)] = &[("ne2k_pci", 0), ("ne2000", 9), ("ne1000", 10)];

/// Optional features.
const FEATURES: &[&str] = &["flat"];

/// Where `build` leaves its files.
pub fn dist() -> PathBuf {
    setup::root().join("dist")
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
        .current_dir(setup::root())
        .status()?;
    if !status.success() {
        return Err(fail("the compiler's messages stand above"));
    }
    Ok(target.join("i386-dos/release"))
}

/// Compiles, packs, and writes `dist/`.
pub fn build() -> io::Result<()> {
    let folder = compile()?;
    fs::create_dir_all(dist())?;
    let driver = driver(&folder)?;
    fs::write(dist().join("3COMPKT.SYS"), &driver)?;
    fs::write(dist().join("3COMPKT.EXE"), &driver)?;
    fs::write(dist().join("PKTCTL.EXE"), program::read(&folder, "pktctl")?)?;
    Ok(())
}

/// The driver's file, from the folder of binaries.
fn driver(folder: &Path) -> io::Result<Vec<u8>> {
    let core = Unit::read(folder, "core")?;
    let installer = Unit::read(folder, "installer")?;
    let mut units = Vec::new();
    for (name, bus) in NICS {
        units.push((2, *bus, *name, Unit::read(folder, &format!("probe_{name}"))?));
        units.push((1, 0, *name, Unit::read(folder, name)?));
    }
    for name in FEATURES {
        units.push((3, 0, *name, Unit::read(folder, name)?));
    }
    let listed: Vec<Listed> =
        units.iter().map(|(kind, bus, name, unit)| Listed { kind: *kind, bus: *bus, name, unit }).collect();
    image::compose(&core, &installer, &listed)
}
