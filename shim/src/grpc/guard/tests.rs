use http::HeaderValue;
use tonic::{Code, Status};
use vdb::Database;

use super::*;
use crate::service::ServiceOptions;

fn guarding(keys: Keys) -> Guard {
    let database = Database::builder().open_in_memory().unwrap();
    Guard {
        keys: Arc::new(keys),
        service: Service::new(database, ServiceOptions::new("unused")),
    }
}

fn with(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )])
}

/// What a call is answered whose message names a collection.
async fn outcome(guard: &Guard, path: &str, headers: &HeaderMap) -> Code {
    let admitted = match guard.admit(path, headers).await {
        Ok(admitted) => admitted,
        Err(error) => return Status::from(error).code(),
    };
    let mut extensions = Extensions::new();
    extensions.insert(admitted);
    let called = caller(&extensions, Some("c"));
    called.err().map_or(Code::Ok, |error| Status::from(error).code())
}

#[tokio::test]
async fn a_key_is_needed_but_for_questions_of_health() {
    let guard = guarding(Keys::none().full("all").read_only("some"));
    let none = HeaderMap::new();
    for headers in [&none, &with("api-key", "other")] {
        assert_eq!(
            outcome(&guard, "/qdrant.Points/Get", headers).await,
            Code::Unauthenticated
        );
    }
    for path in ["/qdrant.Qdrant/HealthCheck", "/grpc.health.v1.Health/Check"] {
        assert_eq!(outcome(&guard, path, &none).await, Code::Ok, "{path}");
    }
}

#[tokio::test]
async fn a_key_for_reading_reads_everything_and_writes_nothing() {
    let guard = guarding(Keys::none().full("all").read_only("some"));
    for path in [
        "/qdrant.Points/Query",
        "/qdrant.Collections/Get",
        "/qdrant.Snapshots/ListFull",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] {
        assert_eq!(
            outcome(&guard, path, &with("api-key", "some")).await,
            Code::Ok,
            "{path}"
        );
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
        let refused = outcome(&guard, path, &with("api-key", "some")).await;
        assert_eq!(refused, Code::PermissionDenied, "{path}");
        let bearer = with("authorization", "Bearer all");
        assert_eq!(outcome(&guard, path, &bearer).await, Code::Ok, "{path}");
    }
}

#[tokio::test]
async fn without_keys_everything_is_open_and_without_a_guard_nothing() {
    let guard = guarding(Keys::none());
    assert_eq!(
        outcome(&guard, "/qdrant.Points/Upsert", &HeaderMap::new()).await,
        Code::Ok
    );
    assert!(caller(&Extensions::new(), None).is_err());
}
