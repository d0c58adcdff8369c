//! Vectors, names, limits, filters.

use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, Database, Distance, Element, Error, Filter, MAX_BATCH_POINTS,
    MAX_COLLECTION_NAME, MAX_DIMENSION, MAX_EF, MAX_VECTOR_NAME, MAX_VECTORS, OptimizerConfig,
    PayloadIndexKind, Point, ScrollRequest, SearchRequest, Select, VectorParams, VectorSelector, WriteBatch,
};
use vdb_tests::{config, memory, points};

fn collection(db: &Database) -> Collection {
    let collection = db.create_collection("c", config(3, Distance::Dot)).unwrap();
    collection.upsert(points(0..5, 3, 1)).unwrap();
    collection
}

fn says(error: &Error, words: &[&str]) {
    let message = error.to_string();
    assert!(
        words.iter().all(|word| message.contains(word)),
        "{message:?} lacks one of {words:?}"
    );
}

#[test]
fn a_vector_of_the_wrong_length_is_refused_with_its_point_and_both_lengths() {
    let db = memory();
    let c = collection(&db);
    let write = c
        .upsert(vec![Point::new(8, [1.0; 3]), Point::new(9, [1.0; 4])])
        .unwrap_err();
    assert!(
        matches!(
            write,
            Error::WrongDimension {
                expected: 3,
                found: 4,
                ..
            }
        ),
        "{write:?}"
    );
    says(&write, &["point 9", "3", "4"]);
    assert_eq!(c.count(None).unwrap(), 5);
    let query = c.search(&SearchRequest::new([1.0; 2])).unwrap_err();
    assert!(
        matches!(
            query,
            Error::WrongDimension {
                expected: 3,
                found: 2,
                ..
            }
        ),
        "{query:?}"
    );
    let update = c.update_vectors(vec![(1.into(), [1.0; 7].into())]).unwrap_err();
    assert!(matches!(update, Error::WrongDimension { .. }), "{update:?}");
    let empty = c.upsert(vec![Point::new(8, [])]).unwrap_err();
    assert!(
        matches!(empty, Error::WrongDimension { found: 0, .. }),
        "{empty:?}"
    );
}

#[test]
fn a_number_that_is_not_finite_is_refused_with_its_place() {
    let db = memory();
    let c = collection(&db);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let write = c
            .upsert(vec![Point::new(8, [1.0; 3]), Point::new(9, [1.0, bad, 1.0])])
            .unwrap_err();
        assert!(matches!(write, Error::NotFinite { index: 1, .. }), "{write:?}");
        says(&write, &["point 9", "index 1"]);
        let query = c.search(&SearchRequest::new([bad, 1.0, 1.0])).unwrap_err();
        assert!(matches!(query, Error::NotFinite { index: 0, .. }), "{query:?}");
    }
    assert_eq!(c.count(None).unwrap(), 5);
    let threshold = c
        .search(&SearchRequest::new([1.0; 3]).score_threshold(f32::NAN))
        .unwrap_err();
    assert!(matches!(threshold, Error::InvalidRequest(_)), "{threshold:?}");
}

#[test]
fn numbers_too_large_for_their_element_are_refused() {
    let db = memory();
    let params = VectorParams::new(2, Distance::Dot).element(Element::F16);
    let c = db
        .create_collection("half", CollectionConfig::new(params))
        .unwrap();
    // Rounds to infinity as a half; 65519 still rounds down to the largest one.
    let refused = c.upsert(vec![Point::new(1, [65_520.0, 0.0])]).unwrap_err();
    assert!(
        matches!(refused, Error::OutOfRange { index: 0, .. }),
        "{refused:?}"
    );
    says(&refused, &["point 1", "65520"]);
    let query = c.search(&SearchRequest::new([0.0, -1e9])).unwrap_err();
    assert!(matches!(query, Error::OutOfRange { index: 1, .. }), "{query:?}");
    c.upsert(vec![Point::new(1, [65_519.0, -65_519.0])]).unwrap();
    let stored = c
        .get(&[1.into()], &Select::all())
        .unwrap()
        .remove(0)
        .vectors
        .unwrap();
    assert_eq!(stored.dense(""), Some([65_504.0, -65_504.0].as_slice()));
}

