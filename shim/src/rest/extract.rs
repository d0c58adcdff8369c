//! Names, parameters and bodies of requests, and what is said of bad ones.

use std::time::{Duration, Instant};

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::envelope::{Failure, Part};
use crate::limits::LARGE_BODY_BYTES;
use crate::service::{Ordering, Problems, ReadOptions, ServiceError, WriteOptions};

/// A JSON body. What kind it says it is does not matter.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        // It has been taken in and bounded.
        let bytes = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .map_err(|error| Failure::format(Part::Body, error))?;
        let parsed = if bytes.len() < LARGE_BODY_BYTES {
            serde_json::from_slice(&bytes)
        } else {
            tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes))
                .await
                .map_err(|_| ServiceError::internal("the body could not be read"))?
        };
        parsed
            .map(Json)
            .map_err(|error| Failure::format(Part::Body, error))
    }
}

/// Parameters after the question mark.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Params(query.0)).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            Failure::format(Part::Query, cause.unwrap_or_else(|| error.to_string()))
        })
    }
}

/// Parts of the path.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        read.map(|path| At(path.0))
            .map_err(|error| Failure::format(Part::Path, error.body_text()))
    }
}

fn check_timeout(timeout: Option<u64>) -> Result<Option<Duration>, Failure> {
    let mut problems = Problems::new();
    problems.at_least("timeout", timeout, 1);
    problems
        .finish()
        .map_err(|error| Failure::of(error, Part::Query))?;
    Ok(timeout.map(Duration::from_secs))
}

/// Parameters of writes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WriteParams {
    #[serde(default)]
    wait: bool,
    #[serde(default)]
    ordering: Ordering,
    timeout: Option<u64>,
}

impl WriteParams {
    pub(super) fn options(self) -> Result<WriteOptions, Failure> {
        Ok(WriteOptions {
            wait: self.wait,
            ordering: self.ordering,
            timeout: check_timeout(self.timeout)?,
        })
    }
}

/// Parameters of reads.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReadParams {
    consistency: Option<String>,
    timeout: Option<u64>,
}

impl ReadParams {
    pub(super) fn options(self) -> Result<ReadOptions, Failure> {
        // One node agrees with itself, but nonsense is still refused.
        if let Some(consistency) = &self.consistency {
            let named = ["majority", "quorum", "all"].contains(&consistency.as_str());
            let factor = consistency.parse::<u64>().ok();
            if factor == Some(0) {
                let mut problems = Problems::new();
                problems.at_least("consistency", factor, 1);
                problems
                    .finish()
                    .map_err(|error| Failure::of(error, Part::Query))?;
            } else if !named && factor.is_none() {
                return Err(Failure::format(
                    Part::Query,
                    format_args!("unknown consistency {consistency:?}"),
                ));
            }
        }
        Ok(ReadOptions {
            timeout: check_timeout(self.timeout)?,
            since: Some(Instant::now()),
        })
    }
}

/// Parameters of calls that change collections. They are done when they are answered, in the time they take.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TimeoutParam {
    timeout: Option<u64>,
}

impl TimeoutParam {
    pub(super) fn check(&self) -> Result<(), Failure> {
        check_timeout(self.timeout).map(drop)
    }
}
