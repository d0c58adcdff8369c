//! Ids of requests, by which a caller finds what the log says of his.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header with the id of a request, of both wires and both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of an id that a caller may give.
const MAX_ID: usize = 128;

/// Numbers requests.
#[derive(Debug)]
pub(crate) struct RequestIds {
    /// Of this server.
    family: u64,
    requests: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        RequestIds {
            family: Uuid::new_v4().as_u64_pair().0,
            requests: AtomicU64::new(0),
        }
    }

    /// The id that the caller gave, or one that no other request has: drawing each at random would cost a system call.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_callers_or_of_its_own() {
        let ids = RequestIds::new();
        let none = HeaderMap::new();
        assert_ne!(ids.of(&none), ids.of(&none));
        let with = |id: &str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
        assert_eq!(ids.of(&with("mine")), "mine");
        let long = "x".repeat(MAX_ID + 1);
        assert_ne!(ids.of(&with(&long)), long);
    }
}
