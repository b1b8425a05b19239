//! Finds and starts NE1000, NE2000 and their ISA compatibles.

use super::{Ask, Fault, Found, Probe, Rings, is_station, line};
use crate::bus::Bus;
use crate::device::{Device, MacAddr, RcvMode};
use crate::drivers::dp8390::*;
use crate::drivers::ne2000::{DATA, Ne2000, RESET};

/// Ports at which cards are looked for, in this order.
const PLACES: [u16; 10] = [0x300, 0x320, 0x340, 0x360, 0x280, 0x240, 0x2A0, 0x2C0, 0x260, 0x380];

/// Limit of a reset, in microseconds.
const RESET_LIMIT: u16 = 20_000;
/// Limit of a remote DMA of a few bytes, in microseconds.
const DMA_LIMIT: u16 = 2_000;
/// Stopped, page 0.
pub(super) const STOPPED: u8 = CR_NO_DMA | CR_STP;

/// The pages of a card's RAM.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ram {
    first: u8,
    /// The page behind the last.
    stop: u8,
}

/// The RAM of an NE2000 in a 16-bit slot.
pub(super) const WIDE_RAM: &[Ram] = &[Ram { first: 0x40, stop: 0x80 }];
/// The RAM of an NE2000 in an 8-bit slot, or of an NE1000; each with 16 or 8 KB.
const NARROW_RAM: &[Ram] = &[
    Ram { first: 0x40, stop: 0x80 },
    Ram { first: 0x40, stop: 0x60 },
    Ram { first: 0x20, stop: 0x60 },
    Ram { first: 0x20, stop: 0x40 },
];

/// A card while it is being identified.
pub(super) struct Card<'a, B, const WIDE: bool> {
    pub(super) bus: &'a B,
    pub(super) io: u16,
}

impl<B: Bus, const WIDE: bool> Card<'_, B, WIDE> {
    fn get(&self, register: u8) -> u8 {
        self.bus.in8(self.io.wrapping_add(register as u16))
    }

    pub(super) fn put(&self, register: u8, value: u8) {
        self.bus.out8(self.io.wrapping_add(register as u16), value)
    }

    fn dma(&self, direction: u8, at: u16, len: u16) {
        let ([a0, a1], [n0, n1]) = (at.to_le_bytes(), len.to_le_bytes());
        self.put(ISR, ISR_RDC);
        for (register, value) in (RSAR0..).zip([a0, a1, n0, n1]) {
            self.put(register, value);
        }
        self.put(CR, direction | CR_STA);
    }

    /// Ends remote DMA, whether it is complete or not.
    fn dma_end(&self) -> Result<(), Fault> {
        let complete = self.bus.wait(DMA_LIMIT, || self.get(ISR) & ISR_RDC != 0);
        self.put(CR, CR_NO_DMA | CR_STA);
        complete.map_err(|_| Fault::Dead)
    }

    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        let data = self.io.wrapping_add(DATA as u16);
        self.dma(CR_READ, at, N as u16);
        if WIDE { self.bus.ins_own(data, &mut bytes) } else { self.bus.ins8_own(data, &mut bytes) }
        self.dma_end()?;
        // The bus has written the bytes in assembly: rustc must not assume that they are unchanged.
        Ok(core::hint::black_box(bytes))
    }

    fn write(&self, at: u16, bytes: &[u8; 8]) -> Result<(), Fault> {
        let data = self.io.wrapping_add(DATA as u16);
        self.dma(CR_WRITE, at, 8);
        for pair in bytes.chunks_exact(2) {
            if WIDE {
                self.bus.out16(data, u16::from_le_bytes([pair[0], pair[1]]));
            } else {
                self.bus.out8(data, pair[0]);
                self.bus.out8(data, pair[1]);
            }
        }
        self.dma_end()
    }

    /// Resets the card and leaves it in loopback: its RAM can be reached, and no frame comes in.
    fn reset(&self) -> Result<(), Fault> {
        let value = self.get(RESET);
        self.put(RESET, value);
        let ready = self.bus.wait(RESET_LIMIT, || self.get(ISR) & ISR_RST != 0);
        self.put(CR, STOPPED);
        ready.map_err(|_| Fault::Nothing)?;
        self.put(IMR, 0);
        self.put(RBCR0, 0);
        self.put(RBCR0 + 1, 0);
        Ok(())
    }

    fn configure(&self, ram: Ram) {
        self.put(CR, STOPPED);
        self.put(DCR, DCR_FT8 | DCR_LS | if WIDE { DCR_WTS } else { 0 });
        self.put(RCR, RCR_MON);
        self.put(TCR, TCR_LOOPBACK);
        self.put(TPSR, ram.first);
        self.put(PSTART, ram.first + TX_PAGES);
        self.put(PSTOP, ram.stop);
        self.put(BNRY, ram.first + TX_PAGES);
        self.put(CR, STOPPED | CR_PAGE1);
        self.put(CURR, ram.first + TX_PAGES + 1);
        self.put(CR, STOPPED);
        self.put(ISR, 0xFF);
        self.put(CR, CR_NO_DMA | CR_STA);
    }

    /// Whether the RAM is there: its first and its last page keep different values.
    fn has(&self, ram: Ram) -> bool {
        self.configure(ram);
        let middle = ram.first.wrapping_add(ram.stop) / 2;
        let tests = [
            (ram.first, *b"3COMPKT\x5A"),
            (middle, *b"\x01\x80\x55\xAA\x00\xFF\x12\xED"),
            (ram.stop - 1, *b"\xA5TKPMOC3"),
        ];
        tests.iter().all(|(page, pattern)| self.write((*page as u16) << 8, pattern).is_ok())
            && tests.iter().all(|(page, pattern)| self.read((*page as u16) << 8).as_ref() == Ok(pattern))
    }

    fn address(&self) -> Result<MacAddr, Fault> {
        let prom: [u8; 32] = self.read(0)?;
        // In a 16-bit slot each word has one byte of the PROM; some cards in 8-bit slots show each byte twice.
        let step = if WIDE || prom.chunks_exact(2).all(|pair| pair[0] == pair[1]) { 2 } else { 1 };
        let mut mac = MacAddr::default();
        for (byte, from) in mac.iter_mut().zip(prom.iter().step_by(step)) {
            *byte = *from;
        }
        if is_station(&mac) { Ok(mac) } else { Err(Fault::Eeprom) }
    }

    /// Whether it behaves as a DP8390. Writes nothing if all registers read as ones. If the command register does not stop
    /// the card as a DP8390's would, its old value is restored.
    fn plausible(&self) -> bool {
        let cr = self.get(CR);
        if cr == 0xFF || [BNRY, TPSR, ISR].into_iter().all(|register| self.get(register) == 0xFF) {
            return false;
        }
        self.put(CR, STOPPED);
        let stopped = self.get(CR) & !CR_TXP == STOPPED;
        if !stopped {
            self.put(CR, cr);
        }
        stopped
    }

    /// The index in `places` of the card's RAM, and its address. Leaves the card running in loopback.
    pub(super) fn identify(&self, places: &[Ram]) -> Result<(u8, MacAddr), Fault> {
        if !self.plausible() {
            return Err(Fault::Nothing);
        }
        let found = self.examine(places);
        if found.is_err() {
            self.put(CR, STOPPED);
        }
        found
    }

    fn examine(&self, places: &[Ram]) -> Result<(u8, MacAddr), Fault> {
        self.reset()?;
        let (_, variant) = places.iter().zip(0..).find(|(ram, _)| self.has(**ram)).ok_or(Fault::Nothing)?;
        Ok((variant, self.address()?))
    }

    /// Makes the end of a remote read interrupt. The card must be running.
    fn provoke(&self) {
        // Unmasked first: DOSBox-X raises the line at the event only, not when a mask is lifted.
        self.put(IMR, ISR_RDC);
        let _ = self.read::<2>(0);
    }

    /// Ends that interrupt; returns whether the read has ended.
    fn quiet(&self) -> bool {
        self.put(IMR, 0);
        let complete = self.get(ISR) & ISR_RDC != 0;
        self.put(ISR, ISR_RDC);
        complete
    }

    /// The card's interrupt line. The card must have been identified.
    fn irq(&self) -> u8 {
        line::find(
            self.bus,
            || self.provoke(),
            || {
                self.quiet();
            },
        )
    }
}

