//! The tables and structures that units share: near offsets only, sizes asserted. asm/abi.inc has the same layouts.

use crate::bus::Far;
use crate::device::{Job, LOOKAHEAD, MacAddr};
use crate::info::NicInfo;

/// Offsets in the core that the installer needs. The pack step takes them from the core's symbols, in this order
/// (tools/src/pack/image.rs).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct CoreTable {
    /// The strategy routine, for the device header.
    pub strategy: u16,
    /// The interrupt routine, for the device header.
    pub interrupt: u16,
    /// Handler of the packet driver's vector.
    pub int60: u16,
    /// Handler of the NIC's interrupt: an IISP header, with the old vector at +2.
    pub irq: u16,
    /// [`State`].
    pub state: u16,
    /// [`crate::info::Info`].
    pub info: u16,
    /// [`Work`].
    pub work: u16,
    /// The end of the core and its BSS, where the next block begins.
    pub end: u16,
    /// The two operands in `save` (asm/int60.asm) that the installer sets to the addresses of the caller's ESP and SS on the
    /// driver's stack: [`State::stack`], and four more.
    pub stack: [u16; 2],
    /// The instructions that send the end of interrupt to the PICs ([`EOI_SECOND`] and the constants behind it).
    pub eoi: u16,
    /// Where a feature may patch in a near call (asm/attach.inc): at an entry, at the way out, before a receiver, after a
    /// receiver, and when the driver is unloaded. [`PATCHED`] are the bytes there.
    pub patches: [u16; 5],
    /// The routine `settle`.
    pub settle: u16,
    /// The routine `save`,
    pub save: u16,
    /// where INT 60h calls function SI when the caller's registers are saved,
    pub run: u16,
    /// where an entry without an error goes out,
    pub out: u16,
    /// and the number of open handles, a byte.
    pub open: u16,
    /// The near address of the handle that gets the peeked frame.
    pub getter: u16,
    /// The type cache.
    pub known: u16,
    /// The routine that calls a client's receiver.
    pub upcall: u16,
    /// The table of the functions of INT 60h: near addresses.
    pub functions: u16,
}

/// Offset from [`CoreTable::eoi`] of the value for the second PIC: [`SPECIFIC_EOI`] plus the level.
pub const EOI_SECOND: u16 = 1;
/// Offset of the instruction that writes that value; [`NO_EOI`] replaces it for a line of the first PIC.
pub const EOI_WRITE: u16 = 2;
/// Offset of the value for the first PIC. It is the cascade's level, as a line of the second PIC needs it.
pub const EOI_FIRST: u16 = 5;
/// Specific end of interrupt, to which the level is added (8259A, OCW2).
pub const SPECIFIC_EOI: u8 = 0x60;
/// An instruction without effect (`mov al, al`).
pub const NO_EOI: u16 = 0xC088;

/// The bytes at [`CoreTable::patches`]; a feature that replaces them executes them itself: `mov es, ax`, `cld`; `pop es`,
/// `pop si`, `pop ds`; `mov dx, LOOKAHEAD`; `mov es, ax`, `cld`; an instruction without effect.
pub const PATCHED: [[u8; 3]; 5] = [
    [0x8E, 0xC0, 0xFC],
    [0x07, 0x5E, 0x1F],
    [0xBA, LOOKAHEAD as u8, 0],
    [0x8E, 0xC0, 0xFC],
    [0x8D, 0x74, 0],
];

/// The counts of the stats feature. A [`StatsRow`] for each handle follows.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Stats {
    /// Frames whose type was in the type cache.
    pub hits: u32,
    /// All other frames.
    pub searches: u32,
}

/// The counts of one handle.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct StatsRow {
    /// Frames that the handle's receiver took.
    pub taken: u32,
    /// Frames that the receiver refused.
    pub refused: u32,
    /// Bytes that the receiver took.
    pub bytes: u32,
}

/// A region that the Virtual DMA Services locked, as their DMA descriptor structure.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Region {
    /// Bytes.
    pub size: u32,
    /// Offset in the segment; it has 32 bits.
    pub offset: u32,
    /// Segment.
    pub segment: u16,
    /// The services' buffer that replaces the region; 0: none.
    pub buffer: u16,
    /// The region's physical address, for the card.
    pub physical: u32,
}

/// The most blocks in the information block: core, driver, device, handles, rings, buffers in XMS, stack, and one or two of each
/// feature. The pack step checks the number.
pub const BLOCKS: usize = 18;

