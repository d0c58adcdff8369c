use super::*;

#[test]
fn the_default_split_takes_the_end_of_the_permutation() {
    let split = Split::new(10, 3, None).unwrap();
    assert_eq!(split.queries, [9, 1, 8]);
    assert!(split.is_query(9) && split.is_query(1) && !split.is_query(0) && !split.is_query(10));
}

#[test]
fn a_split_that_leaves_nothing_to_search_is_refused() {
    assert!(Split::new(10, 10, None).is_err());
    assert!(Split::new(0, 10, None).is_err());
    assert!(Split::new(10, 0, None).is_err());
}
