//! cargo's tests of the whole workspace, each as a test of this runner.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::runner::{self, Test, Verdict};
use crate::process::{self, Bounded, TempDir};
use crate::rig::retries;
use crate::setup;

/// Longest time of a test without output; its machines have limits of their own.
const LIMIT: Duration = Duration::from_secs(1800);

/// Test programs whose tests each run a machine: seconds, and whether it is some of them that are many.
const MACHINES: &[(&str, u32, bool)] = &[
    ("linux_judges", 60, true),
    ("ipxe_judges", 20, true),
    ("bochs", 6, false),
    ("dosbox_x", 5, false),
    ("bootdos", 4, false),
    ("examples", 5, false),
    ("peer", 3, false),
    ("run", 12, false),
    ("narrow_random", 10, false),
    ("narrow_validated", 40, false),
];

/// Lines of a passed test that begin so are printed.
const FIGURE: &str = "        ";

/// The tests of every test program that cargo builds. A program that does not build is a failed test. Tests whose names begin
/// with `slow_` are left out by `--quick`; those with `long_` need `--long`.
pub fn tests() -> Vec<Test> {
    let programs = match build() {
        Ok(programs) => programs,
        Err(why) => return vec![Test::new("host/build", move |_| Err(why))],
    };
    programs.into_iter().flat_map(of_program).collect()
}

/// Builds the test programs.
fn build() -> Result<Vec<PathBuf>, String> {
    let mut command = setup::cargo();
    command.args(["test", "--workspace", "--no-run", "--color=never"]).current_dir(setup::root());
    let done = process::output(&mut command, setup::LIMIT).map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        return Err(text.into_owned());
    }
    // `  Executable tests/bochs.rs (target/debug/deps/bochs-0123456789abcdef)`
    let paths = text.lines().filter(|line| line.trim_start().starts_with("Executable "));
    let paths = paths.filter_map(|line| line.rsplit_once('(')?.1.strip_suffix(')'));
    Ok(paths.map(|path| setup::root().join(path)).collect())
}

/// The program's name without cargo's hash.
fn stem(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').map_or_else(|| name.to_string(), |(stem, _)| stem.to_string())
}

fn of_program(program: PathBuf) -> Vec<Test> {
    let name = stem(&program);
    let listed = Command::new(&program).args(["--list", "--format=terse"]).current_dir(setup::root()).output();
    let text = match listed {
        Ok(done) if done.status.success() => String::from_utf8_lossy(&done.stdout).into_owned(),
        Ok(done) => return vec![Test::new(format!("host/{name}"), move |_| Err(String::from_utf8_lossy(&done.stderr).into_owned()))],
        Err(error) => return vec![Test::new(format!("host/{name}"), move |_| Err(error.to_string()))],
    };
    let names = text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_string);
    let (seconds, slow) = MACHINES.iter().find(|known| known.0 == name).map_or((0, false), |known| (known.1, known.2));
    names
        .map(|test| {
            let program = program.clone();
            let full = format!("host/{name}/{}", test.replace("::", "/"));
            let marked = |mark: &str| test.split("::").any(|part| part.starts_with(mark));
            let (slow, long) = (slow || marked("slow_"), marked("long_"));
            let run = Test::new(full, move |_| one(&program, &test)).takes(if slow || long { seconds.max(60) } else { seconds });
            Test { slow, long, ..run }
        })
        .collect()
}

fn one(program: &Path, test: &str) -> Verdict {
    let folder = TempDir::new("host").map_err(|error| error.to_string())?;
    let path = folder.path().join("output");
    let output = std::fs::File::create(&path).and_then(|file| Ok((file.try_clone()?, file)));
    let (out, err) = output.map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--exact", test, "--test-threads=1", "--show-output"]).current_dir(setup::root()).stdout(out).stderr(err);
    // If it is killed, its temporary folders are removed with this one.
    command.env("TMPDIR", folder.path());
    let ended = Bounded::start(&mut command, LIMIT).and_then(|child| child.watching(&path).wait());
    let text = std::fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    runner::retried(retries(&text));
    match ended {
        // cargo also succeeds if the name does not exist, and runs nothing.
        Ok(status) if status.success() && text.contains("test result: ok. 1 passed") => {
            // Prints the test's figures.
            text.lines().filter(|line| line.starts_with(FIGURE)).for_each(|line| println!("{line}"));
            Ok(())
        }
        Ok(status) => Err(format!("{status}\n{text}")),
        Err(error) => Err(format!("{error}\n{text}")),
    }
}
