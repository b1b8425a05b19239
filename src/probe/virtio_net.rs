//! Finds and starts virtio network cards: by the modern registers if these can be reached, because then queues may have any
//! size; otherwise by the legacy registers. Legacy queues have the host's size and need XMS.

use super::pci::{self, Bar};
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, MacAddr, RcvMode};
use crate::drivers::virtio::*;
use crate::drivers::virtio_net::*;

/// Vendor capability: kind (byte) at +3, BAR (byte) at +4, offset at +8, bytes at +12 (section 4.1.4).
const KIND_COMMON: u8 = 1;
const KIND_NOTIFY: u8 = 2;
const KIND_ISR: u8 = 3;
const KIND_DEVICE: u8 = 4;
const KIND_WINDOW: u8 = 5;
const CAPABILITY_BAR: u8 = 4;
const CAPABILITY_OFFSET: u8 = 8;
const CAPABILITY_MULTIPLIER: u8 = 16;
/// Larger offsets do not fit in a [`Register`] of V86 mode.
const WINDOW_LIMIT: u32 = 1 << 29;

/// MSI-X: switched off, because the interrupt line is used, and because it moves legacy registers.
const MSIX: u8 = 0x11;
const   MSIX_ENABLE: u32 = 1 << 31;

// Modern common configuration (section 4.1.4.3).
const DEVICE_FEATURE_SELECT: u32 = 0x00;
const DEVICE_FEATURE: u32 = 0x04;
const DRIVER_FEATURE_SELECT: u32 = 0x08;
const DRIVER_FEATURE: u32 = 0x0C;
const DEVICE_STATUS: u32 = 0x14;
const QUEUE_SELECT: u32 = 0x16;
const QUEUE_SIZE: u32 = 0x18;
const QUEUE_ENABLE: u32 = 0x1C;
const QUEUE_NOTIFY_OFF: u32 = 0x1E;
// Addresses, 64 bits each.
const QUEUE_DESC: u32 = 0x20;
const QUEUE_AVAILABLE: u32 = 0x28;
const QUEUE_USED: u32 = 0x30;

// Legacy registers in BAR 0 (section 4.1.4.10), with MSI-X off.
const LEGACY_DEVICE_FEATURE: u32 = 0x00;
const LEGACY_DRIVER_FEATURE: u32 = 0x04;
const LEGACY_QUEUE_PAGE: u32 = 0x08;
const LEGACY_QUEUE_SIZE: u32 = 0x0C;
const LEGACY_QUEUE_SELECT: u32 = 0x0E;
const LEGACY_QUEUE_NOTIFY: u32 = 0x10;
const LEGACY_STATUS: u32 = 0x12;
const LEGACY_ISR: u32 = 0x13;
const LEGACY_CONFIG: u32 = 0x14;
/// Legacy queues, and their used rings, begin on a page.
const PAGE: u32 = 4096;
const PAGE_SHIFT: u32 = 12;

// Features: the card has an address, shows its link's state, has a control queue, and takes filter commands.
const FEATURE_MAC: u32 = 1 << 5;
const FEATURE_STATUS: u32 = 1 << 16;
const FEATURE_CTRL_VQ: u32 = 1 << 17;
const FEATURE_CTRL_RX: u32 = 1 << 18;
// Features 32 and up: a modern device; memory accesses as the platform requires (for DOS, plain ones).
const FEATURE_VERSION_1: u32 = 1 << 0;
const FEATURE_ACCESS_PLATFORM: u32 = 1 << 1;

const HEADER_LEGACY: u16 = 10;
const HEADER_MODERN: u16 = 12;

// Numbers of the queues: receive, transmit (1), control.
const RX_QUEUE: u16 = 0;
const CONTROL_QUEUE: u16 = 2;
/// Receive and transmit buffers in XMS.
const DEEP: [u8; 2] = [32, 16];
/// Receive and transmit buffers in conventional memory.
const LOW: [u8; 2] = [3, 1];
/// Descriptors of the control queue, a power of two; five are used.
const CONTROL_DESCRIPTORS: u32 = 8;

