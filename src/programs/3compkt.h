/* 3compkt.h: what 3COMPKT tells a program about itself.
 *
 * Find the packet driver: from interrupt 60h on, the one whose entry has the text "PKT DRVR" at its fourth byte. Call that
 * interrupt with AH = COMPKT_GET_INFO. Carry clear: ES:DI points to a struct compkt_info; check its signature and layout.
 * Carry set: it is another driver.
 *
 * All offsets are in the segment that the call returned in ES. Later drivers with the same layout may have longer structures:
 * step through NICs and blocks by nic_size and block_size, not by sizeof. Numbers are little endian. The block is the
 * driver's own memory: read it, and write nothing but `hook` of compkt_flows. The link is the state at the time of the call; the first call after a loss may
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
#define COMPKT_FLAG_BOND    0x0010      /* its one NIC is a bond of several */

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
    unsigned short io;                  /* first port, 0: none; of a bond the offset of its compkt_bond_head */
    unsigned char  irq;                 /* 0: polled */
    unsigned char  link;
    unsigned short pci;                 /* bus 15:8, device 7:3, function 2:0 */
    unsigned char  rcv_mode;            /* 1 to 6 */
    unsigned char  vector;              /* interrupt of this NIC's packet driver */
};

/* A bond (COMPKT_FLAG_BOND in flags of compkt_info). Its counters wrap. */
struct compkt_bond_head {
    unsigned short entries[6];          /* the driver's own */
    unsigned short flows;               /* offset of the compkt_flows; 0: there is no flow table */
    unsigned short more[2];             /* the driver's own */
    unsigned short fields;              /* offset of the compkt_bond */
};

struct compkt_bond {
    unsigned char  mode;                /* 0 STANDBY, 1 ACTIVE_ACTIVE, 2 TRUNK, 3 LACP, 4 LACP_SLOW */
    unsigned char  failover;            /* misses after which a NIC is left */
    unsigned short period;              /* timer ticks of a period */
    unsigned short hold;                /* ticks for which a NIC must be well before it is used again */
    unsigned short target[2];           /* the IP address that each NIC asks for, as in a frame; 0: none */
    unsigned short first;               /* offset of the first compkt_bond_row, */
    unsigned short end;                 /* and of the end of the rows */
    unsigned short active;              /* offset of the row of the NIC that receives */
    unsigned short looked;              /* the driver's own */
    unsigned short left;                /* ticks that are left of this period */
    unsigned short full;                /* the driver's own */
    unsigned short moves;               /* how often another NIC has become the one that receives */
    unsigned short ignored;             /* frames of NICs that do not receive */
};

struct compkt_bond_row {
    unsigned char  state;               /* COMPKT_NIC_USABLE and so on */
    unsigned char  misses;
    unsigned char  own[6];              /* the address from which it sends while another NIC receives */
    unsigned short since;               /* the tick at which it was last unwell */
    unsigned short slave;               /* the driver's own */
    unsigned short refused;             /* the driver's own */
    unsigned short load;                /* as the algorithm counts it */
    unsigned short cost;                /* the lower, the faster the NIC */
    unsigned short given;               /* flows that it was given */
    unsigned short sent[2];             /* frames, the low half first */
    unsigned short received[2];
};

/* state of compkt_bond_row */
#define COMPKT_NIC_USABLE    0x80       /* it may be used */
#define COMPKT_NIC_NO_LINK   0x01
#define COMPKT_NIC_SILENT    0x02       /* it has given no sign of life for too long */
#define COMPKT_NIC_OUT       0x04       /* PKTCTL bond OUT= has taken it out */

struct compkt_flows {
    unsigned char  algorithm;           /* 0 ROUND_ROBIN, 1 WEIGHTED, 2 HASH, 3 LEAST, 4 ADAPTIVE */
    unsigned char  sticky;              /* units of 16 ticks for which a flow may pause */
    unsigned short hits[2];             /* frames whose flow was known, the low half first */
    unsigned short moved;               /* frames whose flow had to leave its NIC */
    unsigned short table;               /* offset of the table */
    unsigned short mask;
    unsigned short swept;
    unsigned short hook[2];             /* far address of your routine that chooses NICs, offset first; 0: none */
};

/* `hook` is the one field that a program may write: with interrupts off, and 0 again before the program ends. The routine is
 * called for each new flow, by a far call inside send_pkt, with interrupts off, on the driver's stack, of which it may use a few
 * words. It gets DS = the driver's segment, SI = offset of the frame's first 60 bytes, CX = the frame's length, BX = offset of the
 * compkt_bond. It answers AL = number of the NIC, counted from 0. With 0FFh, or a NIC that cannot be used, the driver chooses. It
 * may change all registers but SS:SP, and must not call the driver. The four bytes in front of it are COMPKT_CALLBACK. It is
 * called no more if they have changed, if it names a NIC that does not exist, or if it does not return. */

