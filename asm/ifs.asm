; The ifs feature: several interfaces under one core, which knows one. What the core has of an interface (its NicInfo, multicast
; list, counters, type cache, number of open handles) is copied from the interface's record when something of that interface
; is to be done: a frame of its NIC, a call at its vector, a call with a handle of its own, a frame from its address. The way
; out brings the interface back that was current before: outside of all entries it is the first one.
;
; A handle belongs to one interface. Handles of other interfaces are hidden: a bit of their flags is exchanged for another one,
; so that the core takes them neither for free nor for open, and no frame is for them.

%include "attach.inc"
%include "several.inc"
bits 16

extern work, core_state, busy, pending, open

ACCESS_TYPE    equ 2                ; functions of INT 60h
SEND_PKT       equ 4
TERMINATE      equ 5
AS_SEND_PKT    equ 11
AS_SEND_IOCB   equ 12
LAST           equ 25
GET_INFO       equ 26               ; AH=80h, in the table
CANT_TERMINATE equ 7
; Functions that take an open handle in BX. (The core does not look at the handle of the last two.)
HANDLE_CALLS   equ 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 20 | 1 << 21 | 1 << 24
; IN_USE and the bit that stands for it in a hidden handle's flags (src/resident/handle.rs, Handle::HIDDEN).
HIDE           equ 90h
HANDLE_NIC     equ 4

FEATURE NEEDS_IFS, BLOCK_IFS, 0, BLOCK_INTERFACES, NICS, IFACE.end
TOLD    table, 4, first
TOLD    known, 2, known_at
TOLD    handles, 2, handles_at
TOLD    int60, 2, int60_at
TOLD    points+2*POINT_MANY, 2, many_at
TAKES   POINT_MANY, MANY.switch / 2, switch_at
INSTEAD POINT_CALL, select
CALLED  PATCH_OUT, out_of_entry, next_out
CALLED  PATCH_FAREWELL, farewell, next
TAKES   POINT_FUNCTIONS, ACCESS_TYPE, access
TAKES   POINT_FUNCTIONS, TERMINATE, terminate
TAKES   POINT_FUNCTIONS, GET_INFO, get_info

section .unit_header progbits alloc exec write
global unit_header
unit_header:
handler_at:     dw handler          ; what the stubs call
first:          dw 0                ; the first record,
end:            dw 0                ; and where the last one ends
known_at:       dw 0
handles_at:     dw 0
int60_at:       dw 0
many_at:        dw 0                ; MANY
switch_at:      dw of_nic
access:         dw access_on
terminate:      dw check
get_info:       dw get_info_on
next_out:       dw plain
next:           dw none
asked:          dw 0                ; the record whose vector was called
back:           dw 0                ; the record that an inner entry has to make current again; 0: none

section .text.ifs progbits alloc exec nowrite align=1

; Purpose:  The handler of an interface's vector, called by its stub; continues in the core.
; Stack:    as int60_entry of asm/int60.asm
handler:
        cli
        pop     word [cs:asked]
        jmp     [cs:int60_at]

; Purpose:  Make the interface current that a call of INT 60h means: that of the handle, or that the source address of the
;           frame belongs to, or that of the vector. Called where the core looks at the function's number.
; In:       BX = FRAME, DS = ES = CS
; Out:      ZF as by `cmp byte [bx+FRAME.eax+1], SEND_PKT`, which this replaces
; Corrupts: all but EBX
select:
        mov     si, [asked]
        sub     si, IFACE.end
        mov     bp, [many_at]
        movzx   cx, byte [bx+FRAME.eax+1]
        cmp     cl, SEND_PKT
        je      .frame
        cmp     cl, AS_SEND_PKT
        je      .frame
        cmp     cl, AS_SEND_IOCB
        je      .iocb
        cmp     cl, ACCESS_TYPE
        je      .number
        cmp     cl, LAST
        ja      .chosen
        mov     eax, HANDLE_CALLS
        bt      eax, ecx
        jnc     .chosen
        mov     di, [bx+FRAME.ebx]
        mov     ax, di
        sub     ax, [handles_at]
        test    al, HANDLE_SIZE-1
        jnz     .chosen
        cmp     ax, [core_state+STATE.handles_size]
        jae     .chosen
        cmp     byte [di+HANDLE_FLAGS], 0
        je      .chosen
        mov     al, [di+HANDLE_NIC]
        jmp     short .numbered
.number:
        mov     al, [bx+FRAME.edx]
        test    al, al
        jz      .chosen
.numbered:
        call    record
        jnc     .chosen
        mov     si, di
.chosen:
        cmp     si, [ds:bp+MANY.current]
        je      .done
        cmp     byte [busy], 1
        je      .switch
        mov     ax, [ds:bp+MANY.current]
        mov     [back], ax
.switch:
        call    switch
.done:  cmp     byte [bx+FRAME.eax+1], SEND_PKT
        ret
.iocb:  mov     di, [bx+FRAME.edi]
        mov     es, [bx+FRAME.es]
        mov     cx, IOCB_SIZE
        WHOLE   es, di
        les     di, [es:di+JOB.at]
        jmp     short .from
.frame: les     di, [bx+FRAME.si]   ; with FRAME.ds
.from:  mov     cx, 12
        WHOLE   es, di
        mov     eax, [es:di+6]
        mov     dx, [es:di+10]
        push    cs
        pop     es
        mov     di, si
        call    .same
        je      .chosen
        mov     di, [first]
.each:  call    .same
        je      .found
        add     di, IFACE.end
        cmp     di, [end]
        jne     .each
        jmp     short .chosen
.found: mov     si, di
        jmp     short .chosen
