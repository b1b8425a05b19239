# Functions as rustc writes them, for rules of the pass that few units have a place for: where each of them does not hold.
	.code16
	.file	"made"
# A third argument, and what lies on the stack beside it.
	.section	.text.third,"ax",@progbits
	.type	third,@function
third:
	movl	4(%esp), %eax
	addl	%ecx, %eax
	xorl	%edx, %eax
	movl	%eax, there
	retl
.Lfunc_end_third:
	.size	third, .Lfunc_end_third-third


	.section	.text.passes_three,"ax",@progbits
	.globl	passes_three
	.type	passes_three,@function
passes_three:
	subl	$8, %esp
	movl	(%ecx), %eax
	movl	%eax, 4(%esp)
	movl	4(%ecx), %eax
	movl	%eax, (%esp)
	pushl	8(%ecx)
	movl	8(%esp), %ecx
	movl	4(%esp), %edx
	calll	third
	popl	%ecx
	addl	$8, %esp
	xorl	%eax, %eax
	retl
.Lfunc_end_passes_three:
	.size	passes_three, .Lfunc_end_passes_three-passes_three


# A third argument that is passed on at once, as a closure does.
	.section	.text.passes_on,"ax",@progbits
	.type	passes_on,@function
passes_on:
	movl	4(%esp), %eax
	pushl	%eax
	pushl	$16
	calll	takes_two
	popl	%eax
	popl	%ecx
	retl
.Lfunc_end_passes_on:
	.size	passes_on, .Lfunc_end_passes_on-passes_on


	.section	.text.takes_two,"ax",@progbits
	.type	takes_two,@function
takes_two:
	movl	here, %eax
	movl	8(%esp), %edx
	shll	$4, %edx
	addl	4(%esp), %edx
	movl	%edx, (%ecx)
	movl	%eax, there
	retl
.Lfunc_end_takes_two:
	.size	takes_two, .Lfunc_end_takes_two-takes_two


	.section	.text.calls_a_closure,"ax",@progbits
	.globl	calls_a_closure
	.type	calls_a_closure,@function
calls_a_closure:
	movl	4(%ecx), %eax
	pushl	%eax
	calll	passes_on
	popl	%eax
	xorl	%eax, %eax
	retl
.Lfunc_end_calls_a_closure:
	.size	calls_a_closure, .Lfunc_end_calls_a_closure-calls_a_closure


# Memory changes between two loads.
	.section	.text.loads_again,"ax",@progbits
	.globl	loads_again
	.type	loads_again,@function
loads_again:
	movw	2(%ecx), %ax
	movw	4(%ecx), %dx
	outw	%ax, %dx
	addw	$7, 2(%ecx)
	movw	2(%ecx), %ax
	outw	%ax, %dx
	retl
.Lfunc_end_loads_again:
	.size	loads_again, .Lfunc_end_loads_again-loads_again


# All of ECX is looked at behind a call in an asm!.
	.section	.text.looks_behind_a_call,"ax",@progbits
	.globl	looks_behind_a_call
	.type	looks_behind_a_call,@function
looks_behind_a_call:
	movl	(%ecx), %ecx
	movl	there, %eax
	andl	%eax, %ecx
	#APP
	calll	routine
	#NO_APP
	shrl	%ecx
	movw	%cx, there
	xorl	%eax, %eax
	retl
.Lfunc_end_looks_behind_a_call:
	.size	looks_behind_a_call, .Lfunc_end_looks_behind_a_call-looks_behind_a_call


# All of EAX is looked at behind a call in an asm! that changes it.
	.section	.text.looks_at_an_answer,"ax",@progbits
	.globl	looks_at_an_answer
	.type	looks_at_an_answer,@function
looks_at_an_answer:
	movzwl	(%ecx), %eax
	#APP
	calll	routine
	#NO_APP
	shrl	$3, %eax
	movw	%ax, there
	xorl	%eax, %eax
	retl
.Lfunc_end_looks_at_an_answer:
	.size	looks_at_an_answer, .Lfunc_end_looks_at_an_answer-looks_at_an_answer


# A routine that gets a linear and a far address.
	.section	.text.copies_from_a_ring,"ax",@progbits
	.globl	copies_from_a_ring
	.type	copies_from_a_ring,@function
copies_from_a_ring:
	movl	4(%ecx), %edx
	movw	8(%ecx), %ax
	movl	(%ecx), %ecx
	#APP
	calll	ring_to_client
	#NO_APP
	xorl	%eax, %eax
	retl
.Lfunc_end_copies_from_a_ring:
	.size	copies_from_a_ring, .Lfunc_end_copies_from_a_ring-copies_from_a_ring


# A callee that puts back the low half of ESI only.
	.section	.text.loses,"ax",@progbits
	.type	loses,@function
loses:
	pushl	%esi
	movl	here, %esi
	movl	%esi, there
	popl	%esi
	retl
.Lfunc_end_loses:
	.size	loses, .Lfunc_end_loses-loses


	.section	.text.calls_one_that_loses,"ax",@progbits
	.globl	calls_one_that_loses
	.type	calls_one_that_loses,@function
calls_one_that_loses:
	pushl	%esi
	movl	(%ecx), %esi
	movw	%si, there
	calll	loses
	movw	%si, there
	popl	%esi
	xorl	%eax, %eax
	retl
