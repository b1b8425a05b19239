//! Finds and starts NE1000, NE2000 and their ISA compatibles.

use super::{Ask, Fault, Found, Probe, Rings, isa_irq};
use crate::bus::{Addr, Bus};
use crate::device::{Device, MacAddr, RcvMode};
use crate::drivers::dp8390::*;
use crate::drivers::ne2000::{DATA, Ne2000, RESET};

/// Where cards are looked for, the usual places first.
const PLACES: [u16; 10] = [0x300, 0x320, 0x340, 0x360, 0x280, 0x240, 0x2A0, 0x2C0, 0x260, 0x380];

/// A reset takes less than this, in microseconds.
const RESET_LIMIT: u16 = 20_000;
/// Remote DMA of a few bytes takes less than this, in microseconds.
const DMA_LIMIT: u16 = 2_000;
/// Stopped, page 0.
const STOPPED: u8 = CR_NO_DMA | CR_STP;

/// Where a card has its RAM, and how it is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    first: u8,
    stop: u8,
    wide: bool,
}

impl Layout {
    /// NE2000 in a 16-bit slot, NE2000 in an 8-bit slot (two sizes), NE1000 (two sizes).
    const ALL: [Layout; 5] = [
        Layout { first: 0x40, stop: 0x80, wide: true },
        Layout { first: 0x40, stop: 0x80, wide: false },
        Layout { first: 0x40, stop: 0x60, wide: false },
        Layout { first: 0x20, stop: 0x60, wide: false },
        Layout { first: 0x20, stop: 0x40, wide: false },
    ];

    fn variant(self) -> u8 {
        Layout::ALL.iter().position(|&layout| layout == self).unwrap_or(0) as u8
    }
}

/// A card that is being looked at.
struct Card<'a, B> {
    bus: &'a B,
    io: u16,
}

impl<B: Bus> Card<'_, B> {
    fn get(&self, register: u8) -> u8 {
        self.bus.in8(self.io.wrapping_add(register as u16))
    }

    fn put(&self, register: u8, value: u8) {
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

    /// Ends remote DMA, complete or not.
    fn dma_end(&self) -> Result<(), Fault> {
        let complete = self.bus.wait(DMA_LIMIT, || self.get(ISR) & ISR_RDC != 0);
        self.put(CR, CR_NO_DMA | CR_STA);
        complete.map_err(|_| Fault::Dead)
    }

    fn read<const N: usize>(&self, layout: Layout, at: u16) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        let to = self.bus.addr_of(bytes.as_mut_ptr());
        let data = self.io.wrapping_add(DATA as u16);
        self.dma(CR_READ, at, N as u16);
        if layout.wide { self.bus.ins16(data, to, N as u16 / 2) } else { self.bus.ins8(data, to, N as u16) }
        self.dma_end()?;
        // The bus wrote behind the compiler's back.
        Ok(core::hint::black_box(bytes))
    }

    fn write(&self, layout: Layout, at: u16, bytes: &[u8; 8]) -> Result<(), Fault> {
        let from: Addr = self.bus.addr_of(core::hint::black_box(bytes).as_ptr());
        let data = self.io.wrapping_add(DATA as u16);
        self.dma(CR_WRITE, at, 8);
        if layout.wide { self.bus.outs16(data, from, 4) } else { self.bus.outs8(data, from, 8) }
        self.dma_end()
    }

    /// Resets the card and leaves it in loopback, so that memory can be reached and nothing comes in.
    fn reset(&self) -> Result<(), Fault> {
        let value = self.get(RESET);
        self.put(RESET, value);
        let ready = self.bus.wait(RESET_LIMIT, || self.get(ISR) & ISR_RST != 0);
        self.put(CR, STOPPED);
        ready.map_err(|_| Fault::Nothing)?;
        self.put(IMR, 0);
        self.put(RBCR0, 0);
        self.put(RBCR1, 0);
        Ok(())
    }

    fn configure(&self, layout: Layout) {
        self.put(CR, STOPPED);
        self.put(DCR, DCR_FT8 | DCR_LS | if layout.wide { DCR_WTS } else { 0 });
        self.put(RCR, RCR_MON);
        self.put(TCR, TCR_LOOPBACK);
        self.put(PSTART, layout.first + TX_PAGES);
        self.put(PSTOP, layout.stop);
        self.put(BNRY, layout.first + TX_PAGES);
        self.put(CR, STOPPED | CR_PAGE1);
        self.put(CURR, layout.first + TX_PAGES + 1);
        self.put(CR, STOPPED);
        self.put(ISR, 0xFF);
        self.put(CR, CR_NO_DMA | CR_STA);
    }

    /// Whether the RAM is what `layout` says: different values in its first and last pages stay different.
    fn has(&self, layout: Layout) -> bool {
        self.configure(layout);
        let middle = layout.first.wrapping_add(layout.stop) / 2;
        let tests = [
            (layout.first, *b"3COMPKT\x5A"),
            (middle, *b"\x01\x80\x55\xAA\x00\xFF\x12\xED"),
            (layout.stop - 1, *b"\xA5TKPMOC3"),
        ];
        tests.iter().all(|(page, pattern)| self.write(layout, (*page as u16) << 8, pattern).is_ok())
            && tests.iter().all(|(page, pattern)| self.read(layout, (*page as u16) << 8).as_ref() == Ok(pattern))
    }

    fn address(&self, layout: Layout) -> Result<MacAddr, Fault> {
        let prom: [u8; 32] = self.read(layout, 0)?;
        // Sixteen-bit cards have one byte of PROM in each word; some cards in 8-bit slots show each byte twice.
        let step = if layout.wide || prom.chunks_exact(2).all(|pair| pair[0] == pair[1]) { 2 } else { 1 };
        let mut mac = MacAddr::default();
        for (byte, from) in mac.iter_mut().zip(prom.iter().step_by(step)) {
            *byte = *from;
        }
        if mac[0] & 1 != 0 || mac == MacAddr::default() { Err(Fault::Eeprom) } else { Ok(mac) }
    }

    /// The line that rises at the end of a remote read.
    fn irq(&self, layout: Layout) -> u8 {
        isa_irq::find(
            self.bus,
            || {
                let _ = self.read::<2>(layout, (layout.first as u16) << 8);
                self.put(IMR, ISR_RDC);
            },
            || {
                self.put(IMR, 0);
                self.put(ISR, ISR_RDC);
            },
        )
    }
}

