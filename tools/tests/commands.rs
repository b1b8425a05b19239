//! PKTCTL's command line (src/programs/commands.rs).

use compkt::programs::commands::*;

fn parsed(line: &str) -> Result<Asked<'_>, (&str, &str)> {
    parse(line.as_bytes()).map_err(|wrong| (std::str::from_utf8(wrong.word).unwrap(), wrong.why))
}

#[test]
fn every_command_is_understood_in_any_case() {
    for command in &COMMANDS {
        for name in [command.name.to_string(), command.name.to_uppercase()] {
            let line = match command.what {
                What::Export | What::Import => format!(" {name} FILE\r"),
                _ => format!(" {name}\r"),
            };
            assert_eq!(parsed(&line).unwrap().what, Some(command.what), "{line}");
            let asked = format!("{name} /?\r");
            assert!(parsed(&asked).unwrap().help, "{asked}");
        }
    }
    for line in ["\r", "/?\r", "-?\r", "--help\r"] {
        assert_eq!(parsed(line).unwrap().what, None, "{line}");
    }
}

#[test]
fn options_are_written_in_four_ways() {
    for line in ["stats --int=61 --csv", "stats /INT=61 /CSV", "stats -int:61 -csv", "STATS --INT:0x61 /csv"] {
        let asked = parsed(line).unwrap();
        assert_eq!((asked.vector, asked.has(CSV), asked.has(WATCH)), (0x61, true, false), "{line}");
    }
    let asked = parsed("test 10.0.2.2 /COUNT=9 /SIZE=1472 /IP=10.0.2.15 /MASK=255.0.0.0 /GW=10.0.2.1").unwrap();
    assert_eq!((asked.target, asked.count, asked.size), ([10, 0, 2, 2], 9, 1472));
    assert_eq!((asked.ip, asked.mask, asked.gateway), ([10, 0, 2, 15], [255, 0, 0, 0], [10, 0, 2, 1]));
    assert_eq!(parsed("config BURST=4").unwrap().operand, b"BURST=4");
    assert_eq!(parsed("export C:\\A.TXT --text").unwrap().operand, b"C:\\A.TXT");
    assert_eq!(parsed("export --line").unwrap().operand, b"");
}

#[test]
fn what_is_wrong_is_named() {
    for (line, word, why) in [
        ("stat", "stat", NO_COMMAND),
        ("--csv stats", "--csv", NO_COMMAND),
        ("stats --follow", "--follow", NO_OPTION),
        ("status --csv", "--csv", NO_OPTION),
        ("stats --", "--", NO_OPTION),
        ("stats --csv=1", "--csv=1", NO_VALUE),
        ("stats --csv=", "--csv=", NO_VALUE),
        ("stats --int", "--int", BAD_VALUE),
        ("stats --int=", "--int=", BAD_VALUE),
        ("stats --int=1F", "--int=1F", BAD_VALUE),
        ("stats --int=100", "--int=100", BAD_VALUE),
        ("stats --int=6G", "--int=6G", BAD_VALUE),
        ("test /COUNT=0", "/COUNT=0", BAD_VALUE),
        ("test /COUNT=10000", "/COUNT=10000", BAD_VALUE),
        ("test /SIZE=1473", "/SIZE=1473", BAD_VALUE),
        ("test /IP=10.0.0", "/IP=10.0.0", BAD_VALUE),
        ("test 10.0.0.256", "10.0.0.256", BAD_ADDRESS),
        ("stats 1", "1", TOO_MANY),
        ("config A B", "B", TOO_MANY),
        ("import", "", MISSING),
        ("export", "", MISSING),
        ("export --text --line", "--line", NOT_BOTH),
        ("export --line A --text", "--text", NOT_BOTH),
    ] {
        assert_eq!(parsed(line).unwrap_err(), (word, why), "{line}");
    }
}

#[test]
fn every_option_has_a_row_and_fits_the_screen() {
    let mut known = 0;
    for choice in &CHOICES {
        let mut text = String::new();
        let letters = written(choice, &mut |part| text.push_str(part));
        assert_eq!(letters, text.len());
        assert_eq!(text, format!("--{}{}{}", choice.name.to_lowercase(), if choice.value.is_empty() { "" } else { "=" }, choice.value));
        assert!(letters < 22 && choice.help.len() <= 55, "{text}");
        assert_eq!(known & choice.bit, 0, "{text} has a bit of its own");
        known |= choice.bit;
    }
    for command in &COMMANDS {
        let mut text = String::new();
        usage(command, &mut |part| text.push_str(part));
        assert!(command.takes & !known == 0 && text.starts_with(command.name) && text.len() < 72, "{text}");
        assert!(command.name.len() < 9 && command.help.len() <= 54, "{}", command.help);
    }
}
