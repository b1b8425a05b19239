//! How often the type cache saves the search for a frame's handle, for a mix of frames as on a LAN; and that its handle is right.

use compkt::resident::handle::{self, KNOWN, Known, place_of};
use tools::random::Random;

const IP: [u8; 2] = [8, 0];
const ARP: [u8; 2] = [8, 6];
const IPX: [u8; 2] = [0x81, 0x37];
const IPV6: [u8; 2] = [0x86, 0xDD];
/// Frames of a mix.
const FRAMES: usize = 100_000;

/// The order of frames: bursts of a client's IP, and broadcasts between them.
#[derive(Clone, Copy, Debug)]
struct Mix {
    name: &'static str,
    /// Of 1,000 frames between bursts, those of ARP and IPX; the others are IP.
    arp: usize,
    ipx: usize,
    ieee: usize,
    ipv6: usize,
    /// Mean length of a burst.
    burst: usize,
}

const MIXES: [Mix; 2] = [
    Mix { name: "a transfer", arp: 500, ipx: 100, ieee: 100, ipv6: 20, burst: 30 },
    Mix { name: "an office", arp: 400, ipx: 150, ieee: 100, ipv6: 20, burst: 12 },
];

fn frames(mix: Mix, seed: u64) -> Vec<[u8; 2]> {
    let mut random = Random::new(seed);
    let mut frames = Vec::new();
    while frames.len() < FRAMES {
        frames.extend(std::iter::repeat_n(IP, random.below(2 * mix.burst + 1)));
        let which = random.below(1000);
        let shares = [(ARP, mix.arp), (IPX, mix.ipx), (IPV6, mix.ipv6), ([0, 60 + which as u8 % 100], mix.ieee)];
        let mut end = 0;
        let found = shares.into_iter().find(|(_, share)| {
            end += share;
            which < end
        });
        frames.push(found.map_or(IP, |(kind, _)| kind));
    }
    frames
}

/// The handle that a search finds for these frames.
fn taker(kind: [u8; 2]) -> u16 {
    match kind {
        IP => 0x100,
        ARP => 0x110,
        IPX => 0x120,
        [0..6, _] => 0x130 + u16::from(kind[1] & 16),
        _ => 0,
    }
}

/// The core's type cache, and the number of searches.
#[derive(Default)]
struct Core {
    known: [Known; KNOWN],
    searches: usize,
}

impl Core {
    /// The handle that gets a frame, if a search finds `found`.
    fn taker(&mut self, kind: [u8; 2], found: u16) -> u16 {
        let kind = u16::from_le_bytes(kind);
        let known = handle::recalled(&self.known, kind);
        if known != 0 {
            return known;
        }
        let place = &raw mut self.known[usize::from(place_of(kind)) / size_of::<Known>()];
        // SAFETY: both are this test's.
        unsafe {
            handle::learn(place, kind, || {
                self.searches += 1;
                found
            })
        }
    }
}

#[test]
fn nine_of_ten_frames_find_their_handle_without_a_search() {
    for (mix, seed) in MIXES.into_iter().flat_map(|mix| (0..5).map(move |seed| (mix, seed))) {
        let mut core = Core::default();
        // For comparison: a cache with one entry.
        let (mut last, mut one) = ([0; 2], 0);
        let frames = frames(mix, seed);
        for kind in &frames {
            assert_eq!(core.taker(*kind, taker(*kind)), taker(*kind), "{kind:x?}");
            one += usize::from(last == *kind && kind[0] >= 6);
            last = *kind;
        }
        let of = |hits: usize| hits as f64 * 100.0 / frames.len() as f64;
        let hits = of(frames.len() - core.searches);
        println!("{}, seed {seed}: {hits:.1} % of frames, with one place {:.1} %", mix.name, of(one));
        assert!(hits > 95.0);
    }
}

#[test]
fn what_is_remembered_stays_until_it_is_forgotten() {
    let mut core = Core::default();
    for kind in [IP, ARP] {
        assert_eq!(core.taker(kind, 1), 1);
        assert_eq!(core.taker(kind, 2), 1);
    }
    // Clears the cache as src/resident/state.rs does.
    core.known = Default::default();
    for kind in [IP, ARP] {
        assert_eq!(core.taker(kind, 3), 3);
    }
    assert_eq!(core.searches, 4);
}

#[test]
fn of_a_length_nothing_is_remembered_and_nothing_forgotten() {
    let mut core = Core::default();
    core.taker(IP, 1);
    core.taker(ARP, 2);
    for length in [[0, 0], [0, 0], [5, 0x10], [5, 0xEE]] {
        for found in [7, 8] {
            assert_eq!(core.taker(length, found), found, "{length:x?}");
        }
    }
    assert_eq!((core.taker(IP, 9), core.taker(ARP, 9), core.searches), (1, 2, 10));
}
