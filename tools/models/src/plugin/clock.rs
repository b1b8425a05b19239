//! A card's time in QEMU. It is QEMU's virtual clock, ahead by what the accesses on the card's bus would have taken.
//!
//! The time stands while the model is at work, and goes on by accesses alone while a frame goes out of which the machine
//! still writes the end. The machine writes without a pause, but QEMU's host may stop it at any instruction for longer than
//! the frame takes, and a card that counted that would run dry.

/// Nanoseconds of QEMU's clock for which the card's goes on by accesses alone, at the most.
const HOLD: u64 = 1_000_000_000;

/// A card's clock. `host` is what QEMU's clock says.
pub struct Clock {
    /// Nanoseconds by which the card's clock is ahead of QEMU's.
    skew: u64,
    /// What one access takes on the card's bus.
    access: u64,
    /// The card's time in the call into the model that began last.
    call: u64,
    /// While a frame is written that goes out: the card's time, and QEMU's when that began.
    held: Option<(u64, u64)>,
}

impl Clock {
    /// A card's clock, with the nanoseconds that an access takes.
    pub fn new(access: u64) -> Clock {
        Clock { skew: 0, access, call: 0, held: None }
    }

    /// The card's time.
    pub fn now(&self, host: u64) -> u64 {
        self.held.map_or_else(|| host + self.skew, |(now, _)| now)
    }

    /// An access takes its time.
    pub fn accessed(&mut self) {
        self.skew += self.access;
        self.held = self.held.map(|(now, since)| (now + self.access, since));
    }

    /// A call into the model begins: the time that holds until its end.
    pub fn begin(&mut self, host: u64) -> u64 {
        self.held = self.held.filter(|(_, since)| host < since + HOLD);
        self.call = self.now(host);
        self.call
    }

    /// A call into the model ends, with or without a frame that is written while it goes out; `wake` is the card's time at
    /// which the model wants the next call. QEMU's time at which it is due.
    pub fn end(&mut self, host: u64, racing: bool, wake: Option<u64>) -> Option<u64> {
        // From the call's own time: the host may have stopped since.
        self.held = racing.then(|| self.held.unwrap_or((self.call, host)));
        self.held.map(|(_, since)| since + HOLD).or(wake.map(|at| at.saturating_sub(self.skew)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: u64 = 1_000;
    /// The host stops the machine for so long.
    const PAUSE: u64 = 3_000_000;

    #[test]
    fn a_host_that_stops_between_two_accesses_of_a_frame_takes_no_time() {
        let mut clock = Clock::new(ACCESS);
        let begun = clock.begin(50_000);
        clock.end(50_000, true, None);
        clock.accessed();
        assert_eq!(clock.begin(50_000 + PAUSE), begun + ACCESS);
    }

    #[test]
    fn a_host_that_stops_within_the_access_that_starts_a_frame_takes_no_time() {
        let mut clock = Clock::new(ACCESS);
        let begun = clock.begin(50_000);
        clock.end(50_000 + PAUSE, true, None);
        clock.accessed();
        assert_eq!(clock.begin(50_100 + PAUSE), begun + ACCESS);
    }

    #[test]
    fn a_frame_that_is_never_written_to_its_end_runs_dry() {
        let mut clock = Clock::new(ACCESS);
        clock.begin(50_000);
        assert_eq!(clock.end(50_000, true, None), Some(50_000 + HOLD));
        assert_eq!(clock.begin(50_000 + HOLD), 50_000 + HOLD);
    }
}
