use super::*;

#[test]
fn a_sum_of_sparse_vectors_is_their_mean_and_leads_away_from_others() {
    let mut sum = SparseSum::default();
    for vector in [
        SparseVector::new([1, 5], [1.0, 2.0]),
        SparseVector::new([5, 9], [4.0, -2.0]),
    ] {
        sum.add(&vector, weight(true, 2, true));
    }
    assert_eq!(sum.bytes(), 3 * ENTRY);
    assert_eq!(
        sum.add(&SparseVector::new([5, 7], [1.0, 3.0]), weight(false, 1, true)),
        ENTRY
    );
    // Twice the mean of the first two, minus the third.
    let expected = SparseVector::new([1, 5, 7, 9], [1.0, 5.0, -3.0, -2.0]);
    assert_eq!(sum.into_vector(), expected);
}

#[test]
fn a_dense_mean_leads_as_far_away_as_the_other_is() {
    let mean = |rows: &[[f32; 2]]| {
        let mut mean = DenseMean::new(2);
        rows.iter().for_each(|row| mean.add(row));
        mean
    };
    let of = || mean(&[[1.0, 0.0], [3.0, 4.0]]);
    assert_eq!(of().away_from(mean(&[])), [2.0, 2.0]);
    assert_eq!(of().away_from(mean(&[[1.0, 5.0]])), [3.0, -1.0]);
}

#[test]
fn vectors_of_negative_examples_are_negated() {
    let mut rows = Vec::new();
    append(
        &mut rows,
        Vector::Multi(vec![vec![1.0, 2.0], vec![0.5, 0.0]]),
        1.0,
    );
    append(&mut rows, Vector::Dense(vec![3.0, -4.0]), -1.0);
    assert_eq!(rows, [[1.0, 2.0], [0.5, 0.0], [-3.0, 4.0]]);
}
