use http::HeaderValue;
use tonic::Code;

use super::*;

fn guard() -> Guard {
    Guard::new(Keys::none().full("all").read_only("some"))
}

fn with(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )])
}

fn outcome(path: &str, headers: &HeaderMap) -> Code {
    guard()
        .check(path, headers)
        .err()
        .map_or(Code::Ok, |status| status.code())
}

#[test]
fn a_key_is_needed_but_for_questions_of_health() {
    let none = HeaderMap::new();
    assert_eq!(outcome("/qdrant.Points/Get", &none), Code::Unauthenticated);
    assert_eq!(
        outcome("/qdrant.Points/Get", &with("api-key", "other")),
        Code::Unauthenticated
    );
    for path in OPEN {
        assert_eq!(outcome(path, &none), Code::Ok, "{path}");
    }
}

#[test]
fn a_key_for_reading_reads_everything_and_writes_nothing() {
    let reader = with("api-key", "some");
    for path in [
        "/qdrant.Points/Query",
        "/qdrant.Collections/Get",
        "/qdrant.Snapshots/ListFull",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] {
        assert_eq!(outcome(path, &reader), Code::Ok, "{path}");
    }
    for path in [
        "/qdrant.Points/Upsert",
        "/qdrant.Points/UpdateBatch",
        "/qdrant.Collections/Create",
        "/qdrant.Collections/UpdateAliases",
        "/qdrant.Snapshots/Create",
        "/qdrant.Points/QueryX",
        "/other",
    ] {
        assert_eq!(outcome(path, &reader), Code::PermissionDenied, "{path}");
        assert_eq!(
            outcome(path, &with("authorization", "Bearer all")),
            Code::Ok,
            "{path}"
        );
    }
}

#[test]
fn without_keys_everything_is_open() {
    let open = Guard::new(Keys::none());
    assert!(open.check("/qdrant.Points/Upsert", &HeaderMap::new()).is_ok());
}
