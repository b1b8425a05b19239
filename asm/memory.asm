; The library functions that rustc calls in discarded units, the kernel and programs. Arguments are on the stack as in C; the
; return address and the registers are those of narrowed code (asm/abi.inc).

bits 16

; Offsets of the arguments, above the near return address and three saved registers.
SAVED  equ 3 * 4
TARGET equ SAVED + 2
SOURCE equ TARGET + 4
COUNT  equ SOURCE + 4

%macro ENTER_MEMORY 0
        push    ecx
        push    esi
        push    edi
        mov     di, [esp+TARGET]
        mov     si, [esp+SOURCE]
        mov     cx, [esp+COUNT]
%endmacro

%macro LEAVE_MEMORY 0
        pop     edi
        pop     esi
        pop     ecx
        ret
%endmacro

; Purpose:  void *memcpy(void *to, const void *from, size_t count)
; Corrupts: EAX
section .text.memcpy progbits alloc exec
global memcpy
memcpy:
        ENTER_MEMORY
        movzx   eax, di
        rep movsb
        LEAVE_MEMORY

; Purpose:  void *memset(void *to, int byte, size_t count)
; Corrupts: EAX, EBX
section .text.memset progbits alloc exec
global memset
memset:
        ENTER_MEMORY
        mov     ax, si
        movzx   ebx, di
        rep stosb
        mov     eax, ebx
        LEAVE_MEMORY

; Purpose:  int memcmp(const void *a, const void *b, size_t count); bcmp is the same
; Corrupts: nothing but EAX
section .text.memcmp progbits alloc exec
global memcmp
global bcmp
memcmp:
bcmp:
        ENTER_MEMORY
        xor     eax, eax
        cmp     ax, ax              ; equal when the count is 0
        xchg    si, di
        repe cmpsb
        je      .out
        sbb     eax, eax
        or      al, 1
.out:   LEAVE_MEMORY
