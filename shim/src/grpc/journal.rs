//! Ids of calls, the log, counts of answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{HeaderValue, Request, Response};
use tonic::{Code, Status};
use tower::Layer;

use crate::request_ids::{REQUEST_ID, RequestIds};
use crate::service::access::is_method;
use crate::service::{Caller, Service};
use crate::tally::Tallies;

/// Calls that succeed for names that no collection has, or has any more.
const NOT_OF_ONE: [&str; 2] = [
    "/qdrant.Collections/Delete",
    "/qdrant.Collections/CollectionExists",
];

/// The collection that an answer is about.
#[derive(Clone, Debug)]
pub(super) struct Subject(pub(super) String);

/// Tells and counts what is answered, refusals too.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    tallies: Arc<Tallies>,
    /// From which time on a call is slow.
    slow: Duration,
    ids: Arc<RequestIds>,
}

impl Journal {
    /// Of the calls of a service.
    pub(super) fn new(service: &Service) -> Self {
        Journal {
            tallies: service.grpc_tallies().clone(),
            slow: service.slow(),
            ids: Arc::new(RequestIds::new()),
        }
    }

    /// Tells what came of a call. A line for every one that went well would take longer to write than many take to answer.
    fn tell(
        &self,
        (method, id): (&str, &HeaderValue),
        failed: Option<&Status>,
        (collection, subject): (Option<&str>, Option<&str>),
        took: Duration,
    ) {
        let (id, ms) = (id.to_str().unwrap_or_default(), took.as_micros() as f64 / 1e3);
        match failed {
            Some(status) if is_failure(status.code()) => {
                tracing::error!(method, collection, subject, code = ?status.code(), ms, id, why = status.message(), "call");
            }
            Some(status) => {
                tracing::info!(method, collection, subject, code = ?status.code(), ms, id, why = status.message(), "call");
            }
            None if took >= self.slow => tracing::warn!(method, collection, subject, ms, id, "slow call"),
            None => tracing::debug!(method, collection, subject, ms, id, "call"),
        }
    }
}

/// Whether the server is to blame.
fn is_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown | Code::Internal | Code::Unavailable | Code::DataLoss
    )
}

impl<S> Layer<S> for Journal {
    type Service = Recorded<S>;

    fn layer(&self, inner: S) -> Recorded<S> {
        Recorded {
            journal: self.clone(),
            inner,
        }
    }
}

/// A service whose answers are told and counted.
#[derive(Clone, Debug)]
pub(super) struct Recorded<S> {
    journal: Journal,
    inner: S,
}

impl<S, B, A> tower::Service<Request<B>> for Recorded<S>
where
    S: tower::Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<A>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let started = Instant::now();
        let path = request.uri().path().to_owned();
        let journal = self.journal.clone();
        let id = journal.ids.of(request.headers());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            // An error is told in the headers, as there is no message; a success behind the message, which is yet to come.
            let status = Status::from_header_map(response.headers());
            let code = status.as_ref().map_or(Code::Ok, Status::code);
            let (number, took) = (u16::try_from(code as i32).unwrap_or(u16::MAX), started.elapsed());
            let subject: Option<&Subject> = response.extensions().get();
            let collection = subject.map(|Subject(name)| name.as_str());
            let failed = status.as_ref().filter(|status| status.code() != Code::Ok);
            let caller = response.extensions().get().and_then(Caller::subject);
            journal.tell((&path, &id), failed, (collection, caller), took);
            // Who shows no key can name paths without end.
            journal.tallies.add(&path, number, took, is_method(&path));
            if let Some(name) = collection.filter(|_| code == Code::Ok) {
                // One that is gone was forgotten with it.
                if !NOT_OF_ONE.contains(&&*path) {
                    journal.tallies.add_to(name, &path, number, took);
                }
            }
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(response)
        })
    }
}
