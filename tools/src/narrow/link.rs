//! The linker that rustc calls for the target: rust-lld, with the object of a unit or program replaced by its narrow form.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use super::Kind;
use super::rules::Options;
use crate::setup::fail;

/// An argument of our own: the rules that are off, by their names.
pub const WITHOUT: &str = "--without=";

/// What asm/memory.asm gives.
const MEMORY: &[&str] = &["memcpy", "memset", "memcmp", "bcmp"];

/// Runs the linker with rustc's arguments.
///
/// # Errors
/// What cannot be narrowed or assembled; what the linker says goes to standard error.
pub fn link(mut arguments: Vec<OsString>) -> io::Result<bool> {
    let mut options = Options::default();
    if let Some(at) = arguments.iter().position(|argument| argument.to_string_lossy().starts_with(WITHOUT)) {
        let names = arguments.remove(at).to_string_lossy().into_owned();
        options = Options::named(&names[WITHOUT.len()..]).map_err(fail)?;
    }
    let has = |name: &str| arguments.iter().any(|argument| argument.to_string_lossy().ends_with(name));
    // What cargo makes for this machine, or without a script of ours, stays as it is.
    if ["resident", "kernel", "stage", "program"].iter().any(|script| has(&format!("linker/{script}.ld"))) {
        let is_unit = |argument: &OsString| argument.to_string_lossy().ends_with(".rcgu.o");
        let objects: Vec<usize> = (0..arguments.len()).filter(|at| is_unit(&arguments[*at])).collect();
        let [at] = objects[..] else { return Err(fail("a unit is one object: codegen-units = 1, lto = \"fat\"")) };
        let given = has("/memory.o");
        // PKTCTL fits into its segment with all rules only; rules are switched off to look for a fault in the driver.
        let options = if has("linker/program.ld") { Options::default() } else { options };
        let kind = if has("linker/resident.ld") {
            Kind::Resident
        } else if has("linker/program.ld") {
            Kind::Program
        } else {
            Kind::Discarded
        };
        arguments[at] = narrowed(Path::new(&arguments[at]), if given { MEMORY } else { &[] }, kind, options)?.into();
    }
    Ok(Command::new("rust-lld").args(arguments).status()?.success())
}

/// Assembles the narrow form of the listing that lies beside an object; the new object.
fn narrowed(object: &Path, library: &[&str], kind: Kind, options: Options) -> io::Result<PathBuf> {
    let name = object.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let crate_name = name.split('.').next().unwrap_or_default();
    let listing = object.with_file_name(format!("{crate_name}.s"));
    let text = fs::read_to_string(&listing).map_err(|error| fail(format!("{}: {error}", listing.display())))?;
    let short = object.with_file_name(format!("{crate_name}.narrow.s"));
    let output = object.with_file_name(format!("{crate_name}.narrow.o"));
    fs::write(&short, super::narrow_by(&text, library, kind, options).map_err(|why| fail(format!("{crate_name}: {why}")))?)?;
    let done = Command::new("as").arg("--32").arg("-o").arg(&output).arg(&short).status()?;
    if !done.success() {
        return Err(fail(format!("{}: the assembler's messages stand above", short.display())));
    }
    Ok(output)
}
