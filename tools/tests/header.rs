//! `3compkt.h` describes the information block as `src/info.rs` does, and the control interrupt as `src/control.rs` does;
//! `3compkt.inc` says of the latter the same for NASM.

use compkt::bond::flows::Fields as Flows;
use compkt::bond::{Fields as Bond, Head, Row};
use compkt::control::{self, PARAMETERS};
use compkt::device::Link;
use compkt::info::{self, Block, Info, NicInfo};
use compkt::memory::Stats as PoolStats;
use compkt::resident::table::{Stats, StatsRow};
use std::collections::BTreeMap;
use std::fs;
use std::mem::{offset_of, size_of};

macro_rules! fields {
    ($name:literal, $type:ty: $($field:ident)*) => {
        [($name, size_of::<$type>()), $((concat!($name, ".", stringify!($field)), offset_of!($type, $field))),*]
    };
}

macro_rules! values {
    ($($name:ident)*) => { [$((stringify!($name), info::$name as usize)),*] };
}

#[test]
fn c_and_rust_agree() {
    let mut expected = Vec::new();
    expected.extend(fields!("info", Info: signature layout size version vector amis flags segment paragraphs handles
        handle_count handle_size nics nic_count nic_size blocks block_count block_size stack_low stack_top pool));
    expected.extend(fields!("pool", PoolStats: bytes buffers hits misses evictions failures waiting flags));
    expected.extend(fields!("nic", NicInfo: name rom mac io irq link pci rcv_mode vector));
    expected.extend(fields!("bond_head", Head: flows fields));
    // What lies behind these is the driver's own.
    expected.extend(&fields!("bond", Bond: mode failover period hold target first end active left moves ignored)[1..]);
    expected.extend(fields!("bond_row", Row: state misses own since load cost given sent received));
    expected.extend([("NIC_USABLE", Row::USABLE), ("NIC_NO_LINK", Row::NO_LINK), ("NIC_SILENT", Row::SILENT), ("NIC_OUT", Row::OUT)].map(|(name, bit)| (name, usize::from(bit))));
    expected.extend(fields!("flows", Flows: algorithm sticky hits moved table hook));
    expected.extend(fields!("block", Block: kind place size));
    expected.extend(fields!("stats", Stats: hits searches));
    expected.extend(fields!("stats_row", StatsRow: taken refused bytes));
    expected.extend(values!(LAYOUT FLAG_DEVICE FLAG_UPPER FLAG_V86 FLAG_MASKED FLAG_BOND STACK_CANARY NOT_PCI));
    expected.extend([("LINK_DOWN", Link::Down as usize), ("LINK_UP", Link::Up as usize), ("LINK_UNKNOWN", Link::Unknown as usize)]);
    expected.extend(values!(BLOCK_CORE BLOCK_NIC BLOCK_INSTANCE BLOCK_HANDLES BLOCK_STACK BLOCK_RINGS BLOCK_BUFFERS BLOCK_STATS BLOCK_FLAT BLOCK_VDS BLOCK_COUNTER BLOCK_POOL BLOCK_TICK BLOCK_EXAMPLE BLOCK_SHIFT BLOCK_NICS BLOCK_INTERFACES BLOCK_MANY BLOCK_IFS BLOCK_REAP BLOCK_LISTS BLOCK_CTL
        BLOCK_XWORDS BLOCK_XBYTES BLOCK_XFIFO BLOCK_XRINGS BLOCK_XPARTS BLOCK_BOND BLOCK_FLOWS BLOCK_DOUBLES BLOCK_LACP BLOCK_SHARE BLOCK_ROM_CODE BLOCK_ROM_DATA BLOCK_ROM_STACK BLOCK_ROM_FRAMES));
    expected.push(("POOL_XMS_FAILED", usize::from(PoolStats::XMS_FAILED)));
    expected.extend(fields!("log", control::Entry: ticks event detail));
    let names: Vec<String> = control_names();
    expected.extend(names.iter().map(String::as_str).zip(control_values()));
    let got: Vec<_> = tools::header::layout().into_iter().map(|(name, value)| (name, value as usize)).collect();
    assert_eq!(got, expected);
    assert_eq!(tools::header::signature(), info::SIGNATURE);
}

/// The names that `3compkt.h` gives to the numbers of the control interrupt, without `COMPKT_`.
fn control_names() -> Vec<String> {
    let numbers = [("CTL", control::FUNCTIONS), ("CTL", control::RESULTS), ("EVENT", control::EVENTS)];
    let mut names: Vec<String> =
        numbers.iter().flat_map(|(group, list)| list.iter().map(move |(name, ..)| format!("{group}_{name}"))).collect();
    names.extend(control::CONSTANTS.iter().map(|name| format!("PARAM_{name}")));
    names.extend(["LOG_ENTRIES", "CALLBACKS"].map(str::to_string));
    names
}

/// And the numbers, in the same order.
fn control_values() -> Vec<usize> {
    let numbers = [control::FUNCTIONS, control::RESULTS, control::EVENTS];
    let mut values: Vec<usize> = numbers.iter().flat_map(|list| list.iter().map(|(_, value, _)| usize::from(*value))).collect();
    values.extend(PARAMETERS.iter().map(|parameter| usize::from(parameter.number)));
    values.extend([control::LOG_ENTRIES, control::CALLBACKS]);
    values
}

/// The NASM include has every number of the control interrupt, and the log's entry, as the C header has them.
#[test]
fn nasm_and_rust_agree() {
    let text = fs::read_to_string(tools::setup::root().join("src/programs/3compkt.inc")).unwrap();
    let number = |text: &str| match text.strip_suffix('h') {
        Some(hex) => usize::from_str_radix(hex, 16),
        None => text.parse(),
    };
    let (mut got, mut fields, mut offset) = (BTreeMap::new(), Vec::new(), 0);
    for line in text.lines().map(|line| line.split(';').next().unwrap()) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name, "equ", value] => assert_eq!(got.insert(name.to_string(), number(value).expect(line)), None, "{line}"),
            [field, "resb", bytes] => {
                fields.push((field.to_string(), offset));
                offset += bytes.parse::<usize>().expect(line);
            }
            [] | ["struc", "COMPKT_LOG"] | ["endstruc"] => {}
            _ => panic!("{line}"),
        }
    }
    let mut expected: BTreeMap<String, usize> =
        control_names().iter().map(|name| format!("COMPKT_{name}")).zip(control_values()).collect();
    expected.insert("COMPKT_GET_INFO".into(), 0x80);
    expected.insert("COMPKT_INFO_AMIS".into(), offset_of!(Info, amis));
    expected.insert("COMPKT_INFO_NICS".into(), offset_of!(Info, nics));
    expected.insert("COMPKT_NIC_IO".into(), offset_of!(NicInfo, io));
    expected.insert("COMPKT_BOND_FLOWS".into(), offset_of!(Head, flows));
    expected.insert("COMPKT_FLOWS_HOOK".into(), offset_of!(Flows, hook));
    expected.insert("COMPKT_CALLBACK".into(), u32::from_le_bytes(control::CALLBACK) as usize);
    assert_eq!(got, expected);
    let entry = fields!("", control::Entry: ticks event detail);
    assert_eq!(fields, entry[1..].iter().map(|(name, at)| (name.to_string(), *at)).collect::<Vec<_>>());
    assert_eq!(offset, entry[0].1);
}
