; Programs: EXEC, PSPs, and how programs end.

struc psp
.int20          resw 1
.top            resw 1
                resb 1
.far_call       resb 5
.vectors        resd 3                  ; the parent's vectors 22h to 24h
.parent         resw 1
.handles        resb HANDLES
.environment    resw 1
.stack          resd 1                  ; SS:SP in the parent's INT 21h
.handle_count   resw 1
.handle_table   resd 1
                resb 0x18
.dispatch       resb 3
                resb 0x2D
.tail           resb 128
endstruc
PSP_PARAS       equ 0x10

; Offsets in the MZ header.
MZ_LAST         equ 2                   ; bytes in the last page; 0: 512
MZ_PAGES        equ 4
MZ_RELOCS       equ 6
MZ_HEADER       equ 8                   ; paragraphs
MZ_MIN          equ 10
MZ_MAX          equ 12
MZ_SS           equ 14
MZ_SP           equ 16
MZ_IP           equ 20
MZ_CS           equ 22
MZ_TABLE        equ 24
MZ_SIZE         equ 28

image_start     dd 0                    ; from `measure`: the image's offset in the file
image_size      dd 0
is_exe          db 0
load_segment    dw 0                    ; the argument of `load`
load_factor     dw 0

; Purpose: make a PSP at segment bx, whose memory ends at segment dx. Corrupts cx, di; ES = the PSP.
make_psp:
        push ax
        mov es, bx
        xor di, di
        xor ax, ax
        mov cx, 128
        rep stosw
        mov word [es:psp.int20], 0x20CD
        mov [es:psp.top], dx
        push ds
        mov ds, ax
        mov si, 0x22 * 4
        mov di, psp.vectors
        mov cx, 6
        rep movsw
        pop ds
        mov ax, [current_psp]
        mov [es:psp.parent], ax
        mov di, psp.handles
        mov al, NO_FILE
        mov cx, HANDLES
        rep stosb
        mov word [es:psp.handle_count], HANDLES
        mov word [es:psp.handle_table], psp.handles
        mov [es:psp.handle_table + 2], bx
        mov dword [es:psp.dispatch], 0xCB21CD
        mov word [es:psp.tail], 0x0D00
        pop ax
        ret

; Purpose: read the header of file bx. Out: image_start, image_size, is_exe, mz. Corrupts eax, ecx, edx, si, di.
measure:
        push cs
        pop es
        mov di, mz
        mov cx, MZ_SIZE
        call file_read
        xor ecx, ecx
        mov edx, [bx + file.size]
        mov [is_exe], cl
        cmp ax, MZ_SIZE
        jb .raw
        cmp word [mz], "MZ"
        jne .raw
        inc byte [is_exe]
        movzx ecx, word [mz + MZ_HEADER]
        shl ecx, 4
        movzx edx, word [mz + MZ_PAGES]
        shl edx, 9
        movzx eax, word [mz + MZ_LAST]
        test ax, ax
        jz .whole
        sub edx, 512
        add edx, eax
.whole: sub edx, ecx
.raw:   mov [image_start], ecx
        mov [image_size], edx
        ret

; The measured image's paragraphs. Out: ax. Corrupts nothing else.
image_paras:
        push edx
        mov edx, [image_size]
        add edx, 15
        shr edx, 4
        mov ax, dx
        pop edx
        ret

; Purpose: read the measured image of file bx to load_segment and relocate it by load_factor.
; Corrupts eax, ecx, edx, si, di, bp, es.
load:   mov eax, [image_start]
        mov [bx + file.pos], eax
        mov es, [load_segment]
        mov ebp, [image_size]
.chunk: mov ecx, 0x8000
        cmp ebp, ecx
        ja .read
        mov cx, bp
.read:  sub ebp, ecx
        xor di, di
        call file_read
        mov ax, es
        add ax, 0x800
        mov es, ax
        test ebp, ebp
        jnz .chunk
        cmp byte [is_exe], 0
        je .end
        movzx eax, word [mz + MZ_TABLE]
        mov [bx + file.pos], eax
        mov bp, [mz + MZ_RELOCS]
