//! What the core asks of a NIC, and how a NIC's unit is laid out.

use core::num::NonZeroU16;

use crate::bus::Far;

/// Bytes of a frame that a receiver sees in its first upcall: both addresses, the type or length, and the eight
/// bytes of 802.2 that a class 11 handle may match.
pub const LOOKAHEAD: usize = 24;
/// The first bytes of the frame at the head of the receive queue.
pub type Head = [u8; LOOKAHEAD];
/// An Ethernet address, first byte on the wire first.
pub type MacAddr = [u8; 6];
/// Longest frame: MAC header and data, without the check sequence, in bytes.
pub const MAX_FRAME: u16 = 1514;
/// Shortest frame on the wire, without the check sequence, in bytes. `send` pads with zeros.
pub const MIN_FRAME: u16 = 60;

/// A received frame that waits at the head of the device's queue: the length of MAC header and data, without the check
/// sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Rx(NonZeroU16);

impl Rx {
    /// A frame that is of no use, to be discarded; it is counted.
    pub const USELESS: Rx = Rx(NonZeroU16::MAX);

    /// A frame of `len` (1 to [`MAX_FRAME`], checked by the driver) bytes.
    #[inline(always)]
    pub fn new(len: u16) -> Option<Rx> {
        NonZeroU16::new(len).map(Rx)
    }

    /// What `peek` gave in one word: 0 none, less than 0 [`Rx::USELESS`], else the length.
    #[inline(always)]
    pub fn word(peeked: Option<Rx>) -> i16 {
        peeked.map_or(0, |rx| rx.len() as i16)
    }

    /// Its length.
    #[inline(always)]
    pub fn len(self) -> u16 {
        self.0.get()
    }
}

/// A frame on its way between the card and a client. It begins as an IOCB does, so that one can be fetched into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Job {
    /// The client's buffer.
    pub at: Far,
    /// Bytes of the frame.
    pub len: u16,
    /// [`Job::UPCALL`].
    pub flags: u8,
    /// Error code.
    pub result: u8,
    /// Whom to call once the frame is sent, 0: nobody.
    pub upcall: Far,
    /// What `peek` filled in.
    pub head: Head,
    /// What `peek` gave.
    pub rx: Option<Rx>,
}

impl Job {
    /// Flag of an IOCB: its client wants an upcall.
    pub const UPCALL: u8 = 2;
}

/// Why an interrupt came: [`Events::NONE`] when it was not this NIC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Events(pub u8);

impl Events {
    /// Not this NIC's interrupt.
    pub const NONE: Events = Events(0);
    /// Something to peek at, or errors.
    pub const RX: Events = Events(1);
    /// The link may have changed: [`Device::link`] tells. Not every NIC interrupts for that. The core does nothing about it; a
    /// unit that wants it takes over the driver's entry `irq` (`Entry::Irq`) and looks at what the driver's own gives.
    pub const LINK: Events = Events(4);
    /// Something to peek at, and nothing for [`Device::unmask`] to do: the NIC interrupts all the while, or from the moment
    /// on at which [`Device::peek`] finds nothing.
    pub const OPEN: Events = Events(0x80);
}

/// Why a frame was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No room now; hardware was not touched.
    Busy,
    /// The hardware refused or did not answer within its limit.
    Failed,
}

/// The specification's receive modes (`set_rcv_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RcvMode {
    /// Receiver off.
    Off = 1,
    /// Own address.
    Direct = 2,
    /// Own address and broadcast.
    Broadcast = 3,
    /// And the multicast list.
    Multicast = 4,
    /// And every multicast address.
    AllMulticast = 5,
    /// Every frame.
    Promiscuous = 6,
}

/// The most register accesses that [`Device::link`] takes: a PHY's register by hand, 64 clocks of four accesses, and a choice
/// of the window before and behind.
pub const LINK_ACCESSES: u16 = 64 * 4 + 2;

/// The state of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Link {
    /// No link.
    Down = 0,
    /// Link up.
    Up = 1,
    /// The part cannot tell.
    Unknown = 2,
}

/// The specification's statistics, in its order: the first field of every device, where the core finds it and
/// `get_statistics` points. The core counts the first four, the driver the rest; both count lost frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Frames that came in good.
    pub packets_in: u32,
    /// Frames sent.
    pub packets_out: u32,
    /// Bytes that came in, MAC headers included.
    pub bytes_in: u32,
    /// Bytes sent, MAC headers included.
    pub bytes_out: u32,
    /// Received frames with errors (check sequence, alignment, length out of range).
    pub errors_in: u32,
    /// Frames that could not be transmitted.
    pub errors_out: u32,
    /// Frames lost: no room in the NIC, no handle, or a receiver that refused.
    pub lost: u32,
}

/// A NIC. No method blocks beyond a named limit, none panics, none allocates; no borrow of a device is alive
/// during an upcall.
///
/// A device is a `repr(C)` struct whose first field is its [`Counters`].
pub trait Device {
    /// Reads and acknowledges the interrupt causes; when there are any, also masks the NIC's interrupts until
    /// [`Device::unmask`], or says with [`Events::OPEN`] that it has not.
    ///
    /// An ISA line is edge-triggered: the interrupt controller sees it rise and nothing else. So the line must have been
    /// low after the last cause that was acknowledged, or no interrupt ever comes again. A driver that masks has that by
    /// masking. One that does not must read the causes once more behind the acknowledge and find none that it left.
    ///
    /// Another NIC on a shared line, or a client that enables interrupts in its upcall, may have this called between any
    /// other two calls, with the NIC masked too. It must not lose what `unmask` would announce.
    fn irq(&mut self) -> Events;
    /// Lets the NIC interrupt again. The line must rise for every cause that is pending by then, and for every frame that
    /// has come since [`Device::peek`] last said that there is none.
    fn unmask(&mut self);
    /// The next frame and its first bytes (those beyond its end are undefined). Bad frames are counted here and either
    /// thrown away, a bounded number a call, or given as [`Rx::USELESS`]. Not asked again before [`Device::discard`].
    fn peek(&mut self, head: &mut Head) -> Option<Rx>;
    /// Copies the first `job.len` bytes (at most the frame's) of the peeked frame to `job.at`; `job.head` is what `peek`
    /// filled in, for parts whose FIFO cannot be read twice.
    fn copy(&mut self, job: &Job);
    /// Done with the peeked frame, copied or not.
    fn discard(&mut self, rx: Rx);
    /// Sends the `job.len` (1 to [`MAX_FRAME`]) bytes at `job.at`; has copied them before it returns. Pads to
    /// [`MIN_FRAME`] with zeros.
    fn send(&mut self, job: &Job) -> Result<(), SendError>;
    /// Sets every mask and filter register. `groups` counts only in [`RcvMode::Multicast`]; the list stays where and as
    /// it is until the next call.
    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]);
    /// Receives for (and, where the part fills it in, sends from) this address, from the [`Device::set_rcv_mode`] on that
    /// follows at once.
    fn set_address(&mut self, address: &MacAddr);
    /// The state of the cable. Where a PHY has to be asked, a link that was lost since the last call is down once. At most
    /// [`LINK_ACCESSES`] register accesses, so that it may be called at each timer tick.
    fn link(&mut self) -> Link;
    /// No DMA and no interrupt after this.
    fn stop(&mut self);
}
