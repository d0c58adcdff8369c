//! A web service with its vectors in the same process: no server beside it, and one line to change when there is to be one.
//!
//! ```text
//! cargo run --example embedded_in_axum -- notes.vdb        or http://localhost:6334, or nothing at all: memory
//! curl -X PUT localhost:3000/notes/1 -H 'content-type: application/json' -d '{"vector": [0.9, 0.1], "text": "owls hunt at night"}'
//! curl 'localhost:3000/near?x=1&y=0'
//! ```

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, QueryPointsBuilder, UpsertPointsBuilder,
    VectorParamsBuilder,
};
use qdrant_client::{Payload, QdrantError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vdb_qdrant::Qdrant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = std::env::args().nth(1).unwrap_or_else(|| ":memory:".to_owned());
    let app = app(Qdrant::connect(&target).await?).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}, with its notes in {target}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// The service on whatever it is given: the client is cheap to clone, and blocks none of the threads that serve.
pub(crate) async fn app(client: Qdrant) -> Result<Router, QdrantError> {
    if !client.collection_exists("notes").await? {
        let vectors = VectorParamsBuilder::new(2, Distance::Cosine);
        let create = CreateCollectionBuilder::new("notes").vectors_config(vectors);
        client.create_collection(create).await?;
    }
    Ok(Router::new()
        .route("/notes/{id}", put(keep))
        .route("/near", get(near))
        .with_state(client))
}

#[derive(Deserialize)]
struct Note {
    vector: [f32; 2],
    text: String,
}

/// Keeps a note. Once this has answered, it survives a power cut.
async fn keep(
    State(client): State<Qdrant>,
    Path(id): Path<u64>,
    Json(note): Json<Note>,
) -> Result<StatusCode, Failed> {
    let payload = Payload::try_from(json!({ "text": note.text }))?;
    let point = PointStruct::new(id, note.vector.to_vec(), payload);
    let upsert = UpsertPointsBuilder::new("notes", vec![point]).wait(true);
    client.upsert_points(upsert).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Place {
    x: f32,
    y: f32,
}

#[derive(Serialize)]
struct Found {
    text: String,
    score: f32,
}

/// The three notes nearest to a place.
async fn near(State(client): State<Qdrant>, Query(place): Query<Place>) -> Result<Json<Vec<Found>>, Failed> {
    let query = QueryPointsBuilder::new("notes")
        .query(vec![place.x, place.y])
        .limit(3)
        .with_payload(true);
    let hits = client.query(query).await?.result.into_iter();
    let found = hits.map(|hit| Found {
        text: hit
            .payload
            .get("text")
            .and_then(|text| text.as_str())
            .cloned()
            .unwrap_or_default(),
        score: hit.score,
    });
    Ok(Json(found.collect()))
}

/// What a caller is told when a call fails.
struct Failed(QdrantError);

impl From<QdrantError> for Failed {
    fn from(error: QdrantError) -> Self {
        Failed(error)
    }
}

impl axum::response::IntoResponse for Failed {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
