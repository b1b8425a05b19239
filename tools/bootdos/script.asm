; The shell: executes the script's lines, which are programs and commands that show the state of the machine; after the script,
; if a person is at the screen, the lines that are typed.

script:
.line:  call read_line
        jc .end
        call fresh_line
        say `> %s\n`, line + 1
        mov si, line + 1
        call command
        call fresh_line
        cmp byte [line], 'c'            ; no exit code for CONFIG.SYS lines
        je .line
        movzx bx, byte [shell_exit]
        say `[exit %u]\n`, bx
        jmp .line
.end:   cmp byte [by_hand], 0
        je leave_dos
        say `DIR, MEM, INTS, A20, XMS, VDS, LH, DEVICE= or a program; EXIT ends\n`
.typed: call fresh_line
        say `A>`
        call type_line
        mov si, line + 1
        cmp byte [si], 0
        je .typed
        call command
        jmp .typed
leave_dos:
        mov al, EXIT_DONE
        jmp exit_machine
shell_exit      db 0

; Purpose: read a line from the keyboard behind the first byte of `line`, ended by 0. Corrupts ax, di.
type_line:
        mov di, line
        mov al, 'x'
        stosb
.key:   mov ah, 0
        int 0x16
        cmp al, 13
        je .end
        cmp al, 8
        je .back
        cmp al, ' '
        jb .key
        cmp di, line + 254
        jae .key
        stosb
        call putc
        jmp .key
.back:  cmp di, line + 1
        je .key
        dec di
        call putc
        mov al, ' '
        call putc
        mov al, 8
        call putc
        jmp .key
.end:   mov al, 10
        call putc
        mov al, 0
        stosb
        ret

; Purpose: read the script's next line into `line`, ended by 0. Out: CF at the end of the script. Corrupts everything.
read_line:
        mov di, line
.next:  mov eax, [.at]
        cmp eax, [script_size]
        cmc
        jc .end
        inc dword [.at]
        mov si, ax
        and si, 511
        shr eax, 9
        add eax, [script_lba]
        call read_sector
        mov al, [sector + si]
        cmp al, 10
        je .full
        cmp di, line + 254
        jae .next
        stosb
        jmp .next
.full:  mov al, 0
        stosb
        clc
.end:   ret
.at     dd 0

; Executes the line at si. Corrupts everything; DS = ES = kernel.
command:
        mov byte [shell_exit], 0
        mov di, commands
.next:  cmp byte [di], 0
        je program
        mov bx, si
.letter:
        cmp byte [di], 0
        je .matched
        lodsb
        call upper
        scasb
        je .letter
        mov si, bx
        mov cx, -1
        mov al, 0
        dec di
        repne scasb
        scasw
        jmp .next
.matched:
        jmp [di + 1]                    ; si = the text behind the command

commands:
%macro command 2
        db %1, 0
        dw %2
%endmacro
        command "DEVICE=", device
        command "DEVICEHIGH=", device_high
        command "LH ", load_high
        command "LOADHIGH ", load_high
        command "DIR", show_files
        command "TYPE ", show_written
        command "EXIT", leave_dos
        command "MEM", show_memory
        command "PAUSE", pause
        command "INTS KEEP", keep_vectors
        command "INTS", show_vectors
        command "A20 ON", a20_on
        command "A20 OFF", a20_off
        command "A20", show_a20
        command "READ FAIL", read_fail_later
        command "READS", show_reads
        command "XMS FAIL", xms_fail_next
        command "XMS OFF", xms_off
        command "XMS ON", xms_again
        command "VDS ON", vds_again
        command "VDS OFF", vds_off
        command "VDS FAR", vds_away
        command "VDS FAIL", vds_fail_next
        command "VDS", show_vds
        db 0

; A program: NAME[.EXT] arguments [>FILE].
program:
        mov byte [load_mode], 0
        call execute
        jnc report_program
no_program:
        mov byte [shell_exit], 255
        cmp ax, 2
        jne .other
        say `Bad command or file name\n`
        ret
.other: mov bx, ax
        say `Cannot run: error %u\n`, bx
        ret

