use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vdb_vfs::Disk;
use vdb_vfs::sim::{Fault, SimDisk};

use super::*;
use crate::fixture::files_below;
use crate::{
    Collection, CollectionConfig, CollectionUpdate, Condition, Database, Distance, Filter, HnswConfig,
    PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams, Point, PointId, SearchRequest, VectorParams,
    verify, verify_disk,
};

const DIM: usize = 16;
/// A third of the rows is enough for a graph, and not too much.
const ROWS: u64 = 7_800;
const WORDS: [&str; 3] = ["owl", "wren", "kite"];

fn part(x: u64) -> f32 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) % 2_000) as f32 / 1_000.0 - 1.0
}

/// A vector around one of 30 centres.
fn vector(id: u64) -> Vec<f32> {
    let numbers = 0..DIM as u64;
    numbers
        .map(|at| 2.0 * part((id % 30) << 32 | at) + part(id * 1_000 + at))
        .collect()
}

/// `bird` goes with the vectors, `tag` does not; of both each value has a third of the rows. `few` has values of few rows.
fn payload(id: u64) -> Value {
    let tag = (part(id + 7_000_000) * 1_000.0) as i64;
    json!({"bird": WORDS[(id % 30 / 10) as usize], "tag": tag.rem_euclid(3), "few": id % 100})
}

fn points(ids: impl Iterator<Item = u64>) -> Vec<Point> {
    let point = |id| Point::new(id, vector(id)).payload(payload(id)).unwrap();
    ids.map(point).collect()
}

fn fill(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine));
    let c = db.create_collection("c", config).unwrap();
    c.upsert(points(0..ROWS)).unwrap();
    for (path, kind) in [
        ("bird", PayloadIndexKind::Keyword),
        ("tag", PayloadIndexKind::Integer),
        ("few", PayloadIndexKind::Integer),
    ] {
        c.create_payload_index(path, kind).unwrap();
    }
    c.optimize(&Control::none()).unwrap();
    c
}

fn in_memory() -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = fill(&db);
    (db, c)
}

/// What of `path` and rows `explain` says that searches walk.
fn told(c: &Collection, filter: &Filter) -> Vec<(String, u64, bool)> {
    let plan = c.explain(filter).unwrap();
    let partitions = plan.segments.into_iter().flat_map(|segment| segment.partitions);
    partitions
        .map(|found| (found.path, found.rows, found.is_all))
        .collect()
}

fn is(path: &str, value: impl Into<crate::MatchValue>) -> Filter {
    Filter::must([Condition::matches(path, value)])
}

fn ids(c: &Collection, request: &SearchRequest) -> Vec<PointId> {
    c.search(request).unwrap().iter().map(|hit| hit.id).collect()
}

/// The share of the ten nearest that searches find. What they find is what matches, as exact searches have it.
fn recall(c: &Collection, filter: &Filter) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    let every = SearchRequest::new(vector(0)).filter(filter.clone());
    let all = ids(c, &every.limit(ROWS as usize * 2).exact(true));
    for query in 0..60 {
        let request = SearchRequest::new(vector(900_000 + query)).filter(filter.clone());
        let exact = ids(c, &request.clone().exact(true));
        let hits = c.search(&request).unwrap();
        assert_eq!(hits.len(), exact.len());
        assert!(hits.iter().all(|hit| all.contains(&hit.id)), "{filter:?}");
        wanted += exact.len();
        found += hits.iter().filter(|hit| exact.contains(&hit.id)).count();
    }
    match wanted {
        0 => 1.0,
        _ => found as f64 / wanted as f64,
    }
}

fn file(c: &Collection) -> Option<Vec<u16>> {
    let tables = c.core().tables();
    let partitions = tables.segments[0].vectors(0)?.partitions()?;
    partitions.verify(&*c.shared().disk).unwrap();
    Some(partitions.covered().collect())
}

