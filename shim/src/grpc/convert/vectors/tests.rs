use proptest::prelude::*;

use super::*;

fn old(data: &[f32], indices: Option<&[u32]>, count: Option<u32>) -> Result<Vector> {
    let indices = indices.map(|list| proto::SparseIndices { data: list.to_vec() });
    legacy(data.to_vec(), indices, count)
}

#[test]
fn the_form_of_three_fields_says_every_kind() {
    assert_eq!(old(&[1.0, 2.0], None, None).unwrap(), Vector::from([1.0, 2.0]));
    assert_eq!(
        old(&[1.0, 2.0], Some(&[7, 3]), None).unwrap(),
        SparseVector::new([7, 3], [1.0, 2.0]).into()
    );
    assert_eq!(
        old(&[1.0, 2.0, 3.0, 4.0], None, Some(2)).unwrap(),
        vec![vec![1.0, 2.0], vec![3.0, 4.0]].into()
    );
}

#[test]
fn counts_that_do_not_divide_are_refused() {
    for (numbers, count) in [(3, 2), (2, 0), (0, 1), (1, u32::MAX)] {
        let data = vec![1.0; numbers];
        assert!(
            old(&data, None, Some(count)).is_err(),
            "{numbers} numbers, {count} vectors"
        );
    }
    assert!(old(&[1.0], Some(&[1]), Some(1)).is_err());
}

#[test]
fn a_sparse_vector_has_one_value_for_each_of_its_dimensions() {
    let sparse = |indices: &[u32], values: &[f32]| sparse_vector(indices.to_vec(), values.to_vec());
    assert!(sparse(&[1, 2], &[1.0]).is_err());
    let refused = sparse(&[5, 1, 5], &[1.0; 3]).unwrap_err();
    assert_eq!(
        refused,
        Rejection::invalid("indices", "must be unique, 5 is there twice")
    );
    assert!(sparse(&[], &[]).is_ok());
}

#[test]
fn the_default_vector_alone_comes_without_a_name() {
    let one = to_proto(Vectors::from([1.0]));
    assert!(matches!(
        one.vectors_options,
        Some(vectors_output::VectorsOptions::Vector(_))
    ));
    let two = to_proto(Vectors::from([1.0]).with("a", [2.0]));
    let Some(vectors_output::VectorsOptions::Vectors(named)) = two.vectors_options else {
        panic!("{two:?}");
    };
    let mut names: Vec<_> = named.vectors.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["", "a"]);
}

fn any_vector() -> impl Strategy<Value = Vector> {
    let numbers = |most| prop::collection::vec(-1e6f32..1e6, 0..most);
    prop_oneof![
        numbers(8).prop_map(Vector::Dense),
        prop::collection::btree_map(any::<u32>(), -1e6f32..1e6, 0..8)
            .prop_map(|map| Vector::Sparse(map.into_iter().collect::<Vec<_>>().into())),
        prop::collection::vec(numbers(4), 0..4).prop_map(Vector::Multi),
    ]
}

/// The message that a client would send of what it got.
fn sent_back(output: proto::VectorOutput) -> proto::Vector {
    let vector = match output.into_vector() {
        vector_output::Vector::Dense(dense) => vector::Vector::Dense(dense),
        vector_output::Vector::Sparse(sparse) => vector::Vector::Sparse(sparse),
        vector_output::Vector::MultiDense(multi) => vector::Vector::MultiDense(multi),
    };
    proto::Vector {
        vector: Some(vector),
        ..proto::Vector::default()
    }
}

proptest! {
    #[test]
    fn vectors_survive_the_way_there_and_back(
        by_name in prop::collection::btree_map(prop_oneof![Just(String::new()), "[a-c]"], any_vector(), 0..4)
    ) {
        let vectors = Vectors(by_name);
        let back = match to_proto(vectors.clone()).vectors_options {
            Some(vectors_output::VectorsOptions::Vector(one)) => {
                vectors::VectorsOptions::Vector(sent_back(one))
            }
            Some(vectors_output::VectorsOptions::Vectors(named)) => {
                let map = named.vectors.into_iter().map(|(name, one)| (name, sent_back(one))).collect();
                vectors::VectorsOptions::Vectors(proto::NamedVectors { vectors: map })
            }
            None => return Err(TestCaseError::fail("no vectors")),
        };
        let read = super::vectors(Some(proto::Vectors { vectors_options: Some(back) }), &mut Models::default()).unwrap();
        prop_assert_eq!(read, vectors);
    }

    #[test]
    fn any_numbers_of_the_old_form_are_read_or_refused(
        data in prop::collection::vec(any::<f32>(), 0..20),
        indices in prop::option::of(prop::collection::vec(any::<u32>(), 0..20)),
        count in prop::option::of(any::<u32>()),
    ) {
        let _: Result<Vector> = old(&data, indices.as_deref(), count);
    }
}
