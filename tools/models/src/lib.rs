//! NIC models, written from the data sheets with their own numbers: double entry for the drivers.
//!
//! A [`Model`] is pure: it touches the world only through its [`Env`]. Host tests give it a fake bus,
//! the QEMU plugin gives it QEMU's. It complains of whatever no real card would accept.

pub mod corkscrew;
pub mod el3;
pub mod elink;
pub mod faults;
pub mod isa;
pub mod ne2000;
pub mod plugin;
pub mod pnp;
pub mod virtio_net;
pub mod vortex;

/// The world as a card sees it.
pub trait Env {
    /// Nanoseconds since some fixed moment. Never goes back.
    fn now_ns(&self) -> u64;
    /// The state of the interrupt line that the card drives.
    fn set_irq(&mut self, active: bool);
    /// A frame leaves the card: MAC header and data, without the check sequence.
    fn transmit(&mut self, frame: &[u8]);
    /// Bus-master read of physical memory.
    fn dma_read(&mut self, address: u32, to: &mut [u8]);
    /// Bus-master write of physical memory.
    fn dma_write(&mut self, address: u32, from: &[u8]);
    /// Does a card on the ISA bus get the bus by this DMA channel: is it in cascade mode and not masked? A host that does
    /// not know says yes.
    fn cascades(&self, channel: u8) -> bool {
        channel != 4
    }
    /// The driver did what no real card would accept. Host tests panic; the plugin writes a line to its log.
    fn complain(&mut self, what: &str);
}

/// A card.
pub trait Model {
    /// Reads `width` bytes (1, 2 or 4) at `offset` from the card's base address.
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32;
    /// Writes `width` bytes (1, 2 or 4) at `offset` from the card's base address.
    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32);
    /// A frame arrives from the wire, without the check sequence. False: the card had no room or did not want it.
    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool;
    /// Time has passed: what the card does by itself by now (the end of a transmission) happens here. Called before
    /// every access and frame; a host may call it more often.
    fn poll(&mut self, env: &mut dyn Env) {
        let _ = env;
    }
    /// When [`Model::poll`] has something to do next, in the nanoseconds of [`Env::now_ns`]. None: nothing is under way.
    fn wake_at(&self) -> Option<u64> {
        None
    }
    /// Does a frame go out of which the machine has yet to write the rest?
    fn racing(&self) -> bool {
        false
    }
    /// May the next frame begin to arrive, or is one still on the wire?
    fn wire_free(&self, _now_ns: u64) -> bool {
        true
    }
    /// The cable is plugged in or pulled out.
    fn set_link(&mut self, env: &mut dyn Env, up: bool);
    /// The reset line of the bus.
    fn hard_reset(&mut self, env: &mut dyn Env);
}
