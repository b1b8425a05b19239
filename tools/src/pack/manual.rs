//! `3COMPKT.TXT`, the manual, with the switches from the parser's table and the cards from the list of NICs; and the text of
//! `3COMPKT /?`.

use compkt::install::stages::switches::SWITCHES;

const SOURCE: &str = include_str!("../../../src/install/manual.txt");

/// The manual with DOS's line ends; `cards` has a line for each card.
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

/// Names in a row of the list of NICs.
const ROW: usize = 6;

/// The text of `3COMPKT /?`, line by line.
pub fn help(nics: &[&str]) -> Vec<String> {
    let mut lines = vec!["3COMPKT [0x60 [irq] [io]] [switches]".to_string()];
    for switch in &SWITCHES {
        let value = if switch.value.is_empty() { String::new() } else { format!("={}", switch.value) };
        lines.push(format!("  /{:<15}{}", format!("{}{value}", switch.name), switch.help));
    }
    lines.push("NICs:".into());
    for row in nics.chunks(ROW) {
        let row: String = row.iter().map(|name| format!("{name:<12}")).collect();
        lines.push(format!("  {row}"));
    }
    lines
}
