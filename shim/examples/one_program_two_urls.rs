//! One program, on whatever it is pointed at: memory, a directory of this machine, a server, a cluster.
//!
//! ```text
//! cargo run --example one_program_two_urls -- :memory:
//! cargo run --example one_program_two_urls -- birds.vdb
//! cargo run --example one_program_two_urls -- http://localhost:6334
//! ```
//!
//! Without an argument it finds its back end by itself: `QDRANT_URL`, a server of this machine, `VDB_PATH`, memory.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use qdrant_client::Payload;
use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, Distance, Filter, PointStruct, QueryPointsBuilder,
    UpsertPointsBuilder, VectorParamsBuilder,
};
use serde_json::json;
use vdb_qdrant::Qdrant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = match std::env::args().nth(1) {
        Some(target) => Qdrant::connect(&target).await?,
        None => Qdrant::auto().await?,
    };
    println!("on {}", client.back_end());
    for (name, score) in birds(&client).await? {
        println!("{score:.3} {name}");
    }
    Ok(())
}

/// Everything that there is to do, with no word of where.
pub(crate) async fn birds(client: &Qdrant) -> Result<Vec<(String, f32)>, Box<dyn std::error::Error>> {
    if !client.collection_exists("birds").await? {
        let vectors = VectorParamsBuilder::new(3, Distance::Cosine);
        let create = CreateCollectionBuilder::new("birds").vectors_config(vectors);
        client.create_collection(create).await?;
    }
    let bird = |id: u64, vector: [f32; 3], payload| -> Result<PointStruct, qdrant_client::QdrantError> {
        Ok(PointStruct::new(id, vector.to_vec(), Payload::try_from(payload)?))
    };
    let points = vec![
        bird(1, [0.9, 0.1, 0.0], json!({"name": "owl", "night": true}))?,
        bird(2, [0.8, 0.3, 0.1], json!({"name": "hawk", "night": false}))?,
        bird(3, [0.7, 0.0, 0.6], json!({"name": "nightjar", "night": true}))?,
    ];
    let upsert = UpsertPointsBuilder::new("birds", points).wait(true);
    client.upsert_points(upsert).await?;
    let at_night = Filter::must([Condition::matches("night", true)]);
    let query = QueryPointsBuilder::new("birds")
        .query(vec![1.0, 0.0, 0.0])
        .filter(at_night)
        .with_payload(true);
    let found = client.query(query).await?.result.into_iter();
    let name = |payload: &std::collections::HashMap<String, qdrant_client::qdrant::Value>| {
        payload.get("name").map(ToString::to_string).unwrap_or_default()
    };
    Ok(found.map(|hit| (name(&hit.payload), hit.score)).collect())
}
