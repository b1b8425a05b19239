//! The routines that copy frames between a card and XMS (asm/xwords.asm, xbytes, xfifo, xrings, xparts), each patched into a driver's routines
//! as the installer does it, in the Unicorn engine: with every length of a frame they access the card as the driver's do without
//! the patch, and copy the same bytes; with a client's frame they do the same as those.

#[allow(dead_code, reason = "narrow_validated needs more of it")]
#[path = "narrow_validated/unicorn.rs"]
mod unicorn;

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::offset_of;
use std::process::Command;

use compkt::device::{Job, LOOKAHEAD, MAX_FRAME};
use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol};
use tools::process::TempDir;
use tools::random::Random;
use tools::setup;
use unicorn::{EXECUTE, Engine, Handle, IN, OUT, READ_WRITE, hook, reg};

/// The shortest frame.
const SHORTEST: usize = 14;
/// The driver's segment, and offsets in it: where a run ends, `work`, the stack.
const SEGMENT: u16 = 0x1000;
const BASE: u32 = 0x1_0000;
const END: u16 = 0x3F00;
const WORK: u32 = 0x4000;
const STACK: u32 = 0xF000;
/// asm/abi.inc.
const WORK_JOB: u32 = 32;
/// A client's buffer: far, and linear.
const CLIENT: u32 = 0x3000_0003;
const CLIENT_AT: u32 = 0x3_0003;
/// The frame in XMS, and a ring.
const XMS: u32 = 0x20_0010;
const RING: u32 = 0x30_0004;
const PORT: u32 = 0x310;
/// Bytes of a slot in XMS from the frame on.
const ROOM: usize = 1536 - 16;
/// What all memory outside of the segment holds at first, and bytes around a frame that are looked at.
const OLD: u8 = 0xA5;
const AROUND: usize = 16;
const EAX: usize = 0;
const ECX: usize = 1;
const EDX: usize = 2;
const EBX: usize = 3;
const ESP: usize = 4;

/// A card behind a port.
#[derive(Default)]
struct Card {
    /// What it gives, and how much of that it has given.
    frame: Vec<u8>,
    given: usize,
    /// What it got.
    got: Vec<u8>,
    /// Bytes of each access, less than 0 of a read.
    accesses: Vec<i32>,
}

unsafe extern "C" fn at_in(_: Handle, port: u32, size: i32, card: *mut c_void) -> u32 {
    // SAFETY: the machine's card, which is not used while the engine runs.
    let card = unsafe { &mut *card.cast::<Card>() };
    assert_eq!(port, PORT);
    card.accesses.push(-size);
    let mut value = 0;
    for place in 0..size {
        value |= u32::from(card.frame.get(card.given).copied().unwrap_or(0)) << (8 * place);
        card.given += 1;
    }
    value
}

unsafe extern "C" fn at_out(_: Handle, port: u32, size: i32, value: u32, card: *mut c_void) {
    // SAFETY: as above.
    let card = unsafe { &mut *card.cast::<Card>() };
    assert_eq!(port, PORT);
    card.accesses.push(size);
    card.got.extend(&value.to_le_bytes()[..size as usize]);
}

/// The driver's routines and a unit's.
struct Code {
    image: Vec<u8>,
    symbols: HashMap<String, u32>,
}

