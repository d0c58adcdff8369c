//! What a single node says of its cluster, which there is not.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::envelope::answer;
use super::extract::{At, Params};
use crate::service::{ReadOptions, ServiceError};

pub(super) fn routes() -> Router<App> {
    let collection = |path: &str| format!("/collections/{{collection}}/{path}");
    Router::new()
        .route("/cluster", get(status))
        .route("/cluster/recover", post(standalone))
        .route("/cluster/peer/{peer}", delete(standalone))
        .route("/cluster/telemetry", get(standalone))
        .route("/cluster/metadata/keys", get(standalone))
        .route(
            "/cluster/metadata/keys/{key}",
            get(standalone).put(standalone).delete(standalone),
        )
        .route(&collection("cluster"), get(of_collection).post(standalone))
        .route(&collection("shards"), get(shard_keys).put(standalone))
        .route(&collection("shards/delete"), post(standalone))
        .route(&collection("optimizations"), get(optimizations))
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
        let points = app
            .service
            .count(&name, None, true, ReadOptions::default())
            .await?;
        Ok(json!({
            "peer_id": app.service.peer_id(),
            "shard_count": 1,
            "local_shards": [{ "shard_id": 0, "points_count": points, "state": "Active" }],
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

#[derive(Deserialize)]
struct OptimizationsParams {
    #[serde(rename = "with")]
    with: Option<String>,
}

/// Jobs in the background, as far as the engine tells of them.
async fn optimizations(
    State(app): State<App>,
    At(name): At<String>,
    Params(params): Params<OptimizationsParams>,
) -> Response {
    answer(async move {
        let info = app.service.engine_info(&name).await?;
        let segment = |segment: &vdb::SegmentInfo| {
            let id = uuid::Uuid::from_u64_pair(0, segment.id).to_string();
            json!({ "uuid": id, "points_count": segment.rows - segment.dead_rows.min(segment.rows) })
        };
        let running: Vec<Value> = info
            .progress
            .iter()
            .map(|_| {
                json!({
                    "uuid": uuid::Uuid::nil().to_string(),
                    "optimizer": "indexing",
                    "status": "optimizing",
                    "segments": [],
                    "progress": { "name": "Segment Optimizing", "done": 0 },
                })
            })
            .collect();
        let mut value = json!({
            "summary": {
                "queued_optimizations": 0,
                "queued_segments": 0,
                "queued_points": 0,
                "idle_segments": info.segments.len(),
            },
            "running": running,
        });
        let asked = params.with.unwrap_or_default();
        let mut add = |name: &str, list: Vec<Value>| {
            if asked.split(',').any(|part| part == name)
                && let Some(map) = value.as_object_mut()
            {
                map.insert(name.to_owned(), list.into());
            }
        };
        add("queued", Vec::new());
        add("completed", Vec::new());
        add("idle_segments", info.segments.iter().map(segment).collect());
        Ok(value)
    })
    .await
}

fn usage(disk: u64, memory: u64) -> Value {
    json!({ "disk_bytes": disk, "ram_bytes": memory, "cached_bytes": 0, "expected_cache_bytes": disk })
}

/// Where bytes are. The engine knows them for all files of a segment together.
async fn memory(State(app): State<App>, At(name): At<String>) -> Response {
    answer(async move {
        let info = app.service.engine_info(&name).await?;
        Ok(json!({
            "total": usage(info.disk_bytes, info.memtable_bytes as u64),
            "vectors": [],
            "sparse_vectors": [],
            "payload": usage(0, 0),
            "payload_index": [],
            "other": { "id_tracker": usage(0, 0) },
        }))
    })
    .await
}
