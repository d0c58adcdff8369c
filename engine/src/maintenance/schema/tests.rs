use std::sync::Arc;

use serde_json::json;
use vdb_index::Control;
use vdb_storage::Component;
use vdb_vfs::sim::SimDisk;

use crate::{
    Collection, CollectionConfig, CollectionUpdate, Database, Distance, Error, HnswConfig,
    MAX_SETTINGS_BYTES, OptimizerConfig, OptimizerUpdate, Point, QuantizationConfig, QuantizationSearch,
    QueryParams, SearchRequest, Status, StrictMode, VectorParams, VectorUpdate, Vectors,
};

const DIM: usize = 24;

fn quiet() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

fn config() -> CollectionConfig {
    let optimizer = OptimizerConfig {
        index_min_rows: 100,
        ..OptimizerConfig::default()
    };
    CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine))
        .vector("own", VectorParams::new(DIM, Distance::Dot).hnsw_config(m(6)))
        .optimizer(optimizer)
}

fn m(m: u16) -> HnswConfig {
    HnswConfig {
        m: Some(m),
        ..HnswConfig::default()
    }
}

fn vector(seed: u64) -> Vec<f32> {
    let part = |x: u64| {
        let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 29)) % 2_000) as f32 / 1_000.0 - 1.0
    };
    (0..DIM as u64).map(|at| part(seed * 1_000 + at + 1)).collect()
}

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let vectors = |id| Vectors::from(vector(id)).with("own", vector(id + 7));
    ids.map(|id| Point::new(id, vectors(id))).collect()
}

fn filled(db: &Database) -> Collection {
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(points(0..400)).unwrap();
    optimize(&c);
    c
}

fn optimize(c: &Collection) {
    c.optimize(&Control::none()).unwrap();
}

/// `m` and checksum of the graphs of the only segment, by slot.
fn graphs(c: &Collection) -> Vec<Option<(u16, u32)>> {
    let tables = c.core().tables();
    let [segment] = &tables.segments[..] else {
        panic!("{} segments", tables.segments.len());
    };
    let graph = |slot| {
        let graph = segment.vectors(slot)?.graph()?;
        Some((graph.view().params().m, graph.info().crc))
    };
    (0..2).map(graph).collect()
}

fn ms(c: &Collection) -> Vec<Option<u16>> {
    graphs(c).into_iter().map(|graph| Some(graph?.0)).collect()
}

fn ids(c: &Collection, request: SearchRequest) -> Vec<u64> {
    let hits = c.search(&request).unwrap();
    let number = |hit: crate::ScoredPoint| match hit.id {
        crate::PointId::Num(id) => id,
        crate::PointId::Uuid(_) => panic!("ids are numbers"),
    };
    hits.into_iter().map(number).collect()
}

#[test]
fn graphs_are_built_again_with_the_new_parameters_and_no_others() {
    let db = quiet();
    let c = filled(&db);
    let before = graphs(&c);
    assert_eq!(ms(&c), [Some(16), Some(6)]);
    c.update_config(&CollectionUpdate::new().hnsw(m(9))).unwrap();
    // The old graph serves meanwhile, and it is told that there is something to do.
    assert_eq!(graphs(&c), before);
    assert_eq!(c.info().unwrap().status, Status::Optimizing);
    assert_eq!(ids(&c, SearchRequest::new(vector(5)).limit(1)), [5]);
    optimize(&c);
    assert_eq!(ms(&c), [Some(9), Some(6)]);
    assert_eq!(
        graphs(&c)[1],
        before[1],
        "the other vector has its own parameters"
    );
    assert_eq!(c.info().unwrap().status, Status::Ready);
    assert_eq!(ids(&c, SearchRequest::new(vector(5)).limit(1)), [5]);
    // The files of the old graph are gone.
    let names = c.shared().disk.list(&c.core().dir).unwrap();
    assert_eq!(
        names.iter().filter(|name| name.contains(".hnsw")).count(),
        2,
        "{names:?}"
    );

    // The same as if it had been so from the start.
    let fresh = db.create_collection("fresh", config().hnsw(m(9))).unwrap();
    fresh.upsert(points(0..400)).unwrap();
    optimize(&fresh);
    assert_eq!(graphs(&fresh), graphs(&c));
}

