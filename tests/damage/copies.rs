//! What a write takes over from a point is compared with its checksums before the write is logged: a damaged file costs the
//! points in it such writes, and nothing else.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use vdb::disk::{DynDisk, MemDisk};
use vdb::{
    Collection, Database, Distance, Error, MultiVectorComparator, PayloadIndexKind, Point, Select,
    SparseVector, SparseVectorParams, VectorParams, Vectors,
};
use vdb_tests::files::{self, Files};
use vdb_tests::{config, points};
use vdb_vfs::frame::{FileKind, Frame};

/// Points of the collection, all in one segment.
const POINTS: u64 = 9;
/// The one whose bytes are damaged.
const HIT: u64 = 4;

fn open(files: &Files) -> (DynDisk, Database) {
    let disk = files::disk(files);
    let db = reopen(&disk);
    (disk, db)
}

fn reopen(disk: &DynDisk) -> Database {
    let builder = Database::builder().background(false).threads(1);
    builder.open_disk(disk.clone()).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn point(id: u64) -> Point {
    let x = id as f32;
    let words = SparseVector::from(vec![(id as u32, 1.0), (20 + id as u32, x)]);
    let tokens: Vec<Vec<f32>> = (0..=id % 3).map(|at| vec![at as f32, x]).collect();
    let mut vectors = Vectors::from([x, 1.0])
        .with("words", words)
        .with("tokens", tokens);
    if id != 1 {
        vectors = vectors.with("side", [x, 2.0]);
    }
    Point::new(id, vectors)
        .payload(json!({"kind": format!("k{id}")}))
        .unwrap()
}

/// A collection with vectors of every kind, of which point 1 lacks one, and an index over what payloads say; and a plain one.
fn sound() -> Files {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let db = reopen(&disk);
    let mut kinds = config(2, Distance::Dot);
    kinds
        .vectors
        .push(("side".to_owned(), VectorParams::new(2, Distance::Dot)));
    let several = VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
    let kinds = kinds
        .vector("tokens", several)
        .sparse_vector("words", SparseVectorParams::new());
    let a = db.create_collection("a", kinds).unwrap();
    a.create_payload_index("kind", PayloadIndexKind::Keyword).unwrap();
    a.upsert((0..POINTS).map(point).collect()).unwrap();
    a.flush().unwrap();
    let b = db.create_collection("b", config(2, Distance::Dot)).unwrap();
    b.upsert(points(0..3, 2, 1)).unwrap();
    db.close().unwrap();
    files::read(&*disk)
}

/// Where the one file of that ending is, and where in it a section begins.
fn place(files: &Files, magic: &[u8; 4], ending: &str, section: u32) -> (String, usize) {
    let path = files.keys().find(|path| path.ends_with(ending)).unwrap().clone();
    let kind = FileKind {
        magic: *magic,
        name: "any",
        version: 1,
    };
    let frame = Frame::open(&*files::disk(files), &path, kind, 1..=9).unwrap();
    let start = frame.section(section).unwrap().as_ptr().addr() - frame.view().as_ptr().addr();
    (path, start)
}

type Write = fn(&Collection) -> vdb::Result<vdb::WriteResult>;

fn set_payload(c: &Collection) -> vdb::Result<vdb::WriteResult> {
    c.set_payload(object(json!({"set": true})), vec![HIT])
}

fn overwrite_payload(c: &Collection) -> vdb::Result<vdb::WriteResult> {
    c.overwrite_payload(object(json!({"kind": "new"})), vec![HIT])
}

fn update_vectors(c: &Collection) -> vdb::Result<vdb::WriteResult> {
    c.update_vectors(vec![(HIT.into(), [7.0, 7.0].into())])
}

fn delete_vectors(c: &Collection) -> vdb::Result<vdb::WriteResult> {
    c.delete_vectors(vec![String::new()], vec![HIT])
}

const ALL: [Write; 4] = [set_payload, overwrite_payload, update_vectors, delete_vectors];
/// Those that make something of the payload that is there.
const OF_PAYLOADS: [Write; 3] = [set_payload, update_vectors, delete_vectors];
/// Those that leave the unnamed vector as it is.
const OF_VECTORS: [Write; 2] = [set_payload, overwrite_payload];

/// Each of the writes is refused, names file and point, and changes nothing; whatever does not copy the damage goes on.
fn refused(files: &Files, path: &str, writes: &[Write]) {
    let (disk, db) = open(files);
    let (a, b) = (db.collection("a").unwrap(), db.collection("b").unwrap());
    let version = |id: u64| a.get(&[id.into()], &Select::default()).unwrap()[0].version;
    let before = version(HIT);
    for write in writes {
        let error = write(&a).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Damaged { .. }), "{path}: {said}");
        for part in [&*disk.display(path), &format!("point {HIT} "), "vdb verify"] {
            assert!(said.contains(part), "{path}: {part} is not in {said}");
        }
        assert_eq!(version(HIT), before, "{path}");
        b.upsert(points(3..4, 2, 2)).unwrap();
        set_payload_of(&b, 2).unwrap();
    }
    assert!(a.info().unwrap().last_failure.is_some(), "{path}");
    // Nothing of the damage is taken over here.
    a.upsert(vec![point(POINTS), point(HIT)]).unwrap();
    a.delete(vec![0u64]).unwrap();
    for write in writes {
        write(&a).unwrap();
    }
    a.flush().unwrap();
    db.close().unwrap();
    let db = reopen(&disk);
    let a = db.collection("a").unwrap();
    assert_eq!(a.count(None).unwrap(), POINTS);
    let said = a.get(&[HIT.into()], &Select::all()).unwrap();
    assert!(said[0].version > before, "{path}");
    assert_eq!(db.collection("b").unwrap().count(None).unwrap(), 4);
}

