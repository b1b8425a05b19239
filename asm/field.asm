; FIELD's receiver and interrupt handlers, and INT calls from a small stack.

bits 16
cpu 386

extern int_call
extern field_upcall
extern field_interrupt
extern field_hung

%include "program.inc"

STACK_SIZE  equ 1024        ; bytes of each stack here
READ_REQUESTS equ 0Ah       ; the next read of the PIC's first port returns the requested lines

; ----------------------------------------------------------------------------------------------------------------
; field_receiver
;   Purpose: calls field_upcall(Regs *) on its one stack. It saves the caller's SS:SP in one place, as many clients do
;   In:      a far call from the driver; field_opens: it begins with STI
;   Out:     all registers but SS:ESP, and FLAGS, as field_upcall left them in its Regs; by IRET if field_irets
;   Stack:   12 bytes of the driver's
;   An upcall before the last one has returned is counted in field_nested and refused.
section .text.field_receiver progbits alloc exec nowrite align=1
global field_receiver
field_receiver:
    push    ds
    push    eax
    load_ds
    test    byte [field_opens], 1
    jz      .closed
    sti
.closed:
    cmp     byte [field_inside], 0
    jne     .nested
    inc     byte [field_inside]
    pop     dword [field_regs + regs.eax]
    pop     word [field_regs + regs.ds]
    store_regs field_regs, ebx, ecx, edx, esi, edi, ebp, es, fs, gs, ss, esp
    pushf
    pop     word [field_regs + regs.flags]
    mov     es, ax
    mov     ss, ax
    mov     esp, receiver_stack + STACK_SIZE
    push    dword field_regs
    cld
    call    field_upcall
    cli
    load_regs  field_regs, ss, esp, eax, ebx, ecx, edx, esi, edi, ebp, es, fs, gs
    push    word [field_regs + regs.flags]
    dec     byte [field_inside]
    test    byte [field_irets], 1
    mov     ds, [field_regs + regs.ds]
    jnz     .iret
    popf
    retf
.iret:
    popf
    iret
.nested:
    inc     word [field_nested]
    pop     eax
    pop     ds
    xor     di, di
    mov     es, di
    retf

section .data.field_receiver progbits alloc noexec write align=4
global field_opens
global field_irets
global field_nested
field_nested:   dw 0
field_opens:    db 0
field_irets:    db 0
field_inside:   db 0

section .bss.field_receiver nobits alloc noexec write align=16
receiver_stack: resb STACK_SIZE
field_regs:     resb regs_size

; ----------------------------------------------------------------------------------------------------------------
; CALL_FIELD which, part, open: field_interrupt(which) on the stack of `part`; does nothing while that stack is in use. If `open`
; is given, and bit 2 of its byte is set, it enables interrupts, and that only when the stack is marked as in use: the next timer
; interrupt, which may be requested already, then calls nothing and enables nothing. If it came before, it would come on the
; interrupted program's stack again and again, as long as each takes a period; that stack may be the driver's, in a receiver.
;   In:      AX = DS = our data, interrupts off
;   Out:     interrupts still off
;   Corrupts: EAX, FLAGS
%macro call_field 2-3
    cmp     byte [%2_inside], 0
    jne     %%end
    inc     byte [%2_inside]
    mov     [%2_sp], esp
    mov     [%2_ss], ss
    mov     ss, ax
    mov     esp, %2_stack + STACK_SIZE
    pushad
    push    es
    push    fs
    push    gs
    mov     es, ax
    cld
%if %0 > 2
    test    byte [%3], 4
    jz      %%closed
    sti
%%closed:
%endif
    push    dword %1
    call    field_interrupt
    add     sp, 4
    pop     gs
    pop     fs
    pop     es
    popad
    cli
    mov     ss, [%2_ss]
    mov     esp, [%2_sp]
    dec     byte [%2_inside]
%%end:
%endmacro

