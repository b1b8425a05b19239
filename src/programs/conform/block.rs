//! Checks that the information block (INT 60h AH=80h) agrees with the specification's functions.

use crate::Machine;
use compkt::programs::rt::check::Checks;
use crate::mailbox::{self, PLAIN};
use compkt::info::{Block, Info, NicInfo, STACK_CANARY};
use compkt::programs::rt::Far;
use compkt::resident::handle::Handle;
use core::mem::offset_of;

pub fn run(checks: &mut Checks, machine: &Machine) {
    let driver = machine.driver;
    if !machine.ours {
        return;
    }
    let handle = driver.access(1, &[0x90, 0x30], mailbox::receiver(&driver, PLAIN)).unwrap_or(0);
    let Some(block) = driver.block() else { return };
    let info = &block.info;
    checks.equal(c"block: size of its head", size_of::<Info>() as u32, info.size as u32);
    checks.equal(c"block: size of a NIC's part", size_of::<NicInfo>() as u32, info.nic_size as u32);
    checks.equal(c"block: size of a block's part", size_of::<Block>() as u32, info.block_size as u32);
    checks.equal(c"block: vector", driver.vector as u32, info.vector as u32);
    checks.equal(c"block: segment", block.at.segment() as u32, info.segment as u32);
    let nic = (0..info.nic_count).filter_map(|i| block.nic(i)).find(|nic| nic.vector == driver.vector);
    checks.holds(c"block: a NIC answers on this vector", nic.is_some(), c"one");
    if let (Some(nic), Ok(about)) = (nic, driver.info()) {
        checks.same(c"block: name is driver_info's", &nic.name, about.name.get(..nic.name.len()).unwrap_or(&[]));
        checks.same(c"block: address is get_address's", &nic.mac, &driver.address(handle).unwrap_or([0; 6]));
        checks.same(c"block: ROM address", &nic.rom, &machine.mac);
        checks.equal(c"block: receive mode is get_rcv_mode's", nic.rcv_mode as u32, driver.rcv_mode(handle).unwrap_or(0xFF) as u32);
        checks.holds(c"block: link is known or unknown", nic.link <= 2, c"0 to 2");
        checks.holds(c"block: IRQ", nic.irq < 16, c"0 to 15");
    }
    let mut sum = 0;
    for i in 0..info.block_count {
        if let Some(part) = block.block(i) {
            checks.holds(c"block: kind and place of a part", part.place <= 1 && matches!(part.kind, 1..=6 | 8 | 9 | 11..=14 | 16..=28 | 32..=35), c"known ones");
            sum += if part.place == 0 { part.size as u32 } else { 0 };
        }
    }
    let resident = info.paragraphs as u32 * 16;
    checks.holds(c"block: parts fill the resident size", sum <= resident && sum + 32 > resident, c"a sum within 32 bytes of it");
    let in_use = |i: u8| {
        let at = info.handles + i as u16 * info.handle_size as u16 + offset_of!(Handle, flags) as u16;
        (Far::new(block.at.segment(), at).read16() as u8 & Handle::IN_USE != 0) as u32
    };
    checks.equal(c"block: one handle in use", 1, (0..info.handle_count).map(in_use).sum());
    let (low, top) = (info.stack_low, info.stack_top);
    checks.holds(c"block: the stack lies within", low < top && top as u32 <= resident, c"low < top <= size");
    let canary = Far::new(block.at.segment(), low).read16();
    checks.equal(c"block: the stack was never used to its end", STACK_CANARY as u32 * 0x101, canary as u32);
    let _ = driver.release(handle);
}