/// Reads before it writes: nothing is written where every register reads all ones, or CR reads what no DP8390 shows.
fn plausible<B: Bus>(card: &Card<B>) -> bool {
    let cr = card.get(CR);
    if cr == 0xFF || [BNRY, TPSR, ISR].into_iter().all(|register| card.get(register) == 0xFF) {
        return false;
    }
    card.put(CR, STOPPED);
    let stopped = card.get(CR) & !CR_TXP == STOPPED;
    if !stopped {
        card.put(CR, cr);
    }
    stopped
}

/// Finds the ISA cards.
pub struct Ne2000Probe;

impl<B: Bus> Probe<B> for Ne2000Probe {
    type Device = Ne2000<B>;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let io = match (ask.io, ask.index) {
            (0, index) => *PLACES.get(index as usize).ok_or(Fault::End)?,
            (io, 0) => io,
            _ => return Err(Fault::End),
        };
        let card = Card { bus, io };
        if !plausible(&card) {
            return Err(Fault::Nothing);
        }
        card.reset()?;
        let layout = Layout::ALL.into_iter().find(|&layout| card.has(layout));
        let found = layout.ok_or(Fault::Dead).and_then(|layout| {
            let mac = card.address(layout)?;
            let irq = if ask.irq != 0 { ask.irq } else { card.irq(layout) };
            let variant = layout.variant();
            Ok(Found { mac, io, mem: 0, irq, variant, pci: 0, rings_low: 0, rings_xms: 0 })
        });
        card.put(CR, STOPPED);
        found
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<Ne2000<B>, Fault> {
        let layout = *Layout::ALL.get(found.variant as usize).ok_or(Fault::Resources)?;
        let card = Card { bus: &bus, io: found.io };
        card.reset().map_err(|_| Fault::Dead)?;
        card.configure(layout);
        let Layout { first, stop, wide } = layout;
        let mut device = Ne2000::new(bus, found.io, first, stop, wide);
        device.set_address(&found.mac);
        device.set_rcv_mode(RcvMode::Broadcast, &[]);
        device.accept();
        Ok(device)
    }
}
