; Files: read only, found by name in the table that image.rs wrote.

FILE_COUNT      equ 8                   ; the first one is the kernel's own
FIRST_HANDLE    equ 5
struc file
.lba    resd 1
.size   resd 1
.pos    resd 1
.owner  resd 1                          ; PSP, 0: free
endstruc

packet          dw 16, 1, sector, KSEG
packet_lba      dq 0

; Purpose: sector eax into `sector`. DS = kernel.
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

; Purpose: look up the name at ds:dx; drive and folders are ignored.
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

; Upper-cases al.
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
        mov ax, [current_psp]
        mov [bx + file.owner], ax
        ret

f_open: mov ds, [r + regs.ds]
        call find_file
        jc .end
        mov bx, files + file_size
.slot:  cmp word [bx + file.owner], 0
        je .free
        add bx, file_size
        cmp bx, files + FILE_COUNT * file_size
        jb .slot
        mov ax, 4                       ; too many open files
        stc
        ret
.free:  call fill_file
        sub bx, files
        shr bx, 4
        add bx, FIRST_HANDLE
        mov [r + regs.ax], bx
        clc
.end:   ret

; bx = handle. Out: NC bx = its file; CF ax = 6.
slot:   sub bx, FIRST_HANDLE + 1
        cmp bx, FILE_COUNT - 1
        jae .bad
        shl bx, 4
        add bx, files + file_size
        cmp word [bx + file.owner], 1
        jnc .end
.bad:   mov ax, 6
        stc
.end:   ret

f_close:
        cmp bx, FIRST_HANDLE
        jb .standard
        call slot
        jc .end
        and word [bx + file.owner], 0
.end:   ret
.standard:
        clc
        ret

f_read: xor ax, ax
        test bx, bx
        jz .nothing
        call slot
        jc .end
        mov es, [r + regs.ds]
        mov di, dx
        call file_read
.nothing:
        mov [r + regs.ax], ax
        clc
.end:   ret

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

; Only to the console: handles 1 and 2.
f_write:
        dec bx
        cmp bx, 2
        jae .bad
        mov [r + regs.ax], cx
        mov ds, [r + regs.ds]
        mov si, dx
        jcxz .end
.next:  lodsb
        call putc
        loop .next
.end:   clc
        ret
.bad:   mov ax, 5
        stc
        ret

f_seek: push ax
        call slot
        pop si
        jc .end
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
