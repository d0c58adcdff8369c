//! What a node says of itself: version, health, issues.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::App;
use super::envelope::answer;
use crate::service::{QDRANT_COMMIT, QDRANT_TITLE, QDRANT_VERSION};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(version))
        .route("/healthz", get(healthy))
        .route("/livez", get(healthy))
        .route("/readyz", get(ready))
        .route("/issues", get(issues).delete(clear_issues))
}

async fn version() -> axum::Json<Value> {
    axum::Json(json!({ "title": QDRANT_TITLE, "version": QDRANT_VERSION, "commit": QDRANT_COMMIT }))
}

async fn healthy() -> &'static str {
    "healthz check passed"
}

/// Collections are opened when they are asked for: whoever is answered at all is answered.
async fn ready() -> &'static str {
    "all shards are ready"
}

/// Nothing is reported as an issue.
async fn issues() -> Response {
    answer(async { Ok(json!({ "issues": [] })) }).await
}

async fn clear_issues() -> Response {
    answer(async { Ok(true) }).await
}
