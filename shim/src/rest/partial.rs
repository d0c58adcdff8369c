//! Partial snapshots of a shard: what one node has that another lacks, as far as nodes here send it: all or nothing.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::App;
use super::envelope::{answer, answer_accepted};
use super::extract::{Json, Params};
use super::snapshots::{Place, Upload, UploadParams, WaitParam, send_passing, take_upload, waited};
use crate::service::{Location, Recovery, ShardManifest};

pub(super) fn routes() -> Router<App> {
    let root = "/collections/{collection_name}/shards/{shard_id}/snapshot/partial";
    Router::new()
        .route(&format!("{root}/manifest"), get(manifest))
        .route(&format!("{root}/create"), post(create))
        .route(&format!("{root}/recover"), post(recover))
        .route(&format!("{root}/recover_from"), post(recover_from))
}

/// How bodies are read.
pub(super) const BODIES: super::wire::Bodies = &[("manifest", |bytes| {
    serde_json::from_slice::<ShardManifest>(bytes).is_ok()
})];

async fn manifest(State(app): State<App>, place: Place) -> Response {
    answer(async move {
        let (name, shard) = place.shard()?;
        Ok(app.service.shard_manifest(name, shard).await?)
    })
    .await
}

/// Sends the shard, unless the manifest says that its sender has it as it is.
async fn create(State(app): State<App>, place: Place, Json(known): Json<ShardManifest>) -> Response {
    let sent = async {
        let (name, shard) = place.shard()?;
        if app.service.shard_manifest(name, shard).await?.is_in(&known) {
            return Ok(StatusCode::NOT_MODIFIED.into_response());
        }
        send_passing(&app.service, &place).await
    };
    sent.await.unwrap_or_else(IntoResponse::into_response)
}

async fn recover(
    State(app): State<App>,
    place: Place,
    Params(params): Params<UploadParams>,
    parts: Upload,
) -> Response {
    answer_accepted(async move {
        // There must be something to bring up to date.
        let (name, shard) = place.shard()?;
        app.service.shard_manifest(name, shard).await?;
        take_upload(app, &place, params, parts).await
    })
    .await
}

#[derive(Deserialize)]
struct Peer {
    peer_url: String,
    api_key: Option<String>,
}

async fn recover_from(
    State(app): State<App>,
    place: Place,
    Params(params): Params<WaitParam>,
    Json(peer): Json<Peer>,
) -> Response {
    answer_accepted(async move {
        let (name, shard) = place.shard()?;
        let known = app.service.shard_manifest(name, shard).await?;
        let key = peer.api_key.filter(|key| !key.is_empty());
        let from = Location::of_peer(&peer.peer_url, key, name, shard)?;
        let name = name.to_owned();
        let done = async move {
            let from = Recovery::Peer(from, known);
            app.service.recover_snapshot(&name, from, None).await
        };
        waited(params.wait, done).await
    })
    .await
}
