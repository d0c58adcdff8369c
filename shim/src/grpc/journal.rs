//! Ids of calls, the log, counts of answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use tonic::{Code, Status};

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
#[derive(Debug)]
pub(super) struct Journal {
    tallies: Arc<Tallies>,
    /// From which time on a call is slow.
    slow: Duration,
    ids: RequestIds,
}

/// A call that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    at: Instant,
    id: HeaderValue,
}

/// What is told of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) path: &'a str,
    /// Why it failed, if it did.
    pub(super) failed: Option<&'a Status>,
    /// The collection that its answer is about.
    pub(super) collection: Option<&'a str>,
    /// Who made it, where he was let in.
    pub(super) caller: Option<&'a Caller>,
}

impl Journal {
    /// Of the calls of a service.
    pub(super) fn new(service: &Service) -> Self {
        Journal {
            tallies: service.grpc_tallies().clone(),
            slow: service.slow(),
            ids: RequestIds::new(),
        }
    }

    /// A call begins, with the id that its caller gives it, or one of its own.
    pub(super) fn begin(&self, headers: &HeaderMap) -> Begun {
        Begun {
            at: Instant::now(),
            id: self.ids.of(headers),
        }
    }

    /// A call is answered with these headers, which get its id.
    pub(super) fn end(&self, begun: Begun, told: &Told<'_>, headers: &mut HeaderMap) {
        let took = begun.at.elapsed();
        self.tell(told, &begun.id, took);
        let code = told.failed.map_or(Code::Ok, Status::code);
        let code = u16::try_from(code as i32).unwrap_or(u16::MAX);
        // Who shows no key can name paths without end.
        self.tallies.add(told.path, code, took, || is_method(told.path));
        if let Some(name) = told.collection.filter(|_| told.failed.is_none()) {
            // One that is gone was forgotten with it.
            if !NOT_OF_ONE.contains(&told.path) {
                self.tallies.add_to(name, told.path, code, took);
            }
        }
        headers.insert(REQUEST_ID, begun.id);
    }

    /// Tells what came of a call. A line for every one that went well would take longer to write than many take to answer.
    fn tell(&self, told: &Told<'_>, id: &HeaderValue, took: Duration) {
        let Told {
            path: method,
            failed,
            collection,
            caller,
        } = *told;
        let subject = caller.and_then(Caller::subject);
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

#[cfg(test)]
mod tests;
