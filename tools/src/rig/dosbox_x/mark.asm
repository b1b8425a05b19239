; MARK.COM: marks in DOSBox-X's console log where the output of one line ends and that of the next begins.
;
;       MARK NAME   prints the file NAME of drive R:, makes C: the current drive, waits for a timer tick
;       MARK        prints the exit code of the last program
;
; Both begin with a new line and 04h, which no program prints.

        cpu     8086
        bits    16
        org     100h

TAIL    equ 81h

        cmp     byte [TAIL - 1], 0
        jne     name
        mov     ah, 4Dh                 ; DOSBox-X keeps one exit code for all, so the shell's child's is ours to ask
        int     21h
        mov     cx, 3
        mov     bx, digits_end
.digit: xor     ah, ah
        div     byte [ten]
        dec     bx
        add     ah, '0'
        mov     [bx], ah
        loop    .digit
        mov     dx, text_exit
        mov     ah, 9
        int     21h
        mov     ax, 4C00h
        int     21h

; The wait is for DOSBox-X: if its network answers a frame before the first timer tick, there is no receiver for the answer in
; the emulator, which aborts (`bad_function_call`). So no line starts before a tick.
name:   xor     ax, ax
        mov     es, ax
        mov     ax, [es:46Ch]           ; the BIOS's tick count
.tick:  cmp     ax, [es:46Ch]
        je      .tick
        mov     dl, 2
        mov     ah, 0Eh                 ; drive C:
        int     21h
        mov     bl, [TAIL - 1]
        xor     bh, bh
        mov     byte [bx + TAIL], 0
        mov     word [TAIL - 1], 'R:'   ; over the length and the blank
        mov     dx, TAIL - 1
        mov     ax, 3D00h
        int     21h
        jc      .end
        mov     bx, ax
        mov     dx, buffer
        mov     cx, 400h
        mov     ah, 3Fh
        int     21h
        jc      .end
        mov     cx, ax
        mov     dx, buffer
        mov     bx, 1
        mov     ah, 40h
        int     21h
.end:   mov     ax, 4C00h
        int     21h

ten             db 10
text_exit       db 13, 10, 4, '[exit '
                db '000'
digits_end      db ']', 13, 10, '$'
buffer:
