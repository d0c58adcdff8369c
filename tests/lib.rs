//! Does vdb keep its promises, taken as a whole? What the tests across crates share.
//!
//! | file | what |
//! |---|---|
//! | `numbers.rs` | numbers that look random and are the same in every run |
//! | `effort.rs` | how much a test tries, and on how many threads |
//! | `points.rs` | small collections, and a database for them |
//! | `files.rs` | all files of a disk at once |
//! | `oracle/` | the engine's contract, computed the plain way, to be compared with |
//! | `npy.rs` | the demo data |
//! | `watched.rs` | a disk that tells of every call |
//! | `torture/` | scripts, crashes, failing disks, killed processes |
//!
//! The tests: `basics.rs` (a first day's use), `model.rs` (random operations beside the oracle), `conditional.rs` (writes
//! that wait for a version, batches over collections), `crash.rs` (power cuts and failing disks, simulated), `faults.rs`
//! (what a failing disk does to each kind of work), `kill.rs` (a real process, killed), `damage.rs` (any byte of any file
//! changed), `readers.rs` (reading beside a writer), `bad_input.rs`, `held.rs` (memory), `many.rs` (many collections),
//! `pressure.rs` (memory, disk or log run short), `vectors.rs` (sparse vectors and multivectors), `recall.rs` and
//! `filtered.rs` (approximate search beside exact), `queries.rs` (every kind of query beside a plain one), `text.rs`
//! (conditions and queries on texts, likewise), `concurrency.rs`, `golden.rs` and `golden_texts.rs` (files of
//! earlier builds); and in
//! `differential/` the local mode of Qdrant's Python client beside the engine. `whole.rs` is the program of those that need
//! no process of their own: `cargo test -p vdb-tests --test whole crash::`. `README.md` says which of them guards which
//! step of the engine.
//!
//! May depend on every crate; only `torture` and `fuzz`, which run the same checks for longer, depend on it.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "fixtures fail a test by panicking"
)]

pub mod effort;
pub mod files;
pub mod npy;
pub mod numbers;
pub mod oracle;
pub mod points;
pub mod torture;
pub mod watched;

pub use numbers::Numbers;
pub use points::{config, memory, points};
