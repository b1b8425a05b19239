//! The installation, step by step. Until the last one, nothing of the machine is changed for good.

use super::dos::{self, far, peek, poke, set_vector};
use super::hardware::{self, NO_RINGS, Probe, is_packet_driver};
use super::header::{BUS_PCI, KIND_DRIVER, caller, header};
use super::load::{Units, fill};
use super::print::{Dec, Hex, Mac, Print};
use super::switches::{self, Options, SWITCHES};
use super::unload::unload;
use crate::bus::real::{Machine, copy_far, address, own};
use crate::bus::{Addr, Bus};
use crate::device::{Link, RcvMode};
use crate::info::{self, Block, FLAG_DEVICE, FLAG_UPPER, FLAG_V86, Info, NOT_PCI, NicInfo};
use crate::line;
use crate::probe::Fault;
use crate::resident::table::{BLOCKS, CORE_TABLE, CoreTable, State};

/// The driver's version, major in the high byte.
pub const VERSION: u16 = 0x0001;

/// Stack below the receivers' share: the core's own depth at an upcall.
const STACK_CORE: u16 = 256;
/// Stack below that: a call from inside an upcall.
const STACK_SECOND: u16 = 192;

/// What is kept of the PSP: DOS needs its first 60h bytes until the program has ended.
const PSP_PARAS: u16 = 6;
/// Where an EXE's image begins behind its PSP.
const PSP_SIZE: u16 = 0x10;

const PIC1_MASK: u16 = 0x21;
const PIC2_MASK: u16 = 0xA1;

/// Largest device; larger ones do not exist.
const INSTANCE: usize = 512;

/// Runs the installation; returns only to DOS's INIT request.
pub fn install() {
    let mut tail = [0u8; 128];
    let length = read_tail(&mut tail);
    let code = match switches::options(tail.get(..length).unwrap_or(&[])) {
        Err(refused) => {
            line!(refused.word, ": ", refused.why);
            1
        }
        Ok(options) if options.help => help(),
        Ok(options) if options.unload => unload(options.vector),
        Ok(options) => match stand(&options) {
            Some(paragraphs) => return done(paragraphs),
            None => 1,
        },
    };
    refuse(code);
}

fn from_device() -> bool {
    caller().psp == 0
}

fn request() -> Addr {
    address(caller().request_segment, caller().request_offset)
}

/// Copies the words behind our name; their length.
#[inline(never)]
fn read_tail(tail: &mut [u8; 128]) -> usize {
    let room = tail.len() as u16 - 1;
    if from_device() {
        copy_far(far(peek::<u32>(request().plus(0x12))), own(tail.as_mut_ptr()), room);
        let end = tail.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(tail.len());
        let name = tail.iter().take(end).position(|byte| *byte <= b' ').unwrap_or(end);
        tail.iter_mut().take(name).for_each(|byte| *byte = b' ');
        end
    } else {
        let at = address(caller().psp, 0x80);
        copy_far(at.plus(1), own(tail.as_mut_ptr()), room);
        peek::<u8>(at) as usize
    }
}

#[inline(never)]
fn help() -> u8 {
    "3COMPKT [0x60 [irq] [io]] [switches]\r\n".print();
    for switch in SWITCHES {
        "  /".print();
        switch.name.print();
        if !switch.value.is_empty() {
            "=".print();
            switch.value.print();
        }
        for _ in switch.name.len() + switch.value.len()..14 {
            " ".print();
        }
        switch.help.print();
        "\r\n".print();
    }
    0
}

/// Where our own file's name stands.
#[inline(never)]
fn own_file() -> (u16, u16) {
    if from_device() {
        let at = peek::<u32>(request().plus(0x12));
        // The name ends where the switches begin; DOS wants a zero there, and the line is read already.
        let mut end = far(at);
        while peek::<u8>(end) > b' ' {
            end = end.plus(1);
        }
        poke(end, &0u8);
        return ((at >> 16) as u16, at as u16);
    }
    let environment = peek::<u16>(address(caller().psp, 0x2C));
    let mut at = 0;
    while at < 0x7FF0 && peek::<u16>(address(environment, at)) != 0 {
        at += 1;
    }
    (environment, at + 4)
}

/// Blocks behind the core, in the order in which they are placed.
struct Ground {
    segment: u16,
    next: u16,
    limit: u16,
    blocks: [Block; BLOCKS],
    count: u8,
}

impl Ground {
    /// Takes `size` bytes on a four-byte boundary.
    fn take(&mut self, kind: u8, size: u16) -> Option<u16> {
        let at = self.next;
        let size = size.checked_add(3)? & !3;
        let next = at.checked_add(size)?;
        if next > self.limit {
            line!("too little memory: ", Dec(next as u32), " bytes are needed, ", Dec(self.limit as u32), " are there");
            return None;
        }
        self.next = next;
        if let Some(block) = self.blocks.get_mut(self.count as usize) {
            *block = Block { kind, place: 0, size };
            self.count += 1;
        }
        Some(at)
    }
}

