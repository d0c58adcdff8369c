use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

#[test]
fn of_several_limits_the_one_that_ends_first_counts() {
    let (start, passed) = (Instant::now(), AtomicU64::new(0));
    let clock = || start + Duration::from_millis(passed.load(Ordering::Relaxed));
    let none = Control::none().clock(&clock);
    let long = none.timeout(Duration::from_millis(30));
    let both = long
        .timeout(Duration::from_millis(10))
        .timeout(Duration::from_millis(20));
    for (now, limits) in [
        (0, [None; 3]),
        (9, [None; 3]),
        (10, [None, None, Some(10)]),
        (30, [None, Some(30), Some(10)]),
    ] {
        passed.store(now, Ordering::Relaxed);
        for (control, limit) in [none, long, both].into_iter().zip(limits) {
            assert_eq!(control.timed_out(), limit.map(Duration::from_millis), "at {now}");
            assert_eq!(control.is_cancelled(), limit.is_some(), "at {now}");
        }
    }
    // Counted from when it is set.
    assert_eq!(none.timeout(Duration::from_millis(5)).timed_out(), None);
}

#[test]
fn a_limit_that_no_clock_can_say_is_none_and_one_of_nothing_is_over() {
    assert!(!Control::none().timeout(Duration::MAX).is_cancelled());
    let over = Control::none().timeout(Duration::ZERO);
    assert_eq!(over.timed_out(), Some(Duration::ZERO));
}

#[test]
fn a_cancelled_caller_is_not_told_of_time() {
    let control = Control::cancelled_by(&|| true).timeout(Duration::from_secs(3600));
    assert!(control.is_cancelled());
    assert_eq!(control.timed_out(), None);
}
