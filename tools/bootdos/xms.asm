; An XMS 3.0 driver for all of the machine's extended memory; it can be told to fail.

HANDLE_COUNT    equ 16
struc handle
.base   resd 1                          ; KB
.size   resd 1                          ; KB
.locks  resb 1
.used   resb 1
        resb 6
endstruc
XMS_BASE        equ 1024 + 64           ; KB; below lies the HMA

functions_xms:
        dw xms_version_get, xms_no_hma, xms_no_hma, xms_a20_on, xms_a20_off, xms_a20_local_on, xms_a20_local_off
        dw xms_a20_query
FIRST_MEMORY    equ ($ - functions_xms) / 2     ; the first function that can be told to fail
        dw xms_query, xms_allocate, xms_free, xms_move, xms_lock, xms_unlock, xms_information, xms_resize
functions_xms_end:
functions_xms3:                         ; from function 88h on
        dw xms_query32, xms_allocate32
functions_xms3_end:

; Purpose: find the size of the memory. Corrupts everything.
xms_start:
        mov ax, 0xE801
        xor bx, bx
        int 0x15
        jc .none
        movzx eax, ax
        cmp ax, 15 * 1024
        jb .sum
        movzx ebx, bx
        shl ebx, 6
        add eax, ebx
.sum:   add eax, 1024
        cmp eax, XMS_BASE
        jbe .none
        mov [xms_top], eax
        jmp .a20
.none:  mov byte [xms_version], 0
.a20:   xor al, al                      ; A20 off, as DOS finds it on a PC
; Purpose: switch A20 by port 92h, or, if that has no effect, by the keyboard controller. In: al = 1 on, 0 off.
; Corrupts ax.
set_a20:
        push es
        push esi
        push bx
        mov bl, al
        mov ah, al
        add ah, ah
        in al, 0x92
        and al, ~3
        or al, ah
        out 0x92, al
        call get_a20
        cmp al, bl
        je .end
        call .ready
        mov al, 0xD1                    ; command: write the output port
        out 0x64, al
        call .ready
        mov al, bl
        add al, al
        or al, 0xDD
        out 0x60, al
        call .ready
.end:   pop bx
        pop esi
        pop es
        ret
.ready: in al, 0x64
        test al, 2
        jnz .ready
        ret

; The entry for programs: a far call, ah = function. Registers that are no results are kept.
xms_entry:
        jmp .go                         ; five bytes, which a program may overwrite to hook the chain
        times 5 - ($ - xms_entry) nop
.go:    push ds
        push es
        push ebp
        push esi
        push edi
        cld
        mov [cs:xms_ds], ds
        push cs
        pop ds
        mov di, functions_xms
        cmp ah, (functions_xms_end - functions_xms) / 2
        jb .found
        mov di, functions_xms3 - 0x88 * 2
        cmp ah, 0x88
        jb .unknown
        cmp ah, 0x88 + (functions_xms3_end - functions_xms3) / 2
        jae .unknown
        cmp byte [xms_version], 3
        jb .unknown
.found: cmp ah, FIRST_MEMORY
        jb .call
        sub word [xms_skip], 1          ; has it been told to fail?
        jae .call
        inc word [xms_skip]
        sub word [xms_fail], 1
        jae .failed
        inc word [xms_fail]
.call:  movzx bp, ah
        add bp, bp
        add bp, di
        call [ds:bp]                    ; CF: bl = error
        mov ax, 0
        jc xms_return
        inc ax
; Functions with results in ax remove their return address and jump here.
xms_return:
        pop edi
        pop esi
        pop ebp
        pop es
        pop ds
        retf
xms_entry.failed:
        mov bl, 0xA0
        jmp xms_entry.error
xms_entry.unknown:
        mov bl, 0x80
xms_entry.error:
        xor ax, ax
        jmp xms_return

xms_version_get:
        mov ah, [xms_version]
        mov al, 0
        mov bx, 1
        mov dx, 0                       ; no HMA is available: the tests of A20 use its memory
        pop bp
        jmp xms_return
xms_no_hma:
        mov bl, 0x90
        stc
        ret

xms_a20_local_on:
        inc word [xms_local]
xms_a20_on:
        mov al, 1
        jmp xms_a20
xms_a20_local_off:
        sub word [xms_local], 1
        ja xms_a20_ok
        and word [xms_local], 0
xms_a20_off:
        mov al, 0
xms_a20:
        call set_a20
xms_a20_ok:
        mov bl, 0
        clc
        ret
xms_a20_query:
        call get_a20
        mov bl, 0
        pop bp
        jmp xms_return