/// The registers that were found, and the memory that is being laid out. Filled in place, because copies take much code.
#[derive(Default)]
struct Setup {
    /// Registers, in the order of the capabilities' kinds. Modern: the common configuration. Legacy: the first port.
    common: Register,
    notify: Register,
    isr: Register,
    config: Register,
    notify_step: u32,
    access: Access,
    /// The rings' memory: its address for the bus.
    linear: u32,
    /// Its address for the device.
    physical: u32,
    /// The start of its free part, for the bus.
    next: u32,
    /// The next descriptor to write, for the bus.
    descriptor: u32,
    /// Receive and transmit buffers that are wanted.
    buffers: [u8; 2],
    modern: bool,
}

impl Setup {
    /// Finds the registers that can be reached.
    #[inline(never)]
    fn find(&mut self, bus: &impl Bus, place: u16) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(next) = pci::capability(bus, place, pci::VENDOR, at) {
            at = next;
            let kind = (bus.config_read(place, at) >> 24) as u8;
            let slot = match kind {
                KIND_COMMON => &mut self.common,
                KIND_NOTIFY => &mut self.notify,
                KIND_ISR => &mut self.isr,
                KIND_DEVICE => &mut self.config,
                KIND_WINDOW => {
                    self.access.window = 1 << 31 | (place as u32) << 8 | at as u32;
                    continue;
                }
                _ => continue,
            };
            // Of several usable ones of a kind, the device prefers the first.
            if *slot == Register(0) {
                *slot = Setup::at(bus, place, at);
                if kind == KIND_NOTIFY {
                    self.notify_step = bus.config_read(place, at + CAPABILITY_MULTIPLIER);
                }
            }
        }
        let all = self.common != Register(0) && self.notify != Register(0) && self.isr != Register(0) && self.config != Register(0);
        self.modern = all && (self.access.window != 0 || !bus.confined());
        if self.modern {
            return Ok(());
        }
        if bus.confined() {
            return Err(Fault::V86);
        }
        let Bar::Io(io) = pci::bar(bus, place, 0) else { return Err(Fault::Resources) };
        let io = Register(io as u32);
        self.common = io;
        self.notify = io.plus(LEGACY_QUEUE_NOTIFY);
        self.isr = io.plus(LEGACY_ISR);
        self.config = io.plus(LEGACY_CONFIG);
        Ok(())
    }

    /// The register that a capability gives; 0: it cannot be reached.
    fn at(bus: &impl Bus, place: u16, capability: u8) -> Register {
        let bar = bus.config_read(place, capability + CAPABILITY_BAR) as u8;
        let offset = bus.config_read(place, capability + CAPABILITY_OFFSET);
        if bar > 5 {
            return Register(0);
        }
        if bus.confined() {
            return if offset < WINDOW_LIMIT { Register((bar as u32) << 29 | offset) } else { Register(0) };
        }
        match pci::bar(bus, place, bar) {
            Bar::Io(port) => Register(port as u32).plus(offset),
            Bar::Memory(base) => Register(base).plus(offset),
            Bar::None => Register(0),
        }
    }

    fn status(&self) -> Register {
        self.common.plus(if self.modern { DEVICE_STATUS } else { LEGACY_STATUS })
    }

    /// Selects a queue; returns the most descriptors that it may have, 0: there is no such queue.
    #[inline(never)]
    fn select(&self, bus: &impl Bus, queue: u16) -> u32 {
        let (select, size) =
            if self.modern { (QUEUE_SELECT, QUEUE_SIZE) } else { (LEGACY_QUEUE_SELECT, LEGACY_QUEUE_SIZE) };
        self.access.write16(bus, self.common.plus(select), queue);
        self.access.read16(bus, self.common.plus(size)) as u32
    }

    /// The device's features 0 to 31 (`half` 0) or 32 to 63 (modern only).
    #[inline(never)]
    fn features(&self, bus: &impl Bus, half: u32) -> u32 {
        if !self.modern {
            return self.access.read32(bus, self.common.plus(LEGACY_DEVICE_FEATURE));
        }
        self.access.write32(bus, self.common.plus(DEVICE_FEATURE_SELECT), half);
        self.access.read32(bus, self.common.plus(DEVICE_FEATURE))
    }

    /// Accepts these features and no others.
    #[inline(never)]
    fn accept(&self, bus: &impl Bus, half: u32, features: u32) {
        if !self.modern {
            return self.access.write32(bus, self.common.plus(LEGACY_DRIVER_FEATURE), features);
        }
        self.access.write32(bus, self.common.plus(DRIVER_FEATURE_SELECT), half);
        self.access.write32(bus, self.common.plus(DRIVER_FEATURE), features);
    }

    /// Bytes of the header before each frame.
    fn header(&self) -> u16 {
        if self.modern { HEADER_MODERN } else { HEADER_LEGACY }
    }

    /// Alignment of queues, a power of two.
    fn page(&self) -> u32 {
        if self.modern { 16 } else { PAGE }
    }

    /// Bytes for so many receive and transmit buffers, with room for alignment.
    #[inline(never)]
    fn bytes(&mut self, bus: &impl Bus, buffers: [u8; 2]) -> u32 {
        self.next = self.page();
        self.buffers = buffers;
        for number in RX_QUEUE..=CONTROL_QUEUE {
            self.lay(bus, number, &mut Queue::default());
        }
        self.next
    }

    /// Takes some bytes of the memory, aligned (to a power of two) for the device.
    #[inline(never)]
    fn take(&mut self, bytes: u32, boundary: u32) -> u32 {
        let at = self.next.wrapping_add(self.physical(self.next).wrapping_neg() & (boundary - 1));
        self.next = at.wrapping_add(bytes);
        at
    }

    fn physical(&self, linear: u32) -> u32 {
        linear.wrapping_sub(self.linear).wrapping_add(self.physical)
    }

    /// Selects a queue, and gives memory to it and to its buffers.
    #[inline(never)]
    fn lay(&mut self, bus: &impl Bus, number: u16, queue: &mut Queue) {
        let most = self.select(bus, number);
        let (wanted, bytes) = match self.buffers.get(number as usize) {
            Some(wanted) => (*wanted as u32, *wanted as u32 * BUFFER),
            None => (CONTROL_DESCRIPTORS / 2, CONTROL_SIZE),
        };
        let size = if self.modern { (2 * wanted).next_power_of_two().min(most) } else { most };
        let page = self.page();
        let count = wanted.min(size / 2) as u16;
        queue.number = number;
        queue.count = count;
        queue.places = (size as u16).wrapping_sub(1);
        queue.descriptors = self.take(DESCRIPTOR * size, page);
        // One more index follows each ring, for a feature that is not accepted.
        queue.available = self.take(RING + 2 * size + 2, 2);
        queue.used = self.take(RING + (size << USED_SHIFT) + 2, if self.modern { 4 } else { page });
        queue.buffers = self.take(bytes, 4);
    }

    /// Writes an address of 64 bits.
    #[inline(never)]
    fn point(&self, bus: &impl Bus, register: u32, at: u32) {
        self.access.write32(bus, self.common.plus(register), self.physical(at));
        self.access.write32(bus, self.common.plus(register + 4), 0);
    }

    /// Gives the device the addresses of a queue, which is empty. Only the receive queue interrupts.
    #[inline(never)]
    fn enable(&self, bus: &impl Bus, queue: &mut Queue) {
        self.select(bus, queue.number);
        bus.put32(Addr(queue.available), if queue.number == RX_QUEUE { 0 } else { NO_INTERRUPT as u32 });
        bus.put32(Addr(queue.used), 0);
        if !self.modern {
            let page = self.physical(queue.descriptors) >> PAGE_SHIFT;
            self.access.write32(bus, self.common.plus(LEGACY_QUEUE_PAGE), page);
            queue.notify = self.notify;
            return;
        }
        self.access.write16(bus, self.common.plus(QUEUE_SIZE), queue.places.wrapping_add(1));
        self.point(bus, QUEUE_DESC, queue.descriptors);
        self.point(bus, QUEUE_AVAILABLE, queue.available);
        self.point(bus, QUEUE_USED, queue.used);
        self.access.write16(bus, self.common.plus(QUEUE_ENABLE), 1);
        let off = self.access.read16(bus, self.common.plus(QUEUE_NOTIFY_OFF));
        queue.notify = self.notify.plus(self.notify_step.wrapping_mul(off as u32));
    }

    /// Writes the next descriptor. `flags` has in its high half the number of the one behind it ([`DESCRIPTOR_NEXT_SHIFT`]).
    #[inline(never)]
    fn descriptor(&mut self, bus: &impl Bus, buffer: u32, len: u32, flags: u32) {
        let at = self.descriptor;
        bus.put32(Addr(at), self.physical(buffer));
        bus.put32(Addr(at + 4), 0);
        bus.put32(Addr(at + DESCRIPTOR_LENGTH), len);
        bus.put32(Addr(at + DESCRIPTOR_FLAGS), flags);
        self.descriptor = at.wrapping_add(DESCRIPTOR);
    }

    /// Writes a chain for each buffer, header and frame, and its number into a ring whose entries have `step` bytes.
    #[inline(never)]
    fn chains(&mut self, bus: &impl Bus, queue: &Queue, direction: u32, ring: u32, step: u32) {
        let header = self.header() as u32;
        let (mut buffer, mut place) = (queue.buffers, ring);
        self.descriptor = queue.descriptors;
        for index in 0..queue.count {
            let first = 2 * index;
            self.descriptor(bus, buffer, header, direction | NEXT | (first as u32 + 1) << DESCRIPTOR_NEXT_SHIFT);
            self.descriptor(bus, buffer + FRAME, BUFFER - FRAME, direction);
            bus.put16(Addr(place), first);
            bus.put32(Addr(buffer), 0);
            bus.put32(Addr(buffer + 4), 0);
            bus.put32(Addr(buffer + 8), 0);
            buffer += BUFFER;
            place += step;
        }
    }

    /// Writes the chains of both commands; each ends with the acknowledgement.
    fn commands(&mut self, bus: &impl Bus, queue: &Queue) {
        const fn next(number: u16) -> u32 {
            NEXT | (number as u32) << DESCRIPTOR_NEXT_SHIFT
        }
        const ACK: u16 = CHAIN_FILTER + 2;
        const _: () = assert!(CHAIN_FILTER == 0 && CHAIN_MODE == ACK + 1);
        static CHAINS: [[u32; 3]; 5] = [
            [CONTROL_FILTER, 2, next(CHAIN_FILTER + 1)],
            [CONTROL_TABLE, CONTROL_TABLE_SIZE, next(ACK)],
            [CONTROL_ACK, 1, DEVICE_WRITES],
            [CONTROL_MODE, 2, next(CHAIN_MODE + 1)],
            [CONTROL_ON, 1, next(ACK)],
        ];
        self.descriptor = queue.descriptors;
        for [at, len, flags] in &CHAINS {
            self.descriptor(bus, queue.buffers + at, *len, *flags);
        }
        // The entries of the available ring alternate between both.
        for at in 0..(queue.places as u32 + 1) / 2 {
            bus.put32(Addr(queue.available + RING + 4 * at), (CHAIN_MODE as u32) << 16 | CHAIN_FILTER as u32);
        }
        let memory = queue.buffers;
        bus.put16(Addr(memory + CONTROL_FILTER), CLASS_MAC_SET_TABLE);
        bus.put16(Addr(memory + CONTROL_MODE), MODE_PROMISCUOUS);
        bus.put32(Addr(memory + CONTROL_TABLE), 1);
        bus.put32(Addr(memory + CONTROL_GROUPS), GROUPS);
    }

    /// Sets the card up, and fills in `device` for the resident half.
    #[inline(never)]
    fn open<B: Bus>(&mut self, device: &mut VirtioNet<B>, found: &Found, rings: &Rings) -> Result<(), Fault> {
        self.find(&device.bus, found.pci)?;
        let bus = &device.bus;
        let (access, status) = (self.access, self.status());
        device.access = access;
        device.isr = self.isr;
        device.status = status;
        device.header = self.header();
        if !reset(bus, access, status) {
            return Err(Fault::Dead);
        }
        let mut state = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
        access.write8(bus, status, state);
        let features = self.features(bus, 0) & (FEATURE_MAC | FEATURE_STATUS | FEATURE_CTRL_VQ | FEATURE_CTRL_RX);
        self.accept(bus, 0, features);
        if self.modern {
            let more = self.features(bus, 1) & (FEATURE_VERSION_1 | FEATURE_ACCESS_PLATFORM);
            self.accept(bus, 1, more);
            state |= STATUS_FEATURES_OK;
            access.write8(bus, status, state);
            if access.read8(bus, status) & STATUS_FEATURES_OK == 0 {
                return Err(Fault::Dead);
            }
        }
        if features & FEATURE_STATUS != 0 {
            device.link = self.config.plus(CONFIG_STATUS);
        }

        self.buffers = DEEP;
        if rings.len < found.rings_xms {
            if rings.len < found.rings_low as u32 || !self.modern {
                return Err(Fault::Memory);
            }
            self.buffers = LOW;
        }
        self.linear = rings.linear.0;
        self.physical = rings.physical;
        self.next = rings.linear.0;
        let (rx, tx, control) = (&mut device.rx, &mut device.tx, &mut device.control);
        self.lay(bus, RX_QUEUE, rx);
        self.lay(bus, 1, tx);
        self.lay(bus, CONTROL_QUEUE, control);
        if rx.count == 0 || tx.count == 0 {
            return Err(Fault::Dead);
        }
        self.chains(bus, rx, DEVICE_WRITES, rx.available + RING, 2);
        // Writes all transmit buffers into the last entries of the used ring, as if they had been returned.
        let last = (tx.places + 1).wrapping_sub(tx.count) & tx.places;
        self.chains(bus, tx, 0, tx.used + RING + ((last as u32) << USED_SHIFT), 1 << USED_SHIFT);
        self.commands(bus, control);
        self.enable(bus, rx);
        self.enable(bus, tx);
        if features & (FEATURE_CTRL_VQ | FEATURE_CTRL_RX) == FEATURE_CTRL_VQ | FEATURE_CTRL_RX {
            self.enable(bus, control);
        }
        rx.next = rx.count;
        access.write8(bus, status, state | STATUS_DRIVER_OK);
        device.set_address(&found.mac);
        device.set_rcv_mode(RcvMode::Broadcast, &[]);
        Ok(())
    }
}

