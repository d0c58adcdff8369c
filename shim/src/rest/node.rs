//! What a node says of itself: version, health.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::App;
use crate::service::{QDRANT_COMMIT, QDRANT_TITLE, QDRANT_VERSION};

const HEALTHY: &str = "healthz check passed";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(version))
        .route("/healthz", get(healthy))
        .route("/livez", get(healthy))
        .route("/readyz", get(ready))
}

async fn version() -> axum::Json<Value> {
    about()
}

fn about() -> axum::Json<Value> {
    axum::Json(json!({ "title": QDRANT_TITLE, "version": QDRANT_VERSION, "commit": QDRANT_COMMIT }))
}

async fn healthy() -> &'static str {
    HEALTHY
}

/// What is answered of all this while the database is being opened: the paths that Kubernetes asks.
pub(crate) fn while_opening(path: &str) -> Option<Response> {
    match path.trim_end_matches('/') {
        "" => Some(about().into_response()),
        "/healthz" | "/livez" => Some(HEALTHY.into_response()),
        "/readyz" => Some((StatusCode::SERVICE_UNAVAILABLE, "some shards are not ready").into_response()),
        _ => None,
    }
}

/// Collections are opened when they are asked for: whoever is answered at all is answered.
async fn ready() -> &'static str {
    "all shards are ready"
}
