//! What is written to a card, in this order: before its reset, after that, and when the firmware is done.

use super::chips::*;
use super::registers::{CARD_MEMORY, Registers};
use super::{RING_OFF, SRAM_RETURN, SRAM_SEND};
use crate::bus::Bus;
use crate::drivers::tg3::*;
use crate::probe::Fault;

// Configuration space: command, cache line and latency.
pub const COMMAND: u8 = 0x04;
pub const   COMMAND_MASTER: u32 = 1 << 2;
pub const CACHE: u8 = 0x0C;
/// DMA: commands, thresholds.
const DMA_RW: u8 = 0x6C;
const   DMA_RW_PCI: u32 = 0x763F_0000;
const   DMA_RW_EXPRESS: u32 = 0x7618_0000;
/// For a largest payload of 256 bytes or more.
const   DMA_RW_LONG: u32 = 0x7638_0000;
const   DMA_RW_STATUS: u32 = 1 << 7;
/// While the card is reset: nothing interrupts.
const QUIET: u32 = MISC_CTL_USUAL | MISC_CTL_MASK | MISC_CTL_STATE;
/// Which events the card attends to.
const EVENTS: u16 = 0x0408;
const   EVENT_LINK: u32 = 1 << 12;
/// MAC mode: DMA of both directions and of frame headers.
const   MAC_MODE_DMA: u32 = 7 << 21;
const   TX_MODE_ON: u32 = 1 << 1;
/// Keeps the transmitter of the 5755 and later from locking up.
const   TX_MODE_FIX: u32 = 1 << 8;
/// Gaps between frames, and slot time. The 5762 and 5720 have more in the upper half.
const TX_LENGTHS: u16 = 0x0464;
const   TX_LENGTHS_USUAL: u32 = 0x2620;
/// Longest frame to receive, check sequence included.
const RX_MTU: u16 = 0x043C;
/// Rules for received frames: the class of frames that no rule matches.
const RX_RULES: u16 = 0x0500;
/// Receive frames in the card below which it is short of memory.
const RX_FRAMES_LOW: u16 = 0x0504;
/// Receive lists: active list, frames of the lists.
const RX_LISTS: u16 = 0x2010;
// Rings of receive buffers: each an address, a length and flags, and a place in the card.
const JUMBO: u16 = 0x2440;
const STANDARD: u16 = 0x2450;
/// Buffers that the driver must have given before the card fetches their descriptors.
const REPLENISH: u16 = 0x2C18;
/// Descriptors in the card below which it fetches more (57765 and later).
const REPLENISH_LOW: u16 = 0x2D00;
/// Host coalescing: ticks, frames, frames while the interrupt is served; each first for receive, then for send.
const COALESCING: [u16; 6] = [0x3C08, 0x3C0C, 0x3C10, 0x3C14, 0x3C20, 0x3C24];
/// Address of the status block, high half first.
const STATUS_ADDRESS: u16 = 0x3C38;
// Buffer manager: mode, marks for frames, marks for descriptors.
const BMAN_MODE: u16 = 0x4400;
const BMAN_MARKS: u16 = 0x4410;
const BMAN_DESC_MARKS: u16 = 0x4434;
/// DMA reads and writes.
const RDMA_MODE: u16 = 0x4800;
const   RDMA_EXPRESS: u32 = 3 << 16;
const WDMA_MODE: u16 = 0x4C00;
const   WDMA_STATUS: u32 = 1 << 29;
/// On, with all attentions.
const   DMA_ON: u32 = 0x03FE;
/// A mend of the overflow of the FIFO of DMA reads (5761 and later).
const RDMA_FIFO: u16 = 0x4900;
/// Lengths of their bursts (5719, 5720): 4 KB for descriptors and data.
pub const RDMA_BURSTS: u16 = 0x4910;
const   RDMA_BURSTS_4K: u32 = 15 << 16;
/// Resets the queues between the blocks: all ones, then 0.
const FTQ_RESET: u16 = 0x5C00;
/// Mode: the order of bytes, and what the driver does itself.
pub const MODE: u16 = 0x6800;
pub const   MODE_SWAP: u32 = 1 << 2 | 3 << 4;
/// The driver is there; it has the descriptors of frames to send; no checksums; the MAC may interrupt. Bit 13, by which frames that
/// were sent do not interrupt, stays clear: the guides do not say whether a frame that comes at the same time interrupts then.
const   MODE_MORE: u32 = 1 << 16 | 1 << 17 | 1 << 20 | 1 << 23 | 1 << 26;
/// Miscellaneous: reset, and the prescaler of the clock.
pub const MISC_CFG: u16 = 0x6804;
pub const   MISC_CFG_PRESCALER: u32 = 65 << 1;
/// The link of PCI Express stays up in a reset.
pub const   MISC_CFG_LINK: u32 = 1 << 29;
/// The processor of the 5906: bit 27 resets it, bit 26 says that it is ready.
pub const VCPU: u16 = 0x5100;
const   VCPU_RESET: u32 = 1 << 27;
pub const   VCPU_READY: u32 = 1 << 26;
/// Where the firmware goes on after a fast boot.
const FAST_BOOT: u16 = 0x6894;
/// A request to the firmware's processor.
const CPU_EVENT: u16 = 0x6810;
const   CPU_EVENT_DRIVER: u32 = 1 << 14;
/// The command for the firmware.
const SRAM_COMMAND: u16 = 0x0B78;
const   COMMAND_PAUSE: u32 = 2;
/// Memory arbiter.
const MARB_MODE: u16 = 0x4000;
/// PCI Express: a mend of transactions.
const EXPRESS_MEND: u16 = 0x7C00;
const   EXPRESS_MEND_ON: u32 = 1 << 25;
/// The card's own memory: the firmware's mailbox. What is written there before a reset, the boot code inverts when it is done.
pub const SRAM_MAILBOX: u16 = 0x0B50;
pub const   MAGIC: u32 = 0x4B65_7654;
/// Local control: attentions interrupt.
const   LOCAL_ATTENTION: u32 = 1 << 3;
/// A block's mode: on.
pub const ON: u32 = 1 << 1;
// Where the card keeps descriptors of frames to send, and of receive buffers.
const CARD_SEND: u32 = 0x4000;
const CARD_BUFFERS: u32 = 0x6000;
const CARD_BUFFERS_5717: u32 = 0x4_0000;

