//! A program of Qdrant's Rust client that moves to this one: what it sends and what it gets stays as it is, and it can go on with
//! the client that it has.
//!
//! ```diff
//! -use qdrant_client::Qdrant;
//! +use vdb_qdrant::Qdrant;
//!
//! -let client = Qdrant::from_url("http://localhost:6334").api_key(key).build()?;
//! +let client = Qdrant::connect("birds.vdb").await?;
//! ```
//!
//! ```text
//! cargo run --example from_qdrant_client                             in memory
//! cargo run --example from_qdrant_client -- http://localhost:6334    with the official client, as it was
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use qdrant_client::qdrant::{
    CreateCollectionBuilder, DeletePointsBuilder, Distance, PointStruct, PointsIdsList, ScrollPointsBuilder,
    UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, QdrantError};
use serde_json::json;
use vdb_qdrant::Qdrant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = match std::env::args().nth(1) {
        // The client that the program has, with everything that was set there: keys, timeouts, compression.
        Some(url) => Qdrant::remote(qdrant_client::Qdrant::from_url(&url).build()?),
        None => Qdrant::in_memory()?,
    };
    println!("on {}: {:?}", client.back_end(), as_it_was(&client).await?);
    Ok(())
}

/// The body of the program, not a word of which has changed: the same builders, messages, answers, and the same errors.
pub(crate) async fn as_it_was(client: &Qdrant) -> Result<Vec<String>, QdrantError> {
    if client.collection_exists("moved").await? {
        client.delete_collection("moved").await?;
    }
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    client
        .create_collection(CreateCollectionBuilder::new("moved").vectors_config(vectors))
        .await?;
    let mut points = Vec::new();
    for (id, name) in ["owl", "hawk", "swift"].into_iter().enumerate() {
        let payload = Payload::try_from(json!({ "name": name }))?;
        points.push(PointStruct::new(id as u64, vec![id as f32, 1.0], payload));
    }
    client
        .upsert_points(UpsertPointsBuilder::new("moved", points).wait(true))
        .await?;
    let hawk = PointsIdsList {
        ids: vec![1_u64.into()],
    };
    client
        .delete_points(DeletePointsBuilder::new("moved").points(hawk).wait(true))
        .await?;
    // What cannot be is refused with the errors that the program knows.
    match client.collection_info("nowhere").await {
        Err(QdrantError::ResponseError { status }) => println!("refused: {}", status.message()),
        Err(other) => return Err(other),
        Ok(_) => println!("there is a collection of that name"),
    }
    let page = ScrollPointsBuilder::new("moved").with_payload(true);
    let found = client.scroll(page).await?.result.into_iter();
    let name = |point: qdrant_client::qdrant::RetrievedPoint| {
        point
            .payload
            .get("name")
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    Ok(found.map(name).collect())
}