; Purpose: find out by memory whether A20 is on: does FFFF:0090 show vector 20h? Out: ax = 1 on, 0 off. Corrupts esi, es.
get_a20:
        pushf
        cli
        push fs
        mov es, [zero]
        push 0xFFFF
        pop fs
        mov esi, [es:0x80]
        cmp esi, [fs:0x90]
        mov ax, 1
        jne .end
        not dword [es:0x80]             ; compare again after a change: they may be equal by chance
        cmp [fs:0x90], esi
        mov [es:0x80], esi
        je .end
        dec ax
.end:   pop fs
        popf
        ret

; Purpose: find a gap of edx KB. Out: NC edi = its base; CF bl = A0h; eax = the largest gap. Corrupts ecx, esi, ebp.
xms_scan:
        push edx
        xor eax, eax
        mov edi, XMS_BASE
        mov si, xms_handles
.gap:   mov ecx, [xms_top]              ; the gap at edi ends at the next block, or at the end of the memory
        mov bp, xms_handles
.block: cmp dword [ds:bp + handle.size], 0
        je .other
        cmp [ds:bp + handle.base], edi
        jb .other
        cmp [ds:bp + handle.base], ecx
        ja .other
        mov ecx, [ds:bp + handle.base]
.other: add bp, handle_size
        cmp bp, xms_handles_end
        jb .block
        sub ecx, edi
        cmp ecx, eax
        jbe .fits
        mov eax, ecx
.fits:  cmp ecx, edx
        jae .end                        ; CF is clear
.next:  cmp si, xms_handles_end         ; other gaps begin where a block ends
        je .none
        mov edi, [si + handle.size]
        add si, handle_size
        test edi, edi
        jz .next
        add edi, [si - handle_size + handle.base]
        jmp .gap
.none:  mov bl, 0xA0
        stc
.end:   pop edx
        ret

xms_query:
        push cx
        call xms_query_all
        cmp edx, 0xFFFF
        jbe .total
        mov dx, 0xFFFF
.total: cmp eax, 0xFFFF
        jbe .end
        mov ax, 0xFFFF
.end:   pop cx
        pop bp
        jmp xms_return
xms_query32:
        call xms_query_all
        mov ecx, [xms_top]
        shl ecx, 10
        dec ecx
        pop bp
        jmp xms_return
; Out: eax = largest block, edx = all free memory, in KB; bl. Corrupts ecx, esi, edi, ebp.
xms_query_all:
        or edx, -1
        call xms_scan
        mov edx, [xms_top]
        sub edx, XMS_BASE
        mov si, xms_handles
.block: sub edx, [si + handle.size]
        add si, handle_size
        cmp si, xms_handles_end
        jb .block
        cmp edx, 1
        sbb bl, bl
        and bl, 0xA0
        ret

xms_allocate:
        movzx edx, dx
xms_allocate32:
        push ecx
        call xms_scan
        pop ecx
        jc .end
        mov si, xms_handles
.free:  cmp byte [si + handle.used], 0
        je .found
        add si, handle_size
        cmp si, xms_handles_end
        jb .free
        mov bl, 0xA1
        stc
.end:   mov dx, 0
        ret
.found: mov [si + handle.base], edi
        mov [si + handle.size], edx
        mov word [si + handle.locks], 0x0100    ; no lock, in use
        mov dx, si
        mov bl, 0
        clc
        ret

; Purpose: find handle dx. Out: NC si; CF bl = A2h. Corrupts ax.
xms_handle:
        mov bl, 0xA2
        mov si, dx
        mov ax, dx
        sub ax, xms_handles
        cmp ax, HANDLE_COUNT * handle_size
        cmc
        jc .end
        test al, handle_size - 1
        stc
        jnz .end
        cmp byte [si + handle.used], 1  ; CF if it is 0: unused
.end:   ret

xms_free:
        call xms_handle
        jc .end
        mov bl, 0xAB
        cmp byte [si + handle.locks], 1
        cmc
        jc .end
        and dword [si + handle.size], 0
        mov byte [si + handle.used], 0
        mov bl, 0
.end:   ret

xms_lock:
        call xms_handle
        jc .end
        inc byte [si + handle.locks]
        mov edi, [si + handle.base]
        shl edi, 10
        mov bx, di
        shr edi, 16
        mov dx, di
        clc
.end:   ret

xms_unlock:
        call xms_handle
        jc .end
        mov bl, 0xAA
        sub byte [si + handle.locks], 1
        jnc .good
        inc byte [si + handle.locks]
        stc
        ret
.good:  mov bl, 0
.end:   ret

