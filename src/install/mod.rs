//! The installer: everything that is thrown away once the driver stands.

/// A text that is wanted only until the first probe is read, which then lies where the text was
/// (linker/installer.ld).
macro_rules! early {
    ($text:expr) => {{
        const TEXT: &str = $text;
        #[cfg_attr(target_os = "none", unsafe(link_section = ".early_text"))]
        static BYTES: [u8; TEXT.len()] = $crate::install::bytes(TEXT);
        // SAFETY: a string's bytes.
        unsafe { core::str::from_utf8_unchecked(&BYTES) }
    }};
}

/// A string's bytes; `N` is their number.
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = text.as_bytes()[at];
        at += 1;
    }
    bytes
}

pub mod lines;
pub mod numbers;
pub mod switches;

#[cfg(target_os = "none")]
pub mod about;
#[cfg(target_os = "none")]
pub mod dos;
#[cfg(target_os = "none")]
pub mod extended;
#[cfg(target_os = "none")]
pub mod ground;
#[cfg(target_os = "none")]
pub mod hardware;
#[cfg(target_os = "none")]
pub mod header;
#[cfg(target_os = "none")]
pub mod hook;
#[cfg(target_os = "none")]
pub mod load;
#[cfg(target_os = "none")]
pub mod pci;
#[cfg(target_os = "none")]
pub mod place;
#[cfg(target_os = "none")]
pub mod pool;
#[cfg(target_os = "none")]
pub mod print;
#[cfg(target_os = "none")]
pub mod run;
#[cfg(target_os = "none")]
pub mod unload;
#[cfg(target_os = "none")]
pub mod vds;
#[cfg(target_os = "none")]
pub mod xms;
