; DEVICE= and DEVICEHIGH=: loads a device driver, sends it INIT and later requests.

struc request_header
.len    resb 1
.unit   resb 1
.command resb 1
.status resw 1
        resb 8
.units  resb 1
.end    resd 1                          ; INIT: end of its memory, then the break address; other requests: transfer address
.tail   resd 1                          ; INIT: the text behind DEVICE=; other requests: byte count
.drive  resb 1
endstruc
REQUEST_FILL    equ 0xCC
REQUEST_SIZE    equ 64

device_segment  dw 0
device_paras    dw 0
device_entry    dd 0

device_high:
        mov al, 1
        call link
        mov al, 0x40
        jnc device.go
device: mov al, 0
.go:    mov [strategy], al
        push si
        call make_tail
        pop si
        mov dx, si
.name:  lodsb
        cmp al, ' '
        ja .name
        mov byte [si - 1], 0
        call open_own
        jc .missing
        call measure
.allocate:
        mov bx, 0xFFFF
        call allocate
        call image_paras
        cmp bx, ax
        jae .room
        cmp byte [strategy], 0
        je .no_room
        cmp byte [careless], 0
        je .no_room
.room:  mov [device_paras], bx
        call allocate
        mov byte [strategy], 0
        mov [device_segment], ax
        mov [load_segment], ax
        mov [load_factor], ax
        dec ax
        mov es, ax
        mov word [es:mcb.owner], OWNER_DOS
        mov bx, files
        call load
        push cs
        pop es
        ; INIT
        mov al, 0
        mov ah, [request_len]
        call fill_request
        mov ax, [device_segment]
        add ax, [device_paras]
        mov [request + request_header.end + 2], ax
        mov [request + request_header.tail], word tail
        mov [request + request_header.tail + 2], ds
        cmp byte [request_len], request_header.drive
        jbe .init
        mov byte [request + request_header.drive], 2
.init:  call call_device
        call fresh_line
        movzx di, byte [request_len]
.beyond:
        cmp byte [request + di], REQUEST_FILL
        jne .overwritten
        inc di
        cmp di, REQUEST_SIZE
        jb .beyond
        jmp .status
.overwritten:
        say `[device wrote past its request, at %u]\n`, di
.status:
        mov ax, [request + request_header.status]
        and ax, 0x8100
        cmp ax, 0x8000                  ; error bit set, done bit clear
        je .refused
        ; The break address. At the header: the driver refuses. Above its memory: the driver is faulty.
        movzx eax, word [request + request_header.end + 2]
        shl eax, 4
        movzx ebx, word [request + request_header.end]
        add ebx, eax
        movzx eax, word [device_segment]
        shl eax, 4
        sub ebx, eax
        je .refused
        jb .wild
        mov ebp, ebx
        add ebx, 15
        shr ebx, 4
        cmp ebx, 0xFFFF
        ja .wild
        cmp bx, [device_paras]
        ja .wild
        mov es, [device_segment]
        call resize
        ; Link it into the chain, behind NUL.
        mov es, [device_segment]
        mov eax, [null_device]
        mov [es:0], eax
        mov word [null_device], 0
        mov [null_device + 2], es
        mov bx, es
        say `[device resident %u bytes at %x]\n`, bp, bx
        call show_header
        call later_requests
        jmp .end
.wild:  call fresh_line
        say `[device break address %x:%x is outside its memory]\n`, word [request + request_header.end + 2], word [request + request_header.end]
.refused:
        say `[device refused, status %x]\n`, word [request + request_header.status]
        mov es, [device_segment]
        call block_header
        and word [es:mcb.owner], 0
.end:   mov byte [strategy], 0
        mov al, 0
        call link
        push cs
        pop es
        ret
.missing:
        say `[device file not found]\n`
        jmp .end
.no_room:
        cmp byte [strategy], 0
        mov byte [strategy], 0
        jne .allocate                   ; larger than the upper block: load low
        say `[device does not fit]\n`
        jmp .end

; Purpose: set `tail` to the line at si, in the form that the settings give. Corrupts ax, si, di.
make_tail:
        mov di, tail
.next:  lodsb
        test al, al
        jz .ended
        cmp byte [upper_tail], 0
        je .store
        call upper
.store: stosb
        jmp .next
.ended: cmp byte [tail_end], 2
        jb .cr
        mov al, ' '
        stosb
.cr:    mov al, 13
        stosb
        cmp byte [tail_end], 1
        jb .end
        mov al, 10
        stosb
.end:   mov al, 0                       ; clears what is left of an earlier tail
        stosb
        ret

; Purpose: prepare a request with command al and length ah. Corrupts ax, cx, di.
fill_request:
        push ax
        mov di, request
        mov cx, REQUEST_SIZE
        mov al, REQUEST_FILL
        rep stosb
        pop ax
        mov [request + request_header.len], ah
        mov [request + request_header.command], al
        xor ax, ax
        mov [request + request_header.unit], al
        mov [request + request_header.status], ax
        mov [request + request_header.units], al
        mov [request + request_header.end], ax
        ret

; Purpose: call strategy and interrupt routine. Corrupts ax; DS = ES = kernel after it.
call_device:
        pusha
        mov di, 6
        call .call
        mov di, 8
        call .call
        popa
        ret
.call:  mov ax, [device_segment]
        mov [device_entry + 2], ax
        mov es, ax
        mov ax, [es:di]
        mov [device_entry], ax
        push cs
        pop es
        mov bx, request
        pushad
        mov bp, sp
        call far [device_entry]
        cmp bp, sp
        jne .spoilt
        popad
        cld
        push cs
        pop ds
        push cs
        pop es
        ret
.spoilt:
        broken `the device changed BP or SP`

; Prints the device's name and attribute.
show_header:
        mov es, [device_segment]
        mov bx, [es:4]
        mov di, 10
        say `[device `
.letter:
        mov al, [es:di]
        call putc
        inc di
        cmp di, 18
        jb .letter
        say ` attribute %x]\n`, bx
        push cs
        pop es
        ret

; Commands that DOS and programs may send to a device later: each must be answered with DONE.
later_requests:
        mov bp, .commands
        say `[answers`
.next:  mov al, [bp]
        mov ah, 22
        call fill_request
        mov [request + request_header.end], word line
        mov [request + request_header.end + 2], ds
        mov [request + request_header.tail], word 1
        call call_device
        movzx bx, byte [bp]
        say ` %b:%x`, bx, word [request + request_header.status]
        inc bp
        cmp bp, .commands_end
        jb .next
        say `]\n`
        ret
.commands       db 0x0D, 0x03, 0x04, 0x06, 0x08, 0x0A, 0x0C, 0x0E, 0x13, 0x80   ; open ... close, generic IOCTL, none
.commands_end:
