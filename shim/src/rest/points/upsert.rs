//! Whole points, in rows or in columns.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess};
use vdb::{Operation, Payload, Point, PointId, UpsertMode, Vectors};

use super::Write;
use crate::inference::{Models, Role};
use crate::rest::wire::{Shaped, ShardKeys, WireFilter, WireVector, WireVectors, by_shape, optional};
use crate::service::{Problems, ServiceError};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Upsert,
    InsertOnly,
    UpdateOnly,
}

impl From<Mode> for UpsertMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Upsert => UpsertMode::Upsert,
            Mode::InsertOnly => UpsertMode::InsertOnly,
            Mode::UpdateOnly => UpsertMode::UpdateOnly,
        }
    }
}

#[derive(Deserialize)]
struct WirePoint {
    id: PointId,
    #[serde(alias = "vectors")]
    vector: WireVectors,
    payload: Option<Payload>,
}

/// Points in columns.
#[derive(Deserialize)]
struct Columns {
    ids: Vec<PointId>,
    vectors: VectorColumns,
    payloads: Option<Vec<Option<Payload>>>,
}

enum VectorColumns {
    Single(Vec<WireVector>),
    Named(BTreeMap<String, Vec<WireVector>>),
}

impl<'de> Shaped<'de> for VectorColumns {
    const EXPECTED: &'static str = "a list of vectors, or a map of names to such lists";

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(VectorColumns::Single)
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(VectorColumns::Named)
    }
}

impl<'de> Deserialize<'de> for VectorColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `points` or `batch`")]
struct UpsertFields {
    points: Option<Vec<WirePoint>>,
    batch: Option<Columns>,
    update_filter: Option<WireFilter>,
    update_mode: Option<Mode>,
    shard_key: Option<ShardKeys>,
}

/// Points in rows or in columns.
enum Given {
    Rows(Vec<WirePoint>),
    Columns(Columns),
}

#[derive(Deserialize)]
#[serde(try_from = "UpsertFields")]
pub(super) struct Upsert {
    given: Given,
    update_filter: Option<WireFilter>,
    update_mode: Option<Mode>,
    shard_key: Option<ShardKeys>,
}

impl TryFrom<UpsertFields> for Upsert {
    type Error = &'static str;

    fn try_from(fields: UpsertFields) -> Result<Self, Self::Error> {
        let given = match (fields.points, fields.batch) {
            (Some(points), _) => Given::Rows(points),
            (None, Some(columns)) => Given::Columns(columns),
            (None, None) => return Err("expected `points` or `batch`"),
        };
        Ok(Upsert {
            given,
            update_filter: fields.update_filter,
            update_mode: fields.update_mode,
            shard_key: fields.shard_key,
        })
    }
}

impl Write for Upsert {
    fn names_model(&self) -> bool {
        match &self.given {
            Given::Rows(points) => points.iter().any(|point| point.vector.names_model()),
            Given::Columns(columns) => match &columns.vectors {
                VectorColumns::Single(column) => column.iter().any(WireVector::names_model),
                VectorColumns::Named(named) => named.values().flatten().any(WireVector::names_model),
            },
        }
    }

    fn operation(self, place: &str, models: &mut Models<'_>) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        let points = match self.given {
            Given::Rows(points) => rows(points, place, models)?,
            Given::Columns(columns) => columns.rows(place, models)?,
        };
        Ok(Operation::Upsert {
            points,
            mode: self.update_mode.map_or(UpsertMode::Upsert, Mode::into),
            update_filter: optional(self.update_filter, &format!("{place}update_filter"))?,
        })
    }
}

fn rows(points: Vec<WirePoint>, place: &str, models: &mut Models<'_>) -> Result<Vec<Point>, ServiceError> {
    let mut problems = Problems::new();
    for (number, point) in points.iter().enumerate() {
        let place = format!("{place}points[{number}].vector");
        point.vector.check(&place, &mut problems);
    }
    problems.finish()?;
    points
        .into_iter()
        .map(|point| {
            Ok(Point {
                id: point.id,
                vectors: point.vector.vectors(models)?,
                payload: point.payload.unwrap_or_default(),
            })
        })
        .collect()
}

impl Columns {
    fn rows(self, place: &str, models: &mut Models<'_>) -> Result<Vec<Point>, ServiceError> {
        let count = self.ids.len();
        let mut problems = Problems::new();
        let mut same = |name: &str, len: usize| {
            if len != count {
                problems.add(
                    format_args!("{place}batch.{name}"),
                    format_args!("number of ids and {name} must be equal ({count} != {len})"),
                );
            }
        };
        match &self.vectors {
            VectorColumns::Single(column) => same("vectors", column.len()),
            VectorColumns::Named(named) => named.values().for_each(|column| same("vectors", column.len())),
        }
        if let Some(payloads) = &self.payloads {
            same("payloads", payloads.len());
        }
        match &self.vectors {
            VectorColumns::Single(column) => {
                for (number, vector) in column.iter().enumerate() {
                    vector.check(&format!("{place}batch.vectors[{number}]"), &mut problems);
                }
            }
            VectorColumns::Named(named) => {
                let place = format!("{place}batch.vectors.?");
                for vector in named.values().flatten() {
                    vector.check(&place, &mut problems);
                }
            }
        }
        problems.finish()?;
        let mut points: Vec<Point> = self
            .ids
            .into_iter()
            .map(|id| Point::new(id, Vectors::default()))
            .collect();
        let named = match self.vectors {
            VectorColumns::Single(column) => BTreeMap::from([(String::new(), column)]),
            VectorColumns::Named(named) => named,
        };
        for (name, column) in named {
            for (point, vector) in points.iter_mut().zip(column) {
                let vectors = std::mem::take(&mut point.vectors);
                point.vectors = vectors.with(name.as_str(), vector.vector(Role::Document, models)?);
            }
        }
        for (point, payload) in points.iter_mut().zip(self.payloads.into_iter().flatten()) {
            point.payload = payload.unwrap_or_default();
        }
        Ok(points)
    }
}
