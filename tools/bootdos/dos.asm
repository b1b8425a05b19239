; The boot DOS: a minimal DOS, in one segment, that loads device drivers and programs in QEMU and shows their output.
; `nasm -fbin dos.asm` makes the first sectors of the disk; tools/src/rig/image.rs fills in `settings` and adds the files. All
; output goes to QEMU's debug console.

        cpu 386
        bits 16

KSEG            equ 0x70                ; the kernel's segment: CS = DS = SS in it
DEBUG_CONSOLE   equ 0xE9
DEBUG_EXIT      equ 0xF4                ; QEMU ends with status 2n + 1
BOCHS_SHUTDOWN  equ 0x8900              ; Bochs ends when a certain text is written to this port
EXIT_DONE       equ 0x10                ; the script is at its end
EXIT_BROKEN     equ 0x11                ; the boot DOS has failed

; say `text`, word...: prints the text. %x is 4 hex digits, %b 2, %u decimal, %c a character, %s a string in the kernel.
; Corrupts ax, cx, dx, si.
%macro say 1-*
  %rep %0 - 1
    %rotate -1
        push word %1
  %endrep
  %rotate -1
        call print
        db %1, 0
%endmacro

; Fails: prints the reason (as `say`; its arguments may be no register that it corrupts) and ends the machine.
%macro broken 1-*
        push cs
        pop ds
        say `\n[boot DOS: `
        say %{1:-1}
        say `]\n`
        mov al, EXIT_BROKEN
        jmp exit_machine
%endmacro

        section boot vstart=0x7C00
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7C00
        mov si, boot_packet
        mov ah, 0x42                    ; INT 13h extended read
        int 0x13
        jc $
        jmp KSEG:start
boot_packet:
        dw 16, KERNEL_SECTORS, 0, KSEG
        dq 1
        times 510 - ($ - $$) db 0
        dw 0xAA55

        section kernel start=512 vstart=0
        jmp near start
        align 4, db 0
        db "BootDOS1"                   ; image.rs finds this, and writes the settings behind it
settings:
dir_lba         dd 0                    ; first sector of the file table, 32 bytes a file
script_lba      dd 0                    ; the script: lines that end with LF, first letter `c` or `x`
script_size     dd 0
dir_count       dw 0
umb_paras       dw 0                    ; size of the one upper block, 0: none
request_len     db 0x17                 ; length byte of the INIT request
upper_tail      db 0                    ; 1: upper-case the command tail
tail_end        db 0                    ; 0: CR, 1: CR LF, 2: blank CR LF
xms_version     db 3                    ; 0: none, 2: without the 32-bit functions, 3
vds_on          db 0
careless        db 0                    ; 1: DEVICEHIGH= loads to the upper block without comparing sizes, as FreeDOS does
by_hand         db 0                    ; 1: output also goes to the screen, and a person types commands after the script
skip            dw 0                    ; paragraphs between DOS and the first driver; if not 0, code of programs begins at a page

%include "int21.asm"
%include "files.asm"
%include "memory.asm"
%include "process.asm"
%include "xms.asm"
%include "vds.asm"
%include "script.asm"
%include "device.asm"

; Runs once, from the boot sector.
start:  cli
        mov ax, KSEG
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, shell_stack
        cld
        mov di, bss_start
        mov cx, bss_end
        sub cx, di
        xor al, al
        rep stosb
        dec dword [cached_lba]
        mov byte [last_char], 10
        mov si, vectors
.vector:
        lodsb
        mov cl, al
        lodsw
        xchg ax, dx
        mov al, cl
        call set_vector
        cmp si, vectors_end
        jb .vector
        sti
        call memory_start
        call xms_start
        call vds_start
        call keep_vectors
        jmp script

vectors:
        db 0x20
        dw int20
        db 0x21
        dw int21
        db 0x22
        dw execute.returned             ; where EXEC returns to when the shell calls it
        db 0x23
        dw nothing
        db 0x24
        dw int24
        db 0x27
        dw int27
        db 0x28
        dw nothing
        db 0x29
        dw int29
        db 0x2F
        dw int2f
vectors_end:

nothing:
        iret

