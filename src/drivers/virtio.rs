//! The part of a virtio device that is the same for all (OASIS Virtual I/O Device 1.2): device status, access to registers
//! in ports, in memory or through a window in PCI configuration space, and split queues.
//!
//! Entry `n` of an available ring takes the buffer that entry `n - count` of the used ring returned, whatever the order in
//! which the device returns buffers. So no list of free buffers is kept, and a ring may have more entries than buffers.

use crate::bus::{Addr, Bus};

/// Interrupt status (byte; a read acknowledges): buffers of a queue were returned.
pub const ISR_QUEUE: u8 = 1 << 0;
/// In the same register: the configuration has changed. A network card's configuration changes only with its link.
pub const ISR_CONFIGURATION: u8 = 1 << 1;

/// Device status (byte; writing 0 resets the device): the guest has found the device.
pub const STATUS_ACKNOWLEDGE: u8 = 1 << 0;
/// The guest has a driver.
pub const STATUS_DRIVER: u8 = 1 << 1;
/// The driver is ready.
pub const STATUS_DRIVER_OK: u8 = 1 << 2;
/// The features are agreed on (modern devices).
pub const STATUS_FEATURES_OK: u8 = 1 << 3;

/// Bytes of a descriptor: address (64 bits), length (32), flags (16), number of the next descriptor (16).
pub const DESCRIPTOR: u32 = 16;
/// Offset of the length.
pub const DESCRIPTOR_LENGTH: u32 = 8;
/// Offset of the flags, read as 32 bits together with the number of the next descriptor.
pub const DESCRIPTOR_FLAGS: u32 = 12;
/// A next descriptor follows.
pub const   NEXT: u32 = 1 << 0;
/// The device writes to the buffer.
pub const   DEVICE_WRITES: u32 = 1 << 1;
/// Shift of the next descriptor's number in those 32 bits.
pub const DESCRIPTOR_NEXT_SHIFT: u32 = 16;

/// Offset of a ring's flags (16 bits).
pub const FLAGS: u32 = 0;
/// Flag of the available ring: the device shall not interrupt.
pub const   NO_INTERRUPT: u16 = 1;
/// Flag of the used ring: the driver shall not notify.
pub const   NO_NOTIFY: u16 = 1;
/// Offset of a ring's index (16 bits): the number of entries written so far.
pub const INDEX: u32 = 2;
/// Offset of a ring's first entry. Available ring: a descriptor's number (16 bits).
pub const RING: u32 = 4;
/// Used ring: an entry has 8 bytes (as a shift): a descriptor's number,
pub const USED_SHIFT: u32 = 3;
/// and at this offset the number of bytes that the device has written.
pub const USED_LENGTH: u16 = 4;

/// Limit of a reset, in microseconds.
const RESET_LIMIT: u16 = 25_000;

/// A register: a value below 64 KB is a port, another one an address in memory. In V86 mode, where memory cannot be reached:
/// base address register in bits 31:29 and offset below, for the window in configuration space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Register(pub u32);

impl Register {
    /// The register `bytes` higher.
    pub const fn plus(self, bytes: u32) -> Register {
        Register(self.0.wrapping_add(bytes))
    }

    fn port(self) -> Option<u16> {
        if self.0 < 0x1_0000 { Some(self.0 as u16) } else { None }
    }
}

// Configuration mechanism 1, for the window (VIRTIO_PCI_CAP_PCI_CFG): BAR, offset, length, data.
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
    /// The window's capability, as a value for [`PCI_ADDRESS`].
    pub window: u32,
}

impl Access {
    /// Points the window at a register of `len` bytes; returns what PCI_ADDRESS was. The caller restores that: the driver may
    /// have interrupted another program between its accesses to the two configuration ports.
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

    /// Reads a register of `len` bytes (1, 2 or 4).
    #[inline(never)]
    fn read(self, bus: &impl Bus, at: Register, len: u8) -> u32 {
        if bus.confined() {
            let before = self.aim(bus, at, len);
            // The bytes beyond the register are undefined.
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

    /// Writes a register of `len` bytes (1, 2 or 4).
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

/// A queue. Its addresses are for the bus.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Queue {
    /// Address of the descriptors.
    pub descriptors: u32,
    /// Address of the available ring.
    pub available: u32,
    /// Address of the used ring.
    pub used: u32,
    /// Address of the buffers; for the control queue, of its memory.
    pub buffers: u32,
    /// The register that notifies the device of new buffers.
    pub notify: Register,
    /// The value to write to it.
    pub number: u16,
    /// Index of the available ring: buffers given to the device so far.
    pub next: u16,
    /// Number of buffers.
    pub count: u16,
    /// Number of entries in each ring, less one.
    pub places: u16,
}

impl Queue {
    /// The used ring's entry of the buffer that was returned first; 0: no buffer has been returned. A buffer can be given only
    /// after one was returned; at first, all transmit buffers count as returned (src/probe/virtio_net.rs).
    #[inline(never)]
    pub fn back(&self, bus: &impl Bus) -> Addr {
        let at = self.next.wrapping_sub(self.count);
        if bus.get16(Addr(self.used + INDEX)) == at {
            return Addr(0);
        }
        Addr(self.used + RING + (((at & self.places) as u32) << USED_SHIFT))
    }

    /// The first descriptor of the chain in an entry of the used ring. If the number is wrong: 0.
    #[inline(never)]
    pub fn chain(&self, bus: &impl Bus, back: Addr) -> u16 {
        let chain = bus.get16(back) & !1;
        if chain < 2 * self.count { chain } else { 0 }
    }

    /// Publishes the available ring's index, and notifies the device if it wants that.
    #[inline(never)]
    pub fn offer(&self, bus: &impl Bus, access: Access) {
        bus.swap16(Addr(self.available + INDEX), self.next);
        if bus.get16(Addr(self.used + FLAGS)) & NO_NOTIFY == 0 {
            access.write16(bus, self.notify, self.number);
        }
    }

    /// Gives a buffer to the device.
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
    bus.wait_briefly(RESET_LIMIT, || access.read8(bus, status) == 0).is_ok()
}
