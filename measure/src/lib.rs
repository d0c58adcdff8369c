//! How is something measured, so that figures of different programs can stand side by side?
//!
//! ```text
//! data file -> Split: queries | rows -> (the system that is measured) -> Stopwatch, in_turns -> Measured --.
//!                                                     process: memory, disk -----------------------------+-> Line, as JSON
//! ```
//!
//! | file | what |
//! |---|---|
//! | `numpy.rs` | NumPy's seeded generator: permutations and uniform numbers |
//! | `split.rs` | which rows of a data set are queries |
//! | `setting.rs` | [`Setting`]: what a search is told |
//! | `timing.rs` | [`Stopwatch`]: the fastest of several passes a query, recall, percentiles |
//! | `at_once.rs` | threads that do the same at once, and what their calls take |
//! | `together.rs` | [`in_turns()`]: several threads at once, against one |
//! | `writing.rs` | [`hand_in()`]: writes from several threads; [`IngestLine`]: what they came to |
//! | `mapped.rs` | [`MappedFiles`]: how much of a database's files is in memory, and putting it out |
//! | `group.rs` | [`MemoryGroup`]: a limit on this process's memory |
//! | `process.rs` | what the system says of this process: memory; bytes of a directory |
//! | `line.rs` | [`Line`]: what one setting of one system came to, one JSON object a line |
//!
//! May depend on `vdb-interop`, `vdb-sys` and nothing heavy: the command line tool is built with it.

#![forbid(unsafe_code)]

mod at_once;
mod group;
mod line;
mod mapped;
mod numpy;
mod process;
mod setting;
mod split;
mod timing;
mod together;
mod writing;

pub use group::MemoryGroup;
pub use line::Line;
pub use mapped::MappedFiles;
pub use numpy::{permutation, uniform};
pub use process::{Memory, directory_bytes, read_bytes, watching};
pub use setting::Setting;
pub use split::{Split, SplitError};
pub use timing::{Measured, Plan, Stopwatch, percentile};
pub use together::{Together, in_turns};
pub use writing::{IngestLine, Load, Written, hand_in};

/// A number with so many digits after the point, for output.
///
/// ```
/// assert_eq!(vdb_measure::rounded(2.71828, 2), 2.72);
/// ```
pub fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}
