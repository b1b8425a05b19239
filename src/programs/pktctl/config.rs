//! `PKTCTL config`, `apply` and `rollback`.

use crate::csv::Row;
use crate::one;
use compkt::control::{Class, FILE, PARAMETERS, Parameter};
use compkt::programs::commands::{Asked, BAD_LINE, CSV, DONE, NO_DRIVER};
use compkt::programs::rt::{console, shell};
use compkt::programs::rt::control::Control;
use compkt::programs::rt::packet::Driver;
use compkt::programs::settings::set::{Control as _, State};
use compkt::programs::settings::{Value, text};
use compkt::say;

/// Columns of a value in the table.
const VALUE: usize = 18;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    if asked.operand.is_empty() {
        return list(asked);
    }
    let (name, wanted) = match text::pair(asked.operand) {
        Some((name, wanted)) => (name, Some(wanted)),
        None => (asked.operand, None),
    };
    let Some(parameter) = text::parameter(name) else {
        say!(c"PKTCTL: ");
        console::bytes(name);
        say!(c": no parameter has this name. PKTCTL config lists them.\n");
        return BAD_LINE;
    };
    match wanted {
        None => show(asked, parameter),
        Some(wanted) => {
            let Some(value) = text::value(parameter, wanted) else {
                say!(c"PKTCTL: ");
                console::bytes(asked.operand);
                refuse_value(parameter);
                return BAD_LINE;
            };
            change(asked, parameter, &value)
        }
    }
}

/// Ends a line that names a wrong value.
fn refuse_value(parameter: &Parameter) {
    say!(c": ");
    crate::text(parameter.name);
    if let Some(value) = text::example(parameter) {
        say!(c" does not take this, but for example ");
        crate::text(value);
    } else {
        say!(c" takes {d} to {d}", parameter.low, parameter.high);
    }
    say!(c".\n");
}

/// Prints a value; returns its letters.
pub fn print(parameter: &Parameter, value: &Value) -> usize {
    let mut letters = 0;
    text::write_value(parameter, value, &mut |part| {
        letters += part.len();
        console::bytes(part);
    });
    letters
}

/// Prints `NAME=value`.
pub fn pair(parameter: &Parameter, value: &Value) {
    crate::text(parameter.name);
    say!(c"=");
    print(parameter, value);
}

fn refused(parameter: &Parameter, code: u8) -> u8 {
    crate::text(parameter.name);
    say!(c": {s}.\n", one::reason_of(parameter, code));
    NO_DRIVER
}

#[inline(never)]
fn show(asked: &Asked, parameter: &'static Parameter) -> u8 {
    let Some((driver, _, mut control)) = one::controlled(asked) else { return NO_DRIVER };
    let state = match control.get(parameter) {
        Ok(state) => state,
        Err(code) => return refused(parameter, code),
    };
    if asked.has(CSV) {
        head();
        values(&driver, parameter, &state);
        return DONE;
    }
    pair(parameter, &state.value);
    say!(c"\n");
    if state.wanted != state.value {
        pair(parameter, &state.wanted);
        say!(c" after PKTCTL apply\n");
    }
    DONE
}

#[inline(never)]
fn change(asked: &Asked, parameter: &'static Parameter, value: &Value) -> u8 {
    let Some((_, _, mut control)) = one::controlled(asked) else { return NO_DRIVER };
    let value = if parameter.number == compkt::control::ADDRESS && value.bytes().is_empty() {
        Value::of(&control.rom()).unwrap_or(*value)
    } else {
        *value
    };
    if let Err(code) = control.set(parameter, &value) {
        return refused(parameter, code);
    }
    pair(parameter, &value);
    let waits = control.get(parameter).is_ok_and(|state| state.value != state.wanted);
    if waits { say!(c" after PKTCTL apply\n") } else { say!(c"\n") }
    DONE
}

fn head() {
    say!(c"int,name,value,wanted,class,least,greatest\n");
}