#[test]
fn codes_are_made_again_when_quantisation_changes() {
    let c = filled(&quiet());
    let codes = |c: &Collection, slot| {
        let tables = c.core().tables();
        let graph = tables.segments[0].vectors(slot).unwrap().graph().unwrap();
        graph.view().params().quantization
    };
    let update = CollectionUpdate::new()
        .quantization(QuantizationConfig::binary())
        .vector(
            "own",
            VectorUpdate {
                quantization: Some(crate::QuantizationUpdate::Set(QuantizationConfig::scalar())),
                ..VectorUpdate::default()
            },
        );
    c.update_config(&update).unwrap();
    optimize(&c);
    assert_eq!(codes(&c, 0), crate::Quantization::Binary);
    assert_eq!(codes(&c, 1), crate::Quantization::Int8);
    assert_eq!(ids(&c, SearchRequest::new(vector(17)).limit(1)), [17]);
}

#[test]
fn without_links_there_are_no_graphs_until_there_are_links_again() {
    let c = filled(&quiet());
    c.update_config(&CollectionUpdate::new().hnsw(m(0))).unwrap();
    assert_eq!(c.info().unwrap().status, Status::Optimizing);
    optimize(&c);
    assert_eq!(ms(&c), [None, Some(6)]);
    let tables = c.core().tables();
    assert_eq!(tables.segments[0].record.component(Component::Graph(0)), None);
    assert_eq!(c.info().unwrap().status, Status::Ready);
    let indexed_only = QueryParams {
        indexed_only: true,
        ..QueryParams::default()
    };
    // Nothing waits for a graph, so that nothing is left out.
    assert_eq!(
        ids(&c, SearchRequest::new(vector(5)).limit(1).params(indexed_only)),
        [5]
    );
    c.update_config(&CollectionUpdate::new().hnsw(m(12))).unwrap();
    optimize(&c);
    assert_eq!(ms(&c), [Some(12), Some(6)]);
}

#[test]
fn rows_that_are_only_in_memory_get_graphs_of_the_new_parameters() {
    let db = quiet();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(points(0..300)).unwrap();
    c.update_config(&CollectionUpdate::new().hnsw(m(5))).unwrap();
    c.upsert(points(300..600)).unwrap();
    assert_eq!(c.count(None).unwrap(), 600);
    optimize(&c);
    assert_eq!(ms(&c), [Some(5), Some(6)]);
    assert_eq!(c.count(None).unwrap(), 600);
}

#[test]
fn in_the_background_graphs_follow_by_themselves() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = filled(&db);
    c.update_config(&CollectionUpdate::new().hnsw(m(7))).unwrap();
    let started = std::time::Instant::now();
    while ms(&c) != [Some(7), Some(6)] || c.info().unwrap().status != Status::Ready {
        assert!(started.elapsed().as_secs() < 60, "{:?}", c.info());
        std::thread::yield_now();
    }
}

#[test]
fn settings_are_there_after_a_restart_and_a_follower_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Database::builder().background(false).open(&path).unwrap();
    let c = filled(&db);
    let follower = Database::open_read_only(&path).unwrap();
    let followed = follower.collection("c").unwrap();
    let metadata = json!({"owner": "me"}).as_object().unwrap().clone();
    let strict = StrictMode {
        enabled: Some(true),
        max_query_limit: Some(5),
        ..StrictMode::default()
    };
    let update = CollectionUpdate::new()
        .hnsw(m(9))
        .quantization(QuantizationConfig::scalar())
        .metadata(metadata.clone())
        .hints(metadata)
        .strict_mode(strict);
    c.update_config(&update).unwrap();
    let set = c.config();
    assert_ne!(followed.config(), set);
    assert!(followed.search(&SearchRequest::new(vector(1)).limit(6)).is_ok());
    assert!(follower.refresh().unwrap());
    assert_eq!(followed.config(), set);
    // It is held to the limits as well, and cannot change them.
    assert!(followed.search(&SearchRequest::new(vector(1)).limit(6)).is_err());
    assert!(followed.update_config(&update).unwrap_err().is_read_only());

    drop((c, db));
    let db = Database::builder().background(false).open(&path).unwrap();
    let c = db.collection("c").unwrap();
    assert_eq!(c.config(), set);
    assert_eq!(c.info().unwrap().status, Status::Optimizing);
    optimize(&c);
    assert_eq!(ms(&c), [Some(9), Some(6)]);
    assert!(follower.refresh().unwrap());
    assert_eq!(ms(&followed), [Some(9), Some(6)]);
}

