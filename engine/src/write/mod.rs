//! How does a write happen?
//!
//! ```text
//! WriteBatch -> prepare (check, encode; in parallel) -> sequencer: resolve -> append -> apply, unseen
//!            -> group sync -> advance the readers' horizon -> acknowledge
//! ```
//!
//! | file | what |
//! |---|---|
//! | `batch.rs` | operations and batches as a user states them |
//! | `prepare.rs` | what can be checked and encoded before a write has its place |
//! | `resolve.rs` | conditions, filters and merges become effects |
//! | `record.rs` | the body of a log record (format home) |
//! | `sequencer.rs` | the one place where writes take their order |
//! | `steps.rs` | operations that may touch more points than one record should hold |
//! | `apply.rs` | effects enter the memtable; live and at replay |
//! | `ticket.rs` | waiting for a write |

pub(crate) mod apply;
pub(crate) mod batch;
pub(crate) mod prepare;
pub(crate) mod record;
pub(crate) mod resolve;
pub(crate) mod sequencer;
pub(crate) mod steps;
pub(crate) mod ticket;
