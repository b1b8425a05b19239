//! Other packet drivers, and other copies of this one.

use crate::bus::Addr;
use crate::bus::real::address;
use crate::info::{Info, LAYOUT, NicInfo, SIGNATURE};
use crate::install::dos::{far, peek, peek_into, regs, vector};

/// True when a packet driver answers at this vector.
#[inline(never)]
pub fn is_packet_driver(number: u8) -> bool {
    let entry = vector(number);
    entry != 0 && peek::<[u8; 9]>(far(entry).plus(3)) == *b"PKT DRVR\0"
}

/// Where the information block of a driver of ours lies, of any layout.
#[inline(never)]
pub fn info_at(number: u8) -> Option<Addr> {
    if !is_packet_driver(number) {
        return None;
    }
    let regs = regs(0x8000);
    let answered = regs.interrupt(number);
    let at = address(regs.es, regs.di);
    (answered && peek::<[u8; 4]>(at) == SIGNATURE).then_some(at)
}

/// Is this a driver of ours, of any layout?
pub fn is_ours(number: u8) -> bool {
    info_at(number).is_some()
}

/// The information block of our own driver at this vector.
#[inline(never)]
pub fn ours(number: u8) -> Option<(Info, NicInfo)> {
    let at = info_at(number)?;
    if peek::<u8>(at.plus(4)) != LAYOUT {
        return None;
    }
    // SAFETY: both are plain data, for which zero is a value.
    let (mut info, mut nic): (Info, NicInfo) = unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    peek_into(at, &mut info);
    peek_into(address(info.segment, info.nics), &mut nic);
    Some((info, nic))
}
