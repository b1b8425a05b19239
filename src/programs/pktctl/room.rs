//! Memory that is too large for the stack. One command runs at a time, and uses it as one thing.

use compkt::programs::config_sys::MOST;
use compkt::programs::rt::Shared;
use compkt::programs::screen::Screen;
use core::mem::ManuallyDrop;

/// What it may be.
pub union Room {
    /// What the live screen shows.
    pub screen: ManuallyDrop<Screen>,
    /// The file that is imported, or the CONFIG.SYS that is changed; one byte more than it may have.
    pub contents: [u8; MOST + 1],
}

/// The memory. All zeros are valid as either; no receiver uses it.
pub static ROOM: Shared<Room> = Shared::new(Room { screen: ManuallyDrop::new(Screen::new()) });
