//! Keys: who may call what.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::envelope::{Failure, Part};
use crate::service::{Access, Keys, ServiceError};

/// Paths that need no key.
const OPEN: [&str; 2] = ["/", "/healthz"];

/// What paths that need no key begin with.
const OPEN_BELOW: [&str; 3] = ["/readyz", "/livez", "/dashboard"];

pub(super) async fn guard(State(keys): State<Arc<Keys>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let open = OPEN.contains(&path) || OPEN_BELOW.iter().any(|start| path.starts_with(start));
    // A browser asks whether it may ask without showing a key.
    if open || request.method() == Method::OPTIONS || !keys.are_required() {
        return next.run(request).await;
    }
    match keys.access(key(request.headers())) {
        None => {
            let text = if key(request.headers()).is_some() {
                "Invalid API key or JWT"
            } else {
                "Must provide an API key or an Authorization bearer token"
            };
            (StatusCode::UNAUTHORIZED, text).into_response()
        }
        Some(Access::ReadOnly) if !is_read(request.method(), path) => {
            let error = ServiceError::forbidden("Write access is required");
            Failure::of(error, Part::Body).into_response()
        }
        Some(Access::Full | Access::ReadOnly) => next.run(request).await,
    }
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get("api-key").and_then(|value| value.to_str().ok());
    own.or_else(|| {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// Whether a call only reads: all that are made by GET, and those that are made by POST because they have a body.
fn is_read(method: &Method, path: &str) -> bool {
    if [Method::GET, Method::HEAD].contains(method) {
        return true;
    }
    let mut parts = path.trim_matches('/').split('/');
    if method != Method::POST || parts.next() != Some("collections") || parts.next().is_none() {
        return false;
    }
    match (parts.next(), parts.next()) {
        (Some("facet"), None) => true,
        (Some("points"), None) => true,
        (Some("points"), Some(what)) => {
            ["scroll", "count", "query", "search", "recommend", "discover"].contains(&what)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_told_from_writes() {
        for path in [
            "/collections/c/points",
            "/collections/c/points/scroll",
            "/collections/c/points/query/groups",
            "/collections/c/facet",
        ] {
            assert!(is_read(&Method::POST, path), "{path}");
            assert!(!is_read(&Method::PUT, path), "{path}");
        }
        for path in [
            "/collections/aliases",
            "/collections/c/points/delete",
            "/collections/c/points/payload",
            "/collections/c/points/batch",
            "/collections/c/snapshots",
            "/snapshots",
        ] {
            assert!(!is_read(&Method::POST, path), "{path}");
        }
    }
}
