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

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{post, put};
use serde::Deserialize;
use vdb::Operation;

use super::App;
use super::envelope::{Failure, answer};
use super::extract::{At, Json, Params, WriteParams};
use super::meant::{self, Means, Meant};
use super::wire::Bodies;
use crate::inference::Models;
use crate::service::ServiceError;
use batch::Batch;
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
    ("batch", meant::reads::<Batch>),
];

fn reads<W: Write>(bytes: &[u8]) -> bool {
    meant::reads::<Alone<W>>(bytes)
}

/// A body that is an operation.
trait Write: serde::de::DeserializeOwned + Send + 'static {
    /// Whether there are texts in it that a model makes vectors of.
    fn names_model(&self) -> bool {
        false
    }

    /// The operation. `place` is what errors put before the names of its parts: nothing, where it stands alone.
    fn operation(self, place: &str, models: &mut Models<'_>) -> Result<Operation, ServiceError>;
}

/// A body that is one operation.
#[derive(Deserialize)]
#[serde(transparent)]
struct Alone<W>(W);

impl<W: Write> Means for Alone<W> {
    type Meaning = Operation;

    fn names_model(&self) -> bool {
        self.0.names_model()
    }

    fn meaning(self, models: &mut Models<'_>) -> Result<Operation, Failure> {
        Ok(self.0.operation("", models)?)
    }
}

async fn write<W: Write>(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(body): Json<Meant<Alone<W>>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let operation = body.made(&app.service, options.making()).await?;
        Ok(app.service.update(&collection, operation, options).await?)
    })
    .await
}

async fn write_batch(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(body): Json<Meant<Batch>>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let operations = body.made(&app.service, options.making()).await?;
        let results = app.service.update_batch(&collection, operations, options).await;
        results.map_err(Failure::from)
    })
    .await
}
