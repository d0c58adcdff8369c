use super::*;

#[test]
fn a_row_dies_once_and_is_seen_until_then() {
    let deletions = Deletions::new(10_000);
    assert!(deletions.is_empty());
    assert!(deletions.mark(5_000, 7));
    assert!(!deletions.mark(5_000, 9));
    assert_eq!(deletions.died_at(5_000), Some(7));
    assert!(deletions.is_live(5_000, 6));
    assert!(!deletions.is_live(5_000, 7));
    assert!(deletions.is_live(5_001, 7));
}

#[test]
fn rows_that_do_not_exist_cannot_die() {
    let deletions = Deletions::new(10);
    assert!(!deletions.mark(10, 1));
    assert!(!deletions.mark(u32::MAX, 1));
    assert!(deletions.is_empty());
    assert!(Deletions::new(0).iter().next().is_none());
}

#[test]
fn the_dead_are_listed_by_row_and_counted_by_horizon() {
    let deletions = Deletions::new(9_000);
    for (row, lsn) in [(8_999, 4), (1, 2), (4_096, 3)] {
        deletions.mark(row, lsn);
    }
    assert_eq!(
        deletions.iter().collect::<Vec<_>>(),
        [(1, 2), (4_096, 3), (8_999, 4)]
    );
    assert_eq!(
        (deletions.dead_at(1), deletions.dead_at(3), deletions.dead_total()),
        (0, 2, 3)
    );
}
