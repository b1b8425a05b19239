//! Each rule that makes narrow code shorter, and where it does not hold.

use tools::narrow::rules::{Options, RULES};
use tools::narrow::{Kind, narrow, narrow_by, narrow_with};

/// The narrow form of `f`, which is called from outside.
fn body(lines: &str) -> Vec<String> {
    lines_of(&format!("\t.globl\tf\n\t.type\tf,@function\nf:\n{lines}\n\t.size\tf, 1\n"), "f")
}

fn lines_of(listing: &str, name: &str) -> Vec<String> {
    let text = narrow(listing).expect("narrow");
    let inside = text.lines().skip_while(|line| *line != format!("{name}:")).skip(1).take_while(|line| !line.contains(".size"));
    inside.map(|line| line.trim().replace('\t', " ")).filter(|line| !line.is_empty()).collect()
}

fn function(name: &str, global: bool, lines: &str) -> String {
    let global = if global { format!("\t.globl\t{name}\n") } else { String::new() };
    format!("\t.section\t.text.{name},\"ax\",@progbits\n{global}\t.type\t{name},@function\n{name}:\n{lines}\n\t.size\t{name}, 1\n")
}

#[test]
fn a_sum_in_a_copy_is_one_instruction() {
    assert_eq!(body("\tmovl\t%ecx, %edx\n\taddl\t$15, %edx\n\toutb\t%al, %dx\n\tretl")[0], "leaw 15(%bx), %dx");
    // The flags of the sum are looked at.
    let lines = body("\tmovl\t%ecx, %edx\n\taddw\t$15, %dx\n\tsetb\t%al\n\toutb\t%al, %dx\n\tretl");
    assert_eq!(lines[..2], ["movw %bx, %dx", "addw $15, %dx"]);
    // What was added to is looked at once more.
    let lines = body("\taddl\t$15, %ecx\n\tmovl\t%ecx, %edx\n\toutb\t%al, %dx\n\tmovb\t%al, (%ecx)\n\tretl");
    assert_eq!(lines[..2], ["addw $15, %bx", "movw %bx, %dx"]);
}

#[test]
fn an_address_in_flat_memory_goes_where_it_is_used() {
    let flat = |address: &str, access: &str, rest: &str| body(&format!("\tmovl\there, %edx\n{address}\n\t#APP\n\t{access}\n\t#NO_APP\n{rest}\tmovl\t%eax, there\n\tretl"));
    assert_eq!(flat("\tleal\t8(%ecx,%edx), %edx", "movl\t%fs:(%edx), %eax", "")[1], "movl %fs:8(%ebx,%edx), %eax");
    assert_eq!(flat("\taddl\t$2, %edx", "movl\t%fs:(%edx), %eax", "")[1], "movl %fs:2(%edx), %eax");
    assert_eq!(flat("\tmovl\t$1132, %edx", "movl\t%fs:(%edx), %eax", "")[0], "movl %fs:1132, %eax");
    // Above 64 KB there is no short address.
    assert_eq!(flat("\tmovl\t$65536, %edx", "movl\t%fs:(%edx), %eax", "")[..2], ["movl $65536, %edx", "movl %fs:(%edx), %eax"]);
    // The address is looked at again.
    assert_eq!(flat("\taddl\t$2, %edx", "movl\t%fs:(%edx), %eax", "\tmovl\t%edx, (%ecx)\n")[1], "addl $2, %edx");
    // Its parts change before it is used.
    let lines = flat("\tleal\t8(%esi,%edx), %edx\n\txorl\t%esi, %esi", "movl\t%fs:(%edx), %eax", "");
    assert!(lines.contains(&"leal 8(%esi,%edx), %edx".to_string()), "{lines:?}");
}