#[test]
fn a_crash_leaves_the_settings_of_before_or_of_after() {
    let open = |disk: &SimDisk| {
        Database::builder()
            .background(false)
            .threads(1)
            .open_disk(Arc::new(disk.clone()))
    };
    let update = CollectionUpdate::new()
        .hnsw(m(9))
        .metadata(json!({"a": 1}).as_object().unwrap().clone());
    let mut seen = [0, 0];
    for step in 0.. {
        let disk = SimDisk::new(step);
        let db = open(&disk).unwrap();
        let c = db.create_collection("c", config()).unwrap();
        c.upsert(points(0..120)).unwrap();
        c.flush().unwrap();
        let before = c.config();
        disk.crash_at(disk.calls() + step);
        let outcome = c
            .update_config(&update)
            .and_then(|()| c.optimize(&Control::none()));
        let dead = disk.is_dead();
        let after = disk.crash(step);
        drop((c, db));
        let db = open(&after).unwrap();
        let c = db.collection("c").unwrap();
        let found = c.config();
        let mut changed = before.clone();
        changed.update(&update).unwrap();
        assert!(
            found == before || found == changed,
            "after {step} calls: {found:?}"
        );
        assert!(outcome.is_err() || found == changed);
        assert_eq!(c.count(None).unwrap(), 120);
        optimize(&c);
        assert_eq!(ms(&c)[0], Some(if found == changed { 9 } else { 16 }));
        seen[usize::from(found == changed)] += 1;
        if !dead {
            assert!(outcome.is_ok());
            break;
        }
    }
    assert!(seen[0] > 2 && seen[1] > 5, "{seen:?}");
}

#[test]
fn what_is_refused_changes_nothing() {
    let c = filled(&quiet());
    let before = (c.config(), c.info().unwrap().last_sequence);
    let much = "x".repeat(MAX_SETTINGS_BYTES);
    for update in [
        CollectionUpdate::new().hnsw(m(1)),
        CollectionUpdate::new().vector("no", VectorUpdate::default()),
        CollectionUpdate::new().metadata(json!({ "k": much }).as_object().unwrap().clone()),
    ] {
        // All of it or nothing.
        let update = update.quantization(QuantizationConfig::binary());
        let refused = c.update_config(&update);
        assert!(
            matches!(
                refused,
                Err(Error::InvalidRequest(_) | Error::UnknownVector { .. } | Error::Limit { .. })
            ),
            "{refused:?}"
        );
        assert_eq!((c.config(), c.info().unwrap().last_sequence), before);
    }
}

#[test]
fn changes_of_other_settings_leave_graphs_and_memtables_alone() {
    let c = filled(&quiet());
    c.upsert(points(400..410)).unwrap();
    let before = graphs(&c);
    let update = CollectionUpdate::new()
        .metadata(json!({"a": 1}).as_object().unwrap().clone())
        .optimizer(OptimizerUpdate {
            merge_fan_in: Some(3),
            ..OptimizerUpdate::default()
        });
    c.update_config(&update).unwrap();
    assert_eq!(graphs(&c), before);
    assert!(c.core().tables().frozen.is_empty());
    assert_eq!(c.config().optimizer.merge_fan_in, 3);
}

