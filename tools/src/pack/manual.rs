//! `3COMPKT.TXT`: the manual, with the switches from the parser's own table and the cards from the list of NICs.

use compkt::install::switches::SWITCHES;

const SOURCE: &str = include_str!("../../../src/install/manual.txt");

/// The manual as DOS wants it; `cards` is a line for each.
pub fn text(version: &str, cards: &[String]) -> String {
    let switches: Vec<String> = SWITCHES
        .iter()
        .map(|switch| {
            let value = if switch.value.is_empty() { String::new() } else { format!("={}", switch.value) };
            format!("  {:<15} {}", format!("/{}{value}", switch.name), switch.help)
        })
        .collect();
    SOURCE
        .replace("@VERSION@", version)
        .replace("@SWITCHES@", &switches.join("\n"))
        .replace("@CARDS@", &cards.join("\n"))
        .replace('\n', "\r\n")
}
