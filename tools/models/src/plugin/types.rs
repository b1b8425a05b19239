//! The devices by name, and how their properties make models.

use super::Settings;
use crate::corkscrew::{self, Corkscrew};
use crate::el3::{self, El3};
use crate::elink::Times;
use crate::faults::Faults;
use crate::front::Front;
use crate::intel::parts::{self, Parts};
use crate::intel::ports::Ports;
use crate::isa::Card;
use crate::pch::{self, Engine, Pch};
use crate::pci::Identity;
use crate::rtl8169::{self, Left, Rtl8169};
use crate::tg3::{self, Tg3};
use crate::vortex::{self, Part, Vortex};
use crate::Model;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// How to make a device's model.
pub enum Make {
    /// An ISA card.
    Isa(fn(&Settings) -> Result<Box<dyn Card>, String>),
    /// A PCI card.
    Pci(Identity, fn(&Settings) -> Result<Box<dyn Model>, String>),
    /// One of QEMU's cards with a front of the plugin's.
    Front {
        /// QEMU's card.
        card: &'static CStr,
        /// Whether only QEMU 8 and later have it.
        newer: bool,
        /// The front's PCI device and revision, if QEMU's are others; and whether its third base address register maps ports.
        identity: Option<(u16, u8, bool)>,
        /// The region that the front covers and its bytes, and the region with QEMU's registers: children of QEMU's object.
        covers: (&'static CStr, u32),
        /// The region with QEMU's registers.
        registers: &'static CStr,
        /// Makes the front.
        make: fn(&Settings) -> Result<Box<dyn Front>, String>,
    },
    /// No card: ports at which nothing answers, as in a machine without the device that QEMU has there.
    Holes {
        /// The ports.
        ports: &'static [u16],
        /// The port whose first write disables them; 0: disabled from the start.
        from: u16,
    },
}

/// A device.
pub struct Type {
    /// Its name after `-device`.
    pub name: &'static CStr,
    /// Its model.
    pub make: Make,
}

/// The identity of a BCM5709.
const BNX2: Identity = Identity { vendor: 0x14E4, device: 0x1639, ..rtl8169::RTL8126.identity() };

/// All devices.
pub static TYPES: [Type; 49] = [
    Type { name: c"e1000-ports", make: ports_of(c"e1000") },
    Type { name: c"e1000-82544gc-ports", make: ports_of(c"e1000-82544gc") },
    Type { name: c"igb-82575eb", make: part_of(parts::I82575EB, |list| make_part(parts::I82575EB, list)) },
    Type { name: c"igb-82580", make: part_of(parts::I82580, |list| make_part(parts::I82580, list)) },
    Type { name: c"igb-i350", make: part_of(parts::I350, |list| make_part(parts::I350, list)) },
    Type { name: c"igb-i354", make: part_of(parts::I354, |list| make_part(parts::I354, list)) },
    Type { name: c"igb-i210", make: part_of(parts::I210, |list| make_part(parts::I210, list)) },
    Type { name: c"igb-i211", make: part_of(parts::I211, |list| make_part(parts::I211, list)) },
    Type { name: c"igb-i225v", make: part_of(parts::I225V, |list| make_part(parts::I225V, list)) },
    Type { name: c"igb-i226v", make: part_of(parts::I226V, |list| make_part(parts::I226V, list)) },
    Type { name: c"el3", make: Make::Isa(make_el3) },
    Type { name: c"corkscrew", make: Make::Isa(make_corkscrew) },
    Type { name: c"vortex-3c590", make: Make::Pci(vortex::C590.identity(), |list| make_vortex(vortex::C590, list)) },
    Type { name: c"vortex-3c595", make: Make::Pci(vortex::C595.identity(), |list| make_vortex(vortex::C595, list)) },
    Type { name: c"boomerang-3c900", make: Make::Pci(vortex::C900.identity(), |list| make_vortex(vortex::C900, list)) },
    Type { name: c"boomerang-3c905", make: Make::Pci(vortex::C905.identity(), |list| make_vortex(vortex::C905, list)) },
    Type { name: c"cyclone-3c905b", make: Make::Pci(vortex::C905B.identity(), |list| make_vortex(vortex::C905B, list)) },
    Type { name: c"tornado-3c905c", make: Make::Pci(vortex::C905C.identity(), |list| make_vortex(vortex::C905C, list)) },
    Type { name: c"rtl8169-8110s", make: Make::Pci(rtl8169::RTL8110S.identity(), |list| make_rtl8169(rtl8169::RTL8110S, list)) },
    Type { name: c"rtl8169-8169sb", make: Make::Pci(rtl8169::RTL8169SB.identity(), |list| make_rtl8169(rtl8169::RTL8169SB, list)) },
    Type { name: c"rtl8169-8169sc", make: Make::Pci(rtl8169::RTL8169SC.identity(), |list| make_rtl8169(rtl8169::RTL8169SC, list)) },
    Type { name: c"rtl8169-8101e", make: Make::Pci(rtl8169::RTL8101E.identity(), |list| make_rtl8169(rtl8169::RTL8101E, list)) },
    Type { name: c"rtl8169-8168b", make: Make::Pci(rtl8169::RTL8168B.identity(), |list| make_rtl8169(rtl8169::RTL8168B, list)) },
    Type { name: c"rtl8169-8168c", make: Make::Pci(rtl8169::RTL8168C.identity(), |list| make_rtl8169(rtl8169::RTL8168C, list)) },
    Type { name: c"rtl8169-8168evl", make: Make::Pci(rtl8169::RTL8168EVL.identity(), |list| make_rtl8169(rtl8169::RTL8168EVL, list)) },
    Type { name: c"rtl8169-8168f", make: Make::Pci(rtl8169::RTL8168F.identity(), |list| make_rtl8169(rtl8169::RTL8168F, list)) },
    Type { name: c"rtl8169-8168g", make: Make::Pci(rtl8169::RTL8168G.identity(), |list| make_rtl8169(rtl8169::RTL8168G, list)) },
    Type { name: c"rtl8169-8168h", make: Make::Pci(rtl8169::RTL8168H.identity(), |list| make_rtl8169(rtl8169::RTL8168H, list)) },
    Type { name: c"rtl8169-8107e", make: Make::Pci(rtl8169::RTL8107E.identity(), |list| make_rtl8169(rtl8169::RTL8107E, list)) },
    Type { name: c"rtl8169-8125a", make: Make::Pci(rtl8169::RTL8125A.identity(), |list| make_rtl8169(rtl8169::RTL8125A, list)) },
    Type { name: c"rtl8169-8125b", make: Make::Pci(rtl8169::RTL8125B.identity(), |list| make_rtl8169(rtl8169::RTL8125B, list)) },
    Type { name: c"rtl8169-8125d", make: Make::Pci(rtl8169::RTL8125D.identity(), |list| make_rtl8169(rtl8169::RTL8125D, list)) },
    Type { name: c"rtl8169-8126", make: Make::Pci(rtl8169::RTL8126.identity(), |list| make_rtl8169(rtl8169::RTL8126, list)) },
    Type { name: c"pch-82577lm", make: Make::Pci(pch::I82577LM.identity(), |list| make_pch(pch::I82577LM, list)) },
    Type { name: c"pch-82579lm", make: Make::Pci(pch::I82579LM.identity(), |list| make_pch(pch::I82579LM, list)) },
    Type { name: c"pch-i217lm", make: Make::Pci(pch::I217LM.identity(), |list| make_pch(pch::I217LM, list)) },
    Type { name: c"pch-i218lm", make: Make::Pci(pch::I218LM.identity(), |list| make_pch(pch::I218LM, list)) },
    Type { name: c"pch-i219lm2", make: Make::Pci(pch::I219LM2.identity(), |list| make_pch(pch::I219LM2, list)) },
    Type { name: c"pch-i219lm7", make: Make::Pci(pch::I219LM7.identity(), |list| make_pch(pch::I219LM7, list)) },
    Type { name: c"tg3-5788", make: Make::Pci(tg3::BCM5788.identity(), |list| make_tg3(tg3::BCM5788, list)) },
    Type { name: c"tg3-5751", make: Make::Pci(tg3::BCM5751.identity(), |list| make_tg3(tg3::BCM5751, list)) },
    Type { name: c"tg3-5787", make: Make::Pci(tg3::BCM5787.identity(), |list| make_tg3(tg3::BCM5787, list)) },
    Type { name: c"tg3-5906", make: Make::Pci(tg3::BCM5906.identity(), |list| make_tg3(tg3::BCM5906, list)) },
    Type { name: c"tg3-57780", make: Make::Pci(tg3::BCM57780.identity(), |list| make_tg3(tg3::BCM57780, list)) },
    Type { name: c"tg3-57765", make: Make::Pci(tg3::BCM57765.identity(), |list| make_tg3(tg3::BCM57765, list)) },
    Type { name: c"tg3-5720", make: Make::Pci(tg3::BCM5720.identity(), |list| make_tg3(tg3::BCM5720, list)) },
    // No driver knows it: only its identity matters.
    Type { name: c"bnx2-5709", make: Make::Pci(BNX2, |list| make_rtl8169(rtl8169::RTL8126, list)) },
    // In many PCs with an ISA bus only the keyboard controller moves A20.
    Type { name: c"no-port92", make: Make::Holes { ports: &[0x92], from: 0 } },
    // Neither port 92h nor the keyboard controller moves A20, once the test has closed the gate.
    Type { name: c"no-a20", make: Make::Holes { ports: &[0x92, 0x60], from: 0xED } },
];

fn number(settings: &Settings, name: &str) -> Result<Option<u32>, String> {
    let Some(text) = settings.get(name) else { return Ok(None) };
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map(Some).map_err(|_| format!("{name}={text} is no number"))
}

fn mac(settings: &Settings) -> Result<[u8; 6], String> {
    static NEXT: AtomicU8 = AtomicU8::new(0x56);
    let Some(text) = settings.get("mac") else {
        return Ok([0x52, 0x54, 0x00, 0x12, 0x34, NEXT.fetch_add(1, Ordering::Relaxed)]);
    };
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| format!("mac={text} is no address"))
}

