//! Contracts of the routes: the shape of what they answer, and each of their errors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod clusters;
mod collections;
mod contract;
mod dashboard;
mod documents;
mod issues;
mod lenient;
mod limits;
mod points;
mod queries;
mod quotas;
mod reads;
mod refusals;
mod settings;
mod shape;
mod snapshots;
mod strict;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use vdb::Database;

use vdb_qdrant::rest::{MAX_BODY_BYTES, RestOptions, router};
use vdb_qdrant::service::{Keys, Service, ServiceOptions};

/// A service in memory, called without a network.
struct Server {
    router: Router,
    snapshots: tempfile::TempDir,
}

/// What a call was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    /// The result of a success, whose envelope is checked.
    #[track_caller]
    fn result(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let mut value = self.json();
        let map = value.as_object_mut().unwrap();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["result", "status", "time"]);
        assert_eq!(map["status"], "ok");
        assert!(map["time"].is_f64());
        map["result"].take()
    }

    /// The text of an error, whose envelope is checked.
    #[track_caller]
    fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let value = self.json();
        let map = value.as_object().unwrap();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["status", "time"]);
        map["status"]["error"].as_str().unwrap().to_owned()
    }
}

impl Server {
    fn new() -> Self {
        Server::with_keys(Keys::none())
    }

    fn with_keys(keys: Keys) -> Self {
        Server::serving(Database::builder().open_in_memory().unwrap(), keys)
    }

    fn on(database: Database) -> Self {
        Server::serving(database, Keys::none())
    }

