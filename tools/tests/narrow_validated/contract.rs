//! What asm/abi.inc and the callers promise, told once more: the validation does not ask the pass.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::layout::{DATA, FAR, SLOT, THINGS};
use crate::unit::SLOT_ENTRY;

/// A function that is called from outside of its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its symbol.
    pub name: String,
    /// What its caller looks at.
    pub result: Result,
    /// The caller wants its registers back.
    pub keeps: bool,
    /// It is called from inside its unit only: the pass may have given it another calling convention. It gets words, in
    /// EAX and as all of its arguments on the stack the same one, and nobody looks at its result or at high halves.
    pub private: bool,
}

impl Entry {
    /// A function that is called from inside its unit only.
    pub fn private(name: &str) -> Entry {
        Entry { name: name.into(), result: Result::Nothing, keeps: true, private: true }
    }
}

/// What a caller looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// Nothing.
    Nothing,
    /// AL.
    Byte,
    /// AX.
    Word,
    /// EAX, EBX and EDX, for a routine in assembly.
    Registers,
    /// AX and DX: a pair, by a pointer that only Rust calls.
    Pair,
}

/// A resident unit's entries without a result (src/units/mod.rs, src/units/core.rs).
const NO_RESULT: &[&str] = &["unmask", "peek", "copy", "discard", "stop", "catch_up", "release"];
/// The same of a driver; the core has functions of these names with one.
const NO_RESULT_OF_DRIVERS: &[&str] = &["set_rcv_mode", "set_address"];
/// A driver's entries of whose result the core, its filters and asm/tick.asm read AL alone: it is a byte, AH may be anything.
const BYTE_OF_DRIVERS: &[&str] = &["irq", "send"];
/// Those of LACP, of which [`LACP`] has the name, with a result of a byte; the others have none.
const BYTE_OF_LACP: &[&str] = &["tick", "receive"];
/// An entry that no other resident unit has.
const LACP: &str = "fill";
/// Those of the core that asm/int60.asm and asm/irq.asm call where all registers are saved.
const SAVED: &[&str] = &[
    "access_type", "as_send_pkt", "as_send_pkt_iocb", "catch_up", "drop_pkt", "get_address", "get_info", "get_multicast_list",
    "release_type", "reset_interface", "send_pkt", "set_address", "set_multicast_list", "set_rcv_mode",
];

/// Entries of discarded units with a result of a byte, and without one, as their mangled names end.
const BYTE: &[&str] = &["4find", "5start", "4line", "3run", "9interrupt", "4open", "4read", "4unit", "4load", "5hooks"];
const NOTHING: &[&str] = &["6unmask", "4stop", "3put", "3say", "3far", "2up"];

/// Those of a driver that asm/irq.asm alone calls, behind `save`.
const SETTLED: &[&str] = &["irq", "unmask", "set_rcv_mode", "set_address"];

