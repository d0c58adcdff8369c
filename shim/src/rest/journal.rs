//! Request ids, the log, counts of answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, Uri};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use crate::request_ids::{REQUEST_ID, RequestIds};
use crate::service::{Caller, Service};
use crate::tally::Tallies;

/// What routes of a collection begin with.
const COLLECTION: &str = "/collections/{collection_name}";

/// The route that answers for every name.
const EXISTS: &str = "/collections/{collection_name}/exists";

/// Methods that routes have.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
];

/// Numbers requests and counts answers.
#[derive(Debug)]
pub(super) struct Journal {
    tallies: Arc<Tallies>,
    /// From which time on a request is slow.
    slow: Duration,
    ids: RequestIds,
}

/// A request that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    at: Instant,
    id: HeaderValue,
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
}

impl Journal {
    /// Of the requests to a service.
    pub(super) fn new(service: &Service) -> Self {
        Journal {
            tallies: service.rest_tallies().clone(),
            slow: service.slow(),
            ids: RequestIds::new(),
        }
    }

    /// A request begins, with the id that its caller gives it, or one of its own.
    pub(super) fn begin(&self, request: &Request) -> Begun {
        Begun {
            at: Instant::now(),
            id: self.ids.of(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            route: request.extensions().get().cloned(),
        }
    }

    /// A request is answered: it is told and counted, and its answer has its id.
    pub(super) fn end(&self, begun: Begun, caller: Option<&Caller>, response: &mut Response) {
        let (took, status) = (begun.at.elapsed(), response.status());
        let Begun {
            id,
            method,
            uri,
            route,
            ..
        } = begun;
        let (shown, path) = (id.to_str().unwrap_or_default(), uri.path());
        let (number, ms) = (status.as_u16(), took.as_micros() as f64 / 1e3);
        let subject = caller.and_then(Caller::subject);
        // A line for every request that went well would take longer to write than many take to answer.
        if status.is_server_error() {
            tracing::error!(%method, path, status = number, ms, id = shown, subject, "request");
        } else if status.is_client_error() {
            tracing::info!(%method, path, status = number, ms, id = shown, subject, "request");
        } else if took >= self.slow {
            tracing::warn!(%method, path, status = number, ms, id = shown, subject, "slow request");
        } else {
            tracing::debug!(%method, path, status = number, ms, id = shown, subject, "request");
        }
        // Routes are a few; a caller can name methods without end.
        if let Some(route) = route.filter(|_| METHODS.contains(&method)) {
            let route = format!("{method} {}", route.as_str());
            self.tallies.add(&route, number, took, || true);
            if status.is_success() {
                self.count_for_collection(&route, path, number, took);
            }
        }
        response.headers_mut().insert(REQUEST_ID, id);
    }

    /// Counts what succeeded for the collection that its path names.
    fn count_for_collection(&self, route: &str, path: &str, status: u16, took: Duration) {
        let (method, endpoint) = route.split_once(' ').unwrap_or_default();
        // One that is gone was forgotten with it, and that one is not there is a success, too.
        let gone = method == "DELETE" && endpoint == COLLECTION;
        if !endpoint.starts_with(COLLECTION) || gone || endpoint == EXISTS {
            return;
        }
        let name = path.split('/').nth(2).unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        self.tallies.add_to(&name, route, status, took);
    }
}
