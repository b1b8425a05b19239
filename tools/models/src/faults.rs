//! Faults on demand: which, at which event, how often.
//!
//! As text: `tx-underrun@3`, `rx-crc@2*4`, `stuck-command+lost-interrupt`. `@N`: at the N-th event of its kind (default 1);
//! `*M`: at so many events in a row (default 1; 0: for ever). `+` joins several.

use std::fmt;

/// Kinds of faults, and the event that each counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Underrun of the transmitter. Event: a frame begins.
    TxUnderrun,
    /// The transmitter sends for too long. Event: a frame begins.
    Jabber,
    /// Sixteen collisions in a row. Event: a frame begins.
    MaxCollisions,
    /// Overrun of the receive FIFO. Event: a frame that passes the filter.
    RxOverrun,
    /// Wrong check sequence. Event: a frame that passes the filter.
    RxCrc,
    /// The card reports adapter failure. Event: a frame that passes the filter.
    AdapterFailure,
    /// A command never ends; only a reset of the bus helps. Event: a command that takes time.
    StuckCommand,
    /// The interrupt is latched, but the line stays low. Event: the latch is set.
    LostInterrupt,
    /// A checksum in the EEPROM is wrong, from the start; `@` is ignored.
    BadChecksum,
    /// The card is removed: reads return ones, writes have no effect. Event: a register access.
    Vanish,
    /// An ISA PnP card is in wait-for-key and does not listen to its ID port.
    IdDeaf,
    /// A byte is changed in a bus master transfer. Event: a fragment of a frame.
    DmaCorrupt,
    /// A byte behind a frame's end is written, too. Event: a fragment of a received frame.
    DmaStray,
    /// The card does not get the bus until that side is reset. Event: a read of a descriptor.
    DmaHang,
    /// A doorbell is not heard. Event: the doorbell is rung.
    LostDoorbell,
    /// A frame goes out, but its descriptor stays the card's, and the transmitter stops until a reset. Event: a frame was sent.
    StaysOwned,
    /// An access to the PHY never ends. Event: such an access.
    StuckPhy,
    /// The firmware never hands the FIFO over. Event: the driver asks for it.
    StuckFifo,
    /// The firmware never hands the semaphore over. Event: the driver asks for it.
    StuckSemaphore,
    /// A register keeps its old value, though the bus was free. Event: a tail of a ring is written.
    LostWrite,
    /// The receiver holds descriptors, and the unit hangs if it is reset then. Event: the receiver is switched off.
    HeldDescriptors,
    /// The boot code never ends. Event: a reset of the core.
    SilentFirmware,
    /// The boot code takes 0.9 s. Event: a reset of the core.
    SlowFirmware,
    /// The lock of the NVRAM is never granted again. Event: the driver asks for it.
    StuckNvram,
    /// The buffer manager never gets ready. Event: it is enabled.
    StuckBuffers,
    /// The status block is not written, and nothing interrupts. Event: it is to be written.
    LostUpdate,
}

/// Their names in properties.
pub const NAMES: [(&str, Kind); 26] = [
    ("tx-underrun", Kind::TxUnderrun),
    ("jabber", Kind::Jabber),
    ("max-collisions", Kind::MaxCollisions),
    ("rx-overrun", Kind::RxOverrun),
    ("rx-crc", Kind::RxCrc),
    ("adapter-failure", Kind::AdapterFailure),
    ("stuck-command", Kind::StuckCommand),
    ("lost-interrupt", Kind::LostInterrupt),
    ("bad-checksum", Kind::BadChecksum),
    ("vanish", Kind::Vanish),
    ("id-deaf", Kind::IdDeaf),
    ("dma-corrupt", Kind::DmaCorrupt),
    ("dma-stray", Kind::DmaStray),
    ("dma-hang", Kind::DmaHang),
    ("lost-doorbell", Kind::LostDoorbell),
    ("stays-owned", Kind::StaysOwned),
    ("stuck-phy", Kind::StuckPhy),
    ("stuck-fifo", Kind::StuckFifo),
    ("stuck-semaphore", Kind::StuckSemaphore),
    ("lost-write", Kind::LostWrite),
    ("held-descriptors", Kind::HeldDescriptors),
    ("silent-firmware", Kind::SilentFirmware),
    ("slow-firmware", Kind::SlowFirmware),
    ("stuck-nvram", Kind::StuckNvram),
    ("stuck-buffers", Kind::StuckBuffers),
    ("lost-update", Kind::LostUpdate),
];

#[derive(Clone, Copy, Debug)]
struct Plan {
    kind: Kind,
    /// Events until the first that fails.
    before: u64,
    /// Failing events left.
    left: u64,
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Plan>);

/// The text names no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

impl fmt::Display for Unknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no such fault: {} (one of", self.0)?;
        for (name, _) in NAMES {
            write!(out, " {name}")?;
        }
        write!(out, "; then @N and *M)")
    }
}

impl Faults {
    /// None.
    pub fn none() -> Faults {
        Faults::default()
    }

    /// From text; see the module's header.
    pub fn parse(text: &str) -> Result<Faults, Unknown> {
        let mut faults = Faults::none();
        for item in text.split('+').filter(|item| !item.is_empty()) {
            let bad = || Unknown(item.into());
            let (rest, times) = item.split_once('*').unwrap_or((item, "1"));
            let (name, first) = rest.split_once('@').unwrap_or((rest, "1"));
            let kind = NAMES.iter().find(|(known, _)| *known == name).ok_or_else(bad)?.1;
            faults.add(kind, first.parse().map_err(|_| bad())?, times.parse().map_err(|_| bad())?);
        }
        Ok(faults)
    }

    /// Lets `times` events (0: all) fail, from the `first` one on, counted from 1.
    pub fn add(&mut self, kind: Kind, first: u64, times: u64) {
        self.0.push(Plan { kind, before: first.max(1) - 1, left: if times == 0 { u64::MAX } else { times } });
    }

    /// Whether a fault of this kind is still to come.
    pub fn planned(&self, kind: Kind) -> bool {
        self.0.iter().any(|plan| plan.kind == kind && plan.left > 0)
    }

    /// Counts an event of this kind; returns whether it fails.
    pub fn strikes(&mut self, kind: Kind) -> bool {
        let mut hit = false;
        for plan in self.0.iter_mut().filter(|plan| plan.kind == kind) {
            if plan.before > 0 {
                plan.before -= 1;
            } else if plan.left > 0 {
                plan.left -= 1;
                hit = true;
            }
        }
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_strikes_when_told_and_as_often() {
        let mut faults = Faults::parse("jabber@2*2+rx-crc").unwrap();
        let hits: Vec<bool> = (0..5).map(|_| faults.strikes(Kind::Jabber)).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.strikes(Kind::RxCrc));
        assert!(!faults.strikes(Kind::RxCrc));
        assert!(!faults.strikes(Kind::TxUnderrun));
        let mut always = Faults::parse("lost-interrupt*0").unwrap();
        assert!((0..1000).all(|_| always.strikes(Kind::LostInterrupt)));
    }

    #[test]
    fn an_unknown_fault_is_refused_by_name() {
        assert_eq!(Faults::parse("jabber+tea").unwrap_err(), Unknown("tea".into()));
        assert!(Faults::parse("jabber@x").is_err());
    }
}
