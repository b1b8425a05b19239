; DEVICE.COM: loads a device driver as DOS does for DEVICE= and DEVICEHIGH= in CONFIG.SYS.
;
; DOSBox-X turns `device=C:\X.SYS args` of its [config] section into the command `device C:\X.SYS args`, and
; `devicehigh=` into `lh device …`, but not every build brings the program. Put this one into the folder `drivez`
; beside the configuration; it then stands on drive Z:.
;
; The program first moves itself to the top of conventional memory, so that the driver gets the place that it would
; have under DOS: the lowest, or the upper memory block that LH chose. It prints nothing of its own when the driver
; loads or refuses.
;
; Exit code: 0 loaded, 1 the driver refused, 2 no such file or no character device, 3 no memory,
;            4 the driver asked to keep more than it was given.
;
;       nasm -f bin -o DEVICE.COM device.asm

        cpu     8086
        bits    16
        org     100h

PSP_ENVIRONMENT equ 2Ch
PSP_JFT_SEGMENT equ 36h         ; high half of the far pointer to the handle table
PSP_TAIL        equ 81h
LOWEST_UMB      equ 0A000h      ; segments from here on are no conventional memory

; INT 21h/58h: allocation strategies
FIRST_FIT_LOW   equ 00h
LAST_FIT_LOW    equ 02h
FIRST_FIT_HIGH  equ 40h         ; upper memory only

; The device driver's header
DEV_NEXT        equ 00h
DEV_ATTRIBUTE   equ 04h
DEV_STRATEGY    equ 06h
DEV_INTERRUPT   equ 08h
ATTR_CHARACTER  equ 8000h

; The status word of a request
STATUS_ERROR    equ 8000h
STATUS_DONE     equ 0100h

; The memory control block, in the paragraph below the memory
MCB_OWNER       equ 1
MCB_NAME        equ 8
OWNER_DOS       equ 8

LIST_OF_LISTS_NUL equ 22h       ; the NUL device's header, from INT 21h/52h's ES:BX, since DOS 3.1

        struc   request
.length         resb 1
.unit           resb 1
.command        resb 1
.status         resw 1
                resb 8
.units          resb 1
.end            resd 1          ; in: first byte past the memory there is; out: first byte past what is kept
.tail           resd 1          ; the text behind `DEVICE=`
.drive          resb 1
.message        resw 1          ; DOS 5: ask the user to press a key
        endstruc

        section .text
start:  mov     sp, stack_top
        mov     ax, cs
        mov     [origin], ax

; Purpose: move to the top of conventional memory, so that the driver does not load above us.
move_up:
        mov     bx, work_paragraphs
        mov     ah, 4Ah                 ; our block, to what we need: ES is our PSP
        int     21h
        mov     ax, 5802h
        int     21h
        mov     [old_link], al
        mov     ax, 5800h
        int     21h
        mov     [old_strategy], ax
        xor     bx, bx
        mov     ax, 5803h               ; upper memory out of the chain
        int     21h
        mov     bx, LAST_FIT_LOW
        mov     ax, 5801h
        int     21h
        mov     bx, work_paragraphs
        mov     ah, 48h
        int     21h
        jnc     .copy
        jmp     no_memory
.copy:  mov     es, ax
        mov     bx, ax
        xor     si, si
        xor     di, di
        mov     cx, work_paragraphs * 8
        cld
        rep movsw
        cli
        mov     ss, bx
        sti
        push    bx
        mov     ax, .moved
        push    ax
        retf
.moved: mov     ax, cs
        mov     ds, ax
        mov     es, ax
        mov     [PSP_JFT_SEGMENT], ax
        dec     ax
        mov     es, ax
        mov     [es:MCB_OWNER], cs      ; ours by the new PSP, so that our end frees it
        mov     bx, cs
        mov     ah, 50h                 ; we are the process now
        int     21h
        mov     es, [PSP_ENVIRONMENT]
        mov     word [PSP_ENVIRONMENT], 0
        mov     ah, 49h
        int     21h
        mov     es, [origin]
        mov     ah, 49h
        int     21h
        mov     dx, 80h
        mov     ah, 1Ah
        int     21h