fn faults(settings: &Settings) -> Result<Faults, String> {
    Faults::parse(settings.get("fault").map_or("", String::as_str)).map_err(|error| error.to_string())
}

fn times(settings: &Settings, standard: Times) -> Result<Times, String> {
    Ok(Times { byte: number(settings, "wire")?.map_or(standard.byte, u64::from), ..standard })
}

fn choice<T: Copy>(settings: &Settings, name: &str, values: &[(&str, T)], standard: T) -> Result<T, String> {
    let Some(text) = settings.get(name) else { return Ok(standard) };
    let found = values.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let known: Vec<&str> = values.iter().map(|(word, _)| *word).collect();
        format!("{name}={text}: one of {}", known.join(", "))
    })
}

fn make_el3(settings: &Settings) -> Result<Box<dyn Card>, String> {
    let mut options = el3::Options::new(mac(settings)?);
    if let Some(io) = number(settings, "iobase")? {
        if io & 0xF != 0 || !(0x200..=0x3E0).contains(&io) {
            return Err(format!("iobase={io:#x}: 0x200 to 0x3e0 in steps of 0x10"));
        }
        options.io = io as u16;
    }
    if let Some(irq) = number(settings, "irq")? {
        if irq > 15 {
            return Err(format!("irq={irq}: 0 to 15"));
        }
        options.irq = irq as u8;
    }
    options.transceiver = choice(settings, "media", &[("tp", 0), ("aui", 1), ("bnc", 3)], 0)?;
    options.pnp = choice(settings, "pnp", &[("on", true), ("off", false)], true)?;
    options.faults = faults(settings)?;
    options.times = times(settings, Times::TEN)?;
    Ok(Box::new(El3::new(options)))
}

