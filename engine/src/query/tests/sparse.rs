//! Sparse vectors of fresh rows: what is looked up in full blocks is what scoring each row finds.

use std::sync::Arc;

use crate::disk::{DynDisk, MemDisk};
use crate::{
    Collection, CollectionConfig, CollectionUpdate, Control, Database, Element, Filter, Idf, Modifier, Point,
    PointId, QueryParams, SearchRequest, SparseVector, SparseVectorParams, SparseVectorUpdate, Vectors,
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

#[test]
fn a_modifier_that_changes_is_in_force_for_what_is_there() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let open = || {
        Database::builder()
            .background(false)
            .open_disk(disk.clone())
            .unwrap()
    };
    let mut db = open();
    let with = |modifier| {
        CollectionConfig::default().sparse_vector("words", SparseVectorParams::new().modifier(modifier))
    };
    let points = || {
        (0..300)
            .map(|id| Point::new(id, Vectors::default().with("words", words(id))))
            .collect()
    };
    let ask = |c: &Collection| {
        let request = SearchRequest::new(words(7)).using("words").limit(20);
        c.search(&request).unwrap()
    };
    let [plain, rare] = [Modifier::None, Modifier::Idf].map(|modifier| {
        let c = db.create_collection(modifier.name(), with(modifier)).unwrap();
        c.upsert(points()).unwrap();
        ask(&c)
    });
    assert_ne!(plain, rare);
    let c = db.create_collection("c", with(Modifier::None)).unwrap();
    c.upsert(points()).unwrap();
    let change = |modifier| {
        let change = SparseVectorUpdate {
            modifier: Some(modifier),
            element: None,
        };
        CollectionUpdate::new().sparse_vector("words", change)
    };
    // Of what is in memory, and in a segment with its index.
    for indexed in [false, true] {
        if indexed {
            c.optimize(&Control::none()).unwrap();
        }
        c.update_config(&change(Modifier::Idf)).unwrap();
        assert_eq!(ask(&c), rare, "{indexed}");
        c.update_config(&change(Modifier::None)).unwrap();
        assert_eq!(ask(&c), plain, "{indexed}");
    }
    let both = SparseVectorUpdate {
        modifier: Some(Modifier::Idf),
        element: Some(Element::U8),
    };
    let unknown = CollectionUpdate::new().sparse_vector("none", both);
    let refused = c.update_config(&unknown).unwrap_err().to_string();
    assert!(refused.contains("\"words\""), "{refused}");
    c.update_config(&CollectionUpdate::new().sparse_vector("words", both))
        .unwrap();
    drop(c);
    db.close().unwrap();
    db = open();
    let c = db.collection("c").unwrap();
    let expected = SparseVectorParams::new()
        .modifier(Modifier::Idf)
        .element(Element::U8);
    assert_eq!(c.config().sparse_vectors, [("words".to_owned(), expected)]);
    assert_eq!(ask(&c), rare);
}
