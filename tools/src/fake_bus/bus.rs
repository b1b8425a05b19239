//! The [`compkt::bus::Bus`] of the machine.

use compkt::bus::{Addr, Bus, Far};
use compkt::device::Job;
use compkt::drivers::undi::Rom;

use super::{ACCESS_NS, FakeBus, OWN, OWN_SEGMENTS, Place};

impl FakeBus {
    fn port_read(&self, port: u16, width: u8) -> u32 {
        let value = self.0.borrow_mut().read(port, width);
        self.accessed();
        value
    }

    fn port_write(&self, port: u16, width: u8, value: u32) {
        self.0.borrow_mut().write(port, width, value);
        self.accessed();
    }

    fn memory_read(&self, at: Addr, width: u8) -> u32 {
        let value = self.memory_value(at, width);
        self.accessed();
        value
    }

    fn memory_value(&self, at: Addr, width: u8) -> u32 {
        let mut machine = self.0.borrow_mut();
        if let Some((slot, offset)) = machine.find(Place::Memory(at.0, 0)) {
            machine.pass(ACCESS_NS);
            return machine.act(slot, |model, env| model.read(env, offset, width));
        }
        let mut value = [0; 4];
        machine.load(at, &mut value[..width as usize]);
        u32::from_le_bytes(value)
    }

    fn memory_write(&self, at: Addr, width: u8, value: u32) {
        {
            let mut machine = self.0.borrow_mut();
            if let Some((slot, offset)) = machine.find(Place::Memory(at.0, 0)) {
                machine.pass(ACCESS_NS);
                machine.act(slot, |model, env| model.write(env, offset, width, value));
            } else {
                machine.store(at, &value.to_le_bytes()[..width as usize]);
            }
        }
        self.accessed();
    }

    fn string_in(&self, port: u16, to: &mut [u8], width: u8) {
        for value in to.chunks_mut(width as usize) {
            let read = self.0.borrow_mut().read(port, width).to_le_bytes();
            value.copy_from_slice(&read[..value.len()]);
        }
        self.accessed();
    }

    fn string_out(&self, port: u16, from: &[u8], width: u8) {
        for value in from.chunks(width as usize) {
            let mut bytes = [0; 4];
            bytes[..value.len()].copy_from_slice(value);
            self.0.borrow_mut().write(port, width, u32::from_le_bytes(bytes));
        }
        self.accessed();
    }

    /// The job's frame, and at most three bytes behind it.
    fn frame(&self, job: &Job, behind: usize) -> Vec<u8> {
        let mut bytes = vec![0; job.len as usize + behind];
        self.0.borrow().fetch(job.at, &mut bytes);
        bytes
    }
}

impl Bus for FakeBus {
    fn in8(&self, port: u16) -> u8 {
        self.port_read(port, 1) as u8
    }
    fn in16(&self, port: u16) -> u16 {
        self.port_read(port, 2) as u16
    }
    fn in32(&self, port: u16) -> u32 {
        self.port_read(port, 4)
    }
    fn out8(&self, port: u16, value: u8) {
        self.port_write(port, 1, value as u32)
    }
    fn out16(&self, port: u16, value: u16) {
        self.port_write(port, 2, value as u32)
    }
    fn out32(&self, port: u16, value: u32) {
        self.port_write(port, 4, value)
    }
    fn ins(&self, port: u16, job: &Job) {
        let mut bytes = vec![0; job.len as usize];
        let (whole, odd) = bytes.split_at_mut(job.len as usize & !1);
        self.string_in(port, whole, 2);
        self.string_in(port, odd, 1);
        self.0.borrow_mut().deliver(job.at, &bytes);
    }
    fn ins8(&self, port: u16, job: &Job) {
        let mut bytes = vec![0; job.len as usize];
        self.string_in(port, &mut bytes, 1);
        self.0.borrow_mut().deliver(job.at, &bytes);
    }
    fn ins_fifo(&self, port: u16, job: &Job) {
        let begun = job.head.len().min(job.len as usize);
        let mut bytes = vec![0; job.len as usize];
        let (head, rest) = bytes.split_at_mut(begun);
        head.copy_from_slice(&job.head[..begun]);
        let (whole, odd) = rest.split_at_mut(rest.len() & !3);
        self.string_in(port, whole, 4);
        self.string_in(port, odd, 1);
        self.0.borrow_mut().deliver(job.at, &bytes);
    }
    fn outs(&self, port: u16, job: &Job) {
        self.string_out(port, &self.frame(job, 0), 2);
    }
    fn outs8(&self, port: u16, job: &Job) {
        self.string_out(port, &self.frame(job, 0), 1);
    }
    fn outs_fifo(&self, port: u16, job: &Job) {
        self.string_out(port, &self.frame(job, job.len.wrapping_neg() as usize & 3), 4);
    }
    fn ins32_own(&self, port: u16, to: &mut [u8]) {
        self.string_in(port, to, 4);
    }
    fn ins_own(&self, port: u16, to: &mut [u8]) {
        self.string_in(port, to, 2);
    }
    fn ins8_own(&self, port: u16, to: &mut [u8]) {
        self.string_in(port, to, 1);
    }

