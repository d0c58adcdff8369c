//! Which points a write is for, and the writes of which that is all that is said.

use serde::Deserialize;
use vdb::{Operation, PointId, Target};

use super::Write;
use crate::inference::Models;
use crate::rest::wire::{ShardKeys, WireFilter};
use crate::service::ServiceError;

#[derive(Deserialize)]
#[serde(expecting = "an object with `points` or `filter`")]
struct SelectedFields {
    points: Option<Vec<PointId>>,
    filter: Option<WireFilter>,
    shard_key: Option<ShardKeys>,
}

/// Which points: of ids and a filter the ids win. A body with neither has a shape that is not known.
#[derive(Deserialize)]
#[serde(try_from = "SelectedFields")]
pub(super) struct Selected {
    which: Which,
    shard_key: Option<ShardKeys>,
}

enum Which {
    Ids(Vec<PointId>),
    Filter(WireFilter),
}

impl TryFrom<SelectedFields> for Selected {
    type Error = &'static str;

    fn try_from(fields: SelectedFields) -> Result<Self, Self::Error> {
        let which = match (fields.points, fields.filter) {
            (Some(ids), _) => Which::Ids(ids),
            (None, Some(filter)) => Which::Filter(filter),
            (None, None) => return Err("Either list of point ids or filter must be provided"),
        };
        Ok(Selected {
            which,
            shard_key: fields.shard_key,
        })
    }
}

impl Selected {
    /// `place` is as for [`Write::operation`].
    pub(super) fn target(self, place: &str) -> Result<Target, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        match self.which {
            Which::Ids(ids) => Ok(Target::Ids(ids)),
            Which::Filter(filter) => Ok(Target::Filter(filter.filter(&format!("{place}filter"))?)),
        }
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Delete(Selected);

impl Write for Delete {
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        let target = self.0.target(place)?;
        Ok(Operation::Delete { target })
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct ClearPayload(Selected);

impl Write for ClearPayload {
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        let target = self.0.target(place)?;
        Ok(Operation::ClearPayload { target })
    }
}