; QEMU ends at the first port, Bochs at the second, without an exit code.
exit_machine:
        out DEBUG_EXIT, al
        cli
        push cs
        pop ds
        mov si, .word
        mov cx, .word_end - .word
        mov dx, BOCHS_SHUTDOWN
        cld
        rep outsb
        hlt
        jmp exit_machine
.word   db "Shutdown"
.word_end:

; Prints the text behind the call; its arguments are on the stack, the first on top. DS = kernel.
print:  pop si
.next:  lodsb
        test al, al
        jz .end
        cmp al, '%'
        je .argument
        call putc
        jmp .next
.end:   jmp si
.argument:
        lodsb
        pop dx
        cmp al, 'x'
        je .hex4
        cmp al, 'b'
        je .hex2
        cmp al, 'u'
        je .decimal
        cmp al, 's'
        je .string
        mov al, dl
        call putc
        jmp .next
.string:
        push si
        mov si, dx
        call puts
        pop si
        jmp .next
.hex2:  mov dh, dl
        mov cl, 2
        jmp .digits
.hex4:  mov cl, 4
.digits:
        rol dx, 4
        mov al, dl
        and al, 15
        cmp al, 10
        sbb al, 0x69                    ; nibble to digit, by SBB and DAS
        das
        call putc
        dec cl
        jnz .digits
        jmp .next
.decimal:
        mov ax, dx
        call put_decimal
        jmp .next

; Prints ax. Corrupts ax, cx, dx.
put_decimal:
        xor dx, dx
        mov cx, 10
        div cx
        push dx
        test ax, ax
        jz .digit
        call put_decimal
.digit: pop ax
        add al, '0'

; Prints al. Any DS.
putc:   out DEBUG_CONSOLE, al
        mov [cs:last_char], al
        cmp byte [cs:by_hand], 0
        je .end
        pusha
        cmp al, 10
        jne .shown
        mov ax, 0x0E0D                  ; INT 10h teletype: on the screen a line ends with CR and LF
        mov bx, 7
        int 0x10
        mov al, 10
.shown: mov ah, 0x0E
        mov bx, 7
        int 0x10
        popa
.end:   ret

; Prints the string at ds:si. Corrupts al, si.
puts:   lodsb
        test al, al
        jz .end
        call putc
        jmp puts
.end:   ret

; Begins a new line, unless the last one is empty.
fresh_line:
        cmp byte [cs:last_char], 10
        je puts.end
        mov al, 10
        jmp putc

KERNEL_SECTORS  equ ($ - $$ + 511) / 512
        align 512, db 0

; Data have pages of 4 KB of their own: QEMU's TCG makes each write to a page with code about a hundred times as slow.
BSS             equ 0x3000 - KSEG * 16
        times -(KERNEL_SECTORS * 512 > BSS) db 0        ; an error if the kernel is too long for that
        section bss nobits vstart=BSS
bss_start:
sda             resb 1                  ; the swappable data area as DOS has it: InDOS at 1, the PSP at 10h
in_dos          resb 1
                resb 14
current_psp     resw 1
sda_end:
last_char       resb 1
                resb 1
user            resd 1                  ; SS:SP of the INT 21h in progress
                resb 1024
kernel_stack:
                resb 1024
shell_stack:
cached_lba      resd 1
sector          resb 512
files           resb FILE_COUNT * file_size
reads           resw 1                  ; number of reads of files (INT 21h AH=3Fh), and the one that fails
read_fails      resw 1
written         resb WRITTEN_SIZE
written_size    resw 1
name            resb 16
mz              resb 32
exec_block      resb 14
shell_psp       resw 1
resident_psp    resw 1                  ; PSP of the last program that stayed resident
exit_code       resb 1
exit_kind       resb 1                  ; 0: the program has ended, 3: it stays resident
first_low       resw 1
bridge          resw 1                  ; the block between conventional memory and the upper block; 0: none
strategy        resw 1
linked          resb 1

xms_handles     resb HANDLE_COUNT * handle_size
xms_handles_end:
xms_top         resd 1
xms_skip        resw 1
xms_fail        resw 1
xms_ds          resw 1
xms_local       resw 1
vds_locks       resw 1
vds_unlocks     resw 1
vds_sum         resd 1
vds_buffer      resb 2048
line            resb 256
tail            resb 260
request         resb 64
kept_vectors    resb 1024
                resb 15 - ($ - $$ + 15) % 16    ; to a paragraph
bss_end:
