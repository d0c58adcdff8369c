//! How do collections come from one place to another? A place is a server of Qdrant's gRPC interface (Qdrant itself, a cluster,
//! `vdb serve`) or the directory of a database; all four ways are the same loop over one trait.
//!
//! ```text
//! plan.rs (what, where to, may it be?) -> copy.rs: pages.rs -> write.rs, slice by slice -> verify.rs -> target.rs
//!                                           '-> journal.rs (how far, on disk)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | what can go wrong |
//! | `options.rs` | what a caller asks for |
//! | `endpoint.rs` | a URL or a directory, opened as source or target |
//! | `store.rs` | the calls that are made, of any client |
//! | `patience.rs` | which failures are tried again, and when |
//! | `point.rs` | points as they are read and as they are written |
//! | `schema.rs` | what of a collection decides whether points fit |
//! | `settings.rs` | a collection's settings, to be given to another |
//! | `report.rs`, `watch.rs` | what is told of a migration: at the end, and meanwhile |
//! | `journal.rs` | how far it has come, for the next run |
//! | `pages.rs`, `write.rs` | reading in the order of ids, writing |
//! | `sides.rs` | both sides, and what is known of them |
//! | `distinct.rs` | whether they are two |
//! | `plan.rs` | which collections, under which names, and what happens to each |
//! | `copy.rs` | all points of a collection, several slices at once |
//! | `compare.rs`, `checksum.rs` | whether two points are the same; what all points come to |
//! | `verify.rs` | both sides, side by side; making them equal |
//! | `target.rs` | a collection at the target: made, completed once its points are there, named by aliases |
//! | `run.rs` | all of it, in order |
//!
//! Points are idempotent by their ids, so that one that is written twice is there once: a journal that is a little behind costs
//! time and nothing else. Memory is slices, times pages under way, times the bytes of a page; `pages.rs` says how large these are.

#![forbid(unsafe_code)]

mod checksum;
mod compare;
mod copy;
mod distinct;
mod endpoint;
mod error;
mod journal;
mod options;
mod pages;
mod patience;
mod plan;
mod point;
mod report;
mod run;
mod schema;
mod settings;
mod sides;
mod store;
mod target;
mod verify;
mod watch;
mod write;

pub use endpoint::Endpoint;
pub use error::{MigrateError, Result};
pub use journal::{Journal, default_state};
pub use options::{Existing, Options, Verification};
pub use patience::Patience;
pub use report::{Action, CollectionReport, Report, Verified};
pub use run::{migrate, run};
pub use store::Store;
pub use watch::{Event, Phase, Watch};
