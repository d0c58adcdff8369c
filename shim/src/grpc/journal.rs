//! Counts of answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

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

/// Counts what is answered, refusals too.
#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<Tallies>);

impl Journal {
    /// Counts into these.
    pub(super) fn new(tallies: Arc<Tallies>) -> Self {
        Journal(tallies)
    }
}

impl<S> Layer<S> for Journal {
    type Service = Recorded<S>;

    fn layer(&self, inner: S) -> Recorded<S> {
        Recorded {
            tallies: self.0.clone(),
            inner,
        }
    }
}

/// A service whose answers are counted.
#[derive(Clone, Debug)]
pub(super) struct Recorded<S> {
    tallies: Arc<Tallies>,
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
        let tallies = self.tallies.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            // An error is told in the headers, as there is no message; a success behind the message, which is yet to come.
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            let (number, took) = (u16::try_from(code as i32).unwrap_or(u16::MAX), started.elapsed());
            // Who shows no key can name paths without end.
            tallies.add(&path, number, took, is_method(&path));
            if let Some(Subject(name)) = response.extensions().get().filter(|_| code == Code::Ok) {
                // One that is gone was forgotten with it.
                if !NOT_OF_ONE.contains(&&*path) {
                    tallies.add_to(name, &path, number, took);
                }
            }
            Ok(response)
        })
    }
}