fn make_corkscrew(settings: &Settings) -> Result<Box<dyn Card>, String> {
    let mut options = corkscrew::Options::new(mac(settings)?);
    (options.lists, options.unasked) =
        choice(settings, "lists", &[("on", (true, false)), ("unasked", (true, true)), ("off", (false, false))], (false, false))?;
    options.faults = faults(settings)?;
    options.times = times(settings, Times::HUNDRED)?;
    Ok(Box::new(Corkscrew::new(options)))
}

fn make_vortex(part: Part, settings: &Settings) -> Result<Box<dyn Model>, String> {
    let mut options = vortex::Options::new(part, mac(settings)?);
    options.faults = faults(settings)?;
    options.times = times(settings, options.times)?;
    Ok(Box::new(Vortex::new(options)))
}

fn make_rtl8169(part: rtl8169::Part, settings: &Settings) -> Result<Box<dyn Model>, String> {
    let mut options = rtl8169::Options::new(part, mac(settings)?);
    options.faults = faults(settings)?;
    options.wire = number(settings, "wire")?.map(u64::from);
    let left = [("quiet", Left::Quiet), ("interrupting", Left::Interrupting), ("redirected", Left::Redirected), ("asleep", Left::Asleep)];
    options.left = choice(settings, "left", &left, Left::Quiet)?;
    if let Some(ms) = number(settings, "negotiation")? {
        options.negotiation = u64::from(ms) * 1_000_000;
    }
    Ok(Box::new(Rtl8169::new(options)))
}

