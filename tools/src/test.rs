//! `tools/test`: builds, runs every test of the workspace, and counts.
//!
//! All tests are cargo's; this adds the build of what they load, a line for each, and the last line
//! `N passed, N failed`. A test that could not run is a failed one.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::pack;
use crate::setup::{self, fail};

/// Tests whose names have this in them run for minutes: left out by `--quick`.
const SLOW: &str = "slow_";
/// Tests whose names have this in them run for longer still: only with `--long`.
const LONG: &str = "long_";

/// What cargo said.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: Vec<String>,
}

/// Runs what the arguments say: `--quick`, `--long`, and words that select tests by their names.
pub fn test(arguments: &[String]) -> io::Result<()> {
    let (mut quick, mut long, mut only) = (false, false, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => quick = true,
            "--long" => long = true,
            "--only" | "--nic" => only.push(words.next().ok_or_else(|| fail(format!("{word} wants a value")))?.clone()),
            other if other.starts_with('-') => return Err(fail(format!("{other}: no such option"))),
            other => only.push(other.to_string()),
        }
    }
    println!("building");
    pack::build()?;
    let mut command = setup::cargo();
    command.args(["test", "--workspace", "--exclude", "compkt", "--no-fail-fast", "--quiet", "--lib", "--tests", "--"]);
    // Two machines at a time: the tests of a program run side by side, the programs one after another.
    command.args(["--test-threads=2", "--color=never", "-Zunstable-options", "--format=pretty"]);
    if quick {
        command.args(["--skip", SLOW]);
    }
    if !long {
        command.args(["--skip", LONG]);
    }
    command.args(&only);
    let tally = run(&mut command)?;
    for name in &tally.failed {
        println!("failed: {name}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed.len());
    if tally.failed.is_empty() && tally.passed > 0 { Ok(()) } else { Err(io::Error::other("")) }
}

/// Runs cargo and shows a line a test; what a failed one printed is shown whole.
fn run(command: &mut Command) -> io::Result<Tally> {
    let start = Instant::now();
    let mut child = command.current_dir(setup::root()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or_else(|| fail("cargo has no output"))?;
    let mut tally = Tally::default();
    let mut quiet = true;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            match result {
                "ok" => tally.passed += 1,
                "ignored" => continue,
                _ => tally.failed.push(name.to_string()),
            }
            println!("{:>4} s  {result:<6} {name}", start.elapsed().as_secs());
        } else if line == "failures:" {
            // Once with what they printed, once as a list of names, which is shown at the end.
            quiet = !quiet;
        } else if line.starts_with("test result:") {
            quiet = true;
        } else if !quiet {
            println!("{line}");
        }
        io::stdout().flush()?;
    }
    if !child.wait()?.success() && tally.failed.is_empty() {
        tally.failed.push("cargo test (its messages stand above)".into());
    }
    Ok(tally)
}
