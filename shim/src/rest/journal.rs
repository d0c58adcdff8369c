//! Request ids, the log, counts of answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::tally::Tallies;

use crate::service::Caller;

/// The header with the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What routes of a collection begin with.
const COLLECTION: &str = "/collections/{collection}";

/// The route that answers for every name.
const EXISTS: &str = "/collections/{collection}/exists";

/// Methods that routes have.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
];

/// Bytes of an id that a caller may give.
const MAX_ID: usize = 128;

/// Numbers requests and counts answers.
#[derive(Debug)]
pub(super) struct Journal {
    tallies: Arc<Tallies>,
    /// Of this server.
    family: u64,
    requests: AtomicU64,
}

impl Journal {
    /// Counts into these.
    pub(super) fn new(tallies: Arc<Tallies>) -> Self {
        Journal {
            tallies,
            family: Uuid::new_v4().as_u64_pair().0,
            requests: AtomicU64::new(0),
        }
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

    /// The id that the caller gave, or one that no other request has: drawing each at random would cost a system call.
    fn request_id(&self, request: &Request) -> HeaderValue {
        let given = request.headers().get(REQUEST_ID);
        if let Some(id) = given.filter(|id| id.len() <= MAX_ID && id.to_str().is_ok()) {
            return id.clone();
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = Uuid::from_u64_pair(self.family, number)
            .hyphenated()
            .encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
    }
}

pub(super) async fn record(State(journal): State<Arc<Journal>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = journal.request_id(&request);
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|path| format!("{} {}", request.method(), path.as_str()));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let (took, status) = (started.elapsed(), response.status());
    let (shown, path) = (id.to_str().unwrap_or_default(), uri.path());
    let (number, ms) = (status.as_u16(), took.as_millis());
    let subject = response.extensions().get::<Caller>().and_then(Caller::subject);
    // A line for every request that went well would take longer to write than many take to answer.
    if status.is_server_error() {
        tracing::error!(%method, path, status = number, ms, id = shown, subject, "request");
    } else if status.is_client_error() {
        tracing::info!(%method, path, status = number, ms, id = shown, subject, "request");
    } else {
        tracing::debug!(%method, path, status = number, ms, id = shown, subject, "request");
    }
    // Routes are a few; a caller can name methods without end.
    if let Some(route) = route.filter(|_| METHODS.contains(&method)) {
        journal.tallies.add(&route, number, took, true);
        if status.is_success() {
            journal.count_for_collection(&route, path, number, took);
        }
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}
