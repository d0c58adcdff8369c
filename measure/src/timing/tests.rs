use super::*;

#[test]
fn percentiles_lie_between_neighbours_as_numpy_has_them() {
    let sorted = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(percentile(&sorted, 50.0), 2.5);
    assert_eq!(percentile(&sorted, 0.0), 1.0);
    assert_eq!(percentile(&sorted, 100.0), 4.0);
    assert!((percentile(&sorted, 99.0) - 3.97).abs() < 1e-12);
}

#[test]
fn recall_is_that_of_the_first_pass_and_times_are_kept_on_request() {
    let mut watch = Stopwatch::new(2, 4, true);
    for found in [[2, 1], [0, 0]] {
        watch
            .pass(|at| at, |at| Ok::<_, ()>(found[at]), |_, hits| hits)
            .unwrap();
    }
    let plan = Plan {
        warm_up: 0,
        passes: 3,
        time: Duration::ZERO,
    };
    assert!(!watch.is_done(&plan) && watch.is_done(&Plan { passes: 2, ..plan }));
    let measured = watch.finish();
    assert_eq!((measured.recall, measured.passes), (0.75, 2));
    assert_eq!(measured.raw_us.len(), 4);
    assert!(measured.qps > 0.0 && measured.p50_us <= measured.p99_us);
}

#[test]
fn a_question_that_fails_ends_the_pass() {
    let mut watch = Stopwatch::new(3, 3, false);
    assert_eq!(
        watch.pass(|at| at, |at| if at == 1 { Err("no") } else { Ok(()) }, |_, ()| 1),
        Err("no")
    );
}
