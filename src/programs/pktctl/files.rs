//! `PKTCTL export` and `import`.

use crate::one;
use crate::room::ROOM;
use compkt::control::{ADDRESS, Class, MEDIA, PARAMETERS};
use compkt::info::{BLOCK_EXAMPLE, BLOCK_POOL, BLOCK_REAP, BLOCK_SHARE, BLOCK_STATS, FLAG_V86, NOT_PCI};
use compkt::install::stages::switches::SWITCHES;
use compkt::programs::commands::{Asked, BAD_FILE, DONE, LINE, NO_DRIVER, TEXT};
use compkt::programs::rt::console;
use compkt::programs::rt::control::Control;
use compkt::programs::rt::file::File;
use compkt::programs::rt::packet::{Block, Driver};
use compkt::programs::settings::set::{Control as _, set};
use compkt::programs::settings::{self, Place, Settings, Value, block, text};
use compkt::resident::table::{STACK, STACK_CORE};
use compkt::say;

/// Bytes of stack for frames that wait, and for an XMS driver that moves them.
const STACK_POOL: u16 = 64;
const STACK_XMS: u16 = 256;
/// Columns after which the line of what has no switch goes on in another.
const WIDE: usize = 70;

/// The state to write: every parameter that can be set. A card that has the address of its ROM keeps that on another machine.
fn state(control: &mut Control) -> Settings {
    let mut settings = Settings::new();
    for parameter in &PARAMETERS {
        let Ok(state) = control.get(parameter) else { continue };
        let rom = parameter.number == ADDRESS && state.value.bytes() == control.rom();
        let value = if rom { Value::of(&[]) } else { Some(state.value) };
        if let Some(value) = value.filter(|_| state.class != Class::Fixed) {
            settings.add(parameter, value, Place::Byte(0));
        }
    }
    settings
}

#[inline(never)]
pub fn export(asked: &Asked) -> u8 {
    let Some((driver, known, mut control)) = one::controlled(asked) else { return NO_DRIVER };
    if asked.operand.is_empty() {
        write(asked, &driver, &known, &mut control, &mut console::bytes);
        return DONE;
    }
    let file = match File::create(asked.operand) {
        Ok(file) => file,
        Err(code) => return failed(asked.operand, c"cannot be made", code),
    };
    let mut wrong = None;
    write(asked, &driver, &known, &mut control, &mut |bytes| {
        if wrong.is_none() {
            wrong = file.write(bytes).err();
        }
    });
    if let Some(code) = file.close().err().or(wrong) {
        return failed(asked.operand, c"cannot be written", code);
    }
    DONE
}

#[inline(never)]
fn write(asked: &Asked, driver: &Driver, known: &Block, control: &mut Control, put: &mut dyn FnMut(&[u8])) {
    if asked.has(LINE) {
        return line(driver, known, control, put);
    }
    let settings = state(control);
    if asked.has(TEXT) {
        return text::write(&settings, put);
    }
    let mut bytes = [0; block::MOST];
    let length = block::write(&settings, &mut bytes);
    put(bytes.get(..length).unwrap_or(&[]));
}

/// Prints why DOS did not do it: one line.
pub fn failed(path: &[u8], what: &core::ffi::CStr, code: u16) -> u8 {
    console::bytes(path);
    let why = match code {
        0 => c"the disk is full",
        2 | 3 => c"there is no such file or folder",
        4 => c"too many files are open",
        5 => c"DOS does not allow it",
        _ => {
            say!(c": {s}: DOS error {d}.\n", what, code);
            return BAD_FILE;
        }
    };
    say!(c": {s}: {s}.\n", what, why);
    BAD_FILE
}

/// Writes the DEVICE= line, and what no switch gives as REM lines.
#[inline(never)]
fn line(driver: &Driver, known: &Block, control: &mut Control, put: &mut dyn FnMut(&[u8])) {
    put(b"DEVICE=3COMPKT.SYS");
    let rest = switches(driver, known, control, put);
    let mut column = WIDE;
    for (parameter, value, _) in rest.all() {
        if column >= WIDE {
            put(b"\r\nREM by PKTCTL config, not by a switch:");
            column = 38;
        }
        let mut put = |bytes: &[u8]| {
            column += bytes.len();
            put(bytes);
        };
        put(b" ");
        put(parameter.name.as_bytes());
        put(b"=");
        text::write_value(parameter, value, &mut put);
    }
    put(b"\r\n");
}

