//! Compares the layouts of asm/ with Rust's: every structure and constant of `asm/abi.inc`, the headers of units, and the order
//! of the tables of entries.

use std::collections::BTreeMap;
use std::fs;
use std::mem::{offset_of, size_of};

use compkt::bond::flows::Fields as Flows;
use compkt::bond::{self, Arp, Fields as Bond, Row};
use compkt::control;
use compkt::device::{Counters, Events, Job, LOOKAHEAD};
use compkt::info::{self, Info, NicInfo};
use compkt::install::features::{self, Ctl, Facts, PoolFacts, Table, needs};
use compkt::resident::frame::Frame;
use compkt::memory::arena::Fields as Arena;
use compkt::memory::cache::Fields as Cache;
use compkt::memory::direct::{self, Fields as Direct, List};
use compkt::memory::xms::{End, Move};
use compkt::memory::{FRAMES, Stats, arena, cache, queue};
use compkt::resident::handle::{Handle, MAX_TYPE};
use compkt::resident::several::{Interface, Many, Nic, Stub};
use compkt::resident::table::{
    CHANGED, CLOCK, ENTRIES, Entry, PATCHED, POLLED, STATE, State, Stats as HandleStats, StatsRow, WAITING, WORK, Work,
};
use tools::setup;

fn source(name: &str) -> String {
    fs::read_to_string(setup::root().join("asm").join(name)).unwrap()
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split(';').next().unwrap().trim()
}

