//! The card's side of ISA Plug and Play (specification 1.0a): initiation key, isolation, resource data, and the
//! registers of one logical device.
//!
//! Exercised by Linux's isapnp core: key, isolation, resource data, port, IRQ and DMA, activation.

use crate::Env;
use crate::isa::{PNP_ADDRESS, PNP_WRITE};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    WaitForKey,
    Sleep,
    Isolation,
    Config,
}

/// The PnP half of a card.
#[derive(Clone, Debug)]
pub struct Pnp {
    state: State,
    /// Serial identifier (8 bytes and checksum), then the resource data to the end tag.
    data: Vec<u8>,
    key_at: usize,
    address: u8,
    csn: u8,
    read_port: Option<u16>,
    cursor: usize,
    /// Isolation: bit number, and whether the second read of its pair comes next.
    bit: u8,
    second: bool,
    drove: bool,
    device: Device,
}

/// The settings of the logical device by PnP software.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Register 30h bit 0.
    pub active: bool,
    /// Registers 60h and 61h.
    pub io: u16,
    /// Register 70h.
    pub irq: u8,
    /// Register 74h, 4 for none.
    pub dma: u8,
}

/// The next byte of the initiation key (and of the checksum register, with its data bit).
fn lfsr(state: u8, bit: u8) -> u8 {
    state >> 1 | ((state ^ state >> 1 ^ bit) & 1) << 7
}

/// The checksum byte of a serial identifier.
pub fn serial_checksum(serial: &[u8; 8]) -> u8 {
    let bits = serial.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.fold(0x6A, lfsr)
}

/// A whole resource block: identifier with checksum, `tags`, end tag with checksum.
pub fn resources(serial: &[u8; 8], tags: &[u8]) -> Vec<u8> {
    let mut data = serial.to_vec();
    data.push(serial_checksum(serial));
    data.extend_from_slice(tags);
    data.push(0x79);
    let sum = data[9..].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    data.push(sum.wrapping_neg());
    data
}

/// What an access changed outside of the PnP registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// The logical device was activated, moved or deactivated.
    Device,
}

impl Pnp {
    /// A card that powers up with this resource data and these settings of its logical device.
    pub fn new(data: Vec<u8>, device: Device) -> Pnp {
        Pnp {
            state: State::WaitForKey,
            data,
            key_at: 0,
            address: 0,
            csn: 0,
            read_port: None,
            cursor: 0,
            bit: 0,
            second: false,
            drove: false,
            device,
        }
    }

    /// The logical device's settings.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The card was activated in another way: updates the registers.
    pub fn set_device(&mut self, device: Device) {
        self.device = device;
    }

    /// The read port, once software has set it.
    pub fn read_port(&self) -> Option<u16> {
        self.read_port
    }

    /// Whether PnP software is using the card: it is in another state than wait-for-key.
    pub fn awake(&self) -> bool {
        self.state != State::WaitForKey
    }

    /// A write to one of the two write ports.
    pub fn hear(&mut self, env: &mut dyn Env, port: u16, value: u8) -> Change {
        match port {
            PNP_ADDRESS => {
                self.address(value);
                Change::Nothing
            }
            PNP_WRITE => self.command(env, value),
            _ => Change::Nothing,
        }
    }

    fn address(&mut self, value: u8) {
        self.address = value;
        if self.state != State::WaitForKey {
            return;
        }
        let wanted = (0..self.key_at).fold(0x6A, |byte, _| lfsr(byte, 0));
        // A wrong byte starts the key anew, and may be its first byte.
        self.key_at = if value == wanted { self.key_at + 1 } else { usize::from(value == 0x6A) };
        if self.key_at == 32 {
            self.key_at = 0;
            self.state = State::Sleep;
        }
    }

    fn command(&mut self, env: &mut dyn Env, value: u8) -> Change {
        if self.state == State::WaitForKey {
            return Change::Nothing;
        }
        let config = self.state == State::Config;
        match self.address {
            0x00 if self.state == State::Isolation => self.read_port = Some((value as u16) << 2 | 3),
            0x02 => return self.control(value),
            0x03 => self.wake(value),
            0x06 if self.state == State::Isolation => {
                self.csn = value;
                self.state = State::Config;
                // The identifier is complete: resource data follow.
                self.cursor = 9;
            }
            0x06 if config => self.csn = value,
            0x07 if config => {
                if value != 0 {
                    env.complain("PnP: a logical device other than 0 selected");
                }
            }
            0x30 if config => {
                self.device.active = value & 1 != 0;
                return Change::Device;
            }
            // The I/O range check is not modelled.
            0x31 if config => {}
            0x60 if config => {
                self.device.io = self.device.io & 0xFF | (value as u16) << 8;
                return Change::Device;
            }
            0x61 if config => {
                self.device.io = self.device.io & 0xFF00 | value as u16;
                return Change::Device;
            }
            0x70 if config => {
                self.device.irq = value & 15;
                return Change::Device;
            }
            0x74 if config => {
                self.device.dma = value & 7;
                return Change::Device;
            }
            _ => {}
        }
        Change::Nothing
    }

    fn control(&mut self, value: u8) -> Change {
        if value & 4 != 0 {
            self.csn = 0;
        }
        if value & 2 != 0 {
            self.state = State::WaitForKey;
            self.key_at = 0;
        }
        if value & 1 != 0 {
            self.device.active = false;
            return Change::Device;
        }
        Change::Nothing
    }

    fn wake(&mut self, csn: u8) {
        if csn != self.csn {
            self.state = State::Sleep;
        } else if csn == 0 {
            self.state = State::Isolation;
        } else {
            self.state = State::Config;
        }
        self.cursor = 0;
        self.bit = 0;
        self.second = false;
    }

    /// The byte that the card drives onto its read port.
    pub fn offer(&mut self, port: u16) -> Option<u8> {
        if self.read_port != Some(port) {
            return None;
        }
        match (self.state, self.address) {
            (State::Isolation, 0x01) => {
                let one = self.data.get(self.bit as usize / 8).is_some_and(|byte| byte >> (self.bit % 8) & 1 == 1);
                self.drove = one && self.bit < 72;
                self.drove.then_some(if self.second { 0xAA } else { 0x55 })
            }
            (State::Config, 0x04) => {
                let byte = self.data.get(self.cursor).copied().unwrap_or(0xFF);
                self.cursor += 1;
                Some(byte)
            }
            (State::Config, 0x05) => Some(1),
            (State::Config, 0x06) => Some(self.csn),
            (State::Config, 0x07) => Some(0),
            (State::Config, 0x30) => Some(self.device.active as u8),
            (State::Config, 0x60) => Some((self.device.io >> 8) as u8),
            (State::Config, 0x61) => Some(self.device.io as u8),
            (State::Config, 0x70) => Some(self.device.irq),
            (State::Config, 0x71) => Some(2),
            (State::Config, 0x74) => Some(self.device.dma),
            (State::Config, 0x75) => Some(4),
            (State::Config, 0x40..=0x73) => Some(0),
            _ => None,
        }
    }

    /// The value on the read port. A card that drove nothing there and sees another card's bit leaves the isolation.
    pub fn settle(&mut self, port: u16, line: u8) {
        if self.read_port != Some(port) || self.state != State::Isolation || self.address != 1 {
            return;
        }
        let expected = if self.second { 0xAA } else { 0x55 };
        if !self.drove && line == expected {
            self.state = State::Sleep;
        }
        if self.second {
            self.bit = self.bit.saturating_add(1);
        }
        self.second = !self.second;
    }
}
