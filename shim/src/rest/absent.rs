//! What Qdrant has for its makers and this has not: whoever asks is told so, and what there is in its place.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use super::App;
use super::envelope::answer;
use crate::service::{ErrorKind, ServiceError};

pub(super) fn routes() -> Router<App> {
    let logger = || refuse("the log is set up when the server starts: log_level and logger.format");
    let debugger = || refuse("there is nothing to be switched on: attach a debugger to the process");
    let slow = || refuse("slow calls are told in the log (service.slow_query_secs), and in /metrics");
    let traces = || refuse("no stacks are told: attach a debugger to the process");
    let audit = || refuse("there is no audit log: refusals and failures are in the log");
    let unapplied =
        || refuse("there is nothing to be truncated: a write is carried out before it is acknowledged");
    let shard = || refuse("a collection has one shard: ask the collection");
    let of_shard = |path: &str| format!("/collections/{{collection_name}}/shards/{{shard_id}}/points{path}");
    Router::new()
        .route("/logger", get(logger).post(logger))
        .route("/debugger", get(debugger).patch(debugger))
        .route("/profiler/slow_requests", get(slow))
        .route("/stacktrace", get(traces))
        .route("/audit/logs", post(audit))
        .route(
            "/collections/{collection_name}/truncate_unapplied_wal",
            post(unapplied),
        )
        .route(&of_shard(""), post(shard))
        .route(&of_shard("/scroll"), post(shard))
        .route(&of_shard("/count"), post(shard))
}

async fn refuse(instead: &'static str) -> Response {
    answer::<Value>(async { Err(ServiceError::new(ErrorKind::Unimplemented, instead).into()) }).await
}