#[test]
fn an_index_can_be_created_to_have_none() {
    let (_db, c) = in_memory();
    let without = |kind: PayloadIndexKind| {
        let options = PayloadIndexOptions {
            enable_hnsw: Some(false),
            ..PayloadIndexOptions::default()
        };
        PayloadIndexParams::from(kind).options(options)
    };
    for (path, kind) in [
        ("bird", PayloadIndexKind::Keyword),
        ("few", PayloadIndexKind::Integer),
    ] {
        c.drop_payload_index(path).unwrap();
        c.create_payload_index(path, without(kind)).unwrap();
    }
    c.optimize(&Control::none()).unwrap();
    assert_eq!(file(&c), Some(vec![1]));
    assert!(told(&c, &is("bird", "owl")).is_empty());
    assert_eq!(told(&c, &is("tag", 1)).len(), 1);
    c.drop_payload_index("tag").unwrap();
    c.create_payload_index("tag", without(PayloadIndexKind::Integer))
        .unwrap();
    c.optimize(&Control::none()).unwrap();
    assert_eq!(file(&c), None);
    assert!(told(&c, &is("tag", 1)).is_empty());
}

#[test]
fn searches_for_a_value_walk_its_graph_and_find_what_exact_ones_do() {
    let (_db, c) = in_memory();
    assert_eq!(file(&c), Some(vec![0, 1, 2]));
    for word in WORDS {
        assert_eq!(told(&c, &is("bird", word)), [("bird".to_owned(), 2_600, true)]);
        assert!(recall(&c, &is("bird", word)) >= 0.95, "{word}");
    }
    let tag = told(&c, &is("tag", 1));
    assert!(
        matches!(tag.as_slice(), [(path, 2_048.., true)] if path == "tag"),
        "{tag:?}"
    );
    assert!(recall(&c, &is("tag", 1)) >= 0.95);
    // Among so few rows all are looked at.
    assert_eq!(told(&c, &is("few", 5)), []);
    let request = SearchRequest::new(vector(0)).filter(is("few", 5));
    assert_eq!(ids(&c, &request), ids(&c, &request.clone().exact(true)));
}

#[test]
fn further_conditions_are_asked_within_the_graph_of_a_value() {
    let (_db, c) = in_memory();
    let owl = || Condition::matches("bird", "owl");
    let both = Filter::must([owl(), Condition::matches("tag", 1)]);
    let (owls, ones) = (2_600, told(&c, &is("tag", 1))[0].1);
    let smaller = if ones < owls {
        ("tag", ones)
    } else {
        ("bird", owls)
    };
    assert_eq!(told(&c, &both), [(smaller.0.to_owned(), smaller.1, false)]);
    let any_of_one = Condition::matches_any("bird", vec!["owl"]);
    for (filter, is_all) in [
        (both, None),
        (
            Filter::must([owl()]).and_must_not([Condition::matches("tag", 0)]),
            Some(false),
        ),
        (
            Filter::must([owl(), Condition::range("few", 10.0..)]),
            Some(false),
        ),
        (
            Filter::must([owl()]).and_should([Condition::matches("tag", 0)]),
            Some(false),
        ),
        (Filter::must([Condition::from(Filter::must([owl()]))]), Some(true)),
        (Filter::must([any_of_one]), Some(true)),
        (
            Filter::must([owl(), Condition::has_id([3_u64, 33, 60])]),
            Some(false),
        ),
        (
            Filter::must([owl(), Condition::matches("unindexed", "x")]),
            Some(false),
        ),
    ] {
        if let Some(is_all) = is_all {
            assert_eq!(
                told(&c, &filter),
                [("bird".to_owned(), owls, is_all)],
                "{filter:?}"
            );
        }
        assert!(recall(&c, &filter) >= 0.95, "{filter:?}");
    }
    for filter in [
        Filter::should([owl(), Condition::matches("tag", 1)]),
        Filter::must_not([owl()]),
        Filter::must([Condition::matches_any("bird", vec!["owl", "wren"])]),
        Filter::must([Condition::range("tag", 1.0..=1.0)]),
        is("bird", "emu"),
        is("tag", "owl"),
    ] {
        assert_eq!(told(&c, &filter), [], "{filter:?}");
        assert!(recall(&c, &filter) >= 0.95, "{filter:?}");
    }
}

