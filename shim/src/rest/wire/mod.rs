//! Shapes that several routes share.
//!
//! | file | what |
//! |---|---|
//! | `vector.rs` | vectors, in and out |
//! | `filter.rs` | filters |
//! | `path.rs` | payload paths |
//! | `select.rs` | what comes back with a point |
//! | `point.rs` | points that come back |
//! | `shard.rs` | keys of shards, which there are none of |
//! | `shape.rs` | values of several shapes |

mod filter;
mod path;
mod point;
mod select;
mod shape;
mod shard;
mod vector;

pub(super) use filter::{WireFilter, optional};
pub(super) use path::WirePath;
pub(super) use point::{RecordOut, ScoredOut};
pub(super) use select::{WithPayload, WithVector, select};
pub(super) use shape::{Shaped, by_shape, rounded, truth_value};
pub(super) use shard::ShardKeys;
pub(super) use vector::{WireVector, WireVectors, names_model};

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess};

/// How the bodies of some routes are read, by name: whether bytes are one that makes sense.
pub(super) type Bodies = &'static [(&'static str, fn(&[u8]) -> bool)];

/// One object, or a list of them.
#[derive(Debug)]
pub(super) struct OneOrMany<T>(Vec<T>);

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        self.0
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Shaped<'de> for OneOrMany<T> {
    const EXPECTED: &'static str = "an object or a list of objects";

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let one = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(OneOrMany(vec![one]))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

#[cfg(test)]
mod tests;
