//! A packet driver for its clients: calls of INT 60h, or of another vector.

use super::blocks::block_of;
use super::{Far, Regs, Shared, int, psp, vector};
use crate::bus::either::in_v86;
use crate::device::MacAddr;
use crate::info::{self, Info, NicInfo};
use crate::mcb;

/// The specification's error codes, in DH.
pub mod error {
    use core::ffi::CStr;

    /// No such handle.
    pub const BAD_HANDLE: u8 = 1;
    /// No interface of that class.
    pub const NO_CLASS: u8 = 2;
    /// No interface of that type.
    pub const NO_TYPE: u8 = 3;
    /// No interface of that number.
    pub const NO_NUMBER: u8 = 4;
    /// The packet type makes no sense.
    pub const BAD_TYPE: u8 = 5;
    /// The driver has no multicast.
    pub const NO_MULTICAST: u8 = 6;
    /// The driver cannot be unloaded.
    pub const CANT_TERMINATE: u8 = 7;
    /// No such receive mode.
    pub const BAD_MODE: u8 = 8;
    /// No room.
    pub const NO_SPACE: u8 = 9;
    /// A handle has this type.
    pub const TYPE_INUSE: u8 = 10;
    /// No such function.
    pub const BAD_COMMAND: u8 = 11;
    /// The frame could not be sent.
    pub const CANT_SEND: u8 = 12;
    /// The address cannot be changed now.
    pub const CANT_SET: u8 = 13;
    /// Not an address, or of the wrong length.
    pub const BAD_ADDRESS: u8 = 14;
    /// The interface cannot be reset now.
    pub const CANT_RESET: u8 = 15;
    /// No such IOCB.
    pub const BAD_IOCB: u8 = 16;

    /// The specification's name of a code.
    #[inline(never)]
    pub fn name(code: u8) -> &'static CStr {
        const NAMES: [&CStr; 17] = [
            c"no error", c"BAD_HANDLE", c"NO_CLASS", c"NO_TYPE", c"NO_NUMBER", c"BAD_TYPE", c"NO_MULTICAST",
            c"CANT_TERMINATE", c"BAD_MODE", c"NO_SPACE", c"TYPE_INUSE", c"BAD_COMMAND", c"CANT_SEND", c"CANT_SET",
            c"BAD_ADDRESS", c"CANT_RESET", c"BAD_IOCB",
        ];
        NAMES.get(code as usize).copied().unwrap_or(c"unknown error")
    }
}

/// A handle from access_type.
pub type Handle = u16;

const MOST_HANDLES: usize = 80;
/// The open handles, each with its vector in the high word; 0: unused. They are released when the program ends.
static OPEN: Shared<[u32; MOST_HANDLES]> = Shared::new([0; MOST_HANDLES]);

#[inline(never)]
fn swap_open(old: u32, new: u32) {
    // SAFETY: receivers open no handles, so the table has no other user now.
    if let Some(place) = unsafe { &mut *OPEN.get() }.iter_mut().find(|place| **place == old) {
        *place = new;
    }
}

/// Removes a handle from the table: its driver is gone.
pub fn forget(driver: &Driver, handle: Handle) {
    swap_open((driver.vector as u32) << 16 | handle as u32, 0);
}

/// Releases every handle that is open.
pub fn release_all() {
    // SAFETY: as above; each turn copies one number and ends the borrow.
    while let Some(open) = unsafe { &*OPEN.get() }.iter().copied().find(|open| *open != 0) {
        let _ = Driver { vector: (open >> 16) as u8 }.release(open as u16);
    }
}

/// The results of driver_info.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverInfo {
    /// Version.
    pub version: u16,
    /// Interface class.
    pub class: u8,
    /// Interface type.
    pub kind: u16,
    /// Interface number.
    pub number: u8,
    /// 1: basic functions; 2: and extended; 5: basic and high-performance; 6: all three.
    pub functions: u8,
    /// ASCIZ name.
    pub name: [u8; 16],
}

/// The structure of get_statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Statistics {
    /// Frames received.
    pub packets_in: u32,
    /// Frames sent.
    pub packets_out: u32,
    /// Bytes received, MAC headers included.
    pub bytes_in: u32,
    /// Bytes sent, MAC headers included.
    pub bytes_out: u32,
    /// Frames received with errors.
    pub errors_in: u32,
    /// Frames that were not sent.
    pub errors_out: u32,
    /// Frames that no client took.
    pub packets_lost: u32,
}

