//! Callers that take their time, or too much.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use http::Request;
use qdrant_client::config::QdrantConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};
use vdb::Database;
use vdb_qdrant::grpc::ServerOptions;
use vdb_qdrant::limits::Limits;
use vdb_qdrant::rest::RestOptions;
use vdb_qdrant::server::serve;
use vdb_qdrant::service::{Service, ServiceOptions};

use super::fixture::Server;

/// Serves REST with these limits for as long as what it gives is kept.
async fn rest(limits: Limits) -> (std::net::SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(
        Database::builder().open_in_memory().unwrap(),
        ServiceOptions::new("unused"),
    );
    let options = RestOptions {
        limits,
        ..RestOptions::default()
    };
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, None, options, service, async move {
        drop(stopped.await)
    }));
    (address, stop)
}

/// What a connection is answered until it ends.
async fn exchange(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const ASK: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// What slow callers send of a request and then nothing more.
const BEGINNINGS: [&str; 5] = [
    "",
    "G",
    "PRI * HTTP/2.0\r\n",
    "GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
    "POST /collections/c/points/scroll HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{",
];

#[tokio::test]
async fn slow_connections_keep_nobody_waiting() {
    let (address, _stop) = rest(Limits::default()).await;
    let mut slow = Vec::new();
    for beginning in BEGINNINGS.iter().cycle().take(200) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let answer = exchange(address, ASK).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("healthz check passed"),
        "{answer}"
    );
}

#[tokio::test]
async fn slow_connections_give_their_places_back() {
    let limits = Limits {
        connections: BEGINNINGS.len(),
        patience: Duration::from_millis(200),
        ..Limits::default()
    };
    let (address, _stop) = rest(limits).await;
    let mut slow = Vec::new();
    for beginning in BEGINNINGS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // All places are taken: this one waits until the patience with the others is at its end.
    let answer = exchange(address, ASK).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for mut stream in slow {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    // An idle connection is no better.
    let idle = exchange(address, &ASK.replace("connection: close\r\n", "")).await;
    assert!(idle.starts_with("HTTP/1.1 200"), "{idle}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let (address, _stop) = rest(Limits::default()).await;
    let long = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nlong: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    assert!(exchange(address, &long).await.starts_with("HTTP/1.1 431"));
    let many = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(200)
    );
    assert!(exchange(address, &many).await.starts_with("HTTP/1.1 431"));
    let uri = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "x".repeat(80_000)
    );
    assert!(exchange(address, &uri).await.starts_with("HTTP/1.1 4"));
}

/// The status of a call of gRPC with this body.
async fn call(channel: &mut Channel, body: Body) -> Code {
    let request = Request::post("/qdrant.Points/Count")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-encoding", "gzip");
    let ready = channel.ready().await.unwrap();
    let answer = ready
        .call(request.body(tonic::body::Body::new(body)).unwrap())
        .await
        .unwrap();
    Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code())
}

async fn grpc(limits: Limits) -> (Server, Channel) {
    let server = Server::start(ServerOptions {
        limits,
        ..ServerOptions::default()
    })
    .await;
    let channel = Channel::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap();
    (server, channel)
}

#[tokio::test]
async fn messages_that_do_not_come_take_no_turn() {
    let limits = Limits {
        calls: 1,
        patience: Duration::from_millis(300),
        ..Limits::default()
    };
    let (server, mut channel) = grpc(limits).await;
    let never = || {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![0u8, 0, 0])]);
        Body::from_stream(begun.chain(futures_util::stream::pending()))
    };
    let mut other = channel.clone();
    let waiting = tokio::spawn(async move { call(&mut other, never()).await });
    let client = QdrantConfig::from_url(&server.url())
        .skip_compatibility_check()
        .build()
        .unwrap();
    for _ in 0..20 {
        client.list_collections().await.unwrap();
    }
    assert_eq!(waiting.await.unwrap(), Code::DeadlineExceeded);
    assert_eq!(call(&mut channel, never()).await, Code::DeadlineExceeded);
    drop((channel, client));
    server.stop().await;
}

#[tokio::test]
async fn messages_are_bounded_packed_or_not() {
    use std::io::Write as _;

    let limits = Limits {
        message_bytes: 1 << 20,
        ..Limits::default()
    };
    let (server, mut channel) = grpc(limits).await;
    let framed = |flag: u8, message: &[u8]| {
        let len = u32::try_from(message.len()).unwrap();
        let mut body = vec![flag];
        body.extend((0..4).rev().map(|byte| (len >> (8 * byte)) as u8));
        body.extend_from_slice(message);
        Body::from(body)
    };
    assert_eq!(
        call(&mut channel, framed(0, &vec![0; 2 << 20])).await,
        Code::ResourceExhausted
    );
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    assert_eq!(
        call(&mut channel, framed(1, &bomb)).await,
        Code::ResourceExhausted
    );
    assert_eq!(call(&mut channel, Body::empty()).await, Code::InvalidArgument);
    assert_eq!(
        call(&mut channel, Body::from(vec![0; 10])).await,
        Code::InvalidArgument
    );
    // None of it has hurt the connection.
    assert_eq!(
        call(&mut channel, framed(0, &[0x0a, 1, b'c'])).await,
        Code::NotFound
    );
    drop(channel);
    server.stop().await;
}

#[tokio::test]
async fn who_is_refused_before_his_body_is_read_is_told_that_the_connection_ends() {
    let limits = Limits {
        body_bytes: 1_000,
        ..Limits::default()
    };
    let (address, _stop) = rest(limits).await;
    // Of each body some is sent, and then nothing more.
    let begin = |method: &str, path: &str, more: &str| {
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n{more}\r\n{{")
    };
    let upload = "/collections/c/snapshots/upload";
    let parts = "content-type: multipart/form-data; boundary=b\r\n";
    for request in [
        begin("POST", &format!("{upload}?priority=foo"), parts),
        begin("POST", &format!("{upload}?checksum=zz"), parts),
        begin("POST", "/collections/c/points/scroll", ""),
        begin("POST", "/collections/c/points/scroll", "content-encoding: br\r\n"),
        begin(
            "POST",
            "/collections/c/points/scroll",
            "origin: http://elsewhere\r\n",
        ),
    ] {
        let answer = exchange(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request}: {answer}");
        assert!(
            answer.contains("\r\nconnection: close\r\n"),
            "{request}: {answer}"
        );
    }
    // A body that is there keeps the connection.
    let read = "POST /collections/c/points/scroll HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    let answers = exchange(address, &format!("{read}{ASK}")).await;
    assert!(answers.starts_with("HTTP/1.1 404"), "{answers}");
    assert!(answers.contains("healthz check passed"), "{answers}");
}
