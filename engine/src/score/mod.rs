//! What score follows from scores?
//!
//! | file | what |
//! |---|---|
//! | `fusion.rs` | one list made of several: reciprocal ranks, distributions |
//! | `examples.rs` | one score made of a point's similarities to several examples |
//! | `mmr.rs` | which results to show when they should differ |
//!
//! Pure functions of numbers: no collection, no ids but as something that can be compared. Similarities are larger for
//! nearer points whatever the distance: minus the square for Euclid, minus the sum for Manhattan.

mod examples;
mod fusion;
mod mmr;

pub(crate) use examples::Mix;
pub(crate) use fusion::fuse;
pub use fusion::{DEFAULT_RRF_K, Fusion};
pub(crate) use mmr::diverse;

/// The `f32` of a score; what is beyond its range is cut to the ends.
fn finite(score: f64) -> f32 {
    (score as f32).clamp(f32::MIN, f32::MAX)
}
