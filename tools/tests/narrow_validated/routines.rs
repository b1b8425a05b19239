//! What routines outside of a unit read and change: those in assembly by their headers in asm/, the entries of tables by
//! src/units/mod.rs and src/install/kernel/mod.rs.

use crate::unit::SLOT_ENTRY;

/// A routine. Its registers are bits: [`A`], [`B`] and [`D`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routine {
    /// Where it reads the low half; [`Z`]: it reads ZF.
    pub reads: u8,
    /// Of those, where it reads all 32 bits,
    pub whole: u8,
    /// and where no more than 8.
    pub byte: u8,
    /// What it may change.
    pub changes: u8,
    /// The register that points to what it reads, and the fields there by their bytes.
    pub at: (u8, &'static [u8]),
    /// The register that points to what it fills, and its bytes.
    pub fills: (u8, u32),
}

/// EAX.
pub const A: u8 = 1;
/// EBX, the first argument's.
pub const B: u8 = 2;
/// EDX, the second argument's.
pub const D: u8 = 4;
/// ZF.
pub const Z: u8 = 8;
/// All three.
const ALL: u8 = A | B | D;

/// PciCall of src/bus/real.rs; Call of src/install/dos.rs.
const CALL: &[u8] = &[4, 2, 2, 2];
/// Regs of src/install/dos.rs.
const REGS: &[u8] = &[2; 9];
/// Near, Piece and Told of src/install/kernel/mod.rs.
const NEAR: &[u8] = &[2, 2];
const PIECE: &[u8] = &[4, 4, 2];
const TOLD: &[u8] = &[4, 2];
/// Rom of src/drivers/undi.rs, up to its parameter block.
const ROM: &[u8] = &[4, 4, 2, 2, 2, 2, 2, 1];
const ROM_BYTES: u32 = 156;
/// Unit of src/install/header.rs.
const UNIT: &[u8] = &[4, 4, 4, 1, 1, 2, 4, 2, 2, 2, 2, 4, 1, 1, 2, 2, 1, 1, 2, 2];
const UNIT_BYTES: u32 = 44;

/// The routine of a name; `inline`: called from an `asm!`, behind which rustc expects what the `asm!` does not name.
pub fn routine(name: &str, inline: bool) -> Routine {
    let any = Routine { changes: ALL, ..Routine::default() };
    match name {
        "ins_words" | "ins_bytes" | "ins_fifo" | "outs_words" | "outs_bytes" | "outs_fifo" => Routine { reads: D, ..Routine::default() },
        "ring_to_client" | "client_to_ring" | "flat_take" => Routine { reads: ALL, whole: B | D, ..any },
        "flat_take_frame" | "flat_give_frame" => Routine { reads: B, whole: B, ..any },
        "upcall" => Routine { reads: A | B | Z, changes: A, ..any },
        "now" | "clock" | "a20_gate" | "xms_top" | "note_change" | "visit_get8" | "visit_get16" | "visit_get32" | "visit_put8" | "visit_put16" | "visit_put32" | "visit_copy" => any,
        "link_of" | "send_by" => Routine { reads: B, ..any },
        "ask_nic" => Routine { reads: B | D, ..any },
        // The pointer to the flow table's choice.
        "choose" => any,
        "exchange" => Routine { reads: B, changes: A, ..any },
        "current" | "wanted" | "compose" | "fetch_head" | "aim" => Routine { changes: A, ..any },
        "xms_through" => Routine { reads: B | D, ..any },
        "xms_head" | "xms_give" | "xms_fetch" => Routine { reads: B, ..Routine::default() },
        // A text of the unit's own, which has no other form.
        "tell_text" => Routine { reads: D, ..any },
        "xms_record" => Routine { reads: B, changes: A, ..any },
        "fetch_frame" | "store_address" | "store_result" | "count_groups" | "fetch" | "give" | "move_block" | "move_up" | "crc_high" => Routine { reads: B, ..any },
        "pci_bios" => Routine { reads: B, at: (B, CALL), fills: (B, 4), ..any },
        "rom_call" => Routine { reads: B | D, at: (B, ROM), fills: (B, ROM_BYTES), ..any },
        "far_call" => Routine { reads: B, at: (B, CALL), fills: (B, 12), ..any },
        "software_interrupt" => Routine { reads: B | D, at: (D, REGS), fills: (D, 18), ..any },
        "fetch_ds_si" => Routine { reads: B | D, fills: (D, 8), ..any },
        "fetch_es_di" => Routine { reads: B | D, fills: (D, 12), ..any },
        // A near address is passed whole.
        SLOT_ENTRY => Routine { reads: B | D, whole: B | D, ..any },
        _ => match name.split_once('+') {
            Some((table, offset)) => tabled(table, offset),
            None => Routine { reads: B | D, changes: if inline { A } else { ALL }, ..any },
        },
    }
}

/// An entry of a table, by its offset as rustc wrote it. All of a near address is passed: the entry takes its high half
/// for zero. Of a number of 16 or 8 bits rustc passes no more than these: behind `movw $41, %cx` the high half is what it was.
fn tabled(table: &str, offset: &str) -> Routine {
    let one = Routine { reads: B, whole: B, changes: ALL, ..Routine::default() };
    let two = Routine { reads: B | D, whole: B | D, ..one };
    match (table, offset) {
        // A driver's and a filter's, of the device.
        ("entries" | "unit_header", _) => one,
        // The kernel's, in the order of its fields.
        ("kernel_table", "0" | "12" | "40") => Routine { whole: 0, ..one },
        ("kernel_table", "4") => Routine { whole: B, at: (B, REGS), fills: (B, 18), ..two },
        ("kernel_table", "8") => Routine { at: (B, CALL), fills: (B, 12), ..one },
        ("kernel_table", "16") => Routine { at: (B, NEAR), ..one },
        ("kernel_table", "20") => Routine { at: (B, PIECE), ..one },
        ("kernel_table", "24") => Routine { whole: D, byte: B, fills: (D, UNIT_BYTES), ..two },
        ("kernel_table", "28") => Routine { at: (D, NEAR), ..two },
        ("kernel_table", "32") => Routine { at: (B, UNIT), fills: (D, 96), ..two },
        ("kernel_table", "36") => Routine { whole: D, at: (D, TOLD), ..two },
        _ => two,
    }
}
