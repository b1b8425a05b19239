; CONTROL's callbacks, with the signature in front of their code, and a call that a callback may abandon.

bits 16
cpu 386

%include "program.inc"
%include "3compkt.inc"

; ----------------------------------------------------------------------------------------------------------------
; Callbacks
;   Purpose: count their calls and keep the parameter. `again_callback` then sets BURST and calls INT 60h, with interrupts on;
;            `leap_callback` never returns, if `leaps` is set.
;   In:      as the driver calls them: BX = parameter, DS = its segment, interrupts off
;   Out:     EAX to EBP, DS and ES changed
section .text.control_callbacks progbits alloc exec nowrite align=1
global plain_callback
global again_callback
global leap_callback
        dd      COMPKT_CALLBACK
plain_callback:
        pushf
        pop     dx
        mov     cx, ds
        load_ds
        inc     word [plain_calls]
        mov     [callback_parameter], bx
        mov     [callback_flags], dx
        mov     [callback_segment], cx
ruin:   mov     eax, 0DEADBEEFh
        mov     ebx, eax
        mov     ecx, eax
        mov     edx, eax
        mov     esi, eax
        mov     edi, eax
        mov     ebp, eax
        mov     ds, ax
        mov     es, ax
        std
        sti
        retf

        dd      COMPKT_CALLBACK
again_callback:
        load_ds
        inc     word [again_calls]
        sti
        mov     ah, [control_number]
        mov     al, COMPKT_CTL_SET
        mov     bx, COMPKT_PARAM_BURST
        mov     cx, [again_value]
        int     2Dh
        mov     [again_result], al
        mov     al, [control_vector]
        mov     [cs:.int + 1], al
        mov     ax, 1FFh            ; driver_info
        jmp     .int                ; flushes the prefetch queue: a 486 may hold the old number
.int:   int     60h
        jmp     ruin

        dd      COMPKT_CALLBACK
leap_callback:
        load_ds
        inc     word [leap_calls]
        cmp     byte [leaps], 0
        je      ruin
        mov     ax, ss
        cmp     ax, [leap_ss]
        jne     ruin                ; it is not on the stack of CONTROL
        mov     esp, [leap_sp]
        cld
        sti
        mov     eax, 1000h
        jmp     control_leap.end

; u32 control_leap(u32 ax, u32 bx, u32 cx)
;   Purpose: INT 2Dh
;   Out:     AL; or 1000h: `leap_callback` has abandoned it
global control_leap
control_leap:
        keep_all
        mov     [leap_sp], esp
        mov     [leap_ss], ss
        mov     ax, [esp+26]
        mov     bx, [esp+30]
        mov     cx, [esp+34]
        int     2Dh
        movzx   eax, al
.end:   return_all

section .data.control progbits alloc noexec write align=2
global plain_calls, again_calls, leap_calls, callback_parameter, callback_flags, callback_segment, control_number, control_vector
global again_value, again_result, leaps
plain_calls:        dw 0
again_calls:        dw 0
leap_calls:         dw 0
callback_parameter: dw 0
callback_flags:     dw 0
callback_segment:   dw 0
again_value:        dw 0
leap_sp:            dd 0
leap_ss:            dw 0
control_number:     db 0
control_vector:     db 60h
again_result:       db 0
leaps:              db 0
