//! Every size that a caller can name has a bound, and is refused beyond it with what it was, and what it may be.

use serde_json::{Value, json};
use vdb::{
    AliasChange, Collection, CollectionConfig, Condition, Database, Distance, Error, Filter, MAX_ALIASES,
    MAX_BATCH_POINTS, MAX_BATCH_REQUESTS, MAX_COLLECTION_NAME, MAX_DIMENSION, MAX_EF, MAX_FILTER_CONDITIONS,
    MAX_FILTER_DEPTH, MAX_FILTER_PATH_BYTES, MAX_FILTER_VALUES, MAX_LIMIT, MAX_PATH_BYTES, MAX_PATH_STEPS,
    MAX_PATHS, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, MAX_VECTOR_NAME, MAX_VECTORS, Operation,
    PayloadIndexKind, PayloadPath, PayloadSelector, Point, PointId, ScrollRequest, SearchRequest, Select,
    UpsertMode, VectorParams, VectorSelector, WriteBatch,
};
use vdb_tests::memory;

type Refusal = Result<(), Error>;
type Call = fn(&Database, &Collection) -> Refusal;

fn query() -> SearchRequest {
    SearchRequest::new([1.0; 3])
}

fn size(size: usize) -> VectorParams {
    VectorParams::new(size, Distance::Dot)
}

fn object(value: &Value) -> vdb::Payload {
    value.as_object().unwrap().clone()
}

/// A database with one collection that holds one point.
fn one_point() -> (Database, Collection) {
    let db = memory();
    let c = db.create_collection("c", CollectionConfig::new(size(3))).unwrap();
    c.upsert(vec![Point::new(1, [1.0; 3])]).unwrap();
    (db, c)
}

fn nested(depth: usize) -> Filter {
    (1..depth).fold(Filter::default(), |inner, _| Filter::must([inner.into()]))
}

fn ids(count: usize) -> Vec<PointId> {
    (0..count as u64).map(PointId::from).collect()
}

fn path(bytes: usize) -> String {
    "a".repeat(bytes)
}

fn paths(count: usize) -> Vec<PayloadPath> {
    vec![PayloadPath::parse("a").unwrap(); count]
}

