//! Small collections, and a database for them.

use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};

use crate::Numbers;

/// An empty database in memory, in which nothing goes on in the background.
///
/// # Panics
/// When no thread can be started.
pub fn memory() -> Database {
    Database::builder()
        .threads(1)
        .background(false)
        .open_in_memory()
        .unwrap()
}

/// A collection of unnamed `f32` vectors.
pub fn config(dim: usize, distance: Distance) -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(dim, distance))
}

/// Points with the ids of a range, vectors from a seed, and a payload that says the id.
pub fn points(ids: std::ops::Range<u64>, dim: usize, seed: u64) -> Vec<Point> {
    let mut numbers = Numbers::new(seed);
    ids.map(|id| {
        let mut point = Point::new(id, numbers.vector(dim));
        point.payload.insert("n".to_owned(), id.into());
        point
            .payload
            .insert("mod".to_owned(), format!("m{}", id % 7).into());
        point
    })
    .collect()
}
