//! Bus mastering: lists of descriptors for whole frames (3C515, 3C90x), and single fragments between memory and the FIFOs (3C59x,
//! 3C515).
//!
//! A transfer takes no time here. Tested by Linux: both lists on the 3C90x; on the 3C515 only with the capability forced that
//! Linux requires. Fragments are not tested: the meaning of an argument, and what clears DMA done, follow the 3C59x manual
//! (09-0681-001B, as cited elsewhere), the direction follows Linux. Drivers disagree on the bit by which the 3C90xB marks a
//! descriptor as done (16 or 24); the model sets bit 16.

use super::{Chip, Kind, cause, checksum};
use crate::Env;
use crate::faults;

/// Bits of a descriptor's second word.
mod word {
    /// Download: interrupt when the frame is in the FIFO.
    pub const DOWN_INDICATE: u32 = 1 << 31;
    /// Download, 3C90xB: the card sets this when it is done.
    pub const DOWN_COMPLETE: u32 = 1 << 16;
    /// Download: post a transmit status for the frame.
    pub const TX_INDICATE: u32 = 1 << 15;
    /// Download, 3C90xB: do not round the length.
    pub const ROUND_DEFEAT: u32 = 1 << 28;
    /// Upload: done.
    pub const UP_COMPLETE: u32 = 1 << 15;
    /// Upload: with an error.
    pub const UP_ERROR: u32 = 1 << 14;
    /// A fragment's length: the last one.
    pub const LAST: u32 = 1 << 31;
}

/// The most fragments of a descriptor.
const FRAGMENTS: u32 = 63;
/// Descriptors that are processed at once: an endless list does not hang the model.
const AT_ONCE: usize = 64;
/// Writable bits of the DMA control register.
const CONTROL: u32 = 0x0071_0362;

/// The engines' registers.
#[derive(Clone, Debug, Default)]
pub struct Master {
    down: u32,
    down_stalled: bool,
    up: u32,
    up_stalled: bool,
    up_status: u32,
    control: u32,
    /// The download or the upload engine does not get the bus.
    hung: [bool; 2],
    free_threshold: u8,
    /// Fragment mode: address, length, status.
    address: u32,
    length: u16,
    status: u16,
}

fn read32(env: &mut dyn Env, at: u32) -> u32 {
    let mut bytes = [0; 4];
    env.dma_read(at, &mut bytes);
    u32::from_le_bytes(bytes)
}

impl Chip {
    /// Complains if an ISA bus master goes beyond 16 MB.
    fn reach(&self, env: &mut dyn Env, at: u32, len: u32) {
        if self.kind == Kind::Corkscrew && at.saturating_add(len) > 1 << 24 {
            env.complain(&format!("bus mastering at {at:08X}, beyond the ISA bus"));
        }
    }

    /// Whether the engine (0 download, 1 upload) gets the bus.
    fn has_bus(&mut self, env: &mut dyn Env, engine: usize) -> bool {
        if self.faults.strikes(faults::Kind::DmaHang) {
            self.master.hung[engine] = true;
        }
        !self.master.hung[engine] && (self.unasked || env.cascades(self.channel))
    }

    /// A fragment is transferred: a fault may change a byte.
    fn moved(&mut self, data: &mut [u8]) {
        if self.faults.strikes(faults::Kind::DmaCorrupt)
            && let Some(byte) = data.get_mut(data.len() / 2)
        {
            *byte ^= 0x10;
        }
    }

    /// DMA in progress; a card that does not get the bus shows it for ever.
    pub(crate) fn in_progress(&self) -> bool {
        self.master.hung.contains(&true)
    }

    /// Lets both engines work.
    pub(crate) fn engines(&mut self, env: &mut dyn Env) {
        if !self.kind.lists() {
            return;
        }
        for _ in 0..AT_ONCE {
            if !self.download(env) {
                break;
            }
        }
        for _ in 0..AT_ONCE {
            if !self.upload(env) {
                break;
            }
        }
    }

