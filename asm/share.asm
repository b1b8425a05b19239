; The share feature (/SHARE): several handles may be open for one type, and each frame is offered to every handle that fits, in the
; order of opening. It is the filter that the core calls: when it has handed a frame over, it tells the core that the frame is of
; no use. A frame is offered to all first, then copied from the card once, from there to the other buffers, and then handed over:
; a receiver may change the frame at once.

%include "attach.inc"
bits 16

extern work, core_state

; src/resident/table.rs, Entry and the functions of INT 60h; src/resident/handle.rs; src/device.rs, Counters.
PEEK           equ 2
COPY           equ 3
DISCARD        equ 4
ACCESS_TYPE    equ 2
IS_8023        equ 40h
OF_DIX         equ HANDLE_IN_USE | 2    ; the flags of a handle for one DIX type
LEAST_TYPE     equ 5EFh                 ; below, bytes 12 and 13 of a frame are a length
PACKETS_IN     equ 0
BYTES_IN       equ 8
; In the flags of a handle, in the place of HANDLE_IN_USE while another one is opened.
ASIDE          equ 20h

; A handle that takes the frame in hand.
struc TAKER
.handle     resw 1
.buffer     resd 1
endstruc
; For each handle a TAKER and a word. The words of the handles that were ever opened are at the table's end, in the order of
; opening.
ROW            equ TAKER_size + 2

FEATURE NEEDS_SHARE, BLOCK_SHARE, 36, BLOCK_SHARE, 0, ROW
TAKES   OPERAND + POINT_ENTRIES, PEEK, share_peek.below
TAKES   OPERAND + POINT_ENTRIES, DISCARD, share_discard.below
TAKES   OPERAND + POINT_FUNCTIONS, ACCESS_TYPE, access.below
TOLD    table, 4, takers
TOLD    table_end, 2, first
TOLD    entries, 2, entries_at
TOLD    handles, 2, turn.handles
TOLD    upcall, OPERAND + 2, call_up.upcall

section .text.share progbits alloc exec nowrite align=1
global unit_header
unit_header:
takers:         dw 0                ; where they begin,
end:            dw 0                ; and where the table ends
first:          dw 0                ; the first word there of a handle
entries_at:     dw 0                ; the core's table of the driver's entries
takers_end:     dw 0                ; behind the last TAKER
spent:          db 0                ; 1: the frame that was peeked at is gone
closed          equ spent - HANDLE_FLAGS    ; in the place of a handle: one that is not open

; Purpose:  access_type: no other handle is in the way. The new handle is the last one.
; In:       as a function of INT 60h
; Corrupts: as the core's
access: mov dl, HANDLE_IN_USE
        call turn
        push ebx
        CALL_NEAR access
.below  equ     $-2                 ; the function below
        pop ebx
        mov dl, ASIDE
        call turn
        test al, al
        jnz .done
        mov dx, [bx+FRAME.eax]
        push ax
        mov ax, dx
        mov si, [end]
.word:  dec si
        dec si
        cmp si, [first]
        jb .new
        xchg ax, [si]
        cmp ax, dx                  ; its slot was in use before
        jne .word
        jmp short .listed
.new:   mov [first], si
        mov [si], ax
.listed:
        pop ax
; Opened inside an upcall: the frame in hand is not for it.
        mov si, [takers]
.taker: cmp si, [takers_end]
        jae .done
        cmp [si], dx
        jne .other
        mov word [si], closed
.other: add si, TAKER_size
        jmp short .taker
.done:  ret

; In:       DL = HANDLE_IN_USE or ASIDE: the handles whose flags have this bit get the other one in its place
; Corrupts: CX, SI
turn:   mov si, 0
.handles equ    $-2                 ; told
        mov cx, [core_state+STATE.handles_size]
.next:  test [si+HANDLE_FLAGS], dl
        jz .keep
        xor byte [si+HANDLE_FLAGS], HANDLE_IN_USE | ASIDE
.keep:  add si, HANDLE_SIZE
        sub cx, HANDLE_SIZE
        jnz .next
        ret

; Purpose:  peek: find the next frame, and give it to all handles that want it.
; In:       as a driver's entry
; Out:      the frame's length, as the core wants it: no frame, or a frame of no use
; Corrupts: EAX, EBX, EDX
; Stack:    36 bytes below an upcall
share_peek:
        CALL_NEAR share_peek
