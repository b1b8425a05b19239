//! `3COMPKT.TXT`, the manual, with the switches from the parser's table and the cards from the list of NICs; and the text of
//! `3COMPKT /?`.

use compkt::control::{self, Class, PARAMETERS};
use compkt::install::stages::bonds::BOND_SWITCHES;
use compkt::install::stages::switches::{SWITCHES, Switch};
use compkt::programs::commands::{self, CHOICES, COMMANDS, EXITS};

const SOURCE: &str = include_str!("../../../src/install/manual.txt");

/// All switches. Those of a bond come before the last ones, which are about the whole driver.
fn all() -> impl Iterator<Item = &'static Switch> {
    let (of_one, rest) = SWITCHES.split_at(SWITCHES.iter().position(|switch| switch.name == "U").unwrap_or(0));
    of_one.iter().chain(&BOND_SWITCHES).chain(rest)
}

/// The manual with DOS's line ends; `cards` has a line for each card, `memory` those of the table of sizes.
pub fn text(version: &str, cards: &[String], memory: &[String]) -> String {
    let switches: Vec<String> = all()
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
        .replace("@COMMANDS@", &commands())
        .replace("@OPTIONS@", &options())
        .replace("@EXITS@", &EXITS.map(|(code, what)| format!("          {code}  {what}")).join("\n"))
        .replace("@FUNCTIONS@", &table(control::FUNCTIONS, |number| format!("{number:02X}h")))
        .replace("@RESULTS@", &table(control::RESULTS, |number| number.to_string()))
        .replace("@EVENTS@", &table(control::EVENTS, |number| number.to_string()))
        .replace("@PARAMETERS@", &parameters())
        .replace("@CALLBACKS@", &control::CALLBACKS.to_string())
        .replace("@ENTRIES@", &control::LOG_ENTRIES.to_string())
        .replace('\n', "\r\n")
}

/// PKTCTL's commands, each with its usage and below it what it does.
fn commands() -> String {
    let row = |command: &commands::Command| {
        let mut usage = String::from("  PKTCTL ");
        commands::usage(command, &mut |part| usage.push_str(part));
        format!("{usage}\n      {}", command.help)
    };
    COMMANDS.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// PKTCTL's options.
fn options() -> String {
    let row = |choice: &commands::Choice| {
        let mut option = String::new();
        commands::written(choice, &mut |part| option.push_str(part));
        format!("  {option:<21} {}", choice.help)
    };
    CHOICES.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The columns in a line of the manual.
const COLUMNS: usize = 79;

/// Rows of a first part, and a text that is folded beside it.
fn folded(first: &str, text: &str) -> String {
    let (mut lines, mut line, indent) = (Vec::new(), first.to_string(), first.len());
    for word in text.split(' ') {
        if line.len() > indent && line.len() + 1 + word.len() > COLUMNS {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        }
        line += " ";
        line += word;
    }
    lines.push(line);
    lines.join("\n")
}

/// The table of a list of `src/control.rs`.
fn table(list: &[(&str, u8, &str)], number: impl Fn(u8) -> String) -> String {
    let row = |(name, value, what): &(&str, u8, &str)| folded(&format!("  {:>3} {name:<15}", number(*value)), what);
    list.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The table of the control interrupt's parameters: number, name, class, range, what it is.
fn parameters() -> String {
    let row = |parameter: &control::Parameter| {
        let class = match parameter.class {
            Class::Live => "live",
            Class::Pending => "pending",
            Class::Fixed => "fixed",
        };
        let range = format!("{} to {}", parameter.low, parameter.high);
        folded(&format!("  {:>2} {:<10}{class:<8} {range:<14}", parameter.number, parameter.name), parameter.what)
    };
    PARAMETERS.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Names in a row of the list of NICs.
const ROW: usize = 6;

/// The text of `3COMPKT /?`, line by line.
pub fn help(nics: &[&str]) -> Vec<String> {
    let mut lines = vec!["3COMPKT [0x60 [irq] [io]] [switches]".to_string()];
    for switch in all() {
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
    fn the_manual_has_every_table_and_no_line_is_too_long() {
        let text = text("0.0.0", &[], &[]);
        for (name, number, _) in [control::FUNCTIONS, control::RESULTS, control::EVENTS].concat() {
            assert!(text.lines().any(|line| line.contains(&format!(" {name} ")) && !line.contains('@')), "{name}, {number}");
        }
        assert!(!text.contains('@') && PARAMETERS.iter().all(|parameter| text.contains(parameter.what.split(' ').next().unwrap())));
        assert_eq!(text.lines().find(|line| line.len() > COLUMNS), None);
    }

    #[test]
    fn the_manual_has_every_command_option_and_exit_code_of_pktctl() {
        let manual = text("1.0", &[], &[]);
        for command in &COMMANDS {
            assert!(manual.contains(&format!("  PKTCTL {}", command.name)) && manual.contains(command.help), "{}", command.name);
        }
        for choice in &CHOICES {
            assert!(manual.contains(&format!("  --{}", choice.name.to_lowercase())) && manual.contains(choice.help), "{}", choice.name);
        }
        for (code, what) in &EXITS {
            assert!(manual.contains(&format!("{code}  {what}\r\n")), "{code}");
        }
        assert!(!manual.contains('@'), "every table is filled in");
        for line in manual.lines() {
            assert!(line.len() <= COLUMNS, "{line}");
        }
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
