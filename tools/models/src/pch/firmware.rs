//! What firmware does beside the driver: the management engine (ME) with its semaphore, its hold on the bus of the 82579, its veto
//! of resets of the PHY, and its way out of ultra low power.

use super::Pch;
use crate::Env;
use crate::faults::Kind;

/// Nanoseconds for which the firmware has the semaphore after power-on, and now and then.
const HOLD_AT_START: u64 = 30_000_000;
const HOLD_LATER: u64 = 2_000_000;
/// Each so many releases by the driver the firmware takes the semaphore.
const TURNS: u32 = 8;
/// Nanoseconds that the engine needs to configure the PHY.
const CONFIGURE: u64 = 60_000_000;
/// Nanoseconds for which the engine has the bus of the 82579 after a frame.
const HOLD_BUS: u64 = 20_000;

/// Bits of EXTCNF_CTRL.
mod extended {
    pub const SEMAPHORE: u32 = 1 << 5;
    /// The hardware leaves the PHY's configuration to the driver.
    pub const GATE: u32 = 1 << 7;
}

/// Bits of H2ME.
mod host {
    pub const LOW_POWER: u32 = 1 << 11;
    pub const ENFORCE: u32 = 1 << 12;
}

/// Bits of FWSM.
mod status {
    /// The PHY may be reset.
    pub const RESET_ALLOWED: u32 = 1 << 6;
    /// ULP is configured.
    pub const LOW_POWER: u32 = 1 << 10;
    /// The engine works.
    pub const VALID: u32 = 1 << 15;
    /// The engine has the bus.
    pub const BUS: u32 = 1 << 24;
}

/// The management engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Switched off.
    Off,
    /// It works.
    On,
    /// It works, forbids resets of the PHY, and has taken all receive addresses but three.
    Blocking,
}

/// The firmware's side.
#[derive(Clone, Debug)]
pub struct Firmware {
    engine: Engine,
    extended: u32,
    /// The driver wants the semaphore; it has it; a fault keeps it from getting it.
    wanted: bool,
    owned: bool,
    refused: bool,
    releases: u32,
    hold_until: u64,
    host: u32,
    low_power: bool,
    /// When the engine has entered (true) or left ULP.
    change: Option<(u64, bool)>,
    bus_until: u64,
    /// The driver has seen the bus free since its last write.
    seen_free: bool,
}

impl Firmware {
    /// As after power-on. `asleep`: the engine has put the PHY into ULP.
    pub fn new(engine: Engine, asleep: bool, now: u64) -> Firmware {
        Firmware {
            engine,
            extended: 0,
            wanted: false,
            owned: false,
            refused: false,
            releases: 0,
            hold_until: now + HOLD_AT_START,
            host: if asleep && engine != Engine::Off { host::LOW_POWER } else { 0 },
            low_power: asleep && engine != Engine::Off,
            change: None,
            bus_until: 0,
            seen_free: false,
        }
    }

    /// A reset of the MAC: the driver loses the semaphore.
    pub fn reset(&mut self) {
        (self.wanted, self.owned, self.refused) = (false, false, false);
        self.extended &= !extended::GATE;
    }

    /// The driver has the semaphore.
    pub fn owned(&self) -> bool {
        self.owned
    }

    /// The PHY may be reset.
    pub fn allows_reset(&self) -> bool {
        self.engine != Engine::Blocking
    }

    /// When it has something to do.
    pub fn event_at(&self) -> Option<u64> {
        self.change.map(|(at, _)| at)
    }

    /// EXTCNF_CTRL.
    pub fn extended(&self) -> u32 {
        self.extended | if self.owned { extended::SEMAPHORE } else { 0 }
    }

    /// H2ME.
    pub fn host(&self) -> u32 {
        self.host
    }

    /// FWSM. With the bus free, the next write reaches its register.
    pub fn status(&mut self, now: u64) -> u32 {
        let busy = now < self.bus_until;
        self.seen_free = !busy;
        let engine = match self.engine {
            Engine::Off => status::RESET_ALLOWED,
            Engine::On => status::RESET_ALLOWED | status::VALID,
            Engine::Blocking => status::VALID | 3 << 7,
        };
        engine | if self.low_power { status::LOW_POWER } else { 0 } | if busy { status::BUS } else { 0 }
    }

    /// Shared receive addresses that the driver may write.
    pub fn unlocked(&self) -> usize {
        if self.engine == Engine::Blocking { 3 } else { usize::MAX }
    }

    /// A frame was sent or received: the engine has a look at it.
    pub fn look(&mut self, now: u64) {
        if self.engine != Engine::Off {
            self.bus_until = now + HOLD_BUS;
        }
    }

    /// Whether a write now gets lost in the arbiter.
    pub fn loses(&mut self, now: u64) -> bool {
        let seen = std::mem::take(&mut self.seen_free);
        now < self.bus_until && !seen
    }
}

impl Pch {
    /// EXTCNF_CTRL is written.
    pub(super) fn write_extended(&mut self, now: u64, value: u32) {
        let wanted = value & extended::SEMAPHORE != 0;
        if wanted && !self.me.wanted {
            self.me.refused = self.faults.strikes(Kind::StuckSemaphore);
        }
        if !wanted && self.me.owned {
            self.me.releases += 1;
            if self.me.releases.is_multiple_of(TURNS) {
                self.me.hold_until = now + HOLD_LATER;
            }
        }
        self.me.wanted = wanted;
        self.me.owned &= wanted;
        self.me.extended = value & !extended::SEMAPHORE;
        self.grant(now);
    }

    /// Gives the semaphore to the driver if it can have it.
    fn grant(&mut self, now: u64) {
        self.me.owned |= self.me.wanted && !self.me.refused && now >= self.me.hold_until;
    }

    /// H2ME is written.
    pub(super) fn write_host(&mut self, now: u64, value: u32) {
        self.me.host = value;
        if self.me.engine != Engine::Off && value & host::ENFORCE != 0 && self.part.ulp {
            let asleep = value & host::LOW_POWER != 0;
            self.me.change = (asleep != self.phy.asleep() || asleep != self.me.low_power).then_some((now + CONFIGURE, asleep));
        }
    }

    /// Does what the firmware has due.
    pub(super) fn firmware_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        self.grant(now);
        let Some((_, asleep)) = self.me.change.take_if(|(at, _)| *at <= now) else { return };
        self.me.low_power = asleep;
        if !asleep {
            self.phy.leave_low_power(now);
        } else if self.phy.enter_low_power(now) {
            self.link_changed(env);
        }
    }
}
