//! The pass that writes LLVM's listings again in 16 bits.

use tools::narrow::narrow;

/// The narrow form of a function `f`, a line each.
fn lines_of(listing: &str, name: &str) -> Vec<String> {
    let text = narrow(listing).expect("narrow");
    let inside = text.lines().skip_while(|line| *line != format!("{name}:")).skip(1).take_while(|line| !line.contains(".size"));
    inside.map(|line| line.trim().replace('\t', " ")).filter(|line| !line.is_empty()).collect()
}

/// The narrow form of one private function's body, of whose result the caller looks at 16 bits.
fn body(lines: &str) -> Vec<String> {
    let listing = format!("\t.type\tf,@function\nf:\n{lines}\n\t.size\tf, 1\n\t.globl\tg\n\t.type\tg,@function\ng:\n\tcalll\tf\n\tmovw\t%ax, there\n\txorl\t%eax, %eax\n\txorl\t%edx, %edx\n\tretl\n\t.size\tg, 1\n");
    lines_of(&listing, "f")
}

/// The same of a function that others call.
fn exported(lines: &str) -> Vec<String> {
    lines_of(&format!("\t.globl\tf\n\t.type\tf,@function\nf:\n{lines}\n\t.size\tf, 1\n"), "f")
}

#[test]
fn ebx_and_ecx_change_places_and_addresses_are_short() {
    assert_eq!(body("\tmovl\t4(%ecx), %eax\n\tmovb\t%bl, (%ecx)\n\tretl"), ["movw 4(%bx), %ax", "movb %cl, (%bx)", "retw"]);
    // AX and a scaled index have no 16-bit form; their high halves are wanted.
    assert_eq!(
        body("\tmovzwl\t(%ecx), %eax\n\tmovw\tt(,%eax,2), %ax\n\tretl"),
        ["movzwl (%bx), %eax", "movw t(,%eax,2), %ax", "retw"]
    );
}

#[test]
fn high_halves_that_are_looked_at_stay() {
    assert_eq!(body("\tmovl\t%edx, %eax\n\taddl\t$8, %eax\n\tretl"), ["leaw 8(%edx), %ax", "retw"]);
    assert_eq!(
        body("\tmovl\t%edx, %eax\n\taddl\t$8, %eax\n\tshrl\t$16, %eax\n\tretl"),
        ["leal 8(%edx), %eax", "shrl $16, %eax", "retw"]
    );
    assert_eq!(body("\tmovl\t%edx, there\n\tretl"), ["movl %edx, there", "retw"]);
}

#[test]
fn an_address_in_the_register_that_is_loaded_keeps_its_high_half() {
    assert_eq!(body("\tmovl\tthere, %eax\n\tmovw\t28(%eax), %ax\n\tretl"), ["movl there, %eax", "movw 28(%eax), %ax", "retw"]);
    assert_eq!(body("\tmovl\tthere, %eax\n\tmovl\t28(%eax), %eax\n\tretl"), ["movl there, %eax", "movw 28(%eax), %ax", "retw"]);
}

#[test]
fn a_sum_of_32_bits_is_not_one_of_16() {
    let sum = "\tmovl\tthere, %ecx\n\tmovl\tthere, %esi\n\tleal\t12(%ecx,%esi), %eax\n\tmovl\t%eax, there\n\tretl";
    assert_eq!(body(sum)[2], "leal 12(%ebx,%esi), %eax");
}

#[test]
fn comparisons_are_narrowed_only_of_zero_high_halves() {
    let compare = |load: &str| body(&format!("\t{load}\t(%ecx), %eax\n\tcmpl\t$65535, %eax\n\tje\t.L1\n\txorl\t%eax, %eax\n.L1:\n\tretl"));
    assert_eq!(compare("movzwl"), ["movw (%bx), %ax", "cmpw $-1, %ax", "je .L1", "xorw %ax, %ax", ".L1:", "retw"]);
    assert_eq!(compare("movl"), ["movl (%bx), %eax", "cmpl $65535, %eax", "je .L1", "xorw %ax, %ax", ".L1:", "retw"]);
    // The sign is another one at 16 bits.
    let signed = body("\tmovzwl\t(%ecx), %eax\n\tcmpl\t$40000, %eax\n\tjl\t.L1\n\txorl\t%eax, %eax\n.L1:\n\tretl");
    assert_eq!(signed[1], "cmpl $40000, %eax");
}

#[test]
fn a_tested_bit_may_be_a_high_one() {
    let low = body("\tmovl\tthere, %eax\n\tbtl\t$15, %eax\n\tsetb\t%al\n\tbtl\t$15, (%esp)\n\tretl");
    assert_eq!(low, ["movw there, %ax", "btw $15, %ax", "setb %al", "btl $15, (%esp)", "retw"]);
    let lines = body("\tmovl\tthere, %eax\n\tpushl\t%edx\n\tbtl\t$16, %eax\n\tpopl\t%edx\n\tsetb\t%al\n\tbtl\t$16, (%esp)\n\tretl");
    assert_eq!(lines, ["movl there, %eax", "pushl %edx", "btl $16, %eax", "popl %edx", "setb %al", "btl $16, (%esp)", "retw"]);
}

#[test]
fn a_carry_out_of_32_bits_stays() {
    let lines = body("\taddl\t%ecx, %edx\n\tmovl\t$0, %eax\n\tadcl\t$0, %eax\n\tretl");
    assert_eq!(lines, ["addl %ebx, %edx", "movw $0, %ax", "adcw $0, %ax", "retw"]);
}

#[test]
fn arguments_on_the_stack_come_nearer() {
    // One register saved of which the low half alone changes: two bytes less; the return address: two more.
    let lines = "\tpushl\t%esi\n\tsubl\t$4, %esp\n\tmovzwl\t%cx, %esi\n\tmovl\t%edx, (%esp)\n\tmovl\t12(%esp), %eax\n\taddl\t%esi, %eax\n\taddl\t$4, %esp\n\tpopl\t%esi\n\tretl\t$4";
    assert_eq!(
        exported(lines),
        ["pushw %si", "pushl %eax", "movw %bx, %si", "movl %edx, (%esp)", "movw 8(%esp), %ax", "addw %si, %ax", "popl %ebx", "popw %si", "retw $4"]
    );
    // The high half changes, so all of it is saved.
    let lines = "\tpushl\t%esi\n\tmovl\t%edx, %esi\n\tmovl\t8(%esp), %eax\n\tmovl\t%esi, there\n\tpopl\t%esi\n\tretl\t$4";
    assert_eq!(exported(lines), ["pushl %esi", "movl %edx, %esi", "movw 6(%esp), %ax", "movl %esi, there", "popl %esi", "retw $4"]);
}

#[test]
fn what_is_not_known_runs_with_its_own_registers() {
    assert_eq!(body("\tshll\t%cl, %ebx\n\tretl"), ["xchgl %ebx, %ecx", "shll %cl, %ebx", "xchgl %ebx, %ecx", "retw"]);
    let lines = body("\t#APP\n\trep\t\tinsb\t%dx, %es:(%di)\n\t#NO_APP\n\tretl");
    assert_eq!(lines, ["xchgw %bx, %cx", "rep  insb %dx, %es:(%di)", "xchgw %bx, %cx", "retw"]);
}

#[test]
fn a_register_that_an_unknown_instruction_writes_is_saved_whole() {
    // Only the low half is looked at, but BSF changes the high half, too, which is the caller's.
    let lines = body("\tpushl\t%ebx\n\tpushl\t%edi\n\tbsfl\t%edx, %ebx\n\tbsfl\t%edx, %edi\n\tmovl\t%ebx, %eax\n\taddl\t%edi, %eax\n\tpopl\t%edi\n\tpopl\t%ebx\n\tretl");
    assert_eq!(lines[..2], ["pushl %ecx", "pushl %edi"]);
    assert_eq!(lines[lines.len() - 3..], ["popl %edi", "popl %ecx", "retw"]);
}

