; BENCH's measurement: routines that read the time stamp counter before and after a driver's code.
;
; BENCH runs in QEMU with -icount, where that counter counts instructions, so that a reading is exact. The cost of the
; routines themselves is measured by running them around handlers that do nothing. The variables lie in the code segment,
; because an interrupt handler finds no other segment of the program.

bits 16
cpu 386

%include "program.inc"

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
global bench_left
global bench_flood
global bench_sender
global bench_frame
global bench_size
global bench_own
global bench_apart
global bench_longest
global bench_old
global bench_takes
global bench_refused
global bench_function
bench_takes:        dw 0FFFFh           ; frames that the receiver still takes; it refuses all others
bench_refused:      db 0                ; number of first upcalls that it refused
bench_function:     db 4                ; the function of INT 60h that bench_send calls
bench_left:         dw 0                ; frames of a flood that are not sent yet
bench_flood:        db 0                ; 1: during a flood
                    db 0
bench_sender:       dd 0                ; far address of the handler of the driver that sends
bench_frame:        dd 0                ; far address of the frame that it sends
bench_size:         dw 0                ; the frame's length
                    dw 0
bench_own:          dd 0                ; ticks that `flooded` takes outside of its two time stamps
bench_apart:        dd 0                ; ticks in upcalls since the timer was set
bench_longest:      dd 0                ; the most ticks from the timer's request to its handler, without bench_apart
upcall_began:       dd 0
armed_at:           dd 0                ; the time at which the timer was last set
armed:              db 0                ; 1: its interrupt has not come since
                    db 0
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

; Sets the timer: it requests its interrupt a few instructions later. Corrupts: EAX, EDX
%macro arm 0
    mov     dword [cs:bench_apart], 0
    mov     byte [cs:armed], 1
    mov     al, 1               ; a count of 1: counter 0 is in mode 0 and takes one byte
    out     40h, al
    stamp
    mov     [cs:armed_at], eax
%endmacro

; ----------------------------------------------------------------------------------------------------------------
; Stubs for the 16 interrupt lines
;   Purpose: measure the handler that was there before. During a flood: set the timer, if it is not set, and jump to the handler
;   Stack:   22 bytes and what the handler takes
%assign n 0
%rep LINES
stub %+ n:
    test    byte [cs:bench_flood], 1
    jnz     flood_ %+ n
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
flood_ %+ n:
    cmp     byte [cs:armed], 0
    jne     armed_ %+ n
    push    eax
    push    edx
    arm
    pop     edx
    pop     eax
armed_ %+ n:
    jmp     far [cs:bench_old + n * 4]
  %assign n n + 1
%endrep

; ----------------------------------------------------------------------------------------------------------------
; bench_receiver
;   Purpose: a receiver: takes frames into bench_buffer while bench_takes lets it, and stores the time of the second upcall.
;   During a flood: `flooded`
;   In, Out: as the specification has them
;   Stack:   8 bytes of the driver's
global bench_receiver
bench_receiver:
    test    byte [cs:bench_flood], 1
    jnz     flooded
    test    ax, ax
    jnz     .second
    cmp     word [cs:bench_takes], 0
    je      .refused
    mov     di, bench_buffer
    mov     es, [cs:data_segment]
    retf
.refused:
    inc     byte [cs:bench_refused]
    xor     di, di
    mov     es, di
    retf
.second:
    dec     word [cs:bench_takes]
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

; The receiver during a flood: at each second upcall the other driver sends the next frame. The time that this takes is added to
; bench_apart. Stack: 60 bytes of the driver's
flooded:
    pushad
    push    ds
    push    es
    mov     bx, ax
    stamp
    mov     [cs:upcall_began], eax
    test    bx, bx
    jz      .noted
    inc     byte [cs:bench_deliveries]
    cmp     word [cs:bench_left], 0
    je      .noted
    dec     word [cs:bench_left]
    lds     si, [cs:bench_frame]
    mov     cx, [cs:bench_size]
    mov     ah, 4
    pushf
    call    far [cs:bench_sender]
    cli
.noted:
    stamp
    sub     eax, [cs:upcall_began]
    add     eax, [cs:bench_own]
    add     [cs:bench_apart], eax
    pop     es
    pop     ds
    popad
    mov     di, bench_buffer
    mov     es, [cs:data_segment]
    retf

; ----------------------------------------------------------------------------------------------------------------
; bench_tick
;   Purpose: INT 08h during a flood: stores the time since the timer's request, if it is the longest. If it has interrupted a
;            driver and not BENCH, sets the timer again
;   Stack:   8 bytes
global bench_tick
bench_tick:
    push    eax
    push    edx
    stamp
    cmp     byte [cs:armed], 1      ; 0: the request is older than the flood
    jne     .shorter
    mov     byte [cs:armed], 0
    sub     eax, [cs:armed_at]
    sub     eax, [cs:bench_apart]
    cmp     eax, [cs:bench_longest]
    jbe     .shorter
    mov     [cs:bench_longest], eax
.shorter:
    mov     al, 20h
    out     20h, al
    mov     ax, cs
    cmp     ax, [esp + 10]
    je      .ours
    arm
.ours:
    pop     edx
    pop     eax
    iret

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
    ret

; ----------------------------------------------------------------------------------------------------------------
; u32 bench_send(u32 handler, u32 frame, u32 length)
;   Purpose: measures send_pkt, or bench_function, called as by INT
;   In:      handler: far; frame: near
;   Out:     EAX = ticks; bench_failed
;   Stack:   50 bytes and what the handler takes
global bench_send
bench_send:
    keep_all
    pushf
    mov     eax, [esp + 28]
    mov     [cs:entry], eax
    mov     esi, [esp + 32]
    mov     ecx, [esp + 36]
    stamp
    mov     [cs:begun], eax
    mov     ah, [cs:bench_function]
    pushf
    cli
    call    far [cs:entry]
    stamp
    setc    [cs:bench_failed]
    sub     eax, [cs:begun]
    popf
    return_all

; ----------------------------------------------------------------------------------------------------------------
; u32 bench_upcall(u32 receiver, u32 ax)
;   Purpose: measures a receiver, called as by a driver
;   Out:     EAX = ticks
;   Stack:   24 bytes and what the receiver takes
global bench_upcall
bench_upcall:
    push    ecx
    push    edi
    push    es
    mov     eax, [esp + 12]
    mov     [cs:entry], eax
    mov     ebx, [esp + 16]
    stamp
    mov     [cs:begun], eax
    mov     ax, bx
    call    far [cs:entry]
    stamp
    sub     eax, [cs:begun]
    pop     es
    pop     edi
    pop     ecx
    ret

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