#[test]
fn only_what_others_are_built_for_calls_off_the_work_in_the_background() {
    let c = filled(&quiet());
    let calls = || c.core().settings.load(std::sync::atomic::Ordering::Acquire);
    let metadata = json!({"a": 1}).as_object().unwrap().clone();
    c.update_config(&CollectionUpdate::new().metadata(metadata))
        .unwrap();
    assert_eq!(calls(), 0);
    c.update_config(&CollectionUpdate::new().hnsw(m(9))).unwrap();
    assert_eq!(calls(), 1);
    let fan_in = OptimizerUpdate {
        merge_fan_in: Some(3),
        ..OptimizerUpdate::default()
    };
    c.update_config(&CollectionUpdate::new().optimizer(fan_in))
        .unwrap();
    assert_eq!(calls(), 2);
    assert!(c.delete_vector("own").unwrap());
    assert_eq!(calls(), 3);
    assert!(!c.delete_vector("own").unwrap());
    assert_eq!(calls(), 3);
}

#[test]
fn a_threshold_of_nothing_ends_indexing_and_work_waits_for_an_idle_optimizer() {
    let db = quiet();
    let c = filled(&db);
    let never = OptimizerUpdate {
        indexing_threshold: Some(0),
        ..OptimizerUpdate::default()
    };
    c.update_config(&CollectionUpdate::new().optimizer(never).hnsw(m(9)))
        .unwrap();
    optimize(&c);
    // What is there stays; nothing new is built.
    assert_eq!(ms(&c), [Some(16), Some(6)]);
    c.upsert(points(400..1_000)).unwrap();
    optimize(&c);
    assert_eq!(ms(&c), [None, None]);
    let idle = OptimizerUpdate {
        indexing_threshold: Some(1),
        max_optimization_threads: Some(Some(0)),
        ..OptimizerUpdate::default()
    };
    c.update_config(&CollectionUpdate::new().optimizer(idle)).unwrap();
    assert_eq!(c.info().unwrap().status, Status::Waiting);
    // Who asks for it gets it.
    optimize(&c);
    assert_eq!(ms(&c), [Some(9), Some(6)]);
}

#[test]
fn segments_grow_no_larger_than_their_size_in_kilobytes() {
    let db = quiet();
    let c = db.create_collection("c", config()).unwrap();
    // Two vectors of 96 bytes a row: 100 rows.
    let size = OptimizerUpdate {
        max_segment_size: Some(19),
        ..OptimizerUpdate::default()
    };
    c.update_config(&CollectionUpdate::new().optimizer(size)).unwrap();
    for first in [0, 60, 120] {
        c.upsert(points(first..first + 60)).unwrap();
        c.flush().unwrap();
    }
    optimize(&c);
    assert_eq!(c.info().unwrap().segments.len(), 3);
    c.update_config(&CollectionUpdate::new().optimizer(OptimizerUpdate {
        max_segment_size: Some(24),
        ..OptimizerUpdate::default()
    }))
    .unwrap();
    optimize(&c);
    assert_eq!(c.info().unwrap().segments.len(), 2);
}

#[test]
fn few_deletions_of_a_small_segment_are_left_there() {
    let c = filled(&quiet());
    let min = |rows| {
        CollectionUpdate::new().optimizer(OptimizerUpdate {
            vacuum_min_rows: Some(rows),
            ..OptimizerUpdate::default()
        })
    };
    c.delete((0..200u64).collect::<Vec<_>>()).unwrap();
    c.flush().unwrap();
    c.update_config(&min(401)).unwrap();
    assert_eq!(c.info().unwrap().status, Status::Ready);
    c.update_config(&min(400)).unwrap();
    assert_eq!(c.info().unwrap().status, Status::Optimizing);
}

fn with_codes(quantization: QuantizationSearch) -> QueryParams {
    QueryParams {
        ef: Some(10),
        quantization,
        ..QueryParams::default()
    }
}

