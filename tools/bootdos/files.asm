; Files. They are read-only, and found by name in the table that image.rs has written; besides there are the console, and a file
; in memory for redirected output. As in DOS, a program's handles are bytes in its PSP, which name entries of one table. An entry
; is free when no handle names it. EXEC lets the child share its parent's handles; they are closed when the child ends, but not
; when it stays resident.

FILE_COUNT      equ 10                  ; the first two are the kernel's own file and the console
HANDLES         equ 20                  ; handles in a PSP
NO_FILE         equ 0xFF                ; a closed handle in a PSP
CONSOLE_FILE    equ 1
WRITTEN_SIZE    equ 512
struc file
.lba    resd 1
.size   resd 1
.pos    resd 1
.refs   resw 1                          ; number of handles that name it
.kind   resw 1
endstruc
ON_DISK         equ 0
CONSOLE         equ 1
WRITTEN         equ 2

packet          dw 16, 1, sector, KSEG
packet_lba      dq 0

; Purpose: read sector eax into `sector`. DS = kernel.
read_sector:
        cmp eax, [cached_lba]
        je .end
        mov [cached_lba], eax
        mov [packet_lba], eax
        pushad
        mov si, packet
        mov dx, 0x80
        mov ah, 0x42
        int 0x13
        popad
        jnc .end
        broken `disk error`
.end:   ret

; Purpose: find the file with the name at ds:dx, whatever its drive and folders.
; In: DS any. Out: NC eax = first sector, edx = size, `name` upper-cased; CF ax = 2. DS = ES = kernel.
; Corrupts ebx, cx, si, di.
find_file:
        push cs
        pop es
        mov si, dx
.folder:
        mov di, name
        mov cx, 8
        push di
        xor ax, ax
        rep stosw
        pop di
        mov cl, 13
.char:  lodsb
        call upper
        cmp al, '\'
        je .folder
        cmp al, '/'
        je .folder
        cmp al, ':'
        je .folder
        stosb
        test al, al
        loopnz .char
        push cs
        pop ds
        mov ebx, [dir_lba]
        mov cx, [dir_count]
.sector:
        mov eax, ebx
        inc ebx
        call read_sector
        mov si, sector
.entry: jcxz .none
        dec cx
        pusha
        mov di, name
        mov cx, 4
        repe cmpsd
        popa
        je .found
        add si, 32
        cmp si, sector + 512
        jb .entry
        jmp .sector
.none:  mov ax, 2
        stc
        ret
.found: mov eax, [si + 16]
        mov edx, [si + 20]
        clc
        ret

; Converts al to upper case.
upper:  cmp al, 'a'
        jb .end
        cmp al, 'z'
        ja .end
        sub al, 32
.end:   ret

; Purpose: open the name at ds:dx as the kernel's own file. Out: as find_file; bx = files.
open_own:
        call find_file
        jc .end
        mov bx, files
        call fill_file
        clc
.end:   ret

fill_file:
        mov [bx + file.lba], eax
        mov [bx + file.size], edx
        and dword [bx + file.pos], 0
        mov word [bx + file.refs], 1
        and word [bx + file.kind], ON_DISK
        ret

; Purpose: find a free entry of the table. Out: NC bx; CF ax = 4.
free_file:
        mov bx, files + (CONSOLE_FILE + 1) * file_size
.next:  cmp word [bx + file.refs], 0
        je .end
        add bx, file_size
        cmp bx, files + FILE_COUNT * file_size
        jb .next
        mov ax, 4                       ; too many open files
        stc
.end:   ret

f_open: mov ds, [r + regs.ds]
        call find_file
        jc .end
        push eax
        call free_file
        pop ecx
        jc .end
        mov es, [current_psp]
        mov di, psp.handles
.handle:
        cmp byte [es:di], NO_FILE
        je .free
        inc di
        cmp di, psp.handles + HANDLES
        jb .handle
        mov ax, 4
        stc
.end:   ret
.free:  mov eax, ecx
        call fill_file
        mov ax, bx
        sub ax, files
        shr ax, 4
        stosb
        sub di, psp.handles + 1
        mov [r + regs.ax], di
        clc
        ret

; In: bx = handle. Out: NC bx = its file, es:di = its byte in the PSP; CF ax = 6.
slot:   cmp bx, HANDLES
        jae .bad
        mov es, [current_psp]
        lea di, [bx + psp.handles]
        movzx bx, [es:di]
        cmp bl, NO_FILE
        je .bad
        shl bx, 4
        add bx, files
        ret
