//! The switches of a bond. The stage `list` reads them, because the first stage has no room for them.

use super::numbers::parse;
use super::switches::{Refused, Rule, SWITCHES, Switch, switches};
use crate::bond::{Fields, STANDBY};
use crate::install::lines::Line;

/// What the user has said of a bond. It begins as [`Fields`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// [`STANDBY`] or one of the constants behind it.
    pub mode: u8,
    /// Misses after which a NIC is silent.
    pub failover: u8,
    /// Ticks of a period; 0: there is no bond.
    pub period: u16,
}

/// Ticks of the timer in 1,000 seconds.
const TICKS: u32 = 18_206;

switches! {
    /// A bond's switches.
    BOND_SWITCHES:
    Mode "MODE" "STANDBY" Rule::Media, Line::BondMode,
        "several NICs as one: STANDBY";
    Failover "FAILOVER" "3" Rule::Dec(1, 100), Line::Failover,
        "misses of a NIC until another takes over, 1 to 100";
    Health "HEALTH" "5" Rule::Dec(1, 60), Line::Health,
        "seconds in which a miss is counted, 1 to 60";
}

const MODE: usize = Index::Mode as usize;
const FAILOVER: usize = Index::Failover as usize;

/// Modes by name.
static MODES: [(&str, u8); 1] = [("STANDBY", STANDBY)];

/// Reads what a command tail says of a bond.
///
/// # Errors
/// A word that is neither such a switch nor one of [`SWITCHES`], or a value that does not fit.
pub fn settings(tail: &[u8]) -> Result<Settings, Refused<'_>> {
    let mut settings = Settings { mode: STANDBY, failover: Fields::FAILOVER, period: Fields::PERIOD };
    let mut first: &[u8] = b"";
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
            _ => 0,
        };
        match index {
            MODE => match MODES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name.as_bytes())) {
                Some((_, mode)) => (settings.mode, wanted) = (*mode, true),
                None => return Err(refused),
            },
            FAILOVER => settings.failover = number as u8,
            // HEALTH, the last one.
            _ => settings.period = (number * TICKS / 1000) as u16,
        }
        if first.is_empty() {
            first = word;
        }
    }
    if wanted { Ok(settings) } else { Err(Refused { word: first, why: Line::NoBond }) }
}