/// Does everything; the resident paragraphs, or None when a line has said why not.
#[inline(never)]
fn stand(options: &Options) -> Option<u16> {
    if dos::version() < 0x031E {
        line!("DOS 3.3 or later is needed");
        return None;
    }
    if from_device() {
        let end = peek::<u32>(request().plus(0x0E));
        let need = caller().load_segment as u32 + header().paragraph as u32;
        let there = (end >> 16) + ((end & 0xFFFF) >> 4);
        // Before version 5 DOS left this field as it was.
        if dos::version() >= 0x0500 && there < need {
            line!("too little memory here; load it low with DEVICE= or give it more upper memory");
            return None;
        }
    }
    if is_packet_driver(options.vector) {
        line!("INT ", Hex(options.vector as u32), "h has a packet driver already; choose another with /INT=");
        return None;
    }
    let (segment, offset) = own_file();
    let Some(units) = Units::open(segment, offset) else {
        line!("cannot read its own file again; give its full path");
        return None;
    };
    let probe = hardware::find(&units, options)?;
    build(options, &units, &probe)
}

fn broken() -> Option<u16> {
    line!("the file is damaged; copy it again");
    None
}

/// Places the units, starts the card, hooks the vectors.
#[inline(never)]
fn build(options: &Options, units: &Units, probe: &Probe) -> Option<u16> {
    let image = caller().load_segment;
    let table: CoreTable = {
        let mut table = CoreTable { strategy: 0, interrupt: 0, int60: 0, irq: 0, state: 0, info: 0, end: 0, patches: [0; 5] };
        dos::peek_into(address(image, CORE_TABLE), &mut table);
        table
    };
    let segment = if from_device() { image } else { image - PSP_SIZE + PSP_PARAS };
    let limit = (image - segment + header().paragraph) << 4;
    let mut ground = Ground { segment, next: 0, limit, blocks: [Block { kind: 0, place: 0, size: 0 }; BLOCKS], count: 0 };
    ground.take(info::BLOCK_CORE, table.end)?;
    copy_far(address(image, 0), address(segment, 0), header().core_bytes);
    fill(address(segment, header().core_bytes), 0, table.end - header().core_bytes);

    let Some(driver_unit) = units.named(KIND_DRIVER, &probe.unit.name) else { return broken() };
    let driver = ground.take(info::BLOCK_NIC, driver_unit.total)?;
    if units.load(&driver_unit, segment, driver).is_none() {
        return broken();
    }
    let size = probe.header().instance;
    if size as usize > INSTANCE || peek::<u16>(address(segment, driver + 2)) != size {
        return broken();
    }
    let device = ground.take(info::BLOCK_INSTANCE, size)?;
    let handles = ground.take(info::BLOCK_HANDLES, options.handles as u16 * 16)?;
    fill(address(segment, handles), 0, options.handles as u16 * 16);
    // The last block: its top is the end of everything, on a paragraph.
    let stack = ground.next;
    let size_of_stack = STACK_CORE + options.stack + STACK_SECOND + (stack.wrapping_neg() & 15);
    ground.take(info::BLOCK_STACK, size_of_stack)?;
    let top = ground.next;
    fill(address(segment, stack), info::STACK_CANARY, top - stack);

    let mut instance = [0u32; INSTANCE / 4];
    let instance = instance.as_mut_ptr() as *mut u8;
    if let Some(fault) = Fault::from((probe.header().start)(&probe.found, &NO_RINGS, instance)) {
        hardware::explain(&probe.unit, fault);
        return None;
    }
    copy_far(own(instance), address(segment, device), size);

    let found = &probe.found;
    let state = State {
        driver: driver as u32,
        device: device as u32,
        handles: handles as u32,
        handle_bytes: options.handles as u16 * 16,
        irq: found.irq,
        irq_lone: (found.irq != 0 && line_masked(found.irq)) as u8,
        polled: (found.irq == 0) as u8,
        unused: 0,
        memory: if from_device() { 0 } else { caller().psp },
        stack_top: top,
        stack_second: stack + STACK_SECOND,
        old_int60: dos::vector(options.vector),
    };
    poke(address(segment, table.state), &state);
    describe(options, probe, &ground, &table, &state, stack);
    hook(options.vector, segment, &table, &state);
    (probe.header().unmask)(instance);
    banner(options, probe, top);
    Some(top >> 4)
}

