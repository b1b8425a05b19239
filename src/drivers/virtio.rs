//! What all virtio devices have in common (OASIS Virtual I/O Device 1.2): device status, registers in ports, memory or
//! behind a window in configuration space, and split queues.
//!
//! Place `n` of an available ring takes the buffer that place `n - count` of the used ring gave back, in whatever order
//! the device did that: so no list of free buffers is kept, and a queue may have more places than buffers.

use crate::bus::{Addr, Bus};

/// Interrupt status (byte): read and acknowledge. A queue's buffers came back.
pub const ISR_QUEUE: u8 = 1 << 0;
/// In the same: the configuration has changed, of which a network card has the link alone.
pub const ISR_CONFIGURATION: u8 = 1 << 1;

/// Device status (byte; writing 0 resets): the guest has seen the device.
pub const STATUS_ACKNOWLEDGE: u8 = 1 << 0;
/// It has a driver.
pub const STATUS_DRIVER: u8 = 1 << 1;
/// The driver is ready.
pub const STATUS_DRIVER_OK: u8 = 1 << 2;
/// Features are agreed on (modern).
pub const STATUS_FEATURES_OK: u8 = 1 << 3;

/// Bytes of a descriptor: address (64 bits), length (32), flags (16), the next one's number (16).
pub const DESCRIPTOR: u32 = 16;
/// Offset of the length.
pub const DESCRIPTOR_LENGTH: u32 = 8;
/// Offset of the flags, as 32 bits with the next one's number.
pub const DESCRIPTOR_FLAGS: u32 = 12;
/// A next one follows.
pub const   NEXT: u32 = 1 << 0;
/// For the device to write to.
pub const   DEVICE_WRITES: u32 = 1 << 1;
/// Where the next one's number is in those 32 bits.
pub const DESCRIPTOR_NEXT_SHIFT: u32 = 16;

/// Either ring: flags (16 bits).
pub const FLAGS: u32 = 0;
/// In the available ring: no interrupt, please.
pub const   NO_INTERRUPT: u16 = 1;
/// In the used ring: no notification, please.
pub const   NO_NOTIFY: u16 = 1;
/// Either ring: index (16 bits), the number of buffers that went through it so far.
pub const INDEX: u32 = 2;
/// First place of either ring. Available: a descriptor's number (16 bits).
pub const RING: u32 = 4;
/// Used: 8 bytes a place: a descriptor's number, and behind it
pub const USED_SHIFT: u32 = 3;
/// the bytes that the device wrote.
pub const USED_LENGTH: u16 = 4;

/// Longest that a reset may take, in microseconds.
const RESET_LIMIT: u16 = 25_000;

/// A register: a port below 64 KB, memory above. In V86 mode, where memory is out of reach: its base address
/// register in bits 31:29 and its offset below, for the window in configuration space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Register(pub u32);

impl Register {
    /// The register `bytes` further on.
    pub const fn plus(self, bytes: u32) -> Register {
        Register(self.0.wrapping_add(bytes))
    }

    fn port(self) -> Option<u16> {
        if self.0 < 0x1_0000 { Some(self.0 as u16) } else { None }
    }
}

/// Configuration mechanism 1, for the window (VIRTIO_PCI_CAP_PCI_CFG): BAR, offset, length, data.
const PCI_ADDRESS: u16 = 0xCF8;
const PCI_DATA: u16 = 0xCFC;
const WINDOW_BAR: u32 = 4;
const WINDOW_OFFSET: u32 = 8;
const WINDOW_LENGTH: u32 = 12;
const WINDOW_DATA: u32 = 16;

/// How registers are reached.
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub struct Access {
    /// Address of the window's capability for [`PCI_ADDRESS`].
    pub window: u32,
}

impl Access {
    /// Aims the window at `len` bytes. What another program, which we may have interrupted between the two
    /// configuration ports, had aimed at is the caller's to put back.
    #[inline(never)]
    fn aim(self, bus: &impl Bus, at: Register, len: u8) -> u32 {
        let before = bus.in32(PCI_ADDRESS);
        bus.out32(PCI_ADDRESS, self.window + WINDOW_BAR);
        bus.out8(PCI_DATA, (at.0 >> 29) as u8);
        bus.out32(PCI_ADDRESS, self.window + WINDOW_OFFSET);
        bus.out32(PCI_DATA, at.0 & 0x1FFF_FFFF);
        bus.out32(PCI_ADDRESS, self.window + WINDOW_LENGTH);
        bus.out32(PCI_DATA, len as u32);
        bus.out32(PCI_ADDRESS, self.window + WINDOW_DATA);
        before
    }

