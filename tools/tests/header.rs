//! `3compkt.h` describes the information block as `src/info.rs` does.

use compkt::device::Link;
use compkt::info::{self, Block, Info, NicInfo};
use compkt::memory::Stats as PoolStats;
use compkt::resident::table::{Stats, StatsRow};
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
    expected.extend(fields!("block", Block: kind place size));
    expected.extend(fields!("stats", Stats: hits searches));
    expected.extend(fields!("stats_row", StatsRow: taken refused bytes));
    expected.extend(values!(LAYOUT FLAG_DEVICE FLAG_UPPER FLAG_V86 FLAG_MASKED STACK_CANARY NOT_PCI));
    expected.extend([("LINK_DOWN", Link::Down as usize), ("LINK_UP", Link::Up as usize), ("LINK_UNKNOWN", Link::Unknown as usize)]);
    expected.extend(values!(BLOCK_CORE BLOCK_NIC BLOCK_INSTANCE BLOCK_HANDLES BLOCK_STACK BLOCK_RINGS BLOCK_BUFFERS BLOCK_STATS BLOCK_FLAT BLOCK_VDS BLOCK_COUNTER BLOCK_POOL BLOCK_TICK BLOCK_EXAMPLE BLOCK_LISTS BLOCK_XWORDS
        BLOCK_XBYTES BLOCK_XFIFO BLOCK_XRINGS BLOCK_XPARTS));
    expected.push(("POOL_XMS_FAILED", usize::from(PoolStats::XMS_FAILED)));
    let got: Vec<_> = tools::header::layout().into_iter().map(|(name, value)| (name, value as usize)).collect();
    assert_eq!(got, expected);
    assert_eq!(tools::header::signature(), info::SIGNATURE);
}
