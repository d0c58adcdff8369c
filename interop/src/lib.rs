//! How does data come and go? Readers of foreign formats, each a stream of [`Row`]s.
//!
//! ```text
//! file or stdin -> Input -> one reader a format -> Row { id, vectors, payload, place } -> the caller's batches
//!                                              \-> RowError { place, field, problem }: skip the row, or stop
//! ```
//!
//! A reader holds one row and a fixed buffer, so memory does not grow with the file. Errors name the file, the
//! line or row, the field, and what to do. Ids come from the file or are row numbers, never both in one file.
//! Every number that comes out is finite; dimensions are the database's to check.
//!
//! | file | what it does |
//! |---|---|
//! | `row.rs` | [`Row`] and its [`Place`] |
//! | `error.rs` | [`RowError`], [`Problem`]: what can be wrong, and whether the next row can still be read |
//! | `source.rs` | the trait [`RowSource`], [`Progress`] |
//! | `options.rs` | [`Format`], [`ReadOptions`] |
//! | `id.rs` | the row's own id, one made of its text, or its number |
//! | `input.rs` | [`Input`]: a file, standard input or any reader, with its name and byte count |
//! | `json.rs` | JSON straight into rows, with the field of an error |
//! | `vector.rs` | arrays of numbers in JSON, and the check that numbers are finite |
//! | `spelled.rs` | vectors in text |
//! | `misfit.rs` | values that a payload cannot hold |
//! | `time.rs` | days and moments as text |
//! | `pickle/`, `python.rs` | Python pickles, read without running anything; their values as JSON |
//! | `lines.rs` | lines of bounded length |
//! | `npy/` | `.npy` matrices, and row numbers of a split |
//! | `vecs.rs` | `.fvecs`, `.bvecs`, `.ivecs` |
//! | `npz/` | several NumPy arrays in a zip archive |
//! | `columnar/` | Parquet and Arrow IPC, read; Parquet, written (feature `parquet`) |
//! | `hdf5.rs` | the files of ann-benchmarks (feature `hdf5`) |
//! | `faiss/` | FAISS index files and the metadata beside them, read and written |
//! | `sqlite.rs`, `chroma/` | SQLite files of other programs; Chroma's directories |
//! | `delimited/` | CSV |
//! | `json_lines.rs` | JSON Lines |
//! | `paired.rs`, `joined.rs` | vectors in one file, payloads in another, or ids and payloads |
//! | `open.rs`, `sniff.rs` | [`open()`]: the reader that a file's name asks for; [`sniff()`]: what a file seems to be |
//! | `export/` | JSON Lines and `.npy`, written |
//! | `qdrant/` | backups and local directories of Qdrant's Python client, as whole collections |
//!
//! May depend on `vdb-engine` (points and what a collection is like), `vdb-storage` (ids) and `vdb-sys` (how a number is stored). The user's files are read with `std::fs`; the database's never are.
#![forbid(unsafe_code)]

pub mod pickle;

mod row;

mod error;
mod source;

mod id;
mod input;
mod json;
mod lines;
mod misfit;
mod options;
mod python;
mod spelled;
mod time;
mod vector;

mod delimited;
pub mod faiss;
mod json_lines;
mod npy;
mod npz;

mod joined;
mod paired;
mod vecs;

#[cfg(feature = "parquet")]
pub mod columnar;
#[cfg(feature = "hdf5")]
mod hdf5;

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub mod chroma;
mod export;
pub mod qdrant;

mod open;
mod sniff;

pub use delimited::CsvRows;
pub use error::{Problem, RowError};
pub use export::{JsonLinesWriter, NpyWriteError, NpyWriter, VectorJson, VectorsJson, write_row_numbers};
#[cfg(feature = "hdf5")]
pub use hdf5::Hdf5Rows;
pub use input::Input;
pub use joined::JoinedRows;
pub use json_lines::JsonLinesRows;
pub use npy::{NpyRows, read_row_numbers};
pub use npz::NpzRows;
pub use open::{open, open_with_payload, open_with_rows, read};
pub use options::{ColumnOptions, CsvOptions, Format, ReadOptions};
pub use paired::PairedRows;
pub use row::{At, Place, Row};
pub use sniff::{FileKind, SNIFFED, sniff};
pub use source::{Progress, RowSource};
pub use vecs::VecsRows;
pub use vector::MAX_DIM;
