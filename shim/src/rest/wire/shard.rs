//! Keys of shards. A single node has none, so that a request that names one is for shards that are not there: what is answered
//! for all points would be another answer.

use std::fmt;

use serde::Deserialize;

use crate::service::ServiceError;

/// The name of some shards.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a shard key, which is a number from 0 or a text"
)]
pub(in crate::rest) enum ShardKey {
    Number(u64),
    Keyword(String),
}

impl fmt::Display for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShardKey::Number(number) => write!(f, "{number}"),
            ShardKey::Keyword(text) => write!(f, "{:?}", text.chars().take(64).collect::<String>()),
        }
    }
}

/// Which shards a request is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a shard key, which is a number from 0 or a text, a list of these, or an object of `target` and `fallback`"
)]
pub(in crate::rest) enum ShardKeys {
    /// Those of one key.
    One(ShardKey),
    /// Those of several keys.
    Several(Vec<ShardKey>),
    /// Those of a key, or of another where there are none.
    Fallback {
        /// The key.
        target: ShardKey,
        /// The other.
        #[serde(rename = "fallback")]
        _fallback: ShardKey,
    },
}

impl ShardKeys {
    /// The first that is named; an empty list names none.
    fn first(&self) -> Option<&ShardKey> {
        match self {
            ShardKeys::One(key) | ShardKeys::Fallback { target: key, .. } => Some(key),
            ShardKeys::Several(keys) => keys.first(),
        }
    }

    /// Refuses to read from shards that are not there.
    pub(in crate::rest) fn refuse_read(keys: Option<&Self>) -> Result<(), ServiceError> {
        keys.and_then(ShardKeys::first).map_or(Ok(()), |key| {
            Err(ServiceError::bad_request(format!(
                "Shard key {key} does not exist!"
            )))
        })
    }

    /// Refuses to write to shards that are not there.
    pub(in crate::rest) fn refuse_write(keys: Option<&Self>) -> Result<(), ServiceError> {
        keys.and_then(ShardKeys::first).map_or(Ok(()), |key| {
            Err(ServiceError::bad_input(format!("Shard key {key} not found")))
        })
    }
}
