use std::time::Duration;

use serde_json::json;

use crate::{
    AggregateRequest, Collection, CollectionConfig, CollectionUpdate, Condition, Database, Distance, Error,
    Expression, FacetRequest, Filter, Formula, GroupRequest, Idf, MatrixRequest, Operation, OrderBy,
    PayloadIndexKind, Point, PointId, Prefetch, QuantizationSearch, Query, QueryParams, QueryRequest, Result,
    ScrollRequest, SearchRequest, Select, SortKey, SortRequest, StrictMode, Target, UpsertMode, ValueKind,
    VectorParams, WriteBatch,
};

fn database() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let point = |id: u64| {
        Point::new(id, [id as f32, 1.0])
            .payload(json!({"n": id, "k": "v", "deep": [{"n": 1}]}))
            .unwrap()
    };
    ids.map(point).collect()
}

/// Ten points, then these limits.
fn held_to(limits: serde_json::Value) -> Collection {
    held_in(&database(), limits)
}

fn held_in(db: &Database, limits: serde_json::Value) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    c.upsert(points(0..10)).unwrap();
    let mut strict = StrictMode::from_json(&limits).unwrap();
    strict.enabled = Some(true);
    c.update_config(&CollectionUpdate::new().strict_mode(strict))
        .unwrap();
    c
}

fn search() -> SearchRequest {
    SearchRequest::new([1.0, 0.0])
}

