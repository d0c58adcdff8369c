//! Request ids, the log, counts of answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::Mutex;

use crate::service::Caller;

/// The header with the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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

/// How often a route was answered with a status, and in what time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) total: Duration,
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
}

impl Tally {
    fn add(&mut self, took: Duration) {
        self.shortest = if self.count == 0 {
            took
        } else {
            self.shortest.min(took)
        };
        self.longest = self.longest.max(took);
        self.total += took;
        self.count += 1;
    }

    /// Microseconds of the mean.
    pub(super) fn mean_micros(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        self.total.as_secs_f64() * 1e6 / self.count as f64
    }
}

/// Tallies by route and status.
pub(super) type Tallies = BTreeMap<String, BTreeMap<u16, Tally>>;

/// Counts of answers since the start. There are as many as there are routes, whatever is asked.
#[derive(Debug, Default)]
pub(super) struct Journal {
    tallies: Mutex<Tallies>,
}

impl Journal {
    pub(super) fn tallies(&self) -> Tallies {
        self.tallies.lock().clone()
    }
}

pub(super) async fn record(State(journal): State<Arc<Journal>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|path| format!("{} {}", request.method(), path.as_str()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let (took, status) = (started.elapsed(), response.status());
    let shown = id.to_str().unwrap_or_default();
    let (code, ms) = (status.as_u16(), took.as_millis());
    let subject = response.extensions().get::<Caller>().and_then(Caller::subject);
    if status.is_server_error() {
        tracing::error!(%method, path, status = code, ms, id = shown, subject, "request");
    } else {
        tracing::info!(%method, path, status = code, ms, id = shown, subject, "request");
    }
    // Routes are a few; a caller can name methods without end.
    if let Some(route) = route.filter(|_| METHODS.contains(&method)) {
        let mut tallies = journal.tallies.lock();
        let by_status = tallies.entry(route).or_default();
        by_status.entry(status.as_u16()).or_default().add(took);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that the caller gave, or a new one.
fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID);
    if let Some(id) = given.filter(|id| id.len() <= MAX_ID && id.to_str().is_ok()) {
        return id.clone();
    }
    let fresh = uuid::Uuid::new_v4().to_string();
    HeaderValue::try_from(fresh).unwrap_or(HeaderValue::from_static("-"))
}