#[test]
fn addresses_of_16_and_32_bits_are_not_mixed() {
    // A sum of 16 bits has no carry into the address.
    let lines = body("\tmovw\there, %ax\n\taddw\t$2, %ax\n\tmovzwl\t%ax, %eax\n\tmovb\t(%eax), %al\n\tretl");
    assert_eq!(lines[lines.len() - 2], "movb (%eax), %al");
}

#[test]
fn the_last_move_of_a_value_is_an_exchange() {
    assert_eq!(body("\tmovl\there, %edx\n\tmovl\t%edx, %eax\n\tincl\t%eax\n\tmovl\t%edx, there\n\tretl")[1], "movw %dx, %ax");
    assert_eq!(body("\tmovl\t%esi, %eax\n\tretl"), ["movw %si, %ax", "retw"]);
    let f = function("f", false, "\tmovl\t%ecx, there\n\tmovl\t%ecx, %eax\n\tretl");
    let g = function("g", true, "\tcalll\tf\n\tmovw\t%ax, there\n\txorl\t%eax, %eax\n\tretl");
    assert_eq!(lines_of(&(f + &g), "f")[1], "xchgw %bx, %ax");
}

#[test]
fn bytes_that_nobody_looks_at_are_not_written() {
    assert_eq!(body("\tmovzbl\t(%ecx), %eax\n\tmovb\t%al, there\n\txorl\t%eax, %eax\n\tretl")[0], "movb (%bx), %al");
    assert_eq!(body("\tmovzbl\t(%ecx), %eax\n\tmovw\t%ax, there\n\txorl\t%eax, %eax\n\tretl")[0], "movzbw (%bx), %ax");
    assert_eq!(body("\tandl\t$-8193, %edx\n\tmovl\t%edx, (%ecx)\n\tretl")[0], "andb $223, %dh");
    assert_eq!(body("\tandl\t$-8193, %edx\n\tsete\t%al\n\tmovl\t%edx, (%ecx)\n\tretl")[0], "andl $-8193, %edx");
    // SI has no byte.
    assert_eq!(body("\tandl\t$-8193, %esi\n\tmovl\t%esi, (%ecx)\n\tretl")[0], "andl $-8193, %esi");
    // The sign of a byte is another one.
    assert_eq!(body("\tmovw\there, %dx\n\ttestw\t$128, %dx\n\tsets\t%al\n\tretl")[1], "testw $128, %dx");
    assert_eq!(body("\tmovw\there, %dx\n\ttestw\t$128, %dx\n\tsete\t%al\n\tretl")[1], "testb $128, %dl");
}

#[test]
fn a_comparison_that_is_the_last_look_counts() {
    let compare = |value: i32, rest: &str| body(&format!("\tmovw\there, %dx\n\tcmpw\t${value}, %dx\n\tje\t.LBB0\n\tmovb\t$1, there\n.LBB0:\n{rest}\tretl"));
    assert_eq!(compare(-1, "")[1], "incw %dx");
    assert_eq!(compare(1, "")[1], "decw %dx");
    assert_eq!(compare(2, "")[1], "cmpw $2, %dx");
    assert_eq!(compare(-1, "\tmovw\t%dx, there\n")[1], "cmpw $-1, %dx");
    // Order is another thing than equality.
    assert_eq!(body("\tmovw\there, %dx\n\tcmpw\t$1, %dx\n\tja\t.LBB0\n\tmovb\t$1, there\n.LBB0:\n\tretl")[1], "cmpw $1, %dx");
}