fn nearest() -> QueryRequest {
    QueryRequest::new(Query::nearest([1.0, 0.0]))
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(name: &str, outcome: Result<T>) {
    match outcome {
        Err(Error::StrictMode { limit, what, help }) => {
            assert_eq!(limit, name);
            assert!(!what.is_empty() && !help.is_empty());
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn by(field: &str) -> Filter {
    Filter::must([Condition::matches(field, "v")])
}

#[test]
fn nobody_is_held_to_limits_that_are_not_enabled() {
    let c = held_to(json!({"max_query_limit": 1}));
    refuses("max_query_limit", c.search(&search()));
    let off = StrictMode {
        enabled: Some(false),
        ..StrictMode::default()
    };
    c.update_config(&CollectionUpdate::new().strict_mode(off))
        .unwrap();
    c.search(&search()).unwrap();
}

#[test]
fn a_database_may_be_opened_for_work_that_is_not_held_to_limits() {
    let open = || Database::builder().background(false);
    let disk: crate::disk::DynDisk = std::sync::Arc::new(crate::disk::MemDisk::new());
    let db = open().open_disk(disk.clone()).unwrap();
    let limits = json!({"max_query_limit": 1, "upsert_max_batchsize": 1, "max_payload_index_count": 0, "read_rate_limit": 1});
    let told = held_in(&db, limits).config();
    db.close().unwrap();
    let db = open().strict_mode(false).open_disk(disk.clone()).unwrap();
    let c = db.collection("c").unwrap();
    c.upsert(points(10..20)).unwrap();
    db.write(WriteBatch::new().upsert("c", points(20..30))).unwrap();
    c.create_payload_index("k", PayloadIndexKind::Keyword).unwrap();
    for _ in 0..5 {
        assert_eq!(c.search(&search().limit(7)).unwrap().len(), 7);
    }
    assert!(!c.counts_reads());
    assert_eq!(c.config(), told);
    drop(c);
    db.close().unwrap();
    // Everybody else is.
    let db = open().open_disk(disk).unwrap();
    refuses(
        "max_query_limit",
        db.collection("c").unwrap().search(&search().limit(7)),
    );
}

#[test]
fn max_query_limit() {
    const NAME: &str = "max_query_limit";
    let c = held_to(json!({"max_query_limit": 5}));
    c.search(&search().limit(5)).unwrap();
    let refused = c.search(&search().limit(6)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Limit exceeded 6 > 5 for \"limit\". Help: Reduce the \"limit\" parameter to or below 5."
    );
    refuses(NAME, c.search_batch(&[search().limit(5), search().limit(6)]));
    refuses(NAME, c.query(&nearest().limit(6)));
    refuses(NAME, c.query_batch(&[nearest().limit(6)]));
    let wide = Prefetch::new(Query::nearest([1.0, 0.0])).limit(6);
    let over = QueryRequest::new(Query::nearest([1.0, 0.0]))
        .limit(1)
        .prefetch(wide);
    refuses(NAME, c.query(&over));
    refuses(
        NAME,
        c.query_groups(&GroupRequest::new(nearest().limit(2), "n").group_size(3)),
    );
    c.query_groups(&GroupRequest::new(nearest().limit(2), "n").group_size(2))
        .unwrap();
    refuses(NAME, c.scroll(&ScrollRequest::new().limit(6)));
    refuses(NAME, c.facet(&FacetRequest::new("k").limit(6)));
    refuses(NAME, c.distance_matrix(&MatrixRequest::new().sample(3).limit(2)));
    // Which points are meant is no limit.
    let ids: Vec<PointId> = (0..10u64).map(PointId::Num).collect();
    assert_eq!(c.get(&ids, &Select::default()).unwrap().len(), 10);
}

#[test]
fn max_timeout() {
    let c = held_to(json!({"max_timeout": 2}));
    let (short, long) = (Duration::from_secs(2), Duration::from_millis(2_001));
    c.search(&search().timeout(short)).unwrap();
    refuses("max_timeout", c.search(&search().timeout(long)));
    refuses("max_timeout", c.query(&nearest().timeout(long)));
    let mut page = ScrollRequest::new();
    page.timeout = Some(long);
    refuses("max_timeout", c.scroll(&page));
    c.check_timeout(short).unwrap();
    refuses("max_timeout", c.check_timeout(long));
}

#[test]
fn unindexed_filtering_retrieve() {
    const NAME: &str = "unindexed_filtering_retrieve";
    let c = held_to(json!({"unindexed_filtering_retrieve": false}));
    refuses(NAME, c.search(&search().filter(by("k"))));
    refuses(NAME, c.count(Some(&by("k"))));
    refuses(NAME, c.scroll(&ScrollRequest::new().filter(by("k"))));
    refuses(NAME, c.facet(&FacetRequest::new("k").filter(by("k"))));
    refuses(NAME, c.distance_matrix(&MatrixRequest::new().filter(by("k"))));
    let inner = Prefetch::new(Query::nearest([1.0, 0.0])).filter(by("k"));
    refuses(NAME, c.query(&nearest().limit(1).prefetch(inner)));
    refuses(NAME, c.scroll_back(&ScrollRequest::new().filter(by("k"))));
    refuses(NAME, c.aggregate(&AggregateRequest::new("n").filter(by("k"))));
    let corpus = || Idf::Corpus(by("k"));
    refuses(NAME, c.search(&search().idf(corpus())));
    refuses(NAME, c.query(&nearest().idf(corpus())));
    let keys = [
        ValueKind::Any,
        ValueKind::Numbers,
        ValueKind::Datetimes,
        ValueKind::Strings,
    ];
    for kind in keys {
        refuses(NAME, c.sort(&SortRequest::new([SortKey::new("k").kind(kind)])));
    }
    // A write may.
    c.delete(by("zzz")).unwrap();

    // An index of another kind does not serve.
    c.create_payload_index("k", PayloadIndexKind::Integer).unwrap();
    let refused = c.count(Some(&by("k"))).unwrap_err().to_string();
    assert!(
        refused.contains("\"k\" of one of the following types: [keyword]. Help: "),
        "{refused}"
    );
    c.create_payload_index("k", PayloadIndexKind::Keyword).unwrap();
    assert_eq!(c.count(Some(&by("k"))).unwrap(), 10);
    for kind in keys {
        let sorted = c.sort(&SortRequest::new([SortKey::new("k").kind(kind)]));
        match kind {
            ValueKind::Any | ValueKind::Strings => assert_eq!(sorted.unwrap().points.len(), 10),
            ValueKind::Numbers | ValueKind::Datetimes => refuses(NAME, sorted),
        }
    }
    // However deep it stands.
    let nested = |path: &str| {
        let inner = Filter::must([Condition::matches("n", 1i64)]);
        let nested = Condition::Nested {
            path: path.to_owned(),
            filter: Box::new(inner),
        };
        Filter::must_not([Condition::Filter(Box::new(Filter::must([nested])))])
    };
    refuses(NAME, c.count(Some(&nested("deep"))));
    c.create_payload_index("deep[].n", PayloadIndexKind::Integer)
        .unwrap();
    c.count(Some(&nested("deep"))).unwrap();
    // What needs no index needs none.
    let ids = Filter::must([
        Condition::HasId(vec![1.into()]),
        Condition::HasVector(String::new()),
    ]);
    assert_eq!(c.count(Some(&ids)).unwrap(), 1);

    let order = QueryRequest::new(Query::OrderBy(OrderBy::new("n"))).limit(2);
    refuses(NAME, c.query(&order));
    let formula = |expression: Expression| {
        let found = Prefetch::new(Query::nearest([1.0, 0.0]));
        QueryRequest::new(Query::Formula(Formula::new(expression))).prefetch(found)
    };
    let n = || Expression::variable("n");
    refuses(NAME, c.query(&formula(n() + Expression::Constant(1.0))));
    refuses(NAME, c.query(&formula(Condition::range("n", 1.0..).into())));
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    c.query(&order).unwrap();
    c.query(&formula(n() + Expression::Constant(1.0))).unwrap();
    c.query(&formula(Condition::range("n", 1.0..).into())).unwrap();
}

#[test]
fn groups_are_by_fields_with_an_index() {
    const NAME: &str = "unindexed_filtering_retrieve";
    let c = held_to(json!({"unindexed_filtering_retrieve": false}));
    let by_n = || GroupRequest::new(nearest().limit(2), "n");
    refuses(NAME, c.query_groups(&by_n()));
    c.create_payload_index("n", PayloadIndexKind::Float).unwrap();
    let refused = c.query_groups(&by_n()).unwrap_err().to_string();
    assert!(
        refused.starts_with("Index of type \"Float\" found for \"n\". Help: "),
        "{refused}"
    );
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    assert_eq!(c.query_groups(&by_n()).unwrap().len(), 2);
    // What values come to is told of groups, too.
    let by_k = || AggregateRequest::new("n").group_by("k");
    refuses(NAME, c.aggregate(&by_k()));
    assert!(
        !c.aggregate(&AggregateRequest::new("n").group_by("n"))
            .unwrap()
            .groups
            .is_empty()
    );
    c.create_payload_index("k", PayloadIndexKind::Keyword).unwrap();
    assert!(!c.aggregate(&by_k()).unwrap().groups.is_empty());
}

#[test]
fn texts_that_spell_uuids_may_have_an_index_of_uuids() {
    let c = held_to(json!({"unindexed_filtering_retrieve": false}));
    let of = |text: &str| Filter::must([Condition::matches("k", text)]);
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    let refused = c.count(Some(&of(uuid))).unwrap_err().to_string();
    assert!(refused.contains("[keyword, uuid]"), "{refused}");
    c.create_payload_index("k", PayloadIndexKind::Uuid).unwrap();
    c.count(Some(&of(uuid))).unwrap();
    refuses("unindexed_filtering_retrieve", c.count(Some(&of("v"))));
}

#[test]
fn an_index_serves_what_its_options_say() {
    let c = held_to(json!({"unindexed_filtering_retrieve": false}));
    let lookups = crate::PayloadIndexParams::from_json(&json!({"type": "integer", "range": false})).unwrap();
    c.create_payload_index("n", lookups).unwrap();
    c.count(Some(&Filter::must([Condition::matches("n", 1i64)])))
        .unwrap();
    let range = Filter::must([Condition::range("n", 1.0..)]);
    refuses("unindexed_filtering_retrieve", c.count(Some(&range)));
}

#[test]
fn unindexed_filtering_update() {
    const NAME: &str = "unindexed_filtering_update";
    let db = database();
    let c = held_in(&db, json!({"unindexed_filtering_update": false}));
    let target = || Target::Filter(by("k"));
    refuses(NAME, c.delete(by("k")));
    refuses(NAME, c.clear_payload(by("k")));
    refuses(NAME, c.set_payload(serde_json::Map::new(), by("k")));
    refuses(NAME, c.overwrite_payload(serde_json::Map::new(), by("k")));
    refuses(NAME, c.delete_payload(vec!["k".to_owned()], target()));
    refuses(NAME, c.delete_vectors(vec![String::new()], target()));
    refuses(NAME, db.write(WriteBatch::new().delete("c", by("k"))));
    refuses(
        NAME,
        c.apply(Operation::Upsert {
            points: points(0..1),
            mode: UpsertMode::Upsert,
            update_filter: Some(by("k")),
        }),
    );
    // A read may.
    assert_eq!(c.count(Some(&by("k"))).unwrap(), 10);
    c.create_payload_index("k", PayloadIndexKind::Keyword).unwrap();
    c.delete(by("k")).unwrap();
    assert_eq!(c.count(None).unwrap(), 0);
}

fn params(change: impl FnOnce(&mut QueryParams)) -> QueryParams {
    let mut params = QueryParams::default();
    change(&mut params);
    params
}

#[test]
fn search_max_hnsw_ef() {
    let c = held_to(json!({"search_max_hnsw_ef": 64}));
    c.search(&search().ef(64)).unwrap();
    refuses("search_max_hnsw_ef", c.search(&search().ef(65)));
    let inner = Prefetch::new(Query::nearest([1.0, 0.0])).ef(65);
    refuses("search_max_hnsw_ef", c.query(&nearest().prefetch(inner)));
}

#[test]
fn search_allow_exact() {
    let c = held_to(json!({"search_allow_exact": false}));
    refuses("search_allow_exact", c.search(&search().exact(true)));
    refuses("search_allow_exact", c.query(&nearest().exact(true)));
    c.search(&search()).unwrap();
    assert!(matches!(
        c.check_exact(),
        Err(Error::StrictMode {
            limit: "search_allow_exact",
            ..
        })
    ));
}

#[test]
fn a_query_of_vectors_without_graphs_is_exact() {
    const NAME: &str = "search_allow_exact";
    let c = held_to(json!({"search_allow_exact": false}));
    c.query(&nearest()).unwrap();
    let links = |m: u64, payload_m: u64| {
        let update = json!({"hnsw_config": {"m": m, "payload_m": payload_m}});
        c.update_config(&CollectionUpdate::from_json(&update).unwrap())
            .unwrap();
    };
    links(0, 8);
    refuses(NAME, c.query(&nearest()));
    refuses(NAME, c.query(&nearest().filter(by("k"))));
    refuses(
        NAME,
        c.query(
            &QueryRequest::new(Query::nearest([1.0, 0.0]))
                .prefetch(Prefetch::new(Query::nearest([1.0, 0.0]))),
        ),
    );
    c.query(&QueryRequest::new(Query::Sample { seed: None })).unwrap();
    let tenants = json!({"type": "keyword", "is_tenant": true});
    let tenants = crate::PayloadIndexParams::from_json(&tenants).unwrap();
    c.create_payload_index("k", tenants).unwrap();
    c.query(&nearest().filter(by("k"))).unwrap();
    // What is found by tenants may be compared with anything.
    let prefetch = Prefetch::new(Query::nearest([1.0, 0.0])).filter(by("k"));
    c.query(&nearest().prefetch(prefetch)).unwrap();
    links(0, 0);
    refuses(NAME, c.query(&nearest().filter(by("k"))));
}

#[test]
fn search_max_oversampling() {
    let c = held_to(json!({"search_max_oversampling": 2.0}));
    let times = |times| {
        params(|params| {
            params.quantization = QuantizationSearch {
                oversampling: Some(times),
                ..QuantizationSearch::default()
            };
        })
    };
    c.search(&search().params(times(2.0))).unwrap();
    refuses("search_max_oversampling", c.search(&search().params(times(2.1))));
    refuses("search_max_oversampling", c.query(&nearest().params(times(2.1))));
}

#[test]
fn upsert_max_batchsize() {
    let db = database();
    let c = held_in(&db, json!({"upsert_max_batchsize": 3}));
    c.upsert(points(0..3)).unwrap();
    refuses("upsert_max_batchsize", c.upsert(points(0..4)));
    refuses(
        "upsert_max_batchsize",
        db.write(WriteBatch::new().upsert("c", points(0..4))),
    );
    let vectors = (0..4u64).map(|id| (id.into(), [1.0, 1.0].into())).collect();
    refuses("upsert_max_batchsize", c.update_vectors(vectors));
    c.delete((0..5u64).collect::<Vec<_>>()).unwrap();
}

#[test]
fn search_max_batchsize() {
    let c = held_to(json!({"search_max_batchsize": 2}));
    c.search_batch(&[search(), search()]).unwrap();
    refuses(
        "search_max_batchsize",
        c.search_batch(&[search(), search(), search()]),
    );
    refuses(
        "search_max_batchsize",
        c.query_batch(&[nearest(), nearest(), nearest()]),
    );
}

#[test]
fn max_collection_vector_size_bytes() {
    const NAME: &str = "max_collection_vector_size_bytes";
    // Ten vectors of eight bytes are there.
    let c = held_to(json!({"max_collection_vector_size_bytes": 96}));
    c.upsert(points(10..11)).unwrap();
    c.flush().unwrap();
    c.upsert(points(11..12)).unwrap();
    refuses(NAME, c.upsert(points(12..13)));
    refuses(NAME, c.update_vectors(vec![(1.into(), [1.0, 1.0].into())]));
    c.set_payload(serde_json::Map::new(), vec![1u64]).unwrap();
}

#[test]
fn max_collection_payload_size_bytes() {
    const NAME: &str = "max_collection_payload_size_bytes";
    let c = held_to(json!({"max_collection_payload_size_bytes": 2_000}));
    let long = || json!({"long": "x".repeat(2_000)}).as_object().unwrap().clone();
    c.set_payload(long(), vec![1u64]).unwrap();
    for _ in 0..2 {
        refuses(NAME, c.set_payload(long(), vec![1u64]));
        refuses(NAME, c.overwrite_payload(long(), vec![1u64]));
        refuses(NAME, c.upsert(points(12..13)));
        c.update_vectors(vec![(1.into(), [1.0, 1.0].into())]).unwrap();
        c.flush().unwrap();
    }
    c.clear_payload(vec![1u64]).unwrap();
}

#[test]
fn max_points_count() {
    let c = held_to(json!({"max_points_count": 12}));
    c.upsert(points(10..12)).unwrap();
    refuses("max_points_count", c.upsert(points(12..13)));
    c.flush().unwrap();
    refuses("max_points_count", c.upsert(points(12..13)));
    c.delete(vec![3u64]).unwrap();
    c.upsert(points(12..13)).unwrap();
}

#[track_caller]
fn waits<T: std::fmt::Debug>(name: &str, outcome: Result<T>) {
    match outcome {
        Err(Error::RateLimit {
            limit, retry_after, ..
        }) => {
            assert_eq!(limit, name);
            assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(60));
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn read_rate_limit() {
    let c = held_to(json!({"read_rate_limit": 4}));
    c.search_batch(&[search(), search()]).unwrap();
    c.count(None).unwrap();
    c.get(&[1.into()], &Select::default()).unwrap();
    waits("read_rate_limit", c.scroll(&ScrollRequest::new()));
    waits("read_rate_limit", c.search(&search()));
    // What is never allowed is said to be so, at once.
    refuses("read_rate_limit", c.search_batch(&vec![search(); 5]));
    // Writes go on.
    c.upsert(points(0..1)).unwrap();
}

#[test]
fn write_rate_limit() {
    let db = database();
    let c = held_in(&db, json!({"write_rate_limit": 5}));
    c.upsert(points(0..3)).unwrap();
    c.delete(by("none")).unwrap();
    waits("write_rate_limit", c.upsert(points(0..2)));
    c.delete(vec![1u64]).unwrap();
    waits(
        "write_rate_limit",
        db.write(WriteBatch::new().delete("c", vec![2u64])),
    );
    refuses("write_rate_limit", c.upsert(points(0..6)));
    c.search(&search()).unwrap();
}

#[test]
fn filter_max_conditions() {
    let c = held_to(json!({"filter_max_conditions": 2}));
    let inner = Filter::must([Condition::matches("k", "v"), Condition::matches("k", "w")]);
    c.count(Some(&inner)).unwrap();
    let three = Filter::must([Condition::Filter(Box::new(inner)), Condition::matches("n", 1i64)]);
    refuses("filter_max_conditions", c.count(Some(&three)));
    refuses("filter_max_conditions", c.delete(three));
}

#[test]
fn condition_max_size() {
    let c = held_to(json!({"condition_max_size": 2}));
    let any = |values: &[&str]| {
        let json = json!({"must": [{"key": "k", "match": {"any": values}}]});
        Filter::from_json(&json).unwrap()
    };
    c.count(Some(&any(&["a", "b"]))).unwrap();
    refuses("condition_max_size", c.count(Some(&any(&["a", "b", "c"]))));
    let ids = Filter::must([Condition::HasId((0..3u64).map(PointId::Num).collect())]);
    refuses("condition_max_size", c.count(Some(&ids)));
}

#[test]
fn max_payload_index_count() {
    let c = held_to(json!({"max_payload_index_count": 1}));
    c.create_payload_index("k", PayloadIndexKind::Keyword).unwrap();
    refuses(
        "max_payload_index_count",
        c.create_payload_index("n", PayloadIndexKind::Integer),
    );
    // Another kind on the same path is no further index.
    c.create_payload_index("k", PayloadIndexKind::Integer).unwrap();
}

#[test]
fn max_resident_memory_percent() {
    let c = held_to(json!({"max_resident_memory_percent": 100}));
    c.upsert(points(0..1)).unwrap();
    let within = super::writes::memory_within;
    refuses("max_resident_memory_percent", within(50, Some(50.1)));
    within(50, Some(50.0)).unwrap();
    within(50, None).unwrap();
}

#[test]
fn sizes_of_vectors_of_other_kinds() {
    use crate::{SparseVector, Vector, Vectors};
    let c = held_to(
        json!({"multivector_config": {"m": {"max_vectors": 2}}, "sparse_config": {"s": {"max_length": 3}}}),
    );
    let upsert = |name: &str, vector: Vector| {
        let vectors = Vectors(std::collections::BTreeMap::from([(name.to_owned(), vector)]));
        c.upsert(vec![Point::new(1, vectors)])
    };
    refuses(
        "multivector_config",
        upsert("m", Vector::Multi(vec![vec![1.0, 1.0]; 3])),
    );
    let sparse = SparseVector {
        indices: vec![1, 2, 3, 4],
        values: vec![1.0; 4],
    };
    refuses("sparse_config", upsert("s", Vector::Sparse(sparse)));
}
