//! `3COMPKT.TXT`, the manual, with the switches from the parser's table and the cards from the list of NICs; and the text of
//! `3COMPKT /?`.

use compkt::install::stages::switches::SWITCHES;

const SOURCE: &str = include_str!("../../../src/install/manual.txt");

/// The manual with DOS's line ends; `cards` has a line for each card, `memory` those of the table of sizes.
pub fn text(version: &str, cards: &[String], memory: &[String]) -> String {
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
        .replace("@MEMORY@", &memory.join("\n"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use compkt::install::lines::LINES;
    use compkt::probe::REASONS;

    /// Where the explanations begin in the manual's last chapter; in front of them stands what the driver prints, in quotes.
    const COLUMN: usize = 23;

    /// What the chapter quotes in front of the explanations. A quote may break at a line's end. A list of quotes takes whole
    /// lines, and its explanation stands below.
    fn quoted(chapter: &str) -> Vec<String> {
        let mut words: Vec<&str> = Vec::new();
        let mut list = false;
        for line in chapter.lines() {
            let quotes: usize = words.iter().map(|word| word.matches('"').count()).sum();
            let goes_on = quotes % 2 == 1 || words.last().is_some_and(|word| word.ends_with(','));
            list = list && goes_on || line.get(COLUMN - 1..COLUMN).is_some_and(|last| last != " ");
            let end = if list { line.len() } else { line.len().min(COLUMN) };
            words.extend(line[..end].split_whitespace());
        }
        words.join(" ").split('"').skip(1).step_by(2).map(str::to_string).collect()
    }

    #[test]
    fn the_manual_explains_every_line_that_the_installer_prints() {
        let (_, chapter) = SOURCE.split_once("IF SOMETHING IS WRONG").unwrap();
        let explained = quoted(chapter);
        assert!(explained.iter().all(|part| part.len() >= "it is".len()), "{explained:#?}");
        let missing: Vec<&&str> = REASONS.iter().chain(LINES).filter(|text| !text.is_empty() && !explained.iter().any(|part| text.contains(part))).collect();
        assert!(explained.len() > 40 && missing.is_empty(), "not explained: {missing:#?}\nexplained: {explained:#?}");
    }
}