/// The structure of get_parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Parameters {
    /// Revision of the specification: major number,
    pub major: u8,
    /// minor number.
    pub minor: u8,
    /// Bytes of this structure: 14.
    pub length: u8,
    /// Bytes of an address: 6.
    pub addr_len: u8,
    /// Longest frame, MAC header included.
    pub mtu: u16,
    /// Bytes of multicast addresses that the filter holds.
    pub multicast_aval: u16,
    /// Back-to-back receives, less one.
    pub rcv_bufs: u16,
    /// Back-to-back sends, less one.
    pub xmt_bufs: u16,
    /// Interrupt to hook for work after EOI, 0: none.
    pub int_num: u16,
}

/// The information block.
#[derive(Clone, Copy)]
pub struct Block {
    /// Its address.
    pub at: Far,
    /// Its head.
    pub info: Info,
}

impl Block {
    /// The data of NIC `index`; `None` behind the last.
    pub fn nic(&self, index: u8) -> Option<NicInfo> {
        let at = self.info.nics + index as u16 * self.info.nic_size as u16;
        // SAFETY: NicInfo is made of integers.
        let nic = (index < self.info.nic_count).then(|| unsafe { Far::new(self.at.segment(), at).read_as::<NicInfo>() })?;
        // What a bond has there is no port.
        Some(NicInfo { io: if self.bond().is_some() { 0 } else { nic.io }, ..nic })
    }

    /// Offset of a bond's [`crate::bond::Head`]; `None`: it is no bond, or an early version, which does not tell.
    pub fn bond(&self) -> Option<u16> {
        let io = self.info.nics + core::mem::offset_of!(NicInfo, io) as u16;
        let head = Far::new(self.at.segment(), io).read16();
        (self.info.flags & info::FLAG_BOND != 0 && head != 0).then_some(head)
    }

    /// Block `index` of the resident image; `None` behind the last.
    pub fn block(&self, index: u8) -> Option<info::Block> {
        let at = self.info.blocks + index as u16 * self.info.block_size as u16;
        // SAFETY: Block is made of integers.
        (index < self.info.block_count).then(|| unsafe { Far::new(self.at.segment(), at).read_as() })
    }

    /// Whether the driver rests: in V86 mode, if it was loaded in real mode and has anything above 1 MB.
    pub fn rests(&self) -> bool {
        let in_memory = |index| self.nic(index).is_some_and(|nic| nic.io == 0);
        let in_xms = |index| self.block(index).is_some_and(|block| block.place != 0);
        let above = (0..self.info.nic_count).any(in_memory) || (0..self.info.block_count).any(in_xms);
        above && self.info.flags & info::FLAG_V86 == 0 && in_v86()
    }

    /// The size of the packet buffers in a place: 0 in bytes, below 1 MB; 1 in KB of XMS.
    pub fn buffers(&self, place: u8) -> Option<u16> {
        for index in 0..self.info.block_count {
            let block = self.block(index)?;
            if block.kind == info::BLOCK_BUFFERS && block.place == place {
                return Some(block.size);
            }
        }
        None
    }

    /// Offset of the first block of a kind in the driver's segment.
    pub fn place(&self, kind: u8) -> Option<u16> {
        let mut at = 0;
        for index in 0..self.info.block_count {
            let block = self.block(index)?;
            if block.kind == kind {
                return Some(at);
            }
            at += if block.place == 0 { block.size } else { 0 };
        }
        None
    }
}

/// A packet driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Its vector.
    pub vector: u8,
}

impl Driver {
    /// Whether a packet driver is on this vector: it has `PKT DRVR` three bytes behind its entry, which is in memory that has an
    /// owner ([`Driver::is_gone`]).
    #[inline(never)]
    pub fn on(number: u8) -> Option<Driver> {
        Driver::text_on(number).filter(|_| !Driver::is_gone(number))
    }

    /// Whether this vector leads to what is left of a packet driver: into a free block of DOS's, or into our own block.
    pub fn is_gone(number: u8) -> bool {
        let entry = vector(number);
        let linear = (entry.segment() as u32) << 4;
        let para = u16::try_from(linear.wrapping_add(entry.offset() as u32) >> 4);
        let owner = para.ok().and_then(block_of).map(|block| block.owner);
        Driver::text_on(number).is_some() && (owner == Some(mcb::FREE) || owner == Some(psp()))
    }

    fn text_on(number: u8) -> Option<Driver> {
        let entry = vector(number);
        let mut text = [0; 9];
        if entry.0 == 0 || entry.offset() > 0xFFF0 {
            return None;
        }
        Far(entry.0 + 3).read(&mut text);
        (text == *b"PKT DRVR\0").then_some(Driver { vector: number })
    }