.below  equ     $-2                 ; the entry below
        movsx eax, word [work+WORK_JOB+JOB.rx]
        test ax, ax
        jle .none
        pushad
        mov ebx, [core_state+STATE.device]
        inc dword [bx+PACKETS_IN]
        add [bx+BYTES_IN], eax
        mov ax, [takers]
        mov [takers_end], ax
        mov dx, [work+WORK_JOB+JOB.head+12]
        mov si, [first]
        jmp short .look
.handle:
        lodsw
        xchg ax, bx
        mov al, [bx+HANDLE_FLAGS]
        cmp al, OF_DIX
        jne .other
        cmp dx, [bx+HANDLE_TYPE]
        je .fits
.look:  cmp si, [end]
        jb .handle
        jmp short .offered
.other: test al, al
        jns .look
        mov di, work+WORK_JOB+JOB.head+12
        test al, IS_8023
        jz .compare
        mov cx, dx
        xchg cl, ch
        cmp cx, LEAST_TYPE
        jae .look
        inc di
        inc di
.compare:
        push si
        lea si, [bx+HANDLE_TYPE]
        and ax, 0Fh                 ; no bytes are equal
        xchg ax, cx
        repe cmpsb
        pop si
        jne .look
.fits:  cmp dword [bx], 0
        je .look
        call length
        xor ax, ax
        call call_up
        jz .look
        mov di, [takers_end]
        add word [takers_end], TAKER_size
        mov [di+TAKER.handle], bx
        mov eax, [work+WORK_JOB+JOB.at]
        mov [di+TAKER.buffer], eax
        jmp short .look
; A taker may have been closed since.
.offered:
        mov si, [takers]
        xor bp, bp                  ; the taker that has the frame
        jmp short .more
.taker: mov bx, [si+TAKER.handle]
        test byte [bx+HANDLE_FLAGS], HANDLE_IN_USE
        jz .copied
        test bp, bp
        jz .first
        push si
        mov cx, [work+WORK_JOB+JOB.rx]
        les di, [si+TAKER.buffer]
        lds si, [bp+TAKER.buffer]
        WHOLE es, di
        WHOLE ds, si
        mov ax, cx
        shr cx, 2
        rep movsd
        and ax, 3
        xchg ax, cx
        rep movsb
        push cs
        pop ds
        push cs
        pop es
        pop si
        jmp short .copied
.first: mov bp, si
        call of_taker
        mov ebx, [core_state+STATE.device]
        mov di, [entries_at]
        call [di+2*COPY]
.copied:
        add si, TAKER_size
.more:  cmp si, [takers_end]
        jb .taker
        test bp, bp
        jnz .have
        mov ebx, [core_state+STATE.device]
        call share_discard
        mov bx, [core_state+STATE.device]
        inc dword [bx+COUNT_LOST]
        jmp short .gone
.have:  mov si, [takers]
.hand:  mov bx, [si+TAKER.handle]
        test byte [bx+HANDLE_FLAGS], HANDLE_IN_USE
        jz .handed
        inc word [bx+HANDLE_TAKEN]
        call of_taker
        xor ax, ax
        inc ax
        call call_up
.handed:
        add si, TAKER_size
        cmp si, [takers_end]
        jb .hand
.gone:  mov byte [spent], 1
        or word [work+WORK_JOB+JOB.rx], byte -1
        popad
.none:  ret

; Purpose:  Call a receiver.
; In, out:  as `upcall` of asm/upcall.asm
call_up:
        JUMP_NEAR 0
.upcall equ     $-2                 ; told

; Purpose:  Make a taker's buffer, and the length of the frame in hand, those of the job: a receiver may have sent a frame.
; In:       SI = the taker; `length` leaves the buffer alone
; Corrupts: ECX
of_taker:
        mov ecx, [si+TAKER.buffer]
        mov [work+WORK_JOB+JOB.at], ecx
length: mov cx, [work+WORK_JOB+JOB.rx]
        mov [work+WORK_JOB+JOB.len], cx
        ret

; Purpose:  discard, but for a frame that is gone.
share_discard:
        shr byte [spent], 1
        jc .gone
        JUMP_NEAR share_discard
.below  equ     $-2                 ; the entry below
.gone:  ret
