use super::*;

#[test]
fn a_sweep_that_fails_neither_hides_nor_holds_up_what_else_is_done() {
    let activity = Activity::default();
    activity.swept(Some("sweep".to_owned()));
    assert_eq!(activity.failure().as_deref(), Some("sweep"));
    assert!(!activity.failed_within(Duration::MAX));
    activity.start("merging segments");
    activity.swept(Some("sweep".to_owned()));
    assert_eq!(activity.progress().map(|now| now.job), Some("merging segments"));
    activity.fail("merge".to_owned());
    assert_eq!(activity.failure().as_deref(), Some("merge"));
    // Each is made up for by its like.
    activity.swept(None);
    assert_eq!(activity.failure().as_deref(), Some("merge"));
    activity.swept(Some("sweep".to_owned()));
    activity.make_up();
    assert_eq!(activity.failure().as_deref(), Some("sweep"));
    activity.start("building indexes");
    assert_eq!(activity.failure().as_deref(), Some("sweep"));
    activity.swept(None);
    assert_eq!(activity.failure(), None);
}

#[test]
fn the_last_jobs_that_were_done_are_told_of() {
    let activity = Activity::default();
    for _ in 0..KEPT {
        activity.start("building indexes");
        activity.finish(true);
    }
    activity.start("merging segments");
    activity.finish(false);
    assert_eq!(activity.finished().len(), KEPT);
    activity.start("merging segments");
    activity.finish(true);
    let finished = activity.finished();
    assert_eq!(finished.len(), KEPT);
    assert_eq!(
        (finished[0].job, finished[0].number),
        ("merging segments", KEPT as u64 + 1)
    );
    assert_eq!(finished[1].job, "building indexes");
}
