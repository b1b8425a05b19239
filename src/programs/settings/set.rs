//! Sets parameters: all or none.

use super::{Place, Settings, Value};
use crate::control::{ADDRESS, Class, FIXED, Parameter};

/// A parameter as the driver has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// When a new value is in force.
    pub class: Class,
    /// The value in force.
    pub value: Value,
    /// The value that is set; another one only of a parameter that waits for `apply`.
    pub wanted: Value,
}

/// The driver's control interrupt. Errors are its results ([`crate::control`]).
pub trait Control {
    /// GET.
    ///
    /// # Errors
    /// The driver's result.
    fn get(&mut self, parameter: &Parameter) -> Result<State, u8>;

    /// SET. An address without bytes is the ROM's.
    ///
    /// # Errors
    /// The driver's result.
    fn set(&mut self, parameter: &Parameter, value: &Value) -> Result<(), u8>;

    /// The card's address in its ROM.
    fn rom(&self) -> [u8; 6];
}

/// Why nothing was set.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// The parameter.
    pub parameter: &'static Parameter,
    /// Its place in the file.
    pub place: Place,
    /// The driver's result.
    pub code: u8,
    /// A parameter that had been set and could not be put back. This does not happen unless another program has changed the
    /// driver meanwhile.
    pub changed: Option<&'static Parameter>,
}

/// What was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Parameters that were changed.
    pub set: u16,
    /// Those of them that wait for `apply`.
    pub pending: u16,
    /// Parameters that had the value already.
    pub same: u16,
}

/// The value with the ROM's address in place of none.
fn meant(control: &dyn Control, parameter: &Parameter, value: &Value) -> Value {
    if parameter.number == ADDRESS && value.bytes().is_empty() {
        return Value::of(&control.rom()).unwrap_or(*value);
    }
    *value
}

/// Sets all parameters. Each is checked before the first is set: the driver has to know it, and a fixed one has to have the
/// value already. If the driver refuses one nevertheless, those before it get their old values back.
///
/// # Errors
/// The parameter that was refused; nothing is changed then.
#[inline(never)]
pub fn set(control: &mut dyn Control, settings: &Settings) -> Result<Done, Refusal> {
    let refusal = |parameter, place, code| Refusal { parameter, place, code, changed: None };
    let mut before = Settings::new();
    let mut done = Done::default();
    for (parameter, value, place) in settings.all() {
        let state = control.get(parameter).map_err(|code| refusal(parameter, place, code))?;
        if state.wanted == meant(control, parameter, value) {
            done.same += 1;
            continue;
        }
        match state.class {
            Class::Fixed => return Err(refusal(parameter, place, FIXED)),
            Class::Pending => done.pending += 1,
            Class::Live => {}
        }
        before.add(parameter, state.wanted, place);
    }
    for (parameter, _, place) in before.all() {
        let Some((_, value, _)) = settings.all().find(|(other, ..)| other.number == parameter.number) else { continue };
        let value = meant(control, parameter, value);
        if let Err(code) = control.set(parameter, &value) {
            let mut refused = refusal(parameter, place, code);
            // The one that was refused is as before. The last that was set is put back first.
            for (earlier, old, _) in before.all().rev().skip_while(|(later, ..)| later.number != parameter.number).skip(1) {
                if control.set(earlier, old).is_err() {
                    refused.changed = Some(earlier);
                }
            }
            return Err(refused);
        }
        done.set += 1;
    }
    Ok(done)
}