#[test]
fn searches_say_what_becomes_of_codes() {
    let db = quiet();
    let binary = CollectionConfig::new(VectorParams::new(DIM, Distance::Dot))
        .quantization(QuantizationConfig::binary())
        .optimizer(config().optimizer);
    let c = db.create_collection("c", binary).unwrap();
    let all = (0..3_000).map(|id| Point::new(id, vector(id))).collect();
    c.upsert(all).unwrap();
    optimize(&c);
    let queries: Vec<Vec<f32>> = (0..40).map(|at| vector(at + 50_000)).collect();
    let request = |query: &[f32]| SearchRequest::new(query.to_vec()).limit(10);
    let recall = |quantization: QuantizationSearch| -> usize {
        let found = |query: &Vec<f32>| {
            let exact = ids(&c, request(query).exact(true));
            let found = ids(&c, request(query).params(with_codes(quantization)));
            found.iter().filter(|&id| exact.contains(id)).count()
        };
        queries.iter().map(found).sum()
    };
    let times = |times| QuantizationSearch {
        oversampling: Some(times),
        ..QuantizationSearch::default()
    };
    let (once, many) = (recall(times(1.0)), recall(times(30.0)));
    assert!(many > once && many > 340, "{once} and {many} of 400");
    let ignored = recall(QuantizationSearch {
        ignore: true,
        ..QuantizationSearch::default()
    });
    assert!(ignored > once, "{ignored} without codes, {once} with them");

    let raw = QuantizationSearch {
        rescore: Some(false),
        ..QuantizationSearch::default()
    };
    let mut differ = 0;
    for query in &queries {
        let exact: std::collections::BTreeMap<_, _> = c
            .search(&request(query).limit(3_000).exact(true))
            .unwrap()
            .into_iter()
            .map(|hit| (hit.id, hit.score))
            .collect();
        let hits = c.search(&request(query).params(with_codes(raw))).unwrap();
        assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
        differ += hits.iter().filter(|hit| exact[&hit.id] != hit.score).count();
        let rescored = c.search(&request(query).params(with_codes(times(2.0)))).unwrap();
        assert!(rescored.iter().all(|hit| exact[&hit.id] == hit.score));
    }
    assert!(differ > 390, "{differ} of 400 scores are those of codes");
    let less = times(0.5);
    assert!(c.search(&request(&queries[0]).params(with_codes(less))).is_err());
}

#[test]
fn what_waits_for_its_graph_is_left_out_where_that_is_asked() {
    let c = filled(&quiet());
    c.upsert(points(400..600)).unwrap();
    c.flush().unwrap();
    c.upsert(points(600..650)).unwrap();
    let only = QueryParams {
        indexed_only: true,
        ..QueryParams::default()
    };
    let nearest =
        |id: u64, params: QueryParams| ids(&c, SearchRequest::new(vector(id)).limit(1).params(params))[0];
    for (id, found) in [(7, true), (450, false), (620, true)] {
        assert_eq!(nearest(id, QueryParams::default()), id);
        assert_eq!(nearest(id, only.clone()) == id, found, "{id}");
    }
    let waiting = || -> Vec<u64> { c.info().unwrap().vectors.iter().map(|v| v.waiting).collect() };
    assert_eq!(waiting(), [200, 200]);
    optimize(&c);
    assert_eq!(waiting(), [0, 0]);
    assert_eq!(nearest(450, only), 450);
}

#[test]
fn below_the_full_scan_threshold_every_vector_is_scored() {
    let db = quiet();
    let binary = CollectionConfig::new(VectorParams::new(DIM, Distance::Dot))
        .quantization(QuantizationConfig::binary())
        .optimizer(config().optimizer);
    let c = db.create_collection("c", binary).unwrap();
    c.upsert((0..2_000).map(|id| Point::new(id, vector(id))).collect())
        .unwrap();
    optimize(&c);
    let missed = || {
        let misses = |at: u64| {
            let request = SearchRequest::new(vector(at + 50_000)).limit(10);
            let walk = request.clone().params(with_codes(QuantizationSearch::default()));
            ids(&c, walk) != ids(&c, request.exact(true))
        };
        (0..30).filter(|&at| misses(at)).count()
    };
    assert!(missed() > 0);
    let threshold = |kilobytes| {
        CollectionUpdate::new().hnsw(HnswConfig {
            full_scan_threshold: Some(kilobytes),
            ..HnswConfig::default()
        })
    };
    // 187.5 kilobytes of vectors.
    c.update_config(&threshold(188)).unwrap();
    assert_eq!(missed(), 0);
    c.update_config(&threshold(187)).unwrap();
    assert!(missed() > 0);
    assert_eq!(c.info().unwrap().status, Status::Ready, "no graph changes for it");
}
