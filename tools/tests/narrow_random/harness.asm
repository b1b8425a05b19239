; Calls every entry of a random crate with random registers and data, and prints a line for each: its number, and a
; hash of all that it gave back. Assembled twice: for rustc's own listing, and with NARROW for the one that
; tools/src/narrow makes of it. Both see the same inputs.

        bits 16
        cpu 386

%ifdef NARROW
  %define FIRST ebx             ; the first argument
  %define KEPT  ecx             ; kept besides ESI, EDI and EBP
%else
  %define FIRST ecx
  %define KEPT  ebx
%endif
DATA_SIZE equ 256

extern BLOCK
global mixed

section .text.0start progbits alloc exec align=1
start:  push    cs
        pop     ds
        push    cs
        pop     es
        push    cs
        pop     fs                  ; flat memory
        cld
        xor     esp, esp
        mov     sp, 0FFFEh
        mov     word [entry], 0
.entry: mov     bx, [entry]
        cmp     bx, ENTRIES
        jae     .end
        mov     dword [hash], 1
        mov     word [input], INPUTS
.input: call    one
        dec     word [input]
        jnz     .input
        call    tell
        inc     word [entry]
        jmp     .entry
.end:   mov     ax, 4C00h
        int     21h

; One call.
one:    mov     di, data
        call    fill
        mov     di, BLOCK
        call    fill
        mov     di, registers
        mov     cx, 6
        call    fill.some
        movzx   ebx, word [entry]
        shl     bx, 2
        mov     eax, [entries+ebx]
        mov     [target], eax
        mov     [stack], sp
        mov     KEPT, [registers]
        mov     esi, [registers+4]
        mov     edi, [registers+8]
        mov     ebp, [registers+12]
        mov     eax, [registers+16]
        movzx   edx, word [registers+20]
        mov     FIRST, data
%ifdef NARROW
        call    word [target]
%else
        call    dword [target]
%endif
        ; What is kept, and what comes back.
        mov     [result], ax
        mov     eax, KEPT
        sub     eax, [registers]
        call    mix
        mov     eax, esi
        sub     eax, [registers+4]
        call    mix
        mov     eax, edi
        sub     eax, [registers+8]
        call    mix
        mov     eax, ebp
        sub     eax, [registers+12]
        call    mix
        movzx   eax, sp
        sub     ax, [stack]
        mov     sp, [stack]
        call    mix
        mov     eax, esp
        shr     eax, 16
        movzx   esp, sp
        call    mix
        movzx   eax, word [result]
        call    mix
        mov     si, data
        call    mix_block
        mov     si, BLOCK

mix_block:
        mov     cx, DATA_SIZE / 4
.next:  lodsd
        call    mix
        loop    .next
        ret

; Purpose: take eax into the hash. Corrupts eax.
mix:    xor     eax, [hash]
        imul    eax, eax, 9E3779B1h
        rol     eax, 15
        mov     [hash], eax
        ret

; Purpose: a block of data at di, or cx dwords: random ones, and now and then one from the edges. Corrupts eax, bx, cx, di.
fill:   mov     cx, DATA_SIZE / 4
.some:  call    random
        test    al, 3
        jnz     .plain
        movzx   bx, ah
        and     bx, 15
        shl     bx, 2
        mov     eax, [edges+bx]
        jmp     .put
.plain: call    random
.put:   stosd
        loop    .some
        ret

random: mov     eax, [state]
        shl     eax, 13
        xor     [state], eax
        mov     eax, [state]
        shr     eax, 17
        xor     [state], eax
        mov     eax, [state]
        shl     eax, 5
        xor     [state], eax
        mov     eax, [state]
        ret

; The entry's number and hash.
tell:   mov     ax, [entry]
        mov     cl, 10
        div     cl
        mov     bl, ah
        mov     dl, al
        call    digit
        mov     dl, bl
        call    digit
        mov     dl, ' '
        mov     ah, 2
        int     21h
        mov     cx, 8
.next:  rol     dword [hash], 4
        mov     dl, [hash]
        and     dl, 15
        call    digit
        loop    .next
        mov     dl, 10
        mov     ah, 2
        int     21h
        ret
digit:  add     dl, '0'
        cmp     dl, '9'
        jbe     .put
        add     dl, 'A' - '9' - 1
.put:   mov     ah, 2
        int     21h
        ret

; Purpose:  A routine in assembly, as the units have some: low halves in, a result of 16 bits, every high half spoilt
;           that may be.
; In:       FIRST and EDX
mixed:  push    FIRST
        pop     ax
        add     sp, 2
        rol     ax, 3
        add     ax, dx
        ror     eax, 16
        mov     ax, 0A5C3h
        ror     eax, 16
        mov     edx, 0DEADBEEFh
%ifdef NARROW
        mov     ebx, 0BADCAFEh
        ret
%else
        mov     ecx, 0BADCAFEh
        o32 ret

; rustc's own: the C convention at 32 bits. What the narrow units have is asm/memory.asm.
global memset
global memcpy
memset: push    edi
        push    ebx
        mov     di, [esp+12]
        mov     al, [esp+16]
        mov     ecx, [esp+20]
        rep     stosb
        mov     eax, [esp+12]
        pop     ebx
        pop     edi
        o32 ret
memcpy: push    edi
        push    esi
        mov     di, [esp+12]
        mov     si, [esp+16]
        mov     ecx, [esp+20]
        rep     movsb
        mov     eax, [esp+12]
        pop     esi
        pop     edi
        o32 ret
%endif

%macro ENTRY 1
        extern  e%1
        dd      e%1
%endmacro
section .data
align 4, db 0
entries:
%assign number 0
%rep ENTRIES
        ENTRY number
%assign number number + 1
%endrep
edges:  dd 0, 1, 0FFFFh, 10000h, 7FFFh, 8000h, 7FFFFFFFh, 80000000h, 0FFFFFFFFh, 0FFFF0000h, 80h, 0FFh, 0FFFF8000h, 2, 0FEh, 1FFFFh
state:  dd 2463534242

section .bss
alignb 8
data:           resb DATA_SIZE
registers:      resd 6
target:         resd 1
hash:           resd 1
result:         resw 1
entry:          resw 1
input:          resw 1
stack:          resw 1
