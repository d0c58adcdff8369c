//! What Qdrant's Python client leaves behind: backups of its collections, and the directories of its local mode.
//!
//! ```text
//! NAME.backup     -> backup.rs: opcodes, then everything checked, then points one by one ---.
//! directory       -> local/: meta.json, a SQLite file a collection, a pickle a point -------+-> CollectionConfig, Points
//!                    config.rs, point.rs: what both mean ------------------------------------'
//! points of ours  -> writer.rs -> NAME.backup that every version of the client loads
//! ```
//!
//! Nothing is handed out of a file before all of it was read and found sound, so that an import writes all or nothing of a
//! file that is wrong. Pickles are read by [`crate::pickle`] alone.
//!
//! | file | what |
//! |---|---|
//! | `classes.rs` | the classes that these pickles name |
//! | `vector.rs` | vectors of all kinds |
//! | `point.rs` | ids, vectors and payloads of points |
//! | `config.rs` | what a collection is like, and which of it is not kept |
//! | `shapes.rs` | which vectors points have, against which the collection has |
//! | `backup.rs` | `NAME.backup`, read |
//! | `settings.rs`, `indexes.rs` | merging and strict mode, payload indexes, both ways |
//! | `models.rs`, `info.rs`, `writer.rs` | objects of the client; what a collection is like; `NAME.backup`, written |
//! | `local.rs` | directories of the local mode (feature `sqlite`) |

mod classes;
#[cfg(test)]
mod fixtures;
mod vector;

mod point;

mod models;

mod indexes;
mod settings;

mod config;
mod shapes;

mod backup;
#[cfg(feature = "sqlite")]
mod local;

mod info;

mod writer;

pub use backup::{Backup, BackupPoints, ImportOptions};
pub use classes::ALL as CLIENT_CLASSES;
pub use config::Described;
pub use info::unkept;
#[cfg(feature = "sqlite")]
pub use local::{LocalCollection, LocalPoints, LocalStore};
pub use writer::BackupWriter;
