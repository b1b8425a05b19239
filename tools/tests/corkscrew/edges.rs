//! An edge-triggered line, by programmed I/O and with rings: a cause that comes while the driver acknowledges others must make a
//! new edge.

use crate::elink::event;
use crate::*;

#[test]
fn what_comes_while_an_interrupt_is_served_raises_a_new_edge() {
    for way in WAYS {
        println!("{way:?}");
        event::at_each_access(|| rig_in(way), |rig| {
            let card = rig.card.clone();
            move |faults| card.borrow_mut().chip().faults = faults
        });
    }
}
