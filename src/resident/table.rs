//! The short tables by which units meet: near offsets only, sizes asserted.

/// Offset of [`CoreTable`] in the core: behind the DOS device header.
pub const CORE_TABLE: u16 = 18;

/// How the installer finds its way in the core (asm/device.asm writes it).
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
    /// [`crate::info::Info`], followed by the one [`crate::info::NicInfo`] and [`BLOCKS`] blocks.
    pub info: u16,
    /// Just behind the core and its BSS: where the next block goes.
    pub end: u16,
    /// Where to patch a near call to [`FlatHeader::enter`], `leave`, `leave`, `enter` and `farewell`.
    pub patches: [u16; 5],
    /// `save`, `irq` and `restore`, for [`PollHeader`].
    pub entries: [u16; 3],
}

/// At offset 0 of the poll feature's unit (asm/poll.asm).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct PollHeader {
    /// Handler of the timer interrupt: an IISP header.
    pub handler: u16,
    /// [`CoreTable::entries`].
    pub entries: [u16; 3],
}

/// At offset 0 of the flat feature's unit (asm/flat.asm).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct FlatHeader {
    /// Makes memory flat.
    pub enter: u16,
    /// Puts A20 back.
    pub leave: u16,
    /// Gives XMS back.
    pub farewell: u16,
    /// Limit of the descriptor table.
    pub limit: u16,
    /// Its base, low word first, within our segment until the installer adds the segment's.
    pub base: [u16; 2],
    /// XMS handle, 0: none.
    pub xms_handle: u16,
    /// The XMS driver's entry, as two words: this is not aligned to four.
    pub xms_entry: [u16; 2],
}

/// Room for this many blocks behind the information block.
pub const BLOCKS: usize = 8;

/// What the installer fills in before it hooks the vectors.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct State {
    /// Near address of the driver's [`UnitHeader`].
    pub driver: u32,
    /// Near address of the device.
    pub device: u32,
    /// Near address of the first handle.
    pub handles: u32,
    /// Length of the handle table in bytes.
    pub handle_bytes: u16,
    /// Interrupt line, 0: none.
    pub irq: u8,
    /// The line was masked in the PIC before: an interrupt that is not ours has no other owner.
    pub irq_lone: u8,
    /// Not zero: look at the NIC on every call too.
    pub polled: u8,
    /// Keeps what follows even.
    pub unused: u8,
    /// Segment of the memory block to free on `terminate`; 0: the memory is DOS's for good.
    pub memory: u16,
    /// SP at the outermost entry.
    pub stack_top: u16,
    /// SP for a call from a receiver that switched to a stack of its own.
    pub stack_second: u16,
    /// The handler that INT 60h had before.
    pub old_int60: u32,
    /// Handler of the NIC's interrupt, or the timer's when polled: an IISP header, the old handler at +2.
    pub handler: u16,
    /// Keeps the size a multiple of four.
    pub unused2: u16,
}

const _: () = assert!(size_of::<CoreTable>() == 30 && size_of::<FlatHeader>() == 18 && size_of::<State>() == 32 && core::mem::offset_of!(State, memory) == 18);

/// First word of a driver's [`UnitHeader`].
pub const UNIT_MAGIC: u16 = 0x4E33;

#[cfg(target_os = "none")]
pub use machine::*;

#[cfg(target_os = "none")]
mod machine {
    use crate::bus::Addr;
    use crate::device::{Head, MacAddr, Rx};

    /// A driver's entry points, at offset 0 of its unit. `dev` is the near address of the instance.
    #[derive(Clone, Copy)]
    #[repr(C)]
    pub struct UnitHeader {
        /// [`super::UNIT_MAGIC`].
        pub magic: u16,
        /// Bytes of an instance.
        pub instance: u16,
        /// [`crate::device::Device::irq`], as [`crate::device::Events`]' byte.
        pub irq: extern "fastcall" fn(dev: u32) -> u8,
        /// [`crate::device::Device::unmask`].
        pub unmask: extern "fastcall" fn(dev: u32),
        /// [`crate::device::Device::peek`]: `len` in the low half, `at` in the high half; 0: nothing.
        pub peek: extern "fastcall" fn(dev: u32, head: &mut Head) -> u32,
        /// [`crate::device::Device::copy`].
        pub copy: extern "fastcall" fn(dev: u32, what: &Copy),
        /// [`crate::device::Device::discard`], with what `peek` gave.
        pub discard: extern "fastcall" fn(dev: u32, rx: u32),
        /// [`crate::device::Device::send`]: 0 sent, 1 busy, 2 failed.
        pub send: extern "fastcall" fn(dev: u32, what: &Send) -> u8,
        /// [`crate::device::Device::set_rcv_mode`].
        pub set_rcv_mode: extern "fastcall" fn(dev: u32, what: &Filter),
        /// [`crate::device::Device::set_address`].
        pub set_address: extern "fastcall" fn(dev: u32, address: &MacAddr),
        /// [`crate::device::Device::link`].
        pub link: extern "fastcall" fn(dev: u32) -> u8,
        /// [`crate::device::Device::stop`].
        pub stop: extern "fastcall" fn(dev: u32),
    }

    /// The arguments of [`UnitHeader::copy`].
    #[repr(C)]
    pub struct Copy<'a> {
        /// The peeked frame.
        pub rx: Rx,
        /// Where to.
        pub to: Addr,
        /// How many bytes.
        pub len: u16,
        /// What `peek` filled in.
        pub head: &'a Head,
    }

    /// The arguments of [`UnitHeader::send`].
    #[repr(C)]
    pub struct Send {
        /// Where from.
        pub frame: Addr,
        /// How many bytes.
        pub len: u16,
    }

    /// The arguments of [`UnitHeader::set_rcv_mode`].
    #[repr(C)]
    pub struct Filter {
        /// The multicast list.
        pub groups: [MacAddr; super::GROUPS],
        /// Bytes of it in use: whole addresses.
        pub bytes: u8,
        /// [`crate::device::RcvMode`].
        pub mode: u8,
    }

    const _: () = assert!(size_of::<UnitHeader>() == 44);
}

/// Multicast addresses that the core keeps.
pub const GROUPS: usize = 8;
