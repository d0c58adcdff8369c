//! The points of a collection, page by page. Its strict mode is kept to: pages are no larger than it allows, and where it
//! bounds the reads of a minute, the next one is waited for.

use std::time::{Duration, Instant};

use vdb::{Collection, CollectionConfig, Error, Record, ScrollRequest};

use crate::failure::{Failure, Outcome};
use crate::interrupt;

/// How often to look for a signal while the next read is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// A collection that is read from its first point to its last.
pub(super) struct Pages<'a> {
    collection: &'a Collection,
    name: &'a str,
    /// The next page; none after the last.
    next: Option<ScrollRequest>,
}

impl<'a> Pages<'a> {
    /// Pages of at most `most` points of what `request` asks for. `name` stands in messages.
    pub(super) fn new(
        collection: &'a Collection,
        name: &'a str,
        request: ScrollRequest,
        most: usize,
        config: &CollectionConfig,
    ) -> Self {
        let strict = config.strict_mode.as_ref();
        let strict = strict.filter(|strict| strict.enabled == Some(true));
        let allowed = strict.and_then(|strict| strict.max_query_limit);
        let allowed = allowed.and_then(|allowed| usize::try_from(allowed).ok());
        Pages {
            collection,
            name,
            next: Some(request.limit(allowed.map_or(most, |allowed| most.min(allowed).max(1)))),
        }
    }

    /// The next points; `None` after the last.
    pub(super) fn advance(&mut self) -> Outcome<Option<Vec<Record>>> {
        let Some(mut request) = self.next.take() else {
            return Ok(None);
        };
        let found = patiently(self.name, || self.collection.scroll(&request))?;
        if found.next_offset.is_some() {
            request.offset = found.next_offset;
            self.next = Some(request);
        }
        Ok(Some(found.points))
    }
}

/// Reads once the strict mode of the collection allows it.
pub(super) fn patiently<T>(name: &str, read: impl Fn() -> vdb::Result<T>) -> Outcome<T> {
    loop {
        if interrupt::asked_to_stop() {
            return Err(Failure::Interrupted(format!(
                "interrupted: nothing was written for {name}"
            )));
        }
        let until = match read() {
            Err(Error::RateLimit { retry_after, .. }) => Instant::now() + retry_after,
            done => return Ok(done?),
        };
        while !interrupt::asked_to_stop() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}
