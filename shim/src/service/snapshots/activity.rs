//! Snapshots of each collection that are being made and recovered from, and how many were made.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::Scope;

/// What goes on with the snapshots of a collection, and what went on since the service began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotActivity {
    /// Being made.
    pub creating: u64,
    /// Being recovered from.
    pub recovering: u64,
    /// Made.
    pub created: u64,
}

/// A figure that counts what is under way.
type Figure = fn(&mut SnapshotActivity) -> &mut u64;

/// Of all collections, by name.
#[derive(Debug, Default)]
pub(in crate::service) struct Activities(Mutex<BTreeMap<String, SnapshotActivity>>);

/// Something that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Underway<'a> {
    of: &'a Activities,
    name: &'a str,
    figure: Figure,
}

impl Activities {
    /// Of one collection.
    pub(in crate::service) fn of(&self, name: &str) -> SnapshotActivity {
        self.0.lock().get(name).copied().unwrap_or_default()
    }

    /// The collection is gone.
    pub(in crate::service) fn forget(&self, name: &str) {
        self.0.lock().remove(name);
    }

    /// A snapshot is being made.
    pub(super) fn creating<'a>(&'a self, scope: &'a Scope) -> Option<Underway<'a>> {
        Some(self.begin(scope.collection()?, |of| &mut of.creating))
    }

    /// A collection is being recovered.
    pub(super) fn recovering<'a>(&'a self, name: &'a str) -> Underway<'a> {
        self.begin(name, |of| &mut of.recovering)
    }

    /// A snapshot was made.
    pub(super) fn created(&self, scope: &Scope) {
        // While it is being made there is an entry, unless the collection was dropped meanwhile.
        let Some(name) = scope.collection() else {
            return;
        };
        if let Some(activity) = self.0.lock().get_mut(name) {
            activity.created += 1;
        }
    }

    fn begin<'a>(&'a self, name: &'a str, figure: Figure) -> Underway<'a> {
        *figure(self.0.lock().entry(name.to_owned()).or_default()) += 1;
        Underway {
            of: self,
            name,
            figure,
        }
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let mut all = self.of.0.lock();
        // It may have been forgotten meanwhile.
        if let Some(activity) = all.get_mut(self.name) {
            let figure = (self.figure)(activity);
            *figure = figure.saturating_sub(1);
            // Names that nothing was made of are not kept.
            if *activity == SnapshotActivity::default() {
                all.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_counts_until_it_is_over() {
        let all = Activities::default();
        let scope = Scope::Collection("c".to_owned());
        let first = all.creating(&scope);
        let second = all.recovering("c");
        let under_way = SnapshotActivity {
            creating: 1,
            recovering: 1,
            created: 0,
        };
        assert_eq!(all.of("c"), under_way);
        all.created(&scope);
        drop((first, second));
        let over = SnapshotActivity {
            created: 1,
            ..SnapshotActivity::default()
        };
        assert_eq!(all.of("c"), over);
        let third = all.creating(&scope);
        all.forget("c");
        drop(third);
        assert_eq!(all.of("c"), SnapshotActivity::default());
        assert!(all.creating(&Scope::Full).is_none());
    }
}
