//! Lines that the installer prints once its own file is open. They are in the file alone; the code has their numbers.
//!
//! The pack step writes them behind [`crate::probe::REASONS`], each padded with zeros to [`crate::probe::REASON`] bytes. The last
//! byte is the exit code.

use crate::probe::Fault;

/// The number of the first line: behind the faults, which count from 1.
pub const FIRST: u16 = Fault::RomUsed as u16;
/// Stands for the line's number, in hexadecimal.
pub const HEX: u8 = b'%';
/// Stands for the line's number, in decimal.
pub const DECIMAL: u8 = b'#';

/// Bytes of a line of what `3COMPKT /?` prints, padded with zeros.
pub const HELP: usize = 80;

/// The exit code of a refusal whose line is none of these: no driver for a card.
pub const NO_CARD: u8 = 2;
/// The exit code when the driver's own file cannot be read.
pub const UNREADABLE: u8 = 9;

macro_rules! lines {
    ($($name:ident $code:literal $text:literal;)*) => {
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
        /// Their exit codes: 0, or what is the exit code if nothing stands and this is the first such line (manual, ERRORLEVEL).
        #[cfg(not(target_os = "none"))]
        pub const CODES: &[u8] = &[$($code,)*];
    };
}

// Exit codes, then texts.
lines! {
    // The command line's, behind the word that is wrong.
    NoSwitch 1 ": no such switch; 3COMPKT /? lists them";
    NoValue 1 ": this switch takes no value";
    TooMany 1 ": one number too many; 3COMPKT /? explains";
    Vector 1 ": the vector is 60 to 66, 68 to 6F, 78, 7B to 7E or 80 (hexadecimal)";
    Nic 1 ": the NIC is a name (e.g. ne2000), a PCI place (0:3.0) or an address (52:54:00:12:34:56)";
    Port 1 ": the port is 200 to FFE0 (hexadecimal), a multiple of 10";
    Irq 1 ": the IRQ is 2 to 7, 9 to 12, 14 or 15";
    Handles 1 ": the number of handles is 1 to 64";
    Stack 1 ": the stack is 192 to 2048 bytes";
    Medium 1 ": the medium is AUTO, TP, AUI, BNC, TX, FX or MII; TP, TX and FX may have ,FD behind them";
    Xms 1 ": the extended memory is 16 to 16384 KB";
    Migrate 1 ": it is 1536 to 65024 bytes";
    Cache 1 ": the cache is 1536 to 32768 bytes";
    Hold 1 ": it is 1 to 250 ticks";
    Burst 1 ": a burst is 1 to 64 frames";
    Ask 1 ": the time is 1 to 60 seconds";
    Novell 1 ": Novell's 802.3 frames are not converted here; use a client that speaks Ethernet II";
    Delayed 1 ": the card is always set up at load; leave the option out";
    Windows 1 ": Windows moves clients in memory, which is not watched for here; leave the option out";
    Promiscuous 1 ": promiscuous mode is the clients' choice here; leave the option out";
    Class11 1 ": class 11 (802.3) is always there beside class 1; leave the option out";
    // Several NICs.
    OneNic 1 " is for one NIC; leave it out, or name one with /NIC=";
    Twice 1 " is there twice; leave one of them out";
    Most 1 ": there are at most 16 NICs in one copy";
    Vectors 1 "/INT=: more vectors than NICs; /NIC= says which NICs";
    BondMode 1 ": the mode is STANDBY, ACTIVE_ACTIVE, TRUNK, LACP or LACP_SLOW";
    Balance 1 ": it is ROUND_ROBIN, WEIGHTED, HASH, LEAST or ADAPTIVE";
    Flows 1 ": it is 64 to 4096 flows";
    OneSends 1 ": with /MODE=STANDBY one NIC sends; leave one of the two out";
    Failover 1 ": it is 1 to 100 periods";
    Health 1 ": it is 1 to 60 seconds";
    Target 1 ": it is the IP address of a station, as 10.0.0.1";
    NoBond 1 ": this is for a bond; give /MODE= or /LB= too";
    BondOfOne 1 "a bond needs two NICs; name another one with /NIC=, or leave that out for all";
    BondVector 1 "a bond has one vector; give one number with /INT=";
    Unbonded 0 "there is only one NIC: it works without a bond";
    HasSeveral 5 "the driver that is loaded has several NICs; unload it with 3COMPKT /U instead";
    OneInV86 7 "this card and others need XMS in real mode; load each by a copy of its own";
    // The first stage's.
    OtherBuild 9 "the file is another one than was loaded: its build is %h; start the driver from the file that DOS loads";
    OldDos 7 "DOS 3.3 or later is needed";
    NoProgram 7 "/REAP: this DOS does not tell which program runs; leave it out";
    NoRoomHere 6 "too little memory here; load it low with DEVICE= or give it more upper memory";
    Stale 0 "INT %h points to a packet driver that is gone; the vector is free again";
    VectorTaken 4 "INT %h has a packet driver already; choose another with /INT=";
    ShiftKeys 8 "not loaded: both Shift keys are held down";
    Question 0 "load it? [Y/n] After # seconds it is loaded";
    Declined 8 "not loaded, as you said";
    // Unloading; behind the card's name.
    Several 1 "the driver is loaded more than once; say which by /INT=";
    NotOurs 5 "INT %h is not this driver's; give the vector it is on as /INT=";
    Stopped 0 " stopped; its memory stays with DOS until the next boot (it came by DEVICE=)";
    Unloaded 0 " unloaded";
    V86After 5 "a memory manager or a program came after the driver; unload that first";
    HookedBy 5 " has hooked the driver's interrupts after it; unload that first";
    Hooked 5 "another program has hooked the driver's interrupts after it; unload that first";
    Open 5 "a program still has the driver open; end it first";
    NotShared 1 "/SHARE cannot be had with /STATS, /XMS=, /MIGRATE= or /REPLACE; leave one of them out";
    // `/REPLACE`.
    NoReaping 1 "/REAP cannot be had with /REPLACE; leave it out, or unload the driver and load it anew";
    Replaces 1 "/REPLACE is for the prompt, and takes the card of the driver that is loaded; leave /NIC= and /IO= out";
    OldLayout 5 "the driver that is loaded is of a kind that cannot be replaced; unload it, then load this one";
    FewHandles 1 "/HANDLES=: the programs that have the driver open need #";
    Busy 5 "the driver that is loaded has frames that wait, or is in a call; try again";
    Back 5 "the driver that was loaded goes on";
    NotBack 3 "the card could not be started again for the driver that is loaded; unload that";
    // `/APPLY`.
    NoControl 5 "the driver that is loaded has no control interrupt; load it with /CTL";
    NoneWaits 0 "no parameter waits";
    OtherDriver 5 "the driver that is loaded came from another file; start /APPLY from that one, or use /REPLACE";
    Applied 0 "the pending parameters are in force";
    // The search's, behind the name of a card or driver, if there is one.
    Taken 4 ": this card belongs to the driver on INT %h; leave /IO= and /NIC= out to take another";
    NoDriver 1 ": no such driver; 3COMPKT /? lists them";
    NoPort 2 "no NIC answers at port %h; check the card's jumpers or leave /IO= out";
    NoCard 2 "/NIC=: no such card is free; leave it out to take the first one";
    NoRom 2 "no free card has a ROM with UNDI in memory; switch booting from the network (PXE) on in the BIOS setup";
    NoNic 2 "no NIC found; give /IO= and /IRQ= if there is one";
    NoOther 2 "no other NIC found; give /IO= and /IRQ= if there is one";
    // The builder's.
    NoRoom 6 "too little memory: # bytes more are needed; load fewer programs before it";
    NoXms 0 "no XMS: frames wait below 1 MB";
    Fewer 0 "/MIGRATE=: # bytes below 1 MB for frames that wait; no more are free or of use";
    NoCache 0 "/CACHE= is not needed: frames wait in XMS alone";
}