/// A number in NASM's syntax.
fn number(text: &str) -> Option<usize> {
    match text.strip_suffix('h') {
        Some(hex) => usize::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Bytes of a unit of `resb`, `dw` and the like.
fn unit(word: &str) -> Option<usize> {
    Some(match word.strip_prefix("res").or_else(|| word.strip_prefix('d'))? {
        "b" => 1,
        "w" => 2,
        "d" => 4,
        "q" => 8,
        _ => return None,
    })
}

/// The values of `STRUC.field`, `STRUC_size` and constants. A line that is not understood fails the test.
fn names(text: &str) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let mut open: Option<(String, usize)> = None;
    for line in text.lines().map(code).filter(|line| !line.is_empty()) {
        if line.starts_with("%macro") {
            break;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = match (&words[..], &mut open) {
            (["struc", name], None) => {
                open = Some((name.to_string(), 0));
                None
            }
            (["endstruc"], Some(_)) => open.take().map(|(name, size)| (format!("{name}_size"), size)),
            // A label at which a table begins.
            ([field], Some((name, offset))) if field.starts_with('.') && field.ends_with(':') => {
                Some((format!("{name}{}", field.trim_end_matches(':')), *offset))
            }
            ([field, width, count], Some((name, offset))) if field.starts_with('.') => {
                let here = *offset;
                // A number, or a constant from above.
                *offset += unit(width).expect(line) * number(count).or_else(|| all.get(*count).copied()).expect(line);
                Some((format!("{name}{field}"), here))
            }
            ([width, count], Some((_, offset))) => {
                *offset += unit(width).expect(line) * number(count).expect(line);
                None
            }
            ([name, "equ", value], None) => Some((name.to_string(), number(value).expect(line))),
            _ => panic!("not understood: {line}"),
        };
        if let Some((name, value)) = known {
            assert_eq!(all.insert(name, value), None, "{line}");
        }
    }
    assert!(open.is_none(), "a structure without an end");
    all
}

/// The labels of a file's unit header with their offsets, and the names in its words.
fn header(text: &str) -> (BTreeMap<String, usize>, Vec<String>) {
    let (mut labels, mut words, mut offset) = (BTreeMap::new(), Vec::new(), 0);
    let lines = text.lines().map(code).skip_while(|line| !line.starts_with("section .unit_header"));
    for mut line in lines.skip(1).take_while(|line| !line.starts_with("section")) {
        if let Some((label, rest)) = line.split_once(':') {
            labels.insert(label.to_string(), offset);
            line = rest.trim();
        }
        let mut count = 1;
        if let Some((number, rest)) = line.strip_prefix("times ").and_then(|rest| rest.split_once(' ')) {
            count = number.parse().unwrap();
            line = rest;
        }
        let Some((width, values)) = line.split_once(' ') else { continue };
        let Some(width) = unit(width) else { continue };
        for value in std::iter::repeat_n(values, count).flat_map(|values| values.split(',')) {
            words.push(value.trim().to_string());
            offset += width;
        }
    }
    (labels, words)
}

macro_rules! fields {
    ($name:literal, $type:ty: $($field:literal = $rust:ident),+ $(,)?) => {
        [$((format!("{}.{}", $name, $field), offset_of!($type, $rust))),+]
    };
}

#[test]
fn structures_and_constants() {
    let mut rust: BTreeMap<String, usize> = BTreeMap::new();
    rust.extend(fields!("FRAME", Frame: "es" = es, "si" = old_si, "ds" = ds, "edi" = di, "esi" = si, "ebx" = bx, "edx" = dx, "ecx" = cx,
        "eax" = ax, "sp" = sp, "ss" = ss));
    // Registers that Rust does not name are where PUSHAD puts EBP and ESP.
    let ebx = offset_of!(Frame, bx);
    rust.extend([("FRAME.ebp".into(), ebx - 8), ("FRAME.fs".into(), ebx - 4), ("FRAME_size".into(), size_of::<Frame>())]);
    rust.extend(fields!("STATE", State: "device" = device, "handles_size" = handles_size, "memory" = memory,
        "stack_second" = stack_second, "int_slot" = int_slot, "irq_slot" = irq_slot, "old_irq" = old_irq,
        "old_int60" = old_int60, "stack" = stack, "segment" = segment, "irq_lone" = irq_lone, "burst" = burst));
    rust.insert("STATE_size".into(), size_of::<State>());
    rust.extend(fields!("JOB", Job: "at" = at, "len" = len, "flags" = flags, "result" = result, "upcall" = upcall,
        "head" = head, "rx" = rx));
    rust.insert("JOB_size".into(), offset_of!(Job, rx) + 2);
    rust.extend(fields!("STATS", HandleStats: "hits" = hits, "searches" = searches));
    rust.extend(fields!("STATS_ROW", StatsRow: "taken" = taken, "refused" = refused, "bytes" = bytes));
    rust.extend(fields!("FACTS", Facts: "entries" = entries, "save" = save, "settle" = settle, "getter" = getter, "known" = known,
        "upcall" = upcall, "handles" = handles, "table" = table, "hold" = hold, "slots" = pool, "xms_handle" = xms_handle,
        "xms_entry" = xms_entry, "migrate" = migrate, "segment" = segment, "command" = command, "region" = region, "int60" = int60, "info" = info, "points" = points,
        "hold_at" = hold_at, "ctl" = ctl, "amis" = amis, "lines" = lines, "algorithm" = algorithm,
        "mask" = mask));
    let (table, pool) = (offset_of!(Facts, table), offset_of!(Facts, pool));
    rust.extend([("FACTS.table_end", table + offset_of!(Table, end)), ("FACTS.bias", table + offset_of!(Table, bias)),
        ("FACTS.base", pool + offset_of!(PoolFacts, base)), ("FACTS.most", pool + offset_of!(PoolFacts, most))].map(|(name, at)| (name.into(), at)));
    rust.insert("FACTS_size".into(), size_of::<Facts>());
    rust.extend(fields!("POOL", Stats: "bytes" = bytes, "buffers" = buffers, "failures" = failures, "waiting" = waiting, "flags" = flags));
    rust.extend(fields!("POOL", Arena: "end" = end, "free" = free, "limit" = limit));
    rust.extend(fields!("POOL", Cache: "full" = full, "half" = half, "near" = near, "handle" = slots));
    assert_eq!(offset_of!(Arena, stats) + offset_of!(Cache, space), 0);
    rust.insert("POOL.slots".into(), offset_of!(Cache, slots) + offset_of!(End, offset));
    rust.insert("POOL_size".into(), offset_of!(Cache, clock));
    rust.extend(fields!("LIST", List: "last" = last, "count" = count));
    rust.insert("LIST_size".into(), size_of::<List>());
    rust.extend(fields!("DIRECT", Direct: "stats" = stats, "used" = used, "free" = free, "queue" = queue, "hold" = hold, "since" = since,
        "slots" = slots, "base" = base, "most" = most, "lists" = lists, "lists_end" = lists_end, "bias" = bias, "left" = left,
        "peeked" = peeked));
    rust.insert("DIRECT_size".into(), size_of::<Direct>());
    // The installer fills in runs of these from runs of those.
    for (from, to, bytes) in [("hold", "hold", 10), ("table", "lists", 6)] {
        assert!(source("pool.asm").contains(&format!("TOLD    {from}, {bytes}, table+DIRECT.{to}\n")));
    }
    let told = |field: &str| rust[&format!("FACTS.{field}")] - rust["FACTS.hold"];
    let filled = |field: &str| rust[&format!("DIRECT.{field}")] - rust["DIRECT.hold"];
    assert_eq!(["slots", "base", "most", "xms_handle"].map(told), [filled("slots"), filled("base"), filled("most"), 10]);
    assert_eq!(offset_of!(Direct, lists_end) - offset_of!(Direct, lists), offset_of!(Table, end));
    assert_eq!(offset_of!(Direct, bias) - offset_of!(Direct, lists), offset_of!(Table, bias));
    rust.extend(fields!("MOVE", Move: "len" = len, "from_handle" = from, "to_handle" = to));
    let offset = offset_of!(End, offset);
    rust.extend([("MOVE.from".into(), offset_of!(Move, from) + offset), ("MOVE.to".into(), offset_of!(Move, to) + offset)]);
    rust.insert("MOVE_size".into(), size_of::<Move>());
    rust.extend(fields!("BOND_ROW", Row: "state" = state, "misses" = misses, "own" = own, "since" = since, "slave" = slave,
        "refused" = refused, "load" = load, "cost" = cost, "given" = given));
    rust.insert("BOND_ROW_size".into(), size_of::<Row>());
    rust.extend(fields!("BOND", Bond: "mode" = mode, "failover" = failover, "period" = period, "hold" = hold, "target" = target,
        "first" = first, "end" = end, "active" = active, "looked" = looked, "left" = left, "full" = full, "moves" = moves,
        "ignored" = ignored, "tell" = tell, "learned" = learned, "head" = head, "arp" = arp));
    rust.insert("BOND_size".into(), size_of::<Bond>());
    rust.extend(fields!("FLOWS", Flows: "algorithm" = algorithm, "sticky" = sticky, "hits" = hits, "moved" = moved, "table" = table,
        "mask" = mask, "swept" = swept));
    rust.insert("FLOWS_size".into(), size_of::<Flows>());
    let constants = [
        ("BOND_HEAD", bond::HEAD),
        ("ARP_SIZE", size_of::<Arp>()),
        ("STATS.rows", size_of::<HandleStats>()),
        ("STATS_size", size_of::<HandleStats>()),
        ("STATS_ROW_size", size_of::<StatsRow>()),
        ("HANDLE_TAKEN", offset_of!(Handle, taken)),
        ("INFO_HANDLES", offset_of!(Info, handles)),
        ("NIC_MAC", offset_of!(Work, nic) + offset_of!(NicInfo, mac)),
        ("NIC_IRQ", offset_of!(Work, nic) + offset_of!(NicInfo, irq)),
        ("NIC_VECTOR", offset_of!(Work, nic) + offset_of!(NicInfo, vector)),
        ("NIC_PCI", offset_of!(Work, nic) + offset_of!(NicInfo, pci)),
        ("NIC_RCV_MODE", offset_of!(Work, nic) + offset_of!(NicInfo, rcv_mode)),
        ("WORK_JOB", offset_of!(Work, job)),
        ("WORK_GROUPS", offset_of!(Work, groups)),
        ("COUNT_ERRORS_OUT", offset_of!(Counters, errors_out)),
        ("COUNT_LOST", offset_of!(Counters, lost)),
        ("IOCB_SIZE", offset_of!(Job, head)),
        ("LOOKAHEAD", LOOKAHEAD),
        ("HANDLE_SIZE", size_of::<Handle>()),
        ("HANDLE_FLAGS", offset_of!(Handle, flags)),
        ("HANDLE_TYPE", offset_of!(Handle, kind)),
        ("HANDLE_IN_USE", Handle::IN_USE.into()),
        ("HANDLE_TYPE_MOST", MAX_TYPE),
        ("POLLED", POLLED.into()),
        ("CHANGED", CHANGED.into()),
        ("CHANGED_BIT", (CHANGED & !Events::OPEN.0).into()),
        ("OPEN", Events::OPEN.0.into()),
        ("LINK", Events::LINK.0.into()),
        ("XMS_FAILED", Stats::XMS_FAILED.into()),
        ("STATS_DIRECT", Stats::DIRECT.into()),
        ("WAITING", WAITING.into()),
        // By the specification: behind twelve bytes of fields and four that are reserved.
        ("IOCB_PRIVATE", offset_of!(Job, head) + 4),
        ("ENTRIES", ENTRIES.into()),
        ("RECORD", size_of::<cache::Record>()),
        ("RECORD_LOW", size_of::<arena::Record>()),
        ("FRAMES", FRAMES),
        // FLAGS are above IP and CS (the processor's order); carry is their bit 0.
        ("CALLER_FLAGS", 4),
        ("FLAG_CARRY", 1),
        // By the specification: bit 0 of an IOCB's flags; Job::UPCALL is bit 1.
        ("IOCB_DONE", usize::from(Job::UPCALL) >> 1),
    ];
    rust.extend(constants.map(|(name, value)| (name.to_string(), value)));

    let assembly = names(&source("abi.inc"));
    for (name, value) in &assembly {
        assert_eq!(rust.get(name), Some(value), "{name} of asm/abi.inc, and what Rust has");
    }
    for name in rust.keys() {
        assert!(assembly.contains_key(name), "asm/abi.inc has no {name}");
    }
}

#[test]
fn records_of_several_nics() {
    let mut rust: BTreeMap<String, usize> = BTreeMap::new();
    // A record begins with its handler.
    rust.extend(fields!("NIC", Stub: "jump" = jump, "old" = old, "sign" = sign, "flag" = flag, "to_reset" = to_reset, "start" = call, "reset" = reset));
    rust.extend(fields!("NIC", Nic: "events" = events, "slot" = slot, "line" = line, "lone" = lone, "entries" = entries, "device" = device,
        "xms" = xms, "pci" = pci, "io" = io, "iface" = iface));
    rust.insert("NIC_size".into(), size_of::<Nic>());
    rust.extend(fields!("MANY", Many: "first" = first, "end" = end, "table" = table, "save" = save, "settle" = settle, "xms" = xms,
        "asked" = asked, "rx" = rx, "out" = out, "switch" = switch, "current" = current, "note" = note, "handler" = handler,
        "count" = count, "receive" = receive, "left" = left));
    rust.insert("MANY_size".into(), size_of::<Many>());
    rust.extend(fields!("IFACE", Interface: "nic" = nic, "groups" = groups, "device" = device, "known" = known, "open" = open,
        "number" = number, "out" = out, "old" = old, "stub" = stub, "call" = call));
    rust.extend([("IFACE.end".into(), size_of::<Interface>()), ("IFACE_size".into(), size_of::<Interface>())]);
    assert_eq!(names(&source("several.inc")), rust);
}

#[test]
fn addresses_of_clients_lie_side_by_side() {
    // LDS loads `old_si` and `ds`; PUSHAD saves SI again, in ESI.
    assert_eq!(offset_of!(Frame, ds), offset_of!(Frame, old_si) + 2);
    // The registers that PUSHAD pushes follow the segments.
    let pushed = offset_of!(Frame, di);
    assert_eq!([offset_of!(Frame, si), offset_of!(Frame, bx), offset_of!(Frame, ax), offset_of!(Frame, sp)], [4, 16, 28, 32].map(|at| pushed + at));
    // A receiver's far address is what BX points to in asm/upcall.asm; an IOCB's is where `job` has it.
    assert_eq!(offset_of!(Handle, receiver), 0);
}

/// The places in the core that every unit knows: in its header (asm/device.asm) and in linker/resident.ld.
#[test]
fn places_in_the_core_that_every_unit_knows() {
    let (_, words) = header(&source("device.asm"));
    assert_eq!(words.last().map(String::as_str), Some("clock"));
    let script = fs::read_to_string(setup::root().join("linker/resident.ld")).unwrap();
    assert!(script.contains(&format!("PROVIDE(core_clock = {CLOCK});")) && script.contains(&format!("PROVIDE(work = {WORK});")));
    assert_eq!(CLOCK + 2, WORK, "`work` lies behind the header");
    let getter = usize::from(STATE) + size_of::<State>();
    for (name, at) in [("core_state", usize::from(STATE)), ("getter", getter), ("busy", getter + 2), ("pending", getter + 3)] {
        assert!(script.contains(&format!("PROVIDE({name} = {at});")), "{name}");
    }
}

#[test]
fn a_driver_s_entries_have_the_order_of_rust_s() {
    let (labels, words) = header(&source("driver.asm"));
    assert_eq!(labels["unit_header"], 0);
    let entries = [
        (Entry::Irq, "irq"),
        (Entry::Unmask, "unmask"),
        (Entry::Peek, "peek"),
        (Entry::Copy, "copy"),
        (Entry::Discard, "discard"),
        (Entry::Send, "send"),
        (Entry::SetRcvMode, "set_rcv_mode"),
        (Entry::SetAddress, "set_address"),
        (Entry::Link, "link"),
        (Entry::Stop, "stop"),
    ];
    for (entry, name) in entries {
        assert_eq!(words[entry as usize], name);
    }
    assert_eq!(words.len(), entries.len());
}

/// The numbers for attaching features are the same in asm/attach.inc and in src/install/features.rs.
#[test]
fn how_features_attach() {
    let text = source("attach.inc");
    fn value(text: &str, name: &str) -> Option<usize> {
        let words = text.lines().map(code).map(|line| line.split_whitespace().collect::<Vec<_>>());
        words.filter(|words| words.first() == Some(&name)).find_map(|words| match words[2..] {
            ["1", "<<", bit] => Some(1 << number(bit)?),
            [value] => number(value),
            [..] => words[2..].iter().step_by(2).map(|of| value(text, of)).sum(),
        })
    }
    let constant = |name: &str| value(&text, name).unwrap_or_else(|| panic!("asm/attach.inc has no {name}"));
    for (name, value) in [
        ("NEEDS_FLAT", needs::FLAT),
        ("NEEDS_FLATI", needs::FLATI),
        ("NEEDS_FLATK", needs::FLATK),
        ("NEEDS_STATS", needs::STATS),
        ("NEEDS_VDS", needs::VDS),
        ("NEEDS_POOL", needs::POOL),
        ("NEEDS_POOLV", needs::POOLV),
        ("NEEDS_POOLC", needs::POOLC),
        ("NEEDS_TICK", needs::TICK),
        ("NEEDS_COUNT", needs::COUNT),
        ("NEEDS_XWORDS", needs::XWORDS),
        ("NEEDS_XBYTES", needs::XBYTES),
        ("NEEDS_XFIFO", needs::XFIFO),
        ("NEEDS_XRINGS", needs::XRINGS),
        ("NEEDS_XPARTS", needs::XPARTS),
        ("NEEDS_CTL", needs::CTL),
        ("NEEDS_CTLP", needs::CTLP),
        ("NEEDS_SEVERAL", needs::SEVERAL),
        ("NEEDS_SHIFT", needs::SHIFT),
        ("BLOCK_FLAT", info::BLOCK_FLAT.into()),
        ("BLOCK_VDS", info::BLOCK_VDS.into()),
        ("BLOCK_STATS", info::BLOCK_STATS.into()),
        ("BLOCK_BUFFERS", info::BLOCK_BUFFERS.into()),
        ("BLOCK_COUNTER", info::BLOCK_COUNTER.into()),
        ("BLOCK_EXAMPLE", info::BLOCK_EXAMPLE.into()),
        ("BLOCK_POOL", info::BLOCK_POOL.into()),
        ("BLOCK_TICK", info::BLOCK_TICK.into()),
        ("BLOCK_CTL", info::BLOCK_CTL.into()),
        ("BLOCK_SHIFT", info::BLOCK_SHIFT.into()),
        ("BLOCK_NICS", info::BLOCK_NICS.into()),
        ("BLOCK_INTERFACES", info::BLOCK_INTERFACES.into()),
        ("BLOCK_MANY", info::BLOCK_MANY.into()),
        ("BLOCK_IFS", info::BLOCK_IFS.into()),
        ("NICS", features::NICS.into()),
        ("POINT_MANY", features::POINT_MANY as u32),
        ("POINT_CALL", features::POINT_CALL as u32),
        ("BLOCK_LISTS", info::BLOCK_LISTS.into()),
        ("BLOCK_XWORDS", info::BLOCK_XWORDS.into()),
        ("BLOCK_XBYTES", info::BLOCK_XBYTES.into()),
        ("BLOCK_XFIFO", info::BLOCK_XFIFO.into()),
        ("BLOCK_XRINGS", info::BLOCK_XRINGS.into()),
        ("BLOCK_XPARTS", info::BLOCK_XPARTS.into()),
        ("POINT_ENTRIES", features::POINT_ENTRIES as u32),
        ("POINT_FUNCTIONS", features::POINT_FUNCTIONS as u32),
        ("POINT_TICK", features::POINT_TICK as u32),
        ("POINT_POOL", features::POINT_POOL as u32),
        ("POINT_IN", features::POINT_IN as u32),
        ("POINT_OUT", features::POINT_OUT as u32),
        ("POINT_LINEAR", features::POINT_LINEAR as u32),
        ("POINT_HOLD", features::POINT_HOLD as u32),
        ("OPERAND", features::OPERAND.into()),
    ] {
        assert_eq!(constant(name), value as usize, "{name}");
    }
    assert_eq!(constant("PATCH_FAREWELL") + 1, PATCHED.len());
    let lines: Vec<&str> = text.lines().map(code).collect();
    for (name, op) in [
        ("PROVIDES", features::PROVIDES),
        ("TAKES", features::TAKES),
        ("CALLED", features::CALLED),
        ("TOLD", features::TOLD),
        ("BASED", features::BASED),
        ("ONCE", features::ONCE),
        ("HOOKS", features::HOOKS_VECTOR),
        ("INSTEAD", features::INSTEAD),
    ] {
        let at = lines.iter().position(|line| line.starts_with(&format!("%macro {name} "))).expect(name);
        assert!(lines[at + 1].starts_with(&format!("ATTACH {op}, ")), "{name}");
    }
}

/// The ctl features have parameters in the order of `src/control.rs`, limits, places in the core, and numbers of INT 60h's
/// functions of their own.
#[test]
fn the_control_interrupt_has_every_parameter() {
    let text = source("ctl.inc");
    let constant = |name: &str| {
        let line = text.lines().map(code).find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix("equ "));
        number(line.unwrap_or_else(|| panic!("asm/ctl.inc has no {name}")).trim()).expect(name)
    };
    assert_eq!(constant("WORK_AT"), usize::from(WORK));
    assert_eq!(constant("STATE_AT"), usize::from(STATE));
    let about = fs::read_to_string(setup::root().join("src/install/stages/about.rs")).unwrap();
    assert!(about.contains(&format!("pub const VERSION: u16 = 0x{:04x};", constant("VERSION"))));
    assert_eq!(constant("INT_CTL"), usize::from(control::INTERRUPT), "the vector");
    assert_eq!([constant("IRQ"), constant("DISCARD")], [Entry::Irq, Entry::Discard].map(|entry| entry as usize));
    for (name, at) in [
        ("CTL_HOOKED", offset_of!(Ctl, hooked)),
        ("CTL_PORT", offset_of!(Ctl, port)),
        ("CTL_BIT", offset_of!(Ctl, bit)),
        ("CTL_RUN", offset_of!(Ctl, core)),
        ("CTL_OUT", offset_of!(Ctl, core) + 2),
        ("CTL_LINK", offset_of!(Ctl, link)),
        ("CTL_FULL", offset_of!(Ctl, full)),
        ("CTL_CACHE", offset_of!(Ctl, cache)),
        ("CTL_SPAN", offset_of!(Ctl, span)),
        ("CTL_WANTED", offset_of!(Ctl, pending)),
    ] {
        assert_eq!(constant(name), at, "{name}");
    }
    let lines: Vec<&str> = text.lines().map(code).collect();
    let [pool, bytes] = [true, false].map(|pool| -> Vec<&str> {
        let mut kept = true;
        let mut form = Vec::new();
        for line in &lines {
            match *line {
                "%ifdef WITH_POOL" => kept = pool,
                "%else" => kept = !kept,
                "%endif" => kept = true,
                line if kept => form.push(line),
                _ => {}
            }
        }
        form
    });
    // The words or bytes from one label to another.
    let table = |form: &[&str], data: &str, label: &str, end: &str| -> Vec<String> {
        let rows = form.iter().skip_while(|line| !line.starts_with(label)).take_while(|line| !line.starts_with(end));
        rows.filter_map(|line| line.split_once(data)).flat_map(|(_, words)| words.split(", ")).map(|word| word.trim().to_string()).collect()
    };
    let value = |word: &str| -> i64 {
        word.split(" - ").map(|part| part.parse().unwrap_or(if part == "CACHE_LEAST" { constant(part) } else { control::SPURIOUS.into() } as i64)).reduce(|a, b| a - b).unwrap()
    };
    let parameters = |last: u8| &control::PARAMETERS[usize::from(control::BURST) - 1..usize::from(last)];
    assert_eq!([control::MODE, control::ADDRESS, control::MULTICAST, control::BURST], [1, 2, 3, 4]);
    // With a pool, `places` has the values in the order of their numbers, and `limits` their least and greatest ones.
    let places = table(&pool, "dw ", "places:", "polled:");
    let order = [control::POLL, control::LEVEL, control::INTERVAL, control::HOLD, control::MEDIA, control::XMS, control::MIGRATE];
    assert_eq!(order.map(|number| places[usize::from(number) - 1].as_str()), ["polled", "level", "interval", "0", "wanted", "wanted_xms", "migrate"]);
    assert_eq!(places.len(), 11);
    let limits: Vec<i64> = table(&pool, "dw ", "limits:", "told:").iter().map(|word| value(word)).collect();
    let expected: Vec<i64> = parameters(control::MIGRATE).iter().flat_map(|of| [of.low, of.high - of.low]).map(i64::from).collect();
    // The installer tells the greatest MIGRATE: the cache's size.
    assert_eq!(limits[..], expected[..expected.len() - 1]);
    // Without one, the bytes from `polled` on lie in the order of their numbers, and only BURST begins with 1.
    assert_eq!(table(&bytes, "db ", "places:", "polled:").len(), 4);
    let own: Vec<&str> = bytes.iter().skip_while(|line| !line.starts_with("polled:")).filter_map(|line| line.split_once(':')).map(|(name, _)| name).take(5).collect();
    assert_eq!(own, ["polled", "level", "interval", "link", "wanted"], "`link` in the place of HOLD");
    let spans: Vec<i64> = table(&bytes, "db ", "spans:", "LAST_EVENT").iter().map(|word| value(word)).collect();
    for (span, of) in spans.iter().zip(parameters(control::MEDIA)) {
        let least = u16::from(of.number == control::BURST);
        assert!(of.number == control::HOLD || (of.low, i64::from(of.high - of.low)) == (least, *span), "{}", of.name);
    }
    assert_eq!(spans.len(), parameters(control::MEDIA).len());
    assert_eq!(constant("CACHE_LEAST"), usize::from(compkt::memory::SLOT));
    let signature = format!("signature:      db '{}", std::str::from_utf8(&control::PRODUCT).unwrap());
    assert!(lines.iter().any(|line| line.starts_with(&signature)));
}

/// Features that take a driver's entries use the entries' numbers.
#[test]
fn features_know_a_driver_s_entries() {
    equals("flat.inc", "2 * ", &[("IRQ", Entry::Irq)]);
    assert!(source("flat.inc").contains(&format!("DRIVER_ENTRIES equ {}\n", ENTRIES / 2)));
    equals("stats.asm", "", &[("PEEK", Entry::Peek), ("COPY", Entry::Copy), ("DISCARD", Entry::Discard)]);
    equals("count.asm", "", &[("TAKE", Entry::Copy)]);
    let (labels, _) = header(&source("count.asm"));
    assert_eq!(labels["count"], 0, "PKTCTL looks for it there");
    let pool = source("pool.inc");
    let (labels, _) = header(&pool);
    for (entry, name) in [(Entry::Irq, "irq"), (Entry::Peek, "peek"), (Entry::Copy, "copy"), (Entry::Discard, "discard"), (Entry::Send, "send")] {
        // src/memory/filter.rs calls the entries below at the offsets of a driver's entries.
        assert_eq!(labels[&format!("own_{name}")], 2 * entry as usize);
        assert!(pool.contains(&format!("TAKES   POINT_ENTRIES, {}, own_{name}\n", entry as u8)), "{name}");
    }
    let pool = source("pool.asm");
    let (labels, _) = header(&pool);
    for (entry, name) in [(Entry::Unmask, "unmask"), (Entry::Peek, "peek"), (Entry::Copy, "copy"), (Entry::Discard, "discard"), (Entry::Send, "send")] {
        assert_eq!(labels[&format!("own_{name}")], 2 * entry as usize);
        assert!(pool.contains(&format!("TAKES   POINT_ENTRIES, {}, own_{name}\n", entry as u8)), "{name}");
    }
    assert!(pool.contains(&format!("SLOT    equ {}\n", compkt::memory::SLOT)));
    assert!(pool.contains(&format!("FRAME_AT equ {} ", direct::FRAME)));
    // Operands of instructions with one byte before them.
    for (field, place) in [("entries", "turn.entries"), ("xms_handle", "flat_farewell.xms")] {
        assert!(source("flat.inc").contains(&format!("TOLD    {field}, 2, {place}+1\n")), "{field}");
    }
}

/// The values of the byte by which asm/submit.inc and src/memory/filter.rs communicate.
#[test]
fn a_frame_that_may_wait() {
    let text = source("submit.inc");
    let value = |name: &str| {
        let line = text.lines().map(code).find_map(|line| line.strip_prefix(name)?.trim().strip_prefix("equ "));
        number(line.unwrap().trim()).unwrap()
    };
    assert_eq!(value("SUBMIT_IOCB "), usize::from(queue::Waiting::IOCB));
    assert_eq!(value("SUBMIT ") & value("SUBMIT_IOCB "), 0);
    let rust = fs::read_to_string(setup::root().join("src/memory/filter.rs")).unwrap();
    assert!(rust.contains(&format!("const QUEUED: u8 = {};", value("QUEUED "))));
}

/// The constants of a file are the numbers of entries, times `factor`.
fn equals(file: &str, factor: &str, constants: &[(&str, Entry)]) {
    let text = source(file);
    for (name, entry) in constants {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        assert!(line.ends_with(&format!("equ {factor}{}", *entry as u8)), "{line}");
    }
}

/// The function table of INT 60h has the specification's order.
#[test]
fn int60_s_functions_stand_at_their_numbers() {
    let text = source("int60.asm");
    let table = text.lines().map(code).skip_while(|line| *line != "functions:").skip(1);
    let words = table.take_while(|line| line.starts_with("dw ")).flat_map(|line| line[3..].split(','));
    let words: Vec<&str> = words.map(str::trim).collect();
    let named: Vec<(usize, &str)> = words.iter().copied().enumerate().filter(|(_, name)| *name != "undefined").collect();
    let specification = [
        (1, "driver_info"), (2, "access_type"), (3, "release_type"), (4, "send_pkt"), (5, "terminate"), (6, "get_address"),
        (7, "reset_interface"), (10, "get_parameters"), (11, "as_send_pkt"), (12, "as_send_pkt_iocb"), (13, "drop_pkt"),
        (20, "set_rcv_mode"), (21, "get_rcv_mode"), (22, "set_multicast_list"), (23, "get_multicast_list"),
        (24, "get_statistics"), (25, "set_address"),
        // AH=80h follows the last one.
        (26, "get_info"),
    ];
    assert_eq!(named, specification);
    assert_eq!(words.len(), 27);
}
