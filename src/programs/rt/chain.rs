//! Programs that have hooked a driver's interrupts after it. Those that keep the Interrupt Sharing Protocol say whom they call
//! next; the driver's own handlers are put on top for the moment in which it is unloaded, which it wants.

use super::{Far, uninterrupted, vector};
use crate::sharing::{JUMP, LONGEST, NEXT, SIGNATURE, SIGNATURE_AT};

/// Interrupts that a driver may have hooked: its own, the card's, the timer's, the control interrupt.
const VECTORS: usize = 4;

/// One interrupt.
#[derive(Clone, Copy)]
struct Chain {
    number: u8,
    /// Who was on top; 0: nothing was changed.
    top: Far,
    /// Where the address of the driver's handler stands.
    link: Far,
}

/// The interrupts.
pub struct Chains([Chain; VECTORS]);

fn write(at: Far, address: Far) {
    // SAFETY: a vector, or the link in the header of a handler that keeps the protocol; four bytes, with interrupts off.
    uninterrupted(|| unsafe { at.write(&address.0.to_le_bytes()) });
}

fn place(number: u8) -> Far {
    Far::new(0, number as u16 * 4)
}

impl Chains {
    /// Has each interrupt lead to the driver's segment directly, where the driver is in its chain.
    pub fn on_top(segment: u16, numbers: [u8; VECTORS]) -> Chains {
        Chains(numbers.map(|number| {
            let top = vector(number);
            let (mut handler, mut link) = (top, place(number));
            for _ in 0..LONGEST {
                if handler.segment() == segment {
                    if handler != top {
                        write(place(number), handler);
                        return Chain { number, top, link };
                    }
                    break;
                }
                let at = |offset: u16| Far::new(handler.segment(), handler.offset().wrapping_add(offset));
                if at(0).read16() as u8 != JUMP || at(SIGNATURE_AT).read16() != SIGNATURE {
                    break;
                }
                link = at(NEXT);
                handler = Far(link.read32());
            }
            Chain { number, top: Far(0), link }
        }))
    }

    /// Puts the others back on top. If the driver is gone, the last of them calls whom the driver called.
    pub fn put_back(self, gone: bool) {
        for chain in self.0.iter().filter(|chain| chain.top != Far(0)) {
            if gone {
                write(chain.link, vector(chain.number));
            }
            write(place(chain.number), chain.top);
        }
    }
}
