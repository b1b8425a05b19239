//! The interface between the core and a NIC's driver: the trait [`Device`], and the data that both use. The core calls a
//! driver with interrupts off.

use core::num::NonZeroU16;

use crate::bus::Far;

/// Bytes of a frame that a receiver sees in its first upcall: both addresses, the type or length, and eight bytes of
/// 802.2, which a class 11 handle may match.
pub const LOOKAHEAD: usize = 24;
/// The first bytes of the frame at the head of the NIC's receive queue.
pub type Head = [u8; LOOKAHEAD];
/// An Ethernet address, first byte on the wire first.
pub type MacAddr = [u8; 6];
/// Longest frame: MAC header and data, without the check sequence, in bytes.
pub const MAX_FRAME: u16 = 1514;
/// Shortest frame on the wire, without the check sequence, in bytes. `send` pads with zeros.
pub const MIN_FRAME: u16 = 60;

/// What [`Device::peek`] found at the head of the NIC's receive queue: the frame's length in bytes, MAC header included,
/// check sequence not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Rx(NonZeroU16);

impl Rx {
    /// A bad frame: the core offers it to no receiver and calls [`Device::discard`]. The driver has counted it.
    pub const USELESS: Rx = Rx(NonZeroU16::MAX);

    /// A frame of `len` bytes: 1 to [`MAX_FRAME`], which the driver has checked.
    #[inline(always)]
    pub fn new(len: u16) -> Option<Rx> {
        NonZeroU16::new(len).map(Rx)
    }

    /// The answer of `peek` as one number: 0 no frame, negative [`Rx::USELESS`], otherwise the length.
    #[inline(always)]
    pub fn word(peeked: Option<Rx>) -> i16 {
        peeked.map_or(0, |rx| rx.len() as i16)
    }

    /// The frame's length in bytes.
    #[inline(always)]
    pub fn len(self) -> u16 {
        self.0.get()
    }
}

/// A frame on its way between the card and a client. The first fields are those of an IOCB, which is copied over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Job {
    /// The client's buffer.
    pub at: Far,
    /// Bytes of the frame.
    pub len: u16,
    /// [`Job::UPCALL`], or 0.
    pub flags: u8,
    /// The specification's error code, 0: none.
    pub result: u8,
    /// The client's upcall for when the frame is sent; 0: none.
    pub upcall: Far,
    /// The frame's first bytes, from `peek`.
    pub head: Head,
    /// The frame's length, from `peek`.
    pub rx: Option<Rx>,
}

impl Job {
    /// A filter above several NICs has no use for the peeked frame: makes it a useless one. Its length stays in the low bits, and
    /// asm/many.asm gives it to the driver's `discard`, which may need it to find the next frame.
    ///
    /// # Safety
    /// It is a job, and a frame was peeked at.
    #[inline(always)]
    pub unsafe fn refuse(job: *mut Job) {
        // SAFETY: the caller's; the number does not become 0.
        unsafe { *(&raw mut (*job).rx as *mut u16) |= 1 << 15 };
    }

    /// Flag of an IOCB: the client wants an upcall.
    pub const UPCALL: u8 = 2;
}

/// The causes of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Events(pub u8);

impl Events {
    /// The interrupt was not this NIC's.
    pub const NONE: Events = Events(0);
    /// There may be a frame to peek at, or an error.
    pub const RX: Events = Events(1);
    /// The link may have changed; [`Device::link`] returns its state. Not every NIC interrupts for that. The core ignores this
    /// event. A feature that needs it takes the driver's entry `irq` (`Entry::Irq`), and reads what the driver's routine returns.
    pub const LINK: Events = Events(4);
    /// There may be a frame to peek at, and [`Device::unmask`] has nothing to do: the NIC's interrupts stay enabled, or are
    /// enabled again when [`Device::peek`] finds no frame.
    pub const OPEN: Events = Events(0x80);
}

/// Why a frame was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The NIC has no room now. No register was changed.
    Busy,
    /// The NIC refused the frame, or did not answer within its limit.
    Failed,
}

/// The specification's receive modes (`set_rcv_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RcvMode {
    /// Receive nothing.
    Off = 1,
    /// Receive frames to the own address.
    Direct = 2,
    /// Those, and broadcasts.
    Broadcast = 3,
    /// Those, and frames to the addresses of the multicast list.
    Multicast = 4,
    /// Those, and frames to every multicast address.
    AllMulticast = 5,
    /// Receive every frame.
    Promiscuous = 6,
}

