; Small blocks between the core and its clients.

%include "abi.inc"
bits 16

extern work

section .text.transfer progbits alloc exec nowrite align=1

; Purpose:  Copy from a client.
; In:       BX = its FRAME, DX = to: FRAME.ecx bytes from DS:SI; from ES:DI; an IOCB from ES:DI
; Corrupts: nothing
global fetch_ds_si
global fetch_es_di
global fetch_iocb
fetch_iocb:
        pusha
        mov     cx, IOCB_SIZE
        jmp     short from_es_di
fetch_ds_si:
        pusha
        mov     cx, [bx+FRAME.ecx]
        lds     si, [bx+FRAME.si]
        jmp     short fetch
fetch_es_di:
        pusha
        mov     cx, [bx+FRAME.ecx]
from_es_di:
        mov     si, [bx+FRAME.edi]
        mov     ds, [bx+FRAME.es]
fetch:  mov     di, dx
move:   rep movsb
moved:
        push    cs
        pop     ds
        push    cs
        pop     es
        popa
        ret

; Purpose:  Count a client's group addresses.
; In:       BX = its FRAME: FRAME.ecx bytes from ES:DI
; Out:      AX = how many, or 0FFFFh: there is something else among them
; Corrupts: BX
global count_groups
count_groups:
        push    cx
        mov     cx, [bx+FRAME.ecx]
        mov     es, [bx+FRAME.es]
        mov     bx, [bx+FRAME.edi]
        mov     ax, -1
.next:  inc     ax
        jcxz    .end
        sub     cx, 6
        jb      .no
        test    byte [es:bx], 1
        lea     bx, [bx+6]
        jnz     .next
.no:    mov     ax, -1
.end:   push    cs
        pop     es
        pop     cx
        ret

; Purpose:  Note a client's frame in the job.
; In:       BX = its FRAME: the frame is at DS:SI, FRAME.ecx bytes
; Corrupts: EAX
global fetch_frame
fetch_frame:
        mov     eax, [bx+FRAME.si]
        mov     [work+WORK_JOB+JOB.at], eax
        mov     ax, [bx+FRAME.ecx]
        mov     [work+WORK_JOB+JOB.len], ax
        ret

; Purpose:  Copy the NIC's address to a client.
; In:       BX = its FRAME: to ES:DI
; Corrupts: nothing
global store_address
store_address:
        pusha
        mov     cx, 6
        mov     si, work+NIC_MAC
        mov     di, [bx+FRAME.edi]
        mov     es, [bx+FRAME.es]
        jmp     short move

; Purpose:  Mark a client's IOCB as done.
; In:       BX = its FRAME: the IOCB is at ES:DI; the error is the job's
; Corrupts: nothing
global store_result
store_result:
        pusha
        mov     di, [bx+FRAME.edi]
        mov     es, [bx+FRAME.es]
        mov     al, [work+WORK_JOB+JOB.result]
        mov     [es:di+JOB.result], al
        or      byte [es:di+JOB.flags], IOCB_DONE
        jmp     short moved

; Purpose:  Compare bytes with a handle's type.
; In:       BX = handle, DX = bytes
; Out:      AX = how many are the same, 0 to 8
; Corrupts: nothing else
global alike
alike:
        push    cx
        push    si
        push    di
        lea     si, [bx+HANDLE_TYPE]
        mov     di, dx
        mov     ax, HANDLE_TYPE_MOST
        mov     cx, HANDLE_TYPE_MOST + 1
        repe cmpsb
        sub     ax, cx
        pop     di
        pop     si
        pop     cx
        ret

; The driver's entries (src/resident/table.rs, Entry): the header of its unit, which the installer loads to this place.
section .entries nobits alloc noexec write align=4
global entries
entries:        resw 10
