//! PKTCTL's command line: the commands, their options and exit codes. One table serves the parser, `/?` and the manual.
//!
//! Nothing here touches the machine, so the host tests run it.

use super::net::{ECHO_MOST, Ip};
use super::options::{self, same};

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Prints what every packet driver tells.
    Status,
    /// Counters.
    Stats,
    /// The cards, one a line.
    Nics,
    /// The open handles.
    Handles,
    /// Parameters.
    Config,
    /// Puts the pending parameters into force.
    Apply,
    /// Drops the pending parameters.
    Rollback,
    /// Writes the parameters to a file.
    Export,
    /// Reads them from a file.
    Import,
    /// The event log.
    Log,
    /// The memory map.
    Mem,
    /// The self-test.
    Test,
    /// A bond of several cards.
    Bond,
    /// Unloads the driver.
    Unload,
    /// Writes the driver's line to CONFIG.SYS.
    Install,
}

/// A command's row.
pub struct Command {
    /// Which one.
    pub what: What,
    /// Its name, lower case.
    pub name: &'static str,
    /// What stands behind the name besides options; empty: nothing may.
    pub operand: &'static str,
    /// The operand may be left out.
    pub optional: bool,
    /// The options that it takes, as bits.
    pub takes: u16,
    /// What it does, in at most 54 letters.
    pub help: &'static str,
}

/// An option's row.
pub struct Choice {
    /// Its bit.
    pub bit: u16,
    /// Its name, upper case.
    pub name: &'static str,
    /// An example of its value; empty: it takes none.
    pub value: &'static str,
    /// What it does, in at most 60 letters.
    pub help: &'static str,
}

/// `--csv`.
pub const CSV: u16 = 1 << 0;
/// `--watch`.
pub const WATCH: u16 = 1 << 1;
/// `--follow`.
pub const FOLLOW: u16 = 1 << 2;
/// `--text`.
pub const TEXT: u16 = 1 << 3;
/// `--line`.
pub const LINE: u16 = 1 << 4;
/// `--int=60`.
pub const INT: u16 = 1 << 5;
/// `--count=4`.
const COUNT: u16 = 1 << 6;
/// `--size=56`.
const SIZE: u16 = 1 << 7;
/// `--ip=10.0.0.9`.
const IP: u16 = 1 << 8;
/// `--mask=255.255.255.0`.
const MASK: u16 = 1 << 9;
/// `--gw=10.0.0.1`.
const GW: u16 = 1 << 10;
/// `--yes`.
pub const YES: u16 = 1 << 11;
/// `--u`.
pub const UNDO: u16 = 1 << 12;

const NET: u16 = COUNT | SIZE | IP | MASK | GW;

const fn command(what: What, name: &'static str, operand: &'static str, takes: u16, help: &'static str) -> Command {
    let optional = match operand.as_bytes() {
        [b'[', ..] | [] => true,
        _ => false,
    };
    Command { what, name, operand, optional, takes: takes | INT, help }
}

/// Every command, in the order in which they are listed.
pub static COMMANDS: [Command; 15] = [
    command(What::Status, "status", "", 0, "all that each packet driver tells about itself"),
    command(What::Stats, "stats", "", CSV | WATCH, "frames, bytes and errors of each driver"),
    command(What::Nics, "nics", "", CSV, "the cards, one a line: place, IRQ, link, address"),
    command(What::Handles, "handles", "", CSV, "the open handles: types, and with /STATS counts"),
    command(What::Config, "config", "[NAME[=VALUE]]", CSV, "show parameters, or change one"),
    command(What::Apply, "apply", "", 0, "reset the card and use the pending parameters"),
    command(What::Rollback, "rollback", "", 0, "forget the pending parameters"),
    command(What::Export, "export", "[FILE]", TEXT | LINE, "write the parameters to a file"),
    command(What::Import, "import", "FILE", 0, "set the parameters that a file has, all or none"),
    command(What::Log, "log", "", CSV | FOLLOW, "what happened: link, faults, changes"),
    command(What::Mem, "mem", "", CSV, "a map of the driver's memory"),
    command(What::Test, "test", "[ADDRESS]", NET, "DHCP, ARP and echoes; to the gateway if no address"),
    command(What::Bond, "bond", "[WORD]", CSV | WATCH, "a bond of several cards; bond help lists the words"),
    command(What::Unload, "unload", "", 0, "unload the driver"),
    command(What::Install, "install", "", YES | UNDO, "write the driver's line to CONFIG.SYS, if you agree"),
];

