; BENCH's measurement: routines that read the time stamp counter before and after a driver's code.
;
; BENCH runs in QEMU with -icount, where that counter counts instructions, so that a reading is exact. The cost of the
; routines themselves is measured by running them around handlers that do nothing. The variables lie in the code segment,
; because an interrupt handler finds no other segment of the program.

bits 16
cpu 386

; EAX = the low half of the time stamp counter. Corrupts: EDX
%macro stamp 0
    db      0Fh, 31h        ; RDTSC, of a Pentium; the program checks that there is one
%endmacro

LINES       equ 16

section .text.bench progbits alloc exec write align=4
global bench_spent
global bench_delivered
global bench_fired
global bench_deliveries
global bench_length
global bench_failed
global bench_old
bench_old:          times LINES dd 0    ; the handlers before the stubs were installed
bench_spent:        dd 0                ; ticks in all interrupts since it was set to 0
bench_delivered:    dd 0                ; ticks from the first interrupt to the second upcall
entered:            dd 0
begun:              dd 0
entry:              dd 0
receiver_at:        dw bench_receiver, 0
bench_length:       dw 0                ; CX of the second upcall
bench_fired:        db 0                ; number of interrupts
bench_deliveries:   db 0                ; number of second upcalls
bench_failed:       db 0                ; 1: the call returned with carry

; ----------------------------------------------------------------------------------------------------------------
; Stubs for the 16 interrupt lines
;   Purpose: measure the handler that was there before
;   Stack:   22 bytes and what the handler takes
%assign n 0
%rep LINES
stub %+ n:
    push    eax
    push    edx
    stamp
    mov     [cs:entered], eax
    pop     edx
    pop     eax
    pushf
    call    far [cs:bench_old + n * 4]
    push    eax
    push    edx
    stamp
    sub     eax, [cs:entered]
    add     [cs:bench_spent], eax
    inc     byte [cs:bench_fired]
    pop     edx
    pop     eax
    iret
  %assign n n + 1
%endrep

; ----------------------------------------------------------------------------------------------------------------
; bench_receiver
;   Purpose: a receiver: takes every frame into bench_buffer and stores the time of the second upcall
;   In, Out: as the specification has them
;   Stack:   8 bytes of the driver's
global bench_receiver
bench_receiver:
    test    ax, ax
    jnz     .second
    mov     di, bench_buffer
    mov     es, [cs:data_segment]
    retf
.second:
    push    eax
    push    edx
    stamp
    sub     eax, [cs:entered]
    add     eax, [cs:bench_spent]
    mov     [cs:bench_delivered], eax
    mov     [cs:bench_length], cx
    inc     byte [cs:bench_deliveries]
    pop     edx
    pop     eax
    retf
data_segment:       dw 0

; Handlers to measure the cost of the stubs: one does nothing, one calls the receiver at once.
global bench_nothing
bench_nothing:
    iret
global bench_hand_over
bench_hand_over:
    call    far [cs:receiver_at]
    iret
global bench_return
bench_return:
    retf

; ----------------------------------------------------------------------------------------------------------------
; void bench_start()
;   Purpose: stores the segments for the receiver
global bench_start
bench_start:
    mov     [cs:data_segment], ds
    mov     [cs:receiver_at + 2], cs
    o32 ret

; ----------------------------------------------------------------------------------------------------------------
; u32 bench_send(u32 handler, u32 frame, u32 length)
;   Purpose: measures send_pkt, called as by INT
;   In:      handler: far; frame: near
;   Out:     EAX = ticks; bench_failed
;   Stack:   50 bytes and what the handler takes
global bench_send
bench_send:
    push    ebp
    push    ebx
    push    esi
    push    edi
    push    ds
    push    es
    push    fs
    push    gs
    pushf
    mov     eax, [esp + 30]
    mov     [cs:entry], eax
    mov     esi, [esp + 34]
    mov     ecx, [esp + 38]
    stamp
    mov     [cs:begun], eax
    mov     ah, 4
    pushf
    cli
    call    far [cs:entry]
    stamp
    setc    [cs:bench_failed]
    sub     eax, [cs:begun]
    popf
    pop     gs
    pop     fs
    pop     es
    pop     ds
    pop     edi
    pop     esi
    pop     ebx
    pop     ebp
    o32 ret

; ----------------------------------------------------------------------------------------------------------------
; u32 bench_upcall(u32 receiver, u32 ax)
;   Purpose: measures a receiver, called as by a driver
;   Out:     EAX = ticks
;   Stack:   24 bytes and what the receiver takes
global bench_upcall
bench_upcall:
    push    ebx
    push    edi
    push    es
    mov     eax, [esp + 14]
    mov     [cs:entry], eax
    mov     ebx, [esp + 18]
    stamp
    mov     [cs:begun], eax
    mov     ax, bx
    call    far [cs:entry]
    stamp
    sub     eax, [cs:begun]
    pop     es
    pop     edi
    pop     ebx
    o32 ret

section .rodata.bench progbits alloc noexec nowrite align=4
global bench_stubs
bench_stubs:
%assign n 0
%rep LINES
    dd      stub %+ n
  %assign n n + 1
%endrep

section .bss.bench nobits alloc noexec write align=16
global bench_buffer
bench_buffer:   resb 1536
