//! Snapshots.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use vdb::Database;
use vdb_qdrant::rest::RestOptions;
use vdb_qdrant::server::serve;
use vdb_qdrant::service::{Service, ServiceOptions};

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
        .put(path, json!({"location": "s3://elsewhere/x.snapshot"}))
        .await
        .error(400);
    let elsewhere = server
        .put(path, json!({"location": "file://elsewhere/x.snapshot"}))
        .await
        .error(400);
    assert_eq!(
        elsewhere,
        "Bad request: Invalid snapshot URI, file path must be absolute or on localhost"
    );
    server.put(path, json!({})).await.error(400);
    let upload = "/collections/c/snapshots/upload";
    let text = server.post(upload, json!({})).await.error(400);
    assert!(
        text.starts_with("Bad request: the upload cannot be read: "),
        "{text}"
    );
}

#[tokio::test]
async fn who_does_not_wait_is_told_at_once_what_cannot_be() {
    let server = Server::with_points().await;
    let recover = async |of: &str, body: Value| {
        let path = format!("/collections/{of}snapshots/recover?wait=false");
        server.put(&path, body).await
    };
    let location = "file:///nowhere/x.snapshot";
    let malformed = json!({"location": location, "checksum": "xyz"});
    let told = recover("c/", malformed).await.error(422);
    assert!(told.contains("checksum"), "{told}");
    for location in ["x.snapshot", "s3://a/x.snapshot", "file://a/x", "file:///%zz"] {
        recover("c/", json!({ "location": location })).await.error(400);
    }
    let name = "n".repeat(256) + "/";
    recover(&name, json!({ "location": location })).await.error(422);
    // Whether it is there is found out by whoever looks for it.
    for (of, location) in [("c/", location), ("c/shards/0/", "x.snapshot")] {
        let answer = recover(of, json!({ "location": location })).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["status"].clone()),
            (202, json!("accepted"))
        );
    }
}

#[tokio::test]
async fn a_shard_is_sent_as_it_is_and_recovered_from_its_snapshots() {
    let server = Server::with_points().await;
    let streamed = server.get("/collections/c/shards/0/snapshot").await;
    assert_eq!(streamed.status, 200);
    assert_eq!(streamed.headers["content-type"], "application/octet-stream");
    let name = streamed.headers["content-disposition"].to_str().unwrap();
    assert!(name.contains("c-shard-0-"), "{name}");
    let path = "/collections/c/shards/0/snapshots";
    assert_eq!(server.get(path).await.result(), json!([]), "nothing is kept");
    let target = "/collections/copy/shards/0/snapshots/upload";
    let sent = server.send(upload(target, "snapshot", &streamed.bytes)).await;
    assert_eq!(sent.result(), true);
    server.get("/collections/c/shards/1/snapshot").await.error(404);
    server.get("/collections/none/shards/0/snapshot").await.error(404);

    let made = server.raw("POST", path, Body::empty()).await.result();
    server.delete("/collections/c/points/1").await;
    let ids = json!({"points": [1, 2]});
    server
        .post("/collections/c/points/delete?wait=true", ids)
        .await
        .result();
    let recover = format!("{path}/recover");
    let body = json!({"location": made["name"], "priority": "snapshot"});
    assert_eq!(server.put(&recover, body).await.result(), true);
    let count = server
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 4}));
    server
        .put(&recover, json!({"location": "none.snapshot"}))
        .await
        .error(404);
}

#[tokio::test]
async fn a_snapshot_of_another_server_is_fetched() {
    let server = Server::with_points().await;
    let made = server
        .raw("POST", "/collections/c/snapshots", Body::empty())
        .await
        .result();
    let name = made["name"].as_str().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let other = Server::new();
    let location = format!("http://{address}/collections/c/snapshots/{name}");
    let path = "/collections/c/snapshots/recover";
    let wrong = json!({"location": location, "checksum": "0".repeat(64)});
    other.put(path, wrong).await.error(400);
    let right = json!({"location": location, "checksum": made["checksum"], "api_key": "any"});
    assert_eq!(other.put(path, right).await.result(), true);
    let count = other
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 4}));
    let missing = json!({"location": format!("http://{address}/collections/c/snapshots/none.snapshot")});
    let told = other.put(path, missing).await.error(400);
    assert!(told.contains("404"), "{told}");
    serving.abort();
}

