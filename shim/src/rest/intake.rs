//! Bodies are taken in, and bounded, before a route sees them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::decompression::{DecompressionBody, RequestDecompressionLayer};

use super::envelope::{Failure, Part};
use crate::limits::{Bodies, BodyProblem};
use crate::service::{ErrorKind, ServiceError};

/// What routes end with that write a body to the disk as it comes.
const UPLOADS: [&str; 2] = ["/snapshots/upload", "/snapshot/partial/recover"];

/// Whether a request of HTTP/1 has a body, which stands between it and the next one of its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent(bool);

impl Sent {
    pub(super) fn with(request: &Request) -> Self {
        Sent(request.version() < Version::HTTP_2 && !request.body().is_end_stream())
    }

    /// Says with the answer that the connection ends with it, as the rest of the body is not read.
    pub(super) fn unread(self, response: &mut Response) {
        if self.0 {
            let headers = response.headers_mut();
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Answers a request once its body is there: of those that are packed, once they are unpacked.
pub(super) async fn take_in(bodies: &Bodies, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::CONTENT_ENCODING) {
        return gather(bodies, request, next).await;
    }
    let sent = Sent::with(&request);
    let bodies = bodies.clone();
    let gathered = service_fn(move |request: Request<DecompressionBody<Body>>| {
        let (bodies, next) = (bodies.clone(), next.clone());
        async move { Ok::<_, Infallible>(gather(&bodies, request.map(Body::new), next).await) }
    });
    let unpacked = RequestDecompressionLayer::new().layer(gathered);
    let response = unpacked.oneshot(request).await;
    let response = response.unwrap_or_else(|never| match never {}).map(Body::new);
    // No route says that.
    if response.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return response;
    }
    let mut refusal = Failure::packed().into_response();
    if let Some(known) = response.headers().get(header::ACCEPT_ENCODING) {
        refusal
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, known.clone());
    }
    sent.unread(&mut refusal);
    refusal
}

async fn gather(bodies: &Bodies, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let upload = route.is_some_and(|route| UPLOADS.iter().any(|end| route.as_str().ends_with(end)));
    let sent = Sent::with(&request);
    let (parts, body) = request.into_parts();
    if upload {
        let (body, end) = bodies.paced(body);
        let mut response = next.run(Request::from_parts(parts, body)).await;
        if !response.status().is_success() && !end.is_reached() {
            sent.unread(&mut response);
        }
        return response;
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
        Err(problem) => {
            let mut response = failure(&problem).into_response();
            sent.unread(&mut response);
            response
        }
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