; Purpose: take the command line apart: the tail as the driver sees it, the file's name, its name without folder.
parse:  mov     ax, cs
        mov     es, ax
        mov     si, PSP_TAIL
.blank: lodsb
        cmp     al, ' '
        je      .blank
        cmp     al, 9
        je      .blank
        dec     si
        mov     di, tail
        push    si
.tail:  lodsb
        stosb
        cmp     al, 13
        jne     .tail
        mov     al, 10
        stosb
        pop     si
        mov     di, name
        mov     [base], di
.name:  lodsb
        cmp     al, ' '
        jbe     .named                  ; blank, tab or the end
        stosb
        cmp     al, '\'
        je      .folder
        cmp     al, ':'
        jne     .name
.folder:
        mov     [base], di
        jmp     .name
.named: xor     al, al
        stosb

; Purpose: how many paragraphs the driver's image takes.
; Out: BP
measure:
        mov     dx, name
        mov     ax, 3D00h
        int     21h
        jnc     .opened
        jmp     bad_file
.opened:
        mov     bx, ax
        mov     dx, header
        mov     cx, 1Ch
        mov     ah, 3Fh
        int     21h
        xor     cx, cx
        xor     dx, dx
        mov     ax, 4202h
        int     21h                     ; DX:AX = length
        push    ax
        push    dx
        mov     ah, 3Eh
        int     21h
        pop     dx
        pop     ax
        cmp     word [header], 'MZ'
        je      .mz
        cmp     dx, 1                   ; a raw image is one segment
        jb      .raw
        jmp     bad_file
.raw:   add     ax, 15
        rcr     ax, 1
        mov     cl, 3
        shr     ax, cl
        mov     bp, ax
        jmp     .done
.mz:    mov     ax, [header + 4]        ; pages of 512, the last one counted
        mov     cl, 5
        shl     ax, cl
        mov     dx, [header + 2]        ; bytes in the last page; 0 is all of it
        or      dx, dx
        jz      .whole
        sub     ax, 32
        add     dx, 15
        mov     cl, 4
        shr     dx, cl
        add     ax, dx
.whole: sub     ax, [header + 8]
        mov     bp, ax
        ; a fix-up factor is the segment itself
.done:  or      bp, bp
        jnz     allocate
        jmp     bad_file

; Purpose: the largest block, in upper memory if LH has put us there and the image fits, else low.
; In: BP = paragraphs of the image. Out: [block], [size]
allocate:
        cmp     word [origin], LOWEST_UMB
        jb      .low
        mov     bx, 1
        mov     ax, 5803h
        int     21h
        mov     bx, FIRST_FIT_HIGH
        call    largest
        jnc     load
.low:   xor     bx, bx
        mov     ax, 5803h
        int     21h
        mov     bx, FIRST_FIT_LOW
        call    largest
        jnc     load
        jmp     no_memory

; Purpose: allocate the largest block there is. In: BX = strategy, BP = least paragraphs. Out: CF, [block], [size]
largest:
        mov     ax, 5801h
        int     21h
        mov     bx, 0FFFFh
        mov     ah, 48h
        int     21h
        cmp     bx, bp
        jb      .none
        mov     [size], bx
        mov     ah, 48h
        int     21h
        mov     [block], ax
.none:  ret

load:   mov     ax, [block]
        mov     [overlay], ax
        mov     [overlay + 2], ax
        mov     ax, cs
        mov     es, ax
        mov     bx, overlay
        mov     dx, name
        mov     ax, 4B03h
        int     21h
        jnc     .loaded
        call    give_back
        jmp     bad_file
.loaded:
        mov     es, [block]
        test    word [es:DEV_ATTRIBUTE], ATTR_CHARACTER
        jnz     init
        call    give_back
        jmp     bad_file

; Purpose: the INIT request, as DOS 5 makes it. The driver may change every register but SS:SP.
init:   mov     ax, [es:DEV_STRATEGY]
        mov     [strategy], ax
        mov     [strategy + 2], es
        mov     ax, [es:DEV_INTERRUPT]
        mov     [interrupt], ax
        mov     [interrupt + 2], es
        mov     ax, [block]
        add     ax, [size]
        mov     [init_request + request.end + 2], ax
        mov     [init_request + request.tail + 2], cs
        mov     ax, cs
        mov     es, ax
        mov     bx, init_request
        call    far [strategy]
        push    cs
        pop     ds
        push    cs
        pop     es
        mov     bx, init_request
        call    far [interrupt]
        push    cs
        pop     ds
        cld
        sti