fn set_payload_of(c: &Collection, id: u64) -> vdb::Result<vdb::WriteResult> {
    c.set_payload(object(json!({"set": true})), vec![id])
}

/// The files with one bit of one section changed, `at` bytes into it, and which file that is.
fn hit(magic: &[u8; 4], ending: &str, section: u32, at: usize, bit: u8) -> (Files, String) {
    let mut files = sound();
    let (path, start) = place(&files, magic, ending, section);
    files.get_mut(&path).unwrap()[start + at] ^= 1 << bit;
    (files, path)
}

#[test]
fn what_is_sound_is_copied() {
    for write in ALL {
        let (_, db) = open(&sound());
        let a = db.collection("a").unwrap();
        write(&a).unwrap();
        set_payload_of(&a, 1).unwrap();
        a.flush().unwrap();
        let vectors = a
            .get(&[1.into()], &Select::all())
            .unwrap()
            .remove(0)
            .vectors
            .unwrap();
        assert_eq!(vectors, point(1).vectors);
    }
}

#[test]
fn a_multivector_that_cannot_be_found_is_not_copied() {
    // The highest byte of where its vectors start.
    let (files, path) = hit(b"MULT", ".mvec", 1, 8 * HIT as usize + 7, 6);
    refused(&files, &path, &ALL);
}

#[test]
fn a_sparse_vector_that_is_none_is_not_copied() {
    let words = 2 * 2 * 4 * HIT as usize;
    // A value becomes infinite or another one, a dimension is above the next.
    for (at, bit) in [(words + 11, 6), (words + 8, 0), (words + 3, 7)] {
        let (files, path) = hit(b"SPRS", ".spv", 0, at, bit);
        refused(&files, &path, &ALL);
    }
    let (files, path) = hit(b"SPRS", ".spv", 1, 8 * HIT as usize, 0);
    refused(&files, &path, &ALL);
}

#[test]
fn a_damaged_payload_is_not_made_another_one() {
    let files = sound();
    let (path, start) = place(&files, b"PAYL", ".payload", 0);
    let needle = format!("k{HIT}");
    let at = files[&path]
        .windows(2)
        .position(|bytes| bytes == needle.as_bytes());
    // The text itself, and what says that it is one.
    for at in [at.unwrap() - start, at.unwrap() - start - 2] {
        let (files, path) = hit(b"PAYL", ".payload", 0, at, 7);
        refused(&files, &path, &OF_PAYLOADS);
        // What replaces it does not need it.
        let (_, db) = open(&files);
        let a = db.collection("a").unwrap();
        overwrite_payload(&a).unwrap();
        a.flush().unwrap();
    }
}

#[test]
fn a_damaged_dense_vector_is_not_copied() {
    let vectors = sound();
    let mut paths = vectors.keys().filter(|path| path.ends_with(".vec"));
    assert_eq!(paths.clone().count(), 2);
    let unnamed = paths.next().unwrap().clone();
    assert!(unnamed.ends_with(".v0000.vec"), "{unnamed}");
    let (files, path) = hit(b"VECS", ".v0000.vec", 0, 8 * HIT as usize, 3);
    refused(&files, &path, &OF_VECTORS);
}

#[test]
fn a_vector_that_seems_not_to_be_there_is_not_left_out() {
    let ending = ".v0001.vec";
    // The row of the slot that a search by halves looks at first: those on one side of it are found no more.
    for slot in 0..POINTS as usize - 1 {
        let (files, path) = hit(b"VECS", ending, 1, 4 * slot + 1, 7);
        refused(&files, &path, &ALL);
    }
}

#[test]
fn a_change_that_was_logged_before_the_damage_costs_its_collection_alone() {
    let (disk, db) = open(&sound());
    set_payload(&db.collection("a").unwrap()).unwrap();
    db.close().unwrap();
    let mut files = files::read(&*disk);
    let (path, start) = place(&files, b"MULT", ".mvec", 1);
    files.get_mut(&path).unwrap()[start + 8 * HIT as usize + 7] ^= 64;
    for _ in 0..2 {
        let (disk, db) = open(&files);
        let refused = db.collection("a").map(drop).unwrap_err().to_string();
        for part in [&*disk.display(&path), &format!("point {HIT} "), "record "] {
            assert!(refused.contains(part), "{part} is not in {refused}");
        }
        db.collection("b").unwrap().upsert(points(3..4, 2, 2)).unwrap();
        db.close().unwrap();
        files = files::read(&*disk);
    }
}