; LH: loads a program into the upper block, otherwise low.
load_high:
        push si
        mov byte [load_mode], 0x40
        mov al, 1
        call link
        call execute
        pushf
        push ax
        mov al, 0
        call link
        mov byte [strategy], 0
        pop ax
        popf
        pop si
        jnc report_program
        cmp ax, 8
        je program
        jmp no_program
load_mode       db 0

report_program:
        mov ah, 0x4D
        int 0x21
        mov [shell_exit], al
        cmp ah, 3
        jne .end
        mov bx, [resident_psp]
        push bx
        dec bx
        mov es, bx
        mov bx, [es:mcb.paras]
        push cs
        pop es
        shl bx, 4
        pop di
        call fresh_line
        say `[resident %u bytes at %x]\n`, bx, di
.end:   ret

; Purpose: run the program line at si by INT 21h 4B00h, with its output redirected if the line asks for it. Out: CF ax = error.
; Corrupts everything.
execute:
        mov di, program_name
.name:  lodsb
        cmp al, ' '
        jbe .end
        cmp al, '/'
        je .end
        stosb
        jmp .name
.end:   dec si
        mov byte [di], 0
        push di
        ; The command tail: its length, the rest of the line, CR.
        mov di, tail + 1
        mov byte [.redirected], 0
.tail:  lodsb
        test al, al
        jz .ended
        cmp al, '>'
        je .redirect
        stosb
        jmp .tail
.redirect:
        push di
        call redirect
        pop di
        jc .unopened
        inc byte [.redirected]
.ended: mov byte [di], 13
        mov ax, di
        sub ax, tail + 1
        mov [tail], al
        pop di
        mov si, .extensions
.try:   movsw                           ; the name as typed, with .COM, with .EXE
        movsw
        mov byte [di], 0
        pusha
        mov dx, program_name
        mov bx, .block
        mov al, [load_mode]
        mov [strategy], al
        mov ax, 0x4B00
        int 0x21
.returned:
        push cs
        pop ds
        push cs
        pop es
        mov [.error], ax
        popa
        jnc .done
        sub di, 4
        cmp word [.error], 2
        jne .failed
        cmp si, .extensions_end
        jb .try
.failed:
        call .end_redirection
        mov ax, [.error]
        stc
        ret
.unopened:
        pop di
        ret
.done:
.end_redirection:
        cmp byte [.redirected], 0
        je .plain
        call redirect_no_more
.plain: clc
        ret
.redirected     db 0
.extensions     db 0, 0, 0, 0, ".COM.EXE"
.extensions_end:
.block  dw 0, tail, KSEG, 0, 0, 0, 0
.error  dw 0
program_name    times 80 db 0

; Reads a decimal number at si, after blanks. Out: ax. Corrupts cx, dx.
number: xor ax, ax
        mov cx, 10
.next:  mov dl, [si]
        inc si
        cmp dl, ' '
        je .next
        sub dl, '0'
        jb .end
        cmp dl, 9
        ja .end
        mov dh, 0
        push dx
        mul cx
        pop dx
        add ax, dx
        cmp byte [si], ' '
        jne .next
.end:   ret

; DIR: prints the files' names.
show_files:
        mov ebx, [dir_lba]
        mov bp, [dir_count]
.sector:
        mov eax, ebx
        inc ebx
        call read_sector
        mov di, sector
.entry: sub bp, 1
        jb .end
        say `%s\n`, di
        add di, 32
        cmp di, sector + 512
        jb .entry
        jmp .sector
.end:   ret

; TYPE: prints what was written at the last redirection.
show_written:
        mov si, written
        mov cx, [written_size]
        jcxz .end
.next:  lodsb
        call putc
        loop .next
.end:   ret

; MEM: prints every block, free memory, XMS in use, and whether memory beyond the upper block was written.
show_memory:
        mov es, [first_low]
        xor bp, bp
.block: mov bx, es
        inc bx
        mov di, [es:mcb.owner]
        test di, di
        jnz .used
        call merge
        add bp, [es:mcb.paras]
.used:  push es
        mov ax, [es:mcb.paras]
        push ax
        say `[block %x owner %x `, bx, di
        pop dx
        say `paras %x`, dx
        pop es
        call next_block
        jc .end
        say `]\n`
        jmp .block
