//! What a user does first, on a real disk and in memory.

use serde_json::json;
use vdb::{
    Control, Database, Distance, Error, Filter, PayloadIndexKind, Point, PointId, ScrollRequest,
    SearchRequest, Select, WriteBatch,
};
use vdb_tests::{config, points};

fn ids(points: &[vdb::ScoredPoint]) -> Vec<PointId> {
    points.iter().map(|p| p.id).collect()
}

#[test]
fn points_survive_a_restart_in_the_log_and_in_segments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let query = points(5_000..5_001, 16, 9)[0].vectors.dense("").unwrap().to_vec();
    let before;
    {
        let db = Database::open(&path).unwrap();
        let c = db.create_collection("c", config(16, Distance::Cosine)).unwrap();
        c.upsert(points(0..300, 16, 1)).unwrap();
        c.flush().unwrap();
        c.upsert(points(200..500, 16, 2)).unwrap();
        c.delete(vec![7u64, 250, 9_999]).unwrap();
        before = c
            .search(&SearchRequest::new(query.clone()).limit(20).with_payload(true))
            .unwrap();
        assert_eq!(c.count(None).unwrap(), 498);
    }
    for round in 0..3 {
        let db = Database::open(&path).unwrap();
        let c = db.collection("c").unwrap();
        assert_eq!(c.count(None).unwrap(), 498, "round {round}");
        let after = c
            .search(&SearchRequest::new(query.clone()).limit(20).with_payload(true))
            .unwrap();
        assert_eq!(before, after, "round {round}");
        assert!(
            c.get(&[7u64.into(), 250u64.into()], &Select::all())
                .unwrap()
                .is_empty()
        );
        if round == 0 {
            c.flush().unwrap();
        } else if round == 1 {
            c.optimize(&Control::none()).unwrap();
            assert_eq!(c.info().unwrap().segments.len(), 1);
        }
    }
}

#[test]
fn a_graph_finds_what_a_scan_finds() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config(24, Distance::Euclid)).unwrap();
    c.upsert(points(0..4_000, 24, 5)).unwrap();
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.info().unwrap().indexed_vectors, 4_000);
    let mut hits = 0;
    for probe in points(0..50, 24, 77) {
        let request = SearchRequest::new(probe.vectors.dense("").unwrap())
            .limit(10)
            .ef(128);
        let near = ids(&c.search(&request).unwrap());
        let exact = ids(&c.search(&request.exact(true)).unwrap());
        hits += exact.iter().filter(|id| near.contains(id)).count();
    }
    assert!(hits >= 475, "recall {} of 500", hits);
}

#[test]
fn filters_give_the_same_answer_with_and_without_an_index() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config(8, Distance::Dot)).unwrap();
    c.upsert(points(0..3_000, 8, 3)).unwrap();
    c.flush().unwrap();
    c.upsert(points(2_500..3_500, 8, 4)).unwrap();
    let filters = [
        json!({"must": [{"key": "mod", "match": {"value": "m3"}}]}),
        json!({"must": [{"key": "n", "range": {"gte": 10, "lt": 2_700}}]}),
        json!({"must_not": [{"key": "mod", "match": {"any": ["m1", "m2"]}}]}),
        json!({"should": [{"has_id": [1, 2, 3_400]}, {"key": "n", "match": {"value": 77}}]}),
    ];
    let ask = || -> Vec<_> {
        let each = filters.iter().map(|f| {
            let filter = Filter::from_json(f).unwrap();
            let request = SearchRequest::new([0.5; 8])
                .limit(50)
                .exact(true)
                .filter(filter.clone());
            let page = c
                .scroll(&ScrollRequest::new().limit(10_000).filter(filter.clone()))
                .unwrap();
            let scrolled: Vec<_> = page.points.iter().map(|p| p.id).collect();
            (
                c.count(Some(&filter)).unwrap(),
                ids(&c.search(&request).unwrap()),
                scrolled,
            )
        });
        each.collect()
    };
    let plain = ask();
    assert_eq!(plain[1].0, 2_690);
    c.create_payload_index("mod", PayloadIndexKind::Keyword).unwrap();
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    assert_eq!(ask(), plain);
    c.optimize(&Control::none()).unwrap();
    assert_eq!(ask(), plain);
}

