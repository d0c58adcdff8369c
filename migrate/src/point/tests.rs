use super::*;

fn output(vector: vector_output::Vector) -> proto::VectorOutput {
    proto::VectorOutput {
        vector: Some(vector),
        ..proto::VectorOutput::default()
    }
}

fn retrieved(vectors: Option<vectors_output::VectorsOptions>) -> proto::RetrievedPoint {
    proto::RetrievedPoint {
        id: Some(id_to_proto(PointId::Num(7))),
        payload: HashMap::from([("a".to_owned(), proto::Value::from(1_i64))]),
        vectors: Some(proto::VectorsOutput {
            vectors_options: vectors,
        }),
        shard_key: None,
        order_value: None,
    }
}

#[expect(deprecated, reason = "older servers send these fields")]
fn legacy(data: Vec<f32>, indices: Option<Vec<u32>>, count: Option<u32>) -> Result<Numbers, String> {
    numbers(proto::VectorOutput {
        data,
        indices: indices.map(|data| proto::SparseIndices { data }),
        vectors_count: count,
        vector: None,
    })
}

#[test]
fn ids_come_back_as_they_were() {
    for text in [
        "0",
        "18446744073709551615",
        "c56a4180-65aa-42ec-a945-5fd21dec0538",
    ] {
        let id: PointId = text.parse().unwrap();
        assert_eq!(id_of(Some(&id_to_proto(id))), Ok(id));
    }
    let wrong = |text: &str| proto::PointId {
        point_id_options: Some(PointIdOptions::Uuid(text.to_owned())),
    };
    assert!(id_of(Some(&wrong("7"))).is_err(), "a number is no UUID");
    assert!(id_of(Some(&wrong("nobody"))).unwrap_err().contains("nobody"));
    assert!(id_of(None).is_err());
}

#[test]
fn every_kind_of_vector_is_taken_along() {
    let vectors = vectors_output::VectorsOptions::Vectors(proto::NamedVectorsOutput {
        vectors: HashMap::from([
            (
                String::new(),
                output(vector_output::Vector::Dense(proto::DenseVector {
                    data: vec![1.0, 2.0],
                })),
            ),
            (
                "words".to_owned(),
                output(vector_output::Vector::Sparse(proto::SparseVector {
                    values: vec![0.5, 0.25],
                    indices: vec![9, 3],
                })),
            ),
            (
                "parts".to_owned(),
                output(vector_output::Vector::MultiDense(proto::MultiDenseVector {
                    vectors: vec![proto::DenseVector { data: vec![1.0] }],
                })),
            ),
        ]),
    });
    let point = Point::read(retrieved(Some(vectors))).unwrap();
    assert_eq!(point.vectors["words"], Numbers::Sparse(vec![(3, 0.25), (9, 0.5)]));
    assert_eq!(point.vectors["parts"], Numbers::Multi(vec![vec![1.0]]));
    let Some(vectors::VectorsOptions::Vectors(written)) = point.write().vectors.unwrap().vectors_options
    else {
        panic!("three vectors are a map");
    };
    assert_eq!(written.vectors.len(), 3);
}

#[test]
fn a_point_without_vectors_is_written_with_an_empty_map_of_them() {
    for none in [
        retrieved(None),
        proto::RetrievedPoint {
            vectors: None,
            ..retrieved(None)
        },
    ] {
        let written = Point::read(none)
            .unwrap()
            .write()
            .vectors
            .unwrap()
            .vectors_options;
        let empty = proto::NamedVectors {
            vectors: HashMap::new(),
        };
        assert_eq!(written, Some(vectors::VectorsOptions::Vectors(empty)));
    }
}

#[test]
fn vectors_of_older_servers_are_read_and_wrong_ones_refused() {
    assert_eq!(legacy(vec![1.0], None, None), Ok(Numbers::Dense(vec![1.0])));
    assert_eq!(
        legacy(vec![1.0], Some(vec![4]), None),
        Ok(Numbers::Sparse(vec![(4, 1.0)]))
    );
    assert_eq!(
        legacy(vec![1.0, 2.0], None, Some(2)),
        Ok(Numbers::Multi(vec![vec![1.0], vec![2.0]]))
    );
    assert!(legacy(vec![1.0], Some(vec![4, 5]), None).is_err());
    for count in [0, 2, 3, u32::MAX] {
        assert!(legacy(vec![1.0], None, Some(count)).is_err(), "{count}");
    }
    assert!(legacy(Vec::new(), None, Some(0)).is_err());
}

#[test]
fn integers_beyond_messages_are_noticed() {
    let field = |number: f64| {
        let list = proto::Value::from(vec![proto::Value::from(number)]);
        let message = proto::RetrievedPoint {
            payload: HashMap::from([("list".to_owned(), list)]),
            ..retrieved(None)
        };
        Point::read(message).unwrap().beyond
    };
    assert_eq!(field(1e19).as_deref(), Some("list"));
    assert_eq!(field(u64::MAX as f64).as_deref(), Some("list"));
    assert_eq!((field(1e18), field(1e20)), (None, None));
}

#[test]
fn the_engine_tells_integers_from_floating_point() {
    let exact = |payload: serde_json::Value| {
        let mut point = Point::read(retrieved(None)).unwrap();
        point.set_exact(payload.as_object().unwrap().clone());
        (point.beyond, point.exact.is_some())
    };
    let whole = serde_json::json!({"b": 1, "a": {"n": [u64::MAX]}});
    assert_eq!(exact(whole), (Some("a".to_owned()), true));
    assert_eq!(
        exact(serde_json::json!({"a": 1e19, "b": i64::MAX})),
        (None, false)
    );
}