/// Resets a card that was found, whatever its state, and sets it up.
pub(super) fn start<B: Bus, const WIDE: bool>(bus: B, found: &Found, places: &[Ram]) -> Result<Ne2000<B, WIDE>, Fault> {
    let ram = *places.get(found.variant as usize).ok_or(Fault::Resources)?;
    let card = Card::<B, WIDE> { bus: &bus, io: found.io };
    card.reset().map_err(|_| Fault::Dead)?;
    card.configure(ram);
    let mut device = Ne2000::new(bus, found.io, ram.first, ram.stop);
    device.set_address(&found.mac);
    device.set_rcv_mode(RcvMode::Broadcast, &[]);
    Ok(device)
}

/// [`Probe::line`].
pub(super) fn line_of<B: Bus, const WIDE: bool>(bus: &B, found: &Found) -> u8 {
    let card = Card::<B, WIDE> { bus, io: found.io };
    line::check(bus, found.irq, || card.provoke(), || card.quiet())
}

/// The probe of the ISA cards: `WIDE` with transfers by words, otherwise by bytes.
pub struct Ne2000Probe<const WIDE: bool = true>;

impl<const WIDE: bool> Ne2000Probe<WIDE> {
    const RAM: &[Ram] = if WIDE { WIDE_RAM } else { NARROW_RAM };
}

impl<B: Bus, const WIDE: bool> Probe<B> for Ne2000Probe<WIDE> {
    type Device = Ne2000<B, WIDE>;
    const SPEED: u8 = 1;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let io = match (ask.io, ask.index) {
            (0, index) => *PLACES.get(index as usize).ok_or(Fault::End)?,
            (io, 0) => io,
            _ => return Err(Fault::End),
        };
        if ask.is_taken(io) {
            return Err(Fault::Nothing);
        }
        let card = Card::<B, WIDE> { bus, io };
        let (variant, mac) = card.identify(Self::RAM)?;
        let irq = if ask.irq != 0 { ask.irq } else { card.irq() };
        card.put(CR, STOPPED);
        Ok(Found { mac, io, irq, variant, ..Found::default() })
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<Self::Device, Fault> {
        start(bus, found, Self::RAM)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        line_of::<B, WIDE>(bus, found)
    }
}