    /// Downloads one descriptor's frame into the transmit FIFO. False: there is none, or no room.
    fn download(&mut self, env: &mut dyn Env) -> bool {
        let at = self.master.down;
        if at == 0 || self.master.down_stalled || self.tx.reset_required {
            return false;
        }
        if !self.has_bus(env, 0) {
            return false;
        }
        self.reach(env, at, 16);
        let header = read32(env, at + 4);
        let mut total = 0;
        let mut pieces = Vec::new();
        for fragment in 0..FRAGMENTS {
            let address = read32(env, at + 8 + fragment * 8);
            let length = read32(env, at + 12 + fragment * 8);
            pieces.push((address, length & 0x1FFF));
            total += (length & 0x1FFF) as usize;
            if length & word::LAST != 0 {
                break;
            }
            if fragment == FRAGMENTS - 1 {
                env.complain("a download descriptor without a last fragment");
            }
        }
        let length = self.download_length(env, header, total);
        if self.tx.free() < length.next_multiple_of(4) + 4 {
            if !self.tx.idle() {
                return false;
            }
            env.complain(&format!("a frame of {length} bytes that the transmit FIFO can never hold"));
        }
        let mut data = Vec::new();
        for (address, length) in pieces {
            self.reach(env, address, length);
            let start = data.len();
            data.resize(start + length as usize, 0);
            env.dma_read(address, &mut data[start..]);
            self.moved(&mut data[start..]);
        }
        data.resize(length, 0);
        if self.kind == Kind::Cyclone {
            checksum::insert(&mut data, header);
            env.dma_write(at + 4, &(header | word::DOWN_COMPLETE).to_le_bytes());
        }
        if header & word::DOWN_INDICATE != 0 {
            self.causes |= cause::DOWN_COMPLETE;
        }
        // The next pointer is read only now: the driver may have changed it meanwhile.
        self.master.down = read32(env, at);
        self.tx_push(env, data, header & word::TX_INDICATE != 0);
        true
    }

    fn download_length(&mut self, env: &mut dyn Env, header: u32, total: usize) -> usize {
        if self.kind == Kind::Cyclone {
            // The length is rounded up by bits 1:0: 0 to four bytes, 2 to two, otherwise not.
            return match (header & word::ROUND_DEFEAT, header & 3) {
                (0, 0) => total.next_multiple_of(4),
                (0, 2) => total.next_multiple_of(2),
                _ => total,
            };
        }
        let length = (header & 0x1FFF) as usize;
        if total < length {
            env.complain(&format!("a frame of {length} bytes in fragments of {total}"));
        }
        length
    }

    /// Uploads the head of the receive FIFO into memory. False: there is none.
    fn upload(&mut self, env: &mut dyn Env) -> bool {
        let at = self.master.up;
        if at == 0 || self.master.up_stalled || !self.rx.complete(env.now_ns(), self.times.byte) {
            return false;
        }
        if !self.has_bus(env, 1) {
            return false;
        }
        self.reach(env, at, 16);
        if read32(env, at + 4) & word::UP_COMPLETE != 0 {
            // The driver has not emptied this descriptor: the engine stalls.
            self.master.up_stalled = true;
            return false;
        }
        let Some((mut data, error)) = self.rx.head() else { return false };
        let mut status = data.len() as u32 | word::UP_COMPLETE;
        let mut done = 0;
        for fragment in 0..FRAGMENTS {
            let address = read32(env, at + 8 + fragment * 8);
            let length = read32(env, at + 12 + fragment * 8);
            let part = data.len().saturating_sub(done).min((length & 0x1FFF) as usize);
            self.reach(env, address, part as u32);
            self.moved(&mut data[done..done + part]);
            env.dma_write(address, &data[done..done + part]);
            if self.faults.strikes(faults::Kind::DmaStray) {
                env.dma_write(address + (part as u32).next_multiple_of(4) + 1, &[0xDB]);
            }
            done += part;
            if length & word::LAST != 0 {
                break;
            }
        }
        if done < data.len() {
            // Longer than the longest frame: an error in the descriptor.
            if error.is_none() {
                env.complain(&format!("{} bytes for a frame of {}", done, data.len()));
            }
            status |= word::UP_ERROR | 1 << 24;
        }
        if let Some(error) = error {
            status |= word::UP_ERROR | (error.bit() as u32) << 16;
        }
        if self.kind == Kind::Cyclone && error.is_none() {
            status |= checksum::verify(&data);
        }
        env.dma_write(at + 4, &status.to_le_bytes());
        self.master.up_status = status;
        self.master.up = read32(env, at);
        self.rx_discard();
        self.causes |= cause::UP_COMPLETE;
        true
    }

    /// The stall commands: argument 0 up stall, 1 up unstall, 2 down stall, 3 down unstall.
    pub(crate) fn stall(&mut self, env: &mut dyn Env, argument: u16) {
        match argument {
            0 => self.master.up_stalled = true,
            1 => self.master.up_stalled = false,
            2 => self.master.down_stalled = true,
            3 => self.master.down_stalled = false,
            _ => env.complain(&format!("stall command with argument {argument:03X}")),
        }
        self.engines(env);
    }