/// Assembles and links them, the unit's source changed by `edit`.
fn code(routines: &str, unit: &str, edit: &dyn Fn(String) -> String) -> Code {
    let folder = TempDir::new("copies").unwrap();
    let source = setup::root().join("asm");
    let path = |name: &str| folder.path().join(name);
    // xparts is xrings with a definition.
    let edited = if unit == "xparts" { "xrings" } else { unit };
    std::fs::copy(source.join(format!("{unit}.asm")), path(&format!("{unit}.asm"))).unwrap();
    std::fs::write(path(&format!("{edited}.asm")), edit(std::fs::read_to_string(source.join(format!("{edited}.asm"))).unwrap())).unwrap();
    for (file, object) in [(source.join(format!("{routines}.asm")), "a.o"), (path(&format!("{unit}.asm")), "b.o")] {
        let mut nasm = Command::new(setup::nasm().unwrap());
        let done = nasm.arg("-felf32").arg(format!("-I{}/", folder.path().display())).arg(format!("-I{}/", source.display())).arg("-o").arg(path(object)).arg(file).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let script = "SECTIONS { . = 0x100; .all : { *(.unit_header) *(.text .text.*) } /DISCARD/ : { *(.attach) *(.comment) *(.note*) } }";
    std::fs::write(path("script.ld"), script).unwrap();
    let mut linker = Command::new("ld");
    linker.args(["-m", "elf_i386", "--discard-none", "--no-warn-rwx-segments", "-e", "0", &format!("--defsym=work={WORK}"), "-T"]);
    let done = linker.arg(path("script.ld")).arg("-o").arg(path("all")).args([path("a.o"), path("b.o")]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let data = std::fs::read(path("all")).unwrap();
    let elf = ElfFile32::<object::Endianness>::parse(&*data).unwrap();
    let section = elf.section_by_name(".all").unwrap();
    let mut image = vec![0; section.address() as usize];
    image.extend(section.data().unwrap());
    let symbols = elf.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_string(), symbol.address() as u32))).collect();
    Code { image, symbols }
}

/// A machine with that code.
struct Machine {
    engine: Engine,
    card: *mut Card,
    symbols: HashMap<String, u32>,
}

impl Machine {
    /// `patches`: a place in a driver's routine, and the unit's routine that is called there.
    fn new(code: &Code, patches: &[(&str, &str)]) -> Machine {
        let mut image = code.image.clone();
        for (place, routine) in patches {
            let (place, routine) = (code.symbols[*place], code.symbols[*routine]);
            let [low, high] = (routine.wrapping_sub(place + 3) as u16).to_le_bytes();
            image[place as usize..][..4].copy_from_slice(&[0xE8, low, high, 0x90]);
        }
        let engine = Engine::new();
        engine.map(0, 0x40_0000, READ_WRITE | EXECUTE);
        engine.write(0, &vec![OLD; 0x40_0000]);
        engine.write(BASE, &image);
        let card = Box::into_raw(Box::<Card>::default());
        // SAFETY: both have the types of the header; the card lives as long as the machine.
        unsafe {
            engine.hook(hook::INSN, at_in as *mut c_void, card.cast(), (1, 0), IN);
            engine.hook(hook::INSN, at_out as *mut c_void, card.cast(), (1, 0), OUT);
        }
        Machine { engine, card, symbols: code.symbols.clone() }
    }

    fn put(&self, at: u32, bytes: &[u8]) {
        assert!(self.engine.write(at, bytes));
    }

