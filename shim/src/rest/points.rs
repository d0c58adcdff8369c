//! Writes of points.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{post, put};
use serde::Deserialize;
use vdb::{Operation, Payload, Point, PointId, Target, UpsertMode, Vectors};

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, WriteParams};
use super::wire::{WireFilter, WireVector, WireVectors, optional};
use crate::inference::Role;
use crate::service::{Problems, ServiceError};

pub(super) fn routes() -> Router<App> {
    let points = "/collections/{collection}/points";
    let below = |path: &str| format!("{points}/{path}");
    Router::new()
        .route(points, put(write::<Upsert>))
        .route(&below("delete"), post(write::<Delete>))
        .route(&below("vectors"), put(write::<UpdateVectors>))
        .route(&below("vectors/delete"), post(write::<DeleteVectors>))
        .route(
            &below("payload"),
            post(write::<SetPayload>).put(write::<OverwritePayload>),
        )
        .route(&below("payload/delete"), post(write::<DeletePayload>))
        .route(&below("payload/clear"), post(write::<ClearPayload>))
        .route(&below("batch"), post(batch))
}

/// A body that is an operation.
trait Write: serde::de::DeserializeOwned + Send + 'static {
    fn operation(self) -> Result<Operation, ServiceError>;
}

async fn write<W: Write>(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(body): Json<W>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let operation = body.operation()?;
        Ok(app.service.update(&collection, operation, options).await?)
    })
    .await
}

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

#[derive(Deserialize)]
#[serde(untagged)]
enum VectorColumns {
    Single(Vec<WireVector>),
    Named(BTreeMap<String, Vec<WireVector>>),
}

#[derive(Deserialize)]
struct UpsertFields {
    points: Option<Vec<WirePoint>>,
    batch: Option<Columns>,
    update_filter: Option<WireFilter>,
    update_mode: Option<Mode>,
}

/// Points in rows or in columns.
enum Given {
    Rows(Vec<WirePoint>),
    Columns(Columns),
}

#[derive(Deserialize)]
#[serde(try_from = "UpsertFields")]
struct Upsert {
    given: Given,
    update_filter: Option<WireFilter>,
    update_mode: Option<Mode>,
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
        })
    }
}

impl Write for Upsert {
    fn operation(self) -> Result<Operation, ServiceError> {
        let points = match self.given {
            Given::Rows(points) => rows(points)?,
            Given::Columns(columns) => columns.rows()?,
        };
        Ok(Operation::Upsert {
            points,
            mode: self.update_mode.map_or(UpsertMode::Upsert, Mode::into),
            update_filter: optional(self.update_filter)?,
        })
    }
}

fn rows(points: Vec<WirePoint>) -> Result<Vec<Point>, ServiceError> {
    let mut problems = Problems::new();
    for (number, point) in points.iter().enumerate() {
        let place = format!("points[{number}].vector");
        point.vector.check(&place, &mut problems);
    }
    problems.finish()?;
    points
        .into_iter()
        .map(|point| {
            Ok(Point {
                id: point.id,
                vectors: point.vector.vectors()?,
                payload: point.payload.unwrap_or_default(),
            })
        })
        .collect()
}

impl Columns {
    fn rows(self) -> Result<Vec<Point>, ServiceError> {
        let count = self.ids.len();
        let mut problems = Problems::new();
        let mut same = |name: &str, len: usize| {
            if len != count {
                problems.add(
                    format_args!("batch.{name}"),
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
                point.vectors = vectors.with(name.as_str(), vector.vector(Role::Document)?);
            }
        }
        for (point, payload) in points.iter_mut().zip(self.payloads.into_iter().flatten()) {
            point.payload = payload.unwrap_or_default();
        }
        Ok(points)
    }
}

/// Which points: of ids and a filter the ids win.
#[derive(Deserialize)]
struct Selected {
    points: Option<Vec<PointId>>,
    filter: Option<WireFilter>,
}

impl Selected {
    fn target(self) -> Result<Target, ServiceError> {
        match (self.points, self.filter) {
            (Some(ids), _) => Ok(Target::Ids(ids)),
            (None, Some(filter)) => Ok(Target::Filter(filter.filter()?)),
            (None, None) => Err(ServiceError::validation(
                "points",
                "Either list of point ids or filter must be provided",
            )),
        }
    }
}

/// A selection that is all of a body: without it, the body has a shape that is not known.
#[derive(Deserialize)]
#[serde(try_from = "Selected")]
struct OnlySelected(Selected);

impl TryFrom<Selected> for OnlySelected {
    type Error = &'static str;

