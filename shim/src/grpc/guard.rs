//! Who may call what.

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::sync::LazyLock;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::service::{Access, Keys};

/// The calls that need no key: whether a server is well is asked by who runs it, not by who uses it.
const OPEN: [&str; 3] = [
    "/qdrant.Qdrant/HealthCheck",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
];

/// Services of which every call reads.
const READING_SERVICES: [&str; 3] = [
    "/qdrant.Qdrant/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// The calls that read, by service. All others write, those that are not known too.
pub(super) const READS: [(&str, &[&str]); 3] = [
    (
        "/qdrant.Collections/",
        &[
            "Get",
            "List",
            "CollectionExists",
            "ListAliases",
            "ListCollectionAliases",
            "CollectionClusterInfo",
            "ListShardKeys",
        ],
    ),
    (
        "/qdrant.Points/",
        &[
            "Get",
            "Search",
            "SearchBatch",
            "SearchGroups",
            "Scroll",
            "Recommend",
            "RecommendBatch",
            "RecommendGroups",
            "Discover",
            "DiscoverBatch",
            "Count",
            "Query",
            "QueryBatch",
            "QueryGroups",
            "Facet",
            "SearchMatrixPairs",
            "SearchMatrixOffsets",
        ],
    ),
    ("/qdrant.Snapshots/", &["List", "ListFull"]),
];

static READ_PATHS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let of = |(service, calls): (&str, &[&str])| {
        let paths = calls.iter().map(|call| format!("{service}{call}"));
        paths.collect::<Vec<_>>()
    };
    READS.into_iter().flat_map(of).collect()
});

/// Lets calls through whose key allows them.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    keys: Keys,
}

impl Guard {
    /// A guard that knows these keys.
    pub(super) fn new(keys: Keys) -> Self {
        Guard { keys }
    }

    /// Whether a call may be made.
    fn check(&self, path: &str, headers: &HeaderMap) -> Result<(), Status> {
        if OPEN.contains(&path) {
            return Ok(());
        }
        match self.keys.access(key(headers)) {
            None => Err(Status::unauthenticated(
                "Must provide an API key or an Authorization bearer token",
            )),
            Some(Access::Full) => Ok(()),
            Some(Access::ReadOnly) if is_read(path) => Ok(()),
            Some(Access::ReadOnly) => Err(Status::permission_denied(format!(
                "Forbidden: the key allows reading only, and {path} is none"
            ))),
        }
    }
}

fn is_read(path: &str) -> bool {
    READ_PATHS.contains(path) || READING_SERVICES.iter().any(|service| path.starts_with(service))
}

/// The key of a call: the header `api-key`, or the token of a bearer.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("api-key").or_else(|| {
        let (scheme, token) = text("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            guard: self.clone(),
            inner,
        }
    }
}

/// A service behind a guard.
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = futures_util::future::Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.guard.check(request.uri().path(), request.headers()) {
            Ok(()) => futures_util::future::Either::Left(self.inner.call(request)),
            Err(status) => futures_util::future::Either::Right(ready(Ok(status.into_http()))),
        }
    }
}

#[cfg(test)]
mod tests;
