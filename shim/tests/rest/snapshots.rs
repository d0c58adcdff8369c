//! Snapshots.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::Server;

const BOUNDARY: &str = "boundary-of-parts";

fn upload(path: &str, part: &str, bytes: &[u8]) -> Request<Body> {
    let mut body =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"s\"\r\n\r\n")
            .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    Request::builder()
        .method("POST")
        .uri(path)
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn a_snapshot_goes_out_and_comes_back() {
    let server = Server::with_points().await;
    let path = "/collections/c/snapshots";
    let made = server.raw("POST", path, Body::empty()).await.result();
    let name = made["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("c-") && name.ends_with(".snapshot"), "{name}");
    assert_eq!(made["checksum"].as_str().unwrap().len(), 64);
    assert_eq!(server.get(path).await.result(), json!([made]));
    let file = server.get(&format!("{path}/{name}")).await;
    assert_eq!(file.bytes.len() as u64, made["size"].as_u64().unwrap());
    let checksum = made["checksum"].as_str().unwrap();
    let target = format!("/collections/copy/snapshots/upload?checksum={checksum}&priority=snapshot");
    assert_eq!(
        server
            .send(upload(&target, "snapshot", &file.bytes))
            .await
            .result(),
        true
    );
    let count = server
        .post("/collections/copy/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 4}));
    let wrong = format!("/collections/copy/snapshots/upload?checksum={}", "0".repeat(64));
    server
        .send(upload(&wrong, "snapshot", &file.bytes))
        .await
        .error(400);
    server
        .send(upload(&target, "other", &file.bytes))
        .await
        .error(400);
    server
        .send(upload("/collections/copy/snapshots/upload", "snapshot", b"junk"))
        .await
        .error(400);
    let malformed = "/collections/copy/snapshots/upload?checksum=xyz";
    server
        .send(upload(malformed, "snapshot", &file.bytes))
        .await
        .error(422);
    assert_eq!(server.delete(&format!("{path}/{name}")).await.result(), true);
    server.delete(&format!("{path}/{name}")).await.error(404);
    server.get(&format!("{path}/{name}")).await.error(404);
    server
        .get(&format!("{path}/..%2F..%2Fsecret.snapshot"))
        .await
        .error(404);
}

#[tokio::test]
async fn snapshots_of_everything_and_of_shards_have_their_own_lists() {
    let server = Server::with_points().await;
    let full = server.raw("POST", "/snapshots", Body::empty()).await.result();
    assert!(full["name"].as_str().unwrap().starts_with("full-snapshot-"));
    assert_eq!(server.get("/snapshots").await.result(), json!([full]));
    let shard = "/collections/c/shards/0/snapshots";
    let made = server.raw("POST", shard, Body::empty()).await.result();
    assert!(made["name"].as_str().unwrap().starts_with("c-shard-0-"));
    assert_eq!(server.get(shard).await.result(), json!([made]));
    assert_eq!(server.get("/collections/c/snapshots").await.result(), json!([]));
    server.get("/collections/c/shards/1/snapshots").await.error(404);
    server.get("/collections/none/snapshots").await.error(404);
    let accepted = server
        .raw("POST", "/collections/c/snapshots?wait=false", Body::empty())
        .await;
    assert_eq!(
        (accepted.status.as_u16(), accepted.json()["status"].clone()),
        (202, json!("accepted"))
    );
}

#[tokio::test]
async fn only_our_snapshots_are_recovered_from() {
    let server = Server::with_points().await;
    let path = "/collections/c/snapshots/recover";
    server
        .put(path, json!({"location": "file:///etc/hostname"}))
        .await
        .error(403);
    server
        .put(path, json!({"location": "http://elsewhere/x.snapshot"}))
        .await
        .error(400);
    server
        .put(path, json!({"location": "file://elsewhere/x.snapshot"}))
        .await
        .error(400);
    server.put(path, json!({})).await.error(400);
}
