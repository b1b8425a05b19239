//! How often a frame's handle is known without a search, on a mix of traffic as a LAN has it, and that it is the right one.

use compkt::memory::known::Known;

use super::world::Random;

const IP: [u8; 2] = [8, 0];
const ARP: [u8; 2] = [8, 6];
const IPX: [u8; 2] = [0x81, 0x37];
const IPV6: [u8; 2] = [0x86, 0xDD];

/// Frames in the order in which they come: bursts of a client's IP, and between them what everybody sends to everybody.
#[derive(Clone, Copy, Debug)]
struct Mix {
    name: &'static str,
    /// Of 1,000 frames between bursts; the others are IP.
    arp: usize,
    ipx: usize,
    ieee: usize,
    ipv6: usize,
    /// Mean length of a burst.
    burst: usize,
}

const TRANSFER: Mix = Mix { name: "a transfer", arp: 500, ipx: 100, ieee: 100, ipv6: 20, burst: 30 };
const OFFICE: Mix = Mix { name: "an office", arp: 400, ipx: 150, ieee: 100, ipv6: 20, burst: 12 };
const MIXES: [Mix; 2] = [TRANSFER, OFFICE];
const FRAMES: usize = 100_000;

fn frames(mix: Mix, seed: u64) -> Vec<[u8; 2]> {
    let mut random = Random::seeded(seed);
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

/// Whose frames those are, as a search finds it.
fn taker(kind: [u8; 2]) -> u16 {
    match kind {
        IP => 0x100,
        ARP => 0x110,
        IPX => 0x120,
        [0..6, _] => 0x130 + u16::from(kind[1] & 16),
        _ => 0,
    }
}

#[test]
fn nine_of_ten_frames_find_their_handle_without_a_search() {
    for (mix, seed) in MIXES.into_iter().flat_map(|mix| (0..5).map(move |seed| (mix, seed))) {
        let mut known = Known::default();
        // What a single place would do.
        let (mut last, mut one) = ([0; 2], 0);
        for kind in frames(mix, seed) {
            // SAFETY: the test's own.
            let got = unsafe { Known::taker(&raw mut known, u16::from_le_bytes(kind), || taker(kind)) };
            assert_eq!(got, taker(kind), "{kind:x?}");
            one += u32::from(last == kind && kind[0] >= 6);
            last = kind;
        }
        let of = |hits: u32| f64::from(hits) * 100.0 / f64::from(known.hits + known.misses);
        println!("{}, seed {seed}: {:.1} % of frames, with one place {:.1} %", mix.name, of(known.hits), of(one));
        assert!(of(known.hits) > 95.0);
    }
}

#[test]
fn what_changes_with_handles_is_forgotten() {
    let mut known = Known::default();
    for kind in [IP, ARP] {
        for (expected, found) in [(1, 1), (1, 2)] {
            // SAFETY: the test's own.
            assert_eq!(unsafe { Known::taker(&raw mut known, u16::from_le_bytes(kind), || found) }, expected);
        }
    }
    // SAFETY: as above.
    unsafe { Known::forget(&raw mut known) };
    for kind in [IP, ARP] {
        // SAFETY: as above.
        assert_eq!(unsafe { Known::taker(&raw mut known, u16::from_le_bytes(kind), || 3) }, 3);
    }
    assert_eq!((known.hits, known.misses), (2, 4));
}

#[test]
fn of_a_length_nothing_is_known() {
    let mut known = Known::default();
    for length in [[0, 0], [0, 0], [5, 0x10], [5, 0xEE]] {
        for taker in [1, 2] {
            // SAFETY: the test's own.
            assert_eq!(unsafe { Known::taker(&raw mut known, u16::from_le_bytes(length), || taker) }, taker, "{length:x?}");
        }
    }
    assert_eq!((known.hits, known.misses), (0, 8));
}