#[test]
fn a_batch_takes_effect_in_full_or_not_at_all() {
    let db = Database::builder().open_in_memory().unwrap();
    let a = db.create_collection("a", config(2, Distance::Dot)).unwrap();
    let b = db.create_collection("b", config(2, Distance::Dot)).unwrap();
    a.upsert(points(0..3, 2, 1)).unwrap();
    let refused = db.write(
        WriteBatch::new()
            .upsert("b", points(0..5, 2, 1))
            .delete("a", vec![0u64])
            .require_version("a", 1, 77),
    );
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    assert_eq!((a.count(None).unwrap(), b.count(None).unwrap()), (3, 0));
    let done = db.write(
        WriteBatch::new()
            .require_version("a", 1, 1)
            .upsert("b", points(0..5, 2, 1))
            .delete("a", vec![0u64])
            .upsert("a", vec![Point::new(9, [1.0, 1.0])]),
    );
    assert_eq!(done.unwrap().sequences, [1, 2, 3]);
    assert_eq!((a.count(None).unwrap(), b.count(None).unwrap()), (3, 5));
}

#[test]
fn collections_and_aliases_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Database::open(&path).unwrap();
    db.create_collection("one", config(2, Distance::Dot))
        .unwrap()
        .upsert(points(0..3, 2, 1))
        .unwrap();
    db.create_collection("two", config(2, Distance::Dot)).unwrap();
    db.create_alias("now", "one").unwrap();
    assert!(matches!(
        db.create_collection("now", config(2, Distance::Dot)),
        Err(Error::NameTaken { .. })
    ));
    assert!(matches!(
        db.create_alias("two", "one"),
        Err(Error::NameTaken { .. })
    ));
    assert_eq!(db.collection("now").unwrap().count(None).unwrap(), 3);
    db.rename_collection("one", "uno").unwrap();
    assert_eq!(db.collection("now").unwrap().count(None).unwrap(), 3);
    assert!(matches!(
        db.collection("one"),
        Err(Error::CollectionNotFound { .. })
    ));
    assert!(db.drop_collection("two").unwrap());
    assert!(!db.drop_collection("two").unwrap());
    db.close().unwrap();
    let db = Database::open(&path).unwrap();
    assert_eq!(db.collections(), ["uno"]);
    assert_eq!(db.aliases(), [("now".to_owned(), "uno".to_owned())]);
    assert_eq!(db.collection("now").unwrap().count(None).unwrap(), 3);
}

#[test]
fn payloads_and_vectors_are_edited_in_place() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config(2, Distance::Dot)).unwrap();
    c.upsert(vec![
        Point::new(1, [1.0, 2.0])
            .payload(json!({"a": 1, "b": {"c": 2}}))
            .unwrap(),
    ])
    .unwrap();
    c.flush().unwrap();
    let set = json!({"a": null, "d": "x"}).as_object().cloned().unwrap();
    c.set_payload(set, vec![1u64]).unwrap();
    let read = |id: u64| c.get(&[id.into()], &Select::all()).unwrap().pop().unwrap();
    assert_eq!(json!(read(1).payload.unwrap()), json!({"b": {"c": 2}, "d": "x"}));
    assert_eq!(read(1).version, 2);
    assert_eq!(read(1).vectors.unwrap().dense(""), Some([1.0, 2.0].as_slice()));
    c.delete_payload(vec!["b.c".into()], vec![1u64]).unwrap();
    assert_eq!(json!(read(1).payload.unwrap()), json!({"b": {}, "d": "x"}));
    c.update_vectors(vec![(1u64.into(), [5.0, 6.0].into())]).unwrap();
    assert_eq!(read(1).vectors.unwrap().dense(""), Some([5.0, 6.0].as_slice()));
    c.delete_vectors(vec![String::new()], vec![1u64]).unwrap();
    assert!(read(1).vectors.unwrap().0.is_empty());
    assert!(c.search(&SearchRequest::new([1.0, 1.0])).unwrap().is_empty());
    assert!(matches!(
        c.clear_payload(vec![2u64]),
        Err(Error::PointNotFound { .. })
    ));
    c.clear_payload(vec![1u64]).unwrap();
    assert!(read(1).payload.unwrap().is_empty());
    assert_eq!(read(1).version, 6);
}
