; The reap feature: closes the handles of a program that has ended without release_type.
;
; The first access_type of a program exchanges the terminate address in its PSP for `ended`; DOS goes there when the program has
; ended in whatever way, with the parent's PSP current. Memory of the program is free then, but for what stays resident. So a
; handle is closed if its receiver lies in a free block of DOS's: a TSR's does not, nor one of a resident driver for which a
; program has opened it. A handle without a receiver takes no frames; the program's PSP is kept in the place of their number.
; No frame costs anything.

%include "attach.inc"
bits 16

extern core_state

; src/resident/table.rs: functions of INT 60h; src/resident/handle.rs: a handle of another interface is in use, too.
ACCESS_TYPE    equ 2
RELEASE_TYPE   equ 3
ANY_IN_USE     equ HANDLE_IN_USE | 10h

; In a PSP: the terminate address, and the parent.
PSP_TERMINATE  equ 0Ah
PSP_PARENT     equ 16h
INT_TERMINATE  equ 4 * 22h          ; DOS copies the terminate address of a program that ends to this vector

; In the header of a block of memory: 'M', or 'Z' for the last; the owner, 0: it is free; paragraphs.
BLOCK_OWNER    equ 1
BLOCK_PARAS    equ 3

; A program that is hooked. Programs end before those that have started them: so the records in use are the first ones.
struc PROGRAM
.psp        resw 1
.old        resd 1                  ; its terminate address
endstruc
PROGRAMS       equ 3

FEATURE NEEDS_REAP, BLOCK_REAP, 0
TAKES   OPERAND + POINT_FUNCTIONS, ACCESS_TYPE, access.below
TOLD    handles, 2, ended.handles
TOLD    int60, OPERAND + 2, ended.int60
CALLED  PATCH_FAREWELL, farewell, farewell.next

section .text.reap progbits alloc exec nowrite align=1
global unit_header
unit_header:
; The installer fills these in (src/install/stages/place.rs, `tell_of_dos`): where DOS has the PSP of the program that runs, and
; the segment of its first block of memory.
psp_at:         dd 0
first_block:    dw 0

; Purpose:  access_type: hook the end of the program that runs, unless it is hooked, or too many are.
; In:       as a function of INT 60h
; Corrupts: as the core's
access: CALL_NEAR access
.below  equ     $-2                 ; the function below
        test    al, al
        jnz     .done
        les     di, [psp_at]
        mov     dx, [es:di]
        mov     bx, sp
        mov     bx, [bx+2+FRAME.eax]
        cmp     word [bx+2], 0
        jne     .called
        mov     [bx+HANDLE_TAKEN], dx
.called:
        mov     bx, programs
.next:  cmp     [bx+PROGRAM.psp], dx    ; or DOS has no program yet: 0, as of a free record
        je      .done
        cmp     word [bx+PROGRAM.psp], 0
        je      .free
        add     bx, PROGRAM_size
        cmp     bx, programs.end
        jb      .next
        ret
.free:  mov     [bx+PROGRAM.psp], dx
        mov     es, dx
        push    cs
        push    strict word ended
        pop     ecx
        xchg    ecx, [es:PSP_TERMINATE]
        mov     [bx+PROGRAM.old], ecx
.done:  ret

; Purpose:  The terminate address: close what the program has left, and go on where it would have returned to.
; In:       jumped to by DOS, as after the parent's call of it
; Corrupts: nothing
; Stack:    44 bytes of the parent's, and what INT 60h takes
ended:  push    eax                 ; becomes the address to go on at
        pushf
        pushad
        push    ds
        push    es
        push    cs
        pop     ds
        les     di, [psp_at]
        mov     ax, [es:di]         ; the parent
        mov     si, programs.end
.next:  sub     si, PROGRAM_size
        cmp     si, programs
        je      .found
        mov     cx, [si+PROGRAM.psp]
        jcxz    .next
        mov     es, cx
        cmp     [es:PSP_PARENT], ax
        jne     .next
.found: call    unhook
        mov     bp, sp
        mov     [bp+38], eax
        push    byte 0
        pop     es
        mov     [es:INT_TERMINATE], eax
        mov     si, 0
.handles equ    $-2                 ; told
        mov     cx, [core_state+STATE.handles_size]
        shr     cx, 4
.handle:
        test    byte [si+HANDLE_FLAGS], ANY_IN_USE
        jz      .keep
        mov     ax, [si]            ; the receiver's paragraph
        shr     ax, 4
        add     ax, [si+2]
        jc      .keep               ; above 1 MB
        jnz     .called
        mov     ax, [si+HANDLE_TAKEN]
.called:
        mov     bx, [first_block]
.block: mov     es, bx              ; the blocks of upper memory follow, linked or not
        mov     dl, [es:0]
        cmp     dl, 'M'
        je      .is_block
        cmp     dl, 'Z'
        jne     .keep
.is_block:
        add     bx, [es:BLOCK_PARAS]
        jc      .keep
        cmp     ax, bx
        jbe     .in_it
        inc     bx
        jnz     .block
.in_it: cmp     word [es:BLOCK_OWNER], 0
        jne     .keep
        mov     bx, si
        mov     ah, RELEASE_TYPE
        pushf
        push    cs
        CALL_NEAR 0
.int60  equ     $-2                 ; the core's entry of INT 60h: told
.keep:  add     si, HANDLE_SIZE
        loop    .handle
        pop     es
        pop     ds
        popad
        popf
        retf

; Purpose:  Give a program its terminate address back, unless another one stands there, and free its record.
; In:       SI = record
; Out:      EAX = the address
; Corrupts: CX, ES
unhook: mov     es, [si+PROGRAM.psp]
        mov     eax, [si+PROGRAM.old]
        mov     cx, cs
        cmp     [es:PSP_TERMINATE+2], cx
        jne     .other
        mov     [es:PSP_TERMINATE], eax
.other: and     word [si+PROGRAM.psp], 0
        ret

; Purpose:  Unhook all programs when the driver is unloaded: that which unloads it is one.
; In:       DS = ES = CS, the card at rest
; Corrupts: EAX, CX, SI
farewell:
        mov     si, programs
.record:
        cmp     word [si+PROGRAM.psp], 0
        je      .none
        call    unhook
        add     si, PROGRAM_size
        jmp     short .record
.none:  push    cs
        pop     es
        push    strict word access.done
.next   equ     $-2                 ; the routine before this one
        ret

section .bss align=2
programs:       resb PROGRAM_size*PROGRAMS
.end:           resw 1              ; 0: ends the records
