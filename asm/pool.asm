; The pool feature in real mode with XMS: a filter between the core and the NIC's driver, and its replacements of some
; functions of INT 60h. Frames lie in XMS only. The driver's routines that copy a frame are patched to copy it there
; (asm/xms.inc); so the card's driver and this feature need flat memory (asm/flat.inc).

%define DIRECT_FORM
%include "attach.inc"
bits 16

extern run, peek, copy, discard, delay, drop_pkt, release
extern table
extern work, busy, pending, core_state

STACK   equ 64                      ; bytes that the feature needs below an upcall
FRAME_AT equ 16                     ; a frame's offset from its record
SLOT    equ 1536

FEATURE NEEDS_POOL, BLOCK_POOL, STACK, BLOCK_LISTS, 0, LIST_size
PROVIDES POINT_POOL, table
PROVIDES POINT_HOLD, table+DIRECT.hold
TAKES   POINT_ENTRIES, 1, own_unmask
TAKES   POINT_ENTRIES, 2, own_peek
TAKES   POINT_ENTRIES, 3, own_copy
TAKES   POINT_ENTRIES, 4, own_discard
TAKES   POINT_ENTRIES, 5, own_send
TAKES   POINT_FUNCTIONS, 3, release_type
TAKES   POINT_FUNCTIONS, 11, as_send_pkt
TAKES   POINT_FUNCTIONS, 12, as_send_iocb
TAKES   POINT_FUNCTIONS, 13, drop_pkt_core
TAKES   POINT_LINEAR, 0, linear_at
CALLED  PATCH_ENTER, enter, enter_next
TOLD    upcall, 2, upcall_at
TOLD    hold, 10, table+DIRECT.hold
TOLD    table, 6, table+DIRECT.lists

section .unit_header progbits alloc exec write
; This unit's entries. Attaching exchanges them for those of the driver or of the next filter below. They stand at the offsets
; of a driver's entries, because src/memory/direct_filter.rs calls them as such (`lower`); it has no `irq`.
global unit_header
unit_header:
linear_at:      dw 0                ; near address of the linear address of the frame on its way (asm/xms.inc)
own_unmask:     dw unmask
own_peek:       dw peek
own_copy:       dw copy
own_discard:    dw discard
own_send:       dw send

section .data.pool progbits alloc noexec write align=1
release_type:   dw release_first
as_send_pkt:    dw submit
as_send_iocb:   dw submit_iocb
drop_pkt_core:  dw drop_first
upcall_at:      dw 0
enter_next:     dw 0                ; flat_enter (asm/flat.inc)

section .text.pool progbits alloc exec nowrite align=1

; Purpose:  At an entry: a new round begins, so that frames which were kept are offered before the card's newer ones. So also
;           when a burst goes on that was interrupted (asm/irq.asm, `again`): a client may have freed its buffers meanwhile.
; In:       AX = DS = CS, ES not yet
; Corrupts: BX, and what `flat_enter` does
enter:  mov     bx, [table+DIRECT.lists_end]
        mov     [table+DIRECT.left], bx
        jmp     [enter_next]

; Purpose:  unmask: the last of a way out (asm/irq.asm). If frames wait, the next way out of any entry takes them up: also
;           INT 60h's and the timer's.
; In:       as a driver's entry
; Corrupts: AX
unmask: mov     ax, [table+DIRECT.used]
        cmp     ax, [table+DIRECT.free+LIST.count]
        je      .none
        or      byte [pending], WAITING
.none:  jmp     [own_unmask]

; Purpose:  release_type: mark the frames that are kept for this handle.
; In:       EBX = FRAME, as for all functions of INT 60h
release_first:
        push    ebx
        movzx   ebx, word [bx+FRAME.ebx]
        call    release
        pop     ebx
        jmp     [release_type]

BAD_IOCB equ 16

; Purpose:  drop_pkt: read the frame's name from the IOCB. In V86 mode XMS is out of reach.
; In:       EBX = FRAME, as for all functions of INT 60h
drop_first:
        smsw    ax
        and     al, 1
        jnz     .no
        cmp     byte [busy], 1
        jne     .no
        mov     es, [bx+FRAME.es]
        mov     di, [bx+FRAME.edi]
        movzx   edx, word [es:di+IOCB_PRIVATE]
        push    cs
        pop     es
        jmp     drop_pkt
