//! The LAN in Intel's chipsets: 82577, 82579, I217, I218, I219; Linux's e1000e drives them.
//!
//! Sources: what several drivers agree on, and the manuals that they cite. The part begins as firmware leaves it: causes of an
//! earlier driver's pending, the link down and negotiating, the semaphore held for 30 ms, the multicast table undefined, on the I218 and
//! I219 the PHY in ultra low power, on the 82579 the management engine on the bus now and then.
//! Tested by Linux's e1000e, on all six parts: flash and checksum, semaphore, PHY and its pages, ULP with and without the engine,
//! resets, both rings, checksums and segments, the multicast table, link and its interrupts, the flush of the I219, the arbiter.
//! By iPXE of Debian 12 on all but the last I219: legacy descriptors, polled; it knows neither ULP nor the arbiter.
//! Not tested by either: ports, the blank flash, what an earlier owner left in an I219, faults but five of them. Guesses are all
//! times, and when the engine takes the semaphore and the bus. The model does not moderate interrupts, does not check received
//! checksums, strips no VLAN tags, and has no MSI, no wake-up and one queue in each direction.

mod firmware;
mod flash;
mod mdio;
mod offload;
mod part;
mod phy;
mod registers;
mod ring;
mod rx;
mod tally;
mod tx;

pub use firmware::Engine;
pub use part::*;

use crate::faults::{self, Faults};
use crate::{Env, Model};
use firmware::Firmware;
use flash::Flash;
use mdio::Mdio;
use phy::Phy;
use rx::Rx;
use std::collections::BTreeMap;
use tally::Tally;
use tx::Tx;

/// Nanoseconds behind a reset in which an access to a register may hang the machine. Drivers wait 20 ms.
const QUIET: u64 = 18_000_000;
/// Nanoseconds until the PHY is configured after a reset of it, or of the MAC.
const CONFIGURE: u64 = 12_000_000;
/// Nanoseconds until the PHY's power is stable.
const POWER: u64 = 8_000_000;
/// Nanoseconds of a negotiation, if the options say nothing else.
const NEGOTIATION: u64 = 700_000_000;
/// What the multicast table has after power-on.
const UNDEFINED: u32 = 0xA5A5_5A5A;
/// The word of the PCI configuration space that tells whether the I219 holds descriptors, and its bit.
const HELD: (u8, u16) = (0xE4, 1 << 8);

/// Interrupt causes.
mod cause {
    pub const TX_DONE: u32 = 1;
    pub const TX_EMPTY: u32 = 1 << 1;
    pub const LINK: u32 = 1 << 2;
    pub const RX_FEW: u32 = 1 << 4;
    pub const RX_OVERRUN: u32 = 1 << 6;
    pub const RX_DONE: u32 = 1 << 7;
    pub const MDIO: u32 = 1 << 9;
    pub const ALL: u32 = 0x01FF_FFFF;
    pub const ASSERTED: u32 = 1 << 31;
}

/// Bits of CTRL and CTRL_EXT.
mod control {
    pub const MASTER_OFF: u32 = 1 << 2;
    pub const LINK: u32 = 1 << 6;
    /// The driver switches the PHY's power, by the second bit.
    pub const POWER: u32 = 1 << 16;
    pub const POWER_ON: u32 = 1 << 17;
    pub const RESET: u32 = 1 << 26;
    pub const PHY_RESET: u32 = 1 << 31;
    /// CTRL_EXT: the PHY was switched off and on.
    pub const POWER_CYCLED: u32 = 1 << 2;
    /// CTRL_EXT: the MAC talks to the PHY by SMBus.
    pub const SMBUS: u32 = 1 << 11;
    /// CTRL_EXT: a read of the causes masks those in IAM.
    pub const AUTO_MASK: u32 = 1 << 27;
}

/// How an earlier driver has left a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// With causes pending, and the mask closed.
    Quiet,
    /// With its interrupts enabled: the line is high.
    Interrupting,
    /// With its PHY limited to 10 Mb/s, as operating systems do before they switch off.
    Slow,
    /// With descriptors that an I219 holds.
    Holding,
}

