//! What a single node says of its cluster, which there is not.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

use super::App;
use super::envelope::answer;
use super::extract::At;
use crate::service::ServiceError;

pub(super) fn routes() -> Router<App> {
    let collection = |path: &str| format!("/collections/{{collection_name}}/{path}");
    Router::new()
        .route("/cluster", get(status))
        .route("/cluster/recover", post(standalone))
        .route("/cluster/peer/{peer_id}", delete(standalone))
        .route("/cluster/telemetry", get(standalone))
        .route("/cluster/metadata/keys", get(standalone))
        .route(
            "/cluster/metadata/keys/{key}",
            get(standalone).put(standalone).delete(standalone),
        )
        .route(&collection("cluster"), get(of_collection).post(standalone))
        .route(&collection("shards"), get(shard_keys).put(standalone))
        .route(&collection("shards/delete"), post(standalone))
        .route(&collection("memory"), get(memory))
}

async fn status() -> Response {
    answer(async { Ok(json!({ "status": "disabled" })) }).await
}

async fn standalone() -> Response {
    answer::<Value>(async { Err(ServiceError::standalone().into()) }).await
}

async fn of_collection(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        // Told of it, not read from it: it is no read that the limits of the collection are about.
        let info = app.service.engine_info(&name).await?;
        Ok(json!({
            "peer_id": app.service.peer_id(),
            "shard_count": 1,
            "local_shards": [{ "shard_id": 0, "points_count": info.points, "state": "Active" }],
            "remote_shards": [],
            "shard_transfers": [],
        }))
    })
    .await
}

async fn shard_keys(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        if !app.service.collection_exists(&name).await? {
            return Err(ServiceError::no_collection(&name).into());
        }
        Ok(json!({ "shard_keys": null }))
    })
    .await
}

fn usage(disk: u64, memory: u64) -> Value {
    json!({ "disk_bytes": disk, "ram_bytes": memory, "cached_bytes": 0, "expected_cache_bytes": disk })
}

/// Where bytes are. The engine knows those of payloads, and of all files of a segment together.
async fn memory(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        let info = app.service.engine_info(&name).await?;
        let payloads = info.segments.iter().map(|segment| segment.payload_bytes).sum();
        Ok(json!({
            "total": usage(info.disk_bytes, info.memtable_bytes as u64),
            "vectors": [],
            "sparse_vectors": [],
            "payload": usage(payloads, 0),
            "payload_index": [],
            "other": { "id_tracker": usage(0, 0) },
        }))
    })
    .await
}
