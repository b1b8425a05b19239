//! The DP8390 network interface controller and its compatibles: registers, and the arithmetic of its receive ring.
//!
//! Source: National Semiconductor, DP8390D/NS32490D NIC data sheet (July 1995). A register number stands for a different
//! register in each page, and often for another one on reading than on writing.

use crate::device::MacAddr;

/// Command (all pages). Bits 7:6 choose the page of the other registers.
pub const CR: u8 = 0x00;
/// Stop: software reset, after the frame that is on the wire.
pub const   CR_STP: u8 = 1 << 0;
/// Start.
pub const   CR_STA: u8 = 1 << 1;
/// Transmit; reads as 1 while a transmission is in progress.
pub const   CR_TXP: u8 = 1 << 2;
/// Remote read.
pub const   CR_READ: u8 = 1 << 3;
/// Remote write.
pub const   CR_WRITE: u8 = 2 << 3;
/// No remote DMA; aborts one in progress. Every value written must have one of these three.
pub const   CR_NO_DMA: u8 = 4 << 3;
/// Page 1 of the registers.
pub const   CR_PAGE1: u8 = 1 << 6;

/// First page of the receive ring (page 0, write). A page is 256 bytes.
pub const PSTART: u8 = 0x01;
/// One past the last page of the ring (page 0, write).
pub const PSTOP: u8 = 0x02;
/// Boundary: the last page that the host has read (page 0).
pub const BNRY: u8 = 0x03;
/// First page to transmit (page 0, write).
pub const TPSR: u8 = 0x04;
/// Bytes to transmit, low byte, then high byte (page 0, write).
pub const TBCR0: u8 = 0x05;
/// Interrupt status (page 0); writing a 1 clears.
pub const ISR: u8 = 0x07;
/// Frame received.
pub const   ISR_PRX: u8 = 1 << 0;
/// Frame transmitted.
pub const   ISR_PTX: u8 = 1 << 1;
/// Frame received with an error, or missed.
pub const   ISR_RXE: u8 = 1 << 2;
/// Transmission aborted.
pub const   ISR_TXE: u8 = 1 << 3;
/// The ring was full.
pub const   ISR_OVW: u8 = 1 << 4;
/// A tally counter is half full.
pub const   ISR_CNT: u8 = 1 << 5;
/// Remote DMA complete.
pub const   ISR_RDC: u8 = 1 << 6;
/// In reset, or the ring has overflowed; writing does not clear it.
pub const   ISR_RST: u8 = 1 << 7;
/// Remote start address, low byte (page 0, write).
pub const RSAR0: u8 = 0x08;
/// Remote start address, high byte: the page.
pub const RSAR1: u8 = 0x09;
/// Remote byte count, low byte, then high byte (page 0, write).
pub const RBCR0: u8 = 0x0A;
/// Receive configuration (page 0, write).
pub const RCR: u8 = 0x0C;
/// Accept broadcasts.
pub const   RCR_AB: u8 = 1 << 2;
/// Accept multicasts that the hash filter passes.
pub const   RCR_AM: u8 = 1 << 3;
/// Accept every physical address.
pub const   RCR_PRO: u8 = 1 << 4;
/// Monitor: check addresses, store nothing.
pub const   RCR_MON: u8 = 1 << 5;
/// Transmit configuration (page 0, write).
pub const TCR: u8 = 0x0D;
/// Loopback inside the NIC: nothing comes in from the wire.
pub const   TCR_LOOPBACK: u8 = 1 << 1;
/// Tally counter 0: frame alignment errors (page 0, read; reading clears it).
pub const CNTR0: u8 = 0x0D;
/// Tally counter 1: CRC errors.
pub const CNTR1: u8 = 0x0E;
/// Tally counter 2: missed frames.
pub const CNTR2: u8 = 0x0F;
/// Data configuration (page 0, write). Only while stopped.
pub const DCR: u8 = 0x0E;
/// Word-wide remote DMA.
pub const   DCR_WTS: u8 = 1 << 0;
/// Normal operation, not loopback.
pub const   DCR_LS: u8 = 1 << 3;
/// FIFO threshold of 8 bytes (4 words).
pub const   DCR_FT8: u8 = 2 << 5;
/// Errors in the status byte before a received frame: check sequence, alignment, FIFO.
pub const RSR_ERRORS: u8 = 7 << 1;
/// Interrupt mask (page 0, write): bits as in ISR, bit 7 must be 0.
pub const IMR: u8 = 0x0F;

/// Physical address, 6 bytes (page 1).
pub const PAR0: u8 = 0x01;
/// Current page, where the next frame will be stored (page 1). Written only while stopped.
pub const CURR: u8 = 0x07;
/// Multicast hash filter, 8 bytes (page 1).
pub const MAR0: u8 = 0x08;

/// Pages for the frame to transmit.
pub const TX_PAGES: u8 = 6;
/// Longest time in microseconds that a frame on the wire delays a stop (data sheet, overflow routine).
pub const STOP_TIME: u16 = 1600;

/// The bit of the hash filter that a multicast address selects: the high six bits of its CRC-32.
#[inline(never)]
pub fn hash(address: &MacAddr) -> u8 {
    let mut crc = !0u32;
    for &byte in address {
        let mut bits = byte;
        for _ in 0..8u8 {
            crc ^= (bits as u32) << 31;
            bits >>= 1;
            let carry = (crc as i32) < 0;
            crc <<= 1;
            if carry {
                crc ^= 0x04C1_1DB7;
            }
        }
    }
    (crc >> 26) as u8
}

/// Receive configuration by receive mode (1 to 6). The own address is always accepted.
pub const RCR_OF_MODE: [u8; 7] =
    [0, 0, 0, RCR_AB, RCR_AB | RCR_AM, RCR_AB | RCR_AM, RCR_AB | RCR_AM | RCR_PRO];