#[test]
fn the_third_argument_is_in_a_register() {
    let f = |lines: &str| function("f", false, lines);
    let g = function("g", true, "\tpushl\t%edx\n\tcalll\tf\n\tpopl\t%eax\n\tmovl\t%esi, there\n\tretl");
    let take = "\tmovl\t4(%esp), %eax\n\tmovl\t%eax, (%ecx)\n\tretl";
    assert_eq!(lines_of(&(f(take) + &g), "f"), ["movl %eax, (%bx)", "retw"]);
    assert_eq!(lines_of(&(f(take) + &g), "g")[..2], ["xchgl %edx, %eax", "callw f"]);
    // A word of it is enough.
    let word = f("\tmovzwl\t4(%esp), %eax\n\tmovw\t%ax, (%ecx)\n\tretl");
    assert_eq!(lines_of(&(word + &g), "g")[0], "xchgw %dx, %ax");
    // Two on the stack: the second one stays there.
    let two = f("\tmovl\t8(%esp), %edx\n\taddl\t4(%esp), %edx\n\tmovl\t%edx, (%ecx)\n\tretl");
    let h = function("g", true, "\tpushl\t%ecx\n\tpushl\t%edx\n\tcalll\tf\n\taddl\t$8, %esp\n\tretl");
    assert_eq!(lines_of(&(two.clone() + &h), "f")[..2], ["movl 2(%esp), %edx", "addl %eax, %edx"]);
    assert_eq!(lines_of(&(two + &h), "g"), ["pushl %ebx", "xchgl %edx, %eax", "callw f", "popl %ebx", "retw"]);
    // Where EAX holds something else by then, it changes places with it.
    let later = f("\tmovl\t%ecx, %eax\n\tmovl\t4(%esp), %ecx\n\tmovl\t%ecx, there\n\tmovl\t%eax, there\n\tretl");
    assert_eq!(lines_of(&(later + &g), "f")[..2], ["xchgl %ebx, %eax", "movl %ebx, there"]);
    let kept = f("\tmovl\there, %eax\n\tmovl\t4(%esp), %edx\n\tmovl\t%edx, there\n\tmovl\t%eax, there\n\tretl");
    assert_eq!(lines_of(&(kept + &g), "f")[1], "movl 2(%esp), %edx");
    // A caller that nobody knows pushes it.
    let taken = format!("{}{g}\t.section\t.data\n\t.long\tf\n", f(take));
    assert_eq!(lines_of(&taken, "f")[0], "movl 2(%esp), %eax");
    // The same by a second name, which LLVM gives to functions that are alike.
    let second = format!("{}\t.type\tsame,@function\n\t.set same, f\n{g}", f(take));
    for reference in ["\t.section\t.data\n\t.long\tsame\n".into(), function("h", true, "\tmovl\t$same, there\n\tretl"), "\t.globl\tsame\n".into()] {
        assert_eq!(lines_of(&format!("{second}{reference}"), "f")[0], "movl 2(%esp), %eax", "{reference}");
    }
    assert_eq!(lines_of(&second, "f")[0], "movl %eax, (%bx)");
    // The function takes it off itself.
    let own = f("\tmovl\t4(%esp), %eax\n\tmovl\t%eax, (%ecx)\n\tretl\t$4");
    let i = function("g", true, "\tpushl\t%edx\n\tcalll\tf\n\tmovl\t%edx, there\n\tretl");
    assert_eq!(lines_of(&(own + &i), "f"), ["movl %eax, (%bx)", "retw"]);
}

#[test]
fn arguments_that_a_last_call_hands_on_stay_on_the_stack() {
    // LLVM leaves them where they lie, and jumps.
    let hands_on = |target: &str| function("f", false, &format!("\tmovl\t4(%esp), %eax\n\ttestl\t%eax, %eax\n\tje\t.LBB0\n\tjmp\t{target}\n.LBB0:\n\tretl"));
    let outer = function("outer", true, "\tpushl\t%edx\n\tcalll\tf\n\tpopl\t%eax\n\txorl\t%eax, %eax\n\tretl");
    let callee = function("callee", false, "\tmovl\there, %eax\n\tmovl\t4(%esp), %edx\n\tmovl\t%edx, there\n\tmovl\t%eax, there\n\tretl");
    for (target, also) in [("callee", callee.as_str()), ("far_copy", "")] {
        let listing = hands_on(target) + also + &outer;
        assert_eq!(lines_of(&listing, "f")[0], "movl 2(%esp), %eax", "{target}");
        assert_eq!(lines_of(&listing, "outer")[0], "pushl %edx", "{target}");
    }
    // One that takes none on the stack is no reason.
    let plain = function("callee", false, "\tincl\tthere\n\tincl\there\n\tretl");
    assert_eq!(lines_of(&(hands_on("callee") + &plain + &outer), "outer")[..2], ["xchgw %dx, %ax", "callw f"]);
}

