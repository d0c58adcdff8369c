//! What of a collection may be set, and set again while it is in use?
//!
//! Each setting is a plain value here: how it is checked, how a change is taken in, and its JSON form, which has Qdrant's
//! names and is also what manifests keep. What comes of the settings is decided where they are used
//! ([`Schema`](crate::schema::Schema) resolves them for each vector).
//!
//! | file | what |
//! |---|---|
//! | `fields.rs` | objects of JSON, read key by key |
//! | `quantization.rs` | codes of vectors as a user names them, and which ones those are here |
//! | `hnsw.rs` | graphs: a vector's own parameters, a collection's, the library's |
//! | `modifier.rs` | how the weights of a sparse query are changed |
//! | `optimizer.rs` | when segments are indexed and merged |
//! | `strict_mode.rs` | what requests may ask of a collection |
//! | `strict_update.rs` | a change of that: limits set and taken back |
//! | `notes.rs` | metadata and hints: JSON that is kept and told again |
//! | `update.rs` | several changes that take effect together |

mod fields;
mod hnsw;
mod modifier;
mod notes;
mod optimizer;
mod quantization;
mod strict_mode;
mod strict_update;
mod update;

pub(crate) use fields::Fields;
pub use hnsw::HnswConfig;
pub use modifier::Modifier;
pub(crate) use notes::{merge_hints, merge_metadata};
pub(crate) use optimizer::rows_of;
pub use optimizer::{OptimizerConfig, OptimizerUpdate};
pub use quantization::{
    BinaryEncoding, CodePlacement, Compression, QuantizationConfig, QuantizationUpdate, QueryEncoding,
    TurboBits,
};
pub use strict_mode::StrictMode;
pub use strict_update::StrictModeUpdate;
pub use update::{CollectionUpdate, SparseVectorUpdate, VectorUpdate};

#[cfg(test)]
mod tests;
