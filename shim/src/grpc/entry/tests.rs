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
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new("unused"));
    let entry = entry(service, ServerOptions::default()).await;
    let request = Request::post("/qdrant.Points/Count").header("grpc-timeout", patience);
    let response = entry.answer(request.body(message).unwrap()).await;
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
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
