//! Programs that have hooked our vectors after us. Those that keep the Interrupt Sharing Protocol say whom they call next, so
//! that the driver can be taken out from below them.

use super::hook::irq_vector;
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::address;
use crate::control::INTERRUPT;
use crate::info::{FLAG_V86, Info, NicInfo};
use crate::install::dos::{far, peek, poke, regs, vector};
use crate::install::kernel::say;
use crate::install::lines::Line;
use crate::sharing::{JUMP, LONGEST, NEXT, SIGNATURE, SIGNATURE_AT};

/// Vectors that the driver may have: its own, the card's, the timer's, the control interrupt.
const VECTORS: usize = 4;
/// The timer's vector.
pub const TIMER: u8 = 8;
/// One vector.
#[derive(Clone, Copy)]
struct Chain {
    number: u8,
    /// Who is on top; 0: nothing was changed.
    top: u32,
    /// Where the address stands by which ours is called.
    link: Addr,
}

/// The vectors.
pub struct Chains {
    chains: [Chain; VECTORS],
    /// Who is on top of a vector of ours and does not say whom he calls; 0: nobody.
    stranger: u32,
    segment: u16,
}

impl Chains {
    /// Of a driver.
    pub fn new(info: &Info, nic: &NicInfo) -> Chains {
        let card = if nic.irq == 0 { info.vector } else { irq_vector(nic.irq) };
        let chain = |number| Chain { number, top: 0, link: Addr(0) };
        Chains { chains: [info.vector, card, TIMER, INTERRUPT].map(chain), stranger: 0, segment: info.segment }
    }

    /// Has each vector lead to us directly, if we are in its chain: `terminate` wants that.
    #[inline(never)]
    pub fn put_us_on_top(&mut self) {
        for chain in &mut self.chains {
            let top = vector(chain.number);
            let mut link = Addr(chain.number as u32 * 4);
            let mut handler = top;
            for _ in 0..LONGEST {
                if handler >> 16 == self.segment as u32 {
                    if handler != top {
                        (chain.top, chain.link) = (top, link);
                        poke(Addr(chain.number as u32 * 4), &handler);
                    }
                    break;
                }
                let at = far(handler);
                if peek::<u8>(at) != JUMP || peek::<u16>(at.plus(SIGNATURE_AT)) != SIGNATURE {
                    // The timer's and the control interrupt need not be ours.
                    if !matches!(chain.number, TIMER | INTERRUPT) {
                        self.stranger = top;
                    }
                    break;
                }
                link = at.plus(NEXT);
                handler = peek(link);
            }
        }
    }

    /// Puts the others back on top; the last of them calls whom we called, if the driver is gone.
    #[inline(never)]
    pub fn put_back(&mut self, gone: bool) {
        for chain in self.chains.iter().filter(|chain| chain.top != 0) {
            if gone {
                poke(chain.link, &vector(chain.number));
            }
            poke(Addr(chain.number as u32 * 4), &chain.top);
        }
    }

    /// Says why the driver does not go.
    #[inline(never)]
    pub fn complain(&self, info: &Info) {
        let mut name = [0; NAME + 1];
        if info.flags & FLAG_V86 == 0 && in_v86() {
            say(Line::V86After, b" ", 0);
        } else if self.stranger != 0 && owner((self.stranger >> 16) as u16, &mut name) {
            say(Line::HookedBy, &name, 0);
        } else {
            say(Line::Hooked, b" ", 0);
        }
    }
}

/// Letters of a program's name in a memory control block.
const NAME: usize = 8;
/// Memory control blocks that are looked at.
const BLOCKS: usize = 256;

/// The name of the program that a segment belongs to, by DOS's memory control blocks. False: it is none's.
#[inline(never)]
fn owner(segment: u16, name: &mut [u8; NAME + 1]) -> bool {
    const LAST: u8 = b'Z';
    let lists = regs(0x5200);
    lists.interrupt(0x21);
    let mut block: u16 = peek(address(lists.es, lists.bx.wrapping_sub(2)));
    for _ in 0..BLOCKS {
        let at = address(block, 0);
        let end = block.wrapping_add(peek(at.plus(3)));
        if segment > block && segment <= end {
            let owner: u16 = peek(at.plus(1));
            // Below are DOS's own numbers.
            if owner < 0x40 {
                return false;
            }
            let text: [u8; NAME] = peek(address(owner.wrapping_sub(1), 8));
            name.iter_mut().zip(text).for_each(|(to, from)| *to = from);
            return (b'!'..=b'~').contains(&text[0]);
        }
        if peek::<u8>(at) == LAST {
            break;
        }
        block = end.wrapping_add(1);
    }
    false
}