; Purpose: what the driver wants to keep. ERROR without DONE, or an end at or below the header, is a refusal.
judge:  mov     ax, [init_request + request.status]
        and     ax, STATUS_ERROR | STATUS_DONE
        cmp     ax, STATUS_ERROR
        je      refused
        mov     ax, [init_request + request.end]
        add     ax, 15
        rcr     ax, 1
        mov     cl, 3
        shr     ax, cl
        add     ax, [init_request + request.end + 2]
        sub     ax, [block]
        jbe     refused
        cmp     ax, [size]
        ja      too_much
        mov     bx, ax
        mov     es, [block]
        mov     ah, 4Ah
        int     21h

; Purpose: the block becomes DOS's, under the driver's name, and the device stands first behind NUL.
own:    mov     ax, [block]
        dec     ax
        mov     es, ax
        mov     word [es:MCB_OWNER], OWNER_DOS
        mov     di, MCB_NAME
        mov     si, [base]
        mov     cx, 8
.name:  lodsb
        cmp     al, '.'
        je      .pad
        or      al, al
        jz      .pad
        stosb
        loop    .name
        jmp     link
.pad:   xor     al, al
        rep stosb
link:   mov     ah, 52h
        int     21h
        add     bx, LIST_OF_LISTS_NUL
        mov     ax, [es:bx]
        mov     dx, [es:bx + 2]
        mov     cx, [block]
        mov     word [es:bx], 0
        mov     [es:bx + 2], cx
        mov     es, cx
        mov     [es:DEV_NEXT], ax
        mov     [es:DEV_NEXT + 2], dx
        mov     al, 0
        jmp     finish

refused:
        call    give_back
        mov     al, 1
        jmp     finish
too_much:
        call    give_back
        mov     dx, text_too_much
        mov     al, 4
        jmp     say
bad_file:
        mov     dx, text_bad_file
        mov     al, 2
        jmp     say
no_memory:
        mov     dx, text_no_memory
        mov     al, 3
say:    push    ax
        mov     ah, 9
        int     21h
        mov     si, [base]
        or      si, si
        jz      .said
        mov     si, name
.name:  lodsb
        or      al, al
        jz      .said
        mov     dl, al
        mov     ah, 2
        int     21h
        jmp     .name
.said:  mov     dx, text_end
        mov     ah, 9
        int     21h
        pop     ax

; Purpose: leave the allocation strategy as it was found. In: AL = exit code
finish: push    ax
        mov     bl, [old_link]
        xor     bh, bh
        mov     ax, 5803h
        int     21h
        mov     bx, [old_strategy]
        mov     ax, 5801h
        int     21h
        pop     ax
        mov     ah, 4Ch
        int     21h

; Purpose: free the driver's block. Corrupts AX, ES
give_back:
        mov     es, [block]
        mov     ah, 49h
        int     21h
        ret

text_bad_file   db 'Bad or missing $'
text_no_memory  db 'Not enough memory for $'
text_too_much   db 'Device driver keeps more memory than there is: $'
text_end        db 13, 10, '$'
base            dw 0            ; the name without its folder; 0 before there is one

init_request:
        istruc request
        at .length,     db request_size
        at .unit,       db 0
        at .command,    db 0
        at .status,     dw 0
        at .units,      db 0
        at .end,        dd 0
        at .tail,       dw tail, 0
        at .drive,      db 2
        at .message,    dw 0
        iend

        absolute $
old_strategy    resw 1
old_link        resb 1
origin          resw 1          ; the segment that DOS loaded us at
block           resw 1          ; the driver's segment
size            resw 1          ; and its paragraphs
strategy        resd 1
interrupt       resd 1
overlay         resw 2
header          resb 1Ch
name            resb 80h
tail            resb 82h
                resb 200h
                alignb 16
stack_top:
work_paragraphs equ (stack_top - start + 100h) / 16