#[test]
fn rows_that_died_or_changed_their_value_are_neither_lost_nor_shown_wrongly() {
    let (_db, c) = in_memory();
    let owls: Vec<u64> = (0..ROWS).filter(|id| id % 30 / 10 == 0).collect();
    let some = |take: usize| {
        owls[take * 100..take * 100 + 100]
            .iter()
            .map(|&id| PointId::from(id))
    };
    c.delete(some(0).collect::<Vec<_>>()).unwrap();
    let wren = json!({"bird": "wren"}).as_object().unwrap().clone();
    c.set_payload(wren, some(1).collect::<Vec<_>>()).unwrap();
    c.delete_payload(vec!["bird".to_owned()], some(2).collect::<Vec<_>>())
        .unwrap();
    let moved: Vec<Point> = owls[300..400]
        .iter()
        .map(|&id| {
            let point = Point::new(id, vector(id + 1));
            point.payload(payload(id)).unwrap()
        })
        .collect();
    c.upsert(moved).unwrap();
    c.upsert(points(ROWS..ROWS + 300)).unwrap();
    let check = || {
        for (filter, count) in [(is("bird", "owl"), 2_400), (is("bird", "wren"), 2_800)] {
            assert_eq!(c.count(Some(&filter)).unwrap(), count);
            assert!(recall(&c, &filter) >= 0.95, "{filter:?}");
            assert!(recall(&c, &filter.and_must_not([Condition::matches("tag", 2)])) >= 0.95);
        }
        for id in some(0).chain(some(1)).chain(some(2)) {
            let PointId::Num(number) = id else {
                panic!("numbers all")
            };
            let request = SearchRequest::new(vector(number)).filter(is("bird", "owl"));
            assert!(!ids(&c, &request).contains(&id));
        }
        for id in some(1) {
            let PointId::Num(number) = id else {
                panic!("numbers all")
            };
            let request = SearchRequest::new(vector(number)).filter(is("bird", "wren"));
            assert_eq!(ids(&c, &request.limit(1)), [id]);
        }
    };
    check();
    c.flush().unwrap();
    assert_eq!(told(&c, &is("bird", "owl"))[0], ("bird".to_owned(), 2_600, true));
    check();
    // One segment of what is left, with graphs of its own.
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.info().unwrap().segments.len(), 1);
    assert_eq!(told(&c, &is("bird", "wren")), [("bird".to_owned(), 2_800, true)]);
    check();
}

#[test]
fn each_job_adds_the_values_of_one_index_and_keeps_the_others() {
    let (_db, c) = in_memory();
    let before = told(&c, &is("bird", "owl"));
    assert!(c.drop_payload_index("tag").unwrap());
    assert!(told(&c, &is("tag", 1)).is_empty());
    assert_eq!(told(&c, &is("bird", "owl")), before);
    c.optimize(&Control::none()).unwrap();
    assert_eq!(file(&c), Some(vec![0, 2]));
    assert_eq!(told(&c, &is("bird", "owl")), before);
    c.create_payload_index("tag", PayloadIndexKind::Integer).unwrap();
    assert_eq!(told(&c, &is("tag", 1)), [], "built later");
    assert!(recall(&c, &is("tag", 1)) >= 0.95);
    let id = c.core().tables().segments[0].record.id;
    derive(c.shared(), c.core(), id, &c.shared().pool, &Control::none()).unwrap();
    assert_eq!(file(&c), Some(vec![0, 2, 3]));
    assert_eq!(told(&c, &is("tag", 1)).len(), 1);
    for path in ["bird", "tag", "few"] {
        c.drop_payload_index(path).unwrap();
    }
    c.optimize(&Control::none()).unwrap();
    assert_eq!(file(&c), None);
    let record = &c.core().tables().segments[0].record;
    assert_eq!(record.component(Component::Partitions(0)), None);
}

#[test]
fn payload_m_and_what_graphs_are_built_with_can_be_changed() {
    let (_db, c) = in_memory();
    let set = |hnsw: HnswConfig| {
        c.update_config(&CollectionUpdate::new().hnsw(hnsw)).unwrap();
        c.optimize(&Control::none()).unwrap();
        let tables = c.core().tables();
        let vectors = tables.segments[0].vectors(0).unwrap();
        let of_all = vectors.graph().map(|graph| graph.view().params().m);
        (of_all, vectors.partitions().map(|found| found.params().m))
    };
    let payload_m = |m| HnswConfig {
        payload_m: Some(m),
        ..HnswConfig::default()
    };
    let m = |m| HnswConfig {
        m: Some(m),
        ..HnswConfig::default()
    };
    assert_eq!(set(HnswConfig::default()), (Some(16), Some(16)));
    assert_eq!(set(m(12)), (Some(12), Some(12)));
    assert_eq!(set(payload_m(6)), (Some(12), Some(6)));
    assert!(recall(&c, &is("bird", "kite")) >= 0.9);
    assert_eq!(set(m(16)), (Some(16), Some(6)));
    assert_eq!(set(payload_m(0)), (Some(16), None));
    assert_eq!(told(&c, &is("bird", "kite")), []);
    assert!(recall(&c, &is("bird", "kite")) >= 0.95);
    assert_eq!(set(payload_m(16)), (Some(16), Some(16)));
    assert_eq!(set(m(0)), (None, None));
    assert!(recall(&c, &is("bird", "kite")) >= 0.95);
    let error = c
        .update_config(&CollectionUpdate::new().hnsw(payload_m(1)))
        .unwrap_err();
    assert!(error.to_string().contains("payload_m"), "{error}");
}

