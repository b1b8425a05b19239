//! Remembers long tests that passed, by a hash of what they ran: the units of the image for their NIC, the programs, the models,
//! and this program. A test whose hash is the same is not run again, except with `--again`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::machine::Lab;
use crate::nics::NICS;
use crate::pack::{self, Units};
use crate::setup;

/// Seconds from which on a test is remembered.
const LONG: f32 = 20.0;

/// The hash: FNV-1a.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn of(bytes: &[u8]) -> Hash {
        Hash(0xCBF2_9CE4_8422_2325).with(bytes)
    }

    fn with(self, bytes: &[u8]) -> Hash {
        let hash = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3));
        Hash((hash ^ bytes.len() as u64).wrapping_mul(0x100_0000_01B3))
    }
}

/// The results of earlier runs.
pub struct Remembered {
    /// Run all tests.
    again: bool,
    /// Names of tests, and their hashes.
    passed: Mutex<BTreeMap<String, u64>>,
    /// The hash of what every test in a machine runs, and that of each NIC's units. None: there is no build.
    parts: OnceLock<Option<(Hash, Vec<(&'static str, Hash)>)>>,
}

fn path() -> PathBuf {
    setup::root().join(".rigs/passed")
}

impl Remembered {
    /// The results of this checkout. `again`: run all tests.
    pub fn read(again: bool) -> Remembered {
        let text = fs::read_to_string(path()).unwrap_or_default();
        let row = |line: &str| {
            let (name, hash) = line.rsplit_once(' ')?;
            Some((name.to_string(), u64::from_str_radix(hash, 16).ok()?))
        };
        Remembered { again, passed: Mutex::new(text.lines().filter_map(row).collect()), parts: OnceLock::new() }
    }

    /// The hash of what a test runs. None: unknown, or the test uses results of other tests.
    fn hash(&self, name: &str, lab: &Lab) -> Option<u64> {
        let (common, nics) = self.parts.get_or_init(|| parts(lab)).as_ref()?;
        let named: Vec<&Hash> = nics.iter().filter(|(nic, _)| name.split('/').any(|part| part == *nic)).map(|(_, hash)| hash).collect();
        let own = if named.is_empty() { nics.iter().map(|(_, hash)| hash).collect() } else { named };
        Some(own.iter().fold(*common, |hash, nic| hash.with(&nic.0.to_le_bytes())).0)
    }

    /// Whether the test has passed with the same hash.
    pub fn knows(&self, name: &str, lab: &Lab) -> bool {
        let known = self.passed.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        !self.again && known.is_some_and(|known| self.hash(name, lab) == Some(known))
    }

    /// Stores the result of a test.
    pub fn note(&self, name: &str, lab: &Lab, passed: bool, seconds: f32) {
        let mut rows = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        rows.remove(name);
        if passed && seconds >= LONG && let Some(hash) = self.hash(name, lab) {
            rows.insert(name.to_string(), hash);
        }
        let text: String = rows.iter().map(|(name, hash)| format!("{name} {hash:016x}\n")).collect();
        // If the results cannot be written, the test is run again.
        let _ = fs::write(path(), text);
    }
}

fn parts(lab: &Lab) -> Option<(Hash, Vec<(&'static str, Hash)>)> {
    let units = Units::read(&pack::binaries()).ok()?;
    let mut common = Hash::of(&fs::read(std::env::current_exe().ok()?).ok()?);
    if let Ok(models) = setup::models() {
        common = common.with(&fs::read(models).ok()?);
    }
    for (name, bytes) in lab.files().ok()?.iter().filter(|(name, _)| !name.starts_with("3COMPKT")) {
        common = common.with(name.as_bytes()).with(bytes);
    }
    let nic_of = |unit: &str| NICS.iter().map(|nic| nic.name).filter(|nic| unit.contains(nic)).max_by_key(|nic| nic.len());
    let mut nics: Vec<(&'static str, Hash)> = NICS.iter().map(|nic| (nic.name, Hash::of(&[]))).collect();
    for (unit, _) in units.all() {
        match nic_of(&unit.name).and_then(|name| nics.iter_mut().find(|(nic, _)| *nic == name)) {
            Some((_, hash)) => *hash = hash.with(&unit.bytes),
            None => common = common.with(&unit.bytes).with(&unit.attach),
        }
    }
    Some((common, nics))
}
