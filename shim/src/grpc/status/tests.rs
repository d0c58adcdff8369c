use std::time::Duration;

use super::*;

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let kind = ErrorKind::RateLimited {
        retry_after: Duration::from_millis(1_200),
    };
    let status = Status::from(ServiceError::new(kind, "slow down"));
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.metadata().get(RETRY_AFTER).unwrap(), "2");
    assert_eq!(status.message(), "Rate limiting exceeded: slow down");
}

#[test]
fn validation_says_of_what() {
    let status = Status::from(ServiceError::validation("limit", "value 0 invalid"));
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "Validation error in body: [limit: value 0 invalid]"
    );
}

#[test]
fn texts_that_clients_match_stay_as_they_are() {
    let status = Status::from(ServiceError::no_collection("c"));
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "Not found: Collection `c` doesn't exist!")
    );
    assert_eq!(
        Status::from(ServiceError::standalone()).code(),
        Code::Unimplemented
    );
}

#[test]
fn texts_fit_a_header() {
    let long = "\u{2603}".repeat(50_000);
    let status = Status::from(ServiceError::no_collection(&long));
    assert!(status.message().len() < 2_000);
    assert!(status.message().starts_with("Not found: Collection `"));
    assert!(status.message().ends_with("` doesn't exist!"));
    let short = "x".repeat(MOST);
    assert_eq!(told(Code::Internal, &short).message(), short);
}