/// Time in microseconds for a block of DMA or the MAC to settle.
const SETTLE_TIME: u32 = 40;
/// Time in microseconds for the transmitter to start.
const TX_TIME: u32 = 100;
/// Time for the management firmware, if there is one, to take a command, and four times of a reset, in microseconds.
const COMMAND_TIME: u32 = 1_000;
const RESET_TIME: u32 = 25_000;

/// A step: a register, a multiple of four, and a value. Registers below [`CONFIG`] are those of configuration space, those from
/// [`CARD_MEMORY`] on the card's memory. Bits 1:0 of the register say what is done; 0: it gets the value. Bit 15 of the value: the
/// others are the upper half.
#[derive(Clone, Copy)]
pub struct Step {
    register: u16,
    value: u16,
}

/// See [`Step`].
const UPPER: u16 = 1 << 15;

/// The value in a step. Not every value can be there: at compile time this fails.
const fn short(value: u32) -> u16 {
    let upper = (value >> 16) as u16;
    if upper == 0 {
        assert!(value < UPPER as u32);
        return value as u16;
    }
    assert!(value as u16 == 0 && upper < UPPER);
    UPPER | upper
}

/// The register gets the value that has this number in [`Facts`]. If it is 0, this is a condition ([`between`]).
const FACT: u16 = 1;
/// It gets these bits in addition.
const SET: u16 = 2;
/// Waits until the register has the value under the mask [`ON`], or so many microseconds if the register is 0.
const WAIT: u16 = 3;
/// Limit in microseconds for a block to start or stop.
const BLOCK_LIMIT: u16 = 20_000;
/// Registers below this are those of configuration space.
const CONFIG: u16 = 0x100;
/// A double word of the card's memory instead of a register.
const SRAM: u16 = CARD_MEMORY;

const fn put(register: u16, value: u32) -> Step {
    Step { register, value: short(value) }
}

const fn fact(register: u16, number: u16) -> Step {
    Step { register: register | FACT, value: number }
}

const fn set(register: u16, value: u32) -> Step {
    Step { register: register | SET, value: short(value) }
}

const fn until(register: u16, value: u32) -> Step {
    Step { register: register | WAIT, value: short(value) }
}

const fn pause(time: u32) -> Step {
    Step { register: WAIT, value: short(time) }
}

/// The next step is for the parts from `first` to `last` only.
const fn between(first: u8, last: u8) -> Step {
    Step { register: FACT, value: (first | last << 4) as u16 }
}

/// The next step is for the parts from `first` on.
const fn from(first: u8) -> Step {
    between(first, 15)
}

/// The next step is for cards with all of these flags only.
const fn with(flags: u8) -> Step {
    Step { register: FACT, value: (flags as u16) << 8 | 0xF0 }
}

/// On PCI Express.
pub const EXPRESS: u8 = 1 << 0;
/// With a largest payload of 256 bytes or more.
pub const LONG: u8 = 1 << 1;
/// The registers are reached in memory.
pub const MEMORY: u8 = 1 << 2;

/// What the steps depend on: the kind of card, and its memory.
pub struct Facts {
    /// The part.
    pub part: u8,
    /// What else holds of the card.
    pub flags: u8,
    /// Values; see the constants below.
    pub values: [u32; FACTS],
}

