//! What the engine's hooks do: they note what the outside sees, and answer in its place.

use std::collections::{HashMap, HashSet};
use std::ffi::c_void;

use crate::compare::Comparison;
use crate::layout::*;
use crate::routines::{A, B, D, Z, routine};
use crate::state::{Input, State, mix, outside};
use crate::unicorn::{Engine, Handle, READ_UNMAPPED, READ_WRITE, WRITE_UNMAPPED, reg};
use crate::unit::Form;

/// The machine's numbers of registers.
pub const AX: usize = 0;
/// See [`AX`].
pub const CX: usize = 1;
/// See [`AX`].
pub const DX: usize = 2;
/// See [`AX`].
pub const BX: usize = 3;
/// See [`AX`].
pub const SP: usize = 4;

/// Blocks that a run may take, and events.
pub const LIMIT: u32 = 400_000;

/// Bytes of arguments on the stack.
pub const ARGUMENTS: usize = 32;

/// Comparisons and answers of a run that are kept.
const TRACED: usize = 2_000;

/// What the outside sees, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Port, bytes, value.
    In(u32, u8, u32),
    /// The same.
    Out(u32, u8, u32),
    /// Outside of the segment: linear address, bytes, value.
    Load(u32, u8, u32),
    /// Anywhere but on the stack: linear address, bytes, value.
    Store(u32, u8, u32),
    /// A routine outside: its number, and what it looks at of AX, BX and DX, and of ZF.
    Call(u32, u32, u32, u32, bool),
    /// A field of what its argument points to.
    Field(u32),
    /// The end: what the caller looks at.
    End(Vec<u32>),
}

/// What hooks work on.
pub struct Log {
    pub form: Form,
    /// Name, and whether it is called from an `asm!`.
    pub stubs: Vec<(String, bool)>,
    pub state: State,
    pub keep: bool,
    pub hash: u64,
    pub count: u32,
    /// The hash before the last event.
    pub before: u64,
    /// The last access that failed, linear.
    pub fault: Option<u32>,
    pub answers: u32,
    pub events: Vec<Event>,
    pub blocks: u32,
    pub too_long: bool,
    /// A jump or a pointer led where none does.
    pub astray: bool,
    /// So because a return address was overwritten.
    pub overwrote: bool,
    /// Where return addresses are on the stack.
    pub returns: Vec<u32>,
    /// Offsets where functions and stubs begin; a pointer has been called, and must lead to one.
    pub starts: HashSet<u32>,
    pub by_pointer: bool,
    /// Not 0: what lies below the stack changes all the time, with each number in another way.
    pub noise: u32,
    pub last: u32,
    /// Bytes of translated blocks that ran, by where they begin.
    pub seen: Vec<u16>,
    /// New edges of this run, and those of all runs by how often.
    pub edges: Vec<u8>,
    pub touched: Vec<u16>,
    /// How often this run took each edge.
    pub times: Vec<u32>,
    /// Places in the segment that the run read, in order, each once.
    pub reads: Vec<(u16, u8)>,
    pub read: Vec<bool>,
    pub dirty: Vec<u32>,
    /// Pages that were given when they were asked for.
    pub pages: Vec<u32>,
    pub top: u32,
    pub variable: (u32, u32),
    /// Bytes from the data on that the unit, or the tables of entries, begin with.
    pub fixed: Vec<bool>,
    /// Comparisons by their offset, and what they and the answers were, in a run that is traced.
    pub compares: HashMap<u32, Comparison>,
    pub traced: Option<(Vec<(u8, [u32; 2])>, Vec<(Input, u32)>)>,
    /// Where to stop: after so many events or blocks.
    pub until: (u32, u32),
}

impl Log {
    /// Adds an event.
    pub fn note(&mut self, event: Event) {
        if self.count >= self.until.0 {
            return;
        }
        let word = |hash: u64, value: u32| (hash ^ u64::from(value)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        let hash = match &event {
            Event::In(a, b, c) => word(word(word(self.hash, 1), *a), *c ^ u32::from(*b) << 28),
            Event::Out(a, b, c) => word(word(word(word(self.hash, 2), *a), *c), u32::from(*b)),
            Event::Load(a, b, c) => word(word(word(word(self.hash, 3), *a), *c), u32::from(*b)),
            Event::Store(a, b, c) => word(word(word(word(self.hash, 4), *a), *c), u32::from(*b)),
            Event::Call(a, b, c, d, e) => word(word(word(word(word(self.hash, 5 + u32::from(*e)), *a), *b), *c), *d),
            Event::Field(value) => word(word(self.hash, 8), *value),
            Event::End(values) => values.iter().fold(word(self.hash, 7), |hash, value| word(hash, *value)),
        };
        self.before = self.hash;
        self.hash = hash;
        self.count += 1;
        if self.keep && self.events.len() < 100_000 {
            self.events.push(event);
        }
    }

    fn answer(&mut self) -> (u32, bool) {
        self.answers += 1;
        let answer = self.state.answer(self.answers - 1);
        if let Some((_, inputs)) = &mut self.traced
            && inputs.len() < TRACED
        {
            inputs.push((Input::Answer(self.answers - 1), answer.0));
        }
        answer
    }

    /// A pointer to the stack, which lies elsewhere in another form, as one value: a near, a linear and a far address.
    pub fn shown(&self, value: u32) -> u32 {
        let stack = self.top - DEPTH..=self.top;
        let far = u32::from(SEGMENT) << 16;
        let base = [0, BASE, far].into_iter().find(|base| stack.contains(&value.wrapping_sub(*base)));
        base.map_or(value, |base| base + STACK)
    }

    /// Has what lies outside of the segment put back before the next run.
    fn changes(&mut self, at: u32, size: u32) {
        let outside = |at: &u32| !(BASE..BASE + 0x1_0000).contains(at);
        self.dirty.extend([at & !15, at.wrapping_add(size - 1) & !15].iter().filter(|at| outside(at)));
    }

    /// Notes return addresses as they are pushed. Where anything else is written over one, a copy has been given too
    /// many bytes, and what comes then depends on the stack.
    fn keep_returns(&mut self, engine: Engine, at: u32, size: u32, value: u32) {
        let covers = |place: &u32| *place < at + size && at < *place + 2;
        if let Some(number) = self.returns.iter().position(covers) {
            let place = self.returns.swap_remove(number);
            if place > BASE + (engine.get(reg::GENERAL[SP]) & 0xFFFF) {
                (self.astray, self.overwrote) = (true, true);
                engine.stop();
            }
        }
        if size >= 2 && (CODE..STUBS).contains(&value) {
            let mut code = [0; 4];
            engine.read(BASE + (engine.get(reg::EIP) & 0xFFFF), &mut code);
            let at_op = code.iter().position(|byte| ![0x66, 0x67].contains(byte)).unwrap_or(0);
            if code[at_op] == 0xE8 || code[at_op] == 0xFF && code.get(at_op + 1).is_some_and(|mode| mode >> 3 & 7 == 2) {
                self.returns.push(at);
                self.by_pointer = code[at_op] == 0xFF;
            }
        }
    }

    fn over(&mut self, engine: Engine) {
        if self.blocks + self.count / 4 > self.until.1 || self.count >= self.until.0 {
            self.too_long = true;
            engine.stop();
        }
    }
}

/// The log of a hook.
fn log<'a>(data: *mut c_void) -> &'a mut Log {
    // SAFETY: `Machine::new` gave it; only hooks use it while the engine runs, and they do not call each other.
    unsafe { &mut *data.cast::<Log>() }
}

pub unsafe extern "C" fn at_block(handle: Handle, address: u64, size: u32, data: *mut c_void) {
    let log = log(data);
    let at = (address as u32).wrapping_sub(BASE);
    log.blocks += 1;
    if std::mem::take(&mut log.by_pointer) && !log.starts.contains(&at) {
        log.astray = true;
        Engine::of(handle).stop();
        return;
    }
    if let Some(seen) = log.seen.get_mut(at as usize) {
        *seen = (*seen).max(size as u16);
    }
    let edge = (log.last.wrapping_mul(0x9E37_79B1) >> 7 ^ at.wrapping_mul(0x85EB_CA77) >> 11) & 0x3FFF;
    log.last = at;
    let times = &mut log.times[edge as usize];
    if *times == 0 {
        log.touched.push(edge as u16);
    }
    *times += 1;
    let engine = Engine::of(handle);
    if log.noise != 0 {
        // An interrupt might come, and leave something below the stack.
        let sp = engine.get(reg::GENERAL[SP]) & 0xFFFF;
        if (log.top - DEPTH + 256..=log.top).contains(&sp) {
            let noise: Vec<u8> = (0..32).flat_map(|part| mix(u64::from(log.noise) << 40 | u64::from(log.blocks) << 8 | part).to_le_bytes()).collect();
            engine.write(BASE + sp - 256, &noise);
        }
    }
    log.over(engine);
}

pub unsafe extern "C" fn at_compare(handle: Handle, address: u64, _: u32, data: *mut c_void) {
    let log = log(data);
    let Some((compared, _)) = log.traced.as_mut().filter(|(compared, _)| compared.len() < TRACED) else { return };
    if let Some(compare) = log.compares.get(&(address as u32 - BASE)) {
        let sides = compare.sides(Engine::of(handle));
        if compared.last() != Some(&sides) {
            compared.push(sides);
        }
    }
}

pub unsafe extern "C" fn at_in(handle: Handle, port: u32, size: i32, data: *mut c_void) -> u32 {
    let log = log(data);
    let value = log.answer().0 & mask(size);
    log.note(Event::In(port, size as u8, value));
    log.over(Engine::of(handle));
    value
}

pub unsafe extern "C" fn at_out(handle: Handle, port: u32, size: i32, value: u32, data: *mut c_void) {
    let log = log(data);
    log.note(Event::Out(port, size as u8, value & mask(size)));
    log.over(Engine::of(handle));
}

fn mask(size: i32) -> u32 {
    if size == 4 { u32::MAX } else { (1 << (8 * size)) - 1 }
}

pub unsafe extern "C" fn at_read(handle: Handle, _: i32, address: u64, size: i32, _: i64, data: *mut c_void) {
    let (log, at) = (log(data), address as u32);
    if (BASE + DATA..BASE + STACK).contains(&at) {
        let offset = (at - BASE) as u16;
        if !log.read[usize::from(offset)] {
            log.read[usize::from(offset)] = true;
            log.reads.push((offset, size as u8));
        }
        return;
    }
    let engine = Engine::of(handle);
    // Code is not to be read, nor what lies across its border.
    if at < BASE + DATA && at.wrapping_add(size as u32) > BASE && at > 0x1000 {
        log.astray = true;
        engine.stop();
        return;
    }
    if (BASE..BASE + 0x1_0000).contains(&at) {
        // A return takes it.
        log.returns.retain(|place| *place != at);
        // A pointer that leads to the stack by chance.
        if at >= BASE + STACK && !(BASE + log.top - DEPTH..BASE + log.top + ARGUMENTS as u32).contains(&at) {
            log.astray = true;
            engine.stop();
        }
        return;
    }
    if !may_leave(engine, false) {
        log.astray = true;
        log.fault = Some(at);
        engine.stop();
        return;
    }
    let (value, given) = log.answer();
    let mut bytes = value.to_le_bytes();
    let bytes = &mut bytes[..size as usize];
    let mut old = [0; 4];
    if !engine.read(at, &mut old[..size as usize]) && log.pages.len() < PAGES {
        give(log, engine, at);
        give(log, engine, at.wrapping_add(size as u32 - 1));
        engine.read(at, &mut old[..size as usize]);
    }
    log.changes(at, size as u32);
    if !(given && engine.write(at, bytes)) {
        bytes.copy_from_slice(&old[..size as usize]);
    }
    let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
    log.note(Event::Load(at, size as u8, value));
    log.over(engine);
}

pub unsafe extern "C" fn at_write(handle: Handle, _: i32, address: u64, size: i32, value: i64, data: *mut c_void) {
    let (log, at) = (log(data), address as u32);
    if (BASE + STACK..BASE + 0x1_0000).contains(&at) {
        // A pointer that leads there by chance: what it does depends on where the stack is.
        if !(BASE + log.top - DEPTH..BASE + log.top + ARGUMENTS as u32).contains(&at) {
            log.astray = true;
            Engine::of(handle).stop();
        }
        log.keep_returns(Engine::of(handle), at, size as u32, value as u32 & mask(size));
        return;
    }
    if !(BASE..BASE + 0x1_0000).contains(&at) && !may_leave(Engine::of(handle), true) {
        log.astray = true;
        log.fault = Some(at);
        Engine::of(handle).stop();
        return;
    }
    log.changes(at, size as u32);
    let value = log.shown(value as u32 & mask(size));
    log.note(Event::Store(at, size as u8, value));
    log.over(Engine::of(handle));
}

/// Pages that are given at most.
pub const PAGES: usize = 300;

pub unsafe extern "C" fn at_fault(handle: Handle, kind: i32, address: u64, _: i32, _: i64, data: *mut c_void) -> bool {
    let (log, engine, at) = (log(data), Engine::of(handle), address as u32);
    // Memory outside of the segment is there as soon as it is asked for.
    if [READ_UNMAPPED, WRITE_UNMAPPED].contains(&kind) && log.pages.len() < PAGES && !log.astray {
        give(log, engine, at);
        return true;
    }
    log.fault = Some(at);
    false
}

/// Has memory be there.
fn give(log: &mut Log, engine: Engine, at: u32) {
    if engine.read(at, &mut [0]) {
        return;
    }
    let page = at & !0xFFF;
    log.pages.push(page);
    engine.map(page, 0x1000, READ_WRITE);
    (page..=page | 0xFF0).step_by(16).for_each(|at| _ = engine.write(at, &outside(at)));
}

/// Whether the present instruction may reach outside of the segment: by a segment register with another value. Anything
/// else would be refused by the segment's limit.
fn may_leave(engine: Engine, writes: bool) -> bool {
    let mut code = [0; 6];
    engine.read(BASE + (engine.get(reg::EIP) & 0xFFFF), &mut code);
    let prefixes = code.iter().take_while(|byte| [0x26, 0x64, 0x66, 0x67, 0xF2, 0xF3].contains(byte));
    let string = code.get(prefixes.clone().count()).is_some_and(|byte| matches!(byte, 0x6C..=0x6F | 0xA4..=0xA7 | 0xAA..=0xAF));
    let (mut by_es, mut by_fs) = (string && writes, false);
    for prefix in prefixes.filter(|_| !(string && writes)) {
        by_es |= *prefix == 0x26;
        by_fs |= *prefix == 0x64;
    }
    let [_, ds, es, _, fs, _] = reg::SEGMENTS;
    if engine.get(if by_es { es } else if by_fs { fs } else { ds }) != u32::from(SEGMENT) {
        return true;
    }
    // At an exchange with memory EIP is that of an instruction before.
    let mut code = [0; 40];
    engine.read(BASE + (engine.get(reg::EIP) & 0xFFFF), &mut code);
    let exchange = |segment: u8, register| code.windows(3).any(|code| code[0] == segment && (code[1] == 0x87 || code[2] == 0x87)) && engine.get(register) != u32::from(SEGMENT);
    exchange(0x64, fs) || exchange(0x26, es)
}

/// `memcmp`, by C's convention.
fn compare_memory(log: &mut Log, engine: Engine, number: u32) {
    let return_address = if log.form == Form::Compiled { 4 } else { 2 };
    let mut words = [0; 12];
    engine.read(BASE + engine.get(reg::GENERAL[SP]) + return_address, &mut words);
    let word = |at: usize| u32::from(u16::from_le_bytes([words[at], words[at + 1]]));
    let (one, other, count) = (word(0), word(4), word(8));
    let shown = [log.shown(one), log.shown(other)];
    log.note(Event::Call(number, shown[0], shown[1], count, false));
    let bytes = |at: u32| {
        let mut bytes = vec![0; count as usize];
        engine.read(BASE + at, &mut bytes);
        bytes
    };
    engine.set(reg::GENERAL[AX], bytes(one).cmp(&bytes(other)) as i32 as u32);
}

pub unsafe extern "C" fn at_stub(handle: Handle, address: u64, _: u32, data: *mut c_void) {
    let (log, engine) = (log(data), Engine::of(handle));
    let at = address as u32 - BASE;
    if at == STUBS {
        return;
    }
    // A jump between the end of runs and the first stub, or behind the last one, is a state's fault.
    let number = ((at - STUBS) / STUB).wrapping_sub(1);
    let Some((name, inline)) = log.stubs.get(number as usize).cloned() else {
        log.astray = true;
        engine.stop();
        return;
    };
    let general = reg::GENERAL;
    let first = if log.form == Form::Compiled { CX } else { BX };
    let [a, b, d] = [AX, first, DX].map(|number| engine.get(general[number]));
    let routine = routine(&name, inline);
    let flag = routine.reads & Z != 0 && engine.get(reg::EFLAGS) & 0x40 != 0;
    if name == "memcmp" {
        return compare_memory(log, engine, number);
    }
    let seen = |value: u32, bit: u8| match (routine.reads & bit, routine.whole & bit) {
        (0, _) => 0,
        (_, 0) if routine.byte & bit != 0 => value & 0xFF,
        (_, 0) => log.shown(value & 0xFFFF),
        _ => log.shown(value),
    };
    let looked = [seen(a, A), seen(b, B), seen(d, D)];
    log.note(Event::Call(number, looked[0], looked[1], looked[2], flag));
    log.over(engine);
    let pointer = |register: u8| [(A, a), (B, b), (D, d)].into_iter().find(|(bit, _)| *bit == register).map(|(_, value)| value & 0xFFFF);
    // What it reads where an argument points; the stack is not seen otherwise.
    if let Some(mut at) = pointer(routine.at.0) {
        for bytes in routine.at.1 {
            let mut field = [0; 4];
            if at >= DATA && at <= TOP {
                engine.read(BASE + at, &mut field[..usize::from(*bytes)]);
            }
            log.note(Event::Field(log.shown(u32::from_le_bytes(field))));
            at += u32::from(*bytes);
        }
    }
    if routine.changes == 0 {
        return;
    }
    let (answer, _) = log.answer();
    engine.set(general[AX], answer);
    let noise = mix(log.hash) as u32;
    if routine.changes & D != 0 {
        engine.set(general[DX], noise);
    }
    if routine.changes & B != 0 {
        engine.set(general[first], noise.rotate_left(16) ^ 0x5A5A_1234);
    }
    // What it fills in, where an argument points.
    if let Some(at) = pointer(routine.fills.0) {
        for place in (at..at + routine.fills.1).step_by(2).filter(|place| *place >= DATA && place + 2 <= TOP) {
            let value = log.answer().0 as u16;
            engine.write(BASE + place, &value.to_le_bytes());
        }
    }
    // It changes memory, too: words in the data and in what arguments point to.
    for round in 0..mix(log.hash ^ 3) as u32 & 3 {
        let random = mix(log.hash ^ (u64::from(round) << 40));
        let (at, value) = log.state.effect(random, log.variable);
        if !(at..at + 4).any(|at| log.fixed.get((at - DATA) as usize).is_some_and(|fixed| *fixed)) {
            engine.write(BASE + at, &value.to_le_bytes());
        }
    }
}
