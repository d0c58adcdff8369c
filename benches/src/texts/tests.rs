use super::*;

#[test]
fn a_rare_token_counts_more_and_ties_are_all_as_good() {
    let document = |tokens: &[u32]| SparseVector::new(tokens, vec![1.0; tokens.len()]);
    let documents = [
        document(&[1, 2]),
        document(&[1]),
        document(&[1, 3]),
        document(&[]),
        document(&[1]),
    ];
    let inverted = Inverted::of(&documents);
    let ranked = inverted.ranked(&document(&[1, 3]));
    assert_eq!(
        ranked.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
        [2, 0, 1, 4]
    );
    assert!(ranked[0].1 > 5.0 * ranked[1].1);
    assert_eq!(as_good(&ranked, 1), [2]);
    assert_eq!(as_good(&ranked, 2), [2, 0, 1, 4]);
    assert_eq!(as_good(&ranked, 10), [2, 0, 1, 4]);
    assert!(inverted.ranked(&document(&[9])).is_empty());
}