/// Writes the switches that give a driver's state, each behind a blank; returns the parameters that no switch gives.
#[inline(never)]
pub fn switches(driver: &Driver, known: &Block, control: &mut Control, put: &mut dyn FnMut(&[u8])) -> Settings {
    let digit = |value: u16| b"0123456789ABCDEF"[value as usize & 15];
    if driver.vector != 0x60 {
        put(b" /INT=");
        put(&[digit(driver.vector as u16 >> 4), digit(driver.vector as u16)]);
    }
    if let Some(nic) = crate::nic(driver, known) {
        put(b" /NIC=");
        if nic.pci == NOT_PCI {
            put(nic.name.split(|byte| *byte == 0).next().unwrap_or(&[]));
            put(b" /IO=");
            put(&[digit(nic.io >> 8), digit(nic.io >> 4), digit(nic.io)]);
            if nic.irq != 0 {
                put(b" /IRQ=");
                number(nic.irq as u16, put);
            }
        } else {
            put(&[digit(nic.pci >> 12), digit(nic.pci >> 8), b':', digit(nic.pci >> 7 & 1), digit(nic.pci >> 3), b'.', digit(nic.pci & 7)]);
        }
    }
    for (kind, switch) in [(BLOCK_STATS, &b" /STATS"[..]), (BLOCK_EXAMPLE, b" /COUNT"), (BLOCK_REAP, b" /REAP"), (BLOCK_SHARE, b" /SHARE")] {
        if known.place(kind).is_some() {
            put(switch);
        }
    }
    put(b" /CTL");
    // Without XMS the buffers are those of /MIGRATE=.
    if let (Some(bytes), None) = (known.buffers(0), known.buffers(1)) {
        put(b" /MIGRATE=");
        number(bytes, put);
    }
    // The driver rounds its stack up; what it has from the value that is given if none is asked for needs no switch.
    // Frames that wait need some of it (asm/pool.inc), which is not the switch's.
    let pool = match known.place(BLOCK_POOL) {
        None => 0,
        Some(_) if known.buffers(1).is_some() && known.info.flags & FLAG_V86 != 0 => STACK_POOL + STACK_XMS,
        Some(_) => STACK_POOL,
    };
    let stack = (known.info.stack_top - known.info.stack_low).saturating_sub(STACK_CORE + pool);
    if !(STACK..STACK + 16).contains(&stack) {
        put(b" /STACK=");
        number(stack.min(2048), put);
    }
    let mut rest = Settings::new();
    for parameter in &PARAMETERS {
        let Ok(state) = control.get(parameter) else { continue };
        if !SWITCHES.iter().any(|switch| switch.name == parameter.name) {
            if state.class == Class::Fixed {
                continue;
            }
            rest.add(parameter, state.value, Place::Byte(0));
        } else if parameter.number != MEDIA || state.value.number != 0 {
            put(b" /");
            put(parameter.name.as_bytes());
            put(b"=");
            text::write_value(parameter, &state.value, put);
        }
    }
    rest
}

fn number(value: u16, put: &mut dyn FnMut(&[u8])) {
    if value > 9 {
        number(value / 10, put);
    }
    put(&[b'0' + (value % 10) as u8]);
}

#[inline(never)]
pub fn import(asked: &Asked) -> u8 {
    let Some((_, _, mut control)) = one::controlled(asked) else { return NO_DRIVER };
    // SAFETY: this command uses it as this alone.
    let room = unsafe { &mut (*ROOM.get()).contents };
    let read = File::open(asked.operand).and_then(|file| file.read(room.get_mut(..=settings::FILE).unwrap_or(&mut [])));
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(code) => return failed(asked.operand, c"cannot be read", code),
    };
    if bytes.len() > settings::FILE {
        console::bytes(asked.operand);
        say!(c": byte {d}: no such file is so long. Nothing was changed.\n", settings::FILE as u16);
        return BAD_FILE;
    }
    let settings = match settings::read(bytes) {
        Ok(settings) => settings,
        Err(fault) => {
            place(asked.operand, fault.place);
            crate::text(fault.why);
            say!(c". Nothing was changed.\n");
            return BAD_FILE;
        }
    };
    match set(&mut control, &settings) {
        Ok(done) => {
            say!(c"Parameters set: {d}. As in the file before: {d}.", done.set, done.same);
            if done.pending != 0 {
                say!(c" Waiting for PKTCTL apply: {d}.", done.pending);
            }
            say!(c"\n");
            DONE
        }
        Err(refusal) => {
            place(asked.operand, refusal.place);
            crate::text(refusal.parameter.name);
            match refusal.changed {
                None => say!(c": {s}. Nothing was changed.\n", one::reason_of(refusal.parameter, refusal.code)),
                Some(changed) => {
                    say!(c": {s}. Another program is changing the driver: look at ", one::reason_of(refusal.parameter, refusal.code));
                    crate::text(changed.name);
                    say!(c" by PKTCTL config.\n");
                }
            }
            NO_DRIVER
        }
    }
}

/// Begins a line about a place in a file.
fn place(path: &[u8], place: Place) {
    console::bytes(path);
    match place {
        Place::Line(line) => say!(c": line {d}: ", line),
        Place::Byte(byte) => say!(c": byte {d}: ", byte),
    }
}
