//! 3C509B: EtherLink III for ISA, programmed I/O only, found by its ID port or by ISA PnP.
//!
//! Tested by Linux's 3c509 driver: both ways of activation, contention of two cards at the ID port, window 0 with its EEPROM, and
//! what [`crate::elink`] lists. Not tested by Linux: EEPROM checksums, tags beyond the first two, activation at the EEPROM's
//! base, configuration control's reset. What the free transmit room reads for an empty FIFO is an assumption (its size less
//! four bytes).

use crate::elink::command::Ask;
use crate::elink::eeprom::{Eeprom, Sums};
use crate::elink::windows::Undefined;
use crate::elink::{Chip, Kind, Times};
use crate::faults::{self, Faults};
use crate::isa::{Card, ID_PORTS, PNP_ADDRESS, PNP_WRITE};
use crate::pnp::{self, Change, Pnp};
use crate::{Env, Model};

/// Nanoseconds that a card reads its EEPROM after a reset; it ignores all accesses meanwhile.
const DEAF: u64 = 310_000;
/// Nanoseconds from the ID port's read command to the first bit.
const ID_READ: u64 = 162_000;
/// Interrupt lines of the resource configuration.
const LINES: [u8; 8] = [3, 5, 7, 9, 10, 11, 12, 15];

/// Properties of a card.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its address.
    pub mac: [u8; 6],
    /// First port in the EEPROM: 0x200 to 0x3E0 in steps of 0x10.
    pub io: u16,
    /// Interrupt line in the EEPROM.
    pub irq: u8,
    /// Transceiver: 0 10BASE-T, 1 AUI, 3 BNC.
    pub transceiver: u16,
    /// It takes part in ISA PnP; otherwise it listens to its ID port only.
    pub pnp: bool,
    /// Its faults.
    pub faults: Faults,
    /// Times of its actions.
    pub times: Times,
}

impl Options {
    /// An ordinary card.
    pub fn new(mac: [u8; 6]) -> Options {
        Options { mac, io: 0x300, irq: 10, transceiver: 0, pnp: true, faults: Faults::none(), times: Times::TEN }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    /// So many bytes of the ID sequence have been written.
    Wait(u16),
    Command,
}

/// The card.
pub struct El3 {
    chip: Chip,
    pnp: Pnp,
    id: Id,
    id_port: u16,
    tag: u8,
    /// The word that is shifted out, bits left, and the time of the first bit.
    shift: (u16, u8, u64),
    drove: Option<bool>,
    deaf_until: u64,
    /// PnP software has put it to sleep: it does not listen to its ID port.
    id_deaf: bool,
    base: Option<u16>,
    control: u16,
    address: u16,
    resource: u16,
}

fn image(options: &Options) -> [u16; 64] {
    let mut words = [0u16; 64];
    for (at, pair) in options.mac.chunks(2).enumerate() {
        words[at] = u16::from_be_bytes([pair[0], pair[1]]);
        words[0xA + at] = words[at];
    }
    words[3] = 0x9450;
    words[4] = 0x3569;
    words[5] = 0x3647;
    words[6] = 0x4554;
    words[7] = 0x6D50;
    words[8] = options.transceiver << 14 | (options.io - 0x200) >> 4;
    words[9] = (options.irq as u16) << 12 | 0x0F00;
    words[0xD] = 0x0010;
    words[0x10] = 0x2083;
    words[0x12] = 0x0000;
    words[0x13] = if options.pnp { 0x0000 } else { 0x0004 };
    let m = options.mac;
    let serial = [0x50, 0x6D, 0x50, 0x94, m[2], m[3], m[4], m[5]];
    let tags = [
        0x0A, 0x10, 0x10, // PnP version 1.0
        0x15, 0x50, 0x6D, 0x50, 0x94, 0x00, // logical device TCM5094
        0x1C, 0x41, 0xD0, 0x80, 0xF7, // compatible with PNP80F7
        0x47, 0x00, 0x10, 0x02, 0xE0, 0x03, 0x10, 0x10, // ports 210 to 3E0, ten bits decoded
        0x22, 0xA8, 0x9E, // one of the lines 3 5 7 9 10 11 12 15
    ];
    for (at, pair) in pnp::resources(&serial, &tags).chunks(2).enumerate() {
        words[0x18 + at] = u16::from_le_bytes([pair[0], *pair.get(1).unwrap_or(&0)]);
    }
    words
}

impl El3 {
    /// A card after power-on: it listens to all ports, and is not activated.
    pub fn new(options: Options) -> El3 {
        let words = image(&options);
        let data: Vec<u8> = words[0x18..].iter().flat_map(|word| word.to_le_bytes()).collect();
        let device = pnp::Device { active: false, io: 0, irq: 0, dma: 4 };
        let id_deaf = options.faults.planned(faults::Kind::IdDeaf);
        let config = (words[0x13] as u32) << 16 | words[0x12] as u32;
        let eeprom = Eeprom::new(words, Sums::El3);
        let mut card = El3 {
            chip: Chip::new(Kind::El3, options.times, options.faults, eeprom, config),
            pnp: Pnp::new(data, device),
            id: Id::Wait(0),
            id_port: 0,
            tag: 0,
            shift: (0, 0, 0),
            drove: None,
            deaf_until: 0,
            id_deaf,
            base: None,
            control: 0,
            address: 0,
            resource: 0,
        };
        card.load();
        card
    }

    /// Loads the configuration from the EEPROM.
    fn load(&mut self) {
        self.address = self.chip.eeprom.word(8);
        self.resource = self.chip.eeprom.word(9);
        self.control = 0;
        self.chip.media_needed = if self.address >> 14 == 0 { 0xC0 } else { 0 };
        self.gate();
    }

    fn reset(&mut self, env: &mut dyn Env) {
        let config = (self.chip.eeprom.word(0x13) as u32) << 16 | self.chip.eeprom.word(0x12) as u32;
        self.chip.power_on(env, config);
        self.load();
        self.chip.drive(env);
        self.base = None;
        self.id = Id::Wait(0);
        self.deaf_until = env.now_ns() + DEAF;
    }

    /// The chip, for tests.
    pub fn chip(&mut self) -> &mut Chip {
        &mut self.chip
    }

    fn gate(&mut self) {
        self.chip.line_enabled = self.control & 1 != 0 && self.chip.window != 0 && self.line() != 0;
    }

    fn pnp_enabled(&self) -> bool {
        self.chip.config >> 18 & 3 == 0
    }

    fn id_command(&mut self, env: &mut dyn Env, value: u8) {
        match value {
            0x00..=0x7F => self.id = Id::Wait(0),
            0x80..=0xBF => self.shift = (self.chip.eeprom.word(value as u16 & 0x3F), 16, env.now_ns() + ID_READ),
            0xC0 => self.reset(env),
            0xD0..=0xD7 => self.tag = value & 7,
            0xD8..=0xDF if self.tag != value & 7 => self.id = Id::Wait(0),
            0xD8..=0xDF => {}
            0xE0..=0xFF => {
                let code = if value == 0xFF { self.address & 0x1F } else { value as u16 & 0x1F };
                if code == 0x1F {
                    env.complain("activated at the base code that means EISA");
                    return;
                }
                self.base = Some(0x200 + (code << 4));
                self.address = self.address & !0x1F | code;
                self.id = Id::Wait(0);
            }
            _ => env.complain(&format!("ID port command {value:02X}")),
        }
    }

    fn hear_id(&mut self, env: &mut dyn Env, port: u16, value: u8) {
        if env.now_ns() < self.deaf_until || self.id_deaf || self.pnp.awake() {
            return;
        }
        match self.id {
            Id::Command if port == self.id_port => self.id_command(env, value),
            Id::Command => {}
            Id::Wait(_) if value == 0 => {
                self.id_port = port;
                self.id = Id::Wait(0);
            }
            Id::Wait(seen) if port == self.id_port => {
                let right = (0..seen).fold(0xFFu8, |byte, _| byte << 1 ^ if byte & 0x80 != 0 { 0xCF } else { 0 });
                self.id = match value {
                    _ if value == right && seen == 254 => Id::Command,
                    _ if value == right => Id::Wait(seen + 1),
                    0xFF => Id::Wait(1),
                    _ => Id::Wait(0),
                };
                self.shift = (0, 0, 0);
            }
            Id::Wait(_) => {}
        }
    }

    fn pnp_changed(&mut self, env: &mut dyn Env) {
        let device = self.pnp.device();
        if !device.active {
            self.base = None;
            return;
        }
        if device.io & 0xF != 0 || !(0x200..=0x3E0).contains(&device.io) {
            env.complain(&format!("PnP activates it at port {:04X}", device.io));
            return;
        }
        self.base = Some(device.io);
        self.address = self.address & !0x1F | (device.io - 0x200) >> 4;
        self.resource = (device.irq as u16) << 12 | 0x0F00;
        self.id_deaf = false;
    }

    fn read_setup(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        Ok(match (offset, width) {
            (0, 2) => 0x6D50,
            (2, 2) => self.chip.eeprom.word(3) as u32,
            // AUI, BNC and TP are fitted.
            (4, 2) => (self.control | 1 << 13 | 1 << 12 | 1 << 9) as u32,
            (6, 2) => self.address as u32,
            (8, 2) => (self.resource | 0x0F00) as u32,
            (0xA, 2) => (self.chip.eeprom.busy(env.now_ns()) as u32) << 15,
            (0xC, 2) => self.chip.eeprom.data(env) as u32,
            _ => return Err(Undefined),
        })
    }

    fn write_setup(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Result<(), Undefined> {
        let value = value as u16;
        match (offset, width) {
            // All writable bits are in the low byte, which an 8-bit bus writes alone.
            (4, 1 | 2) if value & 4 != 0 => self.reset(env),
            (4, 1 | 2) => self.control = value & 1,
            (6, 2) => {
                self.address = value;
                self.chip.media_needed = if value >> 14 == 0 { 0xC0 } else { 0 };
            }
            (8, 2) => self.resource = value,
            (0xA, 2) => self.chip.eeprom.command(env, value >> 6, value & 0x3F),
            (0xC, 2) => self.chip.eeprom.set_data(value),
            _ => return Err(Undefined),
        }
        Ok(())
    }
}

impl Model for El3 {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        let ones = u32::MAX >> (32 - 8 * width as u32);
        self.chip.advance(env);
        if !self.chip.present() {
            return ones;
        }
        let value = match (offset, self.chip.window) {
            (0xE.., _) => self.chip.read_status(env, offset, width),
            (_, 0) => self.read_setup(env, offset, width),
            (_, 1) => self.chip.read_operating(env, offset, width),
            _ => self.chip.read_window(env, offset, width),
        };
        self.chip.update(env);
        value.unwrap_or_else(|Undefined| {
            env.complain(&format!("read of window {} offset {offset:X}, width {width}", self.chip.window));
            ones
        })
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        self.chip.advance(env);
        if !self.chip.present() {
            return;
        }
        let window = self.chip.window;
        let done = match (offset, window) {
            (0xE, _) if width == 2 => {
                if let Ask::GlobalReset(_) = self.chip.command(env, value as u16) {
                    self.reset(env);
                }
                Ok(())
            }
            (0xE.., _) => Err(Undefined),
            (_, 0) => self.write_setup(env, offset, width, value),
            (_, 1) => self.chip.write_operating(env, offset, width, value),
            _ => self.chip.write_window(env, offset, width, value),
        };
        if done.is_err() {
            env.complain(&format!("write of {value:X} to window {window} offset {offset:X}, width {width}"));
        }
        self.gate();
        self.chip.update(env);
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.chip.receive(env, frame)
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.chip.set_link(env, up);
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.chip.unstick();
        self.reset(env);
        self.tag = 0;
        self.deaf_until = 0;
    }

    fn wake_at(&self) -> Option<u64> {
        self.chip.next_event()
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.chip.advance(env);
    }

    fn wire_free(&self, now_ns: u64) -> bool {
        self.chip.wire_free(now_ns)
    }

    fn racing(&self) -> bool {
        self.chip.racing()
    }
}

impl Card for El3 {
    fn hear(&mut self, env: &mut dyn Env, port: u16, value: u8) {
        if ID_PORTS.contains(&port) && port & 0xF == 0 {
            self.hear_id(env, port, value);
        } else if matches!(port, PNP_ADDRESS | PNP_WRITE) && self.pnp_enabled() && self.pnp.hear(env, port, value) == Change::Device {
            self.pnp_changed(env);
            self.gate();
            self.chip.drive(env);
        }
    }

    fn offer(&mut self, env: &mut dyn Env, port: u16) -> Option<u8> {
        if ID_PORTS.contains(&port) {
            self.drove = None;
            let (word, left, ready) = self.shift;
            // A card with a tag has been found: it takes no part in the contention until its tag is 0 again.
            if self.id != Id::Command || port != self.id_port || left == 0 || self.tag != 0 {
                return None;
            }
            if env.now_ns() < ready {
                env.complain("ID port read before the EEPROM was");
            }
            let bit = word >> (left - 1) & 1 == 1;
            self.shift.1 -= 1;
            self.drove = Some(bit);
            return Some(0xFE | bit as u8);
        }
        self.pnp.offer(port)
    }

    fn settle(&mut self, _env: &mut dyn Env, port: u16, line: u8) {
        if !ID_PORTS.contains(&port) {
            self.pnp.settle(port, line);
        } else if self.drove.take() == Some(true) && line & 1 == 0 {
            // Another card has pulled the line low: this one loses.
            self.id = Id::Wait(0);
        }
    }

    fn pnp_read_port(&self) -> Option<u16> {
        self.pnp.read_port()
    }

    fn base(&self) -> Option<u16> {
        self.base
    }

    fn line(&self) -> u8 {
        let irq = (self.resource >> 12) as u8;
        if LINES.contains(&irq) { irq } else { 0 }
    }

    fn blocks(&self) -> &'static [(u16, u16)] {
        &[(0, 16)]
    }
}