#[test]
fn numbers_are_cut_to_bytes_where_bytes_are_stored() {
    let db = memory();
    let params = VectorParams::new(4, Distance::Dot).element(Element::U8);
    let c = db
        .create_collection("bytes", CollectionConfig::new(params))
        .unwrap();
    c.upsert(vec![Point::new(1, [-3.0, 1.9, 255.5, 1e30])]).unwrap();
    let stored = c
        .get(&[1.into()], &Select::all())
        .unwrap()
        .remove(0)
        .vectors
        .unwrap();
    assert_eq!(stored.dense(""), Some([0.0, 1.0, 255.0, 255.0].as_slice()));
}

#[test]
fn large_finite_numbers_are_scored_without_losing_points() {
    let db = memory();
    for distance in Distance::ALL {
        let c = db
            .create_collection(distance.name(), config(2, distance))
            .unwrap();
        let huge = f32::MAX / 2.0;
        c.upsert(vec![
            Point::new(1, [huge, huge]),
            Point::new(2, [1e-30, 0.0]),
            Point::new(3, [-huge, huge]),
        ])
        .unwrap();
        for query in [[huge, huge], [1e-30, 1e-30]] {
            for flushed in [false, true] {
                if flushed {
                    c.flush().unwrap();
                }
                let hits = c.search(&SearchRequest::new(query)).unwrap();
                assert!(hits.iter().all(|hit| !hit.score.is_nan()), "{distance}: {hits:?}");
                if distance == Distance::Cosine {
                    assert_eq!(hits.len(), 3);
                    assert!(hits.iter().all(|hit| hit.score.abs() <= 1.0001), "{hits:?}");
                }
            }
        }
    }
}

#[test]
fn a_name_that_does_not_exist_is_refused_with_those_that_do() {
    let db = memory();
    let c = collection(&db);
    let named = |name: &str| vec![Point::new(9, vdb::Vectors::default().with(name, vec![1.0; 3]))];
    let refused = [
        c.upsert(named("ghost")).unwrap_err(),
        c.search(&SearchRequest::new([1.0; 3]).using("ghost"))
            .unwrap_err(),
        c.search(&SearchRequest::new([1.0; 3]).with_vectors(VectorSelector::Names(vec!["ghost".into()])))
            .unwrap_err(),
        c.delete_vectors(vec!["ghost".into()], vec![1u64]).unwrap_err(),
        c.update_vectors(vec![(1.into(), vdb::Vectors::default().with("ghost", vec![1.0]))])
            .unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::UnknownVector { .. }), "{error:?}");
        says(&error, &["ghost"]);
    }
    for error in [
        db.collection("ghost").unwrap_err(),
        db.write(
            WriteBatch::new()
                .delete("c", vec![1u64])
                .delete("ghost", vec![1u64]),
        )
        .unwrap_err(),
        db.rename_collection("ghost", "d").unwrap_err(),
        db.create_alias("alias", "ghost").unwrap_err(),
    ] {
        assert!(matches!(error, Error::CollectionNotFound { .. }), "{error:?}");
        says(&error, &["ghost"]);
    }
    assert!(matches!(
        db.rename_alias("ghost", "x"),
        Err(Error::AliasNotFound { .. })
    ));
    assert_eq!(c.count(None).unwrap(), 5);
}

#[test]
fn names_are_refused_when_too_long_or_holding_forbidden_characters() {
    let db = memory();
    collection(&db);
    let long = "é".repeat(MAX_COLLECTION_NAME + 1);
    let mut bad = vec![long, String::new()];
    bad.extend("<>:\"/\\|?*\0\u{1f}".chars().map(|c| format!("a{c}b")));
    for name in &bad {
        for error in [
            db.create_collection(name, config(2, Distance::Dot)).unwrap_err(),
            db.rename_collection("c", name).unwrap_err(),
            db.create_alias(name, "c").unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidName { .. }), "{name:?}: {error:?}");
            assert!(error.to_string().len() < 400);
        }
    }
    let fits = "é".repeat(MAX_COLLECTION_NAME);
    db.create_collection(&fits, config(2, Distance::Dot)).unwrap();
    db.create_collection("..", config(2, Distance::Dot)).unwrap();
    assert_eq!(db.collections(), ["..", "c", &fits]);

    let vector = |name: String| CollectionConfig::default().vector(name, VectorParams::new(2, Distance::Dot));
    for name in [
        "x".repeat(MAX_VECTOR_NAME + 1),
        "a/b".to_owned(),
        "a\0".to_owned(),
    ] {
        let error = db.create_collection("d", vector(name)).unwrap_err();
        assert!(
            matches!(error, Error::InvalidName { what: "vector", .. }),
            "{error:?}"
        );
    }
    db.create_collection("d", vector("x".repeat(MAX_VECTOR_NAME)))
        .unwrap();
}