#[tokio::test]
async fn a_shard_is_sent_to_those_who_lack_something_of_it() {
    let server = Server::with_points().await;
    let partial = |call: &str| format!("/collections/c/shards/0/snapshot/partial/{call}");
    let manifest = || async { server.get(&partial("manifest")).await };
    let known = manifest().await.result();
    let (name, part) = known.as_object().unwrap().iter().next().unwrap();
    assert_eq!(part["segment_id"], json!(name));
    assert!(part["segment_version"].is_u64() && part["file_versions"].is_object());
    // Whoever has it is sent nothing.
    let same = server.post(&partial("create"), known.clone()).await;
    assert_eq!(same.status, 304);
    assert!(same.bytes.is_empty());
    let others = server.post(&partial("create"), json!({})).await;
    assert_eq!(others.status, 200);
    assert_eq!(others.headers["content-type"], "application/octet-stream");
    // A write makes another version of it, a new index another shard.
    let gone = json!({"points": [1]});
    server
        .post("/collections/c/points/delete?wait=true", gone)
        .await
        .result();
    assert_ne!(manifest().await.result(), known);
    assert_eq!(server.post(&partial("create"), known.clone()).await.status, 200);
    let before = manifest().await.result();
    let index = json!({"field_name": "n", "field_schema": "integer"});
    server.put("/collections/c/index?wait=true", index).await.result();
    assert_ne!(manifest().await.result(), before);
    // What was sent brings it back.
    let sent = server
        .send(upload(&partial("recover"), "snapshot", &others.bytes))
        .await;
    assert_eq!(sent.result(), true);
    let count = server
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 4}));
    // There must be something to bring up to date, and somebody to ask.
    let absent = "/collections/none/shards/0/snapshot/partial";
    server.get(&format!("{absent}/manifest")).await.error(404);
    let sent = server.send(upload(&format!("{absent}/recover"), "snapshot", &others.bytes));
    sent.await.error(404);
    server.post(&partial("create"), json!([])).await.error(400);
    server
        .post(&partial("recover_from"), json!({"peer_url": "ftp://a"}))
        .await
        .error(400);
    assert_eq!(server.get(&partial("other")).await.status, 404);
}

#[tokio::test]
async fn a_shard_is_brought_up_to_what_another_server_has() {
    let database = Database::builder().open_in_memory().unwrap();
    let theirs = Server::on(database.clone());
    theirs.fill().await;
    let snapshots = tempfile::tempdir().unwrap();
    let service = Service::new(database, ServiceOptions::new(snapshots.path()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let serving = tokio::spawn(serve(listener, None, RestOptions::default(), service, stopped));

    let ours = Server::new();
    let body = json!({"vectors": {"size": 2, "distance": "Dot"}});
    ours.put("/collections/c", body).await.result();
    let from = json!({"peer_url": url, "api_key": null});
    let call = "/collections/c/shards/0/snapshot/partial/recover_from";
    assert_eq!(ours.post(call, from.clone()).await.result(), true);
    let count = ours.post("/collections/c/points/count", json!({})).await.result();
    assert_eq!(count, json!({"count": 4}));
    // What is not there is not made.
    let absent = "/collections/d/shards/0/snapshot/partial/recover_from";
    ours.post(absent, from).await.error(404);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn any_name_of_a_collection_can_have_snapshots() {
    let server = Server::new();
    for name in ["a%0Ab", "a%7Fb", "%C2%85"] {
        let collection = format!("/collections/{name}");
        server.put(&collection, json!({})).await.result();
        for snapshots in ["snapshots", "shards/0/snapshots"] {
            let path = format!("{collection}/{snapshots}");
            let made = server.raw("POST", &path, Body::empty()).await.result();
            assert_eq!(server.get(&path).await.result(), json!([made]));
            let file = made["name"].as_str().unwrap().replace('%', "%25");
            let sent = server.get(&format!("{path}/{file}")).await;
            assert_eq!(sent.status, 200);
            let target = "/collections/copy/snapshots/upload";
            let sent = server.send(upload(target, "snapshot", &sent.bytes)).await;
            assert_eq!(sent.result(), true, "{path}");
        }
    }
}

#[tokio::test]
async fn nobody_is_told_where_files_lie() {
    let server = Server::with_points().await;
    let place = server.snapshots.path().file_name().unwrap().to_str().unwrap();
    let target = "/collections/copy/snapshots/upload";
    let junk = upload(target, "snapshot", b"no snapshot at all");
    let told = server.send(junk).await.error(400);
    assert!(told.contains("snapshot.tar"), "{told}");
    assert!(!told.contains(place) && !told.contains(".incoming"), "{told}");
    // One that was cut off.
    let path = "/collections/c/snapshots";
    let made = server.raw("POST", path, Body::empty()).await.result();
    let name = made["name"].as_str().unwrap();
    let file = server.snapshots.path().join("c").join(name);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let body = json!({"location": format!("file://{}", file.display())});
    let told = server.put(&format!("{path}/recover"), body).await.error(400);
    assert!(told.contains(name) && !told.contains(place), "{told}");
}
