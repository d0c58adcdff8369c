//! What callers may take.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn post_packed(server: &Server, encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri("/collections/c/points/scroll")
        .header("content-encoding", encoding);
    server.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn packed_bodies_are_unpacked_up_to_the_limit() {
    let server = Server::with_points().await;
    let answer = post_packed(&server, "gzip", packed(br#"{"limit": 2}"#)).await;
    assert_eq!(ids(&answer.result()["points"]), [1, 2]);
    let bomb = packed(&vec![b' '; MAX_BODY_BYTES + 1]);
    assert!(bomb.len() < MAX_BODY_BYTES / 500);
    let refused = post_packed(&server, "gzip", bomb).await.error(400);
    assert!(refused.contains("larger than allowed"), "{refused}");
    let broken = post_packed(&server, "gzip", b"{}".to_vec()).await;
    assert_eq!(broken.status, 400, "{}", broken.text());
    let unknown = post_packed(&server, "br", b"{}".to_vec()).await;
    assert!(
        unknown.headers["accept-encoding"]
            .to_str()
            .unwrap()
            .contains("gzip")
    );
    assert!(unknown.error(415).contains("gzip"));
}

#[tokio::test]
async fn nesting_is_bounded() {
    let server = Server::with_points().await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    for body in [
        deep("[", "]"),
        deep("{\"filter\":", "}"),
        format!("{{\"filter\":{}}}", deep("{\"must\":[", "]}")),
        format!("{{\"with_payload\":{}}}", deep("[", "]")),
    ] {
        let refused = server
            .raw("POST", "/collections/c/points/scroll", body)
            .await
            .error(400);
        assert!(refused.len() < 1_000, "{refused}");
    }
}

#[tokio::test]
async fn limits_are_those_of_the_settings() {
    let mut options = RestOptions::default();
    options.limits.body_bytes = 100;
    let snapshots = tempfile::tempdir().unwrap();
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(snapshots.path()));
    let server = Server {
        router: router(service, options),
        snapshots,
    };
    let refused = server
        .raw("POST", "/collections/c/points/scroll", vec![b' '; 101])
        .await
        .error(400);
    assert!(refused.contains("limit: 100 bytes"), "{refused}");
    server
        .raw("POST", "/collections/c/points/scroll", "{}")
        .await
        .error(404);
}