const fn choice(bit: u16, name: &'static str, value: &'static str, help: &'static str) -> Choice {
    Choice { bit, name, value, help }
}

/// Every option.
pub static CHOICES: [Choice; 13] = [
    choice(WATCH, "WATCH", "", "a live screen; Esc or Q leaves, D is a DOS shell"),
    choice(FOLLOW, "FOLLOW", "", "go on with what happens, until a key is pressed"),
    choice(TEXT, "TEXT", "", "as lines NAME=value, which a person can edit"),
    choice(LINE, "LINE", "", "print the DEVICE= line that gives this state"),
    choice(CSV, "CSV", "", "values with commas between, for programs"),
    choice(COUNT, "COUNT", "4", "echoes, 1 to 9999"),
    choice(SIZE, "SIZE", "56", "bytes of data in an echo"),
    choice(IP, "IP", "10.0.0.9", "this machine's address, instead of DHCP"),
    choice(MASK, "MASK", "255.255.255.0", "its network's mask"),
    choice(GW, "GW", "10.0.0.1", "its gateway"),
    choice(YES, "YES", "", "do not ask"),
    choice(UNDO, "U", "", "take the line back"),
    choice(INT, "INT", "60", "the driver on this vector, hexadecimal; without it, all"),
];

// Exit codes.
/// Success.
pub const DONE: u8 = 0;
/// The test got no answer or a wrong one.
pub const NO_ANSWER: u8 = 1;
/// The command line is wrong.
pub const BAD_LINE: u8 = 2;
/// There is no packet driver, it is another one, or it refused.
pub const NO_DRIVER: u8 = 3;
/// A file cannot be read or written, or what it has is no valid state.
pub const BAD_FILE: u8 = 4;
/// The user pressed Ctrl-C.
pub const STOPPED: u8 = 5;

/// What the exit codes mean.
pub static EXITS: [(u8, &str); 6] = [
    (DONE, "done"),
    (NO_ANSWER, "the test got no answer"),
    (BAD_LINE, "wrong command line"),
    (NO_DRIVER, "no driver, not 3COMPKT, or it refused"),
    (BAD_FILE, "a file cannot be read or written, or is not valid"),
    (STOPPED, "stopped by Ctrl-C"),
];

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The command; none: the list of commands.
    pub what: Option<What>,
    /// `/?`: explain the command.
    pub help: bool,
    /// The options that were given, as bits.
    pub flags: u16,
    /// `--int=`; 0: not given.
    pub vector: u8,
    /// `--count=`: number of echoes.
    pub count: u16,
    /// `--size=`: bytes of data in an echo.
    pub size: u16,
    /// `--ip=`; zeros: by DHCP.
    pub ip: Ip,
    /// `--mask=`.
    pub mask: Ip,
    /// `--gw=`.
    pub gateway: Ip,
    /// The operand; empty: none.
    pub operand: &'a [u8],
    /// The operand of `test`; zeros: the gateway.
    pub target: Ip,
}

impl Asked<'_> {
    /// Whether one of these options was given.
    pub const fn has(&self, bits: u16) -> bool {
        self.flags & bits != 0
    }

    /// The row of the command.
    pub fn command(&self) -> Option<&'static Command> {
        COMMANDS.iter().find(|command| Some(command.what) == self.what)
    }
}

/// Why a command line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong<'a> {
    /// The word as the user wrote it; empty: a word is missing.
    pub word: &'a [u8],
    /// What is wrong with it.
    pub why: &'static str,
    /// The command before it, if there was one.
    pub what: Option<What>,
}

/// The word is no command.
pub const NO_COMMAND: &str = "no such command";
/// The command has no such option.
pub const NO_OPTION: &str = "no such option of this command";
/// The option takes no value.
pub const NO_VALUE: &str = "this option takes no value";
/// The option's value is none that it takes.
pub const BAD_VALUE: &str = "not a value that this option takes";
/// The operand is no address.
pub const BAD_ADDRESS: &str = "not an address like 10.0.0.1";
/// There is one word too many.
pub const TOO_MANY: &str = "one word too many";
/// The operand is missing.
pub const MISSING: &str = "a file's name is missing";
/// Options that exclude each other.
pub const NOT_BOTH: &str = "not together with the options before it";

