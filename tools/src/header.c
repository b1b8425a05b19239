/* The layout that a C compiler gives to 3compkt.h, for tools/tests/header.rs. */
#include <stddef.h>
#include "3compkt.h"

struct entry {
    const char *name;
    unsigned    value;
};

#define FIELD(s, f)  { #s "." #f, (unsigned)offsetof(struct compkt_##s, f) }
#define WHOLE(s)     { #s, (unsigned)sizeof(struct compkt_##s) }
#define VALUE(v)     { #v, (unsigned)COMPKT_##v }

const struct entry compkt_layout[] = {
    WHOLE(info), FIELD(info, signature), FIELD(info, layout), FIELD(info, size), FIELD(info, version),
    FIELD(info, vector), FIELD(info, amis), FIELD(info, flags), FIELD(info, segment), FIELD(info, paragraphs),
    FIELD(info, handles), FIELD(info, handle_count), FIELD(info, handle_size), FIELD(info, nics),
    FIELD(info, nic_count), FIELD(info, nic_size), FIELD(info, blocks), FIELD(info, block_count),
    FIELD(info, block_size), FIELD(info, stack_low), FIELD(info, stack_top), FIELD(info, pool),
    WHOLE(pool), FIELD(pool, bytes), FIELD(pool, buffers), FIELD(pool, hits), FIELD(pool, misses), FIELD(pool, evictions),
    FIELD(pool, failures), FIELD(pool, waiting), FIELD(pool, flags),
    WHOLE(nic), FIELD(nic, name), FIELD(nic, rom), FIELD(nic, mac), FIELD(nic, io), FIELD(nic, irq),
    FIELD(nic, link), FIELD(nic, pci), FIELD(nic, rcv_mode), FIELD(nic, vector),
    WHOLE(bond_head), FIELD(bond_head, flows), FIELD(bond_head, fields),
    FIELD(bond, mode), FIELD(bond, failover), FIELD(bond, period), FIELD(bond, hold), FIELD(bond, target), FIELD(bond, first),
    FIELD(bond, end), FIELD(bond, active), FIELD(bond, left), FIELD(bond, moves), FIELD(bond, ignored),
    WHOLE(bond_row), FIELD(bond_row, state), FIELD(bond_row, misses), FIELD(bond_row, own), FIELD(bond_row, since), FIELD(bond_row, load),
    FIELD(bond_row, cost), FIELD(bond_row, given), FIELD(bond_row, sent), FIELD(bond_row, received),
    VALUE(NIC_USABLE), VALUE(NIC_NO_LINK), VALUE(NIC_SILENT), VALUE(NIC_OUT),
    WHOLE(flows), FIELD(flows, algorithm), FIELD(flows, sticky), FIELD(flows, hits), FIELD(flows, moved), FIELD(flows, table), FIELD(flows, hook),
    WHOLE(block), FIELD(block, kind), FIELD(block, place), FIELD(block, size),
    WHOLE(stats), FIELD(stats, hits), FIELD(stats, searches),
    WHOLE(stats_row), FIELD(stats_row, taken), FIELD(stats_row, refused), FIELD(stats_row, bytes),
    VALUE(LAYOUT), VALUE(FLAG_DEVICE), VALUE(FLAG_UPPER), VALUE(FLAG_V86), VALUE(FLAG_MASKED), VALUE(FLAG_BOND), VALUE(STACK_CANARY), VALUE(NOT_PCI),
    VALUE(LINK_DOWN), VALUE(LINK_UP), VALUE(LINK_UNKNOWN),
    VALUE(BLOCK_CORE), VALUE(BLOCK_NIC), VALUE(BLOCK_INSTANCE), VALUE(BLOCK_HANDLES), VALUE(BLOCK_STACK),
    VALUE(BLOCK_RINGS), VALUE(BLOCK_BUFFERS), VALUE(BLOCK_STATS), VALUE(BLOCK_FLAT), VALUE(BLOCK_VDS),
    VALUE(BLOCK_COUNTER), VALUE(BLOCK_POOL), VALUE(BLOCK_TICK), VALUE(BLOCK_EXAMPLE), VALUE(BLOCK_SHIFT), VALUE(BLOCK_NICS), VALUE(BLOCK_INTERFACES), VALUE(BLOCK_MANY), VALUE(BLOCK_IFS), VALUE(BLOCK_REAP), VALUE(BLOCK_LISTS), VALUE(BLOCK_CTL),
    VALUE(BLOCK_XWORDS), VALUE(BLOCK_XBYTES), VALUE(BLOCK_XFIFO), VALUE(BLOCK_XRINGS), VALUE(BLOCK_XPARTS), VALUE(BLOCK_BOND), VALUE(BLOCK_FLOWS), VALUE(BLOCK_DOUBLES), VALUE(BLOCK_LACP), VALUE(BLOCK_SHARE),
    VALUE(BLOCK_ROM_CODE), VALUE(BLOCK_ROM_DATA), VALUE(BLOCK_ROM_STACK), VALUE(BLOCK_ROM_FRAMES), VALUE(POOL_XMS_FAILED),
    WHOLE(log), FIELD(log, ticks), FIELD(log, event), FIELD(log, detail),
    VALUE(CTL_GET), VALUE(CTL_SET), VALUE(CTL_APPLY), VALUE(CTL_ROLLBACK), VALUE(CTL_REGISTER), VALUE(CTL_REMOVE),
    VALUE(CTL_LOG), VALUE(CTL_DONE), VALUE(CTL_NOT_IMPLEMENTED), VALUE(CTL_UNKNOWN), VALUE(CTL_FIXED),
    VALUE(CTL_REFUSED), VALUE(CTL_BUSY), VALUE(CTL_FILE), VALUE(CTL_RANGE), VALUE(CTL_NO_ROOM), VALUE(CTL_SHARED),
    VALUE(CTL_BAD_ADDRESS), VALUE(EVENT_LINK_DOWN), VALUE(EVENT_LINK_UP), VALUE(EVENT_APPLY_FAILED),
    VALUE(EVENT_DROPPED), VALUE(EVENT_CHANGED), VALUE(EVENT_SEND_FAILED), VALUE(EVENT_OVERRUN), VALUE(EVENT_SPURIOUS),
    VALUE(PARAM_MODE), VALUE(PARAM_ADDRESS), VALUE(PARAM_MULTICAST), VALUE(PARAM_BURST), VALUE(PARAM_POLL),
    VALUE(PARAM_LEVEL), VALUE(PARAM_INTERVAL), VALUE(PARAM_HOLD), VALUE(PARAM_MEDIA), VALUE(PARAM_XMS),
    VALUE(PARAM_MIGRATE), VALUE(PARAM_HANDLES), VALUE(PARAM_CACHE), VALUE(PARAM_STACK), VALUE(PARAM_DELAY),
    VALUE(PARAM_RX_RING), VALUE(PARAM_TX_RING), VALUE(LOG_ENTRIES), VALUE(CALLBACKS),
    { 0, 0 }
};

const char compkt_signature[] = COMPKT_SIGNATURE;
