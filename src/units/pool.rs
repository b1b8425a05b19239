//! The pool feature in real mode with XMS.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::memory::cache::{Cache, Fields, Mover, Record};
use compkt::memory::xms::{End, Move};

compkt::pool_unit!(Fields, Record, Cache);
compkt::pool_mover!(false);
