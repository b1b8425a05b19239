//! The short tables by which units meet: near offsets only, sizes asserted.

use crate::bus::Far;
use crate::device::{Job, LOOKAHEAD, MacAddr};
use crate::info::NicInfo;

/// How the installer finds its way in the core; the pack step takes it from the core's symbols, in this order
/// (tools/src/pack/image.rs).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct CoreTable {
    /// The device's strategy routine, for the device header.
    pub strategy: u16,
    /// The device's interrupt routine, for the device header.
    pub interrupt: u16,
    /// Handler of the packet driver's vector.
    pub int60: u16,
    /// Handler of the NIC's interrupt: an IISP header, the old vector at +2.
    pub irq: u16,
    /// [`State`].
    pub state: u16,
    /// [`crate::info::Info`].
    pub info: u16,
    /// [`Work`].
    pub work: u16,
    /// Just behind the core and its BSS: where the next block goes.
    pub end: u16,
    /// Where the near addresses of [`State::stack`] and of what follows it there are to be.
    pub stack: [u16; 2],
    /// The code that ends the interrupt in the PICs ([`EOI_SECOND`] and what follows it).
    pub eoi: u16,
    /// Where features may patch a near call in (asm/attach.inc): at an entry, at the way out, before a receiver, behind it, and
    /// when the driver goes. [`PATCHED`] is what is there.
    pub patches: [u16; 5],
    /// The routines `save` and `settle`.
    pub entries: [u16; 2],
    /// The handle that gets the frame in hand.
    pub getter: u16,
    /// The types that are remembered.
    pub known: u16,
    /// The routine that calls a client.
    pub upcall: u16,
    /// The near addresses of INT 60h's functions.
    pub functions: u16,
}

/// Offset in the code at [`CoreTable::eoi`] of the second PIC's end of interrupt: [`SPECIFIC_EOI`] and the level.
pub const EOI_SECOND: u16 = 1;
/// Offset of the instruction that writes it, [`NO_EOI`] for a line of the first PIC.
pub const EOI_WRITE: u16 = 2;
/// Offset of the first PIC's end of interrupt: for the second PIC's lines the cascade's level, and there already.
pub const EOI_FIRST: u16 = 5;
/// End of interrupt of the level that is added (8259A, OCW2).
pub const SPECIFIC_EOI: u8 = 0x60;
/// Does nothing (`mov al, al`).
pub const NO_EOI: u16 = 0xC088;

/// The code at [`CoreTable::patches`], which that of the features does as well: `mov es, ax`, `cld`; `pop es`, `pop si`,
/// `pop ds`; `mov dx, LOOKAHEAD`; the first one again; nothing.
pub const PATCHED: [[u8; 3]; 5] = [
    [0x8E, 0xC0, 0xFC],
    [0x07, 0x5E, 0x1F],
    [0xBA, LOOKAHEAD as u8, 0],
    [0x8E, 0xC0, 0xFC],
    [0x8D, 0x74, 0],
];

/// What the stats feature counts, behind which there is a [`StatsRow`] for each handle.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Stats {
    /// Frames whose handle was known by their type.
    pub hits: u32,
    /// All others.
    pub searches: u32,
}

/// What it counts for a handle.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct StatsRow {
    /// Frames that its receiver took.
    pub taken: u32,
    /// Frames that it refused.
    pub refused: u32,
    /// Bytes that it took.
    pub bytes: u32,
}

/// A region that the Virtual DMA Services locked: their DMA descriptor structure.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Region {
    /// Bytes.
    pub size: u32,
    /// Offset in the segment; all 32 bits count.
    pub offset: u32,
    /// Segment.
    pub segment: u16,
    /// Number of the buffer in the region's place, 0: none.
    pub buffer: u16,
    /// Where a card finds it.
    pub physical: u32,
}

/// At most this many blocks are listed in the information block: core, driver, device, handles, rings, buffers in XMS, stack,
/// and of each feature one or two. The pack step counts them.
pub const BLOCKS: usize = 15;

