; Memory blocks in DOS's chain: each block has a header of one paragraph before it. The upper block, if there is one, follows a
; block of DOS's that spans the adapters' addresses.

struc mcb
.type   resb 1                          ; 'M', or 'Z' for the last block
.owner  resw 1                          ; PSP, 0 free, 8 DOS
.paras  resw 1
        resb 3
.name   resb 8
endstruc
UMB_SEGMENT     equ 0xD000              ; the header of the upper block
UMB_END         equ 0xE000
OWNER_DOS       equ 8
BY_UMB          equ 0xC0                ; bits of the strategy: upper block only (40h), upper block first (80h)

; Purpose: make the chain, the shell's PSP and its environment. Corrupts everything; ES = DS = kernel after it.
memory_start:
        int 0x12
        shl ax, 6
        xchg ax, dx                     ; dx = first segment above conventional memory
        mov ax, bss_end                 ; aligned to a paragraph
        shr ax, 4
        add ax, KSEG
        mov [first_low], ax
        mov [lists_first], ax
        mov es, ax
        mov bx, dx
        sub bx, ax
        sub bx, 2                       ; without this header and the bridge
        mov al, 'Z'
        xor cx, cx
        call .header
        cmp word [umb_paras], 0
        je .shell
        ; For QEMU's i440FX: maps both 32 KB halves of D0000h to RAM, for reads and writes.
        mov eax, 0x8000005C
        mov dx, 0xCF8
        out dx, eax
        mov dl, 0xFC
        mov ax, 0x3333
        out dx, ax
        mov es, [zero]
        int 0x12
        shl ax, 6
        dec ax
        mov [bridge], ax
        mov es, ax
        mov bx, UMB_SEGMENT - 1
        sub bx, ax
        mov al, 'M'
        mov cx, OWNER_DOS
        call .header
        ; Fills all with 5Ah, so that a write beyond the upper block is noticed.
        push UMB_SEGMENT
        pop es
        xor di, di
        mov cx, 0x4000
        mov eax, 0x5A5A5A5A
        rep stosd
        mov bx, [umb_paras]
        mov al, 'Z'
        xor cx, cx
        call .header
.shell: mov bx, 0x10
        call allocate
        mov [current_psp], ax
        mov [shell_psp], ax
        call own
        mov bx, ax
        call make_psp
        mov eax, CONSOLE_FILE * 0x01010101
        mov [es:psp.handles], eax
        mov [es:psp.handles + 4], al
        mov word [files + CONSOLE_FILE * file_size + file.refs], 5
        mov word [files + CONSOLE_FILE * file_size + file.kind], CONSOLE
        push bx
        mov bx, 2
        call allocate
        call own
        pop es
        mov [es:psp.environment], ax
        mov [es:psp.parent], es
        mov es, ax
        xor di, di
        mov si, .environment
        mov cx, .environment_end - .environment
        rep movsb
        mov bx, [skip]
        test bx, bx
        jz .end
        call allocate
.end:   push cs
        pop es
        ret
.header:
        mov [es:mcb.type], al
        mov [es:mcb.owner], cx
        mov [es:mcb.paras], bx
        ret
.environment:
        db "PATH=C:\", 0, "COMSPEC=C:\X", 0, 0
.environment_end:

; Makes block ax the present program's. Corrupts es, cx.
own:    push ax
        dec ax
        mov es, ax
        mov cx, [current_psp]
        cmp cx, 1                       ; no program yet
        adc cx, 0
        mov [es:mcb.owner], cx
        pop ax
        ret

; Purpose: go from block header es to the next, in either chain. Out: NC es; CF it was the last. Corrupts ax.
next_block:
        mov ax, es
        cmp byte [es:mcb.type], 'M'
        je .within
        cmp byte [es:mcb.type], 'Z'
        jne .damaged
        cmp ax, [bridge]
        jae .none
        mov es, [bridge]
        clc
        ret
.none:  stc
        ret
.within:
        add ax, [es:mcb.paras]
        inc ax
        mov es, ax
        clc
        ret
.damaged:
        mov di, es
        broken `memory block at %x is damaged`, di

; Purpose: join the free block es with the free blocks behind it. Corrupts ax, cx, and es's size.
merge:  push es
        pop ax
        cmp byte [es:mcb.type], 'M'
        jne .end
        add ax, [es:mcb.paras]
        inc ax
        push ds
        mov ds, ax
        cmp word [mcb.owner], 0
        jne .used
        mov al, [mcb.type]
        mov [es:mcb.type], al
        mov cx, [mcb.paras]
        inc cx
        add [es:mcb.paras], cx
        pop ds
        jmp merge
.used:  pop ds
.end:   ret

; Purpose: shorten block es to bx paragraphs (at most its size); the rest becomes a free block. Corrupts ax, cx.
cut:    mov cx, [es:mcb.paras]
        sub cx, bx
        jz .end
        dec cx
        mov [es:mcb.paras], bx
        mov al, 'M'
        xchg al, [es:mcb.type]
        push es
        mov dx, es
        add dx, bx
        inc dx
        mov es, dx
        mov [es:mcb.type], al
        mov [es:mcb.paras], cx
        and word [es:mcb.owner], 0
        call merge
        pop es
.end:   ret

; Purpose: allocate bx paragraphs, first fit. Out: NC ax = block; CF ax = 8, bx = largest. Corrupts cx, dx, es.
allocate:
        xor dx, dx
        mov es, [first_low]
        mov al, [strategy]
        test al, BY_UMB
        jz .block
        cmp byte [linked], 0
        je .block
        cmp word [bridge], 0
        je .block
        mov es, [bridge]
.block: cmp word [es:mcb.owner], 0
        jne .next
        call merge
        mov cx, [es:mcb.paras]
        cmp cx, bx
        jae .fits
        cmp cx, dx
        jbe .next
        mov dx, cx
.next:  call next_block
        jc .none
        mov ax, es
        cmp ax, [bridge]
        jne .block
        cmp byte [linked], 0
        jne .block
.none:  test byte [strategy], 0x80      ; upper block first: now the lower chain
        jz .full
        mov al, [strategy]
        push ax
        mov byte [strategy], 0
        push dx
        call allocate
        pop dx
        pop ax
        mov [strategy], al
        jnc .end
        cmp bx, dx
        jae .error
.full:  mov bx, dx
.error: mov ax, 8
        stc
.end:   ret
.fits:  call cut
        mov ax, es
        inc ax
        call own
        clc
        ret

f_allocate:
        call allocate
        jc .full
        mov [r + regs.ax], ax
        ret
.full:  mov [r + regs.bx], bx
        ret

; Purpose: find the header of block es. Out: NC es; CF ax = 9. Corrupts ax, dx.
block_header:
        mov dx, es
        dec dx
        mov es, [first_low]
.next:  mov ax, es
        cmp ax, dx
        je .end
        call next_block
        jnc .next
        mov ax, 9
.end:   ret

f_free: mov es, [r + regs.es]
        call block_header
        jc .end
        and word [es:mcb.owner], 0
.end:   ret

f_resize:
        mov es, [r + regs.es]
; Purpose: resize block es to bx paragraphs. Out: CF ax = 8 or 9, bx = largest; the block then has that size.
resize: call block_header
        jc .end
        call merge
        cmp [es:mcb.paras], bx
        jb .full
        call cut
        clc
.end:   ret
.full:  mov bx, [es:mcb.paras]
        mov [r + regs.bx], bx
        mov ax, 8
        stc
        ret

; Sets or returns the allocation strategy, and whether the upper block is in the chain.
f_strategy:
        cmp al, 1
        jb .get
        je .set
        cmp al, 3
        jb .get_link
        je .set_link
        mov ax, 1
        stc
        ret
.get:   mov al, [strategy]
        jmp .answer
.set:   mov [strategy], bx
        ret
.get_link:
        mov al, [linked]
.answer:
        mov ah, 0
        mov [r + regs.ax], ax
        ret
.set_link:
        mov al, bl
; Purpose: link (al = 1) or unlink (0) the upper block. Out: CF ax = 1 if there is none; ES = kernel. Corrupts ax, cx, dx.
link:   cmp word [bridge], 0
        je .none
        mov [linked], al
        mov dl, 'Z'
        test al, al
        jz .find
        mov dl, 'M'
.find:  mov es, [first_low]
.next:  push es
        call next_block
        mov ax, es
        pop es
        cmp ax, [bridge]
        je .last
        mov es, ax
        jmp .next
.last:  mov [es:mcb.type], dl
        push cs
        pop es
        clc
        ret
.none:  mov ax, 1
        stc
        ret