/// Properties of a part.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which part.
    pub part: Part,
    /// Its address.
    pub mac: [u8; 6],
    /// Its faults.
    pub faults: Faults,
    /// Nanoseconds of a byte on the wire; None: as the link's speed says.
    pub wire: Option<u64>,
    /// Nanoseconds until the link is up.
    pub negotiation: u64,
    /// How an earlier driver has left it.
    pub left: Left,
    /// The management engine.
    pub engine: Engine,
    /// The PHY is in ultra low power, if the part has that.
    pub asleep: bool,
    /// The flash has no image for the LAN.
    pub blank: bool,
    /// An 82577 with K1 on at 1 Gb/s loses frames.
    pub k1_loses: bool,
}

impl Options {
    /// An ordinary part.
    pub fn new(part: Part, mac: [u8; 6]) -> Options {
        Options {
            part,
            mac,
            faults: Faults::none(),
            wire: None,
            negotiation: NEGOTIATION,
            left: Left::Quiet,
            engine: Engine::On,
            asleep: true,
            blank: false,
            k1_loses: false,
        }
    }
}

/// Descriptors that an I219 holds: of its transmitter, of its receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    tx: bool,
    rx: bool,
}

/// The part.
pub struct Pch {
    options: Options,
    part: Part,
    /// Its faults.
    pub faults: Faults,
    /// Registers that only keep what is written.
    file: BTreeMap<u16, u32>,
    ctrl: u32,
    ctrl_ext: u32,
    icr: u32,
    ims: u32,
    /// The interrupt line shall be high; it stays low by a fault; it is high.
    wanted: bool,
    lost: bool,
    line: bool,
    /// Receive addresses: the station's, then the shared ones.
    addresses: [(u32, u32); 12],
    table: [u32; 32],
    initialised: bool,
    phy_was_reset: bool,
    power_cycled: bool,
    /// When the configuration after a reset ends, and when the PHY has its power again.
    initialised_at: Option<u64>,
    powered_at: Option<u64>,
    /// No register may be accessed before this time.
    quiet_until: u64,
    /// A reset that never ends.
    stuck: bool,
    held: Held,
    /// The unit hangs until a reset of the bus.
    hung: bool,
    port_address: u32,
    me: Firmware,
    flash: Flash,
    mdio: Mdio,
    phy: Phy,
    tx: Tx,
    rx: Rx,
    tally: Tally,
    gone: bool,
}

impl Pch {
    /// A part after power-on.
    pub fn new(options: Options) -> Pch {
        let part = options.part;
        let asleep = options.asleep && part.ulp;
        let mut card = Pch {
            part,
            faults: options.faults.clone(),
            file: BTreeMap::new(),
            ctrl: 0,
            ctrl_ext: 0,
            icr: 0,
            ims: 0,
            wanted: false,
            lost: false,
            line: false,
            addresses: [(0, 0); 12],
            table: [UNDEFINED; 32],
            initialised: true,
            phy_was_reset: false,
            power_cycled: false,
            initialised_at: None,
            powered_at: None,
            quiet_until: 0,
            stuck: false,
            held: Held::default(),
            hung: false,
            port_address: 0,
            me: Firmware::new(options.engine, asleep, 0),
            flash: Flash::new(part, options.mac, options.blank, &options.faults),
            mdio: Mdio::new(true),
            phy: Phy::new(part, options.negotiation, asleep, 0),
            tx: Tx::default(),
            rx: Rx::default(),
            tally: Tally::default(),
            gone: false,
            options,
        };
        card.power_on(0);
        card
    }

    /// As the firmware leaves it. The cable, faults and what the part has lost for good stay.
    fn power_on(&mut self, now: u64) {
        let (left, asleep) = (self.options.left, self.options.asleep && self.part.ulp);
        self.after_reset();
        self.table = [UNDEFINED; 32];
        (self.initialised, self.hung, self.stuck, self.quiet_until) = (true, false, false, 0);
        self.me = Firmware::new(self.options.engine, asleep, now);
        self.phy = Phy::new(self.part, self.options.negotiation, asleep, now);
        if left == Left::Slow {
            self.phy.slow_down();
        }
        self.icr = cause::TX_DONE | cause::LINK | cause::RX_DONE;
        self.ims = if left == Left::Interrupting { cause::LINK | cause::RX_DONE } else { 0 };
        self.held = Held { tx: left == Left::Holding && self.part.whole(), rx: false };
        if self.held.tx {
            self.tx.ring.leave();
        }
    }

