//! An NMI while the driver runs with flat memory on demand (asm/flat.inc): which interrupt table is in force in the machine's
//! handler, and which afterwards. No emulator of the rigs can be told to raise an NMI at an instruction of the driver.

use std::ffi::c_void;

use crate::assembly::assembled;
use crate::layout::{BASE, SEGMENT, STUBS, TOP};
use crate::unicorn::{ALL, Engine, Handle, hook, reg};

/// NMI's number.
const NMI: u32 = 2;
/// Offset in the driver's interrupt table of the operand of its LIDT (`tables`).
const TABLES: u32 = 12;
/// The machine's table: base and limit.
const MACHINE: (u32, u32) = (0, 0xFFFF);

/// Interrupts that the handler calls, and IDTR then.
type Calls = Vec<(u32, (u32, u32))>;

extern "C" fn called(engine: Handle, number: u32, calls: *mut c_void) {
    // SAFETY: `check` gave it, and does not use it while the engine runs.
    unsafe { (*calls.cast::<Calls>()).push((number, Engine::of(engine).idtr())) };
}

/// The NMI of one of the three units.
///
/// # Errors
/// What is wrong.
pub fn check(unit: &str) -> Result<(), String> {
    let program = assembled(unit);
    let idt = program.symbols["unit_header"];
    let word = |at: u32| u32::from(u16::from_le_bytes([program.image[at as usize], program.image[at as usize + 1]]));
    let handler = word(idt + 4 * NMI);
    // CMP WORD [FS:DWORD mark], MARK: two prefixes, two bytes, the address, the word.
    if word(program.symbols["flat.compare"] + 8) != word(idt) {
        return Err(format!("{unit}: A20 is compared with a word that is not at `mark`"));
    }
    let engine = Engine::new();
    engine.map(0, (BASE + 0x1_0000) as usize, ALL);
    engine.write(BASE, &program.image);
    // As the installer does for BASED.
    engine.write(BASE + idt + TABLES + 2, &(BASE + idt).to_le_bytes());
    let mut calls = Calls::new();
    // SAFETY: the header's type for this kind; `calls` lives longer than the engine.
    unsafe { engine.hook(hook::INTERRUPT, called as *mut c_void, (&raw mut calls).cast(), (1, 0), 0) };
    reg::SEGMENTS.iter().for_each(|segment| engine.set(*segment, u32::from(SEGMENT)));
    // LIDT [tables], as at an entry.
    let at = idt + TABLES;
    engine.write(BASE + STUBS, &[0x0F, 0x01, 0x1E, at as u8, (at >> 8) as u8]);
    engine.run(BASE + STUBS, BASE + STUBS + 5);
    let own = (BASE + idt, word(idt + TABLES));
    if engine.idtr() != own {
        return Err(format!("{unit}: the table at an entry is {:x?}", engine.idtr()));
    }
    // IP, CS and FLAGS, as the processor pushes them.
    let frame = [STUBS as u16, SEGMENT, 2].map(u16::to_le_bytes).concat();
    engine.write(BASE + TOP - 6, &frame);
    engine.set(reg::GENERAL[4], TOP - 6);
    let error = engine.run(BASE + handler, BASE + STUBS);
    let (ip, sp, after) = (engine.get(reg::EIP), engine.get(reg::GENERAL[4]), engine.idtr());
    engine.close();
    if error != 0 || (ip & 0xFFFF, sp & 0xFFFF) != (STUBS, TOP) {
        return Err(format!("{unit}: error {error}, it returns to {ip:#x} with SP {sp:#x}"));
    }
    if calls != [(NMI, MACHINE)] {
        return Err(format!("{unit}: the machine's handler is called so: {calls:x?}"));
    }
    if after != own { Err(format!("{unit}: afterwards the table is {after:x?}, not the driver's")) } else { Ok(()) }
}