.end:   say `]\n[free %u paras, `, bp
        mov si, xms_handles
        xor bx, bx
        xor di, di
        xor ebp, ebp
.handle:
        add bl, [si + handle.used]
        add bh, [si + handle.locks]
        add ebp, [si + handle.size]
        add si, handle_size
        cmp si, xms_handles_end
        jb .handle
        movzx di, bh
        mov bh, 0
        say `xms handles %u locks %u KB %u]\n`, bx, di, bp
        cmp word [bridge], 0
        je .intact
        mov di, [umb_paras]
        add di, UMB_SEGMENT + 1
.past:  cmp di, UMB_END
        jae .intact
        mov es, di
        inc di
        cmp dword [es:0], 0x5A5A5A5A
        je .past
        dec di
        say `[written past the upper block at %x]\n`, di
.intact:
        push cs
        pop es
        ret

; PAUSE: waits for a key, so that the host can act meanwhile.
pause:  say `[pause]\n`
        mov ah, 0
        int 0x16
        ret

keep_vectors:
        push cs
        pop es
        xor si, si
        mov di, kept_vectors
        mov cx, 512
        mov ds, si
        rep movsw
        push cs
        pop ds
        ret

; INTS: prints the vectors that have changed since INTS KEEP (or the start), and the interrupt masks.
show_vectors:
        xor di, di
        mov es, di
.next:  mov eax, [es:di]
        cmp eax, [kept_vectors + di]
        je .same
        mov bx, di
        shr bx, 2
        say `[int %b `, bx
        say `%x:%x was `, word [es:di + 2], word [es:di]
        say `%x:%x]\n`, word [kept_vectors + di + 2], word [kept_vectors + di]
.same:  add di, 4
        cmp di, 1024
        jb .next
        in al, 0x21
        mov bl, al
        in al, 0xA1
        mov bh, al
        say `[irq masks %x]\n`, bx
        push cs
        pop es
        ret

a20_on: mov al, 1
        jmp set_a20
a20_off:
        mov al, 0
        jmp set_a20
show_a20:
        call get_a20
        mov bx, ax
        push cs
        pop es
        say `[a20 %u]\n`, bx
        ret

; READ FAIL n: the n-th read of a file from now on fails, as on a bad disk. 0: none fails.
read_fail_later:
        call number
        mov [read_fails], ax
        and word [reads], 0
        ret
; READS: prints the number of reads since then.
show_reads:
        mov bx, [reads]
        say `[reads %u]\n`, bx
        ret

; XMS FAIL n [m]: after m more calls, n calls fail with A0h (functions from 08h on).
xms_fail_next:
        call number
        mov [xms_fail], ax
        call number
        mov [xms_skip], ax
        ret
; XMS OFF, XMS ON: hides XMS from INT 2Fh, and shows it again.
xms_off:
        mov al, 0
        xchg al, [xms_version]
        test al, al
        jz .end
        mov [.kept], al
.end:   ret
.kept   db 0
xms_again:
        mov al, [xms_off.kept]
        test al, al
        jz .end
        mov [xms_version], al
.end:   ret

vds_again:
        mov byte [vds_on], 1
        call vds_start
        push cs
        pop es
        ret
vds_off:
        mov es, [zero]
        and byte [es:VDS_BIOS_FLAG], ~0x20
        mov al, 0x4B
        mov dx, nothing
        call set_vector
        push cs
        pop es
        ret
; VDS FAR: from now on the services give addresses 1 MB higher. VDS FAIL: the next lock is refused.
vds_away:
        mov byte [vds_far + 2], 10h
        ret
vds_fail_next:
        mov byte [vds_fail], 1
        ret
; VDS: prints the numbers of locks and unlocks, and a sum that is 0 if every locked address was unlocked.
show_vds:
        mov bx, [vds_locks]
        mov di, [vds_unlocks]
        mov bp, [vds_sum]
        or bp, [vds_sum + 2]
        say `[vds locks %u unlocks %u sum %x]\n`, bx, di, bp
        ret
