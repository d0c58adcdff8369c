//! How fast is it? Criterion benchmarks of each part, and what the harnesses that compare whole systems share.
//!
//! ```text
//! Source -> Dataset -> truth, Cells -> (make, open) -> System -> race -> vdb_measure::Line
//! ```
//!
//! | file | what |
//! |---|---|
//! | `benches/kernels.rs` | distance kernels, each instruction set that the machine has, beside plain reads |
//! | `benches/flat.rs` | exact scan: bytes a second against a plain read of the same bytes |
//! | `benches/hnsw.rs` | graph walk and graph build, with recall |
//! | `benches/sparse.rs` | sparse vectors: building an index, the pruned search beside exhaustive ones |
//! | `benches/wal.rs` | log append and sync |
//! | `benches/codec.rs` | payloads, points files, id lookup |
//! | `benches/reads.rs` | the embedded API: points by id, scroll, counts, searches in a batch, opening |
//! | `examples/extend.rs` | graphs that are extended instead of built anew |
//! | `examples/search_while_writing.rs` | how long searches take while rows come in |
//! | `src/sized.rs` | how much these are measured on |
//! | `src/clustered.rs` | made-up vectors for these |
//! | `src/words.rs` | made-up texts as sparse vectors |
//! | `src/mixtures.rs` | larger sets of the same shape: mixtures of near neighbours |
//! | `src/arguments.rs` | [`DataArgs`]: the options that say what is measured on |
//! | `src/error.rs` | [`Error`] |
//! | `src/truth.rs` | true neighbours, by code of its own |
//! | `src/ann.rs`, `src/dataset.rs` | [`Dataset`]: rows, queries and payloads in memory |
//! | `src/cells.rs` | [`Cells`]: filters to measure |
//! | `src/system.rs` | [`System`]: what is asked |
//! | `src/ours.rs` | [`Ours`]: our database as such a system |
//! | `src/race.rs` | [`race()`]: systems in one process, asked in turns |
//! | `src/conditions.rs`, `src/texts.rs` | every kind of condition, and payloads for them; texts as sparse vectors |
//! | `src/tasks.rs`, `src/ours_tasks.rs` | [`measure_tasks()`]: counts, sparse and hybrid searches of systems in one process; ours |
//! | `src/ingest.rs` | [`ingest()`]: systems in one process, written to in turns |
//!
//! `compare/` measures ours, runs the others and makes tables and plots of what all of them wrote; `edge/` has Qdrant's
//! core in the same process, in a workspace of its own; `server/` asks a Qdrant server; `peers/` is a script that measures
//! libraries that Python has. Depends on anything; only
//! the three crates depend on it.

#![forbid(unsafe_code)]

mod ann;
mod arguments;
mod cells;
mod clustered;
mod conditions;
mod dataset;
mod error;
mod ingest;
mod mixtures;
mod ours;
mod ours_tasks;
mod race;
mod sized;
mod system;
mod tasks;
mod texts;
mod truth;
mod words;

pub use arguments::DataArgs;
pub use cells::{Cell, Cells, INDEXES};
pub use clustered::clustered;
pub use conditions::indexes as task_indexes;
pub use dataset::{Dataset, Source};
pub use error::{Error, Result};
pub use ingest::{IngestPlan, Store, Writer, ingest, our_writers};
pub use mixtures::mixtures;
pub use ours::Ours;
pub use ours_tasks::{OurRequest, OursTasks};
pub use race::{Questions, Runner, Truth, race};
pub use sized::sized;
pub use system::{Made, Question, System};
pub use tasks::{
    Contender, Corpus, DENSE, LIMIT, Performer, RRF_K, Task, TaskKind, Tell, WORDS, measure_tasks,
};
pub use texts::Texts;
pub use words::{SparseSet, Words};
