//! Whether routines in assembly do what routines.rs says of them, which the pass relies on: from two states that differ only
//! in what a routine does not read it does the same, and what it may not change is as it was.

use std::collections::BTreeSet;
use std::process::Command;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSymbol};
use tools::process::TempDir;
use tools::random::Random;
use tools::setup;

use crate::contract::{Entry, Result as Answer};
use crate::hooks::{AX, BX, DX, Event};
use crate::machine::{Ended, Machine, Outcome};
use crate::routines::{A, B, D, Routine, routine};
use crate::state::State;
use crate::unit::{Form, Outside, Program, link_objects};

/// A file in asm/, its routines that are run here, and whether an `asm!` calls them.
pub const CHECKED: &[(&str, bool, &[&str])] = &[
    ("strings", true, &["ins_words", "ins_bytes", "ins_fifo", "outs_words", "outs_bytes", "outs_fifo", "ring_to_client", "client_to_ring"]),
    ("rings", true, &["flat_take", "flat_take_frame", "flat_give_frame"]),
    ("crc", false, &["crc_high"]),
    ("clock", false, &["clock"]),
    ("int60", false, &["note_change"]),
    ("transfer", false, &["fetch_ds_si", "fetch_es_di", "fetch_iocb", "count_groups", "fetch_frame", "store_address", "store_result", "alike"]),
];

/// Routines that are not, with the reason.
pub const NOT_CHECKED: &[(&str, &str)] = &[
    ("upcall", "goes on in a client"),
    ("tell_client", "goes on in a client"),
    ("pci_bios", "goes on in the BIOS"),
    ("software_interrupt", "goes on in DOS or the BIOS"),
    ("far_call", "goes on in the XMS driver"),
    ("rom_call", "goes on in a ROM"),
    ("xms_top", "goes on in the XMS driver and the BIOS"),
    ("tell_text", "goes on in DOS"),
    ("move_block", "goes on in the XMS driver"),
    ("move_up", "moves the stack that it runs on"),
    ("a20_gate", "enters protected mode"),
    ("visit_", "enter protected mode"),
    ("mem", "have C's calling convention"),
    ("bcmp", "has C's calling convention"),
    ("now", "is part of the units of pool and bond"),
    ("link_of", "goes on in a driver"),
    ("send_by", "goes on in a driver"),
    ("current", "is part of the bond's units"),
    ("wanted", "goes on in a client"),
    ("compose", "is part of the bond's unit"),
    ("fetch_head", "is part of the bond's unit"),
    ("ask_nic", "goes on in a driver"),
    ("aim", "is part of LACP's unit"),
    ("exchange", "is part of the bond's unit"),
    ("mark_done", "is part of the pool's unit"),
    ("fetch", "is part of the pool's unit"),
    ("give", "is part of the pool's unit"),
    ("xms_record", "is part of the pool's unit"),
    ("xms_through", "is part of the pool's unit"),
    ("xms_head", "is part of the pool's unit"),
    ("xms_give", "is part of the pool's unit"),
    ("xms_fetch", "is part of the pool's unit"),
];

/// Runs of each routine.
const RUNS: u32 = 200;
/// Of which so many at least come back.
const LEAST: u32 = 20;

/// A file of asm/ as a program, with data for what it names outside.
pub fn assembled(file: &str) -> Program {
    let folder = TempDir::new("routines").unwrap();
    let (source, object) = (setup::root().join("asm"), folder.path().join("unit.o"));
    let mut nasm = Command::new(setup::nasm().unwrap());
    let done = nasm.arg("-felf32").arg(format!("-I{}/", source.display())).arg("-o").arg(&object).arg(source.join(format!("{file}.asm"))).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let data = std::fs::read(&object).unwrap();
    let elf = ElfFile32::<object::Endianness>::parse(&*data).unwrap();
    let undefined = elf.symbols().filter(|symbol| symbol.is_undefined()).filter_map(|symbol| symbol.name().ok().map(str::to_string));
    let outside = Outside::data(undefined.filter(|name| !name.is_empty()).collect());
    link_objects(&folder, &outside, Form::Narrow, 0, &[], &[]).unwrap_or_else(|why| panic!("{file}: {why}"))
}

/// Whether a routine of a program does what is said of it.
///
/// # Errors
/// What it does otherwise.
fn check(program: &Program, machine: &mut Machine, name: &str, said: Routine) -> Result<(), String> {
    let entry = Entry { name: name.into(), result: Answer::Registers, keeps: true, private: false };
    let (mut random, constants) = (Random::new(1), std::rc::Rc::from([]));
    let mut well = 0;
    for run in 0..RUNS {
        let first = State::fresh(&mut random, &constants);
        let mut second = first.clone();
        for (bit, number) in [(A, AX), (B, BX), (D, DX)] {
            let unread = match (said.reads & bit, said.whole & bit) {
                (0, _) => u32::MAX,
                (_, 0) => 0xFFFF_0000,
                _ => 0,
            };
            second.registers[number] ^= random.word() & unread;
        }
        let outcomes = [&first, &second].map(|state| machine.run(program, &entry, state, 0, true, None));
        let seen = |outcome: &Outcome| outcome.events.iter().filter(|event| !matches!(event, Event::End(_))).cloned().collect::<Vec<_>>();
        if outcomes[0].ended != outcomes[1].ended || seen(&outcomes[0]) != seen(&outcomes[1]) {
            return Err(format!("{name}, run {run}: reads more than is said of it"));
        }
        for (state, outcome) in [&first, &second].into_iter().zip(&outcomes).filter(|(_, outcome)| outcome.ended == Ended::Well) {
            well += 1;
            let Some(Event::End(values)) = outcome.events.last() else { return Err(format!("{name}: no end")) };
            // SP, DF, five segments, EAX, EBX, EDX, and by how much ECX, EBP, ESI and EDI differ.
            let changed = [(A, AX), (B, BX), (D, DX)].into_iter().zip(&values[7..10]).any(|((bit, number), now)| said.changes & bit == 0 && *now != state.registers[number]);
            if changed || values[10..] != [0; 4] || values[..2] != [0; 2] {
                return Err(format!("{name}, run {run}: changes more than is said of it: {values:x?}"));
            }
        }
    }
    if well < LEAST { Err(format!("{name}: {well} of {} runs came back", 2 * RUNS)) } else { Ok(()) }
}

/// Checks all of [`CHECKED`]; how many.
pub fn check_all() -> usize {
    let mut count = 0;
    for (file, inline, names) in CHECKED {
        let program = assembled(file);
        let mut machine = Machine::new(&program);
        for name in *names {
            check(&program, &mut machine, name, routine(name, *inline)).unwrap_or_else(|why| panic!("asm/{file}.asm: {why}"));
            count += 1;
        }
    }
    count
}

/// Whether the check sees what is said wrongly.
pub fn notices(file: &str, name: &str, said: impl Fn(Routine) -> Routine) -> bool {
    let program = assembled(file);
    check(&program, &mut Machine::new(&program), name, said(routine(name, true))).is_err()
}

/// Routines that a unit calls, and of which nobody has said anything.
pub fn unknown(listing: &str) -> BTreeSet<String> {
    let checked = |name: &str| CHECKED.iter().any(|(_, _, names)| names.contains(&name));
    let excused = |name: &str| NOT_CHECKED.iter().any(|(known, _)| *known == name || ["visit_", "mem"].contains(known) && name.starts_with(known));
    Outside::of(listing).called().filter(|name| !checked(name) && !excused(name)).map(str::to_string).collect()
}
