//! The pool feature without XMS.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::memory::arena::{Arena, Fields, Record};

compkt::pool_unit!(Fields, Record, Arena);