    /// Memory from [`AROUND`] bytes before an address to as many behind `len` bytes.
    fn around(&self, at: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; AROUND + len + AROUND];
        assert!(self.engine.read(at - AROUND as u32, &mut bytes));
        bytes
    }

    /// The address of the frame in XMS, or that there is none.
    fn set_linear(&self, linear: u32) {
        self.put(BASE + self.symbols["linear"], &linear.to_le_bytes());
    }

    fn set_job(&self, at: u32, len: usize, head: &[u8]) {
        let job = BASE + WORK + WORK_JOB;
        self.put(job + offset_of!(Job, at) as u32, &at.to_le_bytes());
        self.put(job + offset_of!(Job, len) as u32, &(len as u16).to_le_bytes());
        self.put(job + offset_of!(Job, head) as u32, head);
    }

    /// Calls a routine for which the card has this frame. The card afterwards, or what is wrong.
    fn call(&self, routine: &str, frame: &[u8], registers: [u32; 8]) -> Result<Card, String> {
        // SAFETY: the engine does not run.
        unsafe { *self.card = Card { frame: frame.to_vec(), ..Card::default() } };
        self.put(BASE + STACK, &END.to_le_bytes());
        for (number, value) in registers.into_iter().enumerate() {
            self.engine.set(reg::GENERAL[number], if number == ESP { STACK } else { value });
        }
        // FS and GS are 0, as in flat memory.
        for (segment, value) in reg::SEGMENTS.into_iter().zip([SEGMENT, SEGMENT, SEGMENT, SEGMENT, 0, 0]) {
            self.engine.set(segment, value.into());
        }
        self.engine.set(reg::EFLAGS, 2);
        let error = self.engine.run(BASE + self.symbols[routine], BASE + u32::from(END));
        if error != 0 || self.engine.get(reg::EIP) != u32::from(END) && self.engine.get(reg::EIP) != BASE + u32::from(END) {
            return Err(format!("{routine}: error {error} at {:#x}", self.engine.get(reg::EIP)));
        }
        for (number, value) in registers.into_iter().enumerate() {
            let (now, value) = (self.engine.get(reg::GENERAL[number]), if number == ESP { STACK + 2 } else { value });
            if now != value {
                return Err(format!("{routine}: register {number} is {now:#x}, not {value:#x}"));
            }
        }
        if reg::SEGMENTS[1..4].iter().any(|segment| self.engine.get(*segment) != u32::from(SEGMENT)) {
            return Err(format!("{routine}: a segment is not as it was"));
        }
        // SAFETY: the engine does not run.
        Ok(std::mem::take(unsafe { &mut *self.card }))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.engine.close();
        // SAFETY: it was made so, and the engine is closed.
        drop(unsafe { Box::from_raw(self.card) });
    }
}

/// Everything for one unit.
struct Bench {
    plain: Machine,
    patched: Machine,
    random: Random,
}

impl Bench {
    fn frame(&mut self, len: usize) -> Vec<u8> {
        // Never what memory holds at first.
        (0..len).map(|_| (self.random.below(255) as u8).wrapping_add(OLD + 1)).collect()
    }

    /// Values of all registers, with something in their high halves.
    fn registers(&mut self) -> [u32; 8] {
        std::array::from_fn(|_| self.random.word() | 0x8000_0000)
    }

    /// A frame of the card's, by a port.
    fn read(&mut self, routine: &str, len: usize) -> Result<(), String> {
        let frame = self.frame(len);
        let mut registers = self.registers();
        registers[EDX] = registers[EDX] & 0xFFFF_0000 | PORT;
        let (mut head, mut rest) = ([0x11; LOOKAHEAD], &frame[..]);
        if routine == "ins_fifo" {
            // These have been read already.
            let first = len.min(LOOKAHEAD);
            head[..first].copy_from_slice(&frame[..first]);
            rest = &frame[first..];
        }
        let mut seen = Vec::new();
        for (machine, linear) in [(&self.plain, 0), (&self.patched, 0), (&self.patched, XMS)] {
            for at in [CLIENT_AT, XMS] {
                machine.put(at - AROUND as u32, &vec![OLD; ROOM + 2 * AROUND]);
            }
            machine.set_job(if linear == 0 { CLIENT } else { 0 }, len, &head);
            machine.set_linear(linear);
            let card = machine.call(routine, rest, registers)?;
            let at = if linear == 0 { CLIENT_AT } else { XMS };
            let memory = machine.around(at, ROOM);
            // A frame that is shorter than the head is followed by the rest of the head in XMS.
            let written = if linear != 0 && routine == "ins_fifo" { len.max(LOOKAHEAD) } else { len };
            let untouched = memory[..AROUND].iter().chain(&memory[AROUND + written..]).all(|byte| *byte == OLD);
            if memory[AROUND..][..len] != frame || !untouched {
                return Err(format!("{routine}, {len} bytes to {linear:#x}: not what came"));
            }
            let other = machine.around(CLIENT_AT ^ XMS ^ at, ROOM);
            if other.iter().any(|byte| *byte != OLD) {
                return Err(format!("{routine}, {len} bytes to {linear:#x}: elsewhere, too"));
            }
            seen.push(card.accesses);
        }
        if seen[1] != seen[0] || seen[2] != seen[0] { Err(format!("{routine}, {len} bytes: other accesses")) } else { Ok(()) }
    }

