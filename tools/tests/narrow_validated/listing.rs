//! A listing as text: its functions and data, and what they name.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A function or a piece of data: its lines, and what comes behind it if control falls through.
struct Piece<'a> {
    lines: Vec<&'a str>,
    falls: Option<&'a str>,
}

fn pieces(listing: &str) -> HashMap<&str, Piece<'_>> {
    let (mut all, mut named, mut now): (HashMap<&str, Piece>, BTreeSet<&str>, Option<&str>) = (HashMap::new(), BTreeSet::new(), None);
    let (mut data, mut leaves) = (false, true);
    for line in listing.lines() {
        let text = line.trim();
        if let Some((name, _)) = text.strip_prefix(".type").and_then(|rest| rest.trim().split_once(',')) {
            named.insert(name);
        }
        if text.starts_with(".section") || text == ".text" || text == ".data" {
            data = !(text.contains(".text") || text.contains("_code") || text.contains(".init"));
        }
        let label = text.strip_suffix(':').filter(|name| named.contains(name) || data && !name.contains(char::is_whitespace));
        if let Some(name) = label {
            if let Some(before) = now.filter(|_| !leaves)
                && let Some(piece) = all.get_mut(before)
            {
                piece.falls = Some(name);
            }
            all.insert(name, Piece { lines: Vec::new(), falls: None });
            (now, leaves) = (Some(name), data);
            continue;
        }
        let directive = text.starts_with('.') && ![".long", ".short", ".byte", ".ascii", ".asciz", ".zero", ".quad"].iter().any(|data| text.starts_with(data));
        let Some(name) = now.filter(|_| !text.is_empty() && !text.starts_with('#') && !(directive && !text.ends_with(':'))) else { continue };
        if let Some(piece) = all.get_mut(name) {
            piece.lines.push(line);
        }
        if !text.ends_with(':') {
            leaves = data || text.starts_with("jmp") || text.starts_with("ret");
        }
    }
    all
}

fn reached<'a>(pieces: &HashMap<&'a str, Piece<'a>>, entry: &str) -> Vec<&'a str> {
    let (mut found, mut todo): (Vec<&str>, Vec<&str>) = (Vec::new(), pieces.get_key_value(entry).map(|(name, _)| *name).into_iter().collect());
    while let Some(name) = todo.pop() {
        let Some(piece) = pieces.get(name).filter(|_| !found.contains(&name)) else { continue };
        found.push(name);
        todo.extend(piece.falls);
        for line in &piece.lines {
            let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || "._$@".contains(letter))).map(|word| word.trim_start_matches('$'));
            todo.extend(words.filter(|word| pieces.contains_key(word)));
        }
    }
    found
}

/// The text of all that an entry may reach.
pub fn closure(listing: &str, entry: &str) -> String {
    let pieces = pieces(listing);
    let mut names = reached(&pieces, entry);
    names.sort_unstable();
    let lines = names.iter().flat_map(|name| std::iter::once(*name).chain(pieces[name].lines.iter().copied()));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The names of all that an entry may reach.
pub fn functions(listing: &str, entry: &str) -> Vec<String> {
    reached(&pieces(listing), entry).into_iter().map(str::to_string).collect()
}

/// The numbers that instructions name.
pub fn constants(text: &str) -> Rc<[u32]> {
    let mut all: Vec<u32> = Vec::new();
    let mut add = |word: &str| {
        let digits: String = word.trim().chars().take_while(|letter| letter.is_ascii_digit() || *letter == '-').collect();
        if let Ok(value) = digits.parse::<i64>() {
            all.push(value as u32);
        }
    };
    for line in text.lines().map(str::trim) {
        line.split('$').skip(1).for_each(&mut add);
        let (op, values) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if [".long", ".short", ".byte"].contains(&op) {
            values.split(',').for_each(&mut add);
        }
    }
    all.sort_unstable();
    all.dedup();
    all.into()
}

/// The functions.
pub fn code(listing: &str) -> Vec<String> {
    let function = |line: &str| line.trim().strip_prefix(".type")?.trim().strip_suffix(",@function").map(str::to_string);
    listing.lines().filter_map(function).collect()
}
