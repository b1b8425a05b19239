; INT 21h: entry, exit, and the functions that fit in a few lines.

; The caller's registers during the call.
struc regs
.es     resw 1
.ds     resw 1
.di     resd 1
.si     resd 1
.bp     resd 1
.sp     resd 1
.bx     resd 1
.dx     resd 1
.cx     resd 1
.ax     resd 1
.ip     resw 1
.cs     resw 1
.flags  resw 1
endstruc
r       times regs_size db 0

functions:
%macro function 2
        db %1
        dw %2
%endmacro
        function 0x02, f_put_char
        function 0x06, f_direct
        function 0x09, f_put_string
        function 0x25, f_set_vector
        function 0x2A, f_date
        function 0x2C, f_time
        function 0x30, f_version
        function 0x31, f_stay
        function 0x35, f_get_vector
        function 0x3D, f_open
        function 0x3E, f_close
        function 0x3F, f_read
        function 0x40, f_write
        function 0x42, f_seek
        function 0x48, f_allocate
        function 0x49, f_free
        function 0x4A, f_resize
        function 0x4B, f_exec
        function 0x4C, f_exit
        function 0x4D, f_exit_code
        function 0x50, f_set_psp
        function 0x51, f_get_psp
        function 0x52, f_lists
        function 0x58, f_strategy
        function 0x5D, f_area
        function 0x62, f_get_psp
        function 0x00, f_exit0
        db 0xFF

int20:  mov ax, 0x4C00
int21:  pushad
        push ds
        push es
        cld
        push cs
        pop ds
        inc byte [in_dos]
        cmp byte [in_dos], 1
        jne .reentered
        mov [user], sp
        mov [user + 2], ss
        lss sp, [kernel_sp]
        call fetch_registers
        sti
        mov ah, [r + regs.ax + 1]
        mov si, functions
.find:  cmp byte [si], 0xFF
        je .unknown
        cmp [si], ah
        lea si, [si + 3]
        jne .find
        mov bp, [si - 2]
        mov ax, [r + regs.ax]
        mov bx, [r + regs.bx]
        mov cx, [r + regs.cx]
        mov dx, [r + regs.dx]
        mov di, [r + regs.di]
        and byte [r + regs.flags], ~1
        call bp                         ; In: ax bx cx dx di of the caller, DS = ES = kernel. Out: CF and ax = error
        push cs
        pop ds
        jnc leave21
.failed:
        mov [r + regs.ax], ax
        or byte [r + regs.flags], 1
leave21:
        mov si, r
        les di, [user]
        mov cx, regs_size / 2
        rep movsw
        cli
        dec byte [in_dos]
        lss sp, [user]
        pop es
        pop ds
        popad
        iret
int21.unknown:
        movzx ax, ah
        push ax
        call fresh_line
        pop ax
        say `[DOS function %b is not there]\n`, ax
        mov ax, 1
        jmp int21.failed
int21.reentered:
        movzx di, ah
        broken `function %b called from inside DOS`, di

kernel_sp:
        dw kernel_stack, KSEG

; Copies the caller's registers from [user] to r. Corrupts ax, cx, si, di; DS = ES = kernel.
fetch_registers:
        lds si, [user]
        push cs
        pop es
        mov di, r
        mov cx, regs_size / 2
        rep movsw
        push cs
        pop ds
        ret

f_put_char:
        mov al, dl
        call put_standard
        clc
        ret

; Direct console: dl = FFh: NC ZF set, or al = key; otherwise prints dl.
f_direct:
        cmp dl, 0xFF
        jne f_put_char
        or byte [r + regs.flags], 0x40
        mov ah, 1
        int 0x16
        jz .none
        mov ah, 0
        int 0x16
        mov [r + regs.ax], al
        and byte [r + regs.flags], ~0x40
.none:  clc
        ret

f_put_string:
        mov ds, [r + regs.ds]
        mov si, dx
.next:  lodsb
        cmp al, '$'
        je .end
        call put_standard
        jmp .next
.end:   ret                             ; after an equal compare CF is clear

int27:  mov ax, 0x3100                  ; stay resident, dx = bytes
        add dx, 15
        rcr dx, 1
        shr dx, 3
        jmp int21

int29:  call putc                       ; fast console output
        iret

int24:  mov al, 3                       ; critical error: fail the call
        iret

f_set_vector:
        mov si, [r + regs.ds]
        jmp set_vector.to

; Sets vector al to kernel:dx. Corrupts bx; ES = 0 after it.
set_vector:
        push si
        mov si, KSEG
        call .to
        pop si
        ret
.to:    movzx bx, al
        shl bx, 2
        push 0
        pop es
        cli
        mov [es:bx], dx
        mov [es:bx + 2], si
        sti
        clc
        ret

f_get_vector:
        movzx bx, al
        shl bx, 2
        push 0
        pop es
        mov eax, [es:bx]
        mov [r + regs.bx], ax
        shr eax, 16
        mov [r + regs.es], ax
        clc
        ret

f_version:
        mov word [r + regs.ax], 5
        mov word [r + regs.bx], 0
        mov word [r + regs.cx], 0
        clc
        ret

; The date, from the real-time clock in BCD.
f_date: mov ah, 4
        int 0x1A
        mov al, ch
        call from_bcd
        mov ah, 100
        mul ah
        xchg ax, bx
        mov al, cl
        call from_bcd
        add bx, ax
        mov [r + regs.cx], bx
        mov al, dl
        call from_bcd
        mov [r + regs.dx], al
        mov al, dh
        call from_bcd
        mov [r + regs.dx + 1], al
        mov byte [r + regs.ax], 0       ; day of the week: no test needs it
        clc
        ret

; In: al = 2 digits in BCD. Out: ax = the number.
from_bcd:
        mov ah, al
        shr ah, 4
        and al, 15
        aad
        ret

; The time, from the BIOS's tick count: 54.925 ms each.
f_time: mov es, [zero]
        mov eax, [es:0x46C]
        mov edx, 54925
        mul edx
        mov ecx, 10000
        div ecx                         ; hundredths since midnight
        mov ecx, 100
        xor edx, edx
        div ecx
        mov [r + regs.dx], dl
        mov cl, 60
        xor edx, edx
        div ecx
        mov [r + regs.dx + 1], dl
        div cl
        mov [r + regs.cx + 1], al
        mov [r + regs.cx], ah
        clc
        ret
zero    dw 0

f_set_psp:
        mov [current_psp], bx
        clc
        ret

f_get_psp:
        mov ax, [current_psp]
        mov [r + regs.bx], ax
        clc
        ret

; The list of lists: the first memory block's segment before it, the device chain at +22h.
; AX=5D06h: the swappable data area, of which there is InDOS and the present program's PSP.
f_area: cmp al, 6
        mov ax, 1
        stc
        jne .end
        mov word [r + regs.ds], KSEG
        mov word [r + regs.si], sda
        mov word [r + regs.cx], sda_end - sda
        mov word [r + regs.dx], sda_end - sda
        clc
.end:   ret

f_lists:
        mov word [r + regs.es], KSEG
        mov word [r + regs.bx], lists
        clc
        ret
lists_first     dw 0
lists           times 0x22 db 0
null_device     dd -1
                dw 0x8004, null_routine, null_routine
                db "NUL     "
null_routine:
        retf

; INT 2Fh: XMS only.
int2f:  cmp ah, 0x43
        jne .end
        cmp byte [cs:xms_version], 0
        je .end
        cmp al, 0x10
        je .entry
        cmp al, 0
        jne .end
        mov al, 0x80
.end:   iret
.entry: mov bx, xms_entry
        push cs
        pop es
        iret
