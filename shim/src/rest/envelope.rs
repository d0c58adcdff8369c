//! The shape of every answer; which status an error has.

use std::io;
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

    /// A body that is packed in a way that is not known here.
    pub(super) fn packed() -> Self {
        Failure {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Failure::format(
                Part::Body,
                "it is packed in a way that is not known here: send it as it is, or packed with gzip",
            )
        }
    }

    /// An error of the service. Those about values do not know in which part of a request these stand.
    pub(super) fn of(error: ServiceError, part: Part) -> Self {
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
            retry_after: error.kind.retry_after(),
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
pub(super) async fn answer<T: Serialize + Send + 'static>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Response {
    let started = Instant::now();
    let outcome = work.await;
    let time = started.elapsed().as_secs_f64();
    match outcome {
        Ok(result) => succeed(result, time).await,
        Err(failure) => failure.respond(time),
    }
}

/// Bytes of an answer that are written where it is asked for. One that is longer takes so long that other connections must not wait
/// for it, and is begun again elsewhere.
const WRITTEN_HERE: usize = 64 << 10;

/// What is written of an answer, as long as it is short.
#[derive(Default)]
struct Short(Vec<u8>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > WRITTEN_HERE {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn succeed<T: Serialize + Send + 'static>(result: T, time: f64) -> Response {
    let status = "ok";
    let success = Success { result, status, time };
    let mut short = Short::default();
    let written = match serde_json::to_writer(&mut short, &success) {
        Ok(()) => Some(short.0),
        Err(_) => {
            drop(short);
            let whole = tokio::task::spawn_blocking(move || serde_json::to_vec(&success).ok());
            whole.await.ok().flatten()
        }
    };
    let Some(bytes) = written else {
        return Failure::from(ServiceError::internal("the answer could not be written")).respond(time);
    };
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// As [`answer`], for work that may go on in the background: without a result it only says that it was accepted.
pub(super) async fn answer_accepted<T: Serialize + Send + 'static>(
    work: impl Future<Output = Result<Option<T>, Failure>>,
) -> Response {
    let started = Instant::now();
    let outcome = work.await;
    let time = started.elapsed().as_secs_f64();
    match outcome {
        Ok(Some(result)) => succeed(result, time).await,
        Ok(None) => {
            let body = json!({ "status": "accepted", "time": time });
            (StatusCode::ACCEPTED, axum::Json(body)).into_response()
        }
        Err(failure) => failure.respond(time),
    }
}

#[cfg(test)]
mod tests;