/// The probe of these cards.
pub struct VirtioNetProbe;

impl<B: Bus> Probe<B> for VirtioNetProbe {
    type Device = VirtioNet<B>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &[
        0x1000_1AF4, // transitional
        0x1041_1AF4, // modern only
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        pci::enable(bus, ask.pci, true)?;
        if let Some(msix) = pci::capability(bus, ask.pci, MSIX, 0) {
            let control = bus.config_read(ask.pci, msix);
            bus.config_write(ask.pci, msix, control & !MSIX_ENABLE);
        }
        let mut setup = Setup::default();
        setup.find(bus, ask.pci)?;
        if !reset(bus, setup.access, setup.status()) {
            return Err(Fault::Dead);
        }
        if setup.features(bus, 0) & FEATURE_MAC == 0 {
            return Err(Fault::Eeprom);
        }
        let mut mac = MacAddr::default();
        for (at, byte) in (0..).zip(mac.iter_mut()) {
            *byte = setup.access.read8(bus, setup.config.plus(at));
        }
        let irq = pci::irq(bus, ask);
        let mut found = Found { mac, irq, pci: ask.pci, rings_xms: setup.bytes(bus, DEEP), ..Found::default() };
        if setup.modern {
            found.mem = setup.common.0;
            found.rings_low = setup.bytes(bus, LOW) as u16;
        } else {
            found.io = setup.common.0 as u16;
        }
        Ok(found)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<VirtioNet<B>, Fault> {
        let mut device = VirtioNet {
            count: Counters::default(),
            bus,
            access: Access::default(),
            isr: Register(0),
            status: Register(0),
            link: Register(0),
            rx: Queue::default(),
            tx: Queue::default(),
            control: Queue::default(),
            own: 0,
            groups: 0,
            header: 0,
            chain: 0,
        };
        Setup::default().open(&mut device, found, rings)?;
        Ok(device)
    }
}
