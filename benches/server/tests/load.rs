//! The whole course against a stand-in for a server, over both transports.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test: what is not expected ends it"
)]

mod mock;

use std::time::Duration;

use mock::Shared;
use serde_json::json;
use vdb::Distance;
use vdb_bench_server::{Course, Grpc, Rest, Server, run, write};
use vdb_benches::{Dataset, IngestPlan};
use vdb_measure::{Line, Setting};

/// Rows on a circle, so that inner products have no ties; every second is a noun.
fn data() -> Dataset {
    let at = |row: usize, turn: f32| {
        let angle = row as f32 * 0.7 + turn;
        [angle.cos(), angle.sin()]
    };
    let pos = ["noun", "verb"];
    let payload = |row: usize| {
        let lexfile = [18, 18, 5][row % 3];
        json!({"pos": pos[row % 2], "lexfile": lexfile})
            .as_object()
            .cloned()
            .unwrap()
    };
    Dataset {
        name: "circle".to_owned(),
        dim: 2,
        distance: Distance::Dot,
        vectors: (0..2500).flat_map(|row| at(row, 0.0)).collect(),
        queries: (0..20).map(|row| at(row, 0.013).to_vec()).collect(),
        payloads: (0..2500).map(payload).collect(),
        asked: Vec::new(),
        known: Vec::new(),
    }
}

fn course() -> Course {
    Course {
        int8: true,
        settings: vec![Setting::Ef(64), Setting::Default],
        connections: vec![1, 4],
        passes: 2,
        filters: true,
        filtered_queries: 5,
        pause: Duration::ZERO,
        patience: Duration::from_secs(3600),
        pid: Some(std::process::id()),
        replace: false,
        keep: false,
    }
}

/// Runs the course: what it told.
fn told(servers: &[&dyn Server], course: &Course) -> Vec<Line> {
    let mut lines = Vec::new();
    let outcome = run(servers, &data(), course, &mut |line| {
        lines.push(line);
        Ok(())
    });
    outcome.unwrap();
    lines
}

fn check(lines: &[Line], transport: &str) {
    let (filtered, plain): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.filter.is_some());
    let expected = [(1, "ef=64"), (1, "default"), (4, "ef=64"), (4, "default")];
    let expected = expected.map(|(connections, setting)| (Some(connections), setting));
    for of in plain.chunks(4).chain(filtered.chunks(4)) {
        let of: Vec<_> = of
            .iter()
            .map(|line| (line.connections, line.setting.as_str()))
            .collect();
        assert_eq!(of, expected);
    }
    let names: Vec<_> = filtered
        .iter()
        .step_by(4)
        .filter_map(|line| line.filter.as_deref())
        .collect();
    let tags = ["tags=t50", "tags=t10", "tags=t1", "tags=t01"];
    assert_eq!(
        names,
        [&tags[..], &["pos=noun", "pos=verb", "lexfile=18", "lexfile=5"]].concat()
    );
    for line in lines {
        assert_eq!((line.recall, line.rows), (1.0, Some(2500)), "{line:?}");
        assert_eq!(line.system, "qdrant 1.19.0 sq8 rescore x2");
        assert_eq!(line.transport.as_deref(), Some(transport));
        assert!(line.qps > 0.0 && line.p50_us <= line.p95_us && line.p95_us <= line.p99_us);
    }
}

#[test]
fn over_rest() {
    let store = Shared::default();
    let server = Rest::new(&mock::rest::serve(&store), "c");
    check(&told(&[&server], &course()), "rest");
    let store = store.lock();
    assert_eq!(store.indexes, ["pos keyword", "lexfile integer", "tags keyword"]);
    assert_eq!((store.deleted, store.created.is_none()), (1, true));
    assert_eq!(
        store.params,
        json!({"quantization": {"rescore": true, "oversampling": 2.0}})
    );
    // Yellow once, then green twice.
    assert_eq!(store.looks, 3);
}

