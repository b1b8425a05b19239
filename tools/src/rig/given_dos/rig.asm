; RIG.SYS: on a DOS from the user, sends the screen's text to the rig, and marks in it.
;
; The first copy stays resident: it copies text that is written by INT 10h to QEMU's debug console, stores the exit code of the
; last program, and is the device RIG$. Writing 01h to that prints a mark with the exit code, 02h ends the machine, other bytes
; go to the console only. Each copy, the first included, prints its command tail's number as a mark: a new line, 04h, the
; number.

        cpu     386
        bits    16
        org     0

CONSOLE equ     0xE9
EXIT    equ     0xF4
DONE    equ     0x10
MARK    equ     4

        dd      -1
        dw      0x8000, strategy, interrupt
        db      'RIG$    '

request dd      0
old10   dd      0
old21   dd      0
last    db      10
code    db      0

strategy:
        mov     [cs:request], bx
        mov     [cs:request + 2], es
        retf

interrupt:
        pusha
        push    ds
        push    es
        cld
        les     bx, [cs:request]
        push    cs
        pop     ds
        mov     word [es:bx + 3], 0x0100
        cmp     byte [es:bx + 2], 0
        je      init
        cmp     byte [es:bx + 2], 8
        je      .write
        cmp     byte [es:bx + 2], 9
        jne     leave
.write: mov     cx, [es:bx + 0x12]
        lds     si, [es:bx + 0x0E]
        jcxz    leave
.byte:  lodsb
        cmp     al, 1
        je      .code
        cmp     al, 2
        je      leave.end
        call    put
        jmp     .next
.code:  call    mark
        mov     al, 'x'
        call    put
        mov     al, [cs:code]
        aam     100
        push    ax
        mov     al, ah
        call    digit
        pop     ax
        aam
        push    ax
        mov     al, ah
        call    digit
        pop     ax
        call    digit
        mov     al, 10
        call    put
.next:  loop    .byte
leave:  pop     es
        pop     ds
        popa
        retf
.end:   mov     al, DONE
        out     EXIT, al
        cli
        hlt

digit:  add     al, '0'
put:    out     CONSOLE, al
        mov     [cs:last], al
        ret

mark:   cmp     byte [cs:last], 10
        je      .fresh
        mov     al, 10
        call    put
.fresh: mov     al, MARK
        jmp     put

; Screen: the teletype function.
int10:  cmp     ah, 0x0E
        jne     .pass
        call    put
.pass:  jmp     far [cs:old10]
signature:
        db      'rig10'

; DOS: a program ends.
int21:  cmp     ah, 0x4C
        je      .code
        cmp     ah, 0x31
        je      .code
        cmp     ah, 0
        jne     .pass
        mov     byte [cs:code], 0
        jmp     .pass
.code:  mov     [cs:code], al
.pass:  jmp     far [cs:old21]

resident_end:

init:   ; The number behind the file's name.
        call    mark
        lds     si, [es:bx + 0x12]
.name:  lodsb
        cmp     al, ' '
        ja      .name
.digit: lodsb
        cmp     al, '0'
        jb      .told
        call    put
        jmp     .digit
.told:  mov     al, 10
        call    put
        ; Is a copy resident already?
        push    cs
        pop     ds
        push    es
        push    bx
        mov     ax, 0x3510
        int     0x21
        mov     si, signature
        lea     di, [bx + signature - int10]
        mov     cx, 5
        repe    cmpsb
        je      .again
        mov     [old10], bx
        mov     [old10 + 2], es
        mov     ax, 0x3521
        int     0x21
        mov     [old21], bx
        mov     [old21 + 2], es
        mov     dx, int10
        mov     ax, 0x2510
        int     0x21
        mov     dx, int21
        mov     ax, 0x2521
        int     0x21
        pop     bx
        pop     es
        mov     ax, resident_end
        jmp     .stay
.again: pop     bx
        pop     es
        mov     word [es:bx + 3], 0x8003
        xor     ax, ax
.stay:  mov     [es:bx + 0x0E], ax
        mov     [es:bx + 0x10], cs
        jmp     leave