/// A push of EAX at the beginning of a function makes room on the stack, or passes the third argument on.
#[test]
fn a_third_argument_that_is_pushed_at_once_is_passed() {
    let outer = |call: &str| function("outer", true, &format!("\tmovl\t%edx, %eax\n\tpushl\t%eax\n\tcalll\t{call}\n\tpopl\t%eax\n\txorl\t%eax, %eax\n\tretl"));
    // A closure that calls what takes two arguments on the stack.
    let closure = function("closure", false, "\tmovl\t4(%esp), %eax\n\tpushl\t%eax\n\tpushl\t$16\n\tcalll\tcallee\n\taddl\t$8, %esp\n\tretl");
    let callee = function("callee", false, "\tmovl\there, %eax\n\tmovl\t8(%esp), %edx\n\taddl\t4(%esp), %edx\n\tmovl\t%edx, (%ecx)\n\tmovl\t%eax, there\n\tretl");
    let listing = closure + &callee + &outer("closure");
    assert_eq!(lines_of(&listing, "closure")[..2], ["pushl %eax", "pushl $16"]);
    assert_eq!(lines_of(&listing, "outer")[..3], ["xchgl %edx, %eax", "callw closure", "xorw %ax, %ax"]);
    // The same without the move before, as LLVM writes it for some CPUs.
    let at_once = function("closure", false, "\tpushl\t4(%esp)\n\tpushl\t$16\n\tcalll\tcallee\n\taddl\t$8, %esp\n\tretl");
    let listing = at_once + &callee + &outer("closure");
    assert_eq!(lines_of(&listing, "closure")[..2], ["pushl %eax", "pushl $16"]);
    assert_eq!(lines_of(&listing, "outer")[..3], ["xchgl %edx, %eax", "callw closure", "xorw %ax, %ax"]);
    // Without a third argument EAX holds nothing at the beginning, and the push makes room.
    let room = function("f", false, "\tpushl\t%eax\n\tmovl\t%ecx, (%esp)\n\tmovl\t(%esp), %edx\n\tmovl\t%edx, there\n\tpopl\t%eax\n\tretl");
    let listing = room + &function("outer", true, "\tmovl\t%edx, %eax\n\tcalll\tf\n\txorl\t%eax, %eax\n\tretl");
    assert_eq!(lines_of(&listing, "outer")[0], "callw f");
    // Neither is a push of EAX in a loop at the beginning.
    let again = function("f", false, ".LBB0:\n\tpushl\t%eax\n\tcalll\t*there\n\tpopl\t%edx\n\tmovl\t%edx, there\n\tmovl\there, %eax\n\tjmp\t.LBB0");
    let listing = again + &function("outer", true, "\tcalll\tf\n\tretl");
    assert!(lines_of(&listing, "f").contains(&"movl here, %eax".into()), "{:?}", lines_of(&listing, "f"));
}

#[test]
fn jumps_lead_where_they_end() {
    let lines = body("\ttestb\t%dl, %dl\n\tjne\t.LBB0\n\tjmp\t.LBB1\n.LBB0:\n\tmovb\t$1, there\n.LBB1:\n\tretl");
    assert_eq!(lines, ["testb %dl, %dl", "je .LBB1", "movb $1, there", ".LBB1:", "retw"]);
    assert_eq!(body("\tcalll\tg\n\tretl"), ["jmp g"]);
    // The same end twice is there once.
    let lines = body("\ttestb\t%dl, %dl\n\tjne\t.LBB0\n\tmovb\t$1, there\n\tincl\there\n\tjmp\t.LBB1\n.LBB0:\n\tmovb\t$2, there\n\tincl\there\n.LBB1:\n\tmovb\t$3, there\n\tretl");
    assert_eq!(lines.iter().filter(|line| *line == "incl here").count(), 1, "{lines:?}");
}

#[test]
fn a_function_that_takes_stack_arguments_is_not_jumped_to() {
    let f = function("f", false, "\tmovl\there, %eax\n\tmovl\t4(%esp), %edx\n\tmovl\t%edx, there\n\tmovl\t%eax, there\n\tretl\t$4");
    let g = function("g", true, "\tpushl\t%edx\n\tcalll\tf\n\tretl");
    assert_eq!(lines_of(&(f + &g), "g"), ["pushl %edx", "callw f", "retw"]);
}

#[test]
fn functions_stand_where_others_end() {
    let listing = function("a", true, "\tmovb\t$1, there\n\tjmp\tc") + &function("b", true, "\tretl") + &function("d", true, "\tjmp\tc") + &function("c", false, "\tmovb\t$2, there\n\tretl");
    let text = narrow_with(&listing, &[], Kind::Resident).expect("narrow");
    let code: Vec<&str> = text.lines().filter(|line| !line.contains(".type") && !line.contains(".globl") && !line.is_empty()).map(str::trim).collect();
    assert_eq!(code, [".section\t.text,\"ax\",@progbits", "a:", "movb\t$1, there", "d:", "c:", "movb\t$2, there", "retw", "b:", "retw"]);
}

#[test]
fn the_pushes_of_an_asm_are_narrow_between_which_no_high_half_changes() {
    let asm = |inside: &str| body(&format!("\tmovl\t%edx, %edi\n\tmovl\t%edi, there\n\t#APP\n\tpushl\t%edi\n{inside}\tpopl\t%edi\n\t#NO_APP\n\tmovl\t%edi, there\n\tretl"));
    assert!(asm("\tmovw\t%ax, %di\n\trep\t\tinsb\t%dx, %es:(%di)\n").contains(&"pushw %di".to_string()));
    assert!(asm("\tmovl\t%eax, %edi\n\tmovl\t%edi, here\n").contains(&"pushl %edi".to_string()));
    assert!(asm("\trep\t\tmovsb\t(%esi), %es:(%edi)\n").contains(&"pushl %edi".to_string()));
}

#[test]
fn a_local_with_a_negative_index_is_no_saved_register() {
    let lines = body("\tpushl\t%edi\n\tpushl\t%esi\n\tsubl\t$16, %esp\n\tmovl\t%edx, 12(%esp)\n\tmovl\t20(%esp,%edi,8), %edx\n\tmovl\t24(%esp,%edi,8), %ecx\n\tmovw\t28(%esp,%edi,8), %si\n\tmovl\t%edx, there\n\tmovl\t%ecx, there\n\tmovw\t%si, there\n\tmovl\t28(%esp), %eax\n\taddl\t$16, %esp\n\tpopl\t%esi\n\tpopl\t%edi\n\tretl");
    assert_eq!(lines[..2], ["pushw %di", "pushw %si"]);
    assert_eq!(lines[4..7], ["movl 20(%esp,%edi,8), %edx", "movl 24(%esp,%edi,8), %ebx", "movw 28(%esp,%edi,8), %si"]);
    assert!(lines.contains(&"movw 22(%esp), %ax".to_string()), "{lines:?}");
}