    /// Back to what a reset of the MAC leaves.
    fn after_reset(&mut self) {
        self.file = registers::defaults(self.part.generation).collect();
        (self.ctrl, self.ctrl_ext) = (0x0010_0201, 0x1002);
        if !self.me.allows_reset() {
            // The engine uses the link, which drivers do not set up then.
            self.ctrl |= control::LINK;
        }
        (self.icr, self.ims) = (0, 0);
        self.addresses = [(0, 0); 12];
        if let Some([a, b, c, d, e, f]) = self.flash.station() {
            self.addresses[0] = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, 0, 0x80]));
        }
        (self.initialised, self.phy_was_reset, self.power_cycled) = (false, false, false);
        (self.initialised_at, self.powered_at) = (None, None);
        self.mdio = Mdio::new(true);
        self.me.reset();
        self.tx = Tx::default();
        self.rx = Rx::default();
        self.tally = Tally::default();
    }

    /// CTRL is written.
    fn write_ctrl(&mut self, env: &mut dyn Env, value: u32) {
        let now = env.now_ns();
        let before = std::mem::replace(&mut self.ctrl, value & !control::RESET);
        let linked = self.phy.link() && before & control::LINK != 0;
        let off = |word: u32| word & (control::POWER | control::POWER_ON) == control::POWER;
        if off(value) != off(before) && self.me.allows_reset() {
            self.phy.power(!off(value), now);
            self.power_cycled = false;
            self.powered_at = (!off(value)).then_some(now + POWER);
        }
        if value & control::PHY_RESET & !before != 0 {
            self.reset_phy(env);
        }
        if value & control::RESET != 0 {
            self.reset(env, value & control::PHY_RESET != 0);
        } else if linked != self.link_up() {
            self.raise(env, cause::LINK);
        }
    }

    /// The PHY's reset line.
    fn reset_phy(&mut self, env: &mut dyn Env) {
        if !self.me.owned() {
            env.complain("the PHY is reset without the semaphore");
        }
        if !self.me.allows_reset() {
            env.complain("the PHY is reset, which the management engine forbids");
            return;
        }
        let now = env.now_ns();
        // The MAC copies what the driver wants of speeds into the PHY.
        let wanted = self.kept(0xF10);
        self.phy.reset(now, ((wanted & 2) << 1 | wanted & 0x40) as u16);
        self.initialised = false;
        self.phy_was_reset = true;
        self.initialised_at = Some(now + CONFIGURE);
    }

    /// CTRL's reset.
    fn reset(&mut self, env: &mut dyn Env, phy: bool) {
        let now = env.now_ns();
        if self.tx.on() || self.rx.on() {
            env.complain("a reset while the transmitter or the receiver is on");
        }
        if self.held.tx || self.held.rx {
            env.complain("a reset while the unit holds descriptors: it hangs");
            self.hung = true;
        }
        self.after_reset();
        self.phy_was_reset = phy && self.me.allows_reset();
        self.quiet_until = now + QUIET;
        self.initialised_at = Some(now + CONFIGURE);
        if self.faults.strikes(faults::Kind::StuckCommand) {
            self.stuck = true;
            self.ctrl |= control::RESET;
            self.initialised_at = None;
        }
    }

    /// The MAC sees a link.
    fn link_up(&self) -> bool {
        self.phy.link() && self.ctrl & control::LINK != 0
    }

    /// The PHY's link went up or down.
    fn link_changed(&mut self, env: &mut dyn Env) {
        if self.ctrl & control::LINK != 0 {
            self.raise(env, cause::LINK);
        }
    }

    /// The MAC talks to the PHY by SMBus.
    fn by_smbus(&self) -> bool {
        self.ctrl_ext & control::SMBUS != 0
    }

    /// It can be bus master.
    fn masters(&self) -> bool {
        self.ctrl & control::MASTER_OFF == 0 && !self.hung && !self.stuck && !self.gone
    }

    /// Nanoseconds of a byte on the wire.
    fn byte_time(&self) -> u64 {
        self.options.wire.unwrap_or(match self.phy.speed() {
            1000 => 8,
            100 => 80,
            _ => 800,
        })
    }

    /// A register of the receive ring.
    fn write_rx_ring(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        if at == 0x18 && self.faults.strikes(faults::Kind::LostWrite) {
            return;
        }
        let deaf = at == 0x18 && self.faults.strikes(faults::Kind::LostDoorbell);
        self.rx.ring.write(env, at, value, self.rx.on(), deaf);
        self.receive_due(env);
    }

    /// A register of the transmit ring.
    fn write_tx_ring(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        if at == 0x18 && self.faults.strikes(faults::Kind::LostWrite) {
            return;
        }
        let deaf = at == 0x18 && self.tx.on() && self.faults.strikes(faults::Kind::LostDoorbell);
        self.tx.ring.write(env, at, value, self.tx.on(), deaf);
        if at == 0x18 {
            self.tx_doorbell(env);
        }
    }

    /// Tells in the configuration space whether the unit holds descriptors.
    fn show_held(&self, env: &mut dyn Env) {
        if self.part.whole() {
            env.set_config(HELD.0, if self.held.tx || self.held.rx { HELD.1 } else { 0 });
        }
    }

    /// ICR is read. A read clears it if an interrupt is asserted, or if all are masked.
    fn read_causes(&mut self, env: &mut dyn Env) -> u32 {
        let asserted = self.icr & self.ims != 0;
        let value = self.icr | if asserted { cause::ASSERTED } else { 0 };
        if asserted || self.ims == 0 {
            self.icr = 0;
        }
        if asserted && self.ctrl_ext & control::AUTO_MASK != 0 {
            self.ims &= !self.kept(0xE0);
        }
        self.drive(env);
        value
    }

    /// Latches causes.
    fn raise(&mut self, env: &mut dyn Env, causes: u32) {
        self.icr |= causes;
        self.drive(env);
    }

    /// Drives the interrupt line.
    fn drive(&mut self, env: &mut dyn Env) {
        let wanted = self.icr & self.ims != 0 && !self.gone;
        if wanted && !self.wanted {
            self.lost = self.faults.strikes(faults::Kind::LostInterrupt);
        }
        self.wanted = wanted;
        let line = wanted && !self.lost;
        if line != self.line {
            self.line = line;
            env.set_irq(line);
        }
    }

    /// Does what is due by now.
    fn advance(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        self.initialised |= self.initialised_at.take_if(|at| *at <= now).is_some();
        self.power_cycled |= self.powered_at.take_if(|at| *at <= now).is_some();
        self.firmware_due(env);
        self.phy_due(env);
        if self.phy.advance(now) {
            self.link_changed(env);
        }
        self.transmit_due(env);
        self.receive_due(env);
        self.drive(env);
    }

    /// One register access: does the part answer?
    fn present(&mut self, env: &mut dyn Env) -> bool {
        if self.faults.strikes(faults::Kind::Vanish) {
            self.gone = true;
            self.drive(env);
        }
        if env.now_ns() < self.quiet_until {
            env.complain("a register is accessed less than 20 ms after a reset, which may hang the machine");
            return false;
        }
        !self.gone
    }

    /// Whether the arbiter of an 82579 loses a write. The driver can read a tail back; of other registers it would not know.
    fn arbiter_loses(&mut self, env: &mut dyn Env, offset: u16) -> bool {
        let lost = self.part.arbiter() && self.me.loses(env.now_ns());
        if lost && !matches!(offset, 0x2818 | 0x3818 | PORTS..) {
            env.complain(&format!("a write at {offset:04X}h while the engine has the bus: it is lost"));
        }
        lost
    }
}

impl Model for Pch {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        self.advance(env);
        if !self.present(env) {
            return u32::MAX >> (32 - 8 * width);
        }
        self.read_any(env, offset, width)
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        self.advance(env);
        if self.present(env) && !self.arbiter_loses(env, offset) {
            self.write_any(env, offset, width, value);
            self.drive(env);
        }
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.advance(env);
        let taken = self.link_up() && !self.gone && self.arrive(env, frame);
        self.drive(env);
        taken
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.advance(env);
    }

    fn wake_at(&self) -> Option<u64> {
        let tx = self.tx.event_at();
        let rx = self.rx.event_at().filter(|_| self.masters());
        [tx, rx, self.phy.wake_at(), self.me.event_at(), self.mdio.event_at(), self.initialised_at, self.powered_at].into_iter().flatten().min()
    }

    fn wire_free(&self, now_ns: u64) -> bool {
        self.rx.wire_free(now_ns)
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.advance(env);
        if self.phy.set_cable(up, env.now_ns()) {
            self.link_changed(env);
        }
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.power_on(env.now_ns());
        self.show_held(env);
        self.drive(env);
    }
}
