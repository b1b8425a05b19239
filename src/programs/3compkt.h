/* 3compkt.h: what 3COMPKT tells a program about itself.
 *
 * Find the packet driver: from interrupt 60h on, the one whose entry has the text "PKT DRVR" at its fourth byte. Call that
 * interrupt with AH = COMPKT_GET_INFO. Carry clear: ES:DI points to a struct compkt_info; check its signature and layout.
 * Carry set: it is another driver.
 *
 * All offsets are in the segment that the call returned in ES. Later drivers with the same layout may have longer structures:
 * step through NICs and blocks by nic_size and block_size, not by sizeof. Numbers are little endian. The block is the
 * driver's own memory: read it, never write it. The link is the state at the time of the call; the first call after a loss may
 * say "down", even if the link is up again.
 *
 * For any C compiler in which short has 16 bits. A test compiles this file and compares it with the driver's source.
 */
#ifndef COMPKT_H
#define COMPKT_H

/* The function, in AH. */
#define COMPKT_GET_INFO   0x80

#define COMPKT_SIGNATURE  "3CPK"        /* four bytes, no NUL */
#define COMPKT_LAYOUT     1

/* flags of compkt_info */
#define COMPKT_FLAG_DEVICE  0x0001      /* loaded by DEVICE=: its memory stays DOS's when it is unloaded */
#define COMPKT_FLAG_UPPER   0x0002      /* lies in upper memory */
#define COMPKT_FLAG_V86     0x0004      /* was loaded in V86 mode */
#define COMPKT_FLAG_MASKED  0x0008      /* the NIC's line was masked in the interrupt controller before the load */

struct compkt_info {
    unsigned char  signature[4];
    unsigned char  layout;
    unsigned char  size;                /* bytes of this structure */
    unsigned short version;             /* major in the high byte */
    unsigned char  vector;              /* interrupt of the first NIC */
    unsigned char  amis;                /* AMIS multiplex number, 0: none */
    unsigned short flags;
    unsigned short segment;             /* of the driver */
    unsigned short paragraphs;          /* resident size, buffers in conventional memory included */
    unsigned short handles;             /* offset of the handle table */
    unsigned char  handle_count;
    unsigned char  handle_size;
    unsigned short nics;                /* offset of the first compkt_nic */
    unsigned char  nic_count;
    unsigned char  nic_size;
    unsigned short blocks;              /* offset of the first compkt_block */
    unsigned char  block_count;
    unsigned char  block_size;
    unsigned short stack_low;           /* offset of the stack's lowest byte */
    unsigned short stack_top;           /* offset behind the stack's highest byte */
    unsigned short pool;                /* offset of a compkt_pool, 0: none. Only if size includes it */
};

/* The pool of frames that wait (/XMS, /MIGRATE). The counters wrap. */
struct compkt_pool {
    unsigned short bytes[2];            /* bytes moved to XMS, the low half first */
    unsigned short buffers;             /* frames moved to XMS */
    unsigned short hits;                /* uses of a frame that was in conventional memory */
    unsigned short misses;              /* uses of a frame that was fetched from XMS */
    unsigned short evictions;           /* frames moved to XMS because another was fetched */
    unsigned short failures;            /* failed calls of the XMS driver, and frames without room */
    unsigned char  waiting;             /* frames that wait now */
    unsigned char  flags;
};

/* flags of compkt_pool */
#define COMPKT_POOL_XMS_FAILED  0x01    /* there is no XMS, or its driver has returned an error */

/* The stack is filled with this byte at load. Its deepest use begins where the byte is no longer found. */
#define COMPKT_STACK_CANARY  0xC5

/* link of compkt_nic */
#define COMPKT_LINK_DOWN     0
#define COMPKT_LINK_UP       1
#define COMPKT_LINK_UNKNOWN  2

/* pci of an ISA card */
#define COMPKT_NOT_PCI       0xFFFF

struct compkt_nic {
    char           name[12];            /* ASCIZ, as driver_info gives it */
    unsigned char  rom[6];              /* address in its ROM */
    unsigned char  mac[6];              /* address in use */
    unsigned short io;                  /* first port, 0: none */
    unsigned char  irq;                 /* 0: polled */
    unsigned char  link;
    unsigned short pci;                 /* bus 15:8, device 7:3, function 2:0 */
    unsigned char  rcv_mode;            /* 1 to 6 */
    unsigned char  vector;              /* interrupt of this NIC's packet driver */
};

/* kind of compkt_block */
#define COMPKT_BLOCK_CORE      1
#define COMPKT_BLOCK_NIC       2        /* a NIC driver's code */
#define COMPKT_BLOCK_INSTANCE  3        /* a NIC's state */
#define COMPKT_BLOCK_HANDLES   4
#define COMPKT_BLOCK_STACK     5
#define COMPKT_BLOCK_RINGS     6        /* DMA rings */
#define COMPKT_BLOCK_BUFFERS   8        /* packet buffers */
#define COMPKT_BLOCK_STATS     9        /* compkt_stats, and a compkt_stats_row for each handle */
#define COMPKT_BLOCK_FLAT      16       /* kinds of features from here on: memory above 1 MB */
#define COMPKT_BLOCK_VDS       17       /* rings locked by the DMA services */
#define COMPKT_BLOCK_COUNTER   18       /* the code that counts for each handle */
#define COMPKT_BLOCK_POOL      19       /* frames that wait */
#define COMPKT_BLOCK_TICK      20       /* the timer */
#define COMPKT_BLOCK_EXAMPLE   21       /* frames that receivers took: 32 bits, the low half first */
#define COMPKT_BLOCK_LISTS     22       /* lists of frames that wait */
#define COMPKT_BLOCK_XWORDS    24       /* copies frames between XMS and a card: a port of 16 bits, */
#define COMPKT_BLOCK_XBYTES    25       /* a port of 8 bits, */
#define COMPKT_BLOCK_XFIFO     26       /* a FIFO, */
#define COMPKT_BLOCK_XRINGS    27       /* rings, */
#define COMPKT_BLOCK_XPARTS    28       /* a ring from which a frame is taken in parts */

/* place of compkt_block */
#define COMPKT_PLACE_LOW  0             /* conventional or upper memory, with the driver */
#define COMPKT_PLACE_XMS  1

struct compkt_block {
    unsigned char  kind;
    unsigned char  place;
    unsigned short size;                /* bytes; KB when in XMS */
};

/* The counts of /STATS, 32 bits each, the low half first. The blocks lie in memory in the order of their list, the first
 * at offset 0. */
struct compkt_stats {
    unsigned short hits[2];             /* frames whose type was in the type cache */
    unsigned short searches[2];         /* all others */
};

struct compkt_stats_row {
    unsigned short taken[2];            /* frames that the handle's receiver took */
    unsigned short refused[2];          /* frames that the receiver refused */
    unsigned short bytes[2];            /* bytes that the receiver took */
};

#endif