    /// A frame to the card, by a port.
    fn write(&mut self, routine: &str, len: usize) -> Result<(), String> {
        let frame = self.frame(len);
        let mut registers = self.registers();
        registers[EDX] = registers[EDX] & 0xFFFF_0000 | PORT;
        let mut seen = Vec::new();
        for (machine, linear) in [(&self.plain, 0), (&self.patched, 0), (&self.patched, XMS)] {
            let (from, other) = if linear == 0 { (CLIENT_AT, XMS) } else { (XMS, CLIENT_AT) };
            machine.put(other, &[0x22; ROOM]);
            machine.put(from, &frame);
            machine.put(from + len as u32, &[OLD; 4]);
            machine.set_job(if linear == 0 { CLIENT } else { 0 }, len, &[0; LOOKAHEAD]);
            machine.set_linear(linear);
            let card = machine.call(routine, &[], registers)?;
            if card.got.get(..len) != Some(&frame) {
                return Err(format!("{routine}, {len} bytes from {linear:#x}: not what was sent"));
            }
            seen.push((card.accesses, card.got));
        }
        if seen[1] != seen[0] || seen[2] != seen[0] { Err(format!("{routine}, {len} bytes: other accesses, or another end")) } else { Ok(()) }
    }

    /// A frame in a ring; by `flat_take` also in two pieces, as at the ring's end.
    fn ring(&mut self, routine: &str, len: usize) -> Result<(), String> {
        let frame = self.frame(len);
        let (takes, split) = (routine.starts_with("flat_take"), self.random.below(len));
        let mut all = vec![vec![(0, len)]];
        if routine == "flat_take" {
            all.push(vec![(0, split), (split, len - split)]);
        }
        for pieces in all {
            for (machine, linear) in [(&self.plain, 0), (&self.patched, 0), (&self.patched, XMS)] {
                let (there, other) = if linear == 0 { (CLIENT_AT, XMS) } else { (XMS, CLIENT_AT) };
                let (from, to) = if takes { (RING, there) } else { (there, RING) };
                for at in [CLIENT_AT, XMS, RING] {
                    machine.put(at - AROUND as u32, &vec![OLD; ROOM + 2 * AROUND]);
                }
                machine.put(from, &frame);
                // For a frame in XMS the job's far address is 0, and drivers add the offset to it.
                let job = if linear == 0 { CLIENT } else { 0 };
                machine.set_job(job, len, &[0; LOOKAHEAD]);
                machine.set_linear(linear);
                for (at, bytes) in &pieces {
                    let mut registers = self.random_registers(*bytes);
                    (registers[EBX], registers[EDX]) = (RING + *at as u32, job + *at as u32);
                    machine.call(routine, &[], registers)?;
                }
                let memory = machine.around(to, ROOM);
                let untouched = memory[..AROUND].iter().chain(&memory[AROUND + len..]).all(|byte| *byte == OLD);
                if memory[AROUND..][..len] != frame || !untouched || machine.around(other, ROOM).iter().any(|byte| *byte != OLD) {
                    return Err(format!("{routine}, {len} bytes as {pieces:?}, {linear:#x}: not the frame, or elsewhere, too"));
                }
            }
        }
        Ok(())
    }