/// What is limited, to how much, and a call that asks for one more.
fn calls() -> Vec<(&'static str, usize, Call)> {
    vec![
        ("numbers in a vector", MAX_DIMENSION, |db, _| {
            let config = CollectionConfig::new(size(MAX_DIMENSION + 1));
            db.create_collection("d", config).map(drop)
        }),
        ("named vectors in a collection", MAX_VECTORS, |db, _| {
            let names = (0..=MAX_VECTORS).map(|i| format!("v{i}"));
            let config = names.fold(CollectionConfig::default(), |c, name| c.vector(name, size(1)));
            db.create_collection("d", config).map(drop)
        }),
        ("changes of aliases in one call", MAX_ALIASES, |db, _| {
            let change = AliasChange::Delete { alias: "a".into() };
            db.update_aliases(&vec![change; MAX_ALIASES + 1])
        }),
        ("aliases in a database", MAX_ALIASES, |db, _| {
            let create = |i: usize| AliasChange::Create {
                alias: format!("a{i}"),
                collection: "c".into(),
            };
            db.update_aliases(&(0..MAX_ALIASES).map(create).collect::<Vec<_>>())?;
            let refused = db.create_alias("more", "c");
            let all = (0..MAX_ALIASES).map(|i| AliasChange::Delete {
                alias: format!("a{i}"),
            });
            db.update_aliases(&all.collect::<Vec<_>>())?;
            refused
        }),
        (
            "levels of objects and arrays in a payload",
            MAX_PAYLOAD_DEPTH,
            |_, c| {
                let deep = (0..MAX_PAYLOAD_DEPTH + 1).fold(json!(1), |inner, _| json!({"a": inner}));
                c.set_payload(object(&deep), vec![1u64]).map(drop)
            },
        ),
        ("bytes of a payload", MAX_PAYLOAD_BYTES, |_, c| {
            let long = json!({"a": "x".repeat(MAX_PAYLOAD_BYTES)});
            c.upsert(vec![Point::new(9, [1.0; 3]).payload(long)?]).map(drop)
        }),
        ("points in one batch", MAX_BATCH_POINTS, |_, c| {
            c.delete(ids(MAX_BATCH_POINTS + 1)).map(drop)
        }),
        ("operations in one batch", MAX_BATCH_POINTS, |db, _| {
            let batch =
                (0..=MAX_BATCH_POINTS).fold(WriteBatch::new(), |batch, _| batch.require_absent("c", 70));
            db.write(batch).map(drop)
        }),
        ("paths in one operation", MAX_PATHS, |_, c| {
            c.delete_payload(vec!["a".into(); MAX_PATHS + 1], vec![1u64])
                .map(drop)
        }),
        ("vector names in one operation", MAX_VECTORS, |_, c| {
            c.delete_vectors(vec![String::new(); MAX_VECTORS + 1], vec![1u64])
                .map(drop)
        }),
        ("limit of a search", MAX_LIMIT, |_, c| {
            c.search(&query().limit(MAX_LIMIT + 1)).map(drop)
        }),
        ("offset of a search", MAX_LIMIT, |_, c| {
            c.search(&query().offset(MAX_LIMIT + 1)).map(drop)
        }),
        ("ef of a search", MAX_EF, |_, c| {
            c.search(&query().ef(MAX_EF + 1)).map(drop)
        }),
        ("requests in one batch", MAX_BATCH_REQUESTS, |_, c| {
            c.search_batch(&vec![query(); MAX_BATCH_REQUESTS + 1]).map(drop)
        }),
        ("limit of a scroll", MAX_LIMIT, |_, c| {
            c.scroll(&ScrollRequest::new().limit(MAX_LIMIT + 1)).map(drop)
        }),
        ("ids in one request", MAX_LIMIT, |_, c| {
            c.get(&vec![1.into(); MAX_LIMIT + 1], &Select::default())
                .map(drop)
        }),
        ("paths in a payload selector", MAX_PATHS, |_, c| {
            let many = PayloadSelector::Exclude(paths(MAX_PATHS + 1));
            c.search(&query().with_payload(many)).map(drop)
        }),
        ("paths in a payload selector", MAX_PATHS, |_, _| {
            PayloadSelector::from_json(&json!(vec!["a"; MAX_PATHS + 1]))?;
            Ok(())
        }),
        ("names in a vector selector", MAX_VECTORS, |_, c| {
            let many = VectorSelector::Names(vec![String::new(); MAX_VECTORS + 1]);
            c.search(&query().with_vectors(many)).map(drop)
        }),
        ("levels of filters within a filter", MAX_FILTER_DEPTH, |_, c| {
            c.count(Some(&nested(MAX_FILTER_DEPTH + 1))).map(drop)
        }),
        ("levels of filters within a filter", MAX_FILTER_DEPTH, |_, _| {
            let deep = (0..MAX_FILTER_DEPTH).fold(json!({}), |inner, _| json!({"must": [inner]}));
            Filter::from_json(&deep)?;
            Ok(())
        }),
        ("conditions in a filter", MAX_FILTER_CONDITIONS, |_, c| {
            let wide = vec![Condition::is_null("a"); MAX_FILTER_CONDITIONS + 1];
            c.delete(Filter::must(wide)).map(drop)
        }),
        ("values in the lists of a filter", MAX_FILTER_VALUES, |_, c| {
            let half = || Condition::has_id(ids(MAX_FILTER_VALUES / 2));
            let more = Condition::matches_any("a", ["x"]);
            c.scroll(&ScrollRequest::new().filter(Filter::must([half(), half(), more])))
                .map(drop)
        }),
        ("values in the lists of a filter", MAX_FILTER_VALUES, |_, c| {
            let pieces = "x ".repeat(MAX_FILTER_VALUES + 1);
            let filter = Filter::must([Condition::text_any("a", pieces)]);
            c.apply(Operation::Upsert {
                points: Vec::new(),
                mode: UpsertMode::Upsert,
                update_filter: Some(filter),
            })
            .map(drop)
        }),
        ("bytes of a payload path", MAX_PATH_BYTES, |_, c| {
            c.create_payload_index(&path(MAX_PATH_BYTES + 1), PayloadIndexKind::Keyword)
        }),
        ("bytes of a payload path", MAX_PATH_BYTES, |_, c| {
            let filter = Filter::must([Condition::is_null(path(MAX_PATH_BYTES + 1))]);
            c.search(&query().filter(filter)).map(drop)
        }),
        (
            "bytes of the paths of a filter, each with those of nested conditions around it",
            MAX_FILTER_PATH_BYTES,
            |_, c| {
                let most = MAX_FILTER_PATH_BYTES / MAX_PATH_BYTES;
                let mut long = vec![Condition::is_null(path(MAX_PATH_BYTES)); most];
                long.push(Condition::is_null("a"));
                c.count(Some(&Filter::must(long))).map(drop)
            },
        ),
        ("steps of a payload path", MAX_PATH_STEPS, |_, c| {
            c.delete_payload(vec![vec!["a"; MAX_PATH_STEPS + 1].join(".")], vec![1u64])
                .map(drop)
        }),
    ]
}