xms_information:
        call xms_handle
        jc .end
        mov bh, [si + handle.locks]
        mov dx, [si + handle.size]
        mov bl, HANDLE_COUNT
        mov di, xms_handles
.count: sub bl, [di + handle.used]
        add di, handle_size
        cmp di, xms_handles_end
        jb .count
        clc
.end:   ret

; Shrinks the block, or extends it into the gap behind it.
xms_resize:
        mov di, bx
        call xms_handle
        jc .end
        mov bl, 0xAB
        cmp byte [si + handle.locks], 1
        cmc
        jc .end
        movzx edi, di
        mov eax, [si + handle.base]     ; eax = the end that the block would have
        add eax, edi
        mov bl, 0xA0
        cmp [xms_top], eax
        jb .end
        mov bp, xms_handles
.block: cmp dword [ds:bp + handle.size], 0
        je .other
        cmp bp, si
        je .other
        push edi
        mov edi, [ds:bp + handle.base]
        cmp edi, [si + handle.base]
        jb .below
        cmp edi, eax                    ; CF: it begins inside of the new size
        jae .below
        pop edi
        stc
        ret
.below: pop edi
.other: add bp, handle_size
        cmp bp, xms_handles_end
        jb .block
        mov [si + handle.size], edi
        mov bl, 0
        clc
.end:   ret

; Move: ds:si = length dd, then source and destination, each with a handle dw and an offset dd; handle 0: a far pointer.
xms_move:
        push ecx
        push edx
        push eax
        mov es, [xms_ds]
        mov ecx, [es:si]
        mov bl, 0xA7
        test cl, 1
        stc
        jnz .end
        mov bp, si
        mov eax, 0xA4A3                 ; errors for the source: ah for the offset, al for the handle
        lea si, [bp + 4]
        call .address
        jc .end
        push edi
        lea si, [bp + 10]
        mov eax, 0xA6A5
        call .address
        pop esi
        jc .end
        ; Both are linear. The limits of the segments stay flat until a program loads others in protected mode. Interrupts may
        ; come between: a load of a segment register in real mode changes only the base.
        call get_a20_keep
        push ax
        mov al, 1
        call set_a20
        smsw ax
        test al, 1                      ; V86 mode: the monitor copies (tools/src/suite/fixtures/v86.asm)
        jnz .monitor
        mov bl, 8
        call set_limits
        push 0
        pop ds
        push 0
        pop es
        cmp esi, edi
        jb .down
        shr ecx, 1
        a32 rep movsw
        jmp .moved
.down:  lea esi, [esi + ecx - 2]        ; overlap with the destination above: copy downwards
        lea edi, [edi + ecx - 2]
        shr ecx, 1
        std
        a32 rep movsw
        cld
.moved: mov bl, 16
        call set_limits
        push cs
        pop ds
.back:  pop ax
        call set_a20
        mov bl, 0
        clc
.end:   pop eax
        pop edx
        pop ecx
        ret
.monitor:
        mov ax, 2
        int 0xE8
        jmp .back
; In: es:si = handle and offset, ecx = length. Out: NC edi = linear address; CF bl = error. Corrupts edx, si.
.address:
        mov edi, [es:si + 2]
        mov dx, [es:si]
        test dx, dx
        jnz .extended
        movzx edx, di
        shr edi, 16
        shl edi, 4
        add edi, edx
        clc
        ret
.extended:
        push ax
        call xms_handle
        pop ax
        mov bl, al
        jc .bad
        mov bl, ah
        mov edx, [si + handle.size]
        shl edx, 10
        sub edx, edi
        jb .bad
        mov bl, 0xA7
        cmp edx, ecx
        jb .bad
        mov edx, [si + handle.base]
        shl edx, 10
        add edi, edx
        clc
.bad:   ret

; As get_a20, but keeps esi.
get_a20_keep:
        push esi
        call get_a20
        pop esi
        ret

; Purpose: load DS and ES with the limit of descriptor bl (8: 4 GB, 16: 64 KB). Corrupts eax, bx, ds, es.
set_limits:
        pushf
        cli
        lgdt [cs:.gdtr]
        mov eax, cr0
        inc ax
        mov cr0, eax
        jmp .protected
.protected:
        mov bh, 0
        mov ds, bx
        mov es, bx
        dec ax
        mov cr0, eax
        jmp KSEG:.real
.real:  popf
        ret
.gdtr:  dw 23
        dd KSEG * 16 + .gdt
        align 8
.gdt:   dq 0, 0x00CF92000000FFFF, 0x000092000000FFFF