.no:    mov     al, BAD_IOCB
        ret

%include "submit.inc"

; Purpose:  Find a frame's record.
; In:       BX = the frame
; Out:      EAX = the record's linear address
; Corrupts: nothing else
global xms_record
xms_record:
        movzx   eax, bx
        imul    eax, eax, SLOT
        add     eax, [table+DIRECT.base]
        ret

; Purpose:  Call an entry of the driver for a frame in XMS.
; In:       BX = the frame, DX = offset of the entry's address in the header
; Out, corrupts: as the entry
global xms_through
xms_through:
        push    si
        mov     si, [linear_at]
        call    xms_record
        add     eax, FRAME_AT
        mov     [si], eax
        xor     eax, eax
        mov     [work+WORK_JOB+JOB.at], eax ; drivers add offsets in the frame
        mov     bx, dx
        mov     dx, [unit_header+bx]
        mov     ebx, [core_state+STATE.device]
        call    dx
        and     word [si+2], 0      ; no address above 1 MB has a high half of 0
        pop     si
        ret

BUSY    equ 1                       ; src/memory/direct.rs

; Purpose:  send: send the job's frame after those that wait. A frame of as_send_pkt is made to wait if the card has no room. From
;           an upcall a frame is sent at once.
; In, out:  as a driver's entry
; Corrupts: EAX, EBX, EDX
send:   mov     dl, 0
        xchg    dl, [submitting]    ; 0 from an upcall
        cmp     byte [busy], 1
        ja      .card
        cmp     word [table+DIRECT.queue+LIST.count], 0
        je      .card
        push    dx
        push    dword [work+WORK_JOB+JOB.at]
        push    dword [work+WORK_JOB+JOB.len]
        push    dword [work+WORK_JOB+JOB.upcall]
        call    run                 ; uses the job
        pop     dword [work+WORK_JOB+JOB.upcall]
        pop     dword [work+WORK_JOB+JOB.len]
        pop     dword [work+WORK_JOB+JOB.at]
        pop     dx
        cmp     word [table+DIRECT.queue+LIST.count], 0
        mov     al, BUSY
        jne     .busy
.card:  push    dx
        mov     ebx, [core_state+STATE.device]
        call    [own_send]
        pop     dx
        cmp     al, BUSY
        jne     .done
.busy:  test    dl, dl
        jz      .done
        movzx   ebx, dl
        jmp     delay
.done:  ret

; Purpose:  Copy the first bytes of a frame in XMS to the job's `head`.
; In:       BX = the frame
; Corrupts: nothing
global xms_head
xms_head:
        pushad
        mov     cx, LOOKAHEAD
        mov     di, work+WORK_JOB+JOB.head
        jmp     short from_xms

; Purpose:  Copy the job's frame from XMS to a client.
; In:       BX = the frame
; Corrupts: nothing
global xms_give
xms_give:
        pushad
        mov     cx, [work+WORK_JOB+JOB.len]
        les     di, [work+WORK_JOB+JOB.at]
from_xms:
        movzx   edi, di
        call    xms_record
        lea     esi, [eax+FRAME_AT]
        push    fs
        pop     ds
move:   movzx   ecx, cx
        mov     al, cl
        shr     cx, 2
        a32 rep movsd
        and     al, 3
        mov     cl, al
        a32 rep movsb
        push    cs
        pop     ds
        push    cs
        pop     es
        popad
        ret

; Purpose:  Copy the job's frame from a client to XMS.
; In:       BX = the frame
; Corrupts: nothing
global xms_fetch
xms_fetch:
        pushad
        call    xms_record
        lea     edi, [eax+FRAME_AT]
        push    fs
        pop     es
        mov     cx, [work+WORK_JOB+JOB.len]
        lds     si, [work+WORK_JOB+JOB.at]
        movzx   esi, si
        jmp     short move