; In:       DI = record
; Out:      ZF: EDX:EAX is its address
.same:  push    di
        cmp     di, [ds:bp+MANY.current]
        jne     .in_record
        mov     di, work
.in_record:
        cmp     eax, [di+NIC_MAC]
        jne     .other
        cmp     dx, [di+NIC_MAC+4]
.other: pop     di
        ret

; In:       AL = an interface's number
; Out:      CF: there is one, DI = its record
; Corrupts: AX
record: mov     di, [first]
        mov     ah, IFACE.end
        mul     ah
        add     di, ax
        cmp     di, [end]
        ret

; Purpose:  MANY.switch.
; In:       BX = a NIC's record
; Corrupts: nothing
of_nic: push    si
        mov     si, [bx+NIC.iface]
        push    bp
        mov     bp, [many_at]
        cmp     si, [ds:bp+MANY.current]
        pop     bp
        je      .is
        call    switch
.is:    pop     si
none:   ret

; Purpose:  Make an interface the current one.
; In:       SI = its record, DS = ES = CS
; Corrupts: nothing
switch: pushad
        mov     bp, [many_at]
        call    [ds:bp+MANY.note]
        mov     bx, si
        mov     di, [ds:bp+MANY.current]
        mov     dl, [di+IFACE.number]
        call    store
        mov     [ds:bp+MANY.current], bx
        mov     ax, [bx+IFACE.out]
        mov     [ds:bp+MANY.out], ax
        mov     si, bx
        mov     di, work
        mov     cx, 32 / 4
        rep movsd
        mov     di, work+WORK_GROUPS-2
        mov     cl, (52 + 4) / 4
        rep movsd
        mov     di, [known_at]
        movsd
        movsd
        lodsb
        mov     [open], al
        mov     dh, [bx+IFACE.number]
        mov     di, [handles_at]
        mov     cx, [core_state+STATE.handles_size]
.handle:
        cmp     byte [di+HANDLE_FLAGS], 0
        je      .next
        mov     al, [di+HANDLE_NIC]
        cmp     al, dl
        je      .turn
        cmp     al, dh
        jne     .next
.turn:  xor     byte [di+HANDLE_FLAGS], HIDE
.next:  add     di, HANDLE_SIZE
        sub     cx, HANDLE_SIZE
        jnz     .handle
        popad
        ret

; Purpose:  Copy what the core has of the current interface to its record.
; In:       DI = the record
; Corrupts: AL, CX, SI, DI
store:  mov     si, work
        mov     cx, 32 / 4
        rep movsd
        mov     si, work+WORK_GROUPS-2
        mov     cl, (52 + 4) / 4
        rep movsd
        mov     si, [known_at]
        movsd
        movsd
        mov     al, [open]
        stosb
        ret

; Purpose:  At the way out of an entry: an inner one makes the interface of the outer one current again, an outer one the first.
; In:       a near call, FRAME above the return address, DS = CS
out_of_entry:
        xor     si, si
        xchg    si, [back]
        cmp     byte [busy], 0
        jne     .inner
        mov     si, [first]
        mov     bp, [many_at]
        cmp     si, [ds:bp+MANY.current]
        je      .out
.switch:
        push    cs
        pop     es
        call    switch
.out:   jmp     [next_out]
.inner: test    si, si
        jz      .out
        jmp     short .switch

; The instructions that PATCH_OUT replaces.
plain:  pop     ax
        pop     es
        pop     si
        pop     ds
        jmp     ax

; Purpose:  access_type: the core is asked for its one interface, and the handle gets the number of the current one.
access_on:
        mov     al, [bx+FRAME.edx]
        push    ax
        push    ebx
        call    record
        jnc     .call               ; there is no such interface: the core refuses the number
        mov     byte [bx+FRAME.edx], 0
.call:  call    [access]
        pop     ebx
        pop     cx
        mov     [bx+FRAME.edx], cl
        test    al, al
        jnz     .error
        mov     bp, [many_at]
        mov     bp, [ds:bp+MANY.current]
        mov     cl, [ds:bp+IFACE.number]
        mov     di, [bx+FRAME.eax]
        mov     [di+HANDLE_NIC], cl
.error: ret

; Purpose:  AH=80h: the information block lists the records, so that of the current interface is brought up to date.
get_info_on:
        call    [get_info]
        push    ax
        mov     bp, [many_at]
        mov     di, [ds:bp+MANY.current]
        call    store
        pop     ax
        ret

; Purpose:  terminate: refuse if another interface has open handles, or if another program has hooked a vector since.
; In:       as a function of INT 60h
check:  push    es
        push    0
        pop     es
        mov     si, [first]
        mov     bp, [many_at]
.each:  cmp     si, [ds:bp+MANY.current]
        je      .vector
        cmp     byte [si+IFACE.open], 0
        jne     .no
.vector:
        movzx   di, byte [si+NIC_VECTOR]
        shl     di, 2
        jz      .next
        mov     ax, cs
        cmp     [es:di+2], ax
        jne     .no
.next:  add     si, IFACE.end
        cmp     si, [end]
        jne     .each
        pop     es
        jmp     [terminate]
.no:    pop     es
        mov     al, CANT_TERMINATE
        ret

; Purpose:  Restore the vectors when the driver is unloaded.
; In:       DS = ES = CS, the cards at rest
; Corrupts: EAX, DI, SI
farewell:
        push    es
        push    0
        pop     es
        mov     si, [first]
.each:  movzx   di, byte [si+NIC_VECTOR]
        shl     di, 2
        jz      .next
        mov     eax, [si+IFACE.old]
        mov     [es:di], eax
.next:  add     si, IFACE.end
        cmp     si, [end]
        jne     .each
        pop     es
        jmp     [next]
