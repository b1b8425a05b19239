; Virtual DMA Services for tests, INT 4Bh AX=81xxh: physical addresses are the linear ones, and locks are counted.

VDS_BIOS_FLAG   equ 0x47B               ; bit 5: the services are installed
struc dds
.size   resd 1
.offset resd 1
.segment resw 1
.buffer resw 1                          ; buffer number, 0: none. Scatter/gather: entries available at +0Ch, used at +0Eh, then pairs
.physical resd 1
endstruc
dds_available   equ 12
dds_used        equ 14
dds_pairs       equ 16
VDS_BUFFER_SIZE equ 2048

; Purpose: install the services, if the settings ask for them. Corrupts al, bx, dx, es.
vds_start:
        cmp byte [vds_on], 0
        je .end
        mov al, 0x4B
        mov dx, int4b
        call set_vector
        or byte [es:VDS_BIOS_FLAG], 0x20
.end:   ret

functions_vds:
        dw vds_version, vds_lock, vds_unlock, vds_gather, vds_ungather, vds_request, vds_release, vds_copy_in
        dw vds_copy_out, vds_done, vds_done
functions_vds_end:

int4b:  cmp ah, 0x81
        jne .foreign
        push bp
        mov bp, sp
        push eax
        push ecx
        push esi
        and byte [bp + 6], ~1           ; the caller's CF
        sub al, 2
        cmp al, (functions_vds_end - functions_vds) / 2
        jae .unknown
        movzx si, al
        add si, si
        call [cs:functions_vds + si]    ; CF: al = error
        jnc .good
.bad:   or byte [bp + 6], 1
        mov [bp - 4], al
.good:  pop esi
        pop ecx
        pop eax
        pop bp
.foreign:
        iret
.unknown:
        mov al, 0x0F
        jmp .bad

; In: es:di = DDS. Out: eax = linear address. Corrupts ecx.
vds_linear:
        movzx eax, word [es:di + dds.segment]
        shl eax, 4
        add eax, [es:di + dds.offset]
        ret

vds_version:
        mov word [bp - 4], 0x0100
        mov bx, 0
        mov word [bp - 8], 0
        mov dx, 0
        mov word [bp - 12], 0           ; si:di, the largest buffer
        mov di, VDS_BUFFER_SIZE
        ret

vds_lock:
        mov al, 3                       ; cannot be locked
        btr word [cs:vds_fail], 0
        jc vds_gather.end
        call vds_linear
        add eax, [cs:vds_far]
        mov [es:di + dds.physical], eax
        and word [es:di + dds.buffer], 0
vds_count_lock:
        inc word [cs:vds_locks]
        add [cs:vds_sum], eax
        clc
        ret

vds_far         dd 0
vds_fail        dw 0

vds_unlock:
        mov eax, [es:di + dds.physical]
vds_count_unlock:
        inc word [cs:vds_unlocks]
        sub [cs:vds_sum], eax
vds_done:
        clc
        ret

vds_gather:
        mov al, 9                       ; the table is too small
        cmp word [es:di + dds_available], 1
        jb .end
        call vds_linear
        mov word [es:di + dds_used], 1
        mov [es:di + dds_pairs], eax
        mov ecx, [es:di + dds.size]
        mov [es:di + dds_pairs + 4], ecx
        call vds_count_lock
        clc
.end:   ret

vds_ungather:
        mov eax, [es:di + dds_pairs]
        jmp vds_count_unlock

; There is one buffer, with number 1.
vds_request:
        mov al, 5                       ; larger than the buffer
        cmp dword [es:di + dds.size], VDS_BUFFER_SIZE + 1
        cmc
        jc .end
        mov al, 6                       ; in use
        bts word [cs:vds_buffer_used], 0
        jc .end
        mov eax, KSEG * 16 + vds_buffer
        mov [es:di + dds.physical], eax
        mov word [es:di + dds.buffer], 1
        call vds_count_lock
        test dl, 2
        jnz vds_copy_in
        clc
.end:   ret

vds_release:
        mov al, 0x0A                    ; no such buffer
        btr word [cs:vds_buffer_used], 0
        cmc
        jc .end
        test dl, 2
        jz .count
        call vds_copy_out
.count: mov eax, KSEG * 16 + vds_buffer
        jmp vds_count_unlock
.end:   ret
vds_buffer_used dw 0

; Copy the region to the buffer, and back; as many bytes as the region's size.
vds_copy_in:
        push ds
        push es
        push di
        call vds_region
        push cs
        pop es
        mov di, vds_buffer
        jmp vds_copy
vds_copy_out:
        push ds
        push es
        push di
        call vds_region
        mov di, si
        push ds
        pop es
        mov si, vds_buffer
        push cs
        pop ds
vds_copy:
        cld
        rep movsb
        pop di
        pop es
        pop ds
        clc
        ret
; Out: ds:si = region, cx = its size, at most the buffer's.
vds_region:
        call vds_linear
        mov ecx, [es:di + dds.size]
        cmp ecx, VDS_BUFFER_SIZE
        jbe .size
        mov cx, VDS_BUFFER_SIZE
.size:  mov si, ax
        and si, 15
        shr eax, 4
        mov ds, ax
        ret
