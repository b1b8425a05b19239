//! Random calls of the control interrupt, with checksums over all memory around the driver.

use crate::{Machine, memory};
use compkt::control;
use compkt::programs::rt::{DF, Far, IF, Regs, int, interrupted};
use compkt::say;

/// Calls between two checks of the memory.
const STRIDE: u32 = 1000;
/// What stays as it was in FLAGS.
const KEPT: u16 = DF | IF;

struct Wild {
    random: u32,
    results: [u32; 256],
}

impl Wild {
    /// xorshift (13, 17, 5).
    fn next(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random >> 3
    }

    /// The registers of a call. Uninstall is left out, which would end the test, and the numbers of others.
    fn registers(&mut self, number: u8) -> Regs {
        let al = match self.next() & 7 {
            0 => self.next() as u8,
            _ => control::GET + (self.next() & 7) as u8,
        };
        let al = if al == 2 { control::SET } else { al };
        let small = self.next() & 1 == 0;
        let mut word = |limit: u32| if small { (self.next() & 0xFF) % limit } else { self.next() & 0xFFFF };
        let (bx, cx) = (word(19), word(80));
        let segment = if self.next() & 3 == 0 { 0xFFFF } else { self.next() as u16 & 0x7FFF };
        Regs {
            eax: self.next() << 16 | (number as u32) << 8 | al as u32,
            ebx: self.next() << 16 | bx,
            ecx: self.next() << 16 | cx,
            edx: self.next(),
            esi: self.next(),
            edi: self.next() << 16 | if self.next() & 7 == 0 { 0xFFF8 | self.next() & 7 } else { self.next() & 0xFFFF },
            ebp: self.next(),
            ds: self.next() as u16,
            es: segment,
            fs: self.next() as u16,
            gs: self.next() as u16,
            flags: self.next() as u16 & (KEPT | 0xD5),
            ..Regs::default()
        }
    }

    /// Makes a call; false: a register has changed that is kept.
    fn one(&mut self, number: u8) -> bool {
        let mut regs = self.registers(number);
        let before = regs;
        int(control::INTERRUPT, &mut regs);
        if let Some(count) = self.results.get_mut(regs.eax as u8 as usize) {
            *count += 1;
        }
        // CONTROL's own callbacks, which a random address may hit, write to its memory.
        if before.eax as u8 == control::REGISTER && regs.eax as u8 == control::DONE {
            let mut remove = Regs { eax: (number as u32) << 8 | control::REMOVE as u32, es: before.es, edi: before.edi, ..Regs::default() };
            int(control::INTERRUPT, &mut remove);
        }
        let same = (before.ebp, before.esi, before.fs, before.gs, before.ds) == (regs.ebp, regs.esi, regs.fs, regs.gs, regs.ds);
        let high = |a: u32, b: u32| (a ^ b) >> 16 == 0;
        let halves = high(before.ebx, regs.ebx) && high(before.ecx, regs.ecx) && high(before.edx, regs.edx) && high(before.edi, regs.edi);
        let good = same && halves && (before.flags ^ regs.flags) & KEPT == 0 && regs.esp >> 16 == 0;
        if !good {
            say!(c"FAIL EAX {L} EBX {L} ECX {L} ES:EDI {X}:{L}:\n", before.eax, before.ebx, before.ecx, before.es, before.edi);
            say!(c"     came back as EAX {L} EBX {L} ECX {L} EDX {L} ESI {L} ES:EDI {X}:{L} FLAGS {X}\n",
                regs.eax, regs.ebx, regs.ecx, regs.edx, regs.esi, regs.es, regs.edi, regs.flags);
        }
        good
    }
}

/// Makes the calls; the exit code.
pub fn run(machine: &Machine, calls: u32, seed: u32) -> u8 {
    let info = &machine.block.info;
    let mut wild = Wild { random: seed.wrapping_mul(2) | 1, results: [0; 256] };
    memory::keep(info.segment, info.paragraphs);
    let mut done = 0;
    while done < calls && !interrupted() {
        let good = wild.one(info.amis);
        done += 1;
        let changed = if done % STRIDE == 0 || done == calls { memory::changed() } else { None };
        if let Some(at) = changed {
            say!(c"FAIL memory near {X}:0000 changed\n", at);
        }
        if !good || changed.is_some() {
            say!(c"FAIL call {d} of seed {d}, or one before it\n", done - 1, seed);
            return 1;
        }
    }
    // What a program may see of the driver is as at the start.
    let mac = machine.block.nic(0).map_or([0; 6], |nic| nic.rom);
    let back = [
        machine.set(control::MODE, 3, Far(0)),
        machine.set(control::MULTICAST, 0, Far(0)),
        machine.set(control::ADDRESS, 6, Far::of(&mac)),
        machine.set(control::BURST, 8, Far(0)),
        machine.set(control::LEVEL, 8, Far(0)),
    ];
    let poll = machine.set(control::POLL, 0, Far(0));
    let set = back.iter().all(|result| *result == control::DONE as u32) && (poll == control::DONE as u32 || poll == control::REFUSED as u32);
    if !set || !crate::receiver::answered(machine, false) {
        say!(c"FAIL after {d} calls of seed {d} the driver does not work\n", done, seed);
        return 1;
    }
    let of = |result: u8| wild.results.get(result as usize).copied().unwrap_or(0);
    say!(c"{d} calls, {d} done, {d} out of range, {d} unknown, seed {d}: nothing else changed\n",
        done, of(control::DONE), of(control::RANGE), of(control::UNKNOWN), seed);
    0
}