    fn get8(&self, at: Addr) -> u8 {
        self.memory_read(at, 1) as u8
    }
    fn put8(&self, at: Addr, value: u8) {
        self.memory_write(at, 1, value as u32)
    }
    fn get16(&self, at: Addr) -> u16 {
        self.memory_read(at, 2) as u16
    }
    fn get32(&self, at: Addr) -> u32 {
        self.memory_read(at, 4)
    }
    fn put16(&self, at: Addr, value: u16) {
        self.memory_write(at, 2, value as u32)
    }
    fn put32(&self, at: Addr, value: u32) {
        self.memory_write(at, 4, value)
    }
    fn swap16(&self, at: Addr, value: u16) -> u16 {
        let old = self.get16(at);
        self.put16(at, value);
        old
    }
    fn take(&self, from: Addr, to: Far, len: u16) {
        let mut bytes = vec![0; len as usize];
        self.0.borrow().load(from, &mut bytes);
        self.0.borrow_mut().deliver(to, &bytes);
        self.accessed();
    }
    fn give_frame(&self, to: Addr, job: &Job) {
        let mut bytes = vec![0; job.len as usize];
        self.0.borrow().fetch(job.at, &mut bytes);
        self.0.borrow_mut().store(to, &bytes);
        self.accessed();
    }
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        self.give_frame(to, &Job { at: self.far_of(from), len, ..Job::default() });
    }

    fn config_read(&self, place: u16, register: u8) -> u32 {
        self.out32(0xCF8, 1 << 31 | (place as u32) << 8 | register as u32);
        self.in32(0xCFC)
    }
    fn config_write(&self, place: u16, register: u8, value: u32) {
        self.out32(0xCF8, 1 << 31 | (place as u32) << 8 | register as u32);
        self.out32(0xCFC, value)
    }

    fn far_of(&self, bytes: *const u8) -> Far {
        let mut machine = self.0.borrow_mut();
        let segment = machine.next_own;
        machine.next_own = segment.checked_add(1).unwrap_or(OWN);
        if machine.own.len() == OWN_SEGMENTS {
            machine.own.pop_front();
        }
        machine.own.push_back((segment, bytes.cast_mut()));
        Far::new(segment, 0)
    }

    fn rom_call(&self, rom: &mut Rom, opcode: u16) -> u16 {
        let call = self.0.borrow_mut().rom.take();
        let Some(mut call) = call else { return 1 };
        let answer = call(self, rom, opcode);
        self.0.borrow_mut().rom = Some(call);
        answer
    }

    fn clock(&self) -> u16 {
        let mut machine = self.0.borrow_mut();
        // A latch command and two reads.
        machine.pass(3 * ACCESS_NS);
        // Mode 3: counts down by two at 1.193 MHz.
        !((machine.now_ns * 1193 / 1_000_000) as u16).wrapping_mul(2)
    }
}