.relocation:
        sub bp, 1
        jb .end
        push cs
        pop es
        mov di, .entry
        mov cx, 4
        call file_read
        les di, [.entry]
        mov ax, es
        add ax, [load_segment]
        mov es, ax
        mov ax, [load_factor]
        add [es:di], ax
        jmp .relocation
.end:   ret
.entry  dd 0

; 4B00h: load and run; 4B03h: load an overlay.
f_exec: mov si, bx
        mov ds, [r + regs.es]
        mov di, exec_block
        mov cx, 7
        rep movsw
        mov ds, [cs:r + regs.ds]
        call open_own
        jc .end
        call measure
        mov al, [r + regs.ax]
        cmp al, 3
        je .overlay
        cmp al, 0
        je run
        mov ax, 1
        stc
.end:   ret
.overlay:
        mov ax, [exec_block]
        mov [load_segment], ax
        mov ax, [exec_block + 2]
        mov [load_factor], ax
        call load
        clc
        ret

child           dw 0                    ; PSP and environment of the program that is being started
child_environment dw 0

; ZF clear: the code of the program that is being started begins at a page. The driver's own place is given by `skip`.
has_pages:
        cmp byte [name], '3'
        je .end
        cmp word [skip], 0
.end:   ret

; Purpose: for such a program, move the start of its block ax so that its code begins at a page of 4 KB; the paragraphs before
; that become a free block. In: si = paragraphs that it needs. Out: ax. Corrupts bx, cx, dx, es.
to_page:
        call has_pages
        jz .end
        mov bx, 0x100 - PSP_PARAS
        sub bl, al
        jz .end
        mov dx, ax
        dec ax
        mov es, ax
        mov cx, [es:mcb.paras]
        sub cx, bx
        jb .stays
        cmp cx, si
        jb .stays
        add dx, bx
        dec bx
        push dx
        call cut
        pop dx
        and word [es:mcb.owner], 0
        mov ax, dx
        jmp own
.stays: mov ax, dx
.end:   ret

run:    call has_pages
        jz .clean
        ; QEMU keeps its translation of code that ran here before, such as the driver's installer, and then takes the page for one
        ; with code. A write ends that.
        mov bx, 0xFFFF
        call allocate                   ; fails: bx = largest
        call allocate
        jc .clean
        mov es, ax
        push ax
        mov cx, 0x1000 / 16
        cmp bx, cx
        ja .wipe
        mov cx, bx
.wipe:  shl cx, 3
        xor di, di
        xor ax, ax
        rep stosw
        pop ax
        dec ax
        mov es, ax
        and word [es:mcb.owner], 0
.clean: mov ax, [exec_block]            ; environment to copy; 0: the parent's
        test ax, ax
        jnz .given
        mov es, [current_psp]
        mov ax, [es:psp.environment]
.given: mov es, ax
        xor di, di
        xor ax, ax
.variable:
        mov cx, 0x7FFF
        repne scasb
        cmp [es:di], al
        jne .variable
        inc di
        push es
        push di
        lea bx, [di + 2 + 3 + 13 + 15]
        shr bx, 4
        call allocate
        pop cx
        pop dx
        jc .error
        mov [child_environment], ax
        mov es, ax
        xor si, si
        xor di, di
        mov ds, dx
        rep movsb
        push cs
        pop ds
        mov ax, 1                       ; one string follows: the program's path
        stosw
        mov ax, "C:"
        stosw
        mov al, '\'
        stosb
        mov si, name
        mov cx, 13
        rep movsb
        ; A COM gets the largest block, an EXE what its header asks for.
        call image_paras
        add ax, PSP_PARAS
        mov si, ax
        add si, 0x10                    ; room for the COM's stack
        mov bx, 0xFFFF
        cmp byte [is_exe], 0
        je .allocate
        mov si, ax
        add si, [mz + MZ_MIN]
        add ax, [mz + MZ_MAX]
        jc .allocate
        mov bx, ax
        call has_pages
        jz .allocate
        add bx, 0x100                   ; `to_page` takes less than that away