#[test]
fn what_a_register_holds_is_not_moved_there_again() {
    let lines = body("\txorl\t%eax, %eax\n\toutb\t%al, %dx\n\txorl\t%eax, %eax\n\toutb\t%al, %dx\n\tretl");
    assert_eq!(lines, ["xorw %ax, %ax", "outb %al, %dx", "outb %al, %dx", "retw"]);
    let lines = body("\tmovw\t28(%ecx), %dx\n\toutb\t%al, %dx\n\tmovw\t28(%ecx), %dx\n\toutb\t%al, %dx\n\tretl");
    assert_eq!(lines[1..3], ["outb %al, %dx", "outb %al, %dx"]);
    // Memory is written in between.
    let lines = body("\tmovw\t28(%ecx), %dx\n\toutb\t%al, %dx\n\tincl\t(%edi)\n\tmovw\t28(%ecx), %dx\n\toutb\t%al, %dx\n\tretl");
    assert_eq!(lines[3], "movw 28(%bx), %dx");
    // Somebody else comes in between.
    let lines = body("\txorl\t%eax, %eax\n.LBB0:\n\toutb\t%al, %dx\n\txorl\t%eax, %eax\n\ttestb\t%bl, %bl\n\tjne\t.LBB0\n\tretl");
    assert_eq!(lines.iter().filter(|line| *line == "xorw %ax, %ax").count(), 2);
    // A copy that can address.
    assert_eq!(body("\tmovl\t%edx, %esi\n\tmovb\t30(%edx), %al\n\tmovb\t%al, (%esi)\n\tretl")[1], "movb 30(%si), %al");
}

#[test]
fn an_entry_without_a_result_saves_all_registers_at_once() {
    let peek = |lines: &str| {
        let text = narrow_with(&(function("peek", true, lines) + &function("stop", true, "\tjmp\th") + &function("h", false, "\tincb\t(%ecx)\n\tretl")), &[], Kind::Resident).expect("narrow");
        text.lines().skip_while(|line| *line != "peek:").skip(1).map(|line| line.trim().replace('\t', " ")).filter(|line| !line.is_empty()).take_while(|line| !line.starts_with('.')).collect::<Vec<_>>()
    };
    let pushes = "\tpushl\t%esi\n\tpushl\t%edi\n\tmovw\t%dx, %si\n\tmovw\t%ax, %di\n";
    assert_eq!(peek(&format!("{pushes}\tincw\t(%esi,%ecx)\n\tpopl\t%edi\n\tpopl\t%esi\n\tretl"))[0], "pushaw");
    // The first argument comes back by itself for the next function.
    let lines = peek("\tpushl\t%esi\n\tpushl\t%edi\n\tmovl\t%ecx, %esi\n\tmovw\t%ax, %di\n\tcalll\tg\n\tmovw\t%di, there\n\tmovl\t%esi, %ecx\n\tpopl\t%edi\n\tpopl\t%esi\n\tjmp\th");
    assert_eq!(lines[lines.len() - 2..], ["movw %di, there", "popaw"], "and on to h");
    // Another value would not.
    let lines = peek("\tpushl\t%esi\n\tpushl\t%edi\n\tmovl\t%ecx, %esi\n\tmovw\t%ax, %di\n\tcalll\tg\n\tincl\t%esi\n\tmovl\t%esi, %ecx\n\tpopl\t%edi\n\tpopl\t%esi\n\tjmp\th");
    assert_eq!(lines[0], "pushw %si");
    // `link` has a result.
    let link = function("link", true, &format!("{pushes}\tmovb\t$1, %al\n\tpopl\t%edi\n\tpopl\t%esi\n\tretl"));
    assert!(narrow_with(&link, &[], Kind::Resident).expect("narrow").contains("pushw\t%si"));
}

