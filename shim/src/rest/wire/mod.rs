//! Shapes that several routes share.
//!
//! | file | what |
//! |---|---|
//! | `vector.rs` | vectors, in and out |
//! | `filter.rs` | filters |
//! | `select.rs` | what comes back with a point |
//! | `point.rs` | points that come back |

mod filter;
mod point;
mod select;
mod vector;

pub(super) use filter::{WireFilter, optional};
pub(super) use point::{RecordOut, ScoredOut};
pub(super) use select::{WithPayload, WithVector, select};
pub(super) use vector::{WireVector, WireVectors};

use serde::Deserialize;

/// One of something, or a list of it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    /// A list.
    Many(Vec<T>),
    /// One.
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::Many(many) => many,
            OneOrMany::One(one) => vec![one],
        }
    }
}
