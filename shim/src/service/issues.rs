//! What somebody had better mend: conditions on fields without an index that made a query slow.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use vdb::{Collection, Filter, PayloadIndexKind, Prefetch, QueryRequest};

use super::{Inner, Service};

/// Issues that are kept. Whoever asks can name fields without end.
const MOST: usize = 1_000;

/// A field that queries were slow for, as no index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The collection.
    pub collection: String,
    /// The path of the field.
    pub field: String,
    /// Kinds of indexes of which one would help.
    pub kinds: Vec<PayloadIndexKind>,
    /// When it was seen last.
    pub seen: Timestamp,
}

/// Issues by collection and field.
#[derive(Debug, Default)]
pub(super) struct Issues(Mutex<BTreeMap<(String, String), Issue>>);

impl Issues {
    fn add(&self, issue: Issue) {
        let mut known = self.0.lock();
        let key = (issue.collection.clone(), issue.field.clone());
        if known.len() < MOST || known.contains_key(&key) {
            known.insert(key, issue);
        }
    }

    /// A collection has got an index of a field, or lost it.
    pub(super) fn settle(&self, collection: &str, field: &str) {
        let key = (collection.to_owned(), field.to_owned());
        self.0.lock().remove(&key);
    }

    /// A collection is gone.
    pub(super) fn forget(&self, collection: &str) {
        self.0.lock().retain(|(of, _), _| of != collection);
    }
}

impl Inner {
    /// Notes what a read that began then lacked, if it was slow, that has these filters.
    pub(super) fn notice<'a>(
        &self,
        collection: &Collection,
        began: Instant,
        filters: impl IntoIterator<Item = &'a Filter>,
    ) {
        if began.elapsed() < self.options.slow {
            return;
        }
        for filter in filters {
            for (field, kinds) in collection.unindexed(filter) {
                self.issues.add(Issue {
                    collection: self.resolve(collection.name()),
                    field,
                    kinds,
                    seen: Timestamp::now(),
                });
            }
        }
    }
}

/// All filters of a query.
pub(super) fn filters_of(request: &QueryRequest) -> Vec<&Filter> {
    let mut found: Vec<&Filter> = request.filter.iter().collect();
    let mut left: Vec<&Prefetch> = request.prefetch.iter().collect();
    while let Some(prefetch) = left.pop() {
        found.extend(&prefetch.filter);
        left.extend(&prefetch.prefetch);
    }
    found
}

impl Service {
    /// What somebody had better mend, in the collections that the caller may see, by collection and field.
    pub fn issues(&self) -> Vec<Issue> {
        let known = self.inner.issues.0.lock();
        let seen = known
            .values()
            .filter(|issue| self.access().sees(&issue.collection));
        seen.cloned().collect()
    }

    /// Forgets all of it.
    pub fn clear_issues(&self) {
        self.inner.issues.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(collection: &str, field: &str) -> Issue {
        Issue {
            collection: collection.to_owned(),
            field: field.to_owned(),
            kinds: vec![PayloadIndexKind::Keyword],
            seen: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn issues_last_until_they_are_settled() {
        let issues = Issues::default();
        for (collection, field) in [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")] {
            issues.add(issue(collection, field));
        }
        assert_eq!(issues.0.lock().len(), 3);
        issues.settle("a", "x");
        issues.forget("b");
        assert_eq!(issues.0.lock().values().collect::<Vec<_>>(), [&issue("a", "y")]);
    }

    #[test]
    fn fields_without_end_take_no_memory() {
        let issues = Issues::default();
        for field in 0..2 * MOST {
            issues.add(issue("a", &field.to_string()));
        }
        assert_eq!(issues.0.lock().len(), MOST);
    }
}
