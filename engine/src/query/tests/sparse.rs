//! Sparse vectors of fresh rows: what is looked up in full blocks is what scoring each row finds.

use crate::{
    CollectionConfig, Database, Filter, Idf, Modifier, Point, PointId, QueryParams, SearchRequest,
    SparseVector, SparseVectorParams, Vectors,
};

/// A few of a hundred dimensions, by the id.
fn words(seed: u64) -> SparseVector {
    let pairs = (0..3 + seed % 4).map(|n| {
        let dimension = (seed * 31 + n * n * 17) % 100;
        (dimension as u32 * 1_000, ((seed + n) % 9) as f32 - 2.0)
    });
    let mut pairs: Vec<(u32, f32)> = pairs.collect();
    pairs.sort_by_key(|(dimension, _)| *dimension);
    pairs.dedup_by_key(|(dimension, _)| *dimension);
    pairs.into()
}

#[test]
fn blocks_of_a_memtable_change_no_answer() {
    for modifier in [Modifier::None, Modifier::Idf] {
        let db = Database::builder().background(false).open_in_memory().unwrap();
        let config =
            CollectionConfig::default().sparse_vector("words", SparseVectorParams::new().modifier(modifier));
        let c = db.create_collection("c", config).unwrap();
        // Every ninth has none. Two blocks are full, a third has begun.
        let point = |id: u64| {
            let vectors = Vectors::default();
            Point::new(
                id,
                if id.is_multiple_of(9) {
                    vectors
                } else {
                    vectors.with("words", words(id))
                },
            )
        };
        c.upsert((0..700).map(point).collect()).unwrap();
        c.delete((0..700).step_by(5).map(PointId::from).collect::<Vec<_>>())
            .unwrap();
        // Anew, with other vectors: versions that have died lie in the blocks.
        c.upsert(
            (20..40)
                .map(|id| Point {
                    id: id.into(),
                    ..point(id + 1_000)
                })
                .collect(),
        )
        .unwrap();
        let before = c.info().unwrap().memtable_bytes;
        let corpus = |request: SearchRequest, all: bool| match (modifier, all) {
            (Modifier::Idf, false) => request.params(QueryParams {
                idf: Some(Idf::Corpus(Filter::must([crate::Condition::slice(2, 1)]))),
                ..QueryParams::default()
            }),
            _ => request,
        };
        let answers = || {
            let ask = |seed: u64| {
                let query = SearchRequest::new(words(seed)).using("words").limit(40);
                c.search(&corpus(query, seed.is_multiple_of(2))).unwrap()
            };
            (0..30).map(ask).collect::<Vec<_>>()
        };
        let found = answers();
        assert!(found.iter().all(|hits| !hits.is_empty()));
        // Blocks are kept, and counted.
        assert!(c.info().unwrap().memtable_bytes > before);
        assert_eq!(answers(), found);
        c.flush().unwrap();
        assert_eq!(answers(), found);
    }
}