#[test]
fn collections_with_impossible_vectors_are_refused() {
    let db = memory();
    let params = |size| VectorParams::new(size, Distance::Dot);
    let twice = CollectionConfig::new(params(2)).vector("", params(2));
    let many = (0..=MAX_VECTORS).fold(CollectionConfig::default(), |c, i| {
        c.vector(format!("v{i}"), params(1))
    });
    let mut wild = params(2);
    wild.hnsw.m = 0;
    for config in [
        CollectionConfig::new(params(0)),
        CollectionConfig::new(params(MAX_DIMENSION + 1)),
        twice,
        many,
    ] {
        let refused = db.create_collection("c", config);
        assert!(
            matches!(refused, Err(Error::InvalidRequest(_) | Error::Limit { .. })),
            "{refused:?}"
        );
    }
    assert!(db.create_collection("c", CollectionConfig::new(wild)).is_err());
    assert!(db.collections().is_empty());
    let large = db
        .create_collection("c", CollectionConfig::new(params(MAX_DIMENSION)))
        .unwrap();
    large
        .upsert(vec![Point::new(1, vec![0.5; MAX_DIMENSION])])
        .unwrap();
}

#[test]
fn settings_of_the_optimizer_that_mean_nothing_are_refused_and_the_others_read_back() {
    let db = memory();
    let with = |optimizer| config(3, Distance::Dot).optimizer(optimizer);
    let base = OptimizerConfig::default();
    for (share, fan_in, rows, word) in [
        (f32::NAN, 4, 10, "deleted_share"),
        (-0.1, 4, 10, "deleted_share"),
        (1.5, 4, 10, "deleted_share"),
        (0.2, 1, 10, "merge_fan_in"),
        (0.2, 4, 0, "max_segment_rows"),
    ] {
        let refused = db.create_collection(
            "o",
            with(OptimizerConfig {
                deleted_share: share,
                merge_fan_in: fan_in,
                max_segment_rows: rows,
                ..base.clone()
            }),
        );
        says(&refused.unwrap_err(), &[word]);
    }
    let share = OptimizerConfig {
        deleted_share: 0.1234,
        ..base
    };
    let made = db.create_collection("o", with(share)).unwrap();
    assert_eq!(made.info().unwrap().config.optimizer.deleted_share, 0.123);
}

#[test]
fn a_zero_vector_under_cosine_scores_zero() {
    let db = memory();
    for (i, element) in [Element::F32, Element::F16, Element::U8].into_iter().enumerate() {
        let params = VectorParams::new(3, Distance::Cosine).element(element);
        let c = db
            .create_collection(&format!("c{i}"), CollectionConfig::new(params))
            .unwrap();
        c.upsert(vec![Point::new(1, [0.0; 3]), Point::new(2, [3.0, 4.0, 0.0])])
            .unwrap();
        for _ in 0..2 {
            let hits = c.search(&SearchRequest::new([3.0, 4.0, 0.0])).unwrap();
            assert_eq!((hits[1].id, hits[1].score), (1.into(), 0.0), "{element:?}");
            assert!((hits[0].score - 1.0).abs() < 1e-3, "{element:?}: {hits:?}");
            let hits = c.search(&SearchRequest::new([0.0; 3])).unwrap();
            assert!(
                hits.len() == 2 && hits.iter().all(|hit| hit.score == 0.0),
                "{element:?}: {hits:?}"
            );
            c.flush().unwrap();
        }
    }
}

#[test]
fn of_several_points_with_one_id_in_a_batch_the_last_one_wins() {
    let db = memory();
    let c = collection(&db);
    c.upsert(vec![
        Point::new(9, [1.0; 3]),
        Point::new(10, [2.0; 3]),
        Point::new(9, [3.0; 3]),
    ])
    .unwrap();
    let stored = c.get(&[9.into()], &Select::all()).unwrap().remove(0);
    assert_eq!(stored.vectors.unwrap().dense(""), Some([3.0; 3].as_slice()));
    assert_eq!(c.count(None).unwrap(), 7);
    // What is not written is checked all the same.
    assert!(
        c.upsert(vec![Point::new(9, [1.0; 2]), Point::new(9, [3.0; 3])])
            .is_err()
    );
}