/// The core's fields that the installer fills in before it hooks the vectors.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct State {
    /// Near address of the device, for calls of the driver's entries.
    pub device: u32,
    /// Bytes of the handle table.
    pub handles_size: u16,
    /// Segment of the memory block to free on `terminate`; 0: the memory is DOS's for good.
    pub memory: u16,
    /// SP for a call from a receiver that has switched to another stack.
    pub stack_second: u16,
    /// Offset in segment 0 of the NIC's vector, or of the packet driver's if the NIC has no interrupt.
    pub irq_slot: u16,
    /// Near address of that vector's old handler, in the driver's IISP header.
    pub old_irq: u16,
    /// Offset of the packet driver's vector in segment 0.
    pub int_slot: u16,
    /// The old handler of INT 60h.
    pub old_int60: Far,
    /// ESP for an entry from outside, six bytes below the stack's end: the caller's ESP and SS are stored there.
    pub stack: u32,
    /// The driver's segment, for SS.
    pub segment: u16,
    /// Not 0: the line was masked in the PIC before the load. No other handler waits for it, so an interrupt that is not
    /// the NIC's is not passed on.
    pub irq_lone: u8,
    /// Frames that the core takes from the card before it looks for other interrupts, 1 or more: [`BURST`]. Read at the start
    /// of each burst, so that it may change while the driver runs.
    pub burst: u8,
}

/// [`State::burst`], if `/BURST=` is not given.
pub const BURST: u8 = 8;

/// Bytes of stack that receivers find, if `/STACK=` is not given.
pub const STACK: u16 = 256;
/// Bytes of stack above the receivers' share: what the core has taken when it calls a receiver. Exact: CONFORM measures it. A
/// feature that takes more says so itself (`FEATURE` in asm/attach.inc).
pub const STACK_CORE: u16 = 86;
/// [`State::stack_second`], from the stack's low end: what a call of INT 60h from inside an upcall takes of the receivers'
/// share, wherever the receiver's stack is. The tests want 16 bytes of it never used (tools/src/suite/stack.rs).
pub const STACK_SECOND: u16 = 136;

/// Offset of [`Work`] in the core (linker/resident.ld).
pub const WORK: u16 = 20;
/// Offset of [`State`] in the core, behind [`Work`]. Behind it lie `getter` (the handle that gets the peeked frame), `busy`
/// (the number of entries in progress), `pending` (the work for the way out) and `open` (the number of open handles).
pub const STATE: u16 = WORK + size_of::<Work>() as u16;
/// Bit of `pending` that stays set: the NIC has no interrupt.
pub const POLLED: u8 = 0x40;
/// Bit of `pending`: the pool has frames, which are offered or sent at the next way out.
pub const WAITING: u8 = 8;
/// Bits of `pending`: address, receive mode or multicast list have changed, and the card is to be set. One of the two bits
/// means that (asm/abi.inc). The other one makes the value greater than [`crate::device::Events::OPEN`], so that `settle`
/// needs no further comparison.
pub const CHANGED: u8 = 0x20 | crate::device::Events::OPEN.0;
/// Offset of `pending` in the core.
pub const PENDING: u16 = STATE + size_of::<State>() as u16 + 3;
/// Offset of `busy` in the core.
pub const BUSY: u16 = PENDING - 1;
/// Offset in the core of the number of open handles, which `/REPLACE` hands over.
pub const OPEN_HANDLES: u16 = PENDING + 1;
/// Offset in the core of the near address of its routine `clock` (linker/resident.ld).
pub const CLOCK: u16 = 18;

/// The most multicast addresses that the core keeps.
pub const GROUPS: usize = 8;

/// The data that a driver's entries use. It lies at offset [`WORK`] of the core, which every unit knows.
#[repr(C)]
pub struct Work {
    /// The NIC's part of the information block. Its address and receive mode are those in force.
    pub nic: NicInfo,
    /// The frame on its way.
    pub job: Job,
    /// Number of addresses in [`Work::groups`].
    pub group_count: u16,
    /// The multicast list.
    pub groups: [MacAddr; GROUPS],
}

const _: () =
    assert!(size_of::<Job>() == 40 && size_of::<Region>() == 16 && size_of::<State>() == 28 && size_of::<Work>() == 124);

/// Bytes of the table of the driver's entries, which ends the core: the header of the driver's unit is loaded there.
pub const ENTRIES: u16 = 20;

/// A driver's entries, in the order of the header of its unit (asm/driver.asm). Each gets the near address of the device,
/// and finds all else in [`Work`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Entry {
    /// [`crate::device::Device::irq`]: returns the byte of [`crate::device::Events`].
    Irq,
    /// [`crate::device::Device::unmask`].
    Unmask,
    /// [`crate::device::Device::peek`]: the result is stored in the job's `rx` ([`Work::job`]).
    Peek,
    /// [`crate::device::Device::copy`], then `discard`.
    Copy,
    /// [`crate::device::Device::discard`].
    Discard,
    /// [`crate::device::Device::send`]: returns 0 for sent, 1 for busy, 2 for failed.
    Send,
    /// [`crate::device::Device::set_rcv_mode`].
    SetRcvMode,
    /// [`crate::device::Device::set_address`].
    SetAddress,
    /// [`crate::device::Device::link`].
    Link,
    /// [`crate::device::Device::stop`].
    Stop,
}
