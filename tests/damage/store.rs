//! A small database with a file of every kind, and a large one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use vdb::disk::DynDisk;
use vdb::{
    Control, Database, Distance, MultiVectorComparator, PayloadIndexKind, PayloadIndexParams, Point, PointId,
    SparseVector, SparseVectorParams, VectorParams, Vectors, WriteBatch,
};
use vdb_tests::files::{self, Files};
use vdb_tests::oracle::Dump;
use vdb_tests::{Numbers, config, points};
use vdb_vfs::MemDisk;

/// A database, and what it holds.
pub(crate) struct Store {
    pub(crate) files: Files,
    pub(crate) dump: Dump,
    /// Names of collections by the number of their directory.
    pub(crate) names: BTreeMap<u32, String>,
}

/// Payload values of so many rows get graphs.
pub(crate) const PARTITION_ROWS: u32 = 2;

pub(crate) fn open(disk: &DynDisk) -> Result<Database, vdb::Error> {
    Database::builder()
        .background(false)
        .threads(1)
        .log_segment_bytes(0)
        .create(false)
        .partition_rows(PARTITION_ROWS)
        .open_disk(disk.clone())
}

impl Store {
    /// Collections with graphs, also among the rows of payload values, payload indexes (one of texts), tombstones, a vector that only some points have, UUIDs; with rows in
    /// several segments and rows that are only in the log.
    pub(crate) fn make() -> Store {
        let disk: DynDisk = Arc::new(MemDisk::new());
        Database::builder()
            .open_disk(disk.clone())
            .unwrap()
            .close()
            .unwrap();
        let db = open(&disk).unwrap();
        let mut both = config(3, Distance::Euclid);
        both.vectors
            .push(("side".to_owned(), VectorParams::new(2, Distance::Dot)));
        let several = VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
        both = both
            .vector("tokens", several)
            .sparse_vector("words", SparseVectorParams::new());
        both.optimizer.index_min_rows = 8;
        let a = db.create_collection("a", both).unwrap();
        a.create_payload_index("mod", PayloadIndexKind::Keyword).unwrap();
        let texts = PayloadIndexParams::from_json(&json!({"type": "text", "phrase_matching": true})).unwrap();
        a.create_payload_index("say", texts).unwrap();
        let ragged = |mut point: Point, n: u64| {
            let words = [(n as u32 % 3, 1.0), (9 + n as u32, -0.5)];
            let words = SparseVector::from(words.to_vec());
            let tokens: Vec<Vec<f32>> = (0..=n % 3).map(|at| vec![at as f32, n as f32]).collect();
            point.vectors = point.vectors.with("words", words).with("tokens", tokens);
            point
        };
        let first = points(0..12, 3, 1).into_iter().zip(0..);
        a.upsert(first.map(|(point, n)| ragged(point, n)).collect())
            .unwrap();
        a.optimize(&Control::none()).unwrap();
        a.delete(vec![3u64, 4]).unwrap();
        let mut numbers = Numbers::new(2);
        let more = (20..24u64).map(|n| {
            let id = match n % 2 {
                0 => PointId::from(n),
                _ => PointId::from(uuid::Uuid::from_u128(u128::from(n) << 64)),
            };
            let side = Vectors::from(numbers.vector(3)).with("side", numbers.vector(2));
            let point = Point::new(id, side)
                .payload(json!({"n": n, "deep": [{"er": null}], "say": "an owl, an owl"}))
                .unwrap();
            if n < 22 { ragged(point, n) } else { point }
        });
        a.upsert(more.collect::<Vec<_>>()).unwrap();
        a.upsert(points(5..6, 3, 9)).unwrap();
        a.flush().unwrap();
        let b = db.create_collection("b", config(2, Distance::Cosine)).unwrap();
        b.upsert(points(0..3, 2, 5)).unwrap();
        b.flush().unwrap();
        let c = db.create_collection("c", config(2, Distance::Dot)).unwrap();
        db.create_alias("also", "b").unwrap();
        // From here on nothing but the log has it.
        a.upsert(points(30..32, 3, 3)).unwrap();
        a.delete(vec![7u64, 30]).unwrap();
        let set = json!({"set": true}).as_object().unwrap().clone();
        a.set_payload(set, vec![8u64]).unwrap();
        let batch = WriteBatch::new()
            .upsert("b", points(3..5, 2, 6))
            .upsert("c", points(0..2, 2, 7));
        db.write(batch).unwrap();
        c.upsert(points(2..3, 2, 8)).unwrap();
        let dump = Dump::read(&db).unwrap();
        db.close().unwrap();
        let files = files::read(&*disk);
        assert!(files.keys().any(|path| path.contains(".part")));
        Store {
            files,
            dump,
            names: BTreeMap::from([(1, "a".to_owned()), (2, "b".to_owned()), (3, "c".to_owned())]),
        }
    }
}

/// The files of a database with one collection of one large segment, without an index.
pub(crate) fn large(dim: usize, rows: u64) -> Files {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let db = Database::builder()
        .background(false)
        .open_disk(disk.clone())
        .unwrap();
    let c = db.create_collection("large", config(dim, Distance::Dot)).unwrap();
    for first in (0..rows).step_by(5_000) {
        c.upsert(points(first..rows.min(first + 5_000), dim, first))
            .unwrap();
    }
    c.flush().unwrap();
    db.close().unwrap();
    files::read(&*disk)
}
