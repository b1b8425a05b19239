//! The control interrupt of a resident 3COMPKT (`/CTL`): see `src/control.rs`.

use super::packet::{Block, Driver};
use super::{Far, Regs, int};
use crate::control::{
    APPLY, CACHE, Class, DELAY, DONE, Entry, FIXED, GET, HANDLES, INTERRUPT, LOG, LOG_ENTRIES, MULTICAST, PARAMETERS, PRODUCT, Parameter, ROLLBACK,
    SET, UNKNOWN, XMS,
};
use crate::device::MacAddr;
use crate::programs::settings::set::{self, State};
use crate::programs::settings::{MOST, Value, has_bytes};

/// AMIS: installation check, uninstall.
const CHECK: u8 = 0;
const UNINSTALL: u8 = 2;

/// A driver's control interrupt.
pub struct Control {
    /// The multiplex number.
    number: u8,
    rom: MacAddr,
    /// What the information block tells of the parameters that are fixed.
    handles: u8,
    xms: Option<u16>,
    cache: Option<u16>,
}

impl Control {
    /// That of a driver; `None` if it was loaded without `/CTL`.
    pub fn of(driver: &Driver, block: &Block) -> Option<Control> {
        let number = block.info.amis;
        if number == 0 {
            return None;
        }
        let nic = (0..block.info.nic_count).filter_map(|index| block.nic(index)).find(|nic| nic.vector == driver.vector)?;
        let xms = block.buffers(1);
        let cache = block.buffers(0).filter(|_| xms.is_some());
        let control = Control { number, rom: nic.rom, handles: block.info.handle_count, xms, cache };
        // Another program may have this number after a driver that was unloaded below it.
        let regs = control.call(CHECK, 0, 0, 0);
        let mut product = [0; PRODUCT.len()];
        if regs.eax as u8 == DONE {
            Far::new(regs.edx as u16, regs.edi as u16).read(&mut product);
        }
        (product == PRODUCT).then_some(control)
    }

    /// Function `al` with BX, CX, and the near address `near` in ES:DI.
    fn call(&self, al: u8, bx: u16, cx: u16, near: u16) -> Regs {
        self.call_by(Regs::ax((self.number as u16) << 8 | al as u16), bx, cx, near)
    }

    fn call_by(&self, mut regs: Regs, bx: u16, cx: u16, near: u16) -> Regs {
        regs.ebx = bx as u32;
        regs.ecx = cx as u32;
        regs.edi = near as u32;
        int(INTERRUPT, &mut regs);
        regs
    }

    fn done(regs: Regs) -> Result<Regs, u8> {
        if regs.eax as u8 == DONE { Ok(regs) } else { Err(regs.eax as u8) }
    }

    /// APPLY.
    ///
    /// # Errors
    /// The driver's result.
    pub fn apply(&self) -> Result<(), u8> {
        Control::done(self.call(APPLY, 0, 0, 0)).map(|_| ())
    }

    /// ROLLBACK.
    ///
    /// # Errors
    /// The driver's result.
    pub fn rollback(&self) -> Result<(), u8> {
        Control::done(self.call(ROLLBACK, 0, 0, 0)).map(|_| ())
    }

    /// AMIS's uninstall; returns its result.
    pub fn uninstall(&self) -> u8 {
        let mut regs = Regs::ax((self.number as u16) << 8 | UNINSTALL as u16);
        int(INTERRUPT, &mut regs);
        regs.eax as u8
    }

    /// The number of entries that the log ever had, modulo 65,536, and entry `number` of those.
    ///
    /// # Errors
    /// The driver's result.
    pub fn log(&self, number: u16) -> Result<(u16, Entry), u8> {
        super::uninterrupted(|| {
            // Interrupts stay off behind the call, too: the entry must be one of those that were counted.
            let quiet = Regs { flags: 0, ..Regs::ax((self.number as u16) << 8 | LOG as u16) };
            let regs = Control::done(self.call_by(quiet, 0, 0, 0))?;
            let place = number % LOG_ENTRIES as u16 * size_of::<Entry>() as u16;
            // SAFETY: Entry is made of integers.
            let entry = unsafe { Far::new(regs.es, (regs.edi as u16).wrapping_add(place)).read_as() };
            Ok((regs.edx as u16, entry))
        })
    }

    /// The value in force of the parameter with this number, if the driver tells one.
    pub fn number(&mut self, number: u8) -> Option<u16> {
        let parameter = PARAMETERS.iter().find(|parameter| parameter.number == number)?;
        set::Control::get(self, parameter).ok().map(|state| state.value.number)
    }
}

impl set::Control for Control {
    fn get(&mut self, parameter: &Parameter) -> Result<State, u8> {
        let same = |class, value| Ok(State { class, value, wanted: value });
        let regs = match Control::done(self.call(GET, parameter.number as u16, 0, 0)) {
            Ok(regs) => regs,
            // In V86 mode the amount of XMS is fixed.
            Err(FIXED) | Err(UNKNOWN) if parameter.class == Class::Fixed || parameter.number == XMS => {
                let value = match parameter.number {
                    HANDLES => Some(self.handles as u16),
                    XMS => self.xms,
                    CACHE => self.cache,
                    // No driver has its card wait before an interrupt.
                    DELAY => Some(0),
                    _ => None,
                };
                return same(Class::Fixed, Value::number(value.ok_or(FIXED)?));
            }
            Err(code) => return Err(code),
        };
        let number = regs.ecx as u16;
        if has_bytes(parameter) {
            let at = Far::new(regs.es, regs.edi as u16);
            // In front of the multicast list lies the number of its addresses.
            let (at, len) = if parameter.number == MULTICAST { (Far(at.0 + 2), number as usize * 6) } else { (at, 6) };
            let mut bytes = [0; MOST];
            let bytes = bytes.get_mut(..len).ok_or(UNKNOWN)?;
            at.read(bytes);
            return same(parameter.class, Value::of(bytes).ok_or(UNKNOWN)?);
        }
        match parameter.class {
            Class::Pending => Ok(State { class: Class::Pending, value: Value::number(regs.edx as u16), wanted: Value::number(number) }),
            class => same(class, Value::number(number)),
        }
    }

    fn set(&mut self, parameter: &Parameter, value: &Value) -> Result<(), u8> {
        let bytes = value.bytes();
        let regs = if has_bytes(parameter) {
            self.call(SET, parameter.number as u16, bytes.len() as u16, Far::of(bytes).offset())
        } else {
            self.call(SET, parameter.number as u16, value.number, 0)
        };
        Control::done(regs).map(|_| ())
    }

    fn rom(&self) -> [u8; 6] {
        self.rom
    }
}