/// How many values there are.
const FACTS: usize = 10;
// The addresses, for the card, of the status block, the return ring, the ring of receive buffers, and that of frames to send.
const AT_STATUS: u16 = 0;
const AT_RETURNS: u16 = 1;
const AT_BUFFERS: u16 = 2;
const AT_SENDS: u16 = 3;
/// The length of each ring, in the upper half.
const LENGTH: u16 = 4;
/// See [`REPLENISH`]; and after so many frames that were sent the status block is written.
const AT_ONCE: u16 = 5;
/// What [`MISC_CFG`] gets to reset the card, and what [`COMMAND`] and [`CACHE`] get after that.
const RESET: u16 = 6;
const COMMANDS: u16 = 7;
const CACHES: u16 = 8;
/// [`MAGIC`].
const MAGIC_NUMBER: u16 = 9;
/// All ones: there is no such value.
const ONES: u16 = 10;

impl Facts {
    /// Takes the steps. Fails if a block does not start.
    #[inline(never)]
    pub fn run<B: Bus>(&self, registers: &Registers<B>, steps: &[Step]) -> Result<(), Fault> {
        let mut skip = false;
        for step in steps {
            let Step { register, value } = *step;
            if skip {
                skip = false;
                continue;
            }
            let mut value = if value & UPPER != 0 { ((value ^ UPPER) as u32) << 16 } else { value as u32 };
            let at = register & !WAIT;
            match register & WAIT {
                FACT if at == 0 => {
                    let [parts, flags, ..] = value.to_le_bytes();
                    skip = self.part < parts & 15 || self.part > parts >> 4 || flags & !self.flags != 0;
                    continue;
                }
                FACT => value = self.values.get(value as usize).copied().unwrap_or(!0),
                SET if at < CONFIG => value |= registers.config(at as u8),
                SET => value |= registers.get(at),
                WAIT => {
                    let limit = if at != 0 { BLOCK_LIMIT } else { value as u16 };
                    if registers.wait(limit, at, ON, value).is_err() && at != 0 {
                        return Err(Fault::Dead);
                    }
                    continue;
                }
                _ => {}
            }
            if at >= SRAM {
                registers.set_sram(at - SRAM, value);
            } else if at < CONFIG {
                registers.set_config(at as u8, value);
            } else {
                registers.put(at, value);
            }
        }
        Ok(())
    }
}

/// The steps of a reset, when the NVRAM is the driver's.
pub static RESETTING: [Step; 29] = [
    put(MISC_CTL as u16, QUIET),
    put(RX_MODE, 0),
    put(TX_MODE, 0),
    // The management firmware, if there is one, rests.
    from(B5705),
    put(SRAM | SRAM_COMMAND, COMMAND_PAUSE),
    from(B5705),
    set(CPU_EVENT, CPU_EVENT_DRIVER),
    pause(COMMAND_TIME),
    from(B5705),
    fact(SRAM | SRAM_MAILBOX, MAGIC_NUMBER),
    from(B5752),
    put(FAST_BOOT, 0),
    with(EXPRESS),
    put(MISC_CFG, MISC_CFG_LINK),
    between(B5906, B5906),
    put(FAST_BOOT, 0),
    between(B5906, B5906),
    set(VCPU, VCPU_RESET),
    // Through the window: a write to memory would want an answer of a card that is in reset.
    put(WINDOW as u16, MISC_CFG as u32),
    fact(WINDOW_DATA as u16, RESET),
    pause(RESET_TIME),
    pause(RESET_TIME),
    pause(RESET_TIME),
    pause(RESET_TIME),
    put(MISC_CTL as u16, QUIET),
    fact(COMMAND as u16, COMMANDS),
    fact(CACHE as u16, CACHES),
    set(MARB_MODE, ON),
    put(MODE, MODE_SWAP),
];

