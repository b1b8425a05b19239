//! The line that PKTCTL install writes to CONFIG.SYS (src/programs/config_sys.rs).

use compkt::programs::config_sys::{added, edit, loading, ours};

const LINE: &str = "DEVICE=C:\\NET\\3COMPKT.SYS /CTL";

fn edited(file: &str, line: Option<&str>) -> String {
    let mut text = Vec::new();
    edit(file.as_bytes(), line.map(str::as_bytes), &mut |bytes| text.extend_from_slice(bytes));
    String::from_utf8(text).unwrap()
}

#[test]
fn lines_that_load_the_driver_are_known_in_every_form() {
    for line in [
        LINE,
        "device=3compkt.sys",
        "  DEVICE = C:\\3COMPKT.EXE /XMS=1024",
        "DEVICEHIGH /L:1,4096 =C:\\3COMPKT.SYS",
        "DEVICEHIGH=/L:1 /S C:\\DOS\\3COMPKT.SYS",
        "DEVICE C:3COMPKT.SYS\r\n",
        "12?DEVICE=A:\\3COMPKT.SYS",
        "DEVICE?=C:\\3COMPKT.SYS",
        "!DEVICE=C:/NET/3COMPKT.SYS",
        "INSTALL=C:\\3COMPKT.EXE 0x60",
    ] {
        assert!(ours(line.as_bytes()), "{line}");
    }
    for line in [
        "",
        "\r\n",
        "REM DEVICE=C:\\3COMPKT.SYS",
        "; DEVICE=C:\\3COMPKT.SYS",
        "DEVICE=C:\\3COMPKT.SYS.OLD",
        "DEVICE=C:\\X3COMPKT.SYS",
        "DEVICE=C:\\HIMEM.SYS /3COMPKT.SYS",
        "DEVICES=C:\\3COMPKT.SYS",
        "SET X=C:\\3COMPKT.SYS",
        "DEVICE=",
        "DEVICE",
        "FILES=40",
    ] {
        assert!(!ours(line.as_bytes()), "{line}");
    }
}

#[test]
fn the_line_comes_last_or_in_the_old_ones_place() {
    assert_eq!(edited("", Some(LINE)), format!("{LINE}\r\n"));
    assert_eq!(edited("FILES=40", Some(LINE)), format!("FILES=40\r\n{LINE}\r\n"));
    assert_eq!(edited("FILES=40\r\n", Some(LINE)), format!("FILES=40\r\n{LINE}\r\n"));
    // What stands behind a Ctrl-Z is no part of the text.
    assert_eq!(edited("FILES=40\r\n\x1ADEVICE=3COMPKT.SYS\r\n", Some(LINE)), format!("FILES=40\r\n{LINE}\r\n"));
    let old = "A=1\r\nDEVICE=C:\\3COMPKT.SYS\r\nB=2\r\nDEVICEHIGH=D:\\3COMPKT.SYS\r\n";
    assert_eq!(loading(old.as_bytes()), Some(&b"DEVICE=C:\\3COMPKT.SYS"[..]));
    assert_eq!(edited(old, Some(LINE)), format!("A=1\r\n{LINE}\r\nB=2\r\n"));
    assert_eq!(edited(old, None), "A=1\r\nB=2\r\n");
    assert_eq!(edited("A=1\nB=2\n", Some(LINE)), format!("A=1\nB=2\n{LINE}\r\n"));
}

#[test]
fn with_menus_every_choice_has_the_line() {
    let menu = "[MENU]\r\nMENUITEM=NET\r\nMENUITEM=PLAIN\r\n[NET]\r\nFILES=40\r\n";
    assert_eq!(edited(menu, Some(LINE)), format!("{menu}[COMMON]\r\n{LINE}\r\n"));
    let common = format!("{menu}[common]\r\n");
    assert_eq!(edited(&common, Some(LINE)), format!("{common}{LINE}\r\n"));
}

/// Whatever the file has, the line is in it once afterwards, and taking it back leaves the file's own lines.
#[test]
fn any_file_keeps_its_own_lines() {
    let mut random = tools::random::Random::new(0x3C509);
    let parts = ["FILES=40", "\r\n", "\n", "[COMMON]", "[A]", LINE, "DEVICE=C:\\HIMEM.SYS", " ", "\t", "=", "?", "12", "\x1A", "\0", "DEVICEHIGH", "3COMPKT.SYS"];
    for _ in 0..10_000 {
        let file: String = (0..random.below(24)).map(|_| random.of(&parts)).collect();
        let after = edited(&file, Some(LINE));
        assert_eq!(after.lines().filter(|line| ours(line.as_bytes())).count(), 1, "{file:?}");
        let own = |text: &str| {
            let text = text.split('\x1A').next().unwrap().to_string();
            text.split('\n').map(|line| line.trim_end().to_string()).filter(|line| !ours(line.as_bytes()) && !line.is_empty()).collect::<Vec<_>>()
        };
        let kept: Vec<String> = own(&edited(&after, None));
        let extra = kept.len() - own(&file).len();
        if let Some(rest) = after.strip_prefix(&file) {
            assert!(added(rest.as_bytes()) || file.lines().any(|line| ours(line.as_bytes())), "{file:?}");
        }
        assert!(kept.starts_with(&own(&file)) && extra <= 1 && kept[own(&file).len()..].iter().all(|line| line == "[COMMON]"), "{file:?}");
    }
}
