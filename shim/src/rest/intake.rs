//! Bodies are taken in, and bounded, before a route sees them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::decompression::{DecompressionBody, RequestDecompressionLayer};

use super::envelope::{Failure, Part};
use crate::limits::{Bodies, BodyProblem};
use crate::service::{ErrorKind, ServiceError};

/// What routes end with that write a body to the disk as it comes.
const UPLOADS: [&str; 2] = ["/snapshots/upload", "/snapshot/partial/recover"];

/// Answers a request once its body is there: of those that are packed, once they are unpacked.
pub(super) async fn take_in(bodies: &Bodies, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::CONTENT_ENCODING) {
        return gather(bodies, request, next).await;
    }
    let bodies = bodies.clone();
    let gathered = service_fn(move |request: Request<DecompressionBody<Body>>| {
        let (bodies, next) = (bodies.clone(), next.clone());
        async move { Ok::<_, Infallible>(gather(&bodies, request.map(Body::new), next).await) }
    });
    let unpacked = RequestDecompressionLayer::new().layer(gathered);
    let response = unpacked.oneshot(request).await;
    response.unwrap_or_else(|never| match never {}).map(Body::new)
}

async fn gather(bodies: &Bodies, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let upload = route.is_some_and(|route| UPLOADS.iter().any(|end| route.as_str().ends_with(end)));
    let (parts, body) = request.into_parts();
    if upload {
        return next.run(Request::from_parts(parts, bodies.paced(body))).await;
    }
    match bodies.gather(body).await {
        Ok(gathered) => {
            let response = next
                .run(Request::from_parts(parts, Body::from(gathered.bytes)))
                .await;
            // What was made of the body is no longer needed either.
            drop(gathered.room);
            response
        }
        Err(problem) => failure(&problem).into_response(),
    }
}

fn failure(problem: &BodyProblem) -> Failure {
    match problem {
        BodyProblem::TooLarge { limit } => Failure::format(
            Part::Body,
            format_args!("JSON payload is larger than allowed (limit: {limit} bytes)"),
        ),
        BodyProblem::Late => {
            ServiceError::new(ErrorKind::Timeout, format!("the body cannot be read: {problem}")).into()
        }
        BodyProblem::NoRoom => {
            let retry_after = Duration::from_secs(1);
            let text = format!("the body cannot be read: {problem}");
            ServiceError::new(ErrorKind::RateLimited { retry_after }, text).into()
        }
        BodyProblem::Broken(_) => Failure::format(Part::Body, problem),
    }
}
