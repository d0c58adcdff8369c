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

mod filter;
mod path;
mod point;
mod select;
mod shard;
mod vector;

pub(super) use filter::{WireFilter, optional};
pub(super) use path::WirePath;
pub(super) use point::{RecordOut, ScoredOut};
pub(super) use select::{WithPayload, WithVector, select};
pub(super) use shard::ShardKeys;
pub(super) use vector::{WireVector, WireVectors};

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// How the bodies of some routes are read, by name: whether bytes are one that makes sense.
pub(super) type Bodies = &'static [(&'static str, fn(&[u8]) -> bool)];

/// One object, or a list of them.
///
/// Which it is shows at its first byte: trying one and then the other would read what is nested in it twice on every level.
#[derive(Debug)]
pub(super) struct OneOrMany<T>(Vec<T>);

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Seen<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMany<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                let one = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(OneOrMany(vec![one]))
            }
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

#[cfg(test)]
mod tests;