/// The steps that set up the card.
pub static START: [Step; 97] = [
    Step { register: FACT, value: (EXPRESS as u16) << 8 | (B5761 as u16) << 4 },
    set(EXPRESS_MEND, EXPRESS_MEND_ON),
    put(MISC_CTL as u16, MISC_CTL_USUAL | MISC_CTL_MASK | MISC_CTL_CLEAR),
    put(DMA_RW as u16, DMA_RW_PCI),
    with(EXPRESS),
    put(DMA_RW as u16, DMA_RW_EXPRESS),
    with(LONG),
    put(DMA_RW as u16, DMA_RW_LONG),
    between(B5719, B5720),
    set(DMA_RW as u16, DMA_RW_STATUS),
    put(MODE, MODE_SWAP),
    set(MODE, MODE_MORE),
    put(MISC_CFG, MISC_CFG_PRESCALER),
    put(BMAN_MARKS, 0),
    put(BMAN_MARKS + 4, 0x10),
    put(BMAN_MARKS + 8, 0x60),
    between(B5906, B5906),
    put(BMAN_MARKS + 4, 0x04),
    between(B5906, B5906),
    put(BMAN_MARKS + 8, 0x10),
    from(B57765),
    put(BMAN_MARKS + 4, 0x2A),
    from(B57765),
    put(BMAN_MARKS + 8, 0xA0),
    put(BMAN_DESC_MARKS, 5),
    put(BMAN_DESC_MARKS + 4, 10),
    put(BMAN_MODE, 3 << 1),
    until(BMAN_MODE, ON),
    fact(FTQ_RESET, ONES),
    put(FTQ_RESET, 0),
    // The rings.
    put(JUMBO + 8, RING_OFF),
    put(STANDARD, 0),
    fact(STANDARD + 4, AT_BUFFERS),
    fact(STANDARD + 8, LENGTH),
    from(B57765),
    set(STANDARD + 8, (BUFFER as u32) << 2),
    put(STANDARD + 12, CARD_BUFFERS),
    between(B5717, B5720),
    put(STANDARD + 12, CARD_BUFFERS_5717),
    fact(REPLENISH, AT_ONCE),
    from(B57765),
    put(REPLENISH_LOW, 32),
    put(SRAM | SRAM_SEND, 0),
    fact(SRAM | SRAM_SEND + 4, AT_SENDS),
    put(SRAM | SRAM_SEND + 12, CARD_SEND),
    fact(SRAM | SRAM_SEND + 8, LENGTH),
    put(SRAM | SRAM_RETURN, 0),
    fact(SRAM | SRAM_RETURN + 4, AT_RETURNS),
    put(SRAM | SRAM_RETURN + 12, 0),
    fact(SRAM | SRAM_RETURN + 8, LENGTH),
    between(0, B5719),
    put(TX_LENGTHS, TX_LENGTHS_USUAL),
    from(B5720),
    set(TX_LENGTHS, TX_LENGTHS_USUAL),
    put(RX_RULES, 8),
    put(RX_FRAMES_LOW, 2),
    from(B57765),
    put(RX_FRAMES_LOW, 1),
    put(RX_LISTS, 0x181),
    // Each frame that comes has the status block written.
    put(HCC_MODE, 0),
    until(HCC_MODE, 0),
    put(COALESCING[0], 0),
    put(COALESCING[1], 0),
    put(COALESCING[2], 1),
    fact(COALESCING[3], AT_ONCE),
    put(COALESCING[4], 1),
    fact(COALESCING[5], AT_ONCE),
    put(STATUS_ADDRESS, 0),
    fact(STATUS_ADDRESS + 4, AT_STATUS),
    put(HCC_MODE, HCC_ON),
    // The blocks.
    put(0x3000, 3 << 1),
    put(0x2000, ON),
    set(MAC_MODE, MAC_MODE_DMA),
    pause(SETTLE_TIME),
    set(LOCAL, LOCAL_ATTENTION),
    from(B5755),
    put(WDMA_MODE, WDMA_STATUS),
    between(B5906, B5906),
    put(WDMA_MODE, WDMA_STATUS),
    set(WDMA_MODE, DMA_ON),
    pause(SETTLE_TIME),
    from(B5761),
    set(RDMA_FIFO, 1 << 2),
    between(B5719, B5720),
    set(RDMA_BURSTS, RDMA_BURSTS_4K),
    with(EXPRESS),
    put(RDMA_MODE, RDMA_EXPRESS),
    set(RDMA_MODE, DMA_ON),
    pause(SETTLE_TIME),
    put(0x2800, ON),
    put(0x2C00, ON),
    put(0x2400, ON),
    put(0x1C00, ON),
    put(0x1000, ON),
    put(0x0C00, ON),
    put(0x1800, ON),
    put(0x1400, ON),
];

/// The last steps: the MAC. The reset has emptied its hash table.
pub static OPEN: [Step; 13] = [
    put(MAC_STATUS, MAC_STATUS_CHANGES & 0xFFFF),
    put(MAC_STATUS, MAC_STATUS_CHANGES & !0xFFFF),
    put(EVENTS, EVENT_LINK),
    put(RX_MTU, BUFFER as u32 - 14),
    from(B5755),
    put(TX_MODE, TX_MODE_FIX),
    between(B5906, B5906),
    put(TX_MODE, TX_MODE_FIX),
    set(TX_MODE, TX_MODE_ON),
    pause(TX_TIME),
    put(RX_MODE, RX_MODE_ON),
    // The mailbox masks the interrupt from now on.
    with(MEMORY),
    put(MISC_CTL as u16, MISC_CTL_USUAL | MISC_CTL_CLEAR),
];
