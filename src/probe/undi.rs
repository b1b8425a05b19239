//! Finds a card's ROM with UNDI in memory (Preboot Execution Environment 2.1, chapter 4.4), loads its driver and starts it.
//! The card itself is not touched: the ROM knows it.

use super::{Ask, Fault, Found, Probe, Rings, is_station, pci};
use crate::bus::{Addr, Bus, Far};
use crate::device::{Device as _, MacAddr};
use crate::drivers::undi::{
    BLOCK, BUFFER, CLOSE, GET_INFORMATION, GET_NIC_TYPE, INITIALIZE, LOADER, Rom, START_UNDI, STARTUP, Undi,
};

/// Where ROMs lie: at a boundary of 2 KB between these segments (PCI Firmware Specification 3.0, chapter 5).
const FIRST: u16 = 0xC000;
/// Segments from one boundary to the next.
const STEP: u16 = 0x80;
/// So many boundaries.
const STEPS: u8 = 128;

// Fields of a ROM's header: its mark, its length in units of 512 bytes, and where the UNDI ROM id, the PCI data structure and the PnP header are.
const MARK: u16 = 0xAA55;
const TO_LENGTH: u16 = 2;
const TO_UNDI: u16 = 0x16;
const TO_PCIR: u16 = 0x18;
const TO_PNP: u16 = 0x1A;
/// In the PnP header: the offset of the product's name.
const PNP_PRODUCT: u16 = 0x10;
// In the PCI data structure: vendor and device, a list of further devices (from revision 3 on), the revision.
const PCIR: u32 = u32::from_le_bytes(*b"PCIR");
const PCIR_ID: u16 = 4;
const PCIR_LIST: u16 = 8;
const PCIR_REVISION: u16 = 12;
/// The most devices of that list.
const DEVICES: u16 = 64;
// The UNDI ROM id.
const UNDI: u32 = u32::from_le_bytes(*b"UNDI");
const UNDI_BYTES: u16 = 0x16;
const UNDI_LOADER: u16 = 0x0A;
const UNDI_STACK: u16 = 0x0C;
const UNDI_DATA: u16 = 0x0E;
const UNDI_CODE: u16 = 0x10;

/// Bytes of the stack for the ROM's calls.
pub const STACK: u16 = 0x1000;
/// The most bytes of the ROM's code and data: the driver's segment has to hold them, too.
const MOST: u32 = 0xC000;
/// [`Found::mac`] before the ROM is started, which alone knows the address.
const UNKNOWN: MacAddr = [2, 0, 0, 0, 0, 0];
/// The probes of the other drivers find a card at the second attempt, too; a ROM has to open the link, and gets ten.
const ATTEMPTS: u8 = 10;
/// The pause between them, in microseconds, and how often.
const PAUSE: u16 = 20_000;
const PAUSES: u8 = 10;

/// The end of the BIOS's area for communication between programs (40:F0 to 40:FF), which the BIOS clears when the machine is
/// started: here is [`LOADED`] once a ROM was loaded that is not [`Image::whole`].
const LOADS: Addr = Addr(0x4FC);
/// The loader of iPXE's ROM was seen to hang when it was called a second time.
const LOADED: u32 = u32::from_le_bytes(*b"3CPX");

/// A ROM with UNDI.
pub struct Image {
    /// Its segment.
    pub segment: u16,
    /// Offset of its loader.
    loader: u16,
    /// Bytes of its code, up to a paragraph's end,
    pub code: u16,
    /// and of its data, with its stack.
    pub data: u16,
    /// The ROM is as long as both or longer. A shorter one has them packed in extended memory, where nothing protects them.
    whole: bool,
}

fn up(bytes: u16) -> u16 {
    (bytes + 15) & !15
}

impl Image {
    fn at(segment: u16, offset: u16) -> Addr {
        Far::new(segment, offset).linear()
    }

    /// The ROM at a place, if its PCI data say that it is for the function `id`.
    fn is_for<B: Bus>(bus: &B, segment: u16, id: u32) -> bool {
        if bus.get16(Self::at(segment, 0)) != MARK {
            return false;
        }
        let data = Self::at(segment, bus.get16(Self::at(segment, TO_PCIR)));
        let own = bus.get32(data.plus(PCIR_ID));
        if bus.get32(data) != PCIR || own as u16 != id as u16 {
            return false;
        }
        if own == id {
            return true;
        }
        let list = bus.get16(data.plus(PCIR_LIST));
        if bus.get8(data.plus(PCIR_REVISION)) < 3 || list == 0 {
            return false;
        }
        let list = data.plus(list);
        for index in 0..DEVICES {
            match bus.get16(list.plus(2 * index)) {
                0 => break,
                device if device == (id >> 16) as u16 => return true,
                _ => {}
            }
        }
        false
    }

