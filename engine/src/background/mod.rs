//! What runs behind the callers' backs, and how much may wait for it.
//!
//! | file | what |
//! |---|---|
//! | `signal.rs` | waking a thread, stopping it |
//! | `budget.rs` | writers wait when memtables outgrow the write buffer |
//! | `syncer.rs` | syncs writes that nobody waits for |
//! | `flusher.rs` | frozen memtables become segments |
//! | `optimizer.rs` | segments are merged and get graphs |

pub(crate) mod budget;
pub(crate) mod flusher;
pub(crate) mod optimizer;
pub(crate) mod signal;
pub(crate) mod syncer;
