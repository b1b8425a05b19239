//! The switches of a bond. The stage `list` reads them, because the first stage has no room for them.

use super::numbers::parse;
use super::switches::{Refused, Rule, SWITCHES, Switch, switches};
use crate::bond::flows::{ADAPTIVE, HASH, LEAST, TURNS, WEIGHTED};
use crate::bond::{BALANCE, Fields, LACP, LACP_SLOW, STANDBY, TRUNK};
use crate::install::lines::Line;

/// What the user has said of a bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// As [`Fields`] begins.
    pub begin: Begin,
    /// How a NIC is chosen for a new flow: [`TURNS`] or one of the constants behind it.
    pub algorithm: u8,
    /// Flows that are remembered, a power of two.
    pub flows: u16,
}

/// The first of [`Fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Begin {
    /// [`STANDBY`] or one of the constants behind it.
    pub mode: u8,
    /// Misses after which a NIC is silent.
    pub failover: u8,
    /// Ticks of a period; 0: there is no bond.
    pub period: u16,
    /// Ticks for which a NIC must be well before it is used again.
    pub hold: u16,
    /// The IP address that each NIC asks for in each period; 0.0.0.0: none.
    pub target: [u8; 4],
}

/// Flows, if `/FLOWS=` is not given.
const USUAL: u16 = 1024;

/// Ticks of the timer in 1,000 seconds.
const TICKS: u32 = 18_206;

switches! {
    /// A bond's switches.
    BOND_SWITCHES:
    Mode "MODE" "STANDBY" Rule::Media, Line::BondMode,
        "several NICs as one: see the manual, BONDS";
    Lb "LB" "ADAPTIVE" Rule::Media, Line::Balance,
        "how their load is shared: see the manual, BONDS";
    Flows "FLOWS" "1024" Rule::Dec(64, 4096), Line::Flows,
        "flows that keep their NIC, 64 to 4096: 8 bytes each";
    Failover "FAILOVER" "3" Rule::Dec(1, 100), Line::Failover,
        "misses of a NIC until another takes over, 1 to 100";
    Health "HEALTH" "5" Rule::Dec(1, 60), Line::Health,
        "seconds in which a miss is counted, 1 to 60";
    Target "TARGET" "" Rule::Media, Line::Target,
        "IP address that each NIC asks for in that time";
}

const MODE: usize = Index::Mode as usize;
const LB: usize = Index::Lb as usize;
const FLOWS: usize = Index::Flows as usize;
const FAILOVER: usize = Index::Failover as usize;
const HEALTH: usize = Index::Health as usize;
const TARGET: usize = Index::Target as usize;

/// Modes, and what may be said of the load, by name.
static NAMES: [(&str, usize, u8); 10] = [
    ("STANDBY", MODE, STANDBY),
    ("ACTIVE_ACTIVE", MODE, BALANCE),
    ("TRUNK", MODE, TRUNK),
    ("LACP", MODE, LACP),
    ("LACP_SLOW", MODE, LACP_SLOW),
    ("ROUND_ROBIN", LB, TURNS),
    ("WEIGHTED", LB, WEIGHTED),
    ("HASH", LB, HASH),
    ("LEAST", LB, LEAST),
    ("ADAPTIVE", LB, ADAPTIVE),
];

/// Reads what a command tail says of a bond.
///
/// # Errors
/// A word that is neither such a switch nor one of [`SWITCHES`], or a value that does not fit.
pub fn settings(tail: &[u8]) -> Result<Settings, Refused<'_>> {
    let mut settings = Settings { begin: Begin { mode: BALANCE, failover: Fields::FAILOVER, period: Fields::PERIOD, hold: Fields::HOLD, target: [0; 4] }, algorithm: ADAPTIVE, flows: USUAL };
    // The first word about a bond, the first about its load, and whether there is a bond.
    let (mut first, mut balanced): (&[u8], &[u8]) = (b"", b"");
    let mut wanted = false;
    for word in tail.split(|byte| *byte <= b' ') {
        let [b'/', rest @ ..] = word else { continue };
        let at = rest.iter().position(|byte| matches!(byte, b'=' | b':'));
        let (name, text) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or((rest, b""));
        let is = |switch: &Switch| name.eq_ignore_ascii_case(switch.name.as_bytes());
        if SWITCHES.iter().any(is) {
            continue;
        }
        let found = BOND_SWITCHES.iter().enumerate().find(|(_, switch)| is(switch));
        let Some((index, switch)) = found else { return Err(Refused { word, why: Line::NoSwitch }) };
        let refused = Refused { word, why: switch.why };
        let text = text.get(1..).unwrap_or(b"");
        let number = match switch.rule {
            Rule::Dec(low, high) => match parse(text, 10) {
                Some(number) if (low as u32..=high as u32).contains(&number) => number,
                _ => return Err(refused),
            },
            _ if index == TARGET => match address(text) {
                Some(address) => u32::from_le_bytes(address),
                None => return Err(refused),
            },
            _ => match NAMES.iter().find(|(name, of, _)| *of == index && text.eq_ignore_ascii_case(name.as_bytes())) {
                Some((_, _, code)) => *code as u32,
                None => return Err(refused),
            },
        };
        match index {
            MODE => settings.begin.mode = number as u8,
            LB => settings.algorithm = number as u8,
            FLOWS => settings.flows = (number as u16).next_power_of_two(),
            FAILOVER => settings.begin.failover = number as u8,
            HEALTH => settings.begin.period = (number * TICKS / 1000) as u16,
            // TARGET, the last one.
            _ => settings.begin.target = number.to_le_bytes(),
        }
        wanted |= matches!(index, MODE | LB | FLOWS);
        if balanced.is_empty() && matches!(index, LB | FLOWS) {
            balanced = word;
        }
        if first.is_empty() {
            first = word;
        }
    }
    if settings.begin.mode >= LACP {
        // The partner has waited already.
        settings.begin.hold = 0;
    }
    if settings.begin.mode == STANDBY && !balanced.is_empty() {
        return Err(Refused { word: balanced, why: Line::OneSends });
    }
    if wanted { Ok(settings) } else { Err(Refused { word: first, why: Line::NoBond }) }
}

/// An IP address, as 10.0.0.1.
fn address(text: &[u8]) -> Option<[u8; 4]> {
    let mut address = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for byte in &mut address {
        *byte = u8::try_from(parse(parts.next()?, 10)?).ok()?;
    }
    // Neither a network nor a group.
    let is_host = matches!(address[0], 1..=223);
    (parts.next().is_none() && is_host).then_some(address)
}