    /// What the UNDI ROM id of a ROM says. None: it has none, or one that cannot be.
    fn read<B: Bus>(bus: &B, segment: u16) -> Option<Image> {
        let at = Self::at(segment, bus.get16(Self::at(segment, TO_UNDI)));
        let mut sum = 0u8;
        for byte in 0..UNDI_BYTES {
            sum = sum.wrapping_add(bus.get8(at.plus(byte)));
        }
        let word = |offset: u16| bus.get16(at.plus(offset));
        let (loader, code, stack, data) = (word(UNDI_LOADER), word(UNDI_CODE), word(UNDI_STACK), word(UNDI_DATA));
        // iPXE's data have its stack in them; others have it behind them.
        let data = if stack == data { data as u32 } else { data as u32 + stack as u32 };
        if bus.get32(at) != UNDI || sum != 0 || loader == 0 || code == 0 || data == 0 || code as u32 + data > MOST {
            return None;
        }
        let whole = bus.get8(Self::at(segment, TO_LENGTH)) as u32 * 512 >= code as u32 + data;
        Some(Image { segment, loader, code: up(code), data: up(data as u16), whole })
    }

    /// Finds the ROM of a PCI function.
    pub fn find<B: Bus>(bus: &B, id: u32) -> Result<Image, Fault> {
        let mut fault = Fault::Nothing;
        let mut segment = FIRST;
        for _ in 0..STEPS {
            if Self::is_for(bus, segment, id) {
                match Self::read(bus, segment) {
                    Some(image) => return Ok(image),
                    None => fault = Fault::NoUndi,
                }
            }
            segment = segment.wrapping_add(STEP);
        }
        Err(fault)
    }

    /// The first letters of its product's name, behind a colon and a blank.
    fn name<B: Bus>(&self, bus: &B, name: &mut [u8]) {
        let header = bus.get16(Self::at(self.segment, TO_PNP));
        let text = bus.get16(Self::at(self.segment, header.wrapping_add(PNP_PRODUCT)));
        let mut at = Self::at(self.segment, text);
        let mut letters = name.iter_mut();
        for byte in b": " {
            if let Some(to) = letters.next() {
                *to = *byte;
            }
        }
        for to in letters {
            let letter = if header == 0 || text == 0 { 0 } else { bus.get8(at) };
            // iPXE writes the card's place behind its name, in brackets.
            if !(b' '..=b'~').contains(&letter) || letter == b' ' && bus.get8(at.plus(1)) == b'(' {
                break;
            }
            *to = letter;
            at = at.plus(1);
        }
    }
}

/// The probe of a ROM's driver.
pub struct UndiProbe;

impl<B: Bus> Probe<B> for UndiProbe {
    type Device = Undi<B>;

