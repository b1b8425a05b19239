//! 3C515-TX: Fast EtherLink for ISA, found by ISA PnP: a bridge, and an EtherLink III with wide windows and bus mastering.
//!
//! Tested by Linux's 3c515 driver: PnP, bridge, EEPROM, programmed I/O; the list engines only with the capability bit forced
//! (`lists`) that Linux requires, so that the behaviour of a card with its own 11C7h is not proven. The direction by the
//! fragment engine's argument is Linux's. Not tested by Linux: ROM page, debug register.

use crate::elink::eeprom::{Eeprom, Sums};
use crate::elink::{Chip, Kind, Times};
use crate::faults::Faults;
use crate::isa::{Card, PNP_ADDRESS, PNP_WRITE};
use crate::pnp::{self, Change, Pnp};
use crate::{Env, Model};

/// 64 KB of word-wide RAM in halves, 100BASE-TX, autoselect.
const CONFIG: u32 = 0x0142_000B;
/// 10BASE-T and 100BASE-TX are fitted.
const MEDIA: u16 = 0x0A;
// Offsets of the list engines and of the bridge from the base.
const LISTS: u16 = 0x400;
const BRIDGE: u16 = 0x2000;

/// Properties of a card.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its address.
    pub mac: [u8; 6],
    /// The EEPROM offers the list engines: capabilities 11E7h, not 11C7h.
    pub lists: bool,
    /// The list engines get the bus even without a DMA channel: Linux sets the channel up only for a card with 11C7h.
    pub unasked: bool,
    /// Its faults.
    pub faults: Faults,
    /// Times of its actions.
    pub times: Times,
}

impl Options {
    /// An ordinary card.
    pub fn new(mac: [u8; 6]) -> Options {
        Options { mac, lists: false, unasked: false, faults: Faults::none(), times: Times::HUNDRED }
    }
}

/// The card.
pub struct Corkscrew {
    chip: Chip,
    pnp: Pnp,
    base: Option<u16>,
    dcr: u16,
    rcr: u16,
    rom_page: u16,
    mcr: u16,
}

fn image(options: &Options) -> [u16; 64] {
    let mut words = [0u16; 64];
    for (at, pair) in options.mac.chunks(2).enumerate() {
        words[at] = u16::from_be_bytes([pair[0], pair[1]]);
        words[0xA + at] = words[at];
    }
    words[3] = 0x5051;
    words[7] = 0x6D50;
    words[0x10] = if options.lists { 0x11E7 } else { 0x11C7 };
    words[0x12] = CONFIG as u16;
    words[0x13] = (CONFIG >> 16) as u16;
    words
}

impl Corkscrew {
    /// A card after power-on: it listens to ISA PnP only.
    pub fn new(options: Options) -> Corkscrew {
        let m = options.mac;
        let serial = [0x50, 0x6D, 0x50, 0x51, m[2], m[3], m[4], m[5]];
        let tags = [
            0x0A, 0x10, 0x10, // PnP version 1.0
            0x15, 0x50, 0x6D, 0x50, 0x51, 0x00, // logical device TCM5051
            0x47, 0x01, 0x00, 0x01, 0xE0, 0x03, 0x20, 0x20, // ports 100 to 3E0, sixteen bits decoded
            0x22, 0xA8, 0x9E, // one of the lines 3 5 7 9 10 11 12 15
            0x2A, 0xE8, 0x06, // one of the channels 3 5 6 7, 16 bits, bus master
        ];
        let device = pnp::Device { active: false, io: 0, irq: 0, dma: 4 };
        let eeprom = Eeprom::new(image(&options), Sums::Xor(0x17));
        let mut chip = Chip::new(Kind::Corkscrew, options.times, options.faults, eeprom, CONFIG);
        chip.set_options(MEDIA);
        chip.unasked = options.unasked;
        Corkscrew { chip, pnp: Pnp::new(pnp::resources(&serial, &tags), device), base: None, dcr: 0, rcr: 0, rom_page: 0, mcr: 0 }
    }

    /// The chip, for tests.
    pub fn chip(&mut self) -> &mut Chip {
        &mut self.chip
    }

