//! Each function of each unit, as rustc wrote it and as the pass wrote it again, run from the same states in the Unicorn
//! engine: results, memory, ports and kept registers are the same.

mod assembly;
mod compare;
mod contract;
mod hooks;
mod layout;
mod listing;
mod machine;
mod nmi;
mod remembered;
mod routines;
mod state;
mod unicorn;
mod unit;
mod validate;

use std::fs;

use tools::narrow::{Kind, narrow_by};
use tools::narrow::rules::{MISTAKES, Mistake, Options, RULES};
use tools::nics::{Found, NICS};
use tools::pack::{self, Units, checks::COMPILER};
use tools::setup;
use routines::{A, B, D, Routine};
use validate::Pair;

const MEMORY: [&str; 4] = ["memcpy", "memset", "memcmp", "bcmp"];

/// A listing of our own in a unit's place.
const MADE: &str = "made";

/// Units on which mistakes of the pass are tried, in this order: small ones first.
const MUTATED: [&str; 15] = [
    MADE, "el3", "ne2000", "core", "poolc", "pool", "pcnet", "e1000", "vmxnet3", "tulip", "i8255xv", "virtio_netv", "boomerang", "start_tulip",
    "start_corkscrewx",
];

/// The installer's units.
const INSTALLER: &[&str] = &[
    "kernel", "stage_line", "stage_stand", "stage_unload", "stage_search", "stage_place", "stage_start", "stage_take", "stage_handover",
    "stage_back", "stage_verbose", "stage_report", "stage_list", "stage_gather", "stage_join", "stage_rest", "stage_isa", "stage_ready",
    "stage_keep",
];

/// The units of a bond.
const BOND: &[&str] = &["bond", "flows", "doubles"];

/// Units that are validated without each rule.
const WITHOUT: [&str; 3] = [MADE, "el3", "vmxnet3"];

/// rustc's listing of a unit.
fn listing_of(name: &str) -> String {
    if name == MADE {
        return include_str!("made.s").into();
    }
    let folder = pack::binaries().join("deps");
    let hash = |file: &str| file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".narrow.s").map(str::to_string);
    let found = fs::read_dir(&folder).unwrap().flatten().filter_map(|entry| {
        let hash = hash(&entry.file_name().to_string_lossy())?;
        Some((entry.metadata().ok()?.modified().ok()?, folder.join(format!("{name}-{hash}.s"))))
    });
    let (_, path) = found.max().unwrap_or_else(|| panic!("no listing of {name}"));
    fs::read_to_string(path).unwrap()
}

/// Blocks that no state reaches, with the reason: unit, block without its form (or a function and `*`), reason.
const UNREACHED: &str = include_str!("unreached.txt");

/// The lines of a unit in the list, without their reasons.
fn rows(unit: &str) -> impl Iterator<Item = &'static str> {
    let rows = UNREACHED.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    rows.filter_map(|(name, _)| name.split_once(' ')).filter(move |(of, _)| *of == unit).map(|(_, name)| name)
}

/// Whether a line of the list names a block.
fn names(row: &str, block: &str) -> bool {
    let (_, block) = block.split_once(' ').unwrap_or_default();
    row == block || row.strip_suffix(" *") == block.split(' ').next()
}

/// What a unit's listing is of.
fn kind(resident: bool) -> Kind {
    if resident { Kind::Resident } else { Kind::Discarded }
}

