//! How is something measured, so that figures of different programs can stand side by side?
//!
//! ```text
//! data file -> Split: queries | rows -> (the system that is measured) -> Stopwatch -> Measured --.
//!                                                     process: memory, disk ---------------------+-> Line, as JSON
//! ```
//!
//! | file | what |
//! |---|---|
//! | `numpy.rs` | NumPy's seeded generator: permutations and uniform numbers |
//! | `split.rs` | which rows of a data set are queries |
//! | `timing.rs` | [`Stopwatch`]: the fastest of several passes a query, recall, percentiles |
//! | `process.rs` | what the system says of this process: memory; bytes of a directory |
//! | `line.rs` | [`Line`]: what one setting of one system came to, one JSON object a line |
//!
//! May depend on `vdb-interop` and nothing heavy: the command line tool is built with it.

#![forbid(unsafe_code)]

mod line;
mod numpy;
mod process;
mod split;
mod timing;

pub use line::Line;
pub use numpy::{permutation, uniform};
pub use process::{Memory, directory_bytes, watching};
pub use split::{Split, SplitError};
pub use timing::{Measured, Plan, Stopwatch, percentile};

/// A number with so many digits after the point, for output.
///
/// ```
/// assert_eq!(vdb_measure::rounded(2.71828, 2), 2.72);
/// ```
pub fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}