    /// Reads a register of so many bytes (1, 2, 4).
    #[inline(never)]
    fn read(self, bus: &impl Bus, at: Register, len: u8) -> u32 {
        if bus.confined() {
            let before = self.aim(bus, at, len);
            // The bytes that the register does not have are nobody's.
            let value = bus.in32(PCI_DATA);
            bus.out32(PCI_ADDRESS, before);
            return value;
        }
        match (at.port(), len) {
            (Some(port), 1) => bus.in8(port) as u32,
            (Some(port), 2) => bus.in16(port) as u32,
            (Some(port), _) => bus.in32(port),
            (None, 1) => bus.get8(Addr(at.0)) as u32,
            (None, 2) => bus.get16(Addr(at.0)) as u32,
            (None, _) => bus.get32(Addr(at.0)),
        }
    }

    /// Writes a register of so many bytes (1, 2, 4).
    #[inline(never)]
    fn write(self, bus: &impl Bus, at: Register, len: u8, value: u32) {
        if bus.confined() {
            let before = self.aim(bus, at, len);
            bus.out32(PCI_DATA, value);
            bus.out32(PCI_ADDRESS, before);
            return;
        }
        match (at.port(), len) {
            (Some(port), 1) => bus.out8(port, value as u8),
            (Some(port), 2) => bus.out16(port, value as u16),
            (Some(port), _) => bus.out32(port, value),
            (None, 1) => bus.put8(Addr(at.0), value as u8),
            (None, 2) => bus.put16(Addr(at.0), value as u16),
            (None, _) => bus.put32(Addr(at.0), value),
        }
    }

    /// Reads a byte register.
    #[inline(always)]
    pub fn read8(self, bus: &impl Bus, at: Register) -> u8 {
        self.read(bus, at, 1) as u8
    }

    /// Writes a byte register.
    #[inline(always)]
    pub fn write8(self, bus: &impl Bus, at: Register, value: u8) {
        self.write(bus, at, 1, value as u32);
    }

    /// Reads a 16-bit register.
    #[inline(always)]
    pub fn read16(self, bus: &impl Bus, at: Register) -> u16 {
        self.read(bus, at, 2) as u16
    }

    /// Writes a 16-bit register.
    #[inline(always)]
    pub fn write16(self, bus: &impl Bus, at: Register, value: u16) {
        self.write(bus, at, 2, value as u32);
    }

    /// Reads a 32-bit register.
    #[inline(always)]
    pub fn read32(self, bus: &impl Bus, at: Register) -> u32 {
        self.read(bus, at, 4)
    }

    /// Writes a 32-bit register.
    #[inline(always)]
    pub fn write32(self, bus: &impl Bus, at: Register, value: u32) {
        self.write(bus, at, 4, value);
    }
}

/// A queue. Addresses are the bus's.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Queue {
    /// Descriptors.
    pub descriptors: u32,
    /// Available ring.
    pub available: u32,
    /// Used ring.
    pub used: u32,
    /// Its buffers; the control queue's memory.
    pub buffers: u32,
    /// What to write to, to have the device look at it.
    pub notify: Register,
    /// What to write.
    pub number: u16,
    /// Index in the available ring: buffers given to the device so far.
    pub next: u16,
    /// Buffers.
    pub count: u16,
    /// Places in each ring, less one.
    pub places: u16,
}

impl Queue {
    /// Where the oldest buffer that came back stands in the used ring; 0: none did. For every buffer to be given there
    /// is one that came back: at first, all that will be sent have (src/probe/virtio_net.rs).
    #[inline(never)]
    pub fn back(&self, bus: &impl Bus) -> Addr {
        let at = self.next.wrapping_sub(self.count);
        if bus.get16(Addr(self.used + INDEX)) == at {
            return Addr(0);
        }
        Addr(self.used + RING + (((at & self.places) as u32) << USED_SHIFT))
    }

    /// The first descriptor of the chain at a place in the used ring. One that does not exist is the first of all.
    #[inline(never)]
    pub fn chain(&self, bus: &impl Bus, back: Addr) -> u16 {
        let chain = bus.get16(back) & !1;
        if chain < 2 * self.count { chain } else { 0 }
    }

    /// Gives the device what is in the available ring, and wakes it if it wants that.
    #[inline(never)]
    pub fn offer(&self, bus: &impl Bus, access: Access) {
        bus.swap16(Addr(self.available + INDEX), self.next);
        if bus.get16(Addr(self.used + FLAGS)) & NO_NOTIFY == 0 {
            access.write16(bus, self.notify, self.number);
        }
    }

    /// Gives the device a buffer.
    #[inline(never)]
    pub fn give(&mut self, bus: &impl Bus, access: Access, chain: u16) {
        bus.put16(Addr(self.available + RING + 2 * (self.next & self.places) as u32), chain);
        self.next = self.next.wrapping_add(1);
        self.offer(bus, access);
    }
}

/// Resets the device: no DMA and no interrupt after this.
pub fn reset(bus: &impl Bus, access: Access, status: Register) -> bool {
    access.write8(bus, status, 0);
    bus.wait(RESET_LIMIT, || access.read8(bus, status) == 0).is_ok()
}