%macro part_data 1
section .bss.%1 nobits alloc noexec write align=16
%1_stack:   resb STACK_SIZE
%1_sp:      resd 1
%1_ss:      resw 1
%1_inside:  resb 1
%endmacro

; ----------------------------------------------------------------------------------------------------------------
; field_timer
;   Purpose: INT 08h. Bit 0 of timer_when: calls field_interrupt(0) before the EOI; bit 1: calls field_interrupt(1) after it;
;            bit 2: enables interrupts in the second. Every timer_divide'th time it calls the old handler, which sends the
;            EOI; after timer_watch of those calls field_hung ends the program
;   It calls nothing if the last one ended with the next interrupt requested: the interrupted program runs between two that call,
;   also where a call takes longer than the timer's period, as in an emulator on a busy host.
;   Stack:   12 bytes of the interrupted program's, and what the old handler takes
section .text.field_timer progbits alloc exec nowrite align=1
global field_timer
field_timer:
    push    ds
    push    eax
    load_ds
    inc     word [timer_ticks]
    test    byte [timer_late], 1
    jnz     .eoi
    test    byte [timer_when], 1
    jz      .eoi
    call_field 0, timer
.eoi:
    dec     word [timer_left]
    jnz     .own
    mov     ax, [timer_divide]
    mov     [timer_left], ax
    dec     word [timer_watch]
    jz      .hung
    pushf
    call far [timer_old]
    jmp     .after
.own:
    mov     al, 20h
    out     20h, al
.after:
    cli
    test    byte [timer_late], 1
    jnz     .end
    test    byte [timer_when], 2
    jz      .end
    mov     ax, ds
    call_field 1, timer, timer_when
.end:
    mov     al, READ_REQUESTS
    out     20h, al
    in      al, 20h
    mov     [timer_late], al        ; bit 0: IRQ 0
    pop     eax
    pop     ds
    iret
.hung:
    mov     al, 20h
    out     0A0h, al
    out     20h, al
    mov     ax, ds
    mov     es, ax
    mov     ss, ax
    mov     esp, timer_stack + STACK_SIZE
    cld
    jmp     field_hung

section .data.timer progbits alloc noexec write align=4
global timer_old
global timer_ticks
global timer_divide
global timer_left
global timer_when
global timer_watch
timer_watch:    dw 0
timer_old:      dd 0
timer_ticks:    dw 0
timer_divide:   dw 1
timer_left:     dw 1
timer_when:     db 0
timer_late:     db 0
part_data timer

; ----------------------------------------------------------------------------------------------------------------
; field_tick, field_idle
;   Purpose: INT 1Ch and INT 28h: call field_interrupt(2) and (3), then the old handler
;   Stack:   12 bytes of the interrupted program's
%macro chained 3
section .text.field_%1 progbits alloc exec nowrite align=1
global field_%1
field_%1:
    push    ds
    push    eax
    load_ds
    call_field %2, %1
    pop     eax
    pop     ds
    jmp far [cs:%3]
global %3
%3:     dd 0
part_data %1
%endmacro
chained tick, 2, tick_old
chained idle, 3, idle_old

; ----------------------------------------------------------------------------------------------------------------
; void small_call(u32 top, u32 vector, Regs *regs)
;   Purpose: int_call(vector, regs) on a stack whose end is `top`, in the data segment
;   Stack:   60 bytes of that stack, and what the handler takes
section .text.small_call progbits alloc exec nowrite align=1
global small_call
small_call:
    mov     eax, [esp + 2]
    mov     ebx, [esp + 6]
    mov     edx, [esp + 10]
    mov     [small_sp], esp
    mov     esp, eax
    push    edx
    push    ebx
    call    int_call
    mov     esp, [small_sp]
    ret

section .bss.small_call nobits alloc noexec write align=4
small_sp:       resd 1

; ----------------------------------------------------------------------------------------------------------------
; field_nothing
;   Purpose: an interrupt handler that does nothing
section .text.field_nothing progbits alloc exec nowrite align=1
global field_nothing
field_nothing:
    iret
