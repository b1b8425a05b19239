//! PKTCTL: each command prints what it should, with 3COMPKT and with other drivers.

use super::machine::{Lab, Rig, Steps, ne2000, qemu};
use super::runner::{Test, Verdict};
use crate::rig::dosbox_x::DosboxX;
use crate::rig::qemu::{self, Net, Qemu};
use compkt::programs::commands::{COMMANDS, CHOICES, EXITS};

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("qemu/pktctl/stranger", stranger),
        Test::new("qemu/pktctl/foreign", |lab| foreign(lab, &qemu(ne2000())?)),
        Test::new("dosbox-x/pktctl/foreign", |lab| foreign(lab, &DosboxX::default())).takes(5),
        Test::new("qemu/pktctl/help", |lab| help(lab, &qemu(ne2000())?)),
        Test::new("qemu/pktctl/two-copies", two_copies),
        Test::new("dosbox-x/pktctl/tables", tables).takes(5),
    ]
}

/// A packet driver that has no functions.
fn stranger(lab: &Lab) -> Verdict {
    let lines = ["PKTCTL status", "PKTCTL test", "PKTCTL mem", "PKTCTL stats", "PKTCTL handles", "PKTCTL status /INT=61"];
    let steps = qemu(ne2000())?.steps(&lab.job(&[], &[&["OTHER"][..], &lines, &["PKTCTL nics"]].concat())?)?;
    for line in lines {
        steps.exits(line, 3)?;
        steps.holds(steps.first(line)?.text.lines().count() == 1, format!("`{line}` prints one line"))?;
    }
    steps.prints("PKTCTL status", "INT 60h: a packet driver that refuses driver_info (BAD_COMMAND)")?;
    steps.prints("PKTCTL mem", "INT 60h: a packet driver that does not tell its name (BAD_COMMAND), not 3COMPKT: ")?;
    steps.prints("PKTCTL status /INT=61", "No packet driver on INT 61h.")?;
    steps.prints("PKTCTL nics", "60   (no_name)        not 3COMPKT ")
}

/// A driver of somebody else's, which answers. What only 3COMPKT has is refused, with the driver's name.
fn foreign(lab: &Lab, rig: &impl Rig) -> Verdict {
    let only = ["PKTCTL mem", "PKTCTL handles"];
    let told = ["PKTCTL status", "PKTCTL nics", "PKTCTL nics --csv", "PKTCTL stats", "PKTCTL stats --csv"];
    let steps = rig.steps(&lab.job(&[], &[&["FOREIGN"][..], &only, &told, &["PKTCTL mem --csv"]].concat())?)?;
    for line in only {
        steps.exits(line, 3)?;
        let text = &steps.first(line)?.text;
        let good = text.starts_with("INT 60h: ODI,\"shim\", version 9, is not 3COMPKT: ") && text.lines().count() == 1;
        steps.holds(good, format!("`{line}` says in one line whose driver it is"))?;
    }
    for line in told {
        steps.exits(line, 0)?;
    }
    steps.prints("PKTCTL status", "calls itself ODI,\"shim\", version 9, class 1")?;
    steps.prints("PKTCTL nics", "60   ODI,\"shim\"       not 3COMPKT                         3  02:11:22:33:44:55")?;
    steps.prints("PKTCTL nics --csv", "60,\"ODI,\"\"shim\"\"\",0,,,,,3,02:11:22:33:44:55")?;
    steps.prints("PKTCTL stats", "  in       4000000001   4000000003            5            7")?;
    steps.prints("PKTCTL stats --csv", "60,\"ODI,\"\"shim\"\"\",4000000001,4000000003,5,7,22,44,6")?;
    steps.exits("PKTCTL mem --csv", 3)?;
    steps.holds(steps.first("PKTCTL mem --csv")?.text == "int,block,place,bytes", "a program reads no words")
}

/// `/?` of everything, on one screen; and lines that are wrong.
fn help(lab: &Lab, rig: &impl Rig) -> Verdict {
    let asked: Vec<String> = COMMANDS.iter().map(|command| format!("PKTCTL {} /?", command.name)).collect();
    let wrong = [
        ("PKTCTL stat", "PKTCTL: stat: no such command. PKTCTL /? lists what there is."),
        ("PKTCTL stats --wach", "PKTCTL: --wach: no such option of this command. PKTCTL stats /? lists what there is."),
        ("PKTCTL import", "PKTCTL: a file's name is missing. PKTCTL import /? lists what there is."),
    ];
    let mut script = vec!["ints keep", "PKTCTL /?", "PKTCTL", "ints"];
    script.extend(asked.iter().map(String::as_str).chain(wrong.iter().map(|(line, _)| *line)));
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    let fits = |text: &str| text.lines().count() <= 24 && text.lines().all(|line| line.len() < 80);
    steps.exits("PKTCTL /?", 0)?;
    steps.holds(steps.first("PKTCTL /?")?.text == steps.first("PKTCTL")?.text, "without a command it lists them")?;
    steps.holds(fits(&steps.first("PKTCTL /?")?.text), "the list fits on a screen")?;
    for (code, meaning) in &EXITS {
        steps.prints("PKTCTL /?", &format!("  {code}  {meaning}"))?;
    }
    for (command, line) in COMMANDS.iter().zip(&asked) {
        steps.prints("PKTCTL /?", &format!("PKTCTL {:<9}{}", command.name, command.help))?;
        steps.exits(line, 0)?;
        steps.prints(line, command.help)?;
        for choice in CHOICES.iter().filter(|choice| choice.bit & command.takes != 0) {
            steps.prints(line, &format!("  --{}", choice.name.to_lowercase()))?;
            steps.prints(line, choice.help)?;
        }
        steps.holds(fits(&steps.first(line)?.text), format!("`{line}` fits on a screen"))?;
    }
    for (line, said) in wrong {
        steps.exits(line, 2)?;
        steps.holds(steps.first(line)?.text == said, format!("`{line}` prints `{said}`"))?;
    }
    steps.same("ints")
}

