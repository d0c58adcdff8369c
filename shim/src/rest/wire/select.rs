//! What comes back with a point.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::Value;
use vdb::{PayloadSelector, Select, VectorSelector};

/// Which part of the payload comes back.
#[derive(Clone, Debug)]
pub(in crate::rest) struct WithPayload(PayloadSelector);

impl<'de> Deserialize<'de> for WithPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        PayloadSelector::from_json(&value)
            .map(WithPayload)
            .map_err(de::Error::custom)
    }
}

/// Which vectors come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected true, false, or a list of names of vectors")]
pub(in crate::rest) enum WithVector {
    /// All or none.
    All(bool),
    /// Those of these names.
    Names(Vec<String>),
}

/// What comes back, where what is not said is as the route has it.
pub(in crate::rest) fn select(
    payload: Option<WithPayload>,
    vector: Option<WithVector>,
    payload_by_default: bool,
) -> Select {
    Select {
        payload: payload.map_or_else(|| payload_by_default.into(), |WithPayload(payload)| payload),
        vectors: match vector {
            None => VectorSelector::None,
            Some(WithVector::All(all)) => all.into(),
            Some(WithVector::Names(names)) => VectorSelector::Names(names),
        },
    }
}