    // The place of a function that is not there: any network function may have a ROM, and the search asks for each.
    const IDS: &'static [u32] = &[u32::MAX];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let image = if bus.confined() { Err(Fault::RomV86) } else { Image::find(bus, pci::id(bus, ask.pci)) };
        let mut found = Found { mac: UNKNOWN, pci: ask.pci, rings_low: STACK + 2 * BUFFER, rings_xms: super::NO_XMS, ..Found::default() };
        found.variant = ask.index & TOLD;
        if let Ok(image) = &image {
            image.name(bus, &mut found.chip);
        }
        if !bus.confined() && is_left_over(bus, ask.pci) {
            found.variant |= LEFT_OVER;
            return Ok(found);
        }
        let used = bus.get32(LOADS) == LOADED;
        let image = image.and_then(|image| if used && !image.whole { Err(Fault::RomUsed) } else { Ok(image) });
        // If the user has not asked for it, that no driver knows the card says more.
        let image = image.map_err(|fault| if ask.index & ASKED == 0 { Fault::Nothing } else { fault })?;
        found.rings_low += image.code + image.data;
        Ok(found)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Undi<B>, Fault> {
        let base = (rings.linear.0 >> 4) as u16;
        // Stack and buffers are the last of it.
        let top = base + ((rings.len as u16 - 2 * BUFFER) >> 4);
        let stack = Far::new(top - (STACK >> 4), STACK);
        let buffer = Far::new(top, 0).linear();
        let mut card = Undi::new(bus, Far(0), stack, buffer);
        // It is polled, and nobody acknowledges an interrupt that the ROM enables.
        pci::switch_intx_off(card.bus(), found.pci);
        let told = found.variant & TOLD != 0;
        if found.variant & LEFT_OVER != 0 {
            card.adopt(left_over(card.bus()).ok_or(Fault::Rom)?);
            tell(&card, told, "CLOSE");
            card.call(CLOSE);
            return finish(card, buffer, told);
        }
        let xms = card.bus().xms_top();
        let before = sum(card.bus(), xms);
        load(&mut card, found, base)?;
        // Some ROMs have done so in the loader, and refuse.
        tell(&card, told, "START_UNDI");
        card.call(START_UNDI);
        tell(&card, told, "STARTUP");
        card.call(STARTUP);
        let card = finish(card, buffer, told)?;
        if sum(card.bus(), xms) != before {
            return give_up(card, Fault::RomHigh);
        }
        Ok(card)
    }
}

/// Says which call is made, before it is: one that does not return leaves no other trace.
#[inline(never)]
fn tell<B: Bus>(card: &Undi<B>, told: bool, call: &str) {
    if told {
        let bus = card.bus();
        bus.tell("3COMPKT: undi: calls ");
        bus.tell(call);
        bus.tell("\r\n");
    }
}

/// Stops a ROM.
#[inline(never)]
fn give_up<B: Bus>(mut card: Undi<B>, fault: Fault) -> Result<Undi<B>, Fault> {
    card.stop();
    Err(fault)
}

/// Has the ROM's loader put its code and data from the segment `data` on, and fills in the block for START_UNDI.
fn load<B: Bus>(card: &mut Undi<B>, found: &Found, data: u16) -> Result<(), Fault> {
    let image = Image::find(card.bus(), pci::id(card.bus(), found.pci))?;
    let pnp = pnp(card.bus());
    let place = |block: &mut [u16]| {
        let code = data + (image.data >> 4);
        let fields = [0, found.pci, u16::MAX, u16::MAX, pnp, if pnp == 0 { 0 } else { BIOS }, data, code, 0, 0, 0, 0];
        block.iter_mut().zip(fields).for_each(|(to, field)| *to = field);
    };
    card.rom.entry = Far::new(image.segment, image.loader);
    place(&mut card.rom.block);
    if !image.whole {
        card.bus().put32(LOADS, LOADED);
    }
    tell(card, found.variant & TOLD != 0, "its loader");
    if !card.call(LOADER) {
        return Err(Fault::Rom);
    }
    let structure = Far::new(card.rom.block[9], card.rom.block[8]).linear();
    card.rom.entry = entry(card.bus(), structure).ok_or(Fault::Rom)?;
    place(&mut card.rom.block);
    Ok(())
}

/// Initializes the card, learns its address and opens it. The address goes to the first buffer, for the stage.
fn finish<B: Bus>(mut card: Undi<B>, buffer: Addr, told: bool) -> Result<Undi<B>, Fault> {
    let began = begin(&mut card, told);
    tell(&card, told, "GET_INFORMATION");
    let mac = mac(&mut card);
    if is_station(&mac) && (began || card.is_adopted()) {
        card.set_own(mac);
        card.bus().give_own(mac.as_ptr(), buffer, 6);
        tell(&card, told, "OPEN");
        if card.open() {
            return Ok(card);
        }
    }
    give_up(card, Fault::Rom)
}

/// The megabyte below the top of memory, summed up; `top` is in units of 64 KB.
fn sum<B: Bus>(bus: &B, top: u16) -> u32 {
    const PIECE: u16 = 128;
    let mut sum = 0u32;
    if top != 0 {
        let mut at = Addr(((top as u32) << 16).wrapping_sub(1 << 20));
        for _ in 0..(1u32 << 20) / PIECE as u32 {
            let mut piece = [0u32; PIECE as usize / 4];
            bus.take(at, bus.far_of(piece.as_mut_ptr() as *const u8), PIECE);
            for word in core::hint::black_box(piece) {
                sum = sum.rotate_left(1).wrapping_add(word);
            }
            at = at.plus(PIECE);
        }
    }
    sum
}

