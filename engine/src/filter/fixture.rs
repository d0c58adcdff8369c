//! Points for the tests of filters.

use serde_json::{Map, Value};
use vdb_storage::{
    PointId, ValueError,
    payload::{ObjectRef, encode_payload},
};

use std::sync::Arc;

use super::{CompiledFilter, Filter, PointSource, TextAnalysis, TextFields};

/// No path has an index.
pub(crate) struct NoTexts;

impl TextFields for NoTexts {
    fn text_analysis(&self, _path: &str) -> Option<&Arc<TextAnalysis>> {
        None
    }

    fn has_uuids(&self, _path: &str) -> bool {
        false
    }
}

/// A point in memory, its payload encoded as a segment holds it.
pub(crate) struct Doc {
    pub(crate) id: PointId,
    pub(crate) payload: Vec<u8>,
    pub(crate) vectors: Vec<&'static str>,
}

impl Doc {
    pub(crate) fn new(payload: &Value) -> Self {
        let empty = Map::new();
        let payload = encode_payload(payload.as_object().unwrap_or(&empty)).unwrap();
        Self {
            id: PointId::Num(1),
            payload,
            vectors: vec!["", "image"],
        }
    }

    /// Whether this point matches the filter, which is given in JSON.
    pub(crate) fn matches(&self, filter: &Value) -> bool {
        let filter = Filter::from_json(filter).unwrap();
        CompiledFilter::new(&filter, &NoTexts)
            .unwrap()
            .matches(self)
            .unwrap()
    }
}

impl PointSource for Doc {
    fn id(&self) -> PointId {
        self.id
    }

    fn payload(&self) -> Result<ObjectRef<'_>, ValueError> {
        ObjectRef::from_payload(&self.payload)
    }

    fn has_vector(&self, name: &str) -> bool {
        self.vectors.contains(&name)
    }
}
