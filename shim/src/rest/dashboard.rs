//! A page for people: collections, their points, a picture of how they lie, requests by hand.
//!
//! The page is in the program, asks nothing but this server, and shows payloads as text only. It needs no key itself: what it
//! shows are answers of the REST interface, which asks for one.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::App;

/// What the page may do: its own scripts and styles, requests to this server, and nothing in a frame of somebody else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// A file of the page: its name, its type, what is in it.
macro_rules! file {
    ($name:literal, $kind:literal) => {
        (
            $name,
            concat!($kind, "; charset=utf-8"),
            include_str!(concat!("dashboard/", $name)),
        )
    };
}

const FILES: [(&str, &str, &str); 12] = [
    file!("index.html", "text/html"),
    file!("style.css", "text/css"),
    file!("api.js", "text/javascript"),
    file!("collections.js", "text/javascript"),
    file!("console.js", "text/javascript"),
    file!("elements.js", "text/javascript"),
    file!("info.js", "text/javascript"),
    file!("layout.js", "text/javascript"),
    file!("main.js", "text/javascript"),
    file!("map.js", "text/javascript"),
    file!("points.js", "text/javascript"),
    file!("snapshots.js", "text/javascript"),
];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/dashboard", get(|| async { file("index.html") }))
        .route(
            "/dashboard/{file}",
            get(|Path(name): Path<String>| async move { file(&name) }),
        )
}

fn file(name: &str) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(file, ..)| *file == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Another version of the program has other files.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, *text).into_response()
}