/* kind of compkt_block */
#define COMPKT_BLOCK_CORE      1
#define COMPKT_BLOCK_NIC       2        /* a NIC driver's code */
#define COMPKT_BLOCK_INSTANCE  3        /* a NIC's state */
#define COMPKT_BLOCK_HANDLES   4
#define COMPKT_BLOCK_STACK     5
#define COMPKT_BLOCK_RINGS     6        /* DMA rings */
#define COMPKT_BLOCK_BUFFERS   8        /* packet buffers */
#define COMPKT_BLOCK_STATS     9        /* compkt_stats, and a compkt_stats_row for each handle */
#define COMPKT_BLOCK_NICS      11
#define COMPKT_BLOCK_INTERFACES 12
#define COMPKT_BLOCK_MANY      13
#define COMPKT_BLOCK_IFS       14
#define COMPKT_BLOCK_SHIFT     10       /* a word: a handle's number is its address less this */
#define COMPKT_BLOCK_ROM_CODE  32       /* of a card's ROM (UNDI): its code, */
#define COMPKT_BLOCK_ROM_DATA  33       /* its data, */
#define COMPKT_BLOCK_ROM_STACK 34       /* the stack of its calls, */
#define COMPKT_BLOCK_ROM_FRAMES 35      /* and two buffers for frames */
#define COMPKT_BLOCK_REAP      15       /* closes what programs have left open */
#define COMPKT_BLOCK_FLAT      16       /* kinds of features from here on: memory above 1 MB */
#define COMPKT_BLOCK_VDS       17       /* rings locked by the DMA services */
#define COMPKT_BLOCK_COUNTER   18       /* the code that counts for each handle */
#define COMPKT_BLOCK_POOL      19       /* frames that wait */
#define COMPKT_BLOCK_TICK      20       /* the timer */
#define COMPKT_BLOCK_EXAMPLE   21       /* frames that receivers took: 32 bits, the low half first */
#define COMPKT_BLOCK_LISTS     22       /* lists of frames that wait */
#define COMPKT_BLOCK_CTL       23       /* the control interrupt */
#define COMPKT_BLOCK_XWORDS    24       /* copies frames between XMS and a card: a port of 16 bits, */
#define COMPKT_BLOCK_XBYTES    25       /* a port of 8 bits, */
#define COMPKT_BLOCK_XFIFO     26       /* a FIFO, */
#define COMPKT_BLOCK_XRINGS    27       /* rings, */
#define COMPKT_BLOCK_XPARTS    28       /* a ring from which a frame is taken in parts */
#define COMPKT_BLOCK_BOND      29       /* the bond, and a row for each of its NICs */
#define COMPKT_BLOCK_FLOWS     30       /* the flow table */
#define COMPKT_BLOCK_DOUBLES   31       /* drops what comes by two NICs */
#define COMPKT_BLOCK_LACP      36       /* LACP, and its ports */
#define COMPKT_BLOCK_SHARE     37       /* gives a frame to all handles that fit */

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

/* The control interrupt (/CTL): INT 2Dh by the Alternate Multiplex Interrupt Specification (AMIS 3.6), with AH = amis of
 * compkt_info. It takes at most 80 bytes of the caller's stack, and what a callback takes. AMIS's own functions in AL:
 * installation check (0), uninstall (2), hooked interrupts (4), device driver (6). Uninstall and the functions that change
 * something are refused from inside a receiver (BUSY). */

/* The driver's own functions, in AL. Each gives a result in AL, and changes AH and the high half of EAX. */
/* BX = parameter. Gives CX = value, ES:DI = where it is. Of a pending one CX = the wanted value, DX = that in force */
#define COMPKT_CTL_GET             0x10
#define COMPKT_CTL_SET             0x11  /* BX = parameter, CX = value; or ES:DI = bytes, CX = their number */
#define COMPKT_CTL_APPLY           0x12  /* put the wanted values in force (FILE) */
#define COMPKT_CTL_ROLLBACK        0x13  /* forget the wanted values */
#define COMPKT_CTL_REGISTER        0x14  /* ES:DI = callback, BX = parameter, or 0 for all */
#define COMPKT_CTL_REMOVE          0x15  /* ES:DI = callback */
#define COMPKT_CTL_LOG             0x16  /* gives ES:DI = log, DX = entries ever written (it wraps) */