    fn pnp_changed(&mut self, env: &mut dyn Env) {
        let device = self.pnp.device();
        if !device.active {
            self.base = None;
            return;
        }
        if device.io & 0x1F != 0 || !(0x100..=0x3E0).contains(&device.io) {
            env.complain(&format!("PnP activates it at port {:04X}", device.io));
            return;
        }
        self.base = Some(device.io);
        self.dcr = self.dcr & !7 | device.dma as u16;
        self.chip.channel = device.dma;
        self.rcr = self.rcr & !0x1FF | device.io & 0x1F0 | device.irq as u16;
    }

    fn read_bridge(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        match (offset, width) {
            (0, 2) => self.dcr as u32,
            (2, 2) => self.rcr as u32,
            (2, 4) => self.rcr as u32 | (self.rom_page as u32) << 16,
            (4, 2) => self.rom_page as u32,
            (6, 2) => self.mcr as u32,
            (8, 2) => 0,
            (0xA, 2) => (self.chip.eeprom.busy(env.now_ns()) as u32) << 9,
            (0xC, 2) => self.chip.eeprom.data(env) as u32,
            _ => {
                env.complain(&format!("read of the bridge at {offset:X}, width {width}"));
                u32::MAX >> (32 - 8 * width as u32)
            }
        }
    }

    fn write_bridge(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        let value = value as u16;
        match (offset, width) {
            (0, 2) => {
                self.dcr = value & 0x7FFF;
                self.chip.channel = (value & 7) as u8;
            }
            // The echo of the base cannot be written.
            (2, 2) => self.rcr = self.rcr & 0x1F0 | value & 0xF,
            (4, 2) => self.rom_page = value,
            (6, 2) => self.mcr = value & 7,
            (8, 2) => {}
            (0xA, 2) => self.chip.eeprom.command(env, value >> 6, value & 0x3F),
            (0xC, 2) => self.chip.eeprom.set_data(value),
            _ => env.complain(&format!("write of {value:X} to the bridge at {offset:X}, width {width}")),
        }
    }
}

impl Model for Corkscrew {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        match offset {
            BRIDGE.. if !self.chip.present() => u32::MAX >> (32 - 8 * width as u32),
            BRIDGE.. => self.read_bridge(env, offset - BRIDGE, width),
            LISTS.. => self.chip.read_wide(env, offset - LISTS + 0x20, width),
            _ => self.chip.read_wide(env, offset, width),
        }
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        let reset = match offset {
            BRIDGE.. => {
                if self.chip.present() {
                    self.write_bridge(env, offset - BRIDGE, width, value);
                }
                None
            }
            LISTS.. => self.chip.write_wide(env, offset - LISTS + 0x20, width, value),
            _ => self.chip.write_wide(env, offset, width, value),
        };
        if let Some(argument) = reset {
            self.chip.global_reset(env, argument, CONFIG);
        }
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.chip.receive(env, frame)
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.chip.advance(env);
    }

    fn wake_at(&self) -> Option<u64> {
        self.chip.next_event()
    }

    fn wire_free(&self, now_ns: u64) -> bool {
        self.chip.wire_free(now_ns)
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.chip.set_link(env, up);
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.chip.unstick();
        self.chip.power_on(env, CONFIG);
        self.base = None;
    }
}

impl Card for Corkscrew {
    fn hear(&mut self, env: &mut dyn Env, port: u16, value: u8) {
        if matches!(port, PNP_ADDRESS | PNP_WRITE) && self.pnp.hear(env, port, value) == Change::Device {
            self.pnp_changed(env);
        }
    }

    fn offer(&mut self, _env: &mut dyn Env, port: u16) -> Option<u8> {
        self.pnp.offer(port)
    }

    fn settle(&mut self, _env: &mut dyn Env, port: u16, line: u8) {
        self.pnp.settle(port, line);
    }

    fn pnp_read_port(&self) -> Option<u16> {
        self.pnp.read_port()
    }

    fn base(&self) -> Option<u16> {
        self.base
    }

    fn line(&self) -> u8 {
        (self.rcr & 15) as u8
    }

    fn blocks(&self) -> &'static [(u16, u16)] {
        &[(0, 0x20), (LISTS, 0x20), (BRIDGE, 0x10)]
    }
}
