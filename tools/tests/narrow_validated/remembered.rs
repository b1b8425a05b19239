//! What has been validated: for each entry, by the hash of its two listings and of the validation itself, the blocks that
//! were reached.

use std::collections::BTreeSet;
use std::fs;
use std::hash::Hasher;
use std::path::PathBuf;

use tools::setup;

use crate::state::mix;

/// The validation's own text: after a change all is run again.
const OWN: [&str; 9] = [
    include_str!("hooks.rs"),
    include_str!("compare.rs"),
    include_str!("contract.rs"),
    include_str!("layout.rs"),
    include_str!("listing.rs"),
    include_str!("machine.rs"),
    include_str!("state.rs"),
    include_str!("unit.rs"),
    include_str!("validate.rs"),
];

/// A hash that is the same on every machine.
struct Hash(u64);

impl Hasher for Hash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte)).rotate_left(7);
        }
    }
}

/// The hash of an entry's texts.
pub fn hash(texts: &[&str]) -> u64 {
    let mut hash = Hash(0);
    texts.iter().chain(&OWN).for_each(|text| hash.write(text.as_bytes()));
    hash.finish()
}

fn place(hash: u64) -> PathBuf {
    setup::root().join(format!(".rigs/validated/{hash:016x}"))
}

/// The blocks that were reached when this was validated.
pub fn recall(hash: u64) -> Option<BTreeSet<String>> {
    fs::read_to_string(place(hash)).ok().map(|text| text.lines().map(str::to_string).collect())
}

/// Files after which all are forgotten: most are of listings that nobody has any more.
const MOST: usize = 5_000;

/// Keeps them. Where that fails the entry is run again another time.
pub fn remember(hash: u64, reached: &BTreeSet<String>) {
    let path = place(hash);
    let text: String = reached.iter().flat_map(|name| [name, "\n"]).collect();
    let Some(folder) = path.parent() else { return };
    if fs::read_dir(folder).is_ok_and(|files| files.count() > MOST) {
        let _ = fs::remove_dir_all(folder);
    }
    let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
}