    fn try_from(selected: Selected) -> Result<Self, Self::Error> {
        if selected.points.is_none() && selected.filter.is_none() {
            return Err("expected `points` or `filter`");
        }
        Ok(OnlySelected(selected))
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Delete(OnlySelected);

impl Write for Delete {
    fn operation(self) -> Result<Operation, ServiceError> {
        let target = self.0.0.target()?;
        Ok(Operation::Delete { target })
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct ClearPayload(OnlySelected);

impl Write for ClearPayload {
    fn operation(self) -> Result<Operation, ServiceError> {
        let target = self.0.0.target()?;
        Ok(Operation::ClearPayload { target })
    }
}

#[derive(Deserialize)]
struct SetPayload {
    payload: Payload,
    #[serde(flatten)]
    selected: Selected,
    key: Option<String>,
}

impl Write for SetPayload {
    fn operation(self) -> Result<Operation, ServiceError> {
        Ok(Operation::SetPayload {
            payload: self.payload,
            target: self.selected.target()?,
            key: self.key,
        })
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct OverwritePayload(SetPayload);

impl Write for OverwritePayload {
    fn operation(self) -> Result<Operation, ServiceError> {
        Ok(Operation::OverwritePayload {
            payload: self.0.payload,
            target: self.0.selected.target()?,
        })
    }
}

#[derive(Deserialize)]
struct DeletePayload {
    keys: Vec<String>,
    #[serde(flatten)]
    selected: Selected,
}

impl Write for DeletePayload {
    fn operation(self) -> Result<Operation, ServiceError> {
        Ok(Operation::DeletePayload {
            keys: self.keys,
            target: self.selected.target()?,
        })
    }
}

#[derive(Deserialize)]
struct PointVectors {
    id: PointId,
    #[serde(alias = "vectors")]
    vector: WireVectors,
}

#[derive(Deserialize)]
struct UpdateVectors {
    points: Vec<PointVectors>,
    update_filter: Option<WireFilter>,
}

impl Write for UpdateVectors {
    fn operation(self) -> Result<Operation, ServiceError> {
        let mut problems = Problems::new();
        if self.points.is_empty() {
            problems.add("points", "must specify points to update");
        }
        for (number, point) in self.points.iter().enumerate() {
            let place = format!("points[{number}].vector");
            if point.vector.is_empty() {
                problems.add(&place, "must specify vectors to update for point");
            }
            point.vector.check(&place, &mut problems);
        }
        problems.finish()?;
        let points = self.points.into_iter();
        Ok(Operation::UpdateVectors {
            points: points
                .map(|point| Ok((point.id, point.vector.vectors()?)))
                .collect::<Result<_, ServiceError>>()?,
            update_filter: optional(self.update_filter)?,
        })
    }
}

#[derive(Deserialize)]
struct DeleteVectors {
    vector: Vec<String>,
    #[serde(flatten)]
    selected: Selected,
}

impl Write for DeleteVectors {
    fn operation(self) -> Result<Operation, ServiceError> {
        let mut problems = Problems::new();
        if self.vector.is_empty() {
            problems.add("vector", "must specify vector names to delete");
        }
        problems.finish()?;
        Ok(Operation::DeleteVectors {
            names: self.vector,
            target: self.selected.target()?,
        })
    }
}

#[derive(Deserialize)]
struct Batch {
    operations: Vec<BatchOperation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BatchOperation {
    Upsert(Upsert),
    Delete(Delete),
    SetPayload(SetPayload),
    OverwritePayload(OverwritePayload),
    DeletePayload(DeletePayload),
    ClearPayload(ClearPayload),
    UpdateVectors(UpdateVectors),
    DeleteVectors(DeleteVectors),
}

impl BatchOperation {
    fn operation(self) -> Result<Operation, ServiceError> {
        match self {
            BatchOperation::Upsert(body) => body.operation(),
            BatchOperation::Delete(body) => body.operation(),
            BatchOperation::SetPayload(body) => body.operation(),
            BatchOperation::OverwritePayload(body) => body.operation(),
            BatchOperation::DeletePayload(body) => body.operation(),
            BatchOperation::ClearPayload(body) => body.operation(),
            BatchOperation::UpdateVectors(body) => body.operation(),
            BatchOperation::DeleteVectors(body) => body.operation(),
        }
    }
}

async fn batch(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(body): Json<Batch>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let operations = body.operations.into_iter().map(BatchOperation::operation);
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        let results = app.service.update_batch(&collection, operations, options).await;
        results.map_err(Failure::from)
    })
    .await
}