fn values(driver: &Driver, parameter: &Parameter, state: &State) {
    let mut row = Row::new();
    row.value(|| say!(c"{x}", driver.vector));
    row.text(parameter.name.as_bytes());
    for value in [&state.value, &state.wanted] {
        // A multicast list and a medium have commas.
        row.value(|| {
            say!(c"\"");
            print(parameter, value);
            say!(c"\"");
        });
    }
    row.text(match state.class {
        Class::Live => b"live",
        Class::Pending => b"pending",
        Class::Fixed => b"fixed",
    });
    row.number(parameter.low);
    row.number(parameter.high);
    row.end();
}

/// The parameters of every 3COMPKT, but for those that its card or its switches do not have.
#[inline(never)]
fn list(asked: &Asked) -> u8 {
    let csv = asked.has(CSV);
    if csv {
        head();
    }
    one::each(asked, c"it has no control interrupt", &mut |driver, mut control| {
        for parameter in &PARAMETERS {
            let Ok(state) = control.get(parameter) else { continue };
            if csv { values(driver, parameter, &state) } else { line(parameter, &state) }
        }
    })
}

fn line(parameter: &Parameter, state: &State) {
    say!(c"  ");
    crate::text(parameter.name);
    crate::pad(parameter.name.len(), 11);
    let letters = print(parameter, &state.value);
    // A multicast list takes a line of its own.
    if letters > VALUE {
        say!(c"\n");
        crate::pad(0, 13 + VALUE);
    } else {
        crate::pad(letters, VALUE);
    }
    crate::text(text::about(parameter));
    if state.class == Class::Fixed {
        say!(c"; fixed");
    }
    if state.wanted != state.value {
        say!(c"\n             ");
        print(parameter, &state.wanted);
        say!(c" after PKTCTL apply");
    }
    say!(c"\n");
}

/// Prints the parameters that wait for `apply`; returns their number.
fn waiting(control: &mut Control) -> u8 {
    let mut waiting = 0;
    for parameter in &PARAMETERS {
        if let Ok(state) = control.get(parameter) && state.wanted != state.value {
            waiting += 1;
            say!(c"  ");
            pair(parameter, &state.wanted);
            say!(c"\n");
        }
    }
    waiting
}

/// `PKTCTL apply`, `PKTCTL rollback`.
#[inline(never)]
pub fn settle(asked: &Asked, what: &dyn Fn(&Control) -> Result<(), u8>, said: &core::ffi::CStr) -> u8 {
    let Some((driver, _, mut control)) = one::controlled(asked) else { return NO_DRIVER };
    if waiting(&mut control) == 0 {
        say!(c"INT {x}h: no parameter waits.\n", driver.vector);
        return DONE;
    }
    match what(&control) {
        Ok(()) => {
            say!(c"INT {x}h: {s}.\n", driver.vector, said);
            DONE
        }
        Err(FILE) => by_file(&driver),
        Err(code) => {
            say!(c"INT {x}h: {s}.\n", driver.vector, one::reason(code));
            NO_DRIVER
        }
    }
}

/// Has the driver's file put the pending parameters in force: what that takes is not in memory.
#[inline(never)]
fn by_file(driver: &Driver) -> u8 {
    let digit = |value: u8| match value & 15 {
        value @ 0..=9 => b'0' + value,
        value => b'A' - 10 + value,
    };
    let mut tail = *b" /APPLY /INT=60\r";
    tail[13] = digit(driver.vector >> 4);
    tail[14] = digit(driver.vector);
    match shell::sibling(b"3COMPKT.EXE", &tail) {
        Ok(0) => DONE,
        Ok(_) => NO_DRIVER,
        Err(_) => {
            say!(c"INT {x}h: 3COMPKT.EXE is not where PKTCTL.EXE is; start it as 3COMPKT /APPLY /INT={x}.\n", driver.vector, driver.vector);
            NO_DRIVER
        }
    }
}
