//! An edge-triggered line: a cause that comes while the driver acknowledges others must make a new edge.

use crate::elink::event;
use crate::rig::*;

#[test]
fn what_comes_while_an_interrupt_is_served_raises_a_new_edge() {
    event::at_each_access(rig, |rig| {
        let card = rig.card.clone();
        move |faults| card.borrow_mut().chip().faults = faults
    });
}
