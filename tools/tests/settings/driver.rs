//! A driver with parameters, which counts what it is told, and refuses on demand.

use compkt::control::*;
use compkt::programs::settings::set::{Control, Done, State, set};
use compkt::programs::settings::{self, Place, Settings, Value, fits};
use tools::random::Random;

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// The driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Of each parameter: its value in force and the one that is wanted; `None`: not with this card.
    pub values: Vec<Option<(Value, Value)>>,
    /// Calls of SET.
    pub calls: usize,
    /// The call of SET that is refused.
    pub refused: usize,
}

impl Driver {
    /// With random values.
    pub fn any(random: &mut Random) -> Driver {
        let mut value = |parameter: &Parameter| {
            let value = super::any(random, parameter);
            // The driver always has an address.
            if parameter.number == ADDRESS && value.bytes().is_empty() { Value::of(&OWN).unwrap() } else { value }
        };
        Driver { values: PARAMETERS.iter().map(|parameter| Some(value(parameter))).map(|value| value.map(|value| (value, value))).collect(), calls: 0, refused: 0 }
    }
}

impl Control for Driver {
    fn get(&mut self, parameter: &Parameter) -> Result<State, u8> {
        let (value, wanted) = self.values[usize::from(parameter.number) - 1].ok_or(REFUSED)?;
        Ok(State { class: parameter.class, value, wanted })
    }

    fn set(&mut self, parameter: &Parameter, value: &Value) -> Result<(), u8> {
        self.calls += 1;
        if self.calls == self.refused {
            return Err(BUSY);
        }
        assert!(fits(parameter, value) && parameter.class != Class::Fixed && !(parameter.number == ADDRESS && value.bytes().is_empty()), "{} {value:?}", parameter.name);
        let old = self.values[usize::from(parameter.number) - 1].as_mut().ok_or(REFUSED)?;
        old.1 = *value;
        if parameter.class == Class::Live {
            old.0 = *value;
        }
        Ok(())
    }

    fn rom(&self) -> [u8; 6] {
        OWN
    }
}

/// The driver's values after a file was set, if that succeeds.
pub fn expected(driver: &Driver, file: &Settings) -> Vec<Option<(Value, Value)>> {
    let mut values = driver.values.clone();
    for (parameter, value, _) in file.all() {
        let value = if parameter.number == ADDRESS && value.bytes().is_empty() { Value::of(&OWN).unwrap() } else { *value };
        let old = values[usize::from(parameter.number) - 1].as_mut().unwrap();
        old.1 = value;
        if parameter.class == Class::Live {
            old.0 = value;
        }
    }
    values
}

/// Settings without the fixed parameters, which have no other value to take.
fn settable(random: &mut Random) -> Settings {
    let mut settings = Settings::new();
    for (parameter, value, place) in super::some(random).all().filter(|(parameter, ..)| parameter.class != Class::Fixed) {
        settings.add(parameter, *value, place);
    }
    settings
}

#[test]
fn a_file_is_set_as_a_whole() {
    let mut random = Random::new(1);
    for round in 0..2000 {
        let (mut driver, file) = (Driver::any(&mut random), settable(&mut random));
        let values = expected(&driver, &file);
        let Done { set: changed, pending, same } = set(&mut driver, &file).unwrap();
        assert_eq!(driver.values, values, "round {round}");
        assert_eq!((usize::from(changed + same), usize::from(changed)), (file.len(), driver.calls), "what is as wanted is left alone");
        let waiting = driver.values.iter().flatten().filter(|(value, wanted)| value != wanted).count();
        assert_eq!(usize::from(pending), waiting);
    }
}

#[test]
fn a_refusal_midway_puts_back_what_was_set() {
    let mut random = Random::new(2);
    let mut refusals = 0;
    for round in 0..2000 {
        let (driver, file) = (Driver::any(&mut random), settable(&mut random));
        let mut whole = driver.clone();
        set(&mut whole, &file).unwrap();
        for refused in 1..=whole.calls {
            let mut driver = Driver { refused, ..driver.clone() };
            let before = driver.values.clone();
            let refusal = set(&mut driver, &file).unwrap_err();
            assert_eq!((refusal.code, refusal.changed.map(|parameter| parameter.name)), (BUSY, None));
            assert_eq!(driver.values, before, "round {round}, call {refused}");
            assert_eq!(driver.calls, 2 * refused - 1, "each that was set was put back once");
            refusals += 1;
        }
    }
    assert!(refusals > 10_000, "{refusals}");
}

#[test]
fn what_cannot_be_put_back_is_named() {
    struct Stubborn(Driver);
    impl Control for Stubborn {
        fn get(&mut self, parameter: &Parameter) -> Result<State, u8> {
            self.0.get(parameter)
        }
        fn set(&mut self, parameter: &Parameter, value: &Value) -> Result<(), u8> {
            if self.0.calls >= 2 { Err(BUSY) } else { self.0.set(parameter, value) }
        }
        fn rom(&self) -> [u8; 6] {
            OWN
        }
    }
    let file = settings::read(b"3COMPKT settings 1\nMODE=6\nPOLL=1\nBURST=9\nEND").unwrap();
    let mut driver = Driver::any(&mut Random::new(3));
    for (number, value) in [(MODE, 3), (POLL, 0), (BURST, 8)] {
        driver.values[usize::from(number) - 1] = Some((Value::number(value), Value::number(value)));
    }
    let refusal = set(&mut Stubborn(driver), &file).unwrap_err();
    // They are set in the order of their numbers.
    let mut order = [(MODE, 2), (POLL, 3), (BURST, 4)];
    order.sort_unstable();
    assert_eq!((refusal.parameter.number, refusal.place), (order[2].0, Place::Line(order[2].1)));
    assert_eq!(refusal.changed.map(|parameter| parameter.number), Some(order[0].0), "the first could not be put back");
}

#[test]
fn what_a_driver_cannot_set_is_found_before_anything_is_set() {
    let mut random = Random::new(4);
    let file = settings::read(b"3COMPKT settings 1\nMODE=6\nPOLL=1\nHANDLES=9\nEND").unwrap();
    let mut driver = Driver::any(&mut random);
    let handles = usize::from(HANDLES) - 1;
    driver.values[handles] = Some((Value::number(8), Value::number(8)));
    let refusal = set(&mut driver, &file).unwrap_err();
    assert_eq!((refusal.parameter.name, refusal.place, refusal.code, driver.calls), ("HANDLES", Place::Line(4), FIXED, 0));
    // The value that it has already is no reason to refuse.
    driver.values[handles] = Some((Value::number(9), Value::number(9)));
    let mut same = driver.clone();
    set(&mut same, &file).unwrap();
    // Not with this card.
    driver.values[usize::from(POLL) - 1] = None;
    let refusal = set(&mut driver, &file).unwrap_err();
    assert_eq!((refusal.parameter.name, refusal.place, refusal.code, driver.calls), ("POLL", Place::Line(3), REFUSED, 0));
}