/// Splits `--name=value`; also `-name`, `/name` and a colon, as the options of older versions and of 3COMPKT.
fn option(word: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let word = match word {
        [b'-', b'-', _, ..] => word.get(1..)?,
        _ => word,
    };
    let (name, value) = options::switch(word)?;
    Some((name, value, name.len() + 1 < word.len()))
}

fn take(asked: &mut Asked, choice: &Choice, value: &[u8]) -> Option<()> {
    match choice.bit {
        INT => asked.vector = options::hex(value).filter(|value| (0x20..=0xFF).contains(value))? as u8,
        COUNT => asked.count = options::number(value).filter(|value| (1..=9999).contains(value))? as u16,
        SIZE => asked.size = options::number(value).filter(|value| *value <= ECHO_MOST as u32)? as u16,
        IP => asked.ip = options::ip(value)?,
        MASK => asked.mask = options::ip(value)?,
        GW => asked.gateway = options::ip(value)?,
        _ => {}
    }
    Some(())
}

/// Reads a command tail: the words behind PKTCTL.
///
/// # Errors
/// The first word that is wrong.
pub fn parse(tail: &[u8]) -> Result<Asked<'_>, Wrong<'_>> {
    let mut asked = Asked {
        what: None,
        help: false,
        flags: 0,
        vector: 0,
        count: 4,
        size: 56,
        ip: [0; 4],
        mask: [255, 255, 255, 0],
        gateway: [0; 4],
        operand: &[],
        target: [0; 4],
    };
    let mut words = options::words(tail);
    let Some(first) = words.next() else { return Ok(asked) };
    if same(first, "/?") || same(first, "-?") || same(first, "--help") {
        asked.help = true;
        return Ok(asked);
    }
    let Some(command) = COMMANDS.iter().find(|command| same(first, command.name)) else {
        return Err(Wrong { word: first, why: NO_COMMAND, what: None });
    };
    asked.what = Some(command.what);
    let wrong = |word, why| Err(Wrong { word, why, what: Some(command.what) });
    for word in words {
        let Some((name, value, valued)) = option(word) else {
            if command.operand.is_empty() || !asked.operand.is_empty() {
                return wrong(word, TOO_MANY);
            }
            asked.operand = word;
            if command.what == What::Test {
                let Some(target) = options::ip(word) else { return wrong(word, BAD_ADDRESS) };
                asked.target = target;
            }
            continue;
        };
        if same(name, "?") || same(name, "HELP") {
            asked.help = true;
            continue;
        }
        let Some(choice) = CHOICES.iter().find(|choice| choice.bit & command.takes != 0 && same(name, choice.name)) else {
            return wrong(word, NO_OPTION);
        };
        if choice.value.is_empty() && valued {
            return wrong(word, NO_VALUE);
        }
        if take(&mut asked, choice, value).is_none() {
            return wrong(word, BAD_VALUE);
        }
        if choice.bit & (TEXT | LINE) != 0 && asked.has((TEXT | LINE) & !choice.bit) {
            return wrong(word, NOT_BOTH);
        }
        asked.flags |= choice.bit;
    }
    // `export` without a file's name prints, which the block cannot be.
    let nameless = asked.operand.is_empty() && !asked.help;
    if nameless && (!command.optional || command.what == What::Export && !asked.has(TEXT | LINE)) {
        return wrong(&[], MISSING);
    }
    Ok(asked)
}

/// Calls `put` with the pieces of a command's usage, without line end: `stats [--watch] [--int=60]`.
pub fn usage(command: &Command, put: &mut dyn FnMut(&str)) {
    put(command.name);
    if !command.operand.is_empty() {
        put(" ");
        put(command.operand);
    }
    for choice in CHOICES.iter().filter(|choice| choice.bit & command.takes & !NET != 0) {
        put(" [--");
        lower(choice.name, put);
        if !choice.value.is_empty() {
            put("=");
            put(choice.value);
        }
        put("]");
    }
    if command.takes & NET != 0 {
        put(" [--...]");
    }
}

/// An option's name as it is written, and an example of its value; returns the letters.
pub fn written(choice: &Choice, put: &mut dyn FnMut(&str)) -> usize {
    put("--");
    lower(choice.name, put);
    if choice.value.is_empty() {
        return choice.name.len() + 2;
    }
    put("=");
    put(choice.value);
    choice.name.len() + choice.value.len() + 3
}

fn lower(name: &str, put: &mut dyn FnMut(&str)) {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    for letter in name.bytes() {
        let at = letter.wrapping_sub(b'A') as usize;
        put(LETTERS.get(at..at + 1).unwrap_or("?"));
    }
}
