use crate::{
    Collection, CollectionConfig, CollectionUpdate, Control, Database, OptimizerUpdate, Point, SparseVector,
    SparseVectorParams, Vectors,
};

fn is_indexed(c: &Collection) -> bool {
    c.optimize(&Control::none()).unwrap();
    let tables = c.core().tables();
    tables.segments.iter().all(|segment| segment.is_indexed(0))
}

/// Sets the threshold in kilobytes.
fn set(c: &Collection, kilobytes: u64) {
    let optimizer = OptimizerUpdate {
        indexing_threshold: Some(kilobytes),
        ..OptimizerUpdate::default()
    };
    c.update_config(&CollectionUpdate::new().optimizer(optimizer))
        .unwrap();
}

#[test]
fn a_threshold_in_kilobytes_counts_what_sparse_vectors_take() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::default().sparse_vector("words", SparseVectorParams::new());
    let c = db.create_collection("c", config).unwrap();
    // 512 rows of 4 values of 8 bytes: 16 kilobytes.
    let point = |id: u64| {
        let words = SparseVector::new([0, 1, 2, 3 + id as u32], [1.0; 4]);
        Point::new(id, Vectors::default().with("words", words))
    };
    c.upsert((0..512).map(point).collect()).unwrap();
    assert!(!is_indexed(&c), "2,000 rows are asked for");
    for (kilobytes, wanted) in [(0, false), (17, false), (16, true), (0, true)] {
        set(&c, kilobytes);
        assert_eq!(is_indexed(&c), wanted, "{kilobytes}");
    }
}