#[test]
fn what_assembly_calls_where_all_is_saved_keeps_nothing() {
    let lines = "\tpushl\t%esi\n\tmovw\t%dx, %si\n\tcalll\th\n\tmovw\t%si, there\n\tmovb\t$1, %al\n\tpopl\t%esi\n\tretl";
    let keeps = |name: &str, beside: &str| {
        let text = narrow_with(&(function(name, true, lines) + &function(beside, true, "\tretl")), &[], Kind::Resident).expect("narrow");
        assert_eq!(text.contains("pushw\t%si"), text.contains("popw\t%si"));
        text.contains("pushw\t%si")
    };
    assert!(!keeps("irq", "stop"));
    assert!(!keeps("set_address", "catch_up"), "the core's, by INT 60h");
    assert!(!keeps("set_address", "irq"), "a driver's, by `settle`");
    assert!(keeps("send", "irq"), "a driver's, by the core's Rust");
    assert!(keeps("driver_info", "catch_up"), "nobody has said so");
}

#[test]
fn a_bit_is_looked_at_in_its_byte() {
    let bit = |number: u8, rest: &str| body(&format!("\tmovw\there, %dx\n\tbtw\t${number}, %dx\n{rest}\tretl"));
    let jump = |op: &str, flag: &str| format!("\t{op}\t.LBB0\n\tmovb\t$1, there\n.LBB0:\n{flag}");
    assert_eq!(bit(12, &jump("jb", ""))[1..3], ["testb $16, %dh", "je .LBB0"].map(|line| line.replace("je", "jne")));
    assert_eq!(bit(3, &jump("jae", ""))[1..3], ["testb $8, %dl", "je .LBB0"]);
    // The bit itself is looked at, after the jump or without one.
    assert_eq!(bit(12, &jump("jb", "\tsetb\t%al\n\tmovb\t%al, (%ecx)\n"))[1], "btw $12, %dx");
    assert_eq!(bit(12, "\tsetb\t%al\n\tmovb\t%al, (%ecx)\n")[1], "btw $12, %dx");
    // SI has no byte.
    let lines = body(&format!("\tmovw\there, %si\n\tbtw\t$3, %si\n{}\tretl", jump("jb", "")));
    assert_eq!(lines[1], "btw $3, %si");
}

#[test]
fn bytes_change_places() {
    assert_eq!(body("\tmovw\there, %dx\n\trolw\t$8, %dx\n\tmovw\t%dx, there\n\tretl")[1], "xchgb %dl, %dh");
    assert_eq!(body("\tmovw\there, %dx\n\trolw\t$7, %dx\n\tmovw\t%dx, there\n\tretl")[1], "rolw $7, %dx");
    assert_eq!(body("\tmovw\there, %si\n\trolw\t$8, %si\n\tmovw\t%si, there\n\tretl")[1], "rolw $8, %si");
    // The bit that went round is looked at.
    assert_eq!(body("\tmovw\there, %dx\n\trolw\t$8, %dx\n\tsetb\t%al\n\tmovw\t%dx, there\n\tretl")[1], "rolw $8, %dx");
}

#[test]
fn a_high_half_that_edits_have_made_nobody_s_is_not_written() {
    // Until the copy is made by words, all of EAX is looked at.
    let load = |rest: &str| body(&format!("\tmovzwl\there, %eax\n\tmovw\t%ax, there\n\tmovl\t%eax, %ecx\n{rest}\tretl"));
    assert_eq!(load("\tmovb\t(%ecx), %al\n")[0], "movw here, %ax");
    assert_eq!(load("\tmovl\t%ecx, there\n")[0], "movzwl here, %eax");
    // Whom an address leads to gets no argument in AX, the routines of asm/ do.
    let table = |call: &str| body(&format!("\tmovl\there, %eax\n\tmovl\t%eax, there\n\taddl\t$5, %eax\n\t{call}\n\tretl"));
    assert!(!table("calll\t*entries").iter().any(|line| line.contains('5')));
    assert!(table("calll\troutine").iter().any(|line| line.contains('5')));
}

