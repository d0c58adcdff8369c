//! What was acknowledged?
//!
//! A log of opaque records, each with an LSN (log sequence number: 1, 2, 3, ...). A record that
//! [`Wal::sync`] has returned for is there after any crash; one that was not is there in full or not at all. Whoever
//! opens the log next gets the records back in order, and is told what became of those that are not there.
//!
//! ```text
//! append -> segment (newest file) -> page cache        release -> files wholly below an LSN are removed
//! sync   -> commit (one fdatasync for all who wait)    rotate  -> the next file, once the old one is synced
//! open   -> chain (which files) -> tail (where does the newest end) -> recover (cut, sync) -> replay (records)
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `error.rs` | what can go wrong |
//! | `options.rs` | how a log is opened |
//! | `format.rs` | how names, headers and frames look |
//! | `cursor.rs` | how one file is read, and searched behind damage |
//! | `tail.rs` | where the newest file ends: torn tail or damage |
//! | `released.rs` | up to where the log was released |
//! | `chain.rs` | which files make up the log, and whether one is missing |
//! | `replay.rs` | the records in order; also past damage, for salvage |
//! | `segment.rs` | the file being written: room ahead, and taking a refused frame back |
//! | `commit.rs` | group commit and poisoning |
//! | `recover.rs` | making a log ready for appending; the only code that truncates |
//! | `wal.rs` | the handle |
//! | `verify.rs` | checking a log as it lies |
//!
//! May depend on `vdb-vfs`, and on `vdb-sys` for `vdb_sys::sync`. Knows nothing of what the records mean.
//!
//! ```
//! use std::sync::Arc;
//! use vdb_wal::{Item, Wal, WalOptions};
//!
//! let disk: vdb_vfs::DynDisk = Arc::new(vdb_vfs::MemDisk::new());
//! let (wal, _) = Wal::open(disk.clone(), "wal", WalOptions::default())?;
//! let lsn = wal.append(1, 7, &[b"hello ", b"world"])?;
//! wal.sync(lsn)?;
//! drop(wal);
//!
//! let (_wal, mut recovered) = Wal::open(disk, "wal", WalOptions::default())?;
//! let Some(Item::Frame(frame)) = recovered.next_item()? else { return Ok(()) };
//! assert_eq!((frame.lsn, frame.collection, frame.body), (1, 7, b"hello world".as_slice()));
//! # Ok::<(), vdb_wal::Error>(())
//! ```
#![forbid(unsafe_code)]

mod chain;
mod commit;
mod cursor;
pub mod error;
mod format;
mod options;
mod recover;
mod released;
mod replay;
mod segment;
mod tail;
#[cfg(test)]
mod testing;
mod verify;
mod wal;

pub use commit::Syncs;
pub use error::{DiskError, Error, Result};
pub use format::{MAX_BODY_BYTES, is_log_file};
pub use options::WalOptions;
pub use recover::{RecoveryReport, TornTail};
pub use replay::{Damage, Frame, Item, Mark, Replay, released_lsn};
pub use verify::{VerifyReport, verify};
pub use wal::{Recovered, Wal};

/// Log sequence number: the place of a record in the log, from 1. 0 stands for "none".
pub type Lsn = u64;
