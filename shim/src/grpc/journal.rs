//! Request ids, the log, counts of answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::request_id::{REQUEST_ID, RequestIds};
use crate::service::Caller;
use crate::service::access::is_method;
use crate::tally::Tallies;

/// Calls that succeed for names that no collection has, or has any more.
const NOT_OF_ONE: [&str; 2] = [
    "/qdrant.Collections/Delete",
    "/qdrant.Collections/CollectionExists",
];

/// The collection that an answer is about.
#[derive(Clone, Debug)]
pub(super) struct Subject(pub(super) String);

/// Numbers calls, and logs and counts what is answered, refusals too.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    tallies: Arc<Tallies>,
    ids: Arc<RequestIds>,
}

impl Journal {
    /// Counts into these.
    pub(super) fn new(tallies: Arc<Tallies>) -> Self {
        Journal {
            tallies,
            ids: Arc::new(RequestIds::new()),
        }
    }
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

/// A service whose answers are logged and counted.
#[derive(Clone, Debug)]
pub(super) struct Recorded<S> {
    journal: Journal,
    inner: S,
}

impl<S, B, A> Service<Request<B>> for Recorded<S>
where
    S: Service<Request<B>, Response = Response<A>>,
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
        let Journal { tallies, ids } = self.journal.clone();
        let id = ids.of(request.headers());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            // An error is told in the headers, as there is no message; a success behind the message, which is yet to come.
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            let (number, took) = (u16::try_from(code as i32).unwrap_or(u16::MAX), started.elapsed());
            let subject = response.extensions().get().and_then(Caller::subject);
            log(&path, code, took, id.to_str().unwrap_or_default(), subject);
            // Who shows no key can name paths without end.
            tallies.add(&path, number, took, is_method(&path));
            if let Some(Subject(name)) = response.extensions().get().filter(|_| code == Code::Ok) {
                // One that is gone was forgotten with it.
                if !NOT_OF_ONE.contains(&&*path) {
                    tallies.add_to(name, &path, number, took);
                }
            }
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(response)
        })
    }
}

/// As REST logs its requests: what failed without its caller's doing as an error, what was refused, and, at the level that is
/// not asked for where speed matters, the rest.
fn log(method: &str, code: Code, took: Duration, id: &str, subject: Option<&str>) {
    let ms = took.as_millis();
    if code == Code::Ok {
        tracing::debug!(method, ?code, ms, id, subject, "call");
    } else if matches!(code, Code::Internal | Code::Unknown) {
        tracing::error!(method, ?code, ms, id, subject, "call");
    } else {
        tracing::info!(method, ?code, ms, id, subject, "call");
    }
}

#[cfg(test)]
mod tests;
