//! The examples, run as they are: an example that no longer does what it says is a bug.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../../examples/embedded_in_axum.rs"]
mod embedded_in_axum;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../../examples/from_qdrant_client.rs"]
mod from_qdrant_client;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../../examples/one_program_two_urls.rs"]
mod one_program_two_urls;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tokio::net::TcpListener;
use tower::ServiceExt;
use vdb::Database;
use vdb_qdrant::Qdrant;
use vdb_qdrant::grpc::{ServerOptions, serve};
use vdb_qdrant::service::{Service, ServiceOptions};

/// The same clients that a user may have: in memory, on a directory, and on a server.
async fn everywhere(dir: &std::path::Path) -> [Qdrant; 3] {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(dir.join("snapshots")));
    tokio::spawn(serve(
        service,
        ServerOptions::default(),
        listener,
        std::future::pending(),
    ));
    [
        Qdrant::in_memory().unwrap(),
        Qdrant::connect(dir.join("db").to_str().unwrap()).await.unwrap(),
        Qdrant::connect(&url).await.unwrap(),
    ]
}

#[tokio::test]
async fn one_program_two_urls() {
    let dir = tempfile::tempdir().unwrap();
    for client in everywhere(dir.path()).await {
        for _ in 0..2 {
            let found = one_program_two_urls::birds(&client).await.unwrap();
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names.len(), 2, "{}: {names:?}", client.back_end());
            assert!(
                names[0].contains("owl") && names[1].contains("nightjar"),
                "{names:?}"
            );
        }
    }
}

#[tokio::test]
async fn from_qdrant_client() {
    let dir = tempfile::tempdir().unwrap();
    for client in everywhere(dir.path()).await {
        for _ in 0..2 {
            let names = from_qdrant_client::as_it_was(&client).await.unwrap();
            assert_eq!(names.len(), 2, "{names:?}");
            assert!(
                names[0].contains("owl") && names[1].contains("swift"),
                "{names:?}"
            );
        }
    }
}

#[tokio::test]
async fn embedded_in_axum() {
    let dir = tempfile::tempdir().unwrap();
    for client in everywhere(dir.path()).await {
        let app = embedded_in_axum::app(client).await.unwrap();
        for (id, note) in [
            (1, r#"{"vector": [0.9, 0.1], "text": "owls hunt at night"}"#),
            (2, r#"{"vector": [0.0, 1.0], "text": "swifts sleep in the air"}"#),
        ] {
            let keep = Request::put(format!("/notes/{id}"))
                .header("content-type", "application/json")
                .body(Body::from(note))
                .unwrap();
            let answer = app.clone().oneshot(keep).await.unwrap();
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        }
        let near = Request::get("/near?x=1&y=0").body(Body::empty()).unwrap();
        let answer = app.oneshot(near).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let found: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(found[0]["text"], "owls hunt at night");
        assert_eq!(found.as_array().unwrap().len(), 2);
    }
}