#[test]
fn paths_of_nested_conditions_count_with_those_around_them() {
    let (_db, c) = one_point();
    let around = 32;
    let count = |conditions: usize| {
        let inner = Filter::must(vec![Condition::is_null("a"); conditions]);
        let nested = (0..around).fold(inner, |filter, _| {
            Filter::must([Condition::nested(path(MAX_PATH_BYTES), filter)])
        });
        c.count(Some(&nested))
    };
    assert_eq!(count(12).unwrap(), 0);
    let refused = count(20);
    assert!(
        matches!(
            refused,
            Err(Error::Limit {
                limit: MAX_FILTER_PATH_BYTES,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn what_is_beyond_a_limit_is_refused_with_the_limit_and_changes_nothing() {
    let (db, c) = one_point();
    let before = c.get(&[1.into()], &Select::all()).unwrap();
    for (what, limit, call) in calls() {
        match call(&db, &c) {
            Err(Error::Limit {
                what: told,
                limit: most,
                found,
            }) => {
                assert_eq!((told, most), (what, limit));
                assert!(found > limit && found <= limit + 16, "{what}: {found}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    for name in [
        "x".repeat(MAX_COLLECTION_NAME + 1),
        "x".repeat(MAX_VECTOR_NAME + 1),
    ] {
        let config = CollectionConfig::default().vector(&name, size(1));
        let refused = db.create_collection(&name, config.clone()).unwrap_err();
        assert!(matches!(refused, Error::InvalidName { .. }), "{refused:?}");
    }
    assert_eq!(c.get(&[1.into()], &Select::all()).unwrap(), before);
    assert_eq!(
        (c.count(None).unwrap(), db.collections(), db.aliases()),
        (1, vec!["c".to_owned()], vec![])
    );
}

#[test]
fn what_is_at_a_limit_is_taken() {
    let (_db, c) = one_point();
    let request = query().limit(MAX_LIMIT).offset(MAX_LIMIT).ef(MAX_EF);
    assert_eq!(c.search(&request).unwrap(), []);
    assert_eq!(
        c.scroll(&ScrollRequest::new().limit(MAX_LIMIT))
            .unwrap()
            .points
            .len(),
        1
    );
    assert_eq!(
        c.search_batch(&vec![query(); MAX_BATCH_REQUESTS]).unwrap().len(),
        MAX_BATCH_REQUESTS
    );
    assert_eq!(c.count(Some(&nested(MAX_FILTER_DEPTH))).unwrap(), 1);
    let wide = vec![Condition::is_empty("a"); MAX_FILTER_CONDITIONS];
    assert_eq!(c.count(Some(&Filter::must(wide))).unwrap(), 1);
    let all = Condition::has_id(ids(MAX_FILTER_VALUES));
    assert_eq!(c.count(Some(&Filter::must([all]))).unwrap(), 1);
    let index = path(MAX_PATH_BYTES);
    c.create_payload_index(&index, PayloadIndexKind::Keyword).unwrap();
    let selected = PayloadSelector::Include(paths(MAX_PATHS));
    assert_eq!(c.search(&query().with_payload(selected)).unwrap().len(), 1);
    let deep = (1..MAX_PAYLOAD_DEPTH).fold(json!(1), |inner, _| json!({"a": inner}));
    c.set_payload(object(&deep), vec![1u64]).unwrap();
}
