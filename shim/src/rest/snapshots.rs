//! Snapshots.

use axum::Router;
use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{FromRequestParts, Multipart, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use super::App;
use super::envelope::{Failure, Part, answer, answer_accepted};
use super::extract::{At, Json, Params};
use crate::service::{
    Incoming, Location, Recovery, Service, ServiceError, SnapshotFile, SnapshotsOf, check_checksum,
    check_recovery,
};

pub(super) fn routes() -> Router<App> {
    let collection = "/collections/{collection_name}/snapshots";
    let shard = "/collections/{collection_name}/shards/{shard_id}/snapshots";
    let mut routes = Router::new();
    for root in ["/snapshots", collection, shard] {
        routes = routes
            .route(root, get(list).post(create))
            .route(&format!("{root}/{{snapshot_name}}"), get(fetch).delete(remove));
    }
    for root in [collection, shard] {
        routes = routes
            .route(&format!("{root}/recover"), put(recover))
            .route(&format!("{root}/upload"), post(upload));
    }
    routes.route(
        "/collections/{collection_name}/shards/{shard_id}/snapshot",
        get(stream),
    )
}

/// Whose snapshots a path is about, and which of them.
pub(super) struct Place {
    collection: Option<String>,
    shard: Option<u32>,
    file: Option<String>,
}

#[derive(Deserialize)]
struct PlaceParts {
    collection_name: Option<String>,
    shard_id: Option<String>,
    snapshot_name: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let At(place) = At::<PlaceParts>::from_request_parts(parts, state).await?;
        let shard = place.shard_id.map(|shard| {
            shard
                .parse()
                .map_err(|_| Failure::format(Part::Path, format_args!("shard {shard:?} is no number")))
        });
        Ok(Place {
            collection: place.collection_name,
            shard: shard.transpose()?,
            file: place.snapshot_name,
        })
    }
}

impl Place {
    fn of(&self) -> SnapshotsOf<'_> {
        match (self.collection.as_deref(), self.shard) {
            (None, _) => SnapshotsOf::Everything,
            (Some(collection), None) => SnapshotsOf::Collection(collection),
            (Some(collection), Some(shard)) => SnapshotsOf::Shard(collection, shard),
        }
    }

    fn file(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }

    /// The shard that it is about, and its collection.
    pub(super) fn shard(&self) -> Result<(&str, u32), Failure> {
        let shard = self.collection.as_deref().zip(self.shard);
        shard.ok_or_else(|| ServiceError::bad_request("which shard?").into())
    }

    /// The collection to make of a snapshot.
    fn target(&self) -> Result<String, Failure> {
        if self.shard.is_some_and(|shard| shard != 0) {
            return Err(ServiceError::not_found("there is only the shard 0").into());
        }
        self.collection
            .clone()
            .ok_or_else(|| ServiceError::bad_request("which collection?").into())
    }
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
pub(super) struct WaitParam {
    #[serde(default = "yes")]
    pub(super) wait: bool,
}

async fn list(State(app): State<App>, place: Place) -> Response {
    answer(async move { Ok(app.service.list_snapshots(place.of()).await?) }).await
}

async fn create(State(app): State<App>, place: Place, Params(params): Params<WaitParam>) -> Response {
    answer_accepted(async move { Ok(app.service.create_snapshot(place.of(), params.wait).await?) }).await
}

async fn remove(State(app): State<App>, place: Place, Params(params): Params<WaitParam>) -> Response {
    answer_accepted(async move {
        let removed = app.service.delete_snapshot(place.of(), place.file()).await?;
        Ok(params.wait.then_some(removed))
    })
    .await
}

