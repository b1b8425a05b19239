//! The lines of CONFIG.SYS or FDCONFIG.SYS: which of them load the driver, and where a new one goes.
//!
//! Nothing here touches the machine, so the host tests run it.

use super::options::same;

/// Most bytes of a file that is changed.
pub const MOST: usize = 6 * 1024;
/// Ends a text file, as some editors write it.
const END: u8 = 0x1A;

/// Commands that load something.
const LOADS: [&str; 8] =
    ["DEVICE", "DEVICEHIGH", "DEVICELOW", "INSTALL", "INSTALLHIGH", "INSTALLLOW", "HIDEVICE", "HIINSTALL"];

/// The text without what follows a Ctrl-Z.
fn text(file: &[u8]) -> &[u8] {
    let end = file.iter().position(|byte| *byte == END).unwrap_or(file.len());
    file.get(..end).unwrap_or(&[])
}

/// The lines of a file, with their ends.
fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    text(file).split_inclusive(|byte| *byte == b'\n')
}

/// Whether a line loads the driver. Before the command may stand FreeDOS's marks of menus and questions (`12?`, `!`), before the
/// path the options of DEVICEHIGH (`/L:1`).
#[inline(never)]
pub fn ours(line: &[u8]) -> bool {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !blank(byte) && !byte.is_ascii_digit() && !matches!(byte, b'?' | b'!')).unwrap_or(line.len());
    let line = line.get(start..).unwrap_or(&[]);
    let name = line.iter().position(|byte| blank(byte) || *byte == b'=' || *byte == b'?').unwrap_or(line.len());
    let (command, rest) = line.split_at(name.min(line.len()));
    if !LOADS.iter().any(|load| same(command, load)) {
        return false;
    }
    let mut words = rest.split(|byte| blank(byte) || matches!(byte, b'=' | b'?' | b'\r' | b'\n')).filter(|word| !word.is_empty());
    let Some(path) = words.find(|word| !word.starts_with(b"/")) else { return false };
    let name = path.rsplit(|byte| matches!(byte, b'\\' | b'/' | b':')).next().unwrap_or(path);
    same(name, "3COMPKT.SYS") || same(name, "3COMPKT.EXE")
}

/// The first line that loads the driver, without its end.
#[inline(never)]
pub fn loading(file: &[u8]) -> Option<&[u8]> {
    lines(file).find(|line| ours(line)).map(|line| line.trim_ascii_end())
}

/// Whether this is what [`edit`] has added behind a file.
pub fn added(rest: &[u8]) -> bool {
    let mut line = false;
    lines(rest).all(|text| {
        line |= ours(text);
        ours(text) || matches!(text.trim_ascii(), b"" | b"[COMMON]")
    }) && line
}

/// Calls `put` with the pieces of the file with this line in the place of the first that loads the driver, and without the
/// others. If there is none, the line comes at the end; in a file with menus that is a block `[COMMON]`, which all choices have.
/// Without a new line the file without those that load the driver is put.
#[inline(never)]
pub fn edit(file: &[u8], new: Option<&[u8]>, put: &mut dyn FnMut(&[u8])) {
    let mut left = new;
    let mut ended = true;
    let mut block: Option<bool> = None;
    for line in lines(file) {
        if ours(line) {
            if let Some(new) = left.take() {
                put(new);
                put(b"\r\n");
            }
            continue;
        }
        if let [b'[', name @ ..] = line.trim_ascii() {
            block = Some(same(name, "COMMON]"));
        }
        put(line);
        ended = line.ends_with(b"\n");
    }
    if let Some(new) = left {
        if !ended {
            put(b"\r\n");
        }
        if block == Some(false) {
            put(b"[COMMON]\r\n");
        }
        put(new);
        put(b"\r\n");
    }
}