.allocate:
        call allocate
        jnc .allocated
        cmp bx, si
        jb .no_room
        call allocate
.allocated:
        call to_page
        mov [child], ax
        mov bx, ax
        dec ax
        mov es, ax
        mov [es:mcb.owner], bx
        mov dx, bx
        add dx, [es:mcb.paras]
        mov si, name
        mov di, mcb.name
        mov cx, 8
.name:  lodsb
        cmp al, '.'
        jne .letter
        xor al, al
        dec si
.letter:
        stosb
        loop .name
        ; Where EXEC returns to is the terminate address.
        mov es, [zero]
        mov eax, [r + regs.ip]
        mov [es:0x22 * 4], eax
        mov ax, [child_environment]
        dec ax
        mov es, ax
        mov [es:mcb.owner], bx
        call make_psp
        push ax
        push bx
        call inherit
        pop bx
        pop ax
        inc ax
        mov [es:psp.environment], ax
        mov di, psp.tail
        lds si, [exec_block + 2]
        mov cx, 64
        rep movsw
        push cs
        pop ds
        add bx, PSP_PARAS
        mov [load_segment], bx
        mov [load_factor], bx
        mov bx, files
        call load
        mov es, [current_psp]
        mov eax, [user]
        mov [es:psp.stack], eax
        mov bx, [child]
        mov [current_psp], bx
        mov byte [strategy], 0          ; every program begins with strategy 0: first fit, low
        cli
        mov byte [in_dos], 0
        cmp byte [is_exe], 0
        jne .exe
        mov es, bx
        mov si, [es:psp.top]
        sub si, bx
        cmp si, 0x1000
        jb .small
        mov si, 0x1000
.small: shl si, 4
        mov ss, bx
        mov sp, si
        push 0
        mov cx, bx
        mov dx, 0x100
        jmp .go
.exe:   mov si, [load_segment]
        mov cx, [mz + MZ_CS]
        add cx, si
        mov dx, [mz + MZ_IP]
        add si, [mz + MZ_SS]
        mov ss, si
        mov sp, [mz + MZ_SP]
.go:    push 0x0202                     ; interrupts on
        push cx
        push dx
        mov ds, bx
        mov es, bx
        xor ax, ax
        iret
.no_room:
        mov es, [child_environment]
        call block_header
        and word [es:mcb.owner], 0
        mov ax, 8
        stc
.error: ret

f_exit0:
        mov al, 0
f_exit: mov [exit_code], al
        mov byte [exit_kind], 0
        call close_all
        ; Free its memory.
        mov bx, [current_psp]
        mov es, [first_low]
.block: cmp [es:mcb.owner], bx
        jne .next
        and word [es:mcb.owner], 0
.next:  call next_block
        jnc .block
        jmp leave_program

f_stay: mov [exit_code], al
        mov byte [exit_kind], 3
        mov es, [current_psp]
        mov [resident_psp], es
        mov bx, dx
        call resize

; Go to the terminate address in the program's PSP, with the parent's registers as in the INT 21h in which it called EXEC.
leave_program:
        mov ds, [current_psp]
        mov si, psp.vectors
        mov es, [cs:zero]
        mov di, 0x22 * 4
        mov cx, 6
        rep movsw
        push dword [psp.vectors]
        mov bx, [psp.parent]
        mov [cs:current_psp], bx
        mov ds, bx
        mov eax, [psp.stack]
        push cs
        pop ds
        mov [user], eax
        call fetch_registers
        pop dword [r + regs.ip]
        and word [r + regs.ax], 0
        and byte [r + regs.flags], ~1
        jmp leave21

f_exit_code:
        mov ax, [exit_code]
        mov [r + regs.ax], ax
        clc
        ret
