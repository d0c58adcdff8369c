use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use tower::ServiceExt as _;
use vdb::Database;

use super::*;
use crate::service::ServiceOptions;
use crate::service::access::CALLS;

/// Paths of all routes, as the router shows itself for developers.
fn paths(routes: &Router<App>) -> BTreeSet<String> {
    let shown = format!("{routes:?}");
    shown
        .split('"')
        .filter(|part| part.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// A path of a route.
fn path(route: &str) -> String {
    let parts = route.split('/');
    let filled = parts.map(|part| if part.starts_with('{') { "1" } else { part });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_has_a_row_in_the_table_of_access() {
    let routes = calls().merge(dashboard::routes());
    let paths = paths(&routes);
    // What is shown of a router is not promised.
    assert!(
        paths.contains("/") && paths.contains("/collections/{collection_name}/points"),
        "{paths:?}"
    );
    let rows: BTreeSet<(&str, &str)> = CALLS.iter().flat_map(|call| call.rest).copied().collect();
    for (method, route) in &rows {
        assert!(paths.contains(*route), "{method} {route} is not there");
    }
    let scratch = tempfile::tempdir().unwrap();
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(scratch.path()));
    let app = App {
        service,
        tokens: false,
        metrics_prefix: "".into(),
    };
    let router: Router = routes
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .with_state(app);
    for route in &paths {
        for method in [
            Method::GET,
            Method::PUT,
            Method::POST,
            Method::PATCH,
            Method::DELETE,
        ] {
            if rows.contains(&(method.as_str(), route)) {
                continue;
            }
            let request = Request::builder().method(&method).uri(path(route));
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            // A route that is there has something to say.
            assert!(status == 404 && body.is_empty(), "{method} {route} has no row");
        }
    }
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own_and_names_that_begin_as_they_should() {
    let scratch = tempfile::tempdir().unwrap();
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new(scratch.path()));
    let get = |router: Router, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        async move {
            let answer = router.oneshot(request).await.unwrap();
            let status = answer.status();
            let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, String::from_utf8(bytes.to_vec()).unwrap())
        }
    };
    let alone = metrics_router(service.clone(), "our_");
    let (status, text) = get(alone.clone(), "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.lines().all(|line| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        name.starts_with("our_")
    }));
    assert_eq!(get(alone, "/collections").await.0, 404);
    // Beside it they are for those who may.
    let options = RestOptions {
        keys: Keys::none().full("secret"),
        metrics_prefix: "our_".to_owned(),
        ..RestOptions::default()
    };
    assert_eq!(get(router(service, options), "/metrics").await.0, 401);
}
