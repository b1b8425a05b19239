//! The driver's parameters in a file: `PKTCTL export`, `import` and `config`. The host tests run all of this; PKTCTL's own part
//! is the calls of INT 2Dh and of DOS.
//!
//! A file is a block (`block.rs`) or a text (`text.rs`), which its first bytes tell. It is read as a whole, before anything is
//! set. `set.rs` sets all that it has, or nothing.

pub mod block;
pub mod set;
pub mod text;

use crate::control::{ADDRESS, MEDIA, MULTICAST, PARAMETERS, Parameter};

/// The most bytes of a value: eight addresses.
pub const MOST: usize = 48;
/// The most bytes of a file that is read.
pub const FILE: usize = 4096;
/// The version of both forms.
pub const VERSION: u8 = 1;

/// The value of a parameter: a number, or bytes. The card's address without bytes is the one in its ROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The number; 0 for bytes.
    pub number: u16,
    len: u8,
    bytes: [u8; MOST],
}

impl Value {
    /// A number.
    pub const fn number(number: u16) -> Value {
        Value { number, len: 0, bytes: [0; MOST] }
    }

    /// Bytes; `None` if they are too many.
    pub fn of(bytes: &[u8]) -> Option<Value> {
        let mut value = Value { len: bytes.len() as u8, ..Value::number(0) };
        value.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(value)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len as usize).unwrap_or(&[])
    }
}

/// Whether a parameter's value is bytes.
pub const fn has_bytes(parameter: &Parameter) -> bool {
    matches!(parameter.number, ADDRESS | MULTICAST)
}

/// Whether the parameter takes the value.
pub fn fits(parameter: &Parameter, value: &Value) -> bool {
    let bytes = value.bytes();
    match parameter.number {
        // Bit 0 of the first byte is set in group addresses; zeros are no address.
        ADDRESS => bytes.is_empty() || bytes.len() == 6 && bytes.iter().any(|byte| *byte != 0) && bytes.iter().take(1).all(|first| first & 1 == 0),
        MULTICAST => bytes.len() <= parameter.high as usize && bytes.len() % 6 == 0 && bytes.chunks(6).flat_map(|group| group.first()).all(|first| first & 1 == 1),
        MEDIA => text::medium(value.number).is_some(),
        _ => (parameter.low..=parameter.high).contains(&value.number),
    }
}

/// The parameter with this number.
pub fn parameter(number: u8) -> Option<&'static Parameter> {
    PARAMETERS.get((number as usize).checked_sub(1)?)
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text, from 1.
    Line(u16),
    /// A byte of a block, from 0.
    Byte(u16),
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub why: &'static str,
}

/// The parameters that a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The value of each parameter of [`PARAMETERS`] that is there, and its place in the file.
    values: [Option<(Value, Place)>; PARAMETERS.len()],
}

impl Settings {
    /// With nothing in it.
    pub const fn new() -> Settings {
        Settings { values: [None; PARAMETERS.len()] }
    }

    /// Adds a value; false if the parameter has one already.
    pub fn add(&mut self, parameter: &Parameter, value: Value, place: Place) -> bool {
        match self.values.get_mut(parameter.number.wrapping_sub(1) as usize) {
            Some(empty @ None) => {
                *empty = Some((value, place));
                true
            }
            _ => false,
        }
    }

    /// The parameters that are there.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (&'static Parameter, &Value, Place)> {
        PARAMETERS.iter().zip(&self.values).filter_map(|(parameter, value)| value.as_ref().map(|(value, place)| (parameter, value, *place)))
    }

    /// The number of parameters that are there.
    pub fn len(&self) -> usize {
        self.all().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::new()
    }
}

/// Reads a file of either form.
///
/// # Errors
/// The first place that is wrong.
pub fn read(file: &[u8]) -> Result<Settings, Fault> {
    if file.starts_with(&block::SIGNATURE) { block::read(file) } else { text::read(file) }
}