#[test]
fn a_push_of_eax_at_the_beginning_makes_room() {
    let f = |lines: &str| function("f", false, &format!("\tpushl\t%eax\n{lines}\tpopl\t%edx\n\tretl"));
    let g = function("g", true, "\tmovl\t$70000, %eax\n\tcalll\tf\n\tmovb\t%al, there\n\txorl\t%eax, %eax\n\tretl");
    assert_eq!(lines_of(&(f("\tmovb\t$1, (%esp)\n\tmovb\t(%esp), %al\n") + &g), "g")[0], "callw f");
    // Later on it is a value.
    assert_eq!(lines_of(&(function("f", false, "\tmovb\t$1, there\n\tpushl\t%eax\n\tpopl\t%edx\n\tmovl\t%edx, there\n\tretl") + &g), "g")[0], "movl $70000, %eax");
}

#[test]
fn a_high_half_that_no_caller_wants_is_not_kept() {
    let f = function("f", false, "\tpushl\t%esi\n\tmovl\there, %esi\n\tmovl\t%esi, there\n\tpopl\t%esi\n\tretl");
    let caller = |rest: &str| function("g", true, &format!("\tpushl\t%esi\n\tmovl\there, %esi\n\tmovl\t%esi, there\n\tcalll\tf\n{rest}\tpopl\t%esi\n\tretl"));
    assert_eq!(lines_of(&(f.clone() + &caller("\tmovw\t%si, there\n")), "f")[0], "pushw %si");
    assert_eq!(lines_of(&(f + &caller("\tmovl\t%esi, there\n")), "f")[0], "pushl %esi");
}

#[test]
fn a_call_in_an_asm_comes_back_with_the_registers_that_rustc_expects() {
    let call = |name: &str| body(&format!("\tmovl\there, %ecx\n\tmovl\tmask, %eax\n\tandl\t%eax, %ecx\n\t#APP\n\tcalll\t{name}\n\t#NO_APP\n\tshrl\t%ecx\n\tmovw\t%cx, there\n\tretl"));
    // All of ECX is looked at behind the call, so the mask is one of 32 bits.
    let lines = call("routine");
    assert_eq!(lines[2..5], ["andl %eax, %ebx", "callw routine", "shrl %ebx"]);
    // What moves frames changes no register (asm/strings.asm): a high half that is zero stays zero.
    let lines = body("\tmovzwl\there, %ecx\n\t#APP\n\tcalll\touts_words\n\t#NO_APP\n\tshrl\t%ecx\n\tmovw\t%cx, there\n\tretl");
    assert_eq!(lines, ["movw here, %bx", "callw outs_words", "shrw %bx", "movw %bx, there", "retw"]);
    // What copies a ring gets all of both addresses, and leaves nothing in EAX, EDX and the first argument's register.
    let copies = |then: &str| body(&format!("\tmovl\there, %edx\n\tmovw\tmask, %ax\n\tmovl\t(%ecx), %ecx\n\t#APP\n\tcalll\tring_to_client\n\t#NO_APP\n{then}\tretl"));
    assert_eq!(copies("")[..4], ["movl here, %edx", "movw mask, %ax", "movl (%bx), %ebx", "jmp ring_to_client"]);
}

#[test]
fn a_rule_is_switched_off_by_its_name() {
    let listing = function("f", true, "\tmovl\t%ecx, %edx\n\taddl\t$15, %edx\n\toutb\t%al, %dx\n\tretl");
    let text = |names: &str| narrow_by(&listing, &[], Kind::Discarded, Options::named(names).unwrap()).expect("narrow");
    assert!(text("").contains("leaw\t15(%bx), %dx"));
    assert!(text("pairs").contains("movw\t%bx, %dx\n\taddw\t$15, %dx"));
    assert!(text("words,single,pairs").contains("movl\t%ebx, %edx\n\taddl\t$15, %edx"));
    assert!(text("wide").contains("movl\t%ebx, %edx\n\taddl\t$15, %edx"));
    assert_eq!(Options::named("pairs,nothing"), Err("no rule is called nothing; tools/build --rules lists them".into()));
    let all = RULES.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(",");
    assert_eq!(Options::named(&all), Ok(Options::wide()));
}