/// The entries of a unit: what its listing exports, and what its data or code hold the address of.
pub fn entries(listing: &str, resident: bool) -> Vec<Entry> {
    let mut functions: Vec<&str> = Vec::new();
    let (mut exported, mut named) = (HashSet::new(), BTreeSet::new());
    for line in listing.lines() {
        let text = line.trim();
        if let Some(name) = text.strip_prefix(".type").and_then(|rest| rest.trim().strip_suffix(",@function")) {
            functions.push(name);
        }
        if let Some(name) = text.strip_prefix(".globl") {
            exported.insert(name.trim());
        }
        let (op, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let target = (op.starts_with("call") || op.starts_with('j')) && !operands.contains('*');
        if [".long", ".short"].contains(&op) || !text.starts_with('.') && !target {
            named.extend(operands.split(|letter: char| !(letter.is_ascii_alphanumeric() || "._$@".contains(letter))).map(|word| word.trim_start_matches('$')));
        }
    }
    let core = exported.contains("catch_up");
    let entry = |name: &&str| {
        let keeps = !(resident && (SETTLED.contains(name) || core && SAVED.contains(name)));
        let result = match exported.contains(name) {
            true if resident && exported.contains(LACP) && BYTE_OF_LACP.contains(name) => Result::Byte,
            true if resident && exported.contains(LACP) => Result::Nothing,
            true if resident && NO_RESULT.contains(name) => Result::Nothing,
            true if resident && !core && NO_RESULT_OF_DRIVERS.contains(name) => Result::Nothing,
            true if resident && BYTE_OF_DRIVERS.contains(name) => Result::Byte,
            true => Result::Word,
            // The headers of discarded units (src/install/header.rs), and the kernel's table (src/install/kernel/mod.rs).
            false if !resident && BYTE.iter().any(|end| name.ends_with(end)) => Result::Byte,
            false if !resident && NOTHING.iter().any(|end| name.ends_with(end)) => Result::Nothing,
            false if !resident && name.ends_with("4regs") => Result::Word,
            false => Result::Pair,
        };
        Entry { name: name.to_string(), result, keeps, private: false }
    };
    functions.iter().filter(|name| exported.contains(*name) || named.contains(*name)).map(entry).collect()
}

/// Makes the unit's data, and what it knows of the core's, as the installer and the unit leave them: in range, whatever
/// else it is. `memory` begins with the data.
pub fn prepare(symbols: &HashMap<String, u32>, memory: &mut [u8]) {
    let find = |name: &str| symbols.get(name).map(|at| (at - DATA) as usize);
    if let Some(work) = find("work") {
        let [mode, segment, length, groups] = [30, 35, 37, 72].map(|at| work + at);
        memory[mode] = 1 + memory[mode] % 6;
        // The frame is a client's: it does not lie where code does.
        memory[segment] = (FAR >> 12) as u8;
        // Nobody has asked for one.
        if memory[length] & 3 == 0 {
            memory[segment - 3..=segment].fill(0);
        }
        memory[length] &= 7;
        memory[groups] %= 9;
        memory[groups + 1] = 0;
    }
    if let Some(state) = find("core_state") {
        // The device's near address, and the size of a table of at most eight handles.
        put(memory, state, THINGS as u16 + u16::from(memory[state] & 7) * 0x80);
        put(memory, state + 2, 0);
        put(memory, state + 4, 16 + u16::from(memory[state + 4] & 7) * 16);
    }
    if let Some(pending) = find("pending") {
        // Often nothing but the pool's bit.
        if memory[pending] & 3 == 0 {
            memory[pending] = 8;
        }
    }
    // Slot B, and a unit there (src/install/header.rs).
    if let (Some(header), Some(entry)) = (find("image_header"), symbols.get(SLOT_ENTRY)) {
        put(memory, header + 8, SLOT as u16);
        for at in (0..24).map(|word| (SLOT - DATA) as usize + 2 * word) {
            put(memory, at, if at & 2 == 0 { *entry as u16 } else { 0 });
        }
    }
    if let (Some(frame), true) = (find("frame"), symbols.contains_key(LACP)) {
        // Arguments may point to these places. There a bond's ports begin, with their number.
        (0..0x800).step_by(0x40).for_each(|at| memory[(THINGS - DATA) as usize + at] &= 3);
        // In the frame, the identities of its sender and of the port that heard it are often those that the port knows.
        let port = (THINGS - DATA) as usize + 0x100;
        for (place, known) in [(frame + 20, port + 15), (frame + 40, port)] {
            if memory[place] & 3 == 0 {
                memory.copy_within(known..known + 14, place);
            }
        }
    }
    if let (Some(records), Some(table), Some(kept), Some(waiting)) = (find("records"), find("table"), find("kept_frames"), find("waiting_frames")) {
        // Without XMS a record has four bytes, and its table ends with the arena's limit.
        let record = if symbols.contains_key("move_block") { 6 } else { 4 };
        pool(memory, [records, table, kept, waiting], record);
    }
}

fn put(memory: &mut [u8], at: usize, value: u16) {
    memory[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// The pool's lists (src/memory): frames by their records, at most 1,514 bytes long, in an arena.
fn pool(memory: &mut [u8], [records, table, kept, waiting]: [usize; 4], record: usize) {
    let word = |memory: &[u8], at: usize| u16::from_le_bytes([memory[at], memory[at + 1]]);
    let near = |at: usize| at as u16 + DATA as u16;
    for at in (0..32).map(|number| records + record * number) {
        let (len, start) = (word(memory, at), word(memory, at + 2));
        put(memory, at, if len & 0x3800 == 0 { 0 } else { len % 1515 });
        put(memory, at + 2, if start & 0x3800 == 0 { 0 } else { THINGS as u16 + (start & 0x7FC) });
    }
    let end = 1 + word(memory, table + 16) % 32;
    put(memory, table + 16, near(records) + end * record as u16);
    let free = THINGS as u16 + (word(memory, table + 18) & 0x7FC);
    put(memory, table + 18, free);
    for at in [20, 22, 24].into_iter().take(if record == 6 { 3 } else { 1 }) {
        let more = word(memory, table + at);
        put(memory, table + at, free.wrapping_add(more & 0x7FC).wrapping_sub(if at == 20 { 0 } else { 0x200 }));
    }
    let frame = |memory: &[u8], at: usize| near(records) + record as u16 * (word(memory, at) % end);
    let bytes = word(memory, kept) % 17 * 6;
    put(memory, kept, bytes);
    let open = if bytes == 0 { 0 } else { word(memory, kept + 2) % (bytes / 6 + 1) * 6 };
    put(memory, kept + 2, open);
    let peeked = word(memory, kept + 4);
    put(memory, kept + 4, if peeked & 7 == 0 { 0 } else { near(kept + 6) + peeked % 16 * 6 });
    for at in (0..16).map(|number| kept + 6 + 6 * number) {
        let (name, handle) = (frame(memory, at), word(memory, at + 2));
        put(memory, at, name);
        put(memory, at + 2, if handle & 7 == 0 { 0 } else { THINGS as u16 + (handle & 0x170) });
    }
    let bytes = word(memory, waiting) % 17 * 10;
    put(memory, waiting, bytes);
    for at in (0..16).map(|number| waiting + 4 + 10 * number) {
        let name = frame(memory, at) | word(memory, at) >> 15;
        put(memory, at, name);
    }
}
