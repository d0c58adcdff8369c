//! The page for people.

use axum::body::Body;
use axum::http::Request;
use vdb::Database;

use vdb_qdrant::rest::{RestOptions, router};
use vdb_qdrant::service::{Keys, Service, ServiceOptions};

use super::Server;

/// What is named between double quotes after `before`.
fn named<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let rest = text.split(before).skip(1);
    rest.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn all_that_it_names_is_there() {
    let server = Server::new();
    let page = server.get("/dashboard").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");

    let text = page.text();
    assert!(
        !text.contains("://") || text.matches("://").count() == text.matches("'http://www.w3.org/").count()
    );
    let mut files: Vec<String> = named(&text, "=\"/dashboard/")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(files, ["style.css", "main.js"]);
    let mut seen = 0;
    while let Some(file) = files.get(seen).cloned() {
        seen += 1;
        let answer = server.get(&format!("/dashboard/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        let kind = if file.ends_with(".css") {
            "text/css"
        } else {
            "text/javascript"
        };
        assert_eq!(answer.headers["content-type"], format!("{kind}; charset=utf-8"));
        for import in named(&answer.text(), "from \"./") {
            if !files.iter().any(|file| file == import) {
                files.push(import.to_owned());
            }
        }
    }
    // Besides the page itself.
    assert_eq!(files.len(), 11);
    assert_eq!(server.get("/dashboard/").await.status, 200);
    assert_eq!(server.get("/dashboard/secret").await.status, 404);
}

/// The page asks for a key, so it has to be seen without one.
#[tokio::test]
async fn needs_no_key() {
    let server = Server::with_keys(Keys::none().full("secret"));
    assert_eq!(server.get("/dashboard").await.status, 200);
    assert_eq!(server.get("/dashboard/main.js").await.status, 200);
    assert_eq!(server.get("/collections").await.status, 401);
}

#[tokio::test]
async fn can_be_left_out() {
    use tower::ServiceExt;

    let snapshots = tempfile::tempdir().unwrap();
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(snapshots.path()));
    let options = RestOptions {
        no_dashboard: true,
        ..RestOptions::default()
    };
    let request = Request::get("/dashboard").body(Body::empty()).unwrap();
    let answer = router(service, options).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 404);
}
