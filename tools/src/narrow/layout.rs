//! Where the functions of a unit stand: all in one section, so that jumps between them are short, and each where
//! another's last jump leads.

use std::collections::HashMap;

use super::Item;
use super::flow::Function;
use super::insn::{Arg, Line};
use super::rules::{Mistake, wrong};

/// A function with the lines before and behind it.
struct Block {
    before: Vec<Item>,
    function: Function,
}

/// The function that another's last line jumps to.
fn last_jump(function: &Function) -> Option<&str> {
    let last = function.lines.iter().rev().find(|line| matches!(line, Line::Insn(_) | Line::Opaque(_)))?;
    match last {
        Line::Insn(insn) if insn.stem().0 == "jmp" => match insn.args.first() {
            Some(Arg::Target(name)) if !function.labels.contains_key(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Joins the code sections, and puts functions where they are fallen into.
pub fn join(items: Vec<Item>) -> Vec<Item> {
    let (mut head, mut blocks, mut rest) = (Vec::new(), Vec::<Block>::new(), Vec::new());
    let mut before: Vec<Item> = Vec::new();
    for item in items {
        match item {
            Item::Function(function) => {
                blocks.push(Block { before: std::mem::take(&mut before), function });
            }
            Item::Text(text) if is_code_section(&text) => {
                // What stood before it belongs to other sections.
                if blocks.is_empty() { &mut head } else { &mut rest }.append(&mut before);
            }
            Item::Text(text) if text.trim().starts_with(".size") && !blocks.is_empty() => {}
            Item::Text(text) => before.push(Item::Text(text)),
        }
    }
    rest.append(&mut before);
    let blocks = second_names(blocks);
    let names: HashMap<String, usize> = blocks.iter().enumerate().map(|(at, block)| (block.function.name.clone(), at)).collect();
    let follows: Vec<Option<usize>> = blocks.iter().map(|block| names.get(last_jump(&block.function)?).copied()).collect();
    // Each function in its turn, and behind it what it falls into.
    let mut behind: HashMap<usize, usize> = HashMap::new();
    let mut taken = vec![false; blocks.len()];
    for at in 0..blocks.len() {
        let Some(next) = follows[at].filter(|next| !taken[*next]) else { continue };
        let mut end = next;
        while let Some(further) = behind.get(&end) {
            end = *further;
        }
        if end != at {
            behind.insert(at, next);
            taken[next] = true;
        }
    }
    let mut order = Vec::new();
    for start in (0..blocks.len()).filter(|at| !taken[*at]) {
        let mut at = Some(start);
        while let Some(now) = at {
            order.push(now);
            at = behind.get(&now).copied();
        }
    }
    let mut blocks: Vec<Option<Block>> = blocks.into_iter().map(Some).collect();
    let mut out = head;
    out.push(Item::Text("\t.section\t.text,\"ax\",@progbits".into()));
    for at in order {
        let Some(mut block) = blocks[at].take() else { continue };
        if (behind.contains_key(&at) || wrong(Mistake::OrderFalls) && follows[at].is_some())
            && let Some(last) = block.function.lines.iter().rposition(|line| matches!(line, Line::Insn(_)))
        {
            block.function.lines.remove(last);
        }
        out.append(&mut block.before);
        out.push(Item::Function(block.function));
    }
    out.append(&mut rest);
    out
}

/// A function that is nothing but a jump to another is a second name of that one.
fn second_names(blocks: Vec<Block>) -> Vec<Block> {
    let mut blocks: Vec<Option<Block>> = blocks.into_iter().map(Some).collect();
    for at in 0..blocks.len() {
        let Some(block) = &blocks[at] else { continue };
        let lonely = block.function.lines.iter().filter(|line| matches!(line, Line::Insn(_) | Line::Opaque(_))).count() == 1;
        let Some(name) = last_jump(&block.function).filter(|_| lonely).map(str::to_string) else { continue };
        let other = |block: &Option<Block>| block.as_ref().is_some_and(|block| block.function.name == name);
        let Some(to) = blocks.iter().position(other).filter(|to| *to != at) else { continue };
        let (Some(mut gone), Some(kept)) = (blocks[at].take(), &mut blocks[to]) else { continue };
        gone.function.lines.retain(|line| !matches!(line, Line::Insn(_)));
        gone.before.push(Item::Function(gone.function));
        gone.before.append(&mut kept.before);
        kept.before = gone.before;
    }
    blocks.into_iter().flatten().collect()
}

fn is_code_section(text: &str) -> bool {
    let text = text.trim();
    text == ".text" || text.strip_prefix(".section").is_some_and(|rest| rest.trim().starts_with(".text"))
}
