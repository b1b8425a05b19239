//! A card's clock in QEMU: QEMU's virtual clock, plus the time that accesses would have taken on the card's bus.
//!
//! The clock stands still during a call into the model. While the card sends a frame that the driver still writes, the clock
//! advances with accesses only. The driver writes without a pause; but the host may stop the machine at any instruction, for
//! longer than the frame takes. If that time counted, the card would run dry.

/// The most nanoseconds of QEMU's clock for which a card's clock may advance with accesses only.
const HOLD: u64 = 1_000_000_000;

/// A card's clock. `host` is QEMU's time.
pub struct Clock {
    /// Nanoseconds by which the card's clock is ahead of QEMU's.
    skew: u64,
    /// Nanoseconds of an access on the card's bus.
    access: u64,
    /// The card's time in the last call into the model.
    call: u64,
    /// While the clock advances with accesses only: the card's time, and QEMU's when that began.
    held: Option<(u64, u64)>,
}

impl Clock {
    /// A clock; `access` is the nanoseconds of an access.
    pub fn new(access: u64) -> Clock {
        Clock { skew: 0, access, call: 0, held: None }
    }

    /// The card's time.
    pub fn now(&self, host: u64) -> u64 {
        self.held.map_or_else(|| host + self.skew, |(now, _)| now)
    }

    /// Counts the time of an access.
    pub fn accessed(&mut self) {
        self.skew += self.access;
        self.held = self.held.map(|(now, since)| (now + self.access, since));
    }

    /// A call into the model begins. Returns the card's time until the call ends.
    pub fn begin(&mut self, host: u64) -> u64 {
        self.held = self.held.filter(|(_, since)| host < since + HOLD);
        self.call = self.now(host);
        self.call
    }

    /// A call into the model ends. `racing`: the card sends a frame that the driver still writes. `wake`: the card's time for the
    /// next call. Returns QEMU's time for it.
    pub fn end(&mut self, host: u64, racing: bool, wake: Option<u64>) -> Option<u64> {
        // The clock stands from the call's time on, not from now: the host may have stopped the machine in between.
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
