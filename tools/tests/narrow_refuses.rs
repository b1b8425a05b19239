//! What the pass that writes listings again does not know, it refuses, with the function and the line.

use tools::narrow::narrow;

/// What the pass says to one line in a function.
fn said(line: &str) -> String {
    said_to(&format!("\t.globl\tf\n\t.type\tf,@function\nf:\n\t{line}\n\tretl\n\t.size\tf, 1\n"))
}

fn said_to(listing: &str) -> String {
    match narrow(listing) {
        Ok(_) => "nothing".into(),
        Err(why) => why,
    }
}

#[test]
fn an_instruction_that_changes_the_flow_or_the_stack_unseen_is_refused() {
    for line in ["int\t$33", "iretw", "lretw", "lcallw\t*4(%ecx)", "call\tg", "ret", "leave", "pushfl", "popfw", "pushal", "enter\t$4, $0", "jc\t.LBB0_1"] {
        assert_eq!(said(line), format!("f: {line}: an instruction that the pass does not know"));
    }
}

/// The pass exchanges CX and BX. It sees them by their names.
#[test]
fn an_instruction_that_uses_cx_or_bx_without_naming_it_is_refused() {
    let hidden = |line: &str| format!("f: {line}: an instruction that uses CX or BX without naming it");
    for line in ["shldl\t%edx, %eax", "shrdw\t%dx, (%esi)", "loop\t1b", "loope\t1b", "loopz\t1b", "loopne\t1b", "loopnz\t1b", "xlatb", "xlat", "cpuid", "cmpxchg8b\t(%esi)", "rdmsr", "wrmsr"] {
        assert_eq!(said(&format!("#APP\n1:\n\tincl\t%ecx\n\t{line}\n\tincl\t%ebx\n\t#NO_APP")), hidden(line));
    }
    // A jump to a number gets a name before it is looked at.
    for op in ["jcxz", "jecxz"] {
        assert_eq!(said(&format!("#APP\n1:\n\tincl\t%ecx\n\t{op}\t1b\n\t#NO_APP")), hidden(&format!("{op} .Lasm1_1")));
    }
    for line in ["shldl\t%cl, %edx, %eax", "shrdl\t$3, %edx, %eax", "rep\tmovsw (%esi), %es:(%edi)"] {
        assert_eq!(said(&format!("#APP\n\t{line}\n\t#NO_APP")), "nothing", "{line}");
    }
}

#[test]
fn an_instruction_that_is_not_known_is_refused() {
    for line in ["bswapl\t%eax", "cmovel\t%ecx, %eax", "xaddl\t%eax, (%ecx)", "cmpxchgl\t%edx, (%ecx)", "fld1", "lock\t\tincl\t(%ecx)", "rep\t\tnop", "rep;movsb (%esi), %es:(%edi);nop", "movq\t%mm0, (%ecx)", "movabsl\t%al, 4"] {
        assert_eq!(said(line), format!("f: {line}: an instruction that the pass does not know"));
    }
    for line in ["bsrl\t%edx, %eax", "shll\t%cl, %eax", "rep\t\tmovsb\t(%esi), %es:(%edi)", "rep;movsb (%esi), %es:(%edi)", "cld", "cltd", "movl\t%es:(%si), %eax", "movl\t%gs:(%ecx), %eax"] {
        assert_eq!(said(line), "nothing", "{line}");
    }
}

#[test]
fn a_directive_that_is_not_known_is_refused() {
    for line in [".byte\t102", ".code32", ".cfi_startproc", ".long\t7", ".zero\t4", ".macro\tm"] {
        assert_eq!(said(line), format!("f: {line}: a directive that the pass does not know"));
    }
    for line in [".weak\tg", ".hidden\tg", ".incbin\t\"x\"", ".org\t16", ".code32", ".weakref\ta, b", "movl\t%eax, %ecx"] {
        assert_eq!(said_to(&format!("\t{line}\n")), format!("outside of functions: {line}: a directive that the pass does not know"));
    }
}

#[test]
fn a_relocation_that_is_not_known_is_refused() {
    for (line, shown) in [("movl\t$t@GOTOFF, %eax", "movl t@GOTOFF"), ("movl\tt@GOT(%ecx), %eax", "movl t@GOT"), ("movl\t$a-b, %eax", "movl a-b"), ("movl\t$_GLOBAL_OFFSET_TABLE_+(.L0-.L1), %eax", "movl _GLOBAL_OFFSET_TABLE_+(.L0-.L1)")] {
        assert_eq!(said(line), format!("f: {shown}: an expression that the pass does not know"));
    }
    assert_eq!(said("calll\tg@GOTPCREL"), "f: calll g@GOTPCREL: a target that the pass does not know");
    for line in [".long\t.LBB0_1-.LJTI0_0", ".long\tf@GOTOFF", ".set\ta, b-c", ".quad\tf-."] {
        assert_eq!(said_to(&format!("\t{line}\n")), format!("outside of functions: {line}: an expression that the pass does not know"));
    }
    assert_eq!(said("calll\tg@PLT"), "nothing");
    assert_eq!(said("movl\tt+4(%ecx), %eax"), "nothing");
    assert_eq!(said("movl\t$t-4, %eax"), "nothing");
}

#[test]
fn a_constant_in_another_base_is_refused() {
    for value in ["010", "0b11", "'a'", "0x", "1+2", "(3)", "~4"] {
        assert_eq!(said(&format!("movl\t${value}, %eax")), format!("f: movl {value}: an expression that the pass does not know"));
    }
    for value in ["0", "-1", "0x1F", "-0x10", "65535"] {
        assert_eq!(said(&format!("movl\t${value}, %eax")), "nothing");
    }
}

#[test]
fn an_asm_that_calls_a_label_of_its_own_is_refused() {
    assert_eq!(said("#APP\n\tcalll\t1f\n1:\n\t#NO_APP"), "f: calll 1f: a target that the pass does not know");
    assert_eq!(said("#APP\n\t.byte\t0x66\n\t#NO_APP"), "f: .byte\t0x66: a directive that the pass does not know");
    assert_eq!(said("#APP\n1:\tincl\t%eax\n\tjne\t1b\n\t#NO_APP"), "f: 1:\tincl\t%eax: an instruction that the pass does not know");
}
