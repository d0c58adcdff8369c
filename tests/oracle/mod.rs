//! What should the engine say? Every point in one map, every question answered by looking at all of them.
//!
//! Written from the description of the contract and not from the engine, so that one mistake is not made twice.
//!
//! | file | what |
//! |---|---|
//! | `op.rs` | operations as the oracle and the engine both take them |
//! | `collection.rs` | one collection: points, sequence numbers, operations |
//! | `database.rs` | collections by name, aliases, atomic batches |
//! | `path.rs` | payload paths: what is at one, setting, deleting |
//! | `filter.rs` | filters, evaluated on JSON |
//! | `geo.rs` | positions and areas |
//! | `datetime.rs` | points in time, counted day by day |
//! | `vector.rs` | vectors as they are stored, and their scores in `f64` |
//! | `dump.rs` | everything a database holds, read back through its public interface |

pub mod collection;
pub mod database;
pub mod datetime;
pub mod dump;
pub mod filter;
mod geo;
pub mod op;
pub mod path;
pub mod vector;

pub use collection::{OracleCollection, OraclePoint, Refusal};
pub use database::{OracleDatabase, Step};
pub use dump::{CollectionDump, Dump};
pub use op::{Aim, Op};