/// The values of a line of `--csv`, without those in which a comma could stand.
fn row<'a>(steps: &'a Steps, line: &str, starts: &str) -> Result<Vec<&'a str>, String> {
    let Some(row) = steps.first(line)?.text.lines().find(|row| row.starts_with(starts)) else { return steps.fail(format!("`{line}` prints `{starts}`")) };
    Ok(row.split(',').collect())
}

/// Two copies of 3COMPKT, for an ISA and a PCI card: each command shows both, or with `--int=` one.
fn two_copies(lab: &Lab) -> Verdict {
    let card = |device: &str| qemu::Nic { device: device.into(), net: Net::User };
    let rig = Qemu { nics: vec![card("ne2k_isa,iobase=0x300,irq=10,mac=02:00:00:00:00:10"), card("e1000,mac=02:00:00:00:00:11")], ..Qemu::default() };
    let tables = ["PKTCTL nics", "PKTCTL stats", "PKTCTL handles", "PKTCTL mem", "PKTCTL status"];
    let mut script = vec!["3COMPKT /NIC=ne2000 /STATS", "3COMPKT /INT=61", "PKTCTL test /INT=60 /COUNT=2", "PKTCTL test /INT=61 /COUNT=3"];
    script.extend(tables);
    script.extend(["PKTCTL nics --csv", "PKTCTL stats --csv", "PKTCTL stats --csv --int=61", "PKTCTL stats --int=61", "PKTCTL mem --csv", "HOLD", "PKTCTL handles --csv"]);
    let steps = rig.steps(&lab.job(&[], &script)?)?;
    for line in &script {
        steps.exits(line, 0)?;
    }
    for line in tables {
        steps.holds(steps.first(line)?.text.lines().all(|line| line.len() < 80), format!("`{line}` fits the screen"))?;
    }
    steps.prints("PKTCTL nics", "60   ne2000           ISA         0300h    10  unknown     3  02:00:00:00:00:10")?;
    steps.prints("PKTCTL nics", "61   e1000            PCI 00:0")?;
    steps.prints("PKTCTL nics", "   -     1")?;
    steps.prints("PKTCTL nics --csv", "60,\"ne2000\",1,\"ISA\",0300,10,\"unknown\",3,02:00:00:00:00:10")?;
    steps.holds(steps.first("PKTCTL stats --csv --int=61")?.text.lines().count() == 2, "one row for one driver")?;
    steps.holds(!steps.first("PKTCTL stats --int=61")?.text.contains("INT 60h"), "one table for one driver")?;
    for (vector, name, echoes) in [("60", "ne2000", 2), ("61", "e1000", 3)] {
        let values = row(&steps, "PKTCTL stats --csv", &format!("{vector},\"{name}\","))?;
        let numbers: Vec<u32> = values.iter().skip(2).filter_map(|value| value.parse().ok()).collect();
        let [frames_in, bytes_in, errors_in, _, frames_out, bytes_out, errors_out] = numbers[..] else {
            return steps.fail("seven numbers in a row");
        };
        // DHCP's two, ARP's one, the echoes; requests and answers.
        let good = frames_in >= 3 + echoes && frames_out >= 3 + echoes && bytes_in >= frames_in * 60 && bytes_out >= frames_out * 42;
        steps.holds(good && errors_in == 0 && errors_out == 0, format!("the counters of INT {vector}h are those of the test"))?;
        let table = format!("INT {vector}h  {name}\n");
        steps.prints("PKTCTL stats", &table)?;
        steps.prints("PKTCTL stats", &format!("  in    {frames_in:>13}{bytes_in:>13}"))?;
    }
    steps.prints("PKTCTL handles", "INT 61h\n  handles      0 of 8 in use")?;
    steps.prints("PKTCTL handles --csv", "1,9071,")?;
    let map = &steps.first("PKTCTL mem --csv")?.text;
    steps.holds(map.starts_with("int,block,place,bytes\n60,\"core\",\"low\",") && map.contains("\n61,\"core\",\"low\","), "a row for each block of both")
}

/// The same tables in another DOS.
fn tables(lab: &Lab) -> Verdict {
    let script = ["3COMPKT /STATS", "PKTCTL nics --csv", "PKTCTL stats", "PKTCTL handles", "PKTCTL mem --csv >OUT", "TYPE OUT"];
    let steps = DosboxX::default().steps(&lab.job(&[], &script)?)?;
    for line in script.iter().filter(|line| !line.starts_with("TYPE")) {
        steps.exits(line, 0)?;
    }
    steps.prints("PKTCTL nics --csv", "60,\"ne2000\",1,\"ISA\",0300,10,")?;
    steps.prints("PKTCTL stats", "INT 60h  ne2000\n")?;
    steps.prints("PKTCTL handles", "  handles      0 of 8 in use")?;
    steps.prints("TYPE OUT", "60,\"core\",\"low\",")
}
