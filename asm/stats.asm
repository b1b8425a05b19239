; The stats feature: a filter between the core and the NIC's driver. It counts frames for each handle, and how often the
; core's type cache knew a frame's type.

%include "attach.inc"
bits 16

extern work

; src/resident/table.rs, Entry.
PEEK        equ 2
COPY        equ 3
DISCARD     equ 4

FEATURE NEEDS_STATS, BLOCK_COUNTER, 0, BLOCK_STATS, STATS.rows, STATS_ROW_size
TAKES   POINT_ENTRIES, PEEK, peek
TAKES   POINT_ENTRIES, COPY, copy
TAKES   POINT_ENTRIES, DISCARD, discard
TOLD    handles, 2, handles_at
TOLD    getter, 4, getter_at
TOLD    table, 2, table_at

section .unit_header progbits alloc exec write
global unit_header
unit_header:
; This unit's entries. Attaching exchanges them for those of the driver, or of the next filter below.
peek:           dw stats_peek
copy:           dw stats_copy
discard:        dw stats_discard
handles_at:     dw 0
getter_at:      dw 0
known_at:       dw 0
table_at:       dw 0

section .text progbits alloc exec nowrite align=1

; Purpose:  peek: count whether the core's type cache knows the frame's type.
; In:       as a driver's entry
; Corrupts: EAX, EBX, EDX
stats_peek:
        call    [peek]
        mov     ax, [work+WORK_JOB+JOB.rx]
        inc     ax
        cmp     ax, 1
        jbe     .done               ; no frame, or Rx::USELESS
        mov     dx, [work+WORK_JOB+JOB.head+12]
        mov     bx, dx
        shr     bx, 7
        and     bx, 4               ; `place_of` in src/resident/handle.rs
        add     bx, [known_at]
        cmp     dl, 6
        jb      .search             ; a length: ZF is clear, so it counts as a search
        cmp     dx, [bx]
.search:
        mov     bx, [table_at]      ; keeps FLAGS
        je      .count
        add     bx, STATS.searches
.count: inc     dword [bx]
.done:  ret

; Purpose:  copy: count a frame that a receiver takes, then copy it.
; In:       as a driver's entry
; Corrupts: EAX, EBX, EDX
stats_copy:
        push    bx
        call    row
        inc     dword [bx+STATS_ROW.taken]
        movzx   eax, word [work+WORK_JOB+JOB.len]
        add     [bx+STATS_ROW.bytes], eax
        pop     bx
        jmp     [copy]

; Purpose:  discard: count a frame that a receiver refused, then discard it. A frame without a handle is not counted.
; In:       as a driver's entry
; Corrupts: EAX, EBX, EDX
stats_discard:
        push    bx
        cmp     word [work+WORK_JOB+JOB.rx], -1
        je      .pass               ; Rx::USELESS: it was offered to no handle
        mov     bx, [getter_at]
        cmp     word [bx], 0
        je      .pass
        call    row
        inc     dword [bx+STATS_ROW.refused]
.pass:  pop     bx
        jmp     [discard]

; Purpose:  Find the row of the handle that the frame is offered to.
; Out:      BX
; Corrupts: EAX, DX
row:    mov     bx, [getter_at]
        mov     bx, [bx]
        mov     dx, [bx+HANDLE_TAKEN]
        sub     bx, [handles_at]
        shr     bx, 2
        mov     ax, bx
        add     bx, ax
        add     bx, ax
        add     bx, [table_at]
        add     bx, STATS.rows
        cmp     dx, [bx+STATS_ROW.taken]
        je      .same
        xor     eax, eax            ; another client has opened the handle since
        mov     [bx+STATS_ROW.taken], eax
        mov     [bx+STATS_ROW.refused], eax
        mov     [bx+STATS_ROW.bytes], eax
.same:  ret