/// The most register accesses of [`Device::link`]: a PHY's register is read bit by bit, in 64 clocks of four accesses each; before
/// and after that a window is selected.
pub const LINK_ACCESSES: u16 = 64 * 4 + 2;

/// The state of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Link {
    /// There is no link.
    Down = 0,
    /// There is a link.
    Up = 1,
    /// The NIC cannot tell.
    Unknown = 2,
}

/// The specification's statistics, in its order. They are the first field of every device: the core finds them there, and
/// `get_statistics` returns their address. The core counts the first four, the driver counts `errors_in`; both count
/// `errors_out` and `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Good frames received.
    pub packets_in: u32,
    /// Frames sent.
    pub packets_out: u32,
    /// Bytes received, MAC headers included.
    pub bytes_in: u32,
    /// Bytes sent, MAC headers included.
    pub bytes_out: u32,
    /// Received frames with errors (check sequence, alignment, length out of range).
    pub errors_in: u32,
    /// Frames that could not be transmitted.
    pub errors_out: u32,
    /// Frames lost: the NIC had no room, no handle wanted them, or the receiver refused them.
    pub lost: u32,
}

/// A NIC. No method panics or allocates, and each wait has a named limit. The core holds no borrow of a device during an
/// upcall.
///
/// A device is a `repr(C)` struct whose first field is its [`Counters`].
pub trait Device {
    /// Reads and acknowledges the causes of an interrupt. If there are any, also masks the NIC's interrupts until
    /// [`Device::unmask`], or returns [`Events::OPEN`] to say that they are not masked.
    ///
    /// An ISA line is edge-triggered: the interrupt controller sees it rise and nothing else. The line must be low once
    /// after the last cause is acknowledged; otherwise no interrupt comes again. A driver that masks the NIC makes it low.
    /// A driver that does not must read the causes again after the acknowledge, until there are none.
    ///
    /// This may be called between any two other calls, with the NIC masked, too: another NIC shares the line, or a client
    /// enables interrupts in its upcall. It must not lose a cause that `unmask` has to announce.
    fn irq(&mut self) -> Events;
    /// Enables the NIC's interrupts. The line must rise for every cause that is pending at that time, and for every frame
    /// that has come since [`Device::peek`] last found none.
    fn unmask(&mut self);
    /// Finds the next frame and copies its first bytes to `head` (bytes behind a shorter frame's end are undefined). Bad
    /// frames are counted here; they are discarded here, a bounded number in one call, or returned as [`Rx::USELESS`]. The
    /// core calls [`Device::discard`] before the next `peek`.
    fn peek(&mut self, head: &mut Head) -> Option<Rx>;
    /// Copies the first `job.len` bytes of the peeked frame (the frame's length at most) to `job.at`. `job.head` is what
    /// `peek` has read, for a NIC whose FIFO cannot be read twice.
    fn copy(&mut self, job: &Job);
    /// Removes the peeked frame from the NIC, copied or not.
    fn discard(&mut self, rx: Rx);
    /// Sends `job.len` bytes (1 to [`MAX_FRAME`]) from `job.at`, padded with zeros to [`MIN_FRAME`]. The bytes are copied
    /// before this returns.
    fn send(&mut self, job: &Job) -> Result<(), SendError>;
    /// Sets every interrupt mask and receive filter register. `groups` matters only in [`RcvMode::Multicast`]; the list
    /// stays in place and unchanged until the next call.
    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]);
    /// Receives frames to this address from now on; a NIC that writes the source address itself sends from it. The core
    /// calls [`Device::set_rcv_mode`] next, so a driver may do the work there.
    fn set_address(&mut self, address: &MacAddr);
    /// The present state of the cable. If the state comes from a PHY, the first call after a loss returns [`Link::Down`], even if
    /// the link is up again. Takes at most [`LINK_ACCESSES`] register accesses, so that it may be called at every timer tick.
    fn link(&mut self) -> Link;
    /// Megabits a second at which a link that is up works; 0: the NIC cannot tell. The installer alone asks, with interrupts off.
    fn speed(&mut self) -> u16 {
        0
    }
    /// Stops the NIC: no DMA and no interrupt after this.
    fn stop(&mut self);
}