    /// TX reset resets the download engine, RX reset the upload engine.
    pub(crate) fn reset_down(&mut self) {
        self.master.down = 0;
        self.master.down_stalled = false;
        self.master.hung[0] = false;
        self.causes &= !cause::DOWN_COMPLETE;
    }

    /// See [`Chip::reset_down`].
    pub(crate) fn reset_up(&mut self) {
        self.master.up = 0;
        self.master.up_stalled = false;
        self.master.hung[1] = false;
        self.causes &= !cause::UP_COMPLETE;
    }

    /// Start DMA: one fragment into the transmit FIFO (argument 1) or out of the receive FIFO (0).
    pub(crate) fn fragment(&mut self, env: &mut dyn Env, argument: u16) {
        let (at, len) = (self.master.address, self.master.length);
        self.reach(env, at, len as u32);
        let mut data = vec![0; len as usize];
        if argument == 1 {
            env.dma_read(at, &mut data);
            self.tx_write(env, &data);
            self.master.status |= 1 << 12;
        } else {
            data.iter_mut().for_each(|byte| *byte = self.rx_read(env, 1) as u8);
            env.dma_write(at, &data);
            self.master.status |= 1 << 14;
        }
        self.causes |= cause::DMA_DONE;
    }

    /// A register of the list engines, from 20h on; None: no such register.
    pub(crate) fn read_master(&mut self, offset: u16, width: u8) -> Option<u32> {
        if !self.kind.lists() {
            return None;
        }
        Some(match (offset, width) {
            (0x20, 4) => {
                let engines = [(self.master.down_stalled, 2), (self.causes & cause::UP_COMPLETE != 0, 3)];
                let more = [(self.causes & cause::DOWN_COMPLETE != 0, 4), (self.master.down != 0, 7)];
                let bits = engines.into_iter().chain(more).map(|(on, bit)| (on as u32) << bit);
                bits.sum::<u32>() | self.master.control
            }
            (0x24, 4) => self.master.down,
            (0x2F, 1) if self.kind != Kind::Cyclone => self.master.free_threshold as u32,
            (0x30, 4) => self.master.up_status & 0xFFFF_DFFF | (self.master.up_stalled as u32) << 13,
            (0x38, 4) => self.master.up,
            _ => return None,
        })
    }

    /// Writes a register of the list engines.
    pub(crate) fn write_master(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Option<()> {
        if !self.kind.lists() {
            return None;
        }
        match (offset, width) {
            (0x20, 4) => {
                if value & !(CONTROL | 0x9C) != 0 {
                    env.complain(&format!("DMA control {value:08X} has undefined bits"));
                }
                self.master.control = value & CONTROL;
            }
            (0x24, 4) => {
                if value & 7 != 0 {
                    env.complain(&format!("download list at {value:08X}, not a multiple of 8"));
                }
                if value != 0 && self.master.down != 0 && !self.master.down_stalled {
                    env.complain("download list pointer written while the engine runs");
                }
                self.master.down = value & !7;
            }
            (0x2F, 1) if self.kind != Kind::Cyclone => self.master.free_threshold = value as u8,
            (0x38, 4) => {
                if value & 7 != 0 {
                    env.complain(&format!("upload list at {value:08X}, not a multiple of 8"));
                }
                self.master.up = value & !7;
            }
            // Thresholds of bursts and priority, and polling: they change speed only.
            (0x2A | 0x3E | 0x78 | 0x7A, 2) | (0x2C | 0x3C, 1) if self.kind == Kind::Cyclone => {}
            _ => return None,
        }
        self.engines(env);
        Some(())
    }

    /// Reads window 7 of the chips that move fragments.
    pub(crate) fn read_fragment(&self, offset: u16, width: u8) -> Option<u32> {
        match (offset, width) {
            (0, 4) => Some(self.master.address),
            (6, 2) => Some(self.master.length as u32),
            (0xC, 2) => Some(self.master.status as u32),
            _ => None,
        }
    }

    /// Writes window 7. A one in the status clears its bit.
    pub(crate) fn write_fragment(&mut self, offset: u16, width: u8, value: u32) -> Option<()> {
        match (offset, width) {
            (0, 4) => self.master.address = value,
            (6, 2) => self.master.length = value as u16,
            (0xC, 2) => {
                self.master.status &= !(value as u16);
                if self.master.status & 0x5000 == 0 {
                    self.causes &= !cause::DMA_DONE;
                }
            }
            _ => return None,
        }
        Some(())
    }
}