/// Writes the information block.
#[inline(never)]
fn describe(options: &Options, probe: &Probe, ground: &Ground, table: &CoreTable, state: &State, stack: u16) {
    let found = &probe.found;
    let size = size_of::<Info>() as u16;
    let nics = table.info + size;
    let blocks = nics + size_of::<NicInfo>() as u16;
    let flags = if from_device() { FLAG_DEVICE } else { 0 }
        | if ground.segment >= 0xA000 { FLAG_UPPER } else { 0 }
        | if in_v86() { FLAG_V86 } else { 0 };
    let head = Info {
        signature: info::SIGNATURE,
        layout: info::LAYOUT,
        size: size as u8,
        version: VERSION,
        vector: options.vector,
        amis: 0,
        flags,
        segment: ground.segment,
        paragraphs: ground.next >> 4,
        handles: state.handles as u16,
        handle_count: options.handles,
        handle_size: 16,
        nics,
        nic_count: 1,
        nic_size: size_of::<NicInfo>() as u8,
        blocks,
        block_count: ground.count,
        block_size: size_of::<Block>() as u8,
        stack_low: stack,
        stack_top: state.stack_top,
    };
    let nic = NicInfo {
        name: probe.unit.name,
        rom: found.mac,
        mac: found.mac,
        io: found.io,
        irq: found.irq,
        link: Link::Unknown as u8,
        pci: if probe.unit.bus == BUS_PCI { found.pci } else { NOT_PCI },
        rcv_mode: RcvMode::Broadcast as u8,
        vector: options.vector,
    };
    poke(address(ground.segment, table.info), &head);
    poke(address(ground.segment, nics), &nic);
    poke(address(ground.segment, blocks), &ground.blocks);
}

fn in_v86() -> bool {
    let word: u16;
    // SAFETY: reads the machine status word; PE set under DOS means V86 mode.
    unsafe { core::arch::asm!("smsw {0:x}", out(reg) word, options(nomem, nostack)) };
    word & 1 != 0
}

fn line_masked(line: u8) -> bool {
    let mask = u16::from_le_bytes([Machine.in8(PIC1_MASK), Machine.in8(PIC2_MASK)]);
    mask & 1 << line != 0
}

fn unmask_line(line: u8) {
    if line >= 8 {
        Machine.out8(PIC2_MASK, Machine.in8(PIC2_MASK) & !(1 << (line - 8)));
        // The second PIC hangs on line 2 of the first.
        Machine.out8(PIC1_MASK, Machine.in8(PIC1_MASK) & !(1 << 2));
    } else {
        Machine.out8(PIC1_MASK, Machine.in8(PIC1_MASK) & !(1 << line));
    }
}

#[inline(never)]
fn hook(vector: u8, segment: u16, table: &CoreTable, state: &State) {
    set_vector(vector, segment, table.int60);
    if state.irq != 0 {
        let number = if state.irq < 8 { state.irq + 8 } else { state.irq - 8 + 0x70 };
        // The old handler's place in the IISP header.
        poke(address(segment, table.irq + 2), &dos::vector(number));
        set_vector(number, segment, table.irq);
        unmask_line(state.irq);
    }
}

#[inline(never)]
fn banner(options: &Options, probe: &Probe, bytes: u16) {
    let found = &probe.found;
    "3COMPKT: ".print();
    probe.unit.name.print();
    " at port ".print();
    Hex(found.io as u32).print();
    if found.irq == 0 {
        "h, no IRQ (polled), ".print();
    } else {
        "h, IRQ ".print();
        Dec(found.irq as u32).print();
        ", ".print();
    }
    Mac(found.mac).print();
    ", INT ".print();
    Hex(options.vector as u32).print();
    "h, ".print();
    Dec(bytes as u32).print();
    " bytes resident\r\n".print();
}

/// Leaves the driver standing.
#[inline(never)]
fn done(paragraphs: u16) {
    if from_device() {
        let segment = caller().load_segment;
        // From now on the device's own routines answer.
        let routines: [u16; 2] = peek(address(segment, CORE_TABLE));
        poke(address(segment, 6), &routines);
        answer(0x0100, segment + paragraphs);
        return;
    }
    let psp = caller().psp;
    let environment = address(psp, 0x2C);
    dos::free(peek::<u16>(environment));
    poke(environment, &0u16);
    dos::stay(PSP_PARAS + paragraphs);
}

/// Leaves nothing.
#[inline(never)]
fn refuse(code: u8) {
    if !from_device() {
        dos::exit(code);
    }
    // Error without done, and an end at the header: every DOS takes at least one of them for a refusal.
    answer(0x8003, caller().load_segment);
}

fn answer(status: u16, end: u16) {
    poke(request().plus(3), &status);
    poke(request().plus(0x0E), &((end as u32) << 16));
}

