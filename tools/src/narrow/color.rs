//! Which of the kept registers holds what: CX has bytes but cannot address, the other three can address.

use super::flow::Function;
use super::insn::{Arg, BP, CX, DI, Line, Mem, Number, Part, SI};
use super::rules::{Mistake, wrong};

/// Gives a function's kept registers other names, so that one that addresses is not in CX. They are saved and put
/// back by name, so any exchange of names within a function is as good as another.
pub fn recolor(function: &mut Function) {
    let kept = [SI, DI, BP, CX];
    let opaque = function.lines.iter().any(|line| matches!(line, Line::Opaque(_)));
    let mut uses = [0u32; 8];
    let mut addresses = [0u32; 8];
    let mut bytes = false;
    let mut frame = false;
    for line in &mut function.lines {
        let Line::Insn(insn) = line else { continue };
        frame |= insn.stem().0 == "mov" && insn.args.iter().all(|arg| matches!(arg, Arg::Reg(reg) if reg.number == BP || reg.number == 4));
        for arg in &mut insn.args {
            visit(arg, &mut |number, part, address| {
                uses[*number as usize] += 1;
                addresses[*number as usize] += address as u32;
                bytes |= *number == CX && matches!(part, Some(Part::Byte { .. }));
            });
        }
    }
    if opaque || frame || bytes || addresses[CX as usize] == 0 {
        return;
    }
    let mut order: Vec<Number> = kept.into_iter().filter(|number| uses[*number as usize] != 0).collect();
    order.sort_by_key(|number| std::cmp::Reverse(addresses[*number as usize]));
    let mut names = [0, 1, 2, 3, 4, 5, 6, 7];
    for (old, new) in order.into_iter().zip(kept) {
        names[old as usize] = new;
    }
    for line in &mut function.lines {
        if let Line::Insn(insn) = line {
            let stays = |address| address && wrong(Mistake::RegistersAddress);
            insn.args.iter_mut().for_each(|arg| visit(arg, &mut |number, _, address| *number = if stays(address) { *number } else { names[*number as usize] }));
        }
    }
}

/// Every register that an operand names, the part of it, and whether it is of an address.
fn visit(arg: &mut Arg, see: &mut impl FnMut(&mut Number, Option<Part>, bool)) {
    match arg {
        Arg::Reg(reg) => see(&mut reg.number, Some(reg.part), false),
        Arg::Mem(Mem { base, index, .. }) => base.iter_mut().chain(index).for_each(|number| see(number, None, true)),
        Arg::Through(inner) => visit(inner, see),
        _ => {}
    }
}
