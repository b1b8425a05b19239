//! Registers and descriptors of Intel's gigabit controllers, in the order of their addresses. Probes use those that are public.

/// Device control.
pub const CTRL: u16 = 0x0000;
/// Ends DMA (82574, PCH); [`STATUS_MASTER`] shows when the last transfer has ended.
pub const   CTRL_MASTER_DISABLE: u32 = 1 << 2;
/// Set link up: the MAC allows the link.
pub const   CTRL_SLU: u32 = 1 << 6;
/// Bits that are cleared: forced or inverted speed, duplex and loss of signal, flow control, VLAN tags, resets of link and PHY.
pub const   CTRL_UNWANTED: u32 = 1 << 3 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31;
/// Resets the MAC; clears itself.
pub const   CTRL_RST: u32 = 1 << 26;
/// Device status.
pub const STATUS: u16 = 0x0008;
/// Link up.
pub const   STATUS_LU: u32 = 1 << 1;
/// Lowest of two bits: 10, 100, or 1,000 Mbit/s (2 and 3).
pub(super) const   STATUS_SPEED: u8 = 6;
/// I225, I226: 2,500 Mbit/s.
pub(super) const   STATUS_2500: u32 = 1 << 22;
pub(super) const   STATUS_MASTER: u32 = 1 << 19;
/// Extended control.
pub const CTRL_EXT: u16 = 0x0018;
/// A driver is loaded: the management engine leaves PHY and filters alone ([`PCH`](super::PCH)).
pub const   CTRL_EXT_DRIVER: u32 = 1 << 28;
/// Interrupt cause; reading acknowledges.
pub(super) const ICR: u16 = 0x00C0;
/// Interrupt mask set.
pub const IMS: u16 = 0x00D0;
/// Interrupt mask clear.
pub(super) const IMC: u16 = 0x00D8;
/// The link has changed. The same bit as [`Events::LINK`](crate::device::Events::LINK).
pub(super) const   CAUSE_LSC: u32 = 1 << 2;
pub(super) const   CAUSE_RXO: u32 = 1 << 6;
/// Frames were received.
pub const   CAUSE_RXT0: u32 = 1 << 7;
/// Causes that interrupt.
pub(super) const CAUSES: u32 = CAUSE_LSC | CAUSE_RXO | CAUSE_RXT0;
/// Receive control.
pub const RCTL: u16 = 0x0100;
/// The receiver is on.
pub const   RCTL_EN: u16 = 1 << 1;
pub(super) const   RCTL_UPE: u16 = 1 << 3;
pub(super) const   RCTL_MPE: u16 = 1 << 4;
pub(super) const   RCTL_BAM: u16 = 1 << 15;
/// Strip the check sequence. (Otherwise QEMU's 82574 would store it in a descriptor of its own.)
pub(super) const   RCTL_SECRC: u32 = 1 << 26;
/// Transmit control.
pub const TCTL: u16 = 0x0400;
/// Enable; 16 attempts; a collision window of 64 bytes, for full duplex and for 10 and 100 Mb/s.
pub const   TCTL_ON: u32 = 1 << 1 | 15 << 4 | 64 << 12;
/// Receive descriptors: tail.
pub(super) const RDT: u16 = 0x2818;
/// Transmit descriptors: head. On [`QUEUES`](super::QUEUES) it is read-only.
pub const TDH: u16 = 0x3810;
/// Transmit descriptors: tail.
pub(super) const TDT: u16 = 0x3818;
/// When descriptors are fetched and written back.
pub const TXDCTL: u16 = 0x3828;
/// The queue works ([`QUEUES`](super::QUEUES)). The bit changes when the queue has started or stopped. A tail that is written to a queue
/// that does not work is lost.
pub const   QUEUE_ENABLE: u32 = 1 << 25;
/// Frames with a wrong check sequence; reading clears it.
pub(super) const CRCERRS: u16 = 0x4000;
/// Missed frames: no descriptor was free; reading clears it.
pub(super) const MPC: u16 = 0x4010;
/// Receive address 0, low half; the high half follows, then the other 15 addresses.
pub const RAL0: u16 = 0x5400;
/// The address is valid.
pub const   RAH_AV: u32 = 1 << 31;
/// Multicast table: 128 double words, 32 on [`PCH`](super::PCH).
pub const MTA: u16 = 0x5200;
/// State of the firmware ([`PCH`](super::PCH)).
pub const FWSM: u16 = 0x5B54;
/// The management engine has the bus: a write to a register of an 82579 may get lost.
pub const   FWSM_BUS: u32 = 1 << 24;
/// Settings of the I219.
pub const FEXTNVM11: u16 = 0x5BBC;
/// No several requests at a time: the other half of the remedy for descriptors that are held. The driver sets it on the I219
/// alone, and recognizes the I219 by it.
pub const   FEXTNVM11_ONE: u32 = 1 << 13;

/// Bytes of a descriptor: address (8), length (2), and fields that differ for the transmitter and the receiver.
pub const DESC: u32 = 16;
/// Length; for the transmitter, the command in bits 31:24.
pub(super) const LENGTH: u16 = 8;
/// Command: end of packet, insert the check sequence, report status.
pub(super) const   COMMAND: u32 = 0x0B << 24;
/// Length and command of a descriptor for [`Gigabit::flush`](super::Gigabit::flush): 512 bytes, insert the check sequence, more to follow.
pub(super) const FLUSHING: u32 = 2 << 24 | 512;
/// Status in bits 7:0; for the receiver, errors in bits 15:8.
pub const STATE: u16 = 12;
/// Descriptor done: it is the driver's.
pub const   DD: u32 = 1 << 0;
pub(super) const   RX_EOP: u32 = 1 << 1;
/// Errors: check sequence, symbol, sequence, carrier extension, data.
pub(super) const   RX_ERRORS: u32 = 0x97 << 8;
// A receive descriptor of QUEUES that the card has written: state at 8, with one bit for all errors, length at 12. Before that,
// bit 0 of the second quarter must be 0.
pub(super) const RX_LENGTH_QUEUES: u16 = 12;
pub(super) const RX_STATE_QUEUES: u16 = 8;
pub(super) const   RX_ERROR_QUEUES: u32 = 1 << 31;
/// Errors: excessive or late collisions.
pub(super) const   TX_ERRORS: u32 = 3 << 1;