#[test]
fn over_grpc() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Shared::default();
    let server = Grpc::new(&mock::grpc::serve(&runtime, &store), "c");
    check(&told(&[&server], &course()), "grpc");
    let store = store.lock();
    assert_eq!(
        store.indexes,
        [
            "pos FieldTypeKeyword",
            "lexfile FieldTypeInteger",
            "tags FieldTypeKeyword"
        ]
    );
    assert_eq!((store.deleted, store.looks), (1, 3));
    assert_eq!(store.params, json!({"hnsw_ef": null, "oversampling": 2.0}));
}

#[test]
fn one_upload_serves_both_transports_and_can_stay() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Shared::default();
    let grpc = Grpc::new(&mock::grpc::serve(&runtime, &store), "c");
    let rest = Rest::new(&mock::rest::serve(&store), "c");
    let course = Course {
        int8: false,
        filters: false,
        settings: vec![Setting::Ef(32)],
        keep: true,
        ..course()
    };
    let lines = told(&[&grpc, &rest], &course);
    let of: Vec<_> = lines
        .iter()
        .map(|line| (line.transport.as_deref(), line.connections))
        .collect();
    let expected = [("grpc", 1), ("grpc", 4), ("rest", 1), ("rest", 4)];
    assert_eq!(
        of,
        expected.map(|(transport, connections)| (Some(transport), Some(connections)))
    );
    assert_eq!(
        store.lock().created,
        Some(json!({"vectors": {"size": 2, "distance": "Dot"}}))
    );
    assert_eq!(store.lock().params, json!({"hnsw_ef": 32}));
    assert_eq!(store.lock().points.len(), 2500);

    // What is there is replaced on request only.
    let refused = run(&[&rest], &data(), &course, &mut |_| Ok(())).unwrap_err();
    assert!(refused.to_string().contains("--replace"), "{refused}");
    let replaced = Course {
        replace: true,
        ..course.clone()
    };
    assert_eq!(told(&[&rest], &replaced).len(), 2);
}

#[test]
fn writes_wait_for_their_answer_over_both_transports() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Shared::default();
    let grpc = Grpc::new(&mock::grpc::serve(&runtime, &store), "c");
    let rest = Rest::new(&mock::rest::serve(&store), "c");
    let plan = IngestPlan {
        rows: 150,
        rounds: 1,
        ..IngestPlan::default()
    };
    let mut lines = Vec::new();
    let mut tell = |line| {
        lines.push(line);
        Ok(())
    };
    write(&[&grpc, &rest], &data(), &plan, false, &mut tell).unwrap();
    let of: Vec<_> = lines
        .iter()
        .map(|line| (line.batch, line.writers, line.durability.as_str(), line.rows))
        .collect();
    let loads = [
        (1, 1, 15),
        (1, 16, 15),
        (100, 1, 150),
        (100, 16, 150),
        (1000, 1, 150),
        (1000, 16, 150),
    ];
    let expected = loads.map(|(batch, writers, rows)| {
        ["wait=true, grpc", "wait=true, rest"].map(|durability| (batch, writers, durability, rows))
    });
    assert_eq!(of, expected.concat());
    assert!(
        lines
            .iter()
            .all(|line| line.system == "qdrant 1.19.0" && !line.synced)
    );
    // A collection a round, and none in the end.
    assert_eq!(store.lock().deleted, 12);
    assert!(store.lock().created.is_none());

    // What is there is replaced on request only.
    store.lock().created = Some(json!({}));
    let refused = write(&[&rest], &data(), &plan, false, &mut |_| Ok(())).unwrap_err();
    assert!(refused.to_string().contains("--replace"), "{refused}");
    write(&[&rest], &data(), &plan, true, &mut |_| Ok(())).unwrap();
}

#[test]
fn what_a_server_refuses_is_told_with_its_text() {
    let store = Shared::default();
    let server = Rest::new(&mock::rest::serve(&store), "other");
    let error = server.exists().unwrap_err().to_string();
    assert!(
        error.contains("404") && error.contains("/collections/other/exists"),
        "{error}"
    );
}
