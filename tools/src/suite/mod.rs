//! `tools/test`: runs all tests by name, three at a time.
//!
//! `host/…` are cargo's tests. The others run the image in a machine: `RIG/NIC/WHAT`. A test that cannot be set up fails.

mod amis;
mod ask;
mod bond_control;
mod bonds;
mod cards;
mod codes;
mod config;
mod control;
mod corkscrew;
mod costs;
mod counts;
mod device;
mod faults;
mod field;
mod file;
mod figures;
mod host;
mod in_v86;
mod install;
mod intel;
mod kept;
mod lacp;
mod lacp_linux;
mod limits;
mod lines;
pub mod machine;
mod memory;
mod pch;
mod pktctl;
mod prompt;
mod reap;
mod remembered;
mod replace;
mod replace_keeps;
mod rtl8169;
mod runner;
mod say;
mod several;
mod share;
mod stack;
mod tg3;
mod undi;
mod traffic;
mod v86;
mod vds;
mod verbose;
pub mod watch;
mod wide;

use std::io;

use crate::pack;
use crate::setup::{self, fail};
use machine::Lab;
use runner::Test;

/// The command line's options.
#[derive(Clone, Debug, Default)]
struct Options {
    /// Leave out tests that take long.
    quick: bool,
    /// Ten times as many calls of FUZZ.
    long: bool,
    /// Only tests of this NIC in machines.
    nic: Option<String>,
    /// Only tests whose names contain this text.
    only: Option<String>,
    /// Also run tests that are remembered.
    again: bool,
    /// Print the names only.
    list: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> io::Result<Options> {
        let mut options = Options::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().cloned().ok_or_else(|| fail(format!("{word} wants a value")));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--long" => options.long = true,
                "--again" => options.again = true,
                "--list" => options.list = true,
                "--nic" => options.nic = Some(value()?),
                "--only" => options.only = Some(value()?),
                word if !word.starts_with('-') => options.only = Some(word.into()),
                _ => return Err(fail(format!("{word}: the options are --quick, --long, --again, --list, --nic NAME, --only PATTERN"))),
            }
        }
        Ok(options)
    }

    /// A pattern that begins with a machine asks for tests in machines: cargo's tests are not built.
    fn machines_only(&self) -> bool {
        self.only.as_ref().is_some_and(|pattern| ["qemu/", "bochs/", "dosbox-x/"].iter().any(|rig| pattern.starts_with(rig)))
    }

    fn wants(&self, test: &Test) -> bool {
        !(self.quick && test.slow)
            && (self.long || !test.long)
            && self.nic.as_ref().is_none_or(|nic| test.name.split('/').any(|part| part == nic))
            && self.only.as_ref().is_none_or(|pattern| test.name.contains(pattern.as_str()))
    }
}

/// Downloads and builds what several tests need, without their limits of time and file size. If that fails, the tests that need
/// it fail with the reason.
fn ready(options: &Options) {
    let _ = pack::build();
    let _ = (setup::qemu(), setup::qemu_10(), setup::mtools(), setup::models(), setup::unicorn());
    let _ = (setup::dosbox_x(), setup::wiretap(), setup::bochs());
    if !options.quick {
        let _ = (setup::linux(), setup::ipxe());
    }
}

/// Runs the tests that the arguments ask for. The last line is `N passed, N failed`.
///
/// # Errors
/// A test failed (its report is printed already), or the arguments are wrong. All else that fails is a failed test.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let options = Options::parse(arguments)?;
    let lab = Lab::new(match (options.quick, options.long) {
        (_, true) => 1_000_000,
        (true, _) => 10_000,
        _ => 100_000,
    });
    ready(&options);
    let mut tests = if options.machines_only() { Vec::new() } else { host::tests() };
    tests.extend(device::tests());
    tests.extend(prompt::tests());
    tests.extend(codes::tests());
    tests.extend(ask::tests());
    tests.extend(file::tests());
    tests.extend(amis::tests());
    tests.extend(cards::tests());
    tests.extend(traffic::tests());
    tests.extend(costs::tests());
    tests.extend(counts::tests());
    tests.extend(reap::tests());
    tests.extend(share::tests());
    tests.extend(control::tests());
    tests.extend(figures::tests());
    tests.extend(faults::tests());
    tests.extend(field::tests());
    tests.extend(vds::tests());
    tests.extend(v86::tests());
    tests.extend(limits::tests());
    tests.extend(corkscrew::tests());
    tests.extend(pch::tests());
    tests.extend(rtl8169::tests());
    tests.extend(tg3::tests());
    tests.extend(undi::tests());
    tests.extend(intel::tests());
    tests.extend(in_v86::tests());
    tests.extend(memory::tests());
    tests.extend(several::tests());
    tests.extend(bonds::tests());
    tests.extend(bond_control::tests());
    tests.extend(lacp::tests());
    tests.extend(lacp_linux::tests());
    tests.extend(kept::tests());
    tests.extend(pktctl::tests());
    tests.extend(config::tests());
    tests.extend(install::tests());
    tests.extend(watch::tests());
    tests.extend(replace::tests());
    tests.extend(replace_keeps::tests());
    tests.extend(stack::tests());
    tests.extend(wide::tests());
    tests.extend(lines::tests());
    tests.extend(verbose::tests());
    tests.retain(|test| options.wants(test));
    if options.list {
        tests.iter().for_each(|test| println!("{}", test.name));
        return Ok(());
    }
    if tests.is_empty() {
        return Err(fail("no test has such a name; tools/test --list shows them"));
    }
    if runner::run(tests, &lab, &remembered::Remembered::read(options.again || options.only.is_some())) { Ok(()) } else { Err(fail("")) }
}