#[test]
fn a_job_that_is_called_off_leaves_nothing_behind() {
    let (_db, c) = in_memory();
    let hnsw = HnswConfig {
        payload_m: Some(8),
        ..HnswConfig::default()
    };
    c.update_config(&CollectionUpdate::new().hnsw(hnsw)).unwrap();
    let id = c.core().tables().segments[0].record.id;
    let files = || c.shared().disk.list(&c.core().dir).unwrap().len();
    let before = files();
    let calls = std::sync::atomic::AtomicU32::new(0);
    let cancelled = || calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 200;
    let outcome = derive(
        c.shared(),
        c.core(),
        id,
        &c.shared().pool,
        &Control::cancelled_by(&cancelled),
    );
    assert!(matches!(outcome, Err(crate::Error::Cancelled)), "{outcome:?}");
    assert_eq!(files(), before);
    assert!(recall(&c, &is("bird", "owl")) >= 0.95, "the older ones serve");
}

/// The file of partitions below a directory.
fn on_disk(dir: &Path) -> std::path::PathBuf {
    let files = files_below(&dir.join("collections"));
    let found = files
        .into_iter()
        .find(|path| path.to_string_lossy().contains(".part"));
    found.unwrap()
}

#[test]
fn partitions_outlive_a_restart_and_are_made_again_where_they_are_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Database::builder().background(false).open(dir.path()).unwrap();
    let db = open();
    fill(&db);
    drop(db);
    let owl = is("bird", "owl");
    let check = |is_there: bool| {
        let db = open();
        let c = db.collection("c").unwrap();
        assert_eq!(!told(&c, &owl).is_empty(), is_there);
        assert!(recall(&c, &owl) >= 0.95);
        c.optimize(&Control::none()).unwrap();
        assert_eq!(told(&c, &owl), [("bird".to_owned(), 2_600, true)]);
        assert!(recall(&c, &owl) >= 0.95);
        drop(c);
        drop(db);
        assert!(verify(dir.path(), &Control::none()).unwrap().problems.is_empty());
    };
    check(true);
    // At its ends: it is left out.
    let path = on_disk(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(verify(dir.path(), &Control::none()).unwrap().problems.len(), 1);
    check(false);
    // Missing.
    fs::remove_file(on_disk(dir.path())).unwrap();
    check(false);
    // In its body: links that lead nowhere are noticed by a walk, which finds what there is all the same.
    let path = on_disk(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[64..64 + 32 * 4 * 6_600].fill(0xfe);
    fs::write(&path, &bytes).unwrap();
    check(true);
    // And by `verify` of an open database.
    let path = on_disk(dir.path());
    let db = open();
    let c = db.collection("c").unwrap();
    assert_eq!(told(&c, &owl).len(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(db.verify(&Control::none()).unwrap().problems.len(), 1);
    assert_eq!(told(&c, &owl), []);
    c.optimize(&Control::none()).unwrap();
    assert_eq!(told(&c, &owl).len(), 1);
    assert!(db.verify(&Control::none()).unwrap().problems.is_empty());
}

#[test]
fn rows_without_a_vector_are_passed_over() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Euclid))
        .vector("other", VectorParams::new(DIM, Distance::Euclid));
    let c = db.create_collection("c", config).unwrap();
    let point = |id: u64| {
        let mut vectors = crate::Vectors::default();
        if !id.is_multiple_of(40) {
            vectors = vectors.with("", vector(id));
        }
        if id.is_multiple_of(3) {
            vectors = vectors.with("other", vector(id));
        }
        Point::new(id, vectors).payload(payload(id)).unwrap()
    };
    c.upsert((0..ROWS).map(point).collect()).unwrap();
    c.create_payload_index("bird", PayloadIndexKind::Keyword).unwrap();
    c.optimize(&Control::none()).unwrap();
    let owl = is("bird", "owl");
    let with_vector = (0..ROWS).filter(|id| id % 30 / 10 == 0 && id % 40 != 0).count() as u64;
    assert_eq!(told(&c, &owl), [("bird".to_owned(), with_vector, true)]);
    assert!(recall(&c, &owl) >= 0.95);
    assert!(recall(&c, &owl.and_must_not([Condition::matches("tag", 1)])) >= 0.95);
}

/// A power cut at every call of a job that changes the disk: what was written is there, searches answer, and the next job makes
/// what is missing.
#[test]
fn a_crash_at_any_call_of_a_job_loses_nothing() {
    let open = |disk: &SimDisk| {
        let builder = Database::builder().background(false).threads(1);
        builder.open_disk(Arc::new(disk.clone())).unwrap()
    };
    let small = |payload_m| HnswConfig {
        m: Some(6),
        ef_construct: Some(16),
        payload_m: Some(payload_m),
        ..HnswConfig::default()
    };
    let base = SimDisk::new(0);
    let db = open(&base);
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Euclid)).hnsw(small(0));
    let c = db.create_collection("c", config).unwrap();
    c.upsert(points(0..ROWS)).unwrap();
    c.create_payload_index("bird", PayloadIndexKind::Keyword).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.update_config(&CollectionUpdate::new().hnsw(small(6))).unwrap();
    drop(c);
    drop(db);
    let job = |c: &Collection| {
        let id = c.core().tables().segments[0].record.id;
        derive(c.shared(), c.core(), id, &c.shared().pool, &Control::none())
    };
    let owl = is("bird", "owl");
    let request = SearchRequest::new(vector(0)).filter(owl.clone()).limit(1);
    for cut in 0.. {
        let disk = base.restart();
        let db = open(&disk);
        let c = db.collection("c").unwrap();
        disk.crash_at(disk.calls() + cut);
        let done = job(&c).is_ok() && !disk.is_dead();
        drop(c);
        drop(db);
        let after = disk.crash(cut);
        let db = open(&after);
        let c = db.collection("c").unwrap();
        assert_eq!(c.count(Some(&owl)).unwrap(), 2_600, "cut at {cut}");
        assert_eq!(ids(&c, &request.clone()), [PointId::from(0)], "cut at {cut}");
        job(&c).unwrap();
        assert_eq!(told(&c, &owl), [("bird".to_owned(), 2_600, true)], "cut at {cut}");
        assert_eq!(ids(&c, &request.clone()), [PointId::from(0)], "cut at {cut}");
        let names = after.list(&c.core().dir).unwrap();
        let files = names.iter().filter(|name| name.contains(".part")).count();
        assert_eq!(files, 1, "cut at {cut}: {names:?}");
        drop(c);
        drop(db);
        let report = verify_disk(Arc::new(after.restart()), &Control::none()).unwrap();
        assert!(report.problems.is_empty(), "cut at {cut}: {:?}", report.problems);
        if done {
            assert!(cut > 5, "{cut} calls");
            break;
        }
    }
}

#[test]
fn what_cannot_be_read_now_is_not_damaged() {
    let disk = SimDisk::new(0);
    let db = Database::builder()
        .background(false)
        .open_disk(Arc::new(disk.clone()))
        .unwrap();
    let payload_m = |payload_m| HnswConfig {
        payload_m: Some(payload_m),
        ..HnswConfig::default()
    };
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine)).hnsw(payload_m(0));
    let c = db.create_collection("c", config).unwrap();
    c.upsert(points(0..ROWS)).unwrap();
    c.create_payload_index("bird", PayloadIndexKind::Keyword).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.update_config(&CollectionUpdate::new().hnsw(payload_m(6)))
        .unwrap();
    let segment = c.core().tables().segments[0].clone();
    let job = || {
        derive(
            c.shared(),
            c.core(),
            segment.record.id,
            &c.shared().pool,
            &Control::none(),
        )
    };
    let of = [Component::Graph(0), Component::PayloadIndex(0)];
    for file in segment.record.files().filter(|file| of.contains(&file.component)) {
        disk.inject(Fault::error().on_reads().under(&file.path(&c.core().dir)));
        assert!(job().is_err(), "{file}");
        disk.heal();
        assert!(segment.graph(0).is_some() && segment.index(0).is_some(), "{file}");
    }
    job().unwrap();
    assert_eq!(told(&c, &is("bird", "owl")), [("bird".to_owned(), 2_600, true)]);
}