/// What the installer fills in before it hooks the vectors.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct State {
    /// Near address of the device, for the driver's entries.
    pub device: u32,
    /// Bytes of the handle table.
    pub handles_size: u16,
    /// Segment of the memory block to free on `terminate`; 0: the memory is DOS's for good.
    pub memory: u16,
    /// SP for a call from a receiver that switched to a stack of its own.
    pub stack_second: u16,
    /// Where the packet driver's vector lies in segment 0.
    pub int_slot: u16,
    /// Where the NIC's vector lies in segment 0, or the timer's when it has none.
    pub irq_slot: u16,
    /// Where the handler that this had before is kept: in the IISP header of ours.
    pub old_irq: u16,
    /// The handler that INT 60h had before.
    pub old_int60: Far,
    /// ESP for an entry from outside: six bytes below the stack's end, where its caller's ESP and SS go.
    pub stack: u32,
    /// Our segment, for SS.
    pub segment: u16,
    /// Not zero: the line was masked in the PIC before; an interrupt that is not ours has no other owner.
    pub irq_lone: u8,
    /// Frames that the core takes from the card before it looks for other interrupts, 1 or more: [`BURST`]. Read at the start
    /// of each burst, so that it may change while the driver runs.
    pub burst: u8,
}

/// [`State::burst`] without `/BURST=`.
pub const BURST: u8 = 8;

/// Where [`Work`] lies in the core (linker/resident.ld).
pub const WORK: u16 = 20;
/// Behind it: [`State`], the handle that gets the frame in hand, the depth of entries, and whether a look at the card is
/// due.
pub const STATE: u16 = WORK + size_of::<Work>() as u16;
/// Of the last of these, for good: the NIC has no interrupt.
pub const POLLED: u8 = 0x40;
/// Of the last of these: address, receive mode or multicast list have changed, and the card is to be told. One bit says so
/// (asm/abi.inc); with the other one the value is above [`crate::device::Events::OPEN`], so that `settle` finds it without
/// one more comparison.
pub const CHANGED: u8 = 0x20 | crate::device::Events::OPEN.0;
/// Where that lies, behind the first.
pub const PENDING: u16 = STATE + size_of::<State>() as u16 + 3;
/// Where the core has the near address of its routine that reads the clock (linker/resident.ld).
pub const CLOCK: u16 = 18;

/// Multicast addresses that the core keeps.
pub const GROUPS: usize = 8;

/// What a driver's entries work on. It lies at [`WORK`] in the core, where every unit finds it.
#[repr(C)]
pub struct Work {
    /// The NIC's part of the information block; its address and its receive mode are those in force.
    pub nic: NicInfo,
    /// The frame in hand.
    pub job: Job,
    /// Addresses in [`Work::groups`].
    pub group_count: u16,
    /// The multicast list.
    pub groups: [MacAddr; GROUPS],
}

const _: () =
    assert!(size_of::<Job>() == 40 && size_of::<Region>() == 16 && size_of::<State>() == 28 && size_of::<Work>() == 124);

/// Bytes of the driver's entries, the last of the core: there the header of the driver's unit comes to lie.
pub const ENTRIES: u16 = 20;

/// A driver's entries, in the order of asm/driver.asm, which is at offset 0 of its unit. Each gets the instance,
/// and finds the rest in [`Work`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Entry {
    /// [`crate::device::Device::irq`]: [`crate::device::Events`]' byte.
    Irq,
    /// [`crate::device::Device::unmask`].
    Unmask,
    /// [`crate::device::Device::peek`]: what it gives is in [`Work::rx`].
    Peek,
    /// [`crate::device::Device::copy`] and `discard`.
    Copy,
    /// [`crate::device::Device::discard`].
    Discard,
    /// [`crate::device::Device::send`]: 0 sent, 1 busy, 2 failed.
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
