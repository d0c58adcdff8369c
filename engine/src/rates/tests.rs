use super::*;

#[test]
fn a_bucket_gives_a_minutes_tokens_at_once_and_then_as_they_come() {
    let mut bucket = Bucket::default();
    let start = Instant::now();
    for _ in 0..60 {
        assert_eq!(bucket.take(1, 60, start), Ok(()));
    }
    assert_eq!(
        bucket.take(1, 60, start),
        Err(Refusal::After(Duration::from_secs(1)))
    );
    let later = start + Duration::from_secs(2);
    assert_eq!(bucket.take(2, 60, later), Ok(()));
    assert!(bucket.take(1, 60, later).is_err());
    // However long nobody asks, it holds no more than a minute's.
    let much_later = later + Duration::from_secs(3_600);
    assert_eq!(bucket.take(60, 60, much_later), Ok(()));
    assert!(bucket.take(1, 60, much_later).is_err());
}

#[test]
fn more_than_a_minutes_tokens_are_never_given_and_cost_nothing() {
    let mut bucket = Bucket::default();
    let now = Instant::now();
    assert_eq!(bucket.take(11, 10, now), Err(Refusal::TooMany));
    assert_eq!(bucket.take(10, 10, now), Ok(()));
}

#[test]
fn another_limit_holds_from_then_on() {
    let mut bucket = Bucket::default();
    let now = Instant::now();
    assert_eq!(bucket.take(1, 100, now), Ok(()));
    // Of the 99 left no more than 5 count.
    assert_eq!(bucket.take(5, 5, now), Ok(()));
    assert_eq!(
        bucket.take(1, 5, now),
        Err(Refusal::After(Duration::from_secs(12)))
    );
}
