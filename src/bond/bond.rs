//! The bond: health of its NICs, who receives, what is sent by which NIC, and the announcement.

use super::{Arp, Fields, LEARNED, Row, TRUNK};
use crate::device::{Job, Link, Rx};

/// How often a new place is announced, a tick apart: the first announcement may be lost.
const TOLD: u16 = 3;
/// Counts of the PIT for which a NIC may have no room before another one is tried: 10 ms, or 20 ms where the BIOS runs the PIT
/// in mode 2. The core gives a frame up after twice that (`SEND_LIMIT`).
const PATIENCE: u16 = 23_860;

/// The card has taken the frame.
pub const SENT: u8 = 0;
/// The card has no room now.
pub const BUSY: u8 = 1;

/// What a bond needs: in the image the features below it and routines of asm/bond.asm, in tests a world.
pub trait Below: Copy {
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// The row at a near address.
    fn row(self, near: u16) -> *mut Row;
    /// The frame on its way.
    fn job(self) -> *mut Job;
    /// The BIOS's tick count.
    fn now(self) -> u16;
    /// The PIT's count, which goes down.
    fn clock(self) -> u16;
    /// Whether no other entry is in progress, so that the job is free.
    fn is_alone(self) -> bool;
    /// The NIC whose frame was peeked at.
    fn current(self) -> u16;
    /// Whether a NIC has said that its link may have changed.
    fn has_event(self, nic: u16) -> bool;
    /// A NIC's link, a number of [`Link`].
    fn link(self, nic: u16) -> u8;
    /// Sends the job's frame by a NIC: [`SENT`], [`BUSY`], or another number if the NIC refused it.
    fn send(self, nic: u16) -> u8;
    /// Exchanges the source address of the job's frame with the NIC's own, `row` being its row.
    fn exchange(self, row: *mut Row);
    /// Copies the first bytes of the job's frame to [`Fields::head`].
    fn fetch(self);
    /// The NIC for the job's frame; its head has been fetched.
    fn choose(self) -> u16;
    /// Writes the bond's address into [`Fields::arp`], and makes that the job's frame.
    fn compose(self);
}

/// A bond.
#[derive(Clone, Copy)]
pub struct Bond<B>(pub B);

