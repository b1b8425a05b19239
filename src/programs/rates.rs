//! Frames and bytes a second, from counters that wrap and a clock that is read at odd times.

/// A driver's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames received.
    pub frames_in: u32,
    /// Their bytes.
    pub bytes_in: u32,
    /// Frames received with errors.
    pub errors_in: u32,
    /// Frames that nobody took.
    pub lost: u32,
    /// Frames sent.
    pub frames_out: u32,
    /// Their bytes.
    pub bytes_out: u32,
    /// Frames that were not sent.
    pub errors_out: u32,
}

/// What they change by in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Frames received.
    pub frames_in: u32,
    /// Bytes received.
    pub bytes_in: u32,
    /// Frames sent.
    pub frames_out: u32,
    /// Bytes sent.
    pub bytes_out: u32,
    /// The most bytes of one direction until now.
    most: u32,
}

/// The least that a full bar means, in bytes a second.
const LEAST: u32 = 1000;

/// What a second has of a `change` in so many BIOS ticks, of which 18.2 are a second.
pub const fn a_second(change: u32, ticks: u16) -> u32 {
    if ticks == 0 {
        return 0;
    }
    let ticks = ticks as u32;
    if change <= u32::MAX / 182 { (change * 182) / (ticks * 10) } else { (change / ticks).saturating_mul(18) }
}

/// What a full bar means: 1, 2 or 5 and zeros, not below `most`; `least`, with 1 and zeros, or more.
pub const fn full_bar(most: u32, least: u32) -> u32 {
    let mut scale = least;
    loop {
        let mut step = 0;
        while step < 3 {
            let full = scale.saturating_mul([1, 2, 5][step]);
            if full >= most {
                return full;
            }
            step += 1;
        }
        scale = scale.saturating_mul(10);
    }
}

impl Rates {
    /// Nothing.
    pub const fn new() -> Rates {
        Rates { frames_in: 0, bytes_in: 0, frames_out: 0, bytes_out: 0, most: 0 }
    }

    /// Takes new counters, which came `ticks` behind the old ones.
    pub fn take(&mut self, old: &Counts, new: &Counts, ticks: u16) {
        let rate = |old: u32, new: u32| a_second(new.wrapping_sub(old), ticks);
        self.frames_in = rate(old.frames_in, new.frames_in);
        self.bytes_in = rate(old.bytes_in, new.bytes_in);
        self.frames_out = rate(old.frames_out, new.frames_out);
        self.bytes_out = rate(old.bytes_out, new.bytes_out);
        self.most = self.most.max(self.bytes_in).max(self.bytes_out);
    }

    /// The bytes a second of a full bar: 1, 2 or 5 and zeros, not below the most until now.
    pub const fn scale(&self) -> u32 {
        full_bar(self.most, LEAST)
    }

    /// Forgets the most.
    pub fn reset(&mut self) {
        self.most = 0;
    }
}
