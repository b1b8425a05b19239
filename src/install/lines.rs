//! Lines that the installer prints once its own file is open. They are in the file alone; the code has their numbers.
//!
//! The pack step writes them behind [`crate::probe::REASONS`], each padded with zeros to [`crate::probe::REASON`] bytes.

use crate::probe::Fault;

/// The number of the first line: behind the faults, which count from 1.
pub const FIRST: u16 = Fault::RomUsed as u16;
/// Stands for the line's number, in hexadecimal.
pub const HEX: u8 = b'%';
/// Stands for the line's number, in decimal.
pub const DECIMAL: u8 = b'#';

/// Bytes of a line of what `3COMPKT /?` prints, padded with zeros.
pub const HELP: usize = 80;

macro_rules! lines {
    ($($name:ident $text:literal;)*) => {
        /// A line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        #[allow(missing_docs, reason = "the text says what each is")]
        pub enum Line {
            $($name,)*
        }
        /// The texts of all lines.
        #[cfg(not(target_os = "none"))]
        pub const LINES: &[&str] = &[$($text,)*];
    };
}

lines! {
    // The command line's, behind the word that is wrong.
    NoSwitch ": no such switch; 3COMPKT /? lists them";
    NoValue ": this switch takes no value";
    TooMany ": one number too many; 3COMPKT /? explains";
    Vector ": the vector is 60 to 66, 68 to 6F, 78, 7B to 7E or 80 (hexadecimal)";
    Nic ": the NIC is a name (e.g. ne2000), a PCI place (0:3.0) or an address (52:54:00:12:34:56)";
    Port ": the port is 200 to FFE0 (hexadecimal), a multiple of 10";
    Irq ": the IRQ is 2 to 7, 9 to 12, 14 or 15";
    Handles ": the number of handles is 1 to 64";
    Stack ": the stack is 192 to 2048 bytes";
    Medium ": the medium is AUTO, TP, AUI, BNC, TX, FX or MII; TP, TX and FX may have ,FD behind them";
    Xms ": the extended memory is 16 to 16384 KB";
    Migrate ": it is 1536 to 65024 bytes";
    Cache ": the cache is 1536 to 32768 bytes";
    Hold ": it is 1 to 250 ticks";
    Burst ": a burst is 1 to 64 frames";
    Novell ": Novell's 802.3 frames are not converted here; use a client that speaks Ethernet II";
    Delayed ": the card is always set up at load; leave the option out";
    Windows ": Windows moves clients in memory, which is not watched for here; leave the option out";
    Promiscuous ": promiscuous mode is the clients' choice here; leave the option out";
    Class11 ": class 11 (802.3) is always there beside class 1; leave the option out";
    // Several NICs.
    OneNic " is for one NIC; leave it out, or name one with /NIC=";
    Twice " is there twice; leave one of them out";
    Most ": there are at most 16 NICs in one copy";
    Vectors "/INT=: more vectors than NICs; /NIC= says which NICs";
    BondMode ": the mode is STANDBY";
    Failover ": it is 1 to 100 periods";
    Health ": it is 1 to 60 seconds";
    NoBond ": this is for a bond; give /MODE= too";
    BondOfOne "a bond needs two NICs; name another one with /NIC=, or leave that out for all";
    BondVector "a bond has one vector; give one number with /INT=";
    Unbonded "there is only one NIC: it works without a bond";
    HasSeveral "the driver that is loaded has several NICs; unload it with 3COMPKT /U instead";
    OneInV86 "this card and others need XMS in real mode; load each by a copy of its own";
    // The first stage's.
    OtherBuild "the file is another one than was loaded: its build is %h; start the driver from the file that DOS loads";
    OldDos "DOS 3.3 or later is needed";
    NoRoomHere "too little memory here; load it low with DEVICE= or give it more upper memory";
    Stale "INT %h points to a packet driver that is gone; the vector is free again";
    VectorTaken "INT %h has a packet driver already; choose another with /INT=";
    // Unloading; behind the card's name.
    Several "the driver is loaded more than once; say which by /INT=";
    NotOurs "INT %h is not this driver's; give the vector it is on as /INT=";
    Stopped " stopped; its memory stays with DOS until the next boot (it came by DEVICE=)";
    Unloaded " unloaded";
    V86After "a memory manager or a program came after the driver; unload that first";
    HookedBy " has hooked the driver's interrupts after it; unload that first";
    Hooked "another program has hooked the driver's interrupts after it; unload that first";
    Open "a program still has the driver open; end it first";
    // `/REPLACE`.
    Replaces "/REPLACE is for the prompt, and takes the card of the driver that is loaded; leave /NIC= and /IO= out";
    OldLayout "the driver that is loaded is of a kind that cannot be replaced; unload it, then load this one";
    FewHandles "/HANDLES=: the programs that have the driver open need #";
    Busy "the driver that is loaded has frames that wait, or is in a call; try again";
    Back "the driver that was loaded goes on";
    NotBack "the card could not be started again for the driver that is loaded; unload that";
    // `/APPLY`.
    NoControl "the driver that is loaded has no control interrupt; load it with /CTL";
    NoneWaits "no parameter waits";
    OtherDriver "the driver that is loaded came from another file; start /APPLY from that one, or use /REPLACE";
    Applied "the pending parameters are in force";
    // The search's, behind the name of a card or driver, if there is one.
    Taken ": this card belongs to the driver on INT %h; leave /IO= and /NIC= out to take another";
    NoDriver ": no such driver; 3COMPKT /? lists them";
    NoPort "no NIC answers at port %h; check the card's jumpers or leave /IO= out";
    NoCard "/NIC=: no such card is free; leave it out to take the first one";
    NoRom "no free card has a ROM with UNDI in memory; switch booting from the network (PXE) on in the BIOS setup";
    NoNic "no NIC found; give /IO= and /IRQ= if there is one";
    NoOther "no other NIC found; give /IO= and /IRQ= if there is one";
    // The builder's.
    NoRoom "too little memory: # bytes more are needed; load fewer programs before it";
    NoXms "no XMS: frames wait below 1 MB";
    Fewer "/MIGRATE=: # bytes below 1 MB for frames that wait; no more are free or of use";
    NoCache "/CACHE= is not needed: frames wait in XMS alone";
}
