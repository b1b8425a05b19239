//! 3C590 and 3C595 (Vortex), 3C900 and 3C905 (Boomerang), 3C905B (Cyclone) and 3C905C (Tornado): EtherLinks for PCI.
//!
//! Tested by Linux's 3c59x driver: EEPROM, windows, programmed I/O on the Vortex, lists on the others, MII reads, link beat,
//! waking from D3, checksums. Not tested by Linux: programmed I/O on the Boomerang, fragments, the group hash, automatic status,
//! link events, and the bits of a reset's argument. Sizes and divisions of the RAM are those of common boards; the EEPROM has
//! only the words that drivers read.

use crate::elink::eeprom::{Eeprom, Sums};
use crate::elink::mii::Phy;
use crate::elink::{Chip, Kind, Times};
use crate::faults::Faults;
use crate::pci::{Bar, Identity, Space};
use crate::{Env, Model};

/// The kinds of cards.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its generation.
    pub kind: Kind,
    /// PCI device; the vendor is 10B7h.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Bytes of its port BAR, and of its memory BAR on the later ones.
    pub ports: u16,
    /// It has a memory BAR and power management.
    pub memory: bool,
    capabilities: u16,
    config: u32,
    options: u16,
    phy: bool,
    times: Times,
}

const fn part(kind: Kind, device: u16, capabilities: u16, config: u32, options: u16) -> Part {
    let (ports, memory) = match kind {
        Kind::Vortex => (32, false),
        Kind::Boomerang => (64, false),
        _ => (128, true),
    };
    let phy = matches!(config >> 20 & 0xF, 6 | 8);
    let times = if capabilities & 0x1000 != 0 { Times::HUNDRED } else { Times::TEN };
    Part { kind, device, revision: 0, ports, memory, capabilities, config, options, phy, times }
}

impl Part {
    /// Its configuration space.
    pub const fn identity(&self) -> Identity {
        let ports = Bar { number: 0, space: Space::Ports, bytes: self.ports as u32, first: 0 };
        let memory = Bar { number: 1, space: Space::Memory, bytes: self.ports as u32, first: 0 };
        Identity {
            vendor: 0x10B7,
            device: self.device,
            revision: self.revision,
            bars: [Some(ports), if self.memory { Some(memory) } else { None }, None],
            bus_times: if self.memory { [10, 10] } else { [3, 8] },
            power: if self.memory { Some((0xDC, 0x76)) } else { None },
            express: None,
        }
    }
}

/// 3C590-COMBO: 10BASE-T, BNC, AUI; 32 KB of RAM in halves.
pub const C590: Part = part(Kind::Vortex, 0x5900, 0x01C6, 0x0102_0012, 0x38);
/// 3C595-TX: 10BASE-T and 100BASE-TX; 64 KB of RAM, a quarter for transmit.
pub const C595: Part = part(Kind::Vortex, 0x5950, 0x11C6, 0x0141_001B, 0x0A);
/// 3C900-TPO: 10BASE-T; 8 KB of RAM.
pub const C900: Part = part(Kind::Boomerang, 0x9000, 0x01E7, 0x0000_0008, 0x08);
/// 3C905-TX: a PHY behind the MII; 8 KB of RAM.
pub const C905: Part = part(Kind::Boomerang, 0x9050, 0x11E7, 0x0160_0008, 0x40);
/// 3C905B-TX: a PHY in the chip, autonegotiation.
pub const C905B: Part = Part { revision: 0x30, ..part(Kind::Cyclone, 0x9055, 0x31E7, 0x0180_0000, 0x0A) };
/// 3C905C-TX.
pub const C905C: Part = Part { revision: 0x78, ..part(Kind::Cyclone, 0x9200, 0x31E7, 0x0180_0000, 0x0A) };

/// Properties of a card.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kind of card.
    pub part: Part,
    /// Its address.
    pub mac: [u8; 6],
    /// Its faults.
    pub faults: Faults,
    /// Times of its actions.
    pub times: Times,
}

impl Options {
    /// An ordinary card.
    pub fn new(part: Part, mac: [u8; 6]) -> Options {
        Options { part, mac, faults: Faults::none(), times: part.times }
    }
}

/// The card.
pub struct Vortex {
    chip: Chip,
    part: Part,
}

fn image(options: &Options) -> [u16; 64] {
    let mut words = [0u16; 64];
    for (at, pair) in options.mac.chunks(2).enumerate() {
        words[at] = u16::from_be_bytes([pair[0], pair[1]]);
        words[0xA + at] = words[at];
    }
    words[3] = options.part.device;
    words[7] = 0x6D50;
    words[0x10] = options.part.capabilities;
    words[0x12] = options.part.config as u16;
    words[0x13] = (options.part.config >> 16) as u16;
    if options.part.kind == Kind::Cyclone {
        words[0x17] = 0x10B7;
        words[0x18] = options.part.device;
        words[0x19] = options.part.options;
    }
    words
}

impl Vortex {
    /// A card after power-on.
    pub fn new(options: Options) -> Vortex {
        let part = options.part;
        let sum = if part.kind == Kind::Cyclone { 0x20 } else { 0x17 };
        let eeprom = Eeprom::new(image(&options), Sums::Xor(sum));
        let mut chip = Chip::new(part.kind, options.times, options.faults, eeprom, part.config);
        chip.set_options(part.options);
        chip.phy = part.phy.then(|| Phy::new(24));
        Vortex { chip, part }
    }

    /// The kind of card.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The chip, for tests.
    pub fn chip(&mut self) -> &mut Chip {
        &mut self.chip
    }
}

impl Model for Vortex {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        self.chip.read_wide(env, offset, width)
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        if let Some(argument) = self.chip.write_wide(env, offset, width, value) {
            self.chip.global_reset(env, argument, self.part.config);
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
        self.chip.power_on(env, self.part.config);
    }
}
