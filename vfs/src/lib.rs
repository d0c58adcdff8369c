//! How do bytes reach the disk?
//!
//! Everything above this crate reads and writes through [`Disk`] and [`File`]: the real disk ([`OsDisk`]),
//! memory ([`MemDisk`]) and a simulator of crashes and faults stand behind the same two traits.
//!
//! ```text
//! frame, replace --> Disk, File --> OsDisk (files)  |  MemDisk (memory)  |  sim::SimDisk (crashes, faults)
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `error.rs` | what can go wrong? |
//! | `path.rs` | which paths are valid? |
//! | `disk.rs` | what is asked of a disk, and what survives a crash? |
//! | `nofollow.rs` | what if a file is a link to another? |
//! | `lock.rs`, `holder.rs` | who else has this directory open, and what is said of them? |
//! | `os.rs` | how do real files do it? |
//! | `ahead.rs` | how is a file in memory before it is needed? |
//! | `reaper.rs` | who waits for a long file to be gone? |
//! | `tree.rs` | how do names map to files in memory? |
//! | `mem.rs` | how does memory do it? |
//! | `sim/` | what if the power fails, or the disk does? (feature `sim`) |
//! | `replace.rs` | how is a file replaced whole or not at all? |
//! | `frame/` | what do all immutable files have in common? |
//!
//! May depend on: `vdb-sys`.

#![forbid(unsafe_code)]

mod ahead;
pub mod disk;
pub mod error;
pub mod frame;
pub mod holder;
mod lock;
mod mem;
mod nofollow;
mod os;
pub mod path;
mod reaper;
pub mod replace;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod tree;

pub use ahead::Ahead;
pub use disk::{Disk, DynDisk, File, FileSlice, FileView, LockGuard};
pub use error::{Error, Result};
pub use mem::MemDisk;
pub use os::OsDisk;