// SAFETY of all blocks below: memory of the bond's, no reference into which is alive across a call; see mod.rs.
impl<B: Below> Bond<B> {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        self.0.fields()
    }

    /// To be called at each timer tick: reads the link of the NIC that receives, and of another one; at the end of a period
    /// judges all.
    #[inline(always)]
    pub fn tick(self) {
        // SAFETY: see above.
        unsafe {
            if !self.0.is_alone() {
                return;
            }
            let fields = self.fields();
            let nic = (*fields).looked;
            let next = nic + Row::SIZE;
            (*fields).looked = if next == (*fields).end { (*fields).first } else { next };
            self.look(nic);
            self.look((*fields).active);
            (*fields).left -= 1;
            if (*fields).left == 0 {
                (*fields).left = (*fields).period;
                let mut nic = (*fields).first;
                while nic != (*fields).end {
                    self.judge(nic);
                    nic += Row::SIZE;
                }
            }
            self.announce();
        }
    }

    /// To be called when a NIC says that its link may have changed.
    #[inline(always)]
    pub fn link_event(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let mut nic = (*fields).first;
            while nic != (*fields).end {
                if self.0.has_event(nic) {
                    self.look(nic);
                }
                nic += Row::SIZE;
            }
        }
        if self.0.is_alone() {
            self.announce();
        }
    }

    /// Reads a NIC's link.
    #[inline(never)]
    fn look(self, nic: u16) {
        let down = self.0.link(nic) == Link::Down as u8;
        // SAFETY: see above.
        unsafe {
            let row = self.0.row(nic);
            (*row).state &= !Row::NO_LINK;
            if down {
                (*row).state |= Row::NO_LINK;
            }
        }
        self.settle(nic);
    }

    /// The end of a period for a NIC: whether it has given a sign of life. Asks for the next.
    #[inline(always)]
    fn judge(self, nic: u16) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let row = self.0.row(nic);
            let state = (*row).state;
            (*row).state = state & !(Row::HEARD | Row::STUCK);
            if state & Row::STUCK != 0 || (*fields).target != 0 && state & Row::HEARD == 0 {
                self.miss(nic, 1);
            } else {
                (*row).misses = 0;
                (*row).state &= !Row::SILENT;
                self.settle(nic);
            }
            if (*fields).target != 0 {
                self.post(nic, 0, (*fields).target);
            }
        }
    }

    /// Notes misses of a NIC.
    #[inline(never)]
    fn miss(self, nic: u16, more: u8) {
        // SAFETY: see above.
        unsafe {
            let row = self.0.row(nic);
            let misses = (*row).misses.saturating_add(more);
            (*row).misses = misses;
            if misses >= (*self.fields()).failover {
                (*row).state |= Row::SILENT;
            }
        }
        self.settle(nic);
    }

    /// Decides whether a NIC may be used. A NIC that was unwell must be well for a while.
    #[inline(never)]
    fn settle(self, nic: u16) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let row = self.0.row(nic);
            let now = self.0.now();
            let used = (*row).state & Row::USABLE != 0;
            if (*row).state & Row::UNWELL != 0 {
                (*row).since = now;
                if !used {
                    return;
                }
            } else if used || now.wrapping_sub((*row).since) < (*fields).hold {
                return;
            }
            (*row).state ^= Row::USABLE;
            // A NIC that was away does not get all new flows until its load is as the others'.
            (*row).load = (*self.0.row((*fields).active)).load;
            // The first NIC that may be used receives. If there is none, the last one that could goes on.
            let mut nic = (*fields).first;
            while nic != (*fields).end {
                if (*self.0.row(nic)).state & Row::USABLE != 0 {
                    if nic != (*fields).active {
                        (*fields).active = nic;
                        (*fields).moves = (*fields).moves.wrapping_add(1);
                        (*fields).tell = TOLD;
                    }
                    return;
                }
                nic += Row::SIZE;
            }
        }
    }

    /// Sends the job's frame. Returns the answer of [`crate::resident::table::Entry::Send`].
    #[inline(always)]
    pub fn send(self) -> u8 {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            self.0.fetch();
            if (*fields).head[6] == ARP_TYPE && (*self.0.job()).len >= size_of::<Arp>() as u16 {
                self.learn();
            }
            // Frames to groups go by the NIC that receives: the network then expects the bond's address there.
            let nic = if (*fields).head[0] & 1 != 0 { (*fields).active } else { self.0.choose() };
            let mut answer = self.by(nic);
            if answer == SENT {
                return answer;
            }
            if answer == BUSY {
                let passed = (*fields).full.wrapping_sub(self.0.clock());
                if passed < PATIENCE {
                    return answer;
                }
                self.miss(nic, u8::MAX);
            } else {
                self.miss(nic, 1);
            }
            // Another one is tried at once: this one may be at its first miss.
            let mut other = (*fields).first;
            while other != (*fields).end && answer != SENT {
                if other != nic && (*self.0.row(other)).state & Row::USABLE != 0 {
                    answer = self.by(other);
                }
                other += Row::SIZE;
            }
            answer
        }
    }

    /// Remembers the address of the protocol from which a client's ARP frame comes, as the latest.
    #[inline(always)]
    fn learn(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let ip = (&raw const (*fields).head[14] as *const u32).read_unaligned();
            let mut moved = ip;
            let mut place = 0;
            while place != LEARNED && moved != 0 {
                let slot = (&raw mut (*fields).learned as *mut u32).add(place);
                let old = slot.read_unaligned();
                slot.write_unaligned(moved);
                moved = if old == ip { 0 } else { old };
                place += 1;
            }
        }
    }

    /// Sends the job's frame by a NIC, from its own address if another one receives.
    #[inline(never)]
    fn by(self, nic: u16) -> u8 {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let row = self.0.row(nic);
            let own = (*fields).mode < TRUNK && nic != (*fields).active;
            if own {
                self.0.exchange(row);
            }
            let answer = self.0.send(nic);
            if own {
                self.0.exchange(row);
            }
            if answer == SENT {
                (*row).sent = (*row).sent.wrapping_add(1);
                (*row).state &= !Row::STUCK;
            } else {
                (*row).refused = (*row).refused.wrapping_add(1);
                if (*row).state & Row::STUCK == 0 {
                    (*row).state |= Row::STUCK;
                    (*fields).full = self.0.clock();
                }
            }
            answer
        }
    }

    /// A frame of the current NIC was peeked at: drops it unless this NIC receives.
    #[inline(always)]
    pub fn peeked(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            if Rx::word((*self.0.job()).rx) > 0 {
                let nic = self.0.current();
                let row = self.0.row(nic);
                (*row).state |= Row::HEARD;
                (*row).received = (*row).received.wrapping_add(1);
                if nic != (*fields).active && (*fields).mode < TRUNK {
                    (*fields).ignored = (*fields).ignored.wrapping_add(1);
                    Job::refuse(self.0.job());
                }
            }
        }
    }

    /// Tells the network where the bond's station is: for each address that clients have used an ARP request for itself, from
    /// itself; last one for no address, from which a switch learns the port even if no client uses ARP.
    #[inline(never)]
    fn announce(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            if (*fields).tell == 0 {
                return;
            }
            (*fields).tell -= 1;
            let mut place = 0;
            loop {
                let ip = (&raw const (*fields).learned as *const u32).add(place).read_unaligned();
                self.post((*fields).active, ip, ip);
                if ip == 0 {
                    return;
                }
                place += 1;
            }
        }
    }

    /// Sends an ARP request.
    #[inline(never)]
    fn post(self, nic: u16, sender: u32, target: u32) {
        // SAFETY: see above.
        unsafe {
            let arp: *mut Arp = &raw mut (*self.fields()).arp;
            (*arp).sender_ip = sender;
            (*arp).target_ip = target;
        }
        self.0.compose();
        self.by(nic);
    }
}

/// The type of ARP frames, as it lies in a frame.
const ARP_TYPE: u16 = 0x0608;
