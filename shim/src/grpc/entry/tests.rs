use std::convert::Infallible;
use std::time::Instant;

use futures_util::StreamExt as _;
use vdb::Database;

use super::super::server::{ServerOptions, entry};
use super::*;
use crate::limits::Limits;
use crate::service::{Service, ServiceOptions};

/// The status of a call with this message by somebody who waits so long. Clients that know the header would not wait for it.
async fn status(patience: &'static str, message: Body) -> Code {
    let request = Request::post("/qdrant.Points/Count").header("grpc-timeout", patience);
    answered(request.body(message).unwrap()).await.code()
}

async fn answered(request: Request<Body>) -> Status {
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new("unused"));
    let entry = entry(service, ServerOptions::default()).await;
    let response = entry.answer(request).await;
    Status::from_header_map(response.headers()).unwrap_or_else(|| Status::new(Code::Ok, ""))
}

#[tokio::test]
async fn callers_say_how_long_they_wait() {
    let count = || Body::from(vec![0, 0, 0, 0, 3, 0x0a, 1, b'c']);
    let never = || {
        let begun = futures_util::stream::iter([Ok::<_, Infallible>(vec![0u8, 0, 0])]);
        Body::from_stream(begun.chain(futures_util::stream::pending()))
    };
    let begun = Instant::now();
    assert_eq!(status("100m", never()).await, Code::DeadlineExceeded);
    // Without, it is the patience of the server that ends.
    assert!(begun.elapsed() < Limits::default().patience);
    assert_eq!(status("1H", count()).await, Code::NotFound);
    // What is no time is passed over: the call is answered.
    assert_eq!(status("soon", count()).await, Code::NotFound);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_the_callers() {
    // Of these one is answered directly, the others by the services.
    for path in ["Points/Count", "Points/Facet", "Collections/Create"] {
        let request = Request::post(format!("/qdrant.{path}"));
        let refused = answered(request.body(Body::from(vec![0, 0, 0, 0, 2, 0x0a, 9])).unwrap()).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{path}: {refused:?}");
        assert!(
            refused
                .message()
                .starts_with("the message cannot be read: failed to decode"),
            "{path}: {refused:?}"
        );
        let packed = Request::post(format!("/qdrant.{path}")).header("grpc-encoding", "gzip");
        let refused = answered(packed.body(Body::from(vec![1, 0, 0, 0, 2, 0x0a, 9])).unwrap()).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{path}: {refused:?}");
    }
}

/// Whether a filter, or the value of a payload, of so many levels is read, whatever is then made of it.
async fn is_read(kind: &str, levels: usize) -> bool {
    use prost::Message as _;
    use qdrant_client::qdrant::{self as proto, condition, value};

    let filter = (0..levels).fold(proto::Filter::default(), |inner, _| {
        let condition = match kind {
            "nested" => condition::ConditionOneOf::Nested(proto::NestedCondition {
                key: "a".to_owned(),
                filter: Some(inner),
            }),
            _ => condition::ConditionOneOf::Filter(inner),
        };
        proto::Filter {
            must: vec![proto::Condition {
                condition_one_of: Some(condition),
            }],
            ..proto::Filter::default()
        }
    });
    let value = (0..levels).fold(proto::Value::default(), |inner, _| proto::Value {
        kind: Some(match kind {
            "object" => value::Kind::StructValue(proto::Struct {
                fields: [("a".to_owned(), inner)].into(),
            }),
            _ => value::Kind::ListValue(proto::ListValue { values: vec![inner] }),
        }),
    });
    let (path, message) = match kind {
        "object" | "list" => {
            let point = proto::PointStruct {
                payload: [("a".to_owned(), value)].into(),
                ..proto::PointStruct::default()
            };
            let upsert = proto::UpsertPoints {
                points: vec![point],
                ..proto::UpsertPoints::default()
            };
            ("Upsert", upsert.encode_to_vec())
        }
        _ => {
            let count = proto::CountPoints {
                filter: Some(filter),
                ..proto::CountPoints::default()
            };
            ("Count", count.encode_to_vec())
        }
    };
    let mut body = vec![0];
    body.extend((0..4).rev().map(|byte| (message.len() >> (8 * byte)) as u8));
    body.extend_from_slice(&message);
    let request = Request::post(format!("/qdrant.Points/{path}"));
    let refused = answered(request.body(Body::from(body)).unwrap()).await;
    assert_ne!(refused.code(), Code::Internal, "{refused:?}");
    !refused.message().contains("recursion limit reached")
}

#[tokio::test]
async fn messages_nest_as_deep_as_is_written_down() {
    for (kind, deepest) in [("filter", 49), ("nested", 33), ("object", 32), ("list", 48)] {
        assert!(is_read(kind, deepest).await, "{kind}");
        assert!(!is_read(kind, deepest + 1).await, "{kind}");
    }
}
