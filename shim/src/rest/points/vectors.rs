//! Vectors of points that are there: replaced by name, taken away by name.

use serde::Deserialize;
use vdb::{Condition, Filter, Operation, PointId, Target};

use super::Write;
use crate::inference::Models;
use crate::rest::wire::{ShardKeys, WireFilter, WireVectors, optional};
use crate::service::{Problems, ServiceError};

#[derive(Deserialize)]
struct PointVectors {
    id: PointId,
    #[serde(alias = "vectors")]
    vector: WireVectors,
}

#[derive(Deserialize)]
pub(super) struct UpdateVectors {
    points: Vec<PointVectors>,
    update_filter: Option<WireFilter>,
    shard_key: Option<ShardKeys>,
}

impl Write for UpdateVectors {
    fn names_model(&self) -> bool {
        self.points.iter().any(|point| point.vector.names_model())
    }

    fn operation(self, place: &str, models: &mut Models<'_>) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        let mut problems = Problems::new();
        if self.points.is_empty() {
            problems.add(format_args!("{place}points"), "must specify points to update");
        }
        for (number, point) in self.points.iter().enumerate() {
            let place = format!("{place}points[{number}].vector");
            if point.vector.is_empty() {
                problems.add(&place, "must specify vectors to update for point");
            }
            point.vector.check(&place, &mut problems);
        }
        problems.finish()?;
        let points = self.points.into_iter();
        Ok(Operation::UpdateVectors {
            points: points
                .map(|point| Ok((point.id, point.vector.vectors(models)?)))
                .collect::<Result<_, ServiceError>>()?,
            update_filter: optional(self.update_filter, &format!("{place}update_filter"))?,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct DeleteVectors {
    vector: Vec<String>,
    points: Option<Vec<PointId>>,
    filter: Option<WireFilter>,
    shard_key: Option<ShardKeys>,
}

impl Write for DeleteVectors {
    fn operation(self, place: &str, _: &mut Models<'_>) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        let mut problems = Problems::new();
        if self.vector.is_empty() {
            problems.add(
                format_args!("{place}vector"),
                "must specify vector names to delete",
            );
        }
        problems.finish()?;
        // Unlike elsewhere, ids do not win over a filter: both are meant.
        let target = match (self.points, optional(self.filter, &format!("{place}filter"))?) {
            (Some(ids), None) => Target::Ids(ids),
            (None, Some(filter)) => Target::Filter(filter),
            (Some(ids), Some(filter)) => {
                Target::Filter(Filter::should([Condition::has_id(ids), filter.into()]))
            }
            (None, None) => return Err(ServiceError::bad_request("No filter or points provided")),
        };
        Ok(Operation::DeleteVectors {
            names: self.vector,
            target,
        })
    }
}