#[test]
fn a_limit_of_zero_is_refused() {
    let db = memory();
    let c = collection(&db);
    for error in [
        c.search(&SearchRequest::new([1.0; 3]).limit(0)).unwrap_err(),
        c.search(&SearchRequest::new([1.0; 3]).ef(0)).unwrap_err(),
        c.scroll(&ScrollRequest::new().limit(0)).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    }
    let wide = c
        .search(&SearchRequest::new([1.0; 3]).ef(MAX_EF + 1))
        .unwrap_err();
    assert!(matches!(wide, Error::Limit { .. }), "{wide:?}");
}

#[test]
fn an_operation_on_too_many_points_is_refused() {
    let db = memory();
    let c = collection(&db);
    let refused = c
        .delete((0..=MAX_BATCH_POINTS as u64).collect::<Vec<_>>())
        .unwrap_err();
    assert!(matches!(refused, Error::Limit { .. }), "{refused:?}");
    assert_eq!(c.count(None).unwrap(), 5);
}

fn deep(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!({"a": inner}))
}

#[test]
fn payloads_and_filters_too_deep_or_malformed_are_refused() {
    let db = memory();
    let c = collection(&db);
    let object = |value: Value| value.as_object().cloned().unwrap();
    let refused = c.set_payload(object(deep(100)), vec![1u64]).unwrap_err();
    assert!(matches!(refused, Error::Limit { .. }), "{refused:?}");
    assert!(
        c.upsert(vec![Point::new(9, [1.0; 3]).payload(deep(100)).unwrap()])
            .is_err()
    );
    assert!(matches!(
        Point::new(9, [1.0; 3]).payload(json!([1])),
        Err(Error::InvalidRequest(_))
    ));
    // Each edit is small, the sum is not.
    let mut path = "a".to_owned();
    let grown = (0..100).map(|_| {
        path.push_str(".a");
        c.apply(vdb::Operation::SetPayload {
            payload: object(json!({"x": 1})),
            target: vec![1u64].into(),
            key: Some(path.clone()),
        })
    });
    assert!(grown.last().unwrap().is_err());
    c.get(&[1.into()], &Select::all()).unwrap();

    let filter = (0..100).fold(json!({}), |inner, _| json!({"must": [inner]}));
    for bad in [
        filter,
        json!({"must": [{"key": "a..b", "match": {"value": 1}}]}),
        json!({"must": [{"key": "", "match": {"value": 1}}]}),
        json!({"must": [{"key": "a"}]}),
        json!({"must": [{"key": "a", "match": {"value": 1.5}}]}),
        json!({"must": [{"key": "a", "range": {"gte": "x"}}]}),
        json!({"mist": []}),
        json!({"min_should": {"conditions": [], "min_count": 0}}),
        json!([]),
    ] {
        assert!(Filter::from_json(&bad).is_err(), "{bad}");
    }
    for path in ["", "a.", "[0]", "a[", "a[x]", "a[99999999999999999999]", "\"a"] {
        assert!(
            matches!(
                c.delete_payload(vec![path.into()], vec![1u64]),
                Err(Error::Filter(_))
            ),
            "{path:?}"
        );
        assert!(
            matches!(
                c.create_payload_index(path, PayloadIndexKind::Bool),
                Err(Error::Filter(_))
            ),
            "{path:?}"
        );
    }
}

#[test]
fn an_id_that_an_operation_needs_is_named_when_it_is_missing() {
    let db = memory();
    let c = collection(&db);
    let missing = c.clear_payload(vec![1u64, 77]).unwrap_err();
    assert!(
        matches!(missing, Error::PointNotFound { id } if id == 77.into()),
        "{missing:?}"
    );
    assert!(
        !c.get(&[1.into()], &Select::payload()).unwrap()[0]
            .payload
            .as_ref()
            .unwrap()
            .is_empty()
    );
    let conflict = db
        .write(WriteBatch::new().require_version("c", 1, 9))
        .unwrap_err();
    assert!(matches!(conflict, Error::Conflict { .. }), "{conflict:?}");
    says(&conflict, &["version 9", "version 1"]);
}
