//! The shape of every answer; which status an error has.

use std::time::Instant;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::service::{ErrorKind, ServiceError};

/// Which part of a request is wrong, as errors call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The body.
    Body,
    /// Parameters after the question mark.
    Query,
    /// Parts of the path.
    Path,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Body => "JSON body",
            Part::Query => "query parameters",
            Part::Path => "path parameters",
        }
    }
}

/// Why a request is not answered with a result.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    text: String,
    retry_after: Option<u64>,
}

impl Failure {
    /// Something that cannot be read as what it should be.
    pub(super) fn format(part: Part, problem: impl std::fmt::Display) -> Self {
        Failure {
            status: StatusCode::BAD_REQUEST,
            text: format!("Format error in {}: {problem}", part.name()),
            retry_after: None,
        }
    }

    /// An error of the service. Those about values do not know in which part of a request these stand.
    pub(super) fn of(error: ServiceError, part: Part) -> Self {
        let retry_after = if let ErrorKind::RateLimited { retry_after } = error.kind {
            Some(retry_after.as_secs().max(1))
        } else {
            None
        };
        let out_of_range = |part: Part| format!("Validation error in {}: [{}]", part.name(), error.message);
        let text = if error.kind == ErrorKind::Name {
            out_of_range(Part::Path)
        } else if error.kind == ErrorKind::Validation {
            out_of_range(part)
        } else {
            error.to_string()
        };
        Failure {
            status: status(error.kind),
            text,
            retry_after,
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        // Values that are left to the service to check come in bodies.
        Failure::of(error, Part::Body)
    }
}

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::BadInput | ErrorKind::BadRequest | ErrorKind::StrictMode | ErrorKind::Checksum => {
            StatusCode::BAD_REQUEST
        }
        ErrorKind::AlreadyExists => StatusCode::CONFLICT,
        ErrorKind::Validation | ErrorKind::Name => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::OutOfStorage => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Standalone => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Failure {
    fn respond(self, seconds: f64) -> Response {
        let body = json!({ "status": { "error": self.text }, "time": seconds });
        let mut response = (self.status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.respond(0.0)
    }
}

/// A result with what stands around it.
#[derive(Serialize)]
struct Success<T> {
    result: T,
    status: &'static str,
    time: f64,
}

/// Answers with what `work` gives.
pub(super) async fn answer<T: Serialize>(work: impl Future<Output = Result<T, Failure>>) -> Response {
    let started = Instant::now();
    let outcome = work.await;
    let time = started.elapsed().as_secs_f64();
    match outcome {
        Ok(result) => succeed(result, time),
        Err(failure) => failure.respond(time),
    }
}

fn succeed<T: Serialize>(result: T, time: f64) -> Response {
    let status = "ok";
    axum::Json(Success { result, status, time }).into_response()
}

/// As [`answer`], for work that may go on in the background: without a result it only says that it was accepted.
pub(super) async fn answer_accepted<T: Serialize>(
    work: impl Future<Output = Result<Option<T>, Failure>>,
) -> Response {
    let started = Instant::now();
    let outcome = work.await;
    let time = started.elapsed().as_secs_f64();
    match outcome {
        Ok(Some(result)) => succeed(result, time),
        Ok(None) => {
            let body = json!({ "status": "accepted", "time": time });
            (StatusCode::ACCEPTED, axum::Json(body)).into_response()
        }
        Err(failure) => failure.respond(time),
    }
}
