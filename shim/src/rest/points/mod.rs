//! Writes of points.
//!
//! | file | what |
//! |---|---|
//! | `upsert.rs` | whole points |
//! | `selected.rs` | which points a write is for; points and payloads that go |
//! | `payload.rs`, `vectors.rs` | parts of payloads, and vectors, of points that are there |
//! | `batch.rs` | several writes in one request |

mod batch;
mod payload;
mod selected;
mod upsert;
mod vectors;

use std::marker::PhantomData;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{post, put};
use serde::Deserialize;
use serde::de::Deserializer;
use vdb::Operation;

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, WriteParams};
use super::wire::Bodies;
use crate::service::ServiceError;
use batch::Operations;
use payload::{DeletePayload, OverwritePayload, SetPayload};
use selected::{ClearPayload, Delete};
use upsert::Upsert;
use vectors::{DeleteVectors, UpdateVectors};

pub(super) fn routes() -> Router<App> {
    let points = "/collections/{collection_name}/points";
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
        .route(&below("batch"), post(write_batch))
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

async fn write_batch(
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