#[test]
fn a_table_of_jumps_and_a_last_call_through_a_register_are_told_apart() {
    let function = "\tpushl\t%esi\n\tjmpl\t*.T(,%edx,4)\n.L1:\n\tmovl\tt(,%edx,4), %eax\n\tpopl\t%esi\n\tjmpl\t*%eax\n.L2:\n\tpopl\t%esi\n\tretl";
    let table = "\n\t.size\th, 1\n.T:\n\t.long\t.L1\n\t.long\t.L2\n";
    let listing = format!("\t.globl\th\n\t.type\th,@function\nh:\n{function}{table}");
    let text = narrow(&listing).expect("both are even");
    assert!(text.contains("jmpw\t*.T(,%edx,4)") && text.contains("jmpw\t*%ax") && text.contains("popw\t%si\n\tretw"), "{text}");
    // Behind a jump to a table that is in a register, arguments come nearer, too.
    let function = "\tmovl\t.T(,%ecx,4), %eax\n\tjmpl\t*%eax\n.L1:\n\tmovl\t4(%esp), %eax\n.L2:\n\tretl\t$4";
    let caller = "\n\t.globl\tg\n\t.type\tg,@function\ng:\n\tpushl\t%edx\n\tcalll\tf\n\tretl\n\t.size\tg, 1\n";
    let text = narrow(&format!("\t.type\tf,@function\nf:\n{function}{}{caller}", table.replace("\th,", "\tf,"))).expect("both are even");
    assert!(text.contains("\tmovw\t2(%esp), %ax\n"), "{text}");
}

#[test]
fn an_address_that_its_load_overwrites_is_whole() {
    let lines = body("\tmovl\t8(%esp), %edx\n\tmovzbl\tt(%edx), %edx\n\tmovl\t%edx, %eax\n\tretl");
    assert_eq!(lines[..2], ["movl 6(%esp), %edx", "movzbw t(%edx), %ax"]);
}

#[test]
fn flat_memory_keeps_its_offsets_and_widths() {
    let lines = body("\t#APP\n\tmovl\t%fs:(%ecx), %eax\n\tmovw\t%dx, %fs:(%esi)\n\t#NO_APP\n\tretl");
    assert_eq!(lines, ["movl %fs:(%ebx), %eax", "movw %dx, %fs:(%esi)", "retw"]);
}

#[test]
fn what_is_more_than_a_move_from_flat_memory_looks_at_its_register_whole() {
    let lines = body("\tmovl\tthere, %eax\n\t#APP\n\tandl\t%fs:(%ecx), %eax\n\t#NO_APP\n\tsete\t%al\n\tretl");
    assert_eq!(lines[..2], ["movl there, %eax", "andl %fs:(%ebx), %eax"]);
}

#[test]
fn constants_may_be_hexadecimal() {
    let lines = body("\t#APP\n\tmovl\t$0x12345678, %eax\n\tandl\t$0xFF0000, %eax\n\t#NO_APP\n\tsete\t%al\n\tretl");
    assert_eq!(lines[..2], ["movl $0x12345678, %eax", "andl $0xFF0000, %eax"]);
    assert_eq!(body("\t#APP\n\tmovl\t$0x12345678, %eax\n\t#NO_APP\n\tretl")[0], "movw $22136, %ax");
}

#[test]
fn a_function_by_its_second_name_gets_all_of_its_arguments() {
    let listing = "\t.type\tf,@function\nf:\n\tmovl\t%ecx, there\n\tretl\n\t.size\tf, 1\n\t.type\tsame,@function\n\t.set same, f\n\
        \t.globl\tg\n\t.type\tg,@function\ng:\n\tmovl\tthere, %ecx\n\tcalll\tsame\n\tretl\n\t.size\tg, 1\n";
    let text = narrow(listing).expect("narrow");
    assert!(text.contains("g:\n\tmovl\tthere, %ebx\n\tjmp\tf\n"), "{text}");
}

#[test]
fn stack_arguments_of_strangers_are_refused() {
    let listing = "\t.type\tf,@function\nf:\n\tpushl\t%edx\n\tcalll\t*8(%eax)\n\tretl\n\t.size\tf, 1\n";
    let error = narrow(listing).expect_err("the callee takes four bytes that nobody knows of");
    assert!(error.starts_with("f: the stack is uneven"), "{error}");
}