async fn fetch(State(app): State<App>, place: Place) -> Response {
    match send(&app.service, &place).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn send(service: &Service, place: &Place) -> Result<Response, Failure> {
    let found = service.snapshot_file(place.of(), place.file()).await?;
    send_file(&found).await
}

/// Sends the shard as it is now; nothing of it is kept.
async fn stream(State(app): State<App>, place: Place) -> Response {
    match send_passing(&app.service, &place).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

/// A snapshot that is sent and not kept.
pub(super) async fn send_passing(service: &Service, place: &Place) -> Result<Response, Failure> {
    let (passing, made) = service.passing_snapshot(place.of()).await?;
    let response = send_file(&made).await;
    // Its file is open: the name is needed no more.
    drop(passing);
    response
}

async fn send_file(found: &SnapshotFile) -> Result<Response, Failure> {
    let opened = tokio::fs::File::open(&found.path).await;
    let file = opened.map_err(|error| ServiceError::internal(format!("reading {}: {error}", found.name)))?;
    let mut response = Body::from_stream(ReaderStream::new(file)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.size));
    let name: String = found.name.chars().filter(|c| *c != '"' && *c != '\\').collect();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Which copy wins where there are several: there is one.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Priority {
    NoSync,
    Snapshot,
    Replica,
}

#[derive(Deserialize)]
struct RecoverBody {
    location: String,
    #[serde(rename = "priority")]
    _priority: Option<Priority>,
    checksum: Option<String>,
    api_key: Option<String>,
}

async fn recover(
    State(app): State<App>,
    place: Place,
    Params(params): Params<WaitParam>,
    Json(body): Json<RecoverBody>,
) -> Response {
    answer_accepted(async move {
        let name = place.target()?;
        let from = Recovery::Location(Location {
            url: body.location,
            api_key: body.api_key.filter(|key| !key.is_empty()),
            shard: place.shard.is_some(),
        });
        // Who does not wait is not told afterwards.
        check_recovery(&name, &from, body.checksum.as_deref())?;
        let done = async move { app.service.recover_snapshot(&name, from, body.checksum).await };
        waited(params.wait, done).await
    })
    .await
}

/// A body in parts, or why it is none.
pub(super) type Upload = Result<Multipart, MultipartRejection>;

#[derive(Deserialize)]
pub(super) struct UploadParams {
    #[serde(default = "yes")]
    wait: bool,
    #[serde(rename = "priority")]
    _priority: Option<Priority>,
    checksum: Option<String>,
}

async fn upload(
    State(app): State<App>,
    place: Place,
    Params(params): Params<UploadParams>,
    parts: Upload,
) -> Response {
    answer_accepted(take_upload(app, &place, params, parts)).await
}

/// Makes the collection of a snapshot that comes with the call.
pub(super) async fn take_upload(
    app: App,
    place: &Place,
    params: UploadParams,
    parts: Upload,
) -> Result<Option<bool>, Failure> {
    let name = place.target()?;
    // Nobody sends it all to be told then.
    check_checksum(params.checksum.as_deref()).map_err(|error| Failure::of(error, Part::Query))?;
    let parts = parts.map_err(|error| {
        ServiceError::bad_request(format!("the upload cannot be read: {}", error.body_text()))
    })?;
    let incoming = app.service.incoming().await?;
    receive(parts, &incoming).await?;
    let from = Recovery::Received(incoming);
    check_recovery(&name, &from, params.checksum.as_deref())?;
    let done = async move { app.service.recover_snapshot(&name, from, params.checksum).await };
    waited(params.wait, done).await
}

async fn receive(mut parts: Multipart, incoming: &Incoming) -> Result<(), Failure> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        Failure::from(ServiceError::bad_request(format!(
            "the upload cannot be read: {error}"
        )))
    };
    let disk = |error: std::io::Error| {
        Failure::from(ServiceError::internal(format!(
            "the upload cannot be kept: {error}"
        )))
    };
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        if part.name() != Some("snapshot") {
            continue;
        }
        let mut file = tokio::fs::File::create(incoming.path()).await.map_err(disk)?;
        let mut room = incoming.room();
        while let Some(chunk) = part.chunk().await.map_err(broken)? {
            room.take(chunk.len() as u64)?;
            file.write_all(&chunk).await.map_err(disk)?;
        }
        return file.flush().await.map_err(disk);
    }
    Err(ServiceError::bad_request("the upload has no part `snapshot`").into())
}

/// Waits for a recovery, or leaves it to itself.
pub(super) async fn waited(
    wait: bool,
    done: impl Future<Output = Result<bool, ServiceError>> + Send + 'static,
) -> Result<Option<bool>, Failure> {
    if wait {
        return Ok(Some(done.await?));
    }
    tokio::spawn(async move {
        if let Err(error) = done.await {
            tracing::error!(%error, "recovering from a snapshot");
        }
    });
    Ok(None)
}
