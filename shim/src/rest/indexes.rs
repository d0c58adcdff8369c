//! Payload indexes.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, put};
use serde::Deserialize;
use serde_json::Value;
use vdb::{PayloadIndexKind, PayloadIndexParams};

use super::App;
use super::envelope::{Failure, Part, answer};
use super::extract::{At, Json, Params, WriteParams};
use super::wire::{Bodies, WirePath};
use crate::service::ServiceError;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/collections/{collection_name}/index", put(create))
        .route(
            "/collections/{collection_name}/index/{field_name}",
            delete(remove),
        )
}

/// How bodies are read.
pub(super) const BODIES: Bodies = &[("index", |bytes| {
    serde_json::from_slice::<CreateIndex>(bytes).is_ok_and(|body| {
        body.field_schema
            .is_some_and(|schema| read_schema(&schema).is_ok())
    })
})];

#[derive(Deserialize)]
struct CreateIndex {
    field_name: WirePath,
    #[serde(alias = "field_type")]
    field_schema: Option<Value>,
}

async fn create(
    State(app): State<App>,
    At(collection): At<String>,
    Params(params): Params<WriteParams>,
    Json(body): Json<CreateIndex>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        let Some(schema) = body.field_schema else {
            return Err(ServiceError::bad_request(
                "Can't auto-detect field type, please specify `field_schema` in the request",
            )
            .into());
        };
        let index = read_schema(&schema)?;
        let service = &app.service;
        Ok(service
            .create_index(&collection, &body.field_name.into_text(), index, options)
            .await?)
    })
    .await
}

/// What an index is to be. Options that indexes of its kind do not have are passed over. An integer index that is to answer
/// nothing is well-formed and yet of no use.
fn read_schema(schema: &Value) -> Result<PayloadIndexParams, Failure> {
    let named = schema.get("type").and_then(Value::as_str);
    let kind = PayloadIndexKind::ALL
        .into_iter()
        .find(|kind| named == Some(kind.name()));
    let off = |name: &str| schema.get(name) == Some(&Value::Bool(false));
    if kind == Some(PayloadIndexKind::Integer) && off("lookup") && off("range") {
        let error = ServiceError::validation(
            "field_schema",
            "the 'lookup' and 'range' capabilities can't be both disabled",
        );
        return Err(Failure::of(error, Part::Body));
    }
    // What indexes of the kind do not have is as good as what none has.
    let has = |name: &str| kind.is_none_or(|kind| PayloadIndexParams::knows(kind, name));
    let known = match schema {
        Value::Object(options) => Value::Object(
            options
                .iter()
                .filter(|(name, _)| has(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            schema.clone()
        }
    };
    PayloadIndexParams::from_json(&known).map_err(|error| Failure::format(Part::Body, error))
}

async fn remove(
    State(app): State<App>,
    At((collection, field)): At<(String, String)>,
    Params(params): Params<WriteParams>,
) -> Response {
    answer(async move {
        let options = params.options()?;
        Ok(app.service.delete_index(&collection, &field, options).await?)
    })
    .await
}
