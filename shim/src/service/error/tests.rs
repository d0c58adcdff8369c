use super::*;

#[test]
fn texts_are_those_that_clients_match() {
    let missing: ServiceError = Error::CollectionNotFound { name: "c".into() }.into();
    assert_eq!(missing.to_string(), "Not found: Collection `c` doesn't exist!");
    let size: ServiceError = Error::WrongDimension {
        place: String::new(),
        vector: String::new(),
        expected: 4,
        found: 3,
    }
    .into();
    assert_eq!(
        size.to_string(),
        "Wrong input: Vector dimension error: expected dim: 4, got 3"
    );
    for (expected, found, kind) in [
        ("dense", "multi", "multi"),
        ("dense", "sparse", "sparse"),
        ("sparse", "dense", "sparse"),
        ("sparse", "multi", "multi"),
    ] {
        let error: ServiceError = Error::WrongKind {
            place: String::new(),
            vector: "v".into(),
            expected,
            found,
        }
        .into();
        let text = format!(
            "Wrong input: Conversion between {kind} and regular vectors failed: vector \"v\" is {expected}, got a {found} vector"
        );
        assert_eq!(error.to_string(), text);
    }
    let point: ServiceError = Error::PointNotFound { id: 7.into() }.into();
    assert_eq!(point.to_string(), "Not found: No point with id 7 found");
    let often: ServiceError = Error::RateLimit {
        limit: "write_rate_limit",
        most: 9,
        retry_after: Duration::from_millis(1_500),
    }
    .into();
    assert_eq!(
        often.to_string(),
        "Rate limiting exceeded: Write rate limit exceeded, retry later: there are 9 a minute, and room again in 2 s"
    );
}

#[test]
fn a_write_that_was_stopped_in_the_middle_is_told_as_what_stopped_it() {
    let stopped: ServiceError = Error::Unfinished {
        points: 8_192,
        source: Box::new(Error::Cancelled),
    }
    .into();
    assert_eq!(stopped.kind, ErrorKind::Timeout);
    assert!(stopped.message.contains("after 8192 points"), "{stopped}");
    let full: ServiceError = Error::Unfinished {
        points: 8_192,
        source: Box::new(vdb::LogError::NoSpace { path: "wal".into() }.into()),
    }
    .into();
    assert_eq!(full.kind, ErrorKind::OutOfStorage);
    assert!(full.message.contains("after 8192 points"), "{full}");
}

#[test]
fn problems_are_told_together() {
    let mut problems = Problems::new();
    problems.at_least("limit", Some(0), 1);
    problems.within("vectors.size", Some(70_000), 1, 65_536);
    problems.at_least("group_size", Some(3), 1);
    let error = problems.finish().unwrap_err();
    assert_eq!(
        error.message,
        "limit: value 0 invalid, must be 1 or larger; vectors.size: value 70000 invalid, must be from 1 to 65536"
    );
}

#[test]
fn what_is_no_number_is_in_no_range() {
    let mut problems = Problems::new();
    problems.at_least("a", Some(f64::NAN), 0.5);
    problems.within("b", Some(f64::NAN), 0.0, 1.0);
    problems.at_least("c", Some(0.5), 0.5);
    problems.within("d", Some(1.0), 0.0, 1.0);
    let text = problems.finish().unwrap_err().message;
    assert_eq!(
        text,
        "a: value NaN invalid, must be 0.5 or larger; b: value NaN invalid, must be from 0.0 to 1.0"
    );
}
