use proptest::prelude::*;

use super::*;

fn segment(id: u64, rows: u32, dead: u32, incomplete: bool) -> SegmentStats {
    SegmentStats {
        id,
        rows,
        dead,
        incomplete,
        unpartitioned: false,
    }
}

#[test]
fn segments_of_one_tier_are_merged_once_there_are_enough() {
    let config = OptimizerConfig::default();
    let three: Vec<_> = (0..3).map(|i| segment(i, 20_000, 0, false)).collect();
    assert_eq!(next_job(&three, &config, false), None);
    let four: Vec<_> = (0..4).map(|i| segment(i, 20_000, 0, false)).collect();
    assert_eq!(
        next_job(&four, &config, false),
        Some(Job::Merge(vec![0, 1, 2, 3]))
    );
}

#[test]
fn a_large_segment_is_not_rewritten_for_small_ones() {
    let config = OptimizerConfig::default();
    let mixed = [
        segment(0, 5_000_000, 0, false),
        segment(1, 900, 0, false),
        segment(2, 800, 0, false),
    ];
    assert_eq!(next_job(&mixed, &config, false), None);
}

#[test]
fn small_segments_go_into_a_large_one_when_together_they_are_a_good_part_of_it() {
    let config = OptimizerConfig::default();
    let mut segments = vec![segment(0, 80_000, 0, false), segment(1, 10_000, 0, false)];
    assert_eq!(next_job(&segments, &config, false), None);
    segments.push(segment(2, 10_000, 0, false));
    assert_eq!(
        next_job(&segments, &config, false),
        Some(Job::Merge(vec![0, 1, 2]))
    );
    let tight = OptimizerConfig {
        max_segment_rows: 85_000,
        ..config
    };
    assert_eq!(next_job(&segments, &tight, false), None);
}

#[test]
fn a_segment_with_many_dead_rows_is_rewritten_alone() {
    let config = OptimizerConfig::default();
    let segments = [segment(7, 1_000, 201, false), segment(8, 1_000, 199, false)];
    assert_eq!(next_job(&segments, &config, false), Some(Job::Merge(vec![7])));
}

#[test]
fn missing_graphs_are_built_when_nothing_is_to_be_merged() {
    let config = OptimizerConfig::default();
    let segments = [segment(1, 10_000, 0, false), segment(2, 10_000, 0, true)];
    assert_eq!(next_job(&segments, &config, false), Some(Job::Derive(2)));
}

#[test]
fn work_that_more_rows_would_undo_waits() {
    let config = OptimizerConfig::default();
    let few: Vec<_> = (0..8).map(|i| segment(i, 20_000, 0, true)).collect();
    assert_eq!(next_job(&few, &config, true), None);
    let many: Vec<_> = (0..BUSY_SEGMENTS as u64)
        .map(|i| segment(i, 20_000, 0, true))
        .collect();
    assert!(next_job(&many, &config, true).is_some());
}

proptest! {
    #[test]
    fn jobs_come_to_an_end(rows in prop::collection::vec((0u32..200_000, 0u32..50_000), 0..40)) {
        let config = OptimizerConfig::default();
        let mut segments: Vec<_> = (0u64..).zip(rows).map(|(i, (r, d))| segment(i, r.max(d), d, r > 2_000)).collect();
        segments.iter_mut().for_each(|s| s.unpartitioned = s.rows > 5_000);
        let mut next = 1_000;
        for _ in 0..200 {
            match next_job(&segments, &config, false) {
                None => return Ok(()),
                Some(Job::Derive(id)) => {
                    for s in segments.iter_mut().filter(|s| s.id == id) { s.incomplete = false; }
                }
                Some(Job::Partition(id)) => {
                    for s in segments.iter_mut().filter(|s| s.id == id) { s.unpartitioned = false; }
                }
                Some(Job::Merge(ids)) => {
                    let live = segments.iter().filter(|s| ids.contains(&s.id)).map(|s| s.rows - s.dead).sum();
                    segments.retain(|s| !ids.contains(&s.id));
                    segments.push(segment(next, live, 0, false));
                    next += 1;
                }
            }
        }
        prop_assert!(false, "still busy after 200 jobs");
    }

    #[test]
    fn a_full_merge_leaves_one_segment_where_one_is_allowed(rows in prop::collection::vec(0u32..200_000, 2..40)) {
        let segments: Vec<_> = (0u64..).zip(&rows).map(|(i, r)| segment(i, *r, 0, false)).collect();
        let merges = full_merges(&segments, &OptimizerConfig::default());
        prop_assert_eq!(merges.len(), 1);
        prop_assert_eq!(merges[0].len(), rows.len());
    }
}

#[test]
fn graphs_of_values_wait_for_everything_else() {
    let config = OptimizerConfig::default();
    let mut first = segment(0, 20_000, 0, false);
    first.unpartitioned = true;
    let jobs = |second| next_job(&[first, second], &config, false);
    assert_eq!(jobs(segment(1, 500_000, 0, true)), Some(Job::Derive(1)));
    assert_eq!(jobs(segment(1, 500_000, 0, false)), Some(Job::Partition(0)));
    assert_eq!(next_job(&[first], &config, true), None);
}
