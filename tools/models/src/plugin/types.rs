//! The devices by name, and how their properties make models.

use super::Settings;
use crate::corkscrew::{self, Corkscrew};
use crate::el3::{self, El3};
use crate::elink::Times;
use crate::faults::Faults;
use crate::isa::Card;
use crate::pci::Identity;
use crate::rtl8169::{self, Left, Rtl8169};
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

/// All devices.
pub static TYPES: [Type; 25] = [
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

/// Whether the card shall be in D3 at the start, as some systems leave it.
pub fn asleep(settings: &Settings) -> Result<bool, String> {
    choice(settings, "power", &[("d0", false), ("d3", true)], false)
}