.bad:   mov ax, 6
        stc
        ret

f_close:
        call slot
        jc .end
        dec word [bx + file.refs]
        mov byte [es:di], NO_FILE
        clc
.end:   ret

; Closes all handles of the present program. Corrupts ax, bx, di, es.
close_all:
        xor bx, bx
.next:  push bx
        call f_close
        pop bx
        inc bx
        cmp bx, HANDLES
        jb .next
        ret

; Gives the PSP at es the handles of the present program. Corrupts ax, bx, di, si.
inherit:
        push ds
        mov ds, [current_psp]
        mov si, psp.handles
        mov di, si
.next:  lodsb
        stosb
        cmp al, NO_FILE
        je .closed
        movzx bx, al
        shl bx, 4
        inc word [cs:files + bx + file.refs]
.closed:
        cmp si, psp.handles + HANDLES
        jb .next
        pop ds
        ret

; Redirects the shell's standard output to the file in memory, which is emptied. Out: CF ax = error. Corrupts bx.
redirect:
        call free_file
        jc .end
        mov word [bx + file.refs], 1
        mov word [bx + file.kind], WRITTEN
        and word [written_size], 0
        sub bx, files
        shr bx, 4
        mov es, [current_psp]
        mov [es:psp.handles + 1], bl
        push cs
        pop es
        clc
.end:   ret

; Ends the redirection. Corrupts ax, bx, di.
redirect_no_more:
        mov bx, 1
        call f_close
        mov byte [es:di], CONSOLE_FILE
        push cs
        pop es
        ret

f_read: call slot
        jc .end
        xor ax, ax
        cmp word [bx + file.kind], ON_DISK
        jne .nothing
        inc word [reads]
        mov ax, [reads]
        cmp ax, [read_fails]
        je .fails
        mov es, [r + regs.ds]
        mov di, dx
        call file_read
.nothing:
        mov [r + regs.ax], ax
        clc
.end:   ret
.fails: mov ax, 0x17                    ; data error (CRC)
        stc
        ret

; Purpose: read cx bytes of file bx to es:di. Out: ax = bytes read. Corrupts ecx, edx, si, di. DS = kernel.
file_read:
        movzx ecx, cx
        mov eax, [bx + file.size]
        sub eax, [bx + file.pos]
        jnc .left
        xor eax, eax
.left:  cmp ecx, eax
        jbe .count
        mov ecx, eax
.count: push cx
.more:  jcxz .end
        mov eax, [bx + file.pos]
        mov si, ax
        and si, 511
        shr eax, 9
        add eax, [bx + file.lba]
        call read_sector
        mov dx, 512
        sub dx, si
        cmp dx, cx
        jbe .piece
        mov dx, cx
.piece: movzx edx, dx
        add [bx + file.pos], edx
        add si, sector
        sub cx, dx
        xchg cx, dx
        rep movsb
        mov cx, dx
        jmp .more
.end:   pop ax
        ret

f_write:
        call slot
        jc .end
        mov ax, 5
        cmp word [bx + file.kind], ON_DISK
        stc
        je .end
        mov [r + regs.ax], cx
        mov ds, [r + regs.ds]
        mov si, dx
        jcxz .done
.next:  lodsb
        call write_char
        loop .next
.done:  clc
.end:   ret

; Purpose: write al to the program's standard output. Any DS. Corrupts bx, di, es.
put_standard:
        mov bx, 1
        push ax
        push ds
        push cs
        pop ds
        call slot
        pop ds
        pop ax
        jc write_char.end

; Purpose: write al to file bx: the console or the file in memory. Any DS. Corrupts di.
write_char:
        cmp word [cs:bx + file.kind], CONSOLE
        je putc
        mov di, [cs:written_size]
        cmp di, WRITTEN_SIZE
        jae .end
        mov [cs:written + di], al
        inc word [cs:written_size]
.end:   ret

f_seek: push ax
        call slot
        pop si
        jc .end
        cmp word [bx + file.kind], ON_DISK
        jne slot.bad
        shl ecx, 16
        mov cx, dx
        mov eax, ecx
        and si, 0xFF
        jz .set
        dec si
        jz .here
        add eax, [bx + file.size]
        jmp .set
.here:  add eax, [bx + file.pos]
.set:   mov [bx + file.pos], eax
        mov [r + regs.ax], ax
        shr eax, 16
        mov [r + regs.dx], ax
        clc
.end:   ret
