//! What runs behind the callers' backs.
//!
//! | file | what |
//! |---|---|
//! | `syncer.rs` | syncs writes that nobody waits for |
//! | `flusher.rs` | frozen memtables become segments |
//! | `grower.rs` | memtables get graphs |
//! | `sweeper.rs` | points whose time is past are deleted |
//! | `optimizer.rs` | segments are merged and get graphs |

pub(crate) mod flusher;
pub(crate) mod grower;
pub(crate) mod optimizer;
pub(crate) mod sweeper;
pub(crate) mod syncer;
