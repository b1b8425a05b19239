//! How the registers of Intel's gigabit controllers are reached: in memory, by two ports, or by either of them.

use crate::bus::{Addr, Bus};

/// How registers are reached.
pub trait Window {
    /// Real mode: the card has the same addresses for memory as the driver, and an access is so few instructions that a call for
    /// it takes more. So what each frame needs is then not called for.
    const REAL: bool = false;
    /// Reads a register.
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32;
    /// Reads a register again and again.
    #[inline(always)]
    fn get_at<B: Bus, const REGISTER: u16>(bus: &B, place: u32) -> u32 {
        Self::get(bus, place, REGISTER)
    }
    /// Writes a register.
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32);
}

/// Registers in memory.
pub struct Memory;

impl Window for Memory {
    const REAL: bool = true;
    #[inline(always)]
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        bus.get32(Addr(place).plus(register))
    }
    #[inline(always)]
    fn get_at<B: Bus, const REGISTER: u16>(bus: &B, place: u32) -> u32 {
        bus.get32_at::<REGISTER>(Addr(place))
    }
    #[inline(always)]
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        bus.put32(Addr(place).plus(register), value);
    }
}

/// Registers by two ports: one for the register's number, one for its contents.
pub struct Ports;

impl Window for Ports {
    #[inline(always)]
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        bus.out32(place as u16, register as u32);
        bus.in32(place as u16 + 4)
    }
    #[inline(always)]
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        bus.out32(place as u16, register as u32);
        bus.out32(place as u16 + 4, value);
    }
}

/// Either of these: an address below 64 KB is a port, since no card has its memory there.
pub struct Both;

impl Window for Both {
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        if place >> 16 == 0 { Ports::get(bus, place, register) } else { Memory::get(bus, place, register) }
    }
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        if place >> 16 == 0 { Ports::put(bus, place, register, value) } else { Memory::put(bus, place, register, value) }
    }
}