fn make_pch(part: pch::Part, settings: &Settings) -> Result<Box<dyn Model>, String> {
    let switch = [("on", true), ("off", false)];
    let mut options = pch::Options::new(part, mac(settings)?);
    options.faults = faults(settings)?;
    options.wire = number(settings, "wire")?.map(u64::from);
    let left = [
        ("quiet", pch::Left::Quiet),
        ("interrupting", pch::Left::Interrupting),
        ("slow", pch::Left::Slow),
        ("holding", pch::Left::Holding),
    ];
    options.left = choice(settings, "left", &left, pch::Left::Quiet)?;
    options.engine = choice(settings, "me", &[("off", Engine::Off), ("on", Engine::On), ("blocking", Engine::Blocking)], Engine::On)?;
    options.asleep = choice(settings, "ulp", &switch, true)?;
    options.blank = choice(settings, "flash", &[("good", false), ("blank", true)], false)?;
    options.k1_loses = choice(settings, "k1", &[("fine", false), ("loses", true)], false)?;
    if let Some(ms) = number(settings, "negotiation")? {
        options.negotiation = u64::from(ms) * 1_000_000;
    }
    Ok(Box::new(Pch::new(options)))
}

/// An 8254x of QEMU's with ports that work.
const fn ports_of(card: &'static CStr) -> Make {
    let make = |_: &Settings| Ok(Box::new(Ports::default()) as Box<dyn Front>);
    Make::Front { card, newer: false, identity: None, covers: (c"e1000-io[0]", 8), registers: c"e1000-mmio[0]", make }
}

/// QEMU's 82576 as another part of its family.
const fn part_of(part: parts::Part, make: fn(&Settings) -> Result<Box<dyn Front>, String>) -> Make {
    let identity = Some((part.device, part.revision, part.ports));
    Make::Front { card: c"igb", newer: true, identity, covers: (c"igb-mmio[0]", 0x2_0000), registers: c"igb-mmio[0]", make }
}

fn make_part(part: parts::Part, settings: &Settings) -> Result<Box<dyn Front>, String> {
    let disconnected = choice(settings, "left", &[("quiet", false), ("disconnected", true)], false)?;
    Ok(Box::new(Parts::new(part, disconnected, faults(settings)?)))
}

fn make_tg3(part: tg3::Part, settings: &Settings) -> Result<Box<dyn Model>, String> {
    let mut options = tg3::Options::new(part, mac(settings)?);
    options.faults = faults(settings)?;
    options.wire = number(settings, "wire")?.map(u64::from);
    options.left = choice(settings, "left", &[("quiet", tg3::Left::Quiet), ("interrupting", tg3::Left::Interrupting)], tg3::Left::Quiet)?;
    let places = [("both", tg3::Address::Both), ("registers", tg3::Address::Registers), ("nvram", tg3::Address::Nvram)];
    options.address = choice(settings, "address", &places, tg3::Address::Both)?;
    options.partner = choice(settings, "partner", &[("10", 10), ("100", 100), ("1000", 1000)], 1000)?;
    if let Some(ms) = number(settings, "negotiation")? {
        options.negotiation = u64::from(ms) * 1_000_000;
    }
    Ok(Box::new(Tg3::new(options)))
}

/// Whether the card shall be in D3 at the start, as some systems leave it.
pub fn asleep(settings: &Settings) -> Result<bool, String> {
    choice(settings, "power", &[("d0", false), ("d3", true)], false)
}
