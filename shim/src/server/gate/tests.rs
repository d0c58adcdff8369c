use axum::routing::get;

use super::*;

async fn ask(gate: &Arc<Gate>, path: &str) -> StatusCode {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    gate.answer(request).await.status()
}

#[tokio::test]
async fn health_is_answered_and_the_rest_waits() {
    let gate = Gate::new();
    let outside = gate.clone();
    for path in ["/", "/healthz", "/livez"] {
        assert_eq!(ask(&outside, path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(ask(&outside, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    let waiting = tokio::spawn({
        let outside = outside.clone();
        async move { ask(&outside, "/readyz-not").await }
    });
    let waits = tokio::spawn({
        let outside = outside.clone();
        async move { ask(&outside, "/collections").await }
    });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    let inside = Router::new()
        .route("/collections", get(|| async { "all" }))
        .route("/readyz", get(|| async { "ready" }));
    gate.open(inside);
    assert_eq!(waits.await.unwrap(), StatusCode::OK);
    assert_eq!(waiting.await.unwrap(), StatusCode::NOT_FOUND);
    assert_eq!(ask(&outside, "/readyz").await, StatusCode::OK);
}

#[tokio::test]
async fn who_waits_is_told_when_it_will_not_open() {
    let gate = Gate::new();
    let outside = gate.clone();
    let waits = tokio::spawn(async move { ask(&outside, "/collections").await });
    tokio::task::yield_now().await;
    gate.close();
    assert_eq!(waits.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
}