    /// The next driver after vector `last` (0: from the start), in the order in which clients search: 60h to 80h, then the
    /// others from 20h on.
    #[inline(never)]
    pub fn next(last: u8) -> Option<Driver> {
        let mut at = last;
        loop {
            at = match at {
                0 => 0x60,
                0x80 => 0x20,
                0x5F => 0x81,
                0xFF => return None,
                _ => at + 1,
            };
            let found = Driver::on(at);
            if found.is_some() {
                return found;
            }
        }
    }

    /// Calls the driver; returns the error in DH if it fails.
    #[inline(never)]
    pub fn call(&self, regs: &mut Regs) -> Result<(), u8> {
        int(self.vector, regs);
        if regs.carry() { Err(regs.dh()) } else { Ok(()) }
    }

    /// Calls function `ax` with BX, CX, and the near address `near` in DS:SI and ES:DI.
    #[inline(never)]
    pub fn ask(&self, ax: u16, bx: u16, cx: u16, near: Far) -> Result<Regs, u8> {
        let mut regs = Regs::ax(ax);
        regs.ebx = bx as u32;
        regs.ecx = cx as u32;
        regs.esi = near.offset() as u32;
        regs.edi = near.offset() as u32;
        self.call(&mut regs)?;
        Ok(regs)
    }

    /// driver_info.
    pub fn info(&self) -> Result<DriverInfo, u8> {
        let regs = self.ask(0x01FF, 0, 0, Far(0))?;
        let mut info = DriverInfo {
            version: regs.ebx as u16,
            class: (regs.ecx >> 8) as u8,
            kind: regs.edx as u16,
            number: regs.ecx as u8,
            functions: regs.eax as u8,
            name: [0; 16],
        };
        let [name @ .., _] = &mut info.name;
        Far::new(regs.ds, regs.esi as u16).read(name);
        Ok(info)
    }

    /// access_type. Class 1 takes a type of 0 to 2 bytes, class 11 of 0 to 8.
    #[inline(never)]
    pub fn access(&self, class: u8, kind: &[u8], receiver: Far) -> Result<Handle, u8> {
        let mut regs = Regs::ax(0x0200 | class as u16);
        regs.ebx = 0xFFFF;
        regs.ecx = kind.len() as u32;
        regs.esi = Far::of(kind).offset() as u32;
        regs.es = receiver.segment();
        regs.edi = receiver.offset() as u32;
        self.call(&mut regs)?;
        let handle = regs.eax as u16;
        swap_open(0, (self.vector as u32) << 16 | handle as u32);
        Ok(handle)
    }

    /// release_type.
    pub fn release(&self, handle: Handle) -> Result<(), u8> {
        swap_open((self.vector as u32) << 16 | handle as u32, 0);
        self.ask(0x0300, handle, 0, Far(0)).map(|_| ())
    }

    /// send_pkt.
    pub fn send(&self, frame: &[u8]) -> Result<(), u8> {
        self.ask(0x0400, 0, frame.len() as u16, Far::of(frame)).map(|_| ())
    }

    /// get_address.
    pub fn address(&self, handle: Handle) -> Result<MacAddr, u8> {
        let mac = Shared::new([0; 6]);
        self.ask(0x0600, handle, 6, Far::of(mac.get()))?;
        Ok(mac.read())
    }

    /// get_statistics.
    pub fn statistics(&self, handle: Handle) -> Result<Statistics, u8> {
        let regs = self.ask(0x1800, handle, 0, Far(0))?;
        // SAFETY: Statistics is made of integers.
        Ok(unsafe { Far::new(regs.ds, regs.esi as u16).read_as() })
    }

    /// get_parameters.
    pub fn parameters(&self) -> Result<Parameters, u8> {
        let regs = self.ask(0x0A00, 0, 0, Far(0))?;
        // SAFETY: Parameters is made of integers.
        Ok(unsafe { Far::new(regs.es, regs.edi as u16).read_as() })
    }

    /// get_rcv_mode.
    pub fn rcv_mode(&self, handle: Handle) -> Result<u16, u8> {
        Ok(self.ask(0x1500, handle, 0, Far(0))?.eax as u16)
    }

    /// set_rcv_mode.
    pub fn set_rcv_mode(&self, handle: Handle, mode: u16) -> Result<(), u8> {
        self.ask(0x1400, handle, mode, Far(0)).map(|_| ())
    }

    /// The information block; `None` if it is another driver, or a later one with another layout.
    pub fn block(&self) -> Option<Block> {
        let regs = self.ask(0x8000, 0, 0, Far(0)).ok()?;
        let at = Far::new(regs.es, regs.edi as u16);
        // SAFETY: Info is made of integers.
        let mut info: Info = unsafe { at.read_as() };
        if (info.size as usize) < size_of::<Info>() {
            info.pool = 0;
        }
        (info.signature == info::SIGNATURE && info.layout == info::LAYOUT).then_some(Block { at, info })
    }
}
