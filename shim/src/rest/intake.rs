//! Bodies are taken in, and bounded, before a route sees them.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

use super::envelope::{Failure, Part};
use crate::limits::{Bodies, BodyProblem};
use crate::service::{ErrorKind, ServiceError};

/// What routes end with that write a body to the disk as it comes.
const UPLOADS: [&str; 2] = ["/snapshots/upload", "/snapshot/partial/recover"];

pub(super) async fn gather(State(bodies): State<Bodies>, request: Request, next: Next) -> Response {
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