/// Validates units; a line for each with its blocks.
fn validate(units: &[&str], resident: bool) {
    pack::build().unwrap();
    let measured = setup::compiler().unwrap() == COMPILER;
    let mut failed = Vec::new();
    let (mut all, mut reached) = (0, 0);
    for unit in units {
        let whole = listing_of(unit);
        let write = |options| narrow_by(&whole, &MEMORY, kind(resident), options).unwrap_or_else(|why| panic!("{unit}: {why}"));
        let written = [("narrow", write(Options::default())), ("wide", write(Options::wide()))];
        let listed = |block: &str| rows(unit).any(|row| names(row, block));
        match (Pair { unit, whole: &whole, written: &written, resident, listed: &listed }).check(|_| true) {
            Ok(coverage) => {
                let missing: Vec<&String> = coverage.all.difference(&coverage.reached).collect();
                let [compared, left] = coverage.compared;
                println!("{unit}: {} of {} blocks reached; {left} of {compared} states left out", coverage.all.len() - missing.len(), coverage.all.len());
                (all, reached) = (all + coverage.all.len(), reached + coverage.all.len() - missing.len());
                let unknown: Vec<&str> = missing.into_iter().filter(|block| !listed(block)).map(String::as_str).collect();
                let useless: Vec<&str> = rows(unit).filter(|row| !coverage.all.difference(&coverage.reached).any(|block| names(row, block))).collect();
                // A change elsewhere may have had the states reach more.
                useless.iter().for_each(|row| println!("{unit}: in unreached.txt, but reached: {row}"));
                // Another compiler has other blocks.
                if !unknown.is_empty() && measured {
                    failed.push(format!("{unit}: not reached and not in unreached.txt:\n  {}", unknown.join("\n  ")));
                }
            }
            Err(why) => failed.push(why),
        }
    }
    println!("        {reached} of {all} blocks of {} reached", units.join(", "));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The names of all units of drivers on a bus.
fn drivers(pci: bool) -> Vec<String> {
    let names = NICS.iter().filter(|nic| (nic.found == Found::Pci) == pci).flat_map(|nic| {
        let more = [(true, ""), (nic.memory, "v"), (nic.plain, "x")];
        more.into_iter().filter(|(there, _)| *there).map(|(_, letter)| format!("{}{letter}", nic.name))
    });
    names.collect()
}

fn validate_all(units: &[String], resident: bool) {
    validate(&units.iter().map(String::as_str).collect::<Vec<_>>(), resident);
}

/// The names of the units that find and start the NICs of a bus.
fn probes(pci: bool) -> Vec<String> {
    // In V86 mode another driver's unit is loaded, by the same probe.
    let names = drivers(pci).into_iter().filter(|name| !NICS.iter().any(|nic| nic.memory && *name == format!("{}v", nic.name)));
    // One with rings, where the card does without them as well, is started in another way, but found in the same.
    let units = |name: String| {
        let found = NICS.iter().any(|nic| nic.name == name).then(|| format!("find_{name}"));
        found.into_iter().chain([format!("start_{name}")])
    };
    names.flat_map(units).collect()
}

#[test]
fn drivers_on_pci_do_the_same_as_they_were_compiled() {
    validate_all(&drivers(true), true);
}

#[test]
fn drivers_on_isa_and_the_core_do_the_same_as_they_were_compiled() {
    validate(&["core"], true);
    validate_all(&drivers(false), true);
}

#[test]
fn probes_on_pci_do_the_same_as_they_were_compiled() {
    validate_all(&probes(true), false);
}

#[test]
fn probes_on_isa_do_the_same_as_they_were_compiled() {
    validate_all(&probes(false), false);
}

#[test]
fn every_unit_is_validated() {
    let mut names: Vec<String> = [drivers(true), drivers(false), probes(true), probes(false)].concat();
    names.extend(["core", "pool", "poolv", "poolc"].iter().chain(BOND).chain(&["lacp"]).chain(INSTALLER).map(ToString::to_string));
    pack::build().unwrap();
    let units = Units::read(&pack::binaries()).unwrap();
    for (unit, _) in units.all() {
        // Four are of assembly alone.
        assert!(names.contains(&unit.name) || unit.functions.is_empty(), "{} is not validated", unit.name);
    }
}

#[test]
fn routines_in_assembly_read_and_change_what_is_said_of_them() {
    println!("        {} routines in assembly do what is said of them", assembly::check_all());
    assert!(assembly::notices("strings", "ring_to_client", |said| Routine { whole: D, ..said }), "a linear address has more than 16 bits");
    assert!(assembly::notices("strings", "ring_to_client", |said| Routine { whole: B, ..said }), "so has a far one");
    assert!(assembly::notices("strings", "client_to_ring", |said| Routine { changes: A | B, ..said }), "EDX is changed");
    assert!(assembly::notices("strings", "outs_words", |said| Routine { reads: 0, ..said }), "the port is in DX");
    assert!(assembly::notices("crc", "crc_high", |said| Routine { changes: 0, ..said }), "it has an answer");
}

#[test]
fn an_nmi_leaves_the_driver_its_interrupt_table() {
    for unit in ["flat", "flati", "flatk"] {
        nmi::check(unit).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn every_routine_that_a_unit_calls_is_checked_or_excused() {
    pack::build().unwrap();
    let names = [drivers(true), drivers(false), probes(true), probes(false)].concat();
    for unit in names.iter().map(String::as_str).chain(["core", "pool", "poolv", "poolc"]).chain(BOND.iter().copied()).chain(["lacp"]).chain(INSTALLER.iter().copied()) {
        let unknown = assembly::unknown(&listing_of(unit));
        assert!(unknown.is_empty(), "{unit} calls {unknown:?}");
    }
}

#[test]
fn places_where_a_rule_does_not_hold_do_the_same_as_they_were_written() {
    validate(&[MADE], true);
}

#[test]
fn the_pool_does_the_same_as_it_was_compiled() {
    validate(&["pool", "poolv", "poolc"], true);
}

#[test]
fn lacp_does_the_same_as_it_was_compiled() {
    validate(&["lacp"], true);
}

#[test]
fn the_bond_does_the_same_as_it_was_compiled() {
    validate(BOND, true);
}

#[test]
fn the_installer_does_the_same_as_it_was_compiled() {
    validate(INSTALLER, false);
}

/// Whether one of [`MUTATED`] stays in memory.
fn is_resident(unit: &str) -> bool {
    !unit.starts_with("find_") && !unit.starts_with("start_")
}

/// One mistake of the pass; where it was caught, or how many entries it changed without being caught.
fn caught(units: &[(&str, String, bool)], mistake: Mistake) -> Result<String, usize> {
    let mut changed = 0;
    for (unit, whole, resident) in units {
        let write = |options| narrow_by(whole, &MEMORY, kind(*resident), options);
        let right = write(Options::default()).unwrap();
        let wrong = match write(Options::default().wrong(mistake)) {
            Ok(wrong) if wrong == right => continue,
            Ok(wrong) => wrong,
            Err(why) => return Ok(format!("{unit}: refused: {why}")),
        };
        let differs = |name: &str| listing::closure(&right, name) != listing::closure(&wrong, name);
        let written = [("narrow", wrong.clone())];
        let pair = Pair { unit, whole, written: &written, resident: *resident, listed: &|_| true };
        match pair.check(|entry| differs(&entry.name)) {
            Ok(_) => changed += 1,
            Err(why) => return Ok(why.lines().next().unwrap_or_default().to_string()),
        }
    }
    Err(changed)
}

#[test]
fn each_mistake_of_the_pass_is_caught() {
    pack::build().unwrap();
    let units: Vec<(&str, String, bool)> = MUTATED.iter().map(|unit| (*unit, listing_of(unit), is_resident(unit))).collect();
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        match caught(&units, *mistake) {
            Ok(place) => println!("{mistake:?}: {place}"),
            Err(changed) => {
                println!("{mistake:?}: missed, in {changed} units");
                missed.push(format!("{mistake:?} ({changed} units)"));
            }
        }
    }
    println!("        {} of {} mistakes of the pass are caught", MISTAKES.len() - missed.len(), MISTAKES.len());
    assert!(missed.is_empty(), "not caught: {}", missed.join(", "));
}

#[test]
fn without_any_one_rule_the_others_do_the_same() {
    pack::build().unwrap();
    let listings: Vec<(&str, String)> = MUTATED.iter().map(|unit| (*unit, listing_of(unit))).collect();
    for (rule, name, _) in RULES {
        let mut changed = false;
        for (unit, whole) in &listings {
            let resident = is_resident(unit);
            let write = |options| narrow_by(whole, &MEMORY, kind(resident), options).unwrap_or_else(|why| panic!("{unit} without {name}: {why}"));
            let without = write(Options::default().without(*rule));
            changed |= without != write(Options::default());
            if WITHOUT.contains(unit) {
                let pair = Pair { unit, whole, written: &[("without", without)], resident, listed: &|_| true };
                pair.check(|_| true).unwrap_or_else(|why| panic!("without {name}: {why}"));
            }
        }
        assert!(changed, "{name} changes nothing");
    }
}