    fn random_registers(&self, bytes: usize) -> [u32; 8] {
        let mut registers = [0xDEAD_0000, 0x8BAD_1234, 0, 0, 0, 0xFEED_4321, 0xCAFE_5678, 0xF00D_8765];
        registers[EAX] |= bytes as u32;
        assert_ne!(registers[ECX], 0);
        registers
    }
}

/// The units, the file of the routines that they patch, and those routines: to read a frame, and to write it.
const UNITS: [(&str, &str, [(&str, &str); 2]); 5] = [
    ("xwords", "strings", [("ins_words", "in_words"), ("outs_words", "out_words")]),
    ("xbytes", "strings", [("ins_bytes", "in_bytes"), ("outs_bytes", "out_bytes")]),
    ("xfifo", "strings", [("ins_fifo", "in_fifo"), ("outs_fifo", "out_fifo")]),
    ("xrings", "rings", [("flat_take_frame", "to_xms"), ("flat_give_frame", "from_xms")]),
    ("xparts", "rings", [("flat_take", "to_xms"), ("flat_give_frame", "from_xms")]),
];

/// Each of these lengths, in both directions.
fn check(unit: &str, edit: &dyn Fn(String) -> String, lengths: impl Iterator<Item = usize>) -> Result<(), String> {
    let (_, file, routines) = UNITS.into_iter().find(|known| known.0 == unit).unwrap();
    let code = code(file, unit, edit);
    let patches = routines.map(|(routine, instead)| (format!("{routine}.at"), instead));
    let patches: Vec<(&str, &str)> = patches.iter().map(|(place, instead)| (&**place, *instead)).collect();
    let mut bench = Bench { plain: Machine::new(&code, &[]), patched: Machine::new(&code, &patches), random: Random::new(1) };
    let [(read, _), (write, _)] = routines;
    for len in lengths {
        if file == "rings" {
            bench.ring(read, len)?;
            bench.ring(write, len)?;
        } else {
            bench.read(read, len)?;
            bench.write(write, len)?;
        }
    }
    Ok(())
}

#[test]
fn frames_of_every_length_are_copied_byte_for_byte() {
    for (unit, ..) in UNITS {
        check(unit, &|source| source, SHORTEST..=MAX_FRAME.into()).unwrap_or_else(|why| panic!("{unit}, seed 1: {why}"));
    }
}

/// Mistakes in a unit: what of its source is replaced by what.
const MISTAKES: [(&str, &str, &str); 13] = [
    ("xwords", "adc     cx, cx", "xor     cx, cx"),
    ("xwords", "a32 rep insb", "rep insb"),
    ("xwords", "mov     ah, 0", "mov     ah, 1"),
    ("xwords", "a32 rep fs outsw", "a32 rep outsw"),
    ("xbytes", "a32 rep insb", "a32 insb"),
    ("xbytes", "a32 rep fs outsb", "a32 rep outsb"),
    ("xfifo", "mov     cx, LOOKAHEAD / 4", "mov     cx, LOOKAHEAD / 4 - 1"),
    ("xfifo", "and     al, 3", "and     al, 1"),
    ("xfifo", "mov     cx, 0", "nop"),
    ("xfifo", "a32 rep fs outsd", "a32 rep fs outsw"),
    ("xrings", "mov     edi, [linear]", "mov     di, [linear]"),
    ("xrings", "mov     esi, [linear]", "mov     edi, [linear]"),
    ("xparts", "add     edi, [linear]", "mov     edi, [linear]"),
];

#[test]
fn mistakes_in_the_copies_are_found() {
    for (unit, right, wrong) in MISTAKES {
        let edit = |source: String| {
            assert!(source.contains(right), "{unit} has no `{right}`");
            source.replace(right, wrong)
        };
        let lengths = (SHORTEST..LOOKAHEAD + 8).chain([MAX_FRAME as usize - 1, MAX_FRAME.into()]);
        assert!(check(unit, &edit, lengths).is_err(), "{unit}: `{wrong}` for `{right}` is not found");
    }
}
