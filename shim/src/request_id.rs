//! Ids of requests, by which callers and the log speak of the same one. Both wires number theirs alike.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header with the id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of an id that a caller may give.
const MAX_ID: usize = 128;

/// Numbers requests.
#[derive(Debug)]
pub(crate) struct RequestIds {
    /// Of this server.
    family: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids that no other server gives.
    pub(crate) fn new() -> Self {
        RequestIds {
            family: Uuid::new_v4().as_u64_pair().0,
            next: AtomicU64::new(0),
        }
    }

    /// The id that the caller gave, or one that no other request has: drawing each at random would cost a system call.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID);
        if let Some(id) = given.filter(|id| id.len() <= MAX_ID && id.to_str().is_ok()) {
            return id.clone();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
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
    fn callers_name_their_requests_within_reason() {
        let ids = RequestIds::new();
        let id = |given: &str| {
            let value = HeaderValue::from_bytes(given.as_bytes()).unwrap();
            ids.of(&HeaderMap::from_iter([(REQUEST_ID, value)]))
        };
        assert_eq!(id("mine"), "mine");
        for other in ["x".repeat(MAX_ID + 1), "ü".to_owned()] {
            assert_eq!(id(&other).len(), uuid::fmt::Hyphenated::LENGTH, "{other}");
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