/// Bits of [`Ask::index`]: the user has asked for a ROM, and wants to be told of each call.
const ASKED: u8 = 1;
const TOLD: u8 = 2;
/// Bit of [`Found::variant`], beside [`TOLD`]: a network boot has left the card's ROM in memory.
pub const LEFT_OVER: u8 = 1;

/// The entry point of a ROM's driver that a network boot has left at the top of base memory.
fn left_over<B: Bus>(bus: &B) -> Option<Far> {
    /// The BIOS's word with the KB of base memory: what a network boot leaves lies above.
    const BASE: Addr = Addr(0x413);
    /// It cannot be below 256 KB.
    const LEAST: u16 = 0x100;
    let mut at = Addr((bus.get16(BASE).max(LEAST) as u32) << 10);
    while at.0 < 0xA_0000 {
        let found = entry(bus, at);
        if found.is_some() {
            return found;
        }
        at = at.plus(16);
    }
    None
}

/// Bytes of the stack for the one call of `find`.
const SMALL: usize = 3072;

/// Whether such a driver is there, and is of this PCI function.
#[inline(never)]
fn is_left_over<B: Bus>(bus: &B, place: u16) -> bool {
    static mut SPACE: [u8; SMALL] = [0; SMALL];
    let Some(entry) = left_over(bus) else { return false };
    let Far(stack) = bus.far_of(&raw const SPACE as *const u8);
    let mut rom = Rom::new(entry, Far(stack + SMALL as u32));
    /// In the answer: on PCI.
    const PCI: u8 = 2;
    let told = bus.rom_call(&mut rom, GET_NIC_TYPE) == 0;
    let bytes = |word: usize| rom.block[word].to_le_bytes();
    told && bytes(1)[0] == PCI && u16::from_le_bytes([bytes(5)[1], bytes(6)[0]]) == place
}

/// The offset of the BIOS's PnP header in segment F000h; 0: there is none.
fn pnp<B: Bus>(bus: &B) -> u16 {
    const PNP: u32 = u32::from_le_bytes(*b"$PnP");
    let mut offset = 0u16;
    for _ in 0..0x1000u16 {
        if bus.get32(Image::at(BIOS, offset)) == PNP {
            return offset;
        }
        offset = offset.wrapping_add(0x10);
    }
    0
}

/// The segment of the BIOS, where its PnP header is.
const BIOS: u16 = 0xF000;

/// The entry point that a `!PXE` structure tells. None: it is none.
fn entry<B: Bus>(bus: &B, at: Addr) -> Option<Far> {
    const PXE: u32 = u32::from_le_bytes(*b"!PXE");
    const ENTRY: u16 = 0x10;
    if bus.get32(at) != PXE {
        return None;
    }
    let bytes = bus.get8(at.plus(4)) as u16;
    let mut sum = 0u8;
    for byte in 0..bytes {
        sum = sum.wrapping_add(bus.get8(at.plus(byte)));
    }
    let entry = bus.get32(at.plus(ENTRY));
    (bytes >= 0x14 && sum == 0 && entry != 0).then_some(Far(entry))
}

/// INITIALIZE: opens the link, which takes some ROMs several attempts.
fn begin<B: Bus>(card: &mut Undi<B>, told: bool) -> bool {
    for _ in 0..ATTEMPTS {
        tell(card, told, "INITIALIZE");
        card.rom.block = [0; BLOCK];
        if card.call(INITIALIZE) {
            return true;
        }
        // One that was left over may refuse because it is done.
        if card.is_adopted() {
            break;
        }
        for _ in 0..PAUSES {
            let _ = card.bus().wait(PAUSE, || false);
        }
    }
    false
}

/// The address in use; all zeros: the ROM does not tell one.
fn mac<B: Bus>(card: &mut Undi<B>) -> MacAddr {
    card.rom.block = [0; BLOCK];
    let told = card.call(GET_INFORMATION);
    let block = &card.rom.block;
    if !told || block[5] != 6 {
        return [0; 6];
    }
    let ([a, b], [c, d], [e, f]) = (block[6].to_le_bytes(), block[7].to_le_bytes(), block[8].to_le_bytes());
    [a, b, c, d, e, f]
}
