use vdb_index::Control;

use crate::fixture::files_below;
use crate::{
    Collection, CollectionConfig, Database, Distance, Point, PointId, SearchRequest, VectorParams, Vectors,
};

const DIM: usize = 16;

fn database() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

fn collection(db: &Database, name: &str) -> Collection {
    let mut config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine))
        .vector("other", VectorParams::new(DIM, Distance::Euclid));
    config.optimizer.index_min_rows = 50;
    db.create_collection(name, config).unwrap()
}

/// A vector around one of a few centres.
fn vector(seed: u64) -> Vec<f32> {
    let part = |x: u64| {
        let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((x ^ (x >> 32)) % 2_000) as f32 / 1_000.0 - 1.0
    };
    let numbers = 0..DIM as u64;
    numbers
        .map(|at| 2.0 * part((seed % 7) << 32 | at) + part(seed * 1_000 + at))
        .collect()
}

/// Every third point lacks the second vector.
fn points(ids: impl Iterator<Item = u64>, salt: u64) -> Vec<Point> {
    ids.map(|id| {
        let mut vectors = Vectors::from(vector(id + salt));
        if id % 3 != 0 {
            vectors = vectors.with("other", vector(id + salt + 1));
        }
        Point::new(id, vectors)
    })
    .collect()
}

fn optimize(c: &Collection) {
    c.optimize(&Control::none()).unwrap();
}

/// The checksums of the graphs of the only segment; its graphs have been looked through.
fn graphs(c: &Collection) -> Vec<u32> {
    let tables = c.core().tables();
    let [segment] = &tables.segments[..] else {
        panic!("{} segments", tables.segments.len());
    };
    let checked = |slot: usize| {
        let graph = segment.vectors(slot).unwrap().graph().unwrap();
        let report = graph.view().check();
        assert!(report.is_sound(), "{report:?}");
        graph.info().crc
    };
    (0..2).map(checked).collect()
}

/// The share of the ten nearest of many that a search finds.
fn recall(c: &Collection) -> f64 {
    let mut found = 0;
    for (query, using) in (0..200).map(|query| (query, ["", "other"][query % 2])) {
        let request = SearchRequest::new(vector(70_000 + query as u64)).using(using);
        let ids = |request: &SearchRequest| -> Vec<PointId> {
            c.search(request).unwrap().iter().map(|hit| hit.id).collect()
        };
        let (near, exact) = (ids(&request), ids(&request.clone().exact(true)));
        found += exact.iter().filter(|id| near.contains(id)).count();
    }
    found as f64 / 2_000.0
}

#[test]
fn a_merge_grows_the_largest_graph_and_finds_what_a_full_build_finds() {
    let db = database();
    let c = collection(&db, "grown");
    c.upsert(points(0..1_500, 0)).unwrap();
    optimize(&c);
    // Some go, some are replaced, new ones lie between the old ones and behind them.
    c.delete((100..200).map(PointId::from).collect::<Vec<_>>())
        .unwrap();
    c.upsert(points((300..400).chain(1_500..1_900), 5)).unwrap();
    optimize(&c);
    let whole = collection(&db, "whole");
    let ids = (0..100).chain(200..300).chain(400..1_500);
    whole.upsert(points(ids, 0)).unwrap();
    whole.upsert(points((300..400).chain(1_500..1_900), 5)).unwrap();
    optimize(&whole);
    assert_eq!(c.count(None).unwrap(), whole.count(None).unwrap());
    assert_ne!(graphs(&c), graphs(&whole), "the first one was built from nothing");
    let (grown, built) = (recall(&c), recall(&whole));
    assert!(
        grown > built - 0.02 && grown > 0.9,
        "{grown}, built from nothing {built}"
    );
}

#[test]
fn a_graph_of_few_of_the_rows_is_not_grown() {
    let db = database();
    let c = collection(&db, "few");
    c.upsert(points(0..100, 0)).unwrap();
    optimize(&c);
    c.upsert(points(100..1_000, 0)).unwrap();
    optimize(&c);
    let whole = collection(&db, "whole");
    whole.upsert(points(0..1_000, 0)).unwrap();
    optimize(&whole);
    assert_eq!(graphs(&c), graphs(&whole));
}

#[test]
fn the_same_inputs_grow_the_same_graph_on_any_number_of_threads() {
    let grown = |threads: usize| {
        let builder = Database::builder().background(false).threads(threads);
        let db = builder.open_in_memory().unwrap();
        let c = collection(&db, "c");
        c.upsert(points(0..1_000, 0)).unwrap();
        optimize(&c);
        c.upsert(points(900..1_300, 3)).unwrap();
        optimize(&c);
        graphs(&c)
    };
    assert_eq!(grown(1), grown(2));
}

#[test]
fn a_damaged_graph_is_not_grown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let open = || Database::builder().background(false).open(&path).unwrap();
    let db = open();
    let c = collection(&db, "c");
    c.upsert(points(0..1_000, 0)).unwrap();
    optimize(&c);
    drop((c, db));
    for file in files_below(&path) {
        if file.to_string_lossy().contains(".hnsw") {
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let db = open();
    let c = db.collection("c").unwrap();
    c.upsert(points(1_000..1_100, 0)).unwrap();
    optimize(&c);
    let whole = collection(&db, "whole");
    whole.upsert(points(0..1_100, 0)).unwrap();
    optimize(&whole);
    assert_eq!(graphs(&c), graphs(&whole));
}