/* Results, in AL. */
#define COMPKT_CTL_DONE            0xFF  /* done */
#define COMPKT_CTL_NOT_IMPLEMENTED 0     /* there is no such function */
#define COMPKT_CTL_UNKNOWN         1     /* there is no such parameter or callback */
#define COMPKT_CTL_FIXED           2     /* fixed at load */
#define COMPKT_CTL_REFUSED         3     /* the card has no line of its own to change to */
#define COMPKT_CTL_BUSY            5     /* called from a receiver; try again later */
#define COMPKT_CTL_FILE            6     /* the driver in memory cannot do it */
#define COMPKT_CTL_RANGE           8     /* the value is out of range */
#define COMPKT_CTL_NO_ROOM         9     /* too many bytes or callbacks */
#define COMPKT_CTL_SHARED          13    /* several handles are open */
#define COMPKT_CTL_BAD_ADDRESS     14    /* no valid address */

/* event of compkt_log */
#define COMPKT_EVENT_LINK_DOWN     1     /* the link was lost */
#define COMPKT_EVENT_LINK_UP       2     /* the link is there */
#define COMPKT_EVENT_APPLY_FAILED  3     /* wanted values were refused; all is as before */
#define COMPKT_EVENT_DROPPED       4     /* a callback's code was overwritten; it is called no more */
#define COMPKT_EVENT_CHANGED       5     /* a parameter was set; the detail is its number */
#define COMPKT_EVENT_SEND_FAILED   6     /* frames could not be sent */
#define COMPKT_EVENT_OVERRUN       7     /* the card lost frames */
#define COMPKT_EVENT_SPURIOUS      8     /* interrupts came without a cause */

/* Parameters, for BX: when a new value is in force (live: at once; pending: after COMPKT_CTL_APPLY; fixed: never), least
 * and greatest value (of ADDRESS and MULTICAST the number of bytes), what it is. */
/* live, 1 to 6: receive mode: 1 off, 2 direct, 3 broadcast, 4 multicast, 5 all multicast, 6 promiscuous */
#define COMPKT_PARAM_MODE          1
#define COMPKT_PARAM_ADDRESS       2     /* live, 6 to 6: the card's address, at ES:DI */
/* live, 0 to 48: multicast list. GET: CX = number of addresses; at ES:DI that word, then the addresses */
#define COMPKT_PARAM_MULTICAST     3
#define COMPKT_PARAM_BURST         4     /* live, 1 to 64: frames before other interrupts */
#define COMPKT_PARAM_POLL          5     /* live, 0 to 1: 1: the driver polls; 0: the card interrupts */
#define COMPKT_PARAM_LEVEL         6     /* live, 0 to 8: the greatest event that is logged */
#define COMPKT_PARAM_INTERVAL      7     /* live, 0 to 255: seconds between two readings of PKTCTL stats */
#define COMPKT_PARAM_HOLD          8     /* live, 1 to 250: ticks for which a refused frame waits */
#define COMPKT_PARAM_MEDIA         9     /* pending, 0 to 255: medium and duplex, as /MEDIA= numbers them */
#define COMPKT_PARAM_XMS           10    /* pending, 16 to 16384: KB of XMS for frames that wait, in real mode */
#define COMPKT_PARAM_MIGRATE       11    /* live, 1536 to 32768: waiting bytes above which frames go to XMS, in V86 mode, at most CACHE */
#define COMPKT_PARAM_HANDLES       12    /* fixed, 1 to 64: handles */
#define COMPKT_PARAM_CACHE         13    /* fixed, 1536 to 32768: bytes of conventional memory before XMS, in V86 mode */
#define COMPKT_PARAM_STACK         14    /* fixed, 192 to 2048: bytes of stack for receivers */
#define COMPKT_PARAM_DELAY         15    /* fixed, 0 to 65535: microseconds that the card delays its interrupts: always 0 */
#define COMPKT_PARAM_RX_RING       16    /* fixed, 1 to 256: frames in the receive ring, as the card's driver has it */
#define COMPKT_PARAM_TX_RING       17    /* fixed, 1 to 256: frames in the transmit ring, as the card's driver has it */

/* An entry of the log. Entry n of those ever written, counted from 0, is number n % COMPKT_LOG_ENTRIES. Copy the log with
 * interrupts off. */
#define COMPKT_LOG_ENTRIES         16
struct compkt_log {
    unsigned char  ticks[3];            /* the BIOS's count of timer ticks since midnight, the low byte first */
    unsigned char  event;               /* 0: never written */
    unsigned char  detail;
};

/* The four bytes in front of a callback's code; COMPKT_CTL_REGISTER gets the address behind them. The driver looks at them
 * before each call, and drops a callback where they have changed. A callback gets BX = parameter, DS = the driver's segment,
 * interrupts off, and the stack of the program that set the parameter. It ends with a far return and may change EAX to EBP,
 * ES and DS, enable interrupts, and call INT 60h and INT 2Dh. It is not told of what is set before it has returned; one that
 * never returns is not called again until it is removed and registered again. */
#define COMPKT_CALLBACK            "3CCB"
#define COMPKT_CALLBACKS           4    /* that may be registered */

#endif