    fn serving(database: Database, keys: Keys) -> Self {
        let snapshots = tempfile::tempdir().unwrap();
        let service = Service::new(database, ServiceOptions::new(snapshots.path()));
        let options = RestOptions {
            keys,
            ..RestOptions::default()
        };
        Server {
            router: router(service, options),
            snapshots,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    async fn raw(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.raw("GET", path, Body::empty()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.raw("DELETE", path, Body::empty()).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.raw("PUT", path, body.to_string()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw("POST", path, body.to_string()).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.raw("PATCH", path, body.to_string()).await
    }

    /// A server with a collection `c` of two numbers a vector, and points 1 to 4 in it.
    async fn with_points() -> Self {
        let server = Server::new();
        server.fill().await;
        server
    }

    async fn fill(&self) {
        let body = json!({"vectors": {"size": 2, "distance": "Dot"}});
        assert_eq!(self.put("/collections/c", body).await.result(), true);
        let points = json!({"points": [
            {"id": 1, "vector": [1.0, 0.0], "payload": {"n": 1, "word": "owl", "tags": ["a", "b"]}},
            {"id": 2, "vector": [0.8, 0.1], "payload": {"n": 2, "word": "hawk", "tags": ["b"]}},
            {"id": 3, "vector": [0.1, 0.9], "payload": {"n": 3, "word": "owl"}},
            {"id": "c56a4180-65aa-42ec-a945-5fd21dec0538", "vector": [0.0, 0.5]},
        ]});
        let put = self.put("/collections/c/points?wait=true", points).await;
        assert_eq!(put.result(), json!({"operation_id": 1, "status": "completed"}));
    }
}

/// The ids of a list of points.
fn ids(points: &Value) -> Vec<Value> {
    let points = points.as_array().unwrap();
    points.iter().map(|point| point["id"].clone()).collect()
}

#[tokio::test]
async fn keys_open_what_they_are_for() {
    let server = Server::with_keys(Keys::none().full("all").read_only("some"));
    let call = |method: &'static str, path: &'static str, header: Option<(&'static str, &'static str)>| {
        let mut request = Request::builder().method(method).uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        server.send(request.body(Body::from("{}")).unwrap())
    };
    let refused = call("GET", "/collections", None).await;
    assert_eq!(refused.status, 401);
    assert!(refused.text().starts_with("Must provide an API key"));
    assert_eq!(
        call("GET", "/collections", Some(("api-key", "x"))).await.status,
        401
    );
    assert_eq!(call("GET", "/telemetry", None).await.status, 401);
    for path in ["/", "/healthz", "/livez", "/readyz"] {
        assert_eq!(call("GET", path, None).await.status, 200, "{path}");
    }
    assert_eq!(
        call("GET", "/collections", Some(("api-key", "all"))).await.status,
        200
    );
    assert_eq!(
        call("GET", "/collections", Some(("authorization", "Bearer some")))
            .await
            .status,
        200
    );
    let forbidden = call("PUT", "/collections/c", Some(("api-key", "some"))).await;
    assert!(forbidden.error(403).starts_with("Forbidden: "));
    let read = call("POST", "/collections/c/points/scroll", Some(("api-key", "some"))).await;
    read.error(404);
    assert_eq!(
        call("PUT", "/collections/c", Some(("api-key", "all")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn bodies_and_parameters_that_cannot_be_read_are_told() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/scroll";
    let broken = server.raw("POST", path, "{").await.error(400);
    assert!(broken.starts_with("Format error in JSON body: "), "{broken}");
    let negative = server.post(path, json!({"limit": -1})).await.error(400);
    assert!(negative.starts_with("Format error in JSON body: "), "{negative}");
    let zero = server.post(path, json!({"limit": 0})).await.error(422);
    assert_eq!(
        zero,
        "Validation error in JSON body: [scroll_request.limit: value 0 invalid, must be 1 or larger]"
    );
    let timeout = server
        .post(&format!("{path}?timeout=0"), json!({}))
        .await
        .error(422);
    assert_eq!(
        timeout,
        "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]"
    );
    let wait = server
        .put("/collections/c/points?wait=maybe", json!({"points": []}))
        .await;
    assert!(wait.error(400).starts_with("Format error in query parameters: "));
    let consistency = server.post(&format!("{path}?consistency=some"), json!({})).await;
    consistency.error(400);
    server
        .post(&format!("{path}?consistency=quorum&timeout=5"), json!({}))
        .await
        .result();
    let large = vec![b' '; MAX_BODY_BYTES + 1];
    let large = server.raw("POST", path, large).await.error(400);
    assert!(large.contains("larger than allowed"), "{large}");
    // Keys that are not known are not minded.
    server.post(path, json!({"no_such_key": 1})).await.result();
}

#[tokio::test]
async fn slashes_are_made_single() {
    let server = Server::with_points().await;
    assert_eq!(
        server.get("//collections//c//exists/").await.result(),
        json!({"exists": true})
    );
    assert_eq!(server.get("/no/such/route").await.status, 404);
    assert_eq!(server.get("/collections/c/points/scroll/x").await.status, 404);
    assert_eq!(server.raw("PATCH", "/collections/c/facet", "").await.status, 404);
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_can_read_that() {
    let server = Server::with_points().await;
    let request = Request::builder()
        .uri("/telemetry?details_level=2")
        .header("accept-encoding", "gzip");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert!(answer.bytes.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn pages_from_elsewhere_may_ask_where_a_key_protects_what_is_here() {
    let ask = |server: Server, origin: &'static str| async move {
        let request = Request::builder()
            .uri("/collections")
            .header("api-key", "all")
            .header("origin", origin);
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let answer = ask(Server::with_keys(Keys::none().full("all")), "http://elsewhere").await;
    answer.result();
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers.contains_key("x-request-id"));
    let refused = ask(Server::new(), "http://elsewhere").await.error(403);
    assert!(refused.starts_with("Forbidden: "), "{refused}");
    ask(Server::new(), "http://localhost:3000").await.result();
}

#[tokio::test]
async fn pages_may_send_tokens_and_read_when_to_come_back() {
    let server = Server::with_keys(Keys::none().full("all"));
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri("/collections")
        .header("origin", "http://elsewhere")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,content-type");
    let answer = server.send(preflight.body(Body::empty()).unwrap()).await;
    // A star would stand for all but the first.
    assert_eq!(
        answer.headers["access-control-allow-headers"],
        "authorization,content-type"
    );
    let ask = Request::builder()
        .uri("/collections")
        .header("api-key", "all")
        .header("origin", "http://elsewhere");
    let answer = server.send(ask.body(Body::empty()).unwrap()).await;
    let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(
        exposed.contains("retry-after") && exposed.contains("x-request-id"),
        "{exposed}"
    );
}
