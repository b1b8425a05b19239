//! The stages of the installation, in the order in which they run.
//!
//! | stage | slot | what it does | next |
//! |---|---|---|---|
//! | line | B | opens the file, reads the command line | ready |
//! | ready | B | `/?`; is the driver left out, may it stand here? | unload, list, take or search |
//! | verbose | A | `/V`: tells of the vector and the cards on PCI | isa |
//! | isa | A | `/V`: tells of the cards on ISA | as ready |
//! | list | B | several NICs: checks the lists of `/NIC=` and `/INT=` | search, gather |
//! | unload | A | `/U` | |
//! | take | A | `/REPLACE`, `/APPLY`: stops the card of the copy that is loaded | search |
//! | search | A | finds a card that nobody has | place or gather |
//! | gather | B | several NICs: takes memory for the card that was found | search, start, rest |
//! | keep | B | several NICs: keeps what is known of a card that was started | gather |
//! | rest | B | several NICs: takes memory for what is there once | join |
//! | place | B | takes memory for all that stays, and reads it from the file | start |
//! | start | A's end | starts the card, by a unit in slot B; tells the core | stand or keep |
//! | stand | A's end | attaches the features, hooks the vectors | report, with `/V` |
//! | join | A's end | several NICs: tells the core, and as stand | |
//! | handover | A's end | with `/REPLACE` instead of stand: takes the clients over, too | |
//! | back | A | `/APPLY`, or `/REPLACE` has failed: starts the card for the copy that is loaded | search, if no card was found |
//! | report | A's end | `/V`: tells of the interrupt and the link | |
//!
//! The other files are parts of those.

pub mod bonds;
pub mod numbers;
pub mod switches;

#[cfg(target_os = "none")]
pub mod about;
#[cfg(target_os = "none")]
pub mod apply;
#[cfg(target_os = "none")]
pub mod attach;
#[cfg(target_os = "none")]
pub mod back;
#[cfg(target_os = "none")]
pub mod chain;
#[cfg(target_os = "none")]
pub mod copies;
#[cfg(target_os = "none")]
pub mod extended;
#[cfg(target_os = "none")]
pub mod gather;
#[cfg(target_os = "none")]
pub mod ground;
#[cfg(target_os = "none")]
pub mod handover;
#[cfg(target_os = "none")]
pub mod hook;
#[cfg(target_os = "none")]
pub mod isa;
#[cfg(target_os = "none")]
pub mod join;
#[cfg(target_os = "none")]
pub mod keep;
#[cfg(target_os = "none")]
pub mod line;
#[cfg(target_os = "none")]
pub mod list;
#[cfg(target_os = "none")]
pub mod owners;
#[cfg(target_os = "none")]
pub mod pci;
#[cfg(target_os = "none")]
pub mod place;
#[cfg(target_os = "none")]
pub mod ready;
#[cfg(target_os = "none")]
pub mod report;
#[cfg(target_os = "none")]
pub mod rest;
#[cfg(target_os = "none")]
pub mod search;
#[cfg(target_os = "none")]
pub mod stand;
#[cfg(target_os = "none")]
pub mod start;
#[cfg(target_os = "none")]
pub mod state;
#[cfg(target_os = "none")]
pub mod take;
#[cfg(target_os = "none")]
pub mod unload;
#[cfg(target_os = "none")]
pub mod vds;
#[cfg(target_os = "none")]
pub mod verbose;
#[cfg(target_os = "none")]
pub mod xms;
