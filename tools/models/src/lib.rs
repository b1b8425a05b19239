//! Models of NICs, written from the data sheets with their own numbers: double entry for the drivers.
//!
//! A [`Model`] acts on the world only by its [`Env`]: that of a fake bus in host tests, that of QEMU in the plugin. It complains
//! of every access that no real card would accept.

pub mod corkscrew;
pub mod el3;
pub mod elink;
pub mod faults;
pub mod front;
pub mod intel;
pub mod isa;
pub mod ne2000;
pub mod pch;
pub mod pci;
pub mod plugin;
pub mod pnp;
pub mod rtl8169;
pub mod tg3;
pub mod virtio_net;
pub mod vortex;

/// The world as a card sees it.
pub trait Env {
    /// Nanoseconds since any fixed time; never decreases.
    fn now_ns(&self) -> u64;
    /// Sets the interrupt line that the card drives.
    fn set_irq(&mut self, active: bool);
    /// Sends a frame: MAC header and data, without the check sequence.
    fn transmit(&mut self, frame: &[u8]);
    /// Bus-master read of physical memory.
    fn dma_read(&mut self, address: u32, to: &mut [u8]);
    /// Bus-master write of physical memory.
    fn dma_write(&mut self, address: u32, from: &[u8]);
    /// Whether a card on the ISA bus gets the bus by this DMA channel: the channel is in cascade mode and not masked. A host
    /// that cannot tell returns true.
    fn cascades(&self, channel: u8) -> bool {
        channel != 4
    }
    /// Sets a word of the card's PCI configuration space that the driver only reads.
    fn set_config(&mut self, at: u8, value: u16) {
        let _ = (at, value);
    }
    /// Sets the PCI command register, as a reset of some chips does.
    fn set_command(&mut self, value: u16) {
        let _ = value;
    }
    /// Whether the card is in a power state in which only its configuration space answers.
    fn asleep(&self) -> bool {
        false
    }
    /// Reports that the driver did what no real card would accept. Host tests panic; the plugin writes a line to its log.
    fn complain(&mut self, what: &str);
}

/// A card.
pub trait Model {
    /// Reads `width` bytes (1, 2 or 4) at `offset` from the card's base address.
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32;
    /// Writes `width` bytes (1, 2 or 4) at `offset` from the card's base address.
    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32);
    /// Reads `width` bytes behind base address register `bar`. Cards with several blocks tell them apart by it.
    fn read_bar(&mut self, env: &mut dyn Env, bar: u8, offset: u16, width: u8) -> u32 {
        let _ = bar;
        self.read(env, offset, width)
    }
    /// Writes `width` bytes there.
    fn write_bar(&mut self, env: &mut dyn Env, bar: u8, offset: u16, width: u8, value: u32) {
        let _ = bar;
        self.write(env, offset, width, value);
    }
    /// Reads `width` bytes of the PCI configuration space. None: the card keeps nothing there, the bus answers.
    fn read_config(&mut self, env: &mut dyn Env, offset: u8, width: u8) -> Option<u32> {
        let _ = (env, offset, width);
        None
    }
    /// Writes `width` bytes of the PCI configuration space. False: the card keeps nothing there, the bus takes it.
    fn write_config(&mut self, env: &mut dyn Env, offset: u8, width: u8, value: u32) -> bool {
        let _ = (env, offset, width, value);
        false
    }
    /// A frame arrives, without its check sequence. False: the card had no room or its filter refused it.
    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool;
    /// Does what the card has done by itself until now, such as the end of a transmission. Called before every access and
    /// frame; a host may call it more often.
    fn poll(&mut self, env: &mut dyn Env) {
        let _ = env;
    }
    /// When [`Model::poll`] has something to do next, by [`Env::now_ns`]. None: nothing is in progress.
    fn wake_at(&self) -> Option<u64> {
        None
    }
    /// Whether a frame is being sent whose end the machine has not written yet.
    fn racing(&self) -> bool {
        false
    }
    /// Whether the next frame may begin to arrive; not while one is on the wire.
    fn wire_free(&self, _now_ns: u64) -> bool {
        true
    }
    /// The cable is plugged in or pulled out.
    fn set_link(&mut self, env: &mut dyn Env, up: bool);
    /// The reset line of the bus.
    fn hard_reset(&mut self, env: &mut dyn Env);
}
