//! The devices by name, and how their properties make models.

use super::Settings;
use crate::corkscrew::{self, Corkscrew};
use crate::el3::{self, El3};
use crate::elink::Times;
use crate::faults::Faults;
use crate::isa::Card;
use crate::vortex::{self, Part, Vortex};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// How to make a device's model.
pub enum Make {
    /// An ISA card.
    Isa(fn(&Settings) -> Result<Box<dyn Card>, String>),
    /// A PCI card.
    Pci(Part),
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
pub static TYPES: [Type; 10] = [
    Type { name: c"el3", make: Make::Isa(make_el3) },
    Type { name: c"corkscrew", make: Make::Isa(make_corkscrew) },
    Type { name: c"vortex-3c590", make: Make::Pci(vortex::C590) },
    Type { name: c"vortex-3c595", make: Make::Pci(vortex::C595) },
    Type { name: c"boomerang-3c900", make: Make::Pci(vortex::C900) },
    Type { name: c"boomerang-3c905", make: Make::Pci(vortex::C905) },
    Type { name: c"cyclone-3c905b", make: Make::Pci(vortex::C905B) },
    Type { name: c"tornado-3c905c", make: Make::Pci(vortex::C905C) },
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

/// A PCI card's model.
pub fn make_vortex(part: Part, settings: &Settings) -> Result<Box<Vortex>, String> {
    let mut options = vortex::Options::new(part, mac(settings)?);
    options.faults = faults(settings)?;
    options.times = times(settings, options.times)?;
    Ok(Box::new(Vortex::new(options)))
}

/// Whether the card shall be in D3 at the start, as some systems leave it.
pub fn asleep(settings: &Settings) -> Result<bool, String> {
    choice(settings, "power", &[("d0", false), ("d3", true)], false)
}
