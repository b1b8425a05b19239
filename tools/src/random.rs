//! Random numbers that are the same in every run, by a seed.

/// xorshift (13, 7, 17).
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// With any seed; similar seeds give different numbers.
    pub fn new(seed: u64) -> Random {
        // The generator would stay at 0.
        Random(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    /// 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        self.word() as usize % limit
    }

    /// True once in so many times; 0: never.
    pub fn one_in(&mut self, many: usize) -> bool {
        many != 0 && self.below(many) == 0
    }

    /// One of the elements.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}
