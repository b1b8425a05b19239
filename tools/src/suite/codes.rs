//! 3COMPKT's exit codes: the code that belongs to what it prints, by the tables from which the pack step writes the lines; and
//! a test with the numbers of the manual.

use compkt::install::lines::{CODES, DECIMAL, HEX, LINES, NO_CARD, UNREADABLE};
use compkt::probe::{REASON_CODES, REASONS};

use super::machine::{Lab, Rig, ne2000, qemu, qemu_of};
use super::runner::{Test, Verdict};
use crate::rig::image::Xms;
use crate::rig::qemu::Net;

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![Test::new("qemu/exit/codes", codes).takes(8)]
}

/// The exit code of a refusal that has printed this: that of the first line that has one. None: there is no such line.
pub fn of(text: &str) -> Option<u8> {
    /// Lines that are not in the table, because the file cannot be read, or because they have more in them than a number.
    const OTHERS: [(&str, u8); 4] = [
        ("3COMPKT: the file is damaged; copy it again", UNREADABLE),
        ("3COMPKT: cannot read its own file again; ", UNREADABLE),
        ("3COMPKT: no driver for ", NO_CARD),
        ("3COMPKT needs a 386 or later.", 7),
    ];
    let starts = |(begin, code): &(&str, u8)| text.lines().any(|line| line.starts_with(begin)).then_some(*code);
    let [damaged, others @ ..] = &OTHERS;
    let table = || REASONS.iter().zip(&REASON_CODES).chain(LINES.iter().zip(CODES)).filter(|(text, _)| !text.is_empty());
    let first = || text.lines().filter_map(|line| line.strip_prefix("3COMPKT: ")).find_map(|line| table().find(|(text, code)| **code != 0 && is(line, text)).map(|(_, code)| *code));
    starts(damaged).or_else(first).or_else(|| others.iter().find_map(starts))
}

/// Whether a line has this text, with any numbers in it and any name before it.
fn is(line: &str, text: &str) -> bool {
    let parts: Vec<&str> = text.split([char::from(HEX), char::from(DECIMAL)]).collect();
    let Some((last, parts)) = parts.split_last() else { return false };
    let before_last = parts.iter().try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
    before_last.is_some_and(|rest| rest.ends_with(last))
}

/// Each code, by the manual's numbers, and 0.
fn codes(lab: &Lab) -> Verdict {
    let (fails, other) = ("READ FAIL 3", "3COMPKT /INT=61");
    let script = ["3COMPKT /BAD", "3COMPKT /NIC=0:1F.7", "3COMPKT /U /INT=62", fails, "3COMPKT /INT=63", "READ FAIL 0", "KEY 6E", "3COMPKT /ASK", "OTHER", "3COMPKT", other, "3COMPKT /U /INT=61"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &script)?)?;
    for (line, code) in [
        (script[0], 1), (script[1], 2), (script[2], 5), ("3COMPKT /INT=63", 9), ("3COMPKT /ASK", 8), ("3COMPKT", 4), (other, 0), ("3COMPKT /U /INT=61", 0),
    ] {
        steps.exits(line, code)?;
    }
    let dead = qemu_of("vortex-3c590,fault=stuck-command*0", Net::User)?.steps(&lab.job(&[], &["3COMPKT"])?)?;
    dead.exits("3COMPKT", 3)?;
    // Room for the load image alone.
    let (hog, line) = ("HOG 0530", "3COMPKT /HANDLES=64 /STACK=2047 /MIGRATE=8192");
    let small = qemu(ne2000())?.steps(&lab.job(&[], &[hog, line])?)?;
    small.prints(line, "too little memory: ")?;
    small.exits(line, 6)?;
    let managed = qemu_of("e1000", Net::User)?.with_xms(Xms::V3).steps(&lab.job(&[], &["V86 ON", "3COMPKT", "V86 OFF"])?)?;
    managed.exits("3COMPKT", 7)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_first_line_with_a_code_counts() {
        assert_eq!(of("3COMPKT: /BAD: no such switch; 3COMPKT /? lists them"), Some(1));
        assert_eq!(of("3COMPKT: INT 60h has a packet driver already; choose another with /INT="), Some(4));
        assert_eq!(of("3COMPKT: ne2000 unloaded"), None);
        assert_eq!(of("3COMPKT: /HANDLES=: the programs that have the driver open need 3"), Some(1));
        let both = "3COMPKT: no XMS: frames wait below 1 MB\n3COMPKT: el3: the card is there but does not answer; reset the machine or try another slot";
        assert_eq!(of(both), Some(3));
        assert_eq!(of("3COMPKT: no NIC found; give /IO= and /IRQ= if there is one\n3COMPKT: the file is damaged; copy it again"), Some(9));
        assert_eq!(of("3COMPKT: no driver for 10EC:8126 at 0:2.0"), Some(2));
    }
}
