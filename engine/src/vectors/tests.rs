use super::*;
use crate::config::vectors::{MultiVectorComparator, SparseVectorParams};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::point::SparseVector;

fn schema() -> Schema {
    let dense = VectorParams::new(2, Distance::Cosine);
    let config = CollectionConfig::new(dense.clone())
        .vector("tokens", dense.multivector(MultiVectorComparator::MaxSim))
        .sparse_vector("words", SparseVectorParams::new());
    Schema::new(config)
}

fn vector<'a>(schema: &'a Schema, name: &str) -> &'a VectorSchema {
    schema.require(name).unwrap().1
}

#[test]
fn half_precision_refuses_only_what_would_be_stored_too_large() {
    let schema = |distance| {
        Schema::new(CollectionConfig::new(
            VectorParams::new(2, distance).element(Element::F16),
        ))
    };
    let large = Vector::from([3e6f32, 4e6]);
    let cosine = schema(Distance::Cosine);
    let stored = encode_query(vector(&cosine, ""), &large).unwrap();
    let rounded = decode(vector(&cosine, ""), &stored);
    let rounded = rounded.as_dense().unwrap().iter().map(|x| (x * 100.0).round());
    assert_eq!(rounded.collect::<Vec<_>>(), [60.0, 80.0]);
    for distance in [Distance::Dot, Distance::Euclid, Distance::Manhattan] {
        let refused = encode_query(vector(&schema(distance), ""), &large);
        assert!(
            matches!(refused, Err(Error::OutOfRange { index: 0, .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn every_kind_is_read_back_as_it_is_stored() {
    let schema = schema();
    let stored = |name: &str, given: Vector| {
        let bytes = encode_query(vector(&schema, name), &given).unwrap();
        assert_eq!(fault(vector(&schema, name), &bytes), None);
        decode(vector(&schema, name), &bytes)
    };
    assert_eq!(stored("", [3.0, 4.0].into()), Vector::from([0.6, 0.8]));
    let several = vec![vec![3.0, 4.0], vec![0.0, 2.0]];
    let normalised = vec![vec![0.6, 0.8], vec![0.0, 1.0]];
    assert_eq!(stored("tokens", several.into()), normalised.into());
    assert_eq!(stored("tokens", [0.0, 2.0].into()), vec![vec![0.0, 1.0]].into());
    let unordered = SparseVector::new([9, u32::MAX, 0], [1.0, -2.0, 0.0]);
    let ordered = SparseVector::new([0, 9, u32::MAX], [0.0, 1.0, -2.0]);
    assert_eq!(stored("words", unordered.into()), ordered.into());
    assert_eq!(
        stored("words", SparseVector::default().into()),
        SparseVector::default().into()
    );
}

#[test]
fn what_is_no_vector_is_refused_by_its_kind() {
    let schema = schema();
    let refused = |name: &str, given: Vector| encode_query(vector(&schema, name), &given).unwrap_err();
    let sparse = |indices: &[u32], values: &[f32]| Vector::from(SparseVector::new(indices, values));
    let kinds = [
        ("", sparse(&[1], &[1.0])),
        ("", vec![vec![1.0, 0.0]].into()),
        ("tokens", sparse(&[1], &[1.0])),
        ("words", [1.0, 0.0].into()),
        ("words", vec![vec![1.0, 0.0]].into()),
    ];
    for (name, given) in kinds {
        let error = refused(name, given);
        assert!(matches!(error, Error::WrongKind { .. }), "{error}");
    }
    let error = refused("words", sparse(&[1, 2], &[1.0]));
    assert!(error.to_string().contains("as many values"), "{error}");
    let error = refused("words", sparse(&[7, 1, 7], &[1.0; 3]));
    assert!(error.to_string().contains("index 7"), "{error}");
    let error = refused("words", sparse(&[7, 1], &[1.0, f32::INFINITY]));
    assert!(matches!(error, Error::NotFinite { index: 1, .. }), "{error}");
    let error = refused("tokens", Vec::<Vec<f32>>::new().into());
    assert!(error.to_string().contains("at least one"), "{error}");
    let error = refused("tokens", vec![vec![1.0, 2.0], vec![1.0]].into());
    assert!(matches!(error, Error::WrongDimension { found: 1, .. }), "{error}");
    let error = refused("tokens", vec![vec![1.0, 2.0]; 1 << 19].into());
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}

#[test]
fn bytes_that_are_no_vector_are_told() {
    let schema = schema();
    let fault = |name: &str, bytes: &[u8]| fault(vector(&schema, name), bytes).is_some();
    assert!(fault("", &[0; 4]) && !fault("", &[0; 8]));
    assert!(fault("tokens", &[]) && fault("tokens", &[0; 12]) && !fault("tokens", &[0; 24]));
    let pairs = |dimensions: [u32; 2], values: [f32; 2]| {
        let dimensions = dimensions.map(u32::to_le_bytes);
        let values = values.map(f32::to_le_bytes);
        [dimensions, values].concat().concat()
    };
    assert!(!fault("words", &pairs([1, 2], [1.0, 2.0])) && !fault("words", &[]));
    assert!(fault("words", &pairs([2, 2], [1.0, 2.0])));
    assert!(fault("words", &pairs([1, 2], [1.0, f32::NAN])));
    assert!(fault("words", &[0; 12]));
}
