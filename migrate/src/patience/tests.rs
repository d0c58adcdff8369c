use std::cell::Cell;

use super::*;

fn error(code: Code, text: &str) -> QdrantError {
    QdrantError::from(Status::new(code, text))
}

#[test]
fn what_may_pass_is_told_from_what_will_not() {
    let limited = QdrantError::ResourceExhaustedError {
        status: Status::resource_exhausted("Rate limiting exceeded"),
        retry_after_seconds: 7,
    };
    let cases = [
        (limited, Verdict::Passing(Some(Duration::from_secs(7)))),
        (error(Code::Unavailable, "starting"), Verdict::Passing(None)),
        (error(Code::Cancelled, "Timeout expired"), Verdict::Passing(None)),
        (
            error(Code::Internal, "Failed to connect to http://a:1: refused"),
            Verdict::Passing(None),
        ),
        (error(Code::Internal, "a shard is broken"), Verdict::Final),
        (
            error(
                Code::OutOfRange,
                "Error, decoded message length too large: found 9 bytes",
            ),
            Verdict::TooLarge,
        ),
        (
            error(Code::ResourceExhausted, "grpc: received message larger than max"),
            Verdict::TooLarge,
        ),
        (
            error(Code::ResourceExhausted, "Insufficient storage"),
            Verdict::Final,
        ),
        (error(Code::Unauthenticated, "no key"), Verdict::Final),
        (error(Code::NotFound, "gone"), Verdict::Final),
        (QdrantError::Io(std::io::Error::other("disk")), Verdict::Final),
    ];
    for (error, expected) in cases {
        assert_eq!(verdict(&error), expected, "{error}");
    }
}

#[test]
fn a_server_cannot_ask_for_a_wait_without_end() {
    let forever = QdrantError::ResourceExhaustedError {
        status: Status::resource_exhausted(""),
        retry_after_seconds: u64::MAX,
    };
    assert_eq!(verdict(&forever), Verdict::Passing(Some(LONGEST)));
}

#[tokio::test]
async fn tries_are_counted() {
    let patience = Patience {
        retries: 3,
        first: Duration::ZERO,
        most: Duration::ZERO,
    };
    let tries = Cell::new(0);
    let outcome: Result<()> = persist(
        patience,
        &Watch::silent(),
        || "asking".to_owned(),
        || {
            tries.set(tries.get() + 1);
            async { Err(error(Code::Unavailable, "starting")) }
        },
    )
    .await;
    assert_eq!(outcome.unwrap_err().to_string(), "asking: starting (Unavailable)");
    assert_eq!(tries.get(), 4);
}

#[tokio::test]
async fn who_asked_for_the_end_waits_for_nothing() {
    let watch = Watch::new(|_| (), || true);
    let mut waits = Waits::new(Patience::default(), &watch);
    assert!(!waits.again(Some(LONGEST)).await);
}
