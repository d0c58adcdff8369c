//! Writes of points.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{post, put};
use serde::Deserialize;
use serde::de::Deserializer;
use vdb::{Condition, Filter, Operation, Payload, Point, PointId, Target, UpsertMode, Vectors};

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, WriteParams};
use super::wire::{Bodies, ShardKeys, WireFilter, WireVector, WireVectors, optional};
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

/// How bodies are read.
pub(super) const BODIES: Bodies = &[
    ("upsert", reads::<Upsert>),
    ("delete", reads::<Delete>),
    ("update vectors", reads::<UpdateVectors>),
    ("delete vectors", reads::<DeleteVectors>),
    ("set payload", reads::<SetPayload>),
    ("overwrite payload", reads::<OverwritePayload>),
    ("delete payload", reads::<DeletePayload>),
    ("clear payload", reads::<ClearPayload>),
    ("batch", |bytes| {
        serde_json::from_slice::<Operations>(bytes).is_ok_and(|Operations(operations)| operations.is_ok())
    }),
];

fn reads<W: Write>(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Asked<W>>(bytes).is_ok_and(|asked| asked.operation.is_ok())
}

/// A body that is an operation.
trait Write: serde::de::DeserializeOwned + Send + 'static {
    fn operation(self) -> Result<Operation, ServiceError>;
}

/// The operation that a body is, made where it is read: a large body is not read on a thread that serves connections.
struct Asked<W> {
    operation: Result<Operation, ServiceError>,
    body: PhantomData<fn() -> W>,
}

impl<'de, W: Write> Deserialize<'de> for Asked<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = W::deserialize(deserializer)?;
        Ok(Asked {
            operation: body.operation(),
            body: PhantomData,
        })
    }
}

async fn write<W: Write>(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(asked): Json<Asked<W>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        Ok(app.service.update(&collection, asked.operation?, options).await?)
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
    shard_key: Option<ShardKeys>,
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
    fn operation(self) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
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
        match &self.vectors {
            VectorColumns::Single(column) => {
                for (number, vector) in column.iter().enumerate() {
                    vector.check(&format!("batch.vectors[{number}]"), &mut problems);
                }
            }
            VectorColumns::Named(named) => {
                for vector in named.values().flatten() {
                    vector.check("batch.vectors.?", &mut problems);
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
                point.vectors = vectors.with(name.as_str(), vector.vector(Role::Document)?);
            }
        }
        for (point, payload) in points.iter_mut().zip(self.payloads.into_iter().flatten()) {
            point.payload = payload.unwrap_or_default();
        }
        Ok(points)
    }
}

#[derive(Deserialize)]
struct SelectedFields {
    points: Option<Vec<PointId>>,
    filter: Option<WireFilter>,
    shard_key: Option<ShardKeys>,
}

/// Which points: of ids and a filter the ids win. A body with neither has a shape that is not known.
#[derive(Deserialize)]
#[serde(try_from = "SelectedFields")]
struct Selected {
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
    fn target(self) -> Result<Target, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        match self.which {
            Which::Ids(ids) => Ok(Target::Ids(ids)),
            Which::Filter(filter) => Ok(Target::Filter(filter.filter()?)),
        }
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Delete(Selected);

impl Write for Delete {
    fn operation(self) -> Result<Operation, ServiceError> {
        let target = self.0.target()?;
        Ok(Operation::Delete { target })
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct ClearPayload(Selected);

impl Write for ClearPayload {
    fn operation(self) -> Result<Operation, ServiceError> {
        let target = self.0.target()?;
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
    /// The whole payload is replaced: a `key` says nothing here, with Qdrant as well.
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
    shard_key: Option<ShardKeys>,
}

impl Write for UpdateVectors {
    fn operation(self) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
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
    points: Option<Vec<PointId>>,
    filter: Option<WireFilter>,
    shard_key: Option<ShardKeys>,
}

impl Write for DeleteVectors {
    fn operation(self) -> Result<Operation, ServiceError> {
        ShardKeys::refuse_write(self.shard_key.as_ref())?;
        let mut problems = Problems::new();
        if self.vector.is_empty() {
            problems.add("vector", "must specify vector names to delete");
        }
        problems.finish()?;
        // Unlike elsewhere, ids do not win over a filter: both are meant.
        let target = match (self.points, optional(self.filter)?) {
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

#[derive(Deserialize)]
struct Batch {
    operations: Vec<BatchOperation>,
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
struct BatchFields {
    upsert: Option<Upsert>,
    delete: Option<Delete>,
    set_payload: Option<SetPayload>,
    overwrite_payload: Option<OverwritePayload>,
    delete_payload: Option<DeletePayload>,
    clear_payload: Option<ClearPayload>,
    update_vectors: Option<UpdateVectors>,
    delete_vectors: Option<DeleteVectors>,
}

#[derive(Deserialize)]
#[serde(try_from = "BatchFields")]
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

impl TryFrom<BatchFields> for BatchOperation {
    type Error = &'static str;

    fn try_from(fields: BatchFields) -> Result<Self, Self::Error> {
        let given = [
            fields.upsert.map(BatchOperation::Upsert),
            fields.delete.map(BatchOperation::Delete),
            fields.set_payload.map(BatchOperation::SetPayload),
            fields.overwrite_payload.map(BatchOperation::OverwritePayload),
            fields.delete_payload.map(BatchOperation::DeletePayload),
            fields.clear_payload.map(BatchOperation::ClearPayload),
            fields.update_vectors.map(BatchOperation::UpdateVectors),
            fields.delete_vectors.map(BatchOperation::DeleteVectors),
        ];
        let given = given.into_iter().flatten().next();
        given.ok_or(
            "expected one of `upsert`, `delete`, `set_payload`, `overwrite_payload`, `delete_payload`, \
             `clear_payload`, `update_vectors`, `delete_vectors`",
        )
    }
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

/// The operations of a batch, made where it is read.
#[derive(Deserialize)]
#[serde(from = "Batch")]
struct Operations(Result<Vec<Operation>, ServiceError>);

impl From<Batch> for Operations {
    fn from(batch: Batch) -> Self {
        let operations = batch.operations.into_iter().map(BatchOperation::operation);
        Operations(operations.collect())
    }
}

async fn batch(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(Operations(operations)): Json<Operations>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let results = app.service.update_batch(&collection, operations?, options).await;
        results.map_err(Failure::from)
    })
    .await
}
