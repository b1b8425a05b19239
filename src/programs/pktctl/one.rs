//! The one 3COMPKT that a command is for, and its control interrupt.

use compkt::control::{BAD_ADDRESS, BUSY, DELAY, FILE, FIXED, NO_ROOM, NOT_IMPLEMENTED, Parameter, RANGE, REFUSED, RX_RING, SHARED, TX_RING, UNKNOWN, XMS};
use compkt::programs::commands::{Asked, CSV, NO_DRIVER};
use compkt::programs::rt::control::Control;
use compkt::programs::rt::packet::{Block, Driver};
use compkt::say;
use core::ffi::CStr;

/// The only 3COMPKT on the vectors that were asked for. Where there is none, or several, a line has said so.
pub fn find(asked: &Asked) -> Option<(Driver, Block)> {
    let found = find_one(asked, &|_| true);
    if let Err(Some(last)) = &found {
        crate::foreign(last, c"it has no control interrupt");
    }
    found.ok()
}

/// The only one that is `wanted`. Where there are several, or no packet driver, a line has said so; where there is another one,
/// that is given.
#[inline(never)]
pub fn find_one(asked: &Asked, wanted: &dyn Fn(&Block) -> bool) -> Result<(Driver, Block), Option<Driver>> {
    let mut found: Option<(Driver, Block)> = None;
    let mut several = false;
    let mut last = None;
    while let Some(driver) = crate::driver(asked, last) {
        last = Some(driver);
        let Some(block) = driver.block().filter(|block| wanted(block)) else { continue };
        match &found {
            None => found = Some((driver, block)),
            Some((first, known)) if known.info.segment != block.info.segment => {
                if !several {
                    say!(c"3COMPKT is on INT {x}h", first.vector);
                }
                several = true;
                say!(c" and {x}h", driver.vector);
            }
            Some(_) => {}
        }
    }
    if several {
        say!(c". Say which one, for example --int=60.\n");
        return Err(None);
    }
    found.ok_or(last)
}

/// The same, with its control interrupt.
pub fn controlled(asked: &Asked) -> Option<(Driver, Block, Control)> {
    let (driver, block) = find(asked)?;
    let Some(control) = Control::of(&driver, &block) else {
        without(&driver);
        return None;
    };
    Some((driver, block, control))
}

/// Calls `show` for each 3COMPKT with a control interrupt that was asked for, behind a line with its name, which `--csv` leaves
/// out. `only` is what another driver has not. Returns the exit code: one without is not what was asked for.
#[inline(never)]
pub fn each(asked: &Asked, only: &CStr, show: &mut dyn FnMut(&Driver, Control)) -> u8 {
    let mut refused = false;
    let code = crate::each(asked, only, &mut |driver, block| {
        let Some(control) = Control::of(driver, block) else {
            refused = true;
            if !asked.has(CSV) {
                without(driver);
            }
            return;
        };
        if !asked.has(CSV) {
            say!(c"INT {x}h  {s}\n", driver.vector, &crate::name(driver, Some(block)));
        }
        show(driver, control);
    });
    if refused { NO_DRIVER } else { code }
}

/// Says that a driver has no control interrupt.
pub fn without(driver: &Driver) {
    say!(c"3COMPKT on INT {x}h was loaded without /CTL. Load it with /CTL.\n", driver.vector);
}

/// What a result of the control interrupt means to a user, for this parameter.
pub fn reason_of(parameter: &Parameter, code: u8) -> &'static CStr {
    match (code, parameter.number) {
        (FIXED, DELAY | RX_RING | TX_RING) => c"the card's driver fixes it",
        (FIXED, XMS) => c"only /XMS= at load sets it, in V86 mode and where no frames wait in XMS",
        (code, _) => reason(code),
    }
}

/// What a result of the control interrupt means to a user.
pub fn reason(code: u8) -> &'static CStr {
    match code {
        NOT_IMPLEMENTED | UNKNOWN => c"this driver or this card does not have it",
        FIXED => c"it is fixed at load: change the driver's line",
        REFUSED => c"the card has no interrupt of its own to change from or to",
        FILE => c"the driver in memory cannot do it: start 3COMPKT /APPLY",
        RANGE => c"the value is out of range",
        NO_ROOM => c"it is too long",
        BUSY => c"the driver is busy: try again",
        SHARED => c"programs have the card open: end them first",
        BAD_ADDRESS => c"it is no valid address",
        _ => c"the driver does not say why",
    }
}