.Lfunc_end_calls_one_that_loses:
	.size	calls_one_that_loses, .Lfunc_end_calls_one_that_loses-calls_one_that_loses


# A callee that puts back all of ESI, since its caller looks at it.
	.section	.text.gives_back,"ax",@progbits
	.type	gives_back,@function
gives_back:
	pushl	%esi
	movl	here, %esi
	movl	%esi, there
	popl	%esi
	retl
.Lfunc_end_gives_back:
	.size	gives_back, .Lfunc_end_gives_back-gives_back

	.section	.text.looks_at_all_of_it,"ax",@progbits
	.globl	looks_at_all_of_it
	.type	looks_at_all_of_it,@function
looks_at_all_of_it:
	pushl	%esi
	movl	(%ecx), %esi
	movl	%esi, here
	calll	gives_back
	movl	%esi, there
	popl	%esi
	xorl	%eax, %eax
	retl
.Lfunc_end_looks_at_all_of_it:
	.size	looks_at_all_of_it, .Lfunc_end_looks_at_all_of_it-looks_at_all_of_it

# A mask that leaves all but one byte, and its flags.
	.section	.text.looks_at_the_flags_of_a_mask,"ax",@progbits
	.globl	looks_at_the_flags_of_a_mask
	.type	looks_at_the_flags_of_a_mask,@function
looks_at_the_flags_of_a_mask:
	movl	(%ecx), %edx
	andl	$-8193, %edx
	sete	%al
	movl	%edx, (%ecx)
	movzbl	%al, %eax
	retl
.Lfunc_end_looks_at_the_flags_of_a_mask:
	.size	looks_at_the_flags_of_a_mask, .Lfunc_end_looks_at_the_flags_of_a_mask-looks_at_the_flags_of_a_mask


# A sum in a copy, and its flags.
	.section	.text.looks_at_the_flags_of_a_sum,"ax",@progbits
	.globl	looks_at_the_flags_of_a_sum
	.type	looks_at_the_flags_of_a_sum,@function
looks_at_the_flags_of_a_sum:
	movl	(%ecx), %ecx
	movl	%ecx, %edx
	addw	$15, %dx
	setb	%al
	outb	%al, %dx
	movl	%ecx, there
	movzbl	%al, %eax
	retl
.Lfunc_end_looks_at_the_flags_of_a_sum:
	.size	looks_at_the_flags_of_a_sum, .Lfunc_end_looks_at_the_flags_of_a_sum-looks_at_the_flags_of_a_sum


# A jump over a jump.
	.section	.text.jumps_over_a_jump,"ax",@progbits
	.globl	jumps_over_a_jump
	.type	jumps_over_a_jump,@function
jumps_over_a_jump:
	testb	$1, (%ecx)
	jne	.LBB7_1
	jmp	.LBB7_2
.LBB7_1:
	movb	$1, there
.LBB7_2:
	xorl	%eax, %eax
	retl
.Lfunc_end_jumps_over_a_jump:
	.size	jumps_over_a_jump, .Lfunc_end_jumps_over_a_jump-jumps_over_a_jump


# An argument on the stack, which the callee takes off.
	.section	.text.takes_it_off,"ax",@progbits
	.type	takes_it_off,@function
takes_it_off:
	movl	here, %eax
	movl	4(%esp), %edx
	movl	%edx, there
	movl	%eax, here
	retl	$4
.Lfunc_end_takes_it_off:
	.size	takes_it_off, .Lfunc_end_takes_it_off-takes_it_off


	.section	.text.calls_last,"ax",@progbits
	.globl	calls_last
	.type	calls_last,@function
calls_last:
	movl	(%ecx), %edx
	pushl	%edx
	calll	takes_it_off
	retl
.Lfunc_end_calls_last:
	.size	calls_last, .Lfunc_end_calls_last-calls_last


# An entry without a result that goes on with another argument than its own.
	.section	.text.counts,"ax",@progbits
	.type	counts,@function
counts:
	incb	(%ecx)
	retl
.Lfunc_end_counts:
	.size	counts, .Lfunc_end_counts-counts


	.section	.text.peek,"ax",@progbits
	.globl	peek
	.type	peek,@function
peek:
	pushl	%esi
	pushl	%edi
	movl	%ecx, %esi
	movw	2(%ecx), %di
	calll	routine
	movw	%di, there
	incl	%esi
	movl	%esi, %ecx
	popl	%edi
	popl	%esi
	jmp	counts
.Lfunc_end_peek:
	.size	peek, .Lfunc_end_peek-peek


	.section	.text.stop,"ax",@progbits
	.globl	stop
	.type	stop,@function
stop:
	jmp	counts
.Lfunc_end_stop:
	.size	stop, .Lfunc_end_stop-stop


# A sum of two words has 17 bits.
	.section	.text.carries,"ax",@progbits
	.globl	carries
	.type	carries,@function
carries:
	movzwl	(%ecx), %eax
	movzwl	2(%ecx), %edx
	addl	%edx, %eax
	cmpl	$100, %eax
	setb	%al
	movzbl	%al, %eax
	retl
.Lfunc_end_carries:
	.size	carries, .Lfunc_end_carries-carries

